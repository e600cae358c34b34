//! When and where in memory?
//!
//! A plan is a line of steps over one arena. [`steps`] says which nodes run together and which only look at
//! another's value; [`backward`] adds the way back; [`alias`] lets values share memory where that is legal; and
//! [`offsets`] places what remains. [`verify`] runs a plan on symbols and so proves that no value is
//! overwritten before its last reader.
//!
//! Counted are inputs, outputs, everything between, and in training gradients of values and what backward
//! passes keep. Weights, their gradients and the optimizer's state live outside the arena ([`Apart`]), and
//! kernels may ask for workspace of their own. Bytes of values grow with the batch; nothing else does.
//!
//! Words: the *arena* is the one buffer in which all values lie; a [`Value`] is what one step writes, from its birth to its last
//! reader; a [`Share`] says that a value lies in another's memory (in place, or a slice of a `concat`); the *bound* is the most that
//! is live at once, below which no plan comes; *naive* is what values take that share nothing and are never let go.

pub mod alias;
pub mod backward;
pub mod offsets;
pub mod running;
pub mod schedule;
pub mod steps;
pub mod verify;

pub use alias::Place;
pub use offsets::{ALIGNMENT, Strategy};
pub use running::{Running, running, same_numbers};
use schedule::Schedule;
pub use schedule::{Content, Phase, Share, Step, Value, ValueId};

use crate::analysis::liveness::{Interval, live_bytes};
use crate::elaborate::recipe::Optimizer;
use crate::graph::{Graph, NodeId};
use offsets::Demand;
use serde::Serialize;
use std::fmt;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Outputs from inputs.
    Run,
    /// One training step: forward, loss, backward.
    Train,
}

/// Which nodes count as one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// A convolution, linear layer, norm, merge or pool with the norms and activations that follow it, as long as
    /// nobody else reads what lies between: `conv → batch_norm → relu`, `add → relu`, `batch_norm → relu`.
    Fused,
    /// Every node by itself.
    PerNode,
}

/// How a `concat` comes to its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Concat {
    /// Its operands are copied together.
    Copied,
    /// An operand that only it reads is written straight into it; so is a `concat` that it extends. All others
    /// are copied.
    Chained,
    /// Every operand is written straight into it, whoever else reads it.
    Whole,
}

/// What is taken for granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Assumptions {
    /// Which nodes count as one value.
    pub grouping: Grouping,
    /// How a `concat` comes to its value.
    pub concat: Concat,
    /// Whether a result may be written over an operand that nobody reads any more.
    pub in_place: bool,
    /// Whether a `concat` reads a cropped operand where it lies, rather than a cropped copy.
    pub crop_views: bool,
}

impl Assumptions {
    /// What textbooks count: `conv + norm + activation` is one value, and so are `norm + activation` and `add +
    /// activation`; pools, global pools and the last linear layer are values; a flattened or cropped value is the value
    /// itself; nothing is done in place; a `concat` is a copy.
    pub const REFERENCE: Self =
        Self { grouping: Grouping::Fused, concat: Concat::Copied, in_place: false, crop_views: true };

    /// [`Self::REFERENCE`], with new features written straight into the `concat` that they join.
    pub const REFERENCE_CHAINED: Self = Self { concat: Concat::Chained, ..Self::REFERENCE };

    /// What [`best`] chooses among: the reference with in-place steps, and each way to concat.
    fn all(mode: Mode) -> Vec<Self> {
        let grouping = if mode == Mode::Run { Grouping::Fused } else { Grouping::PerNode };
        let with = |concat| Self { grouping, concat, in_place: true, crop_views: mode == Mode::Run };
        [Concat::Copied, Concat::Chained, Concat::Whole].map(with).to_vec()
    }
}

/// Memory outside the arena; none of it grows with the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Apart {
    /// Parameters and running statistics.
    pub weights: u64,
    /// Gradients of parameters; 0 unless training.
    pub gradients: u64,
    /// What the optimizer keeps for each parameter; 0 unless training.
    pub optimizer: u64,
}

/// Memory of the arena that one value, or several one after another, live in.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    /// The value that it is named after.
    pub owner: ValueId,
    /// Bytes for one sample.
    pub sample_bytes: u64,
    /// Bytes for the batch.
    pub bytes: u64,
    /// Bytes from the start of the arena.
    pub offset: u64,
    /// From the first step of any of its values to the last.
    pub live: Interval,
}

/// A schedule with a place in memory for every value.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Run or train.
    pub mode: Mode,
    /// What was taken for granted.
    pub assumptions: Assumptions,
    /// Samples at once.
    pub batch: u64,
    /// In the order they run.
    pub steps: Vec<Step>,
    /// All values.
    pub values: Vec<Value>,
    /// For each value its place. At batch B, sample n of it starts `offset` bytes into the n-th of the B equal
    /// parts of its buffer.
    pub places: Vec<Place>,
    /// Buffers, in the order they are first used.
    pub buffers: Vec<Buffer>,
    /// The shares that were taken.
    pub shares: Vec<Share>,
    /// Nodes that look at another's value.
    pub views: Vec<(NodeId, ValueId)>,
    /// Bytes live at each step.
    pub live: Vec<u64>,
    /// Bytes of the arena.
    pub peak: u64,
    /// The most bytes live at once: no placement can do with less.
    pub lower_bound: u64,
    /// Bytes if every buffer had memory of its own.
    pub naive: u64,
    /// What found the offsets.
    pub strategy: Strategy,
    /// Memory outside the arena.
    pub apart: Apart,
}

/// A network too large to plan: its bytes overflow 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the values need more bytes than can be counted")
    }
}

/// What kernels multiply a value's bytes by while they are prepared, at most: windows, blocks of channels, threads.
const ROOM: u128 = 64;

/// Refuses a batch at which the values' bytes leave no room to count with, before kernels are prepared for it.
///
/// # Errors
/// Where they do not.
pub fn countable(graph: &Graph, batch: u64) -> Result<(), TooLarge> {
    let bytes = |id| Some(u128::from(graph.shape(id).elements()?) * size_of::<f32>() as u128);
    let all: Option<u128> = graph.order().map(bytes).sum();
    match all.and_then(|all| all.checked_mul(u128::from(batch))) {
        Some(bytes) if bytes <= i64::MAX as u128 / ROOM => Ok(()),
        _ => Err(TooLarge),
    }
}

/// The plan with the lowest peak among the ways of sharing memory; the simplest of those that are equal.
///
/// # Errors
/// Where sizes overflow.
pub fn best(graph: &Graph, mode: Mode, batch: u64) -> Result<Plan, TooLarge> {
    let mut best = None::<Plan>;
    for assumptions in Assumptions::all(mode) {
        let found = plan(graph, &assumptions, mode, batch)?;
        let concats = found.shares.iter().any(|share| matches!(share, Share::Slice { .. }));
        if best.as_ref().is_none_or(|best| found.peak < best.peak) {
            best = Some(found);
        }
        if assumptions.concat == Concat::Chained && !concats {
            break;
        }
    }
    best.ok_or(TooLarge)
}

/// A plan under given assumptions. In training every node has its own step, whatever the grouping.
///
/// # Errors
/// Where sizes overflow.
pub fn plan(graph: &Graph, assumptions: &Assumptions, mode: Mode, batch: u64) -> Result<Plan, TooLarge> {
    let mut assumptions = *assumptions;
    if mode == Mode::Train {
        assumptions.grouping = Grouping::PerNode;
    }
    let mut schedule = steps::forward(graph, &assumptions, mode);
    if mode == Mode::Train {
        backward::backward(graph, &assumptions, &mut schedule);
    }
    place(graph, schedule, assumptions, mode, batch)
}

/// Gives every value of a schedule its place.
fn place(
    graph: &Graph,
    schedule: Schedule,
    assumptions: Assumptions,
    mode: Mode,
    batch: u64,
) -> Result<Plan, TooLarge> {
    let bytes = |v: &Value| (u128::from(v.bytes) + u128::from(ALIGNMENT)) * u128::from(batch) + u128::from(v.fixed);
    if schedule.values.iter().map(bytes).sum::<u128>() > i64::MAX as u128 {
        return Err(TooLarge);
    }
    let memory = alias::share(&schedule);
    let demand = |b: &alias::Sharing| Demand { bytes: b.bytes * batch + b.fixed, live: b.live };
    let demands: Vec<Demand> = memory.buffers.iter().map(demand).collect();
    let live = live_bytes(demands.iter().map(|d| (d.live, d.bytes)), schedule.steps.len());
    let arena = offsets::assign(&demands, schedule.steps.len());
    let placed = memory.buffers.iter().zip(&demands).zip(&arena.offsets);
    let buffers = placed.map(|((b, demand), &offset)| Buffer {
        owner: b.owner,
        sample_bytes: b.bytes,
        bytes: demand.bytes,
        offset,
        live: b.live,
    });
    Ok(Plan {
        mode,
        assumptions,
        batch,
        buffers: buffers.collect(),
        lower_bound: live.iter().copied().max().unwrap_or(0),
        naive: demands.iter().map(|d| d.bytes).sum(),
        live,
        peak: arena.peak,
        strategy: arena.strategy,
        apart: apart(graph, mode),
        places: memory.places,
        shares: memory.taken,
        steps: schedule.steps,
        values: schedule.values,
        views: schedule.views,
    })
}

impl Plan {
    /// Bytes that a value takes for the batch.
    pub fn value_bytes(&self, value: ValueId) -> u64 {
        self.values[value].bytes * self.batch + self.values[value].fixed
    }

    /// Bytes from the start of the arena to the first sample of a value.
    pub fn value_offset(&self, value: ValueId) -> u64 {
        let place = self.places[value];
        self.buffers[place.buffer].offset + place.offset
    }

    /// Adds the optimizer's state to what lives outside the arena.
    pub fn with_optimizer(mut self, optimizer: &Optimizer) -> Self {
        self.apart.optimizer = self.apart.gradients * state_per_parameter(optimizer);
        self
    }
}

/// Numbers that an optimizer keeps for each parameter.
fn state_per_parameter(optimizer: &Optimizer) -> u64 {
    match *optimizer {
        Optimizer::Sgd { momentum, .. } => u64::from(momentum != 0.0),
        Optimizer::Adam { amsgrad, .. } | Optimizer::AdamW { amsgrad, .. } => 2 + u64::from(amsgrad),
        Optimizer::RmsProp { momentum, centered, .. } => 1 + u64::from(momentum != 0.0) + u64::from(centered),
    }
}

fn apart(graph: &Graph, mode: Mode) -> Apart {
    let mut apart = Apart::default();
    for spec in graph.order().flat_map(|node| graph.params(node)) {
        let bytes = spec.elements().saturating_mul(schedule::ELEMENT);
        apart.weights = apart.weights.saturating_add(bytes);
        if mode == Mode::Train && spec.trainable {
            apart.gradients = apart.gradients.saturating_add(bytes);
        }
    }
    apart
}
