//! A network prepared for one batch and one set of sizes: kernels chosen, memory planned, every step bound to its
//! place.

use super::Result;
use super::calls::{self, Call, Context, Job, Slot};
use super::store::Store;
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId};
use crate::kernels::blocked::Cpu;
use crate::kernels::{Access, Arena, Isa, Region, ThreadPool};
use crate::opt::{self, Net, Step, TensorRef, Work};
use crate::plan::{Plan, Running, TooLarge, ValueId, countable, running, same_numbers};
use std::sync::OnceLock;

/// Bytes of a float.
const FLOAT: u64 = size_of::<f32>() as u64;

/// What plans are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanKey {
    /// Samples at once.
    pub batch: usize,
    /// Threads of the thread pool.
    pub threads: usize,
    /// Instructions.
    pub isa: Isa,
    /// Whether convolutions are computed product by product.
    pub direct: bool,
}

/// One step: a kernel with its parameters, and the memory it works with.
pub struct Bound {
    call: Box<dyn Call>,
    access: Access,
    slots: Vec<Slot>,
    /// Its position among the steps of the plan.
    pub at: usize,
}

/// A network ready to run at one batch and one set of sizes.
pub struct Planned {
    /// The network at these sizes.
    pub network: Network,
    /// Its steps.
    pub net: Net,
    /// Where everything lies.
    pub plan: Plan,
    /// What runs, in order; conversions that change nothing are left out.
    pub steps: Vec<Bound>,
    /// Inputs, in file order.
    pub inputs: Vec<Region>,
    /// Outputs, in file order.
    pub outputs: Vec<Region>,
}

/// A step in words.
#[derive(Clone, Debug, PartialEq)]
pub struct StepInfo {
    /// The path of the node that it goes by.
    pub layer: String,
    /// Paths of the nodes that it stands for.
    pub layers: Vec<String>,
    /// The kernel: `winograd 4×4`.
    pub kernel: String,
    /// Multiply-accumulates of the whole batch, as counted for a direct computation.
    pub macs: u64,
    /// Bytes of what it reads and writes, parameters included.
    pub bytes: u64,
}

impl Planned {
    /// Prepares a network; the thread pool packs its weights.
    ///
    /// # Errors
    /// Where a parameter is missing or has other sizes, or the values cannot be counted.
    pub fn new(network: Network, store: &Store, terms: PlanKey, thread_pool: &ThreadPool) -> Result<Self> {
        let graph = &network.graph;
        let too_large = |error: TooLarge| Diagnostic::new(codes::PLAN_TOO_LARGE, error.to_string());
        countable(graph, terms.batch as u64).map_err(too_large)?;
        let net = opt::optimise(graph, None).map_err(internal)?;
        let context = Context { graph, store, terms };
        let calls = prepare(&context, &net, thread_pool)?;
        store.release();
        let scratch: Vec<u64> = calls.iter().map(|call| call.scratch() as u64 * FLOAT).collect();
        let found = running(graph, &net, terms.batch as u64, &scratch).map_err(too_large)?;
        let binder = Binder { graph, net: &net, found: &found, terms };
        let steps = calls.into_iter().enumerate().map(|(i, call)| binder.bind(i, call));
        let steps = steps.filter_map(Result::transpose).collect::<Result<Vec<_>>>()?;
        let plain = |&node: &NodeId| binder.region(TensorRef { node, layout: crate::shape::Layout::Plain });
        let inputs = graph.inputs.iter().map(plain).collect();
        let outputs = net.outputs.iter().map(|&held| binder.region(held)).collect();
        let plan = found.plan.clone();
        Ok(Self { net, plan, steps, inputs, outputs, network })
    }

    /// Floats of the arena.
    pub fn floats(&self) -> usize {
        (self.plan.peak / FLOAT) as usize
    }

    /// Runs one step.
    pub fn run(&self, step: usize, cpu: Cpu, arena: &mut Arena) {
        let bound = &self.steps[step];
        bound.call.run(Job::new(cpu, arena.views(&bound.access), &bound.slots));
    }

    /// A step in words and figures.
    pub fn info(&self, step: usize) -> StepInfo {
        let (graph, bound) = (&self.network.graph, &self.steps[step]);
        let it = &self.plan.steps[bound.at];
        let macs = |&node: &NodeId| graph.node(node).op.layer().macs(&graph.operand_shapes(node), graph.shape(node));
        let values: u64 = it.reads.iter().chain(&it.writes).map(|&value| self.plan.value_bytes(value)).sum();
        let is_conversion = self.net.steps[bound.at - 1].work == Work::Convert;
        let lead = it.lead.or(it.nodes.last().copied());
        StepInfo {
            layer: lead.map_or(String::new(), |node| graph.node(node).path.clone()),
            layers: it.nodes.iter().map(|&node| graph.node(node).path.clone()).collect(),
            kernel: bound.call.name(),
            macs: if is_conversion {
                0
            } else {
                it.nodes.iter().map(macs).sum::<u64>().saturating_mul(self.plan.batch)
            },
            bytes: values + size_of_val(bound.call.weights()) as u64,
        }
    }
}

/// The kernels of all steps, in order; an error is the first in their order. They are prepared beside each other, those
/// with large weights first: so the copies that packing makes are small when most is packed, and no thread is left with
/// the largest.
fn prepare(context: &Context, net: &Net, thread_pool: &ThreadPool) -> Result<Vec<Box<dyn Call>>> {
    let parameters =
        |step: &Step| step.head().map_or(0, |node| context.graph.params(node).iter().map(|p| p.elements()).sum());
    let mut order: Vec<usize> = (0..net.steps.len()).collect();
    order.sort_by_cached_key(|&i| std::cmp::Reverse::<u64>(parameters(&net.steps[i])));
    let calls: Vec<OnceLock<_>> = net.steps.iter().map(|_| OnceLock::new()).collect();
    thread_pool
        .run(order.len(), &|_, turn| _ = calls[order[turn]].set(calls::prepare(context, &net.steps[order[turn]])));
    let missing = || Err(internal("a step was not prepared"));
    calls.into_iter().map(|call| call.into_inner().unwrap_or_else(missing)).collect()
}

fn internal(what: impl std::fmt::Display) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::INTERNAL, what.to_string()))
}

/// Finds the memory of steps.
struct Binder<'a> {
    graph: &'a Graph,
    net: &'a Net,
    found: &'a Running,
    terms: PlanKey,
}

impl Binder<'_> {
    /// A step with its memory; `None` where it has nothing to do.
    fn bind(&self, i: usize, call: Box<dyn Call>) -> Result<Option<Bound>> {
        let step = &self.net.steps[i];
        if step.work == Work::Convert && same_numbers(self.graph, step.makes) {
            return Ok(None);
        }
        let write = self.region(step.makes);
        let mut reads = Vec::new();
        let mut slots = Vec::new();
        for (operand, held) in step.all_reads().enumerate() {
            let region = self.region(held);
            let slot = if region == write {
                Slot::InPlace
            } else if self.is_concat(step) && self.is_there(held, operand, step) {
                Slot::There
            } else {
                reads.push(region);
                Slot::Read(reads.len() - 1)
            };
            slots.push(slot);
        }
        if slots.iter().all(|slot| *slot == Slot::There) && !slots.is_empty() {
            return Ok(None);
        }
        let scratch = self.found.scratch[i].map_or(Region::new(0, 1, 0, 0), |value| self.room(value));
        let torn = |overlap| internal(format!("`{}`: {overlap}", self.graph.node(step.makes.node).path));
        let access = Access::new(reads, write, scratch).map_err(torn)?;
        Ok(Some(Bound { call, access, slots, at: i + 1 }))
    }

    fn is_concat(&self, step: &Step) -> bool {
        step.head().is_some_and(|node| matches!(self.graph.node(node).op, crate::ops::Op::Concat(_)))
    }

    /// Whether an operand of a `concat` was written straight into it.
    fn is_there(&self, part: TensorRef, operand: usize, step: &Step) -> bool {
        let place = |held: TensorRef| self.found.plan.places[self.found.values[&held]];
        let (part_at, whole) = (place(part), place(step.makes));
        let wish = self.net.slices.iter().find(|slice| slice.whole == step.makes && slice.operand == operand);
        let positions = self.graph.shape(step.makes.node).spatial().iter().product::<usize>() as u64;
        wish.is_some_and(|slice| {
            let offset = whole.offset + slice.channel_offset as u64 * positions * FLOAT;
            part_at.buffer == whole.buffer && part_at.offset == offset
        })
    }

    /// Where a value lies.
    fn region(&self, held: TensorRef) -> Region {
        let plan = &self.found.plan;
        let value = self.found.values[&held];
        let place = plan.places[value];
        let buffer = &plan.buffers[place.buffer];
        let floats = |bytes: u64| (bytes / FLOAT) as usize;
        let len = floats(plan.values[value].bytes);
        Region::new(floats(buffer.offset + place.offset), self.terms.batch, len, floats(buffer.sample_bytes))
    }

    /// Where scratch lies.
    fn room(&self, value: ValueId) -> Region {
        let plan = &self.found.plan;
        let len = (plan.values[value].fixed / FLOAT) as usize;
        Region::new((plan.value_offset(value) / FLOAT) as usize, 1, len, len)
    }
}
