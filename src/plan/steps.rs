//! The forward pass as a line of steps: which nodes run together, which only look at another's value.

use super::schedule::{Content, Phase, Schedule, Share, bytes, read_operands, readers};
use super::{Assumptions, Concat, Grouping, Mode};
use crate::graph::{Graph, NodeId};
use crate::ops::{Family, Op};

/// How a node takes part in the forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It arrives from outside.
    Input,
    /// It looks at its operand's value: no step, no memory.
    View,
    /// It changes its operand's value before anyone else has seen it, in the operand's step.
    Joined,
    /// It has a step and a value of its own.
    Own,
}

/// The forward pass of a graph, inputs at the first step, outputs live to the last.
pub fn forward(graph: &Graph, assumptions: &Assumptions, mode: Mode) -> Schedule {
    let mut schedule = Schedule::new(graph);
    let roles = roles(graph, assumptions, mode);
    let role = |node: NodeId| roles[node.index()];
    let heads = heads(graph, &roles);
    let mut groups = vec![Vec::new(); schedule.outputs.len()];
    graph.order().for_each(|node| groups[heads[node.index()].index()].push(node));
    let inputs = graph.inputs.iter().map(|&node| {
        let value = schedule.make(Content::Output(node), bytes(graph, node));
        schedule.outputs[node.index()] = Some(value);
        value
    });
    let inputs: Vec<_> = inputs.collect();
    schedule.step(Phase::Forward, graph.inputs.clone(), Vec::new(), inputs);
    for node in graph.order() {
        match role(node) {
            Role::Own => group(graph, &mut schedule, std::mem::take(&mut groups[node.index()]), mode),
            Role::View => view(graph, &mut schedule, node),
            Role::Input | Role::Joined => {}
        }
    }
    candidates(graph, assumptions, &mut schedule);
    if mode == Mode::Run {
        outputs_stay(graph, &mut schedule);
    }
    schedule
}

fn outputs_stay(graph: &Graph, schedule: &mut Schedule) {
    let last = schedule.now() - 1;
    let outputs: Vec<_> = graph.outputs.iter().filter_map(|o| schedule.output(o.node)).collect();
    for value in outputs {
        schedule.values[value].live.extend(last);
        schedule.values[value].stays = true;
    }
}

fn roles(graph: &Graph, assumptions: &Assumptions, mode: Mode) -> Vec<Role> {
    let count = graph.order().next_back().map_or(0, |last| last.index() + 1);
    let mut is_output = vec![false; count];
    graph.outputs.iter().for_each(|o| is_output[o.node.index()] = true);
    let mut roles = vec![Role::Own; count];
    // Whether a node's value is read once at most, whatever views look at it.
    let mut sole = vec![false; count];
    for node in graph.order() {
        let users = graph.users(node);
        sole[node.index()] = readers(graph, node) == 1 && !is_output[node.index()];
        let operands = graph.operands(node);
        let op = &graph.node(node).op;
        let role = match op.family() {
            Family::Input => Role::Input,
            Family::View => Role::View,
            Family::Regularization if mode == Mode::Run => Role::View,
            Family::Resize if is_crop(op) && assumptions.crop_views && mode == Mode::Run => {
                let copied = users.iter().all(|&user| matches!(graph.node(user).op, Op::Concat(_)));
                if copied && !is_output[node.index()] { Role::View } else { Role::Own }
            }
            Family::Convolution
            | Family::Linear
            | Family::Norm
            | Family::Activation
            | Family::Pool
            | Family::Resize
            | Family::Regularization
            | Family::Merge(_) => {
                let alone = operands.len() == 1 && sole[operands[0].index()];
                let joins = assumptions.grouping == Grouping::Fused && op.layer().in_place() == [0] && alone;
                if joins && may_lead(graph, &roles, operands[0]) { Role::Joined } else { Role::Own }
            }
        };
        if role == Role::View {
            sole[node.index()] &= sole[operands[0].index()];
        }
        roles[node.index()] = role;
    }
    roles
}

/// Whether others may join a node's step. An input is not ours, and a `concat` is its operands' memory.
fn may_lead(graph: &Graph, roles: &[Role], mut node: NodeId) -> bool {
    while roles[node.index()] == Role::View {
        if is_crop(&graph.node(node).op) {
            return false;
        }
        node = graph.operands(node)[0];
    }
    let op = &graph.node(node).op;
    op.family() != Family::Input && !matches!(op, Op::Concat(_))
}

fn is_crop(op: &Op) -> bool {
    matches!(op, Op::Crop(_) | Op::CropLike(_))
}

/// For each node the one that leads its step; itself where it leads or has none.
fn heads(graph: &Graph, roles: &[Role]) -> Vec<NodeId> {
    let mut heads: Vec<NodeId> = (0..roles.len()).map(NodeId::new).collect();
    // A view of a value that others join is passed through, so that its own head is its operand's.
    let mut through = heads.clone();
    for node in graph.order() {
        let follows = matches!(roles[node.index()], Role::View | Role::Joined);
        if follows {
            through[node.index()] = through[graph.operands(node)[0].index()];
        }
        if roles[node.index()] == Role::Joined {
            heads[node.index()] = through[node.index()];
        }
    }
    heads
}

/// The step of a group: its head and those that join it.
fn group(graph: &Graph, schedule: &mut Schedule, nodes: Vec<NodeId>, mode: Mode) {
    let (head, tail) = (nodes[0], nodes[nodes.len() - 1]);
    let reads: Vec<_> = read_operands(graph, head).into_iter().filter_map(|operand| schedule.output(operand)).collect();
    let value = schedule.make(Content::Output(tail), bytes(graph, tail));
    let mut writes = vec![value];
    if mode == Mode::Train {
        for &node in &nodes {
            let extra = graph.node(node).op.layer().saved(&graph.operand_shapes(node), graph.shape(node)).extra_bytes;
            if extra > 0 {
                writes.push(schedule.make(Content::Kept(node), extra));
            }
        }
    }
    // Inner nodes are read by the next in the group only, or looked at by a view inside it.
    nodes.iter().for_each(|node| schedule.outputs[node.index()] = Some(value));
    schedule.step(Phase::Forward, nodes, reads, writes);
}

fn view(graph: &Graph, schedule: &mut Schedule, node: NodeId) {
    let value = schedule.output(graph.operands(node)[0]);
    schedule.outputs[node.index()] = value;
    schedule.views.extend(value.map(|value| (node, value)));
}

/// What may share memory in the forward pass.
fn candidates(graph: &Graph, assumptions: &Assumptions, schedule: &mut Schedule) {
    let mut shares = Vec::new();
    for (step, it) in schedule.steps.iter().enumerate().skip(1) {
        let (head, to) = (it.nodes[0], it.writes[0]);
        let op = &graph.node(head).op;
        let operands = graph.operands(head);
        if matches!(op, Op::Concat(_)) {
            let mut offset = 0;
            for &operand in &operands {
                let bytes = bytes(graph, operand);
                let part = schedule.output(operand).filter(|&part| schedule.values[part].bytes == bytes);
                if let Some(part) = part.filter(|_| may_slice(graph, assumptions, operand)) {
                    shares.push(Share::Slice { part, whole: to, offset, step });
                }
                offset += bytes;
            }
        }
        if assumptions.in_place {
            let over = op.layer().in_place().iter().filter_map(|&i| schedule.output(*operands.get(i)?));
            shares.extend(over.map(|from| Share::InPlace { from, to, step }));
        }
    }
    schedule.shares = shares;
}

/// Whether an operand of a `concat` may be written straight into it.
pub fn may_slice(graph: &Graph, assumptions: &Assumptions, operand: NodeId) -> bool {
    match (assumptions.concat, &graph.node(operand).op) {
        (Concat::Copied, _) | (_, Op::Input(_)) => false,
        (Concat::Whole, _) | (Concat::Chained, Op::Concat(_)) => true,
        (Concat::Chained, _) => readers(graph, operand) == 1,
    }
}
