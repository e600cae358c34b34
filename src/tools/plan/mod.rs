//! A memory plan in words and numbers, as a table, and as a picture: what `archc plan` tells.

pub mod explain;
pub(super) mod scale;
pub mod svg;
pub mod table;

use crate::analysis::liveness::Interval;
use crate::graph::{Graph, NodeId};
use crate::plan::{
    self, Apart, Assumptions, Buffer, Content, Mode, Phase, Plan, Share, Step, Strategy, TooLarge, ValueId,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A plan, told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Run or train.
    pub mode: Mode,
    /// Samples at once.
    pub batch: u64,
    /// What was taken for granted.
    pub assumptions: Assumptions,
    /// What found the offsets.
    pub strategy: Strategy,
    /// Sums.
    pub totals: Totals,
    /// Memory outside the arena.
    pub outside: Apart,
    /// The same sums when counted as in textbooks; for running only.
    pub reference: Option<Reference>,
    /// In the order they run.
    pub steps: Vec<StepRow>,
    /// In the order they are first used.
    pub buffers: Vec<BufferRow>,
    /// What the passes did, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<explain::PassRow>,
}

/// Sums of a plan, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// The arena.
    pub peak: u64,
    /// The most that is live at once.
    pub lower_bound: u64,
    /// Every buffer in memory of its own.
    pub naive: u64,
    /// The arena divided by the lower bound; 1 is the best there can be.
    pub peak_to_bound: f64,
    /// The step with the most live bytes; the first of several.
    pub fullest_step: usize,
}

/// Sums under [`Assumptions::REFERENCE`] and [`Assumptions::REFERENCE_CHAINED`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Reference {
    /// Every `concat` a copy.
    pub copied: Totals,
    /// New features written into the `concat` that they join.
    pub chained: Totals,
}

/// What happens at one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepRow {
    /// Its number, from 0.
    pub step: usize,
    /// Forward, loss or backward.
    pub phase: Phase,
    /// The path of the node that it goes by.
    pub layer: String,
    /// Paths of the nodes that it computes.
    pub layers: Vec<String>,
    /// What they are: `conv 3×3 + batch_norm + relu`.
    pub op: String,
    /// The kernel that runs it, where that is known and there is something to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// What it makes or changes.
    pub writes: Vec<WriteRow>,
    /// Other names for what it makes: values that are flattened or cropped views of it.
    pub views: Vec<String>,
    /// Bytes live while it runs.
    pub live_bytes: u64,
    /// Bytes still needed once it is done.
    pub live_after_bytes: u64,
}

/// One value that a step makes or changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WriteRow {
    /// Its name: a layer's path, after `∂` for a gradient, before `*` for what is kept besides.
    pub value: String,
    /// Its buffer, by number.
    pub buffer: usize,
    /// Bytes from the start of the arena to its first sample.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Whose memory it uses; `None` where it has its own.
    pub alias: Option<Alias>,
}

/// How a value uses another's memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Alias {
    /// It is computed over a value that nobody reads any more.
    InPlace {
        /// That value.
        of: String,
    },
    /// It is a slice of a value.
    Slice {
        /// That value.
        of: String,
        /// Bytes from the start of a sample.
        at: u64,
    },
    /// Something is added to it.
    Added,
}

/// Memory that values share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BufferRow {
    /// Its number.
    pub buffer: usize,
    /// The value it is named after.
    pub name: String,
    /// Bytes from the start of the arena.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// When it is needed.
    pub live: Interval,
    /// All values that live in it.
    pub values: Vec<String>,
}

/// Names of the values of a plan.
pub struct Names<'a> {
    graph: &'a Graph,
    /// For each tail of a step its lead: a fused value goes by the layer that is computed first.
    heads: BTreeMap<NodeId, NodeId>,
}

impl<'a> Names<'a> {
    /// Names for a plan of this graph.
    pub fn new(graph: &'a Graph, plan: &Plan) -> Self {
        let forward = plan.steps.iter().skip(1).filter(|step| step.phase == Phase::Forward);
        let heads = forward.filter_map(|step| Some((*step.nodes.last()?, step.lead?))).collect();
        Self { graph, heads }
    }

    /// The node that a value goes by.
    pub fn node(&self, content: Content) -> NodeId {
        let node = content.node();
        self.heads.get(&node).copied().unwrap_or(node)
    }

    /// A value's name.
    pub fn name(&self, content: Content) -> String {
        let path = &self.graph.node(self.node(content)).path;
        match content {
            Content::Output(_) => path.clone(),
            Content::Gradient(_) => format!("∂{path}"),
            Content::Kept(_) => format!("{path}*"),
            Content::Converted(_) => format!("{path}′"),
            Content::Scratch(_) => format!("{path} scratch"),
        }
    }
}

/// Tells a plan.
///
/// # Errors
/// Where sizes overflow under the reference assumptions.
pub fn report(graph: &Graph, plan: &Plan) -> Result<Report, TooLarge> {
    let names = Names::new(graph, plan);
    let name = |value: ValueId| names.name(plan.values[value].content);
    let after = live_after(plan);
    let mut views = BTreeMap::<ValueId, Vec<String>>::new();
    for &(node, value) in &plan.views {
        let path = &graph.node(node).path;
        // A value that only changes its layout keeps its name.
        if *path != name(value) {
            views.entry(value).or_default().push(path.clone());
        }
    }
    let aliases = aliases(plan, &name);
    let row = |(step, it): (usize, &Step)| StepRow {
        step,
        phase: it.phase,
        layer: it.lead.or(it.nodes.first().copied()).map_or(String::new(), |node| graph.node(node).path.clone()),
        layers: it.nodes.iter().map(|&node| graph.node(node).path.clone()).collect(),
        op: describe(graph, step, it),
        kernel: None,
        writes: it.writes.iter().map(|&value| write_row(plan, step, value, &name, &aliases)).collect(),
        views: it
            .writes
            .iter()
            .filter(|&&value| plan.values[value].live.first == step)
            .flat_map(|value| views.get(value).cloned().unwrap_or_default())
            .collect(),
        live_bytes: plan.live[step],
        live_after_bytes: after[step],
    };
    Ok(Report {
        mode: plan.mode,
        batch: plan.batch,
        assumptions: plan.assumptions,
        strategy: plan.strategy,
        totals: totals(plan),
        outside: plan.apart,
        reference: reference(graph, plan)?,
        steps: plan.steps.iter().enumerate().map(row).collect(),
        buffers: buffer_rows(plan, &name),
        passes: Vec::new(),
    })
}

impl Report {
    /// The report, with the kernel of each step.
    pub fn with_kernels(mut self, kernels: &[Option<String>]) -> Self {
        self.steps.iter_mut().zip(kernels).for_each(|(step, kernel)| step.kernel.clone_from(kernel));
        self
    }
}

/// Sums of a plan.
pub fn totals(plan: &Plan) -> Totals {
    let fullest_step = plan.live.iter().position(|&live| live == plan.lower_bound).unwrap_or(0);
    let peak_to_bound = if plan.lower_bound == 0 { 1.0 } else { plan.peak as f64 / plan.lower_bound as f64 };
    Totals { peak: plan.peak, lower_bound: plan.lower_bound, naive: plan.naive, peak_to_bound, fullest_step }
}

fn reference(graph: &Graph, told: &Plan) -> Result<Option<Reference>, TooLarge> {
    if told.mode == Mode::Train {
        return Ok(None);
    }
    let under = |assumptions| plan::plan(graph, assumptions, Mode::Run, told.batch).map(|found| totals(&found));
    let copied = under(&Assumptions::REFERENCE)?;
    Ok(Some(Reference { copied, chained: under(&Assumptions::REFERENCE_CHAINED)? }))
}

/// Bytes still needed after each step.
fn live_after(plan: &Plan) -> Vec<u64> {
    let mut ends = vec![0; plan.steps.len()];
    let staying = (0..plan.values.len()).filter(|&value| plan.values[value].stays);
    let staying: BTreeSet<usize> = staying.map(|value| plan.places[value].buffer).collect();
    for (_, buffer) in plan.buffers.iter().enumerate().filter(|(number, _)| !staying.contains(number)) {
        ends[buffer.live.last] += buffer.bytes;
    }
    plan.live.iter().zip(ends).map(|(live, ended)| live - ended).collect()
}

fn describe(graph: &Graph, number: usize, step: &Step) -> String {
    let op = |&node: &NodeId| {
        let layer = graph.node(node).op.layer();
        let detail = layer.detail();
        // Only the lead says its arguments: the others would drown it.
        let leads = step.lead == Some(node) && !detail.is_empty();
        if leads { format!("{} {detail}", layer.kind()) } else { layer.kind().to_string() }
    };
    let ops: Vec<String> = step.nodes.iter().map(op).collect();
    match step.phase {
        Phase::Loss => "loss".to_string(),
        Phase::Forward if step.lead.is_none() && number > 0 => {
            if step.writes.is_empty() { "change of layout: nothing to do" } else { "change of layout" }.to_string()
        }
        Phase::Forward => ops.join(" + "),
        Phase::Backward => format!("∂ {}", ops.join(" + ")),
    }
}

/// How values use others' memory, with the step at which they begin to.
fn aliases(plan: &Plan, name: &dyn Fn(ValueId) -> String) -> BTreeMap<ValueId, Alias> {
    let alias = |share: &Share| match *share {
        Share::Slice { part, whole, offset, .. } => (part, Alias::Slice { of: name(whole), at: offset }),
        Share::InPlace { from, to, .. } => (to, Alias::InPlace { of: name(from) }),
    };
    plan.shares.iter().rev().map(alias).collect()
}

fn write_row(
    plan: &Plan,
    step: usize,
    value: ValueId,
    name: &dyn Fn(ValueId) -> String,
    aliases: &BTreeMap<ValueId, Alias>,
) -> WriteRow {
    let new = plan.values[value].live.first == step;
    WriteRow {
        value: name(value),
        buffer: plan.places[value].buffer,
        offset: plan.value_offset(value),
        bytes: plan.value_bytes(value),
        alias: if new { aliases.get(&value).cloned() } else { Some(Alias::Added) },
    }
}

fn buffer_rows(plan: &Plan, name: &dyn Fn(ValueId) -> String) -> Vec<BufferRow> {
    let mut values = vec![Vec::new(); plan.buffers.len()];
    for (value, place) in plan.places.iter().enumerate() {
        values[place.buffer].push(name(value));
    }
    let row = |(buffer, (it, values)): (usize, (&Buffer, Vec<String>))| BufferRow {
        buffer,
        name: name(it.owner),
        offset: it.offset,
        bytes: it.bytes,
        live: it.live,
        values,
    };
    plan.buffers.iter().zip(values).enumerate().map(row).collect()
}
