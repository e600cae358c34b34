//! The plan that the engine runs: the steps of an optimised network, with the scratch of their kernels.

use super::schedule::{Content, ELEMENT, Phase, Schedule, Share};
use super::{Assumptions, Concat, Grouping, Mode, Plan, TooLarge, ValueId, place};
use crate::graph::Graph;
use crate::opt::{Net, TensorRef, Work};
use crate::shape::LANES;
use std::collections::BTreeMap;

/// A plan of a [`Net`], and which of its values is which.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where everything lies. Its first step is the arrival of the inputs.
    pub plan: Plan,
    /// The value that holds what a step makes.
    pub values: BTreeMap<TensorRef, ValueId>,
    /// For each step of the net its scratch, where it has some.
    pub scratch: Vec<Option<ValueId>>,
}

/// What the engine takes for granted.
const ASSUMPTIONS: Assumptions =
    Assumptions { grouping: Grouping::Fused, concat: Concat::Whole, in_place: true, crop_views: false };

/// Whether two layouts of a value are the same numbers: a vector in whole blocks.
pub fn same_numbers(graph: &Graph, held: TensorRef) -> bool {
    let shape = graph.shape(held.node);
    shape.spatial().iter().all(|&size| size == 1) && shape.channels().is_none_or(|c| c.is_multiple_of(LANES))
}

/// Plans a net for a batch; `scratch` is the bytes that the kernel of each step works in.
///
/// # Errors
/// Where sizes overflow.
pub fn running(graph: &Graph, net: &Net, batch: u64, scratch: &[u64]) -> Result<Running, TooLarge> {
    let mut schedule = Schedule::new(graph);
    let mut values = BTreeMap::new();
    let mut rooms = Vec::with_capacity(net.steps.len());
    let bytes = |held: TensorRef| held.layout.numbers(graph.shape(held.node)).saturating_mul(ELEMENT);
    let inputs = graph.inputs.iter().map(|&node| {
        let held = TensorRef { node, layout: crate::shape::Layout::Plain };
        let value = schedule.make(Content::Output(node), bytes(held));
        values.insert(held, value);
        value
    });
    let inputs: Vec<_> = inputs.collect();
    schedule.step(Phase::Forward, graph.inputs.clone(), Vec::new(), inputs);
    for (step, &wanted) in net.steps.iter().zip(scratch) {
        let reads: Vec<ValueId> = step.all_reads().map(|held| values[&held]).collect();
        let node = step.makes.node;
        let view = step.work == Work::Convert && same_numbers(graph, step.makes);
        let made = match step.work {
            _ if view => reads[0],
            Work::Convert => schedule.make(Content::Converted(node), bytes(step.makes)),
            Work::Op(_) => schedule.make(Content::Output(node), bytes(step.makes)),
        };
        if view {
            schedule.views.push((node, made));
        }
        values.insert(step.makes, made);
        schedule.outputs[node.index()].get_or_insert(made);
        let room = (wanted > 0).then(|| schedule.make_fixed(Content::Scratch(node), wanted));
        let nodes = if step.work == Work::Convert { vec![node] } else { step.nodes() };
        // A view writes nothing.
        let writes = (!view).then_some(made).into_iter().chain(room).collect();
        schedule.step(Phase::Forward, nodes, reads, writes);
        schedule.lead(step.head());
        rooms.push(room);
    }
    schedule.shares = shares(graph, net, &values, &schedule);
    let last = schedule.now() - 1;
    for held in &net.outputs {
        let value = &mut schedule.values[values[held]];
        value.live.extend(last);
        value.stays = true;
    }
    Ok(Running { plan: place(graph, schedule, ASSUMPTIONS, Mode::Run, batch)?, values, scratch: rooms })
}

/// The wishes of the net, as shares of the schedule: slices first made first, steps in place as they run.
fn shares(graph: &Graph, net: &Net, values: &BTreeMap<TensorRef, ValueId>, schedule: &Schedule) -> Vec<Share> {
    let made_at = |value: ValueId| schedule.values[value].live.first;
    let slices = net.slices.iter().map(|slice| {
        let (part, whole) = (values[&slice.part], values[&slice.whole]);
        let positions = graph.shape(slice.whole.node).spatial().iter().fold(ELEMENT, |n, &d| n * d as u64);
        Share::Slice { part, whole, offset: slice.channel_offset as u64 * positions, step: made_at(whole) }
    });
    let in_place = net.in_place.iter().map(|&(makes, over)| {
        let to = values[&makes];
        Share::InPlace { from: values[&over], to, step: made_at(to) }
    });
    slices.chain(in_place).collect()
}
