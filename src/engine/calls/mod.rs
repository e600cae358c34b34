//! From steps to kernels: one file per family.

mod conv;
mod elementwise;
mod map;
mod norm;

use super::Result;
use super::planned::PlanKey;
use super::store::Store;
use crate::base::{Diagnostic, codes};
use crate::graph::{Graph, NodeId};
use crate::kernels::activation::Activation;
use crate::kernels::blocked::{Cpu, Other};
use crate::kernels::{Dst, Src, Views};
use crate::ops::{Op, on_op};
use crate::opt::{EpilogueOp, Step, Work};
use crate::shape::Shape;

/// What steps are prepared with.
pub struct Context<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// Its weights.
    pub store: &'a Store,
    /// Batch, threads, instructions.
    pub terms: PlanKey,
}

/// A kernel with its parameters.
pub trait Call: Send + Sync {
    /// Floats that it works in besides what it reads and writes.
    fn scratch(&self) -> usize {
        0
    }
    /// The packed weights that it reads.
    fn weights(&self) -> &[f32] {
        &[]
    }
    /// What it is called in a profile.
    fn name(&self) -> String;
    /// Computes the step; allocates nothing.
    fn run(&self, job: Job);
}

/// What has a kernel: every op.
trait Prepare {
    /// The kernel of a step over this op, a node of the graph, with its parameters packed.
    ///
    /// # Errors
    /// Where a parameter is missing or has other sizes.
    fn prepare(&self, context: &Context, step: &Step, node: NodeId) -> Result<Box<dyn Call>>;
}

/// Where an operand is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Among the values that are only read.
    Read(usize),
    /// In the memory of the result, which is computed over it.
    InPlace,
    /// In its place in the result already: an operand of a `concat`.
    There,
}

/// One run of a step: who works, and on what memory.
pub struct Job<'a> {
    /// Threads and instructions.
    pub cpu: Cpu<'a>,
    views: Views<'a>,
    slots: &'a [Slot],
}

impl<'a> Job<'a> {
    /// A run on these views.
    pub fn new(cpu: Cpu<'a>, views: Views<'a>, slots: &'a [Slot]) -> Self {
        Self { cpu, views, slots }
    }

    /// An operand that lies apart from the result; `None` where the result is computed over it, or it is there already.
    pub fn apart(&self, operand: usize) -> Option<Src<'a>> {
        match self.slots[operand] {
            Slot::Read(i) => Some(self.views.read(i)),
            Slot::InPlace | Slot::There => None,
        }
    }

    /// An operand of a kernel that never works in place.
    ///
    /// # Panics
    /// Where it was planned to, which the planner does for element-wise steps only.
    pub fn operand(&self, operand: usize) -> Src<'a> {
        self.apart(operand).expect("only element-wise steps work in place")
    }

    /// A summand, wherever it lies.
    pub fn other(&self, operand: usize) -> Other<'a> {
        self.apart(operand).map_or(Other::InPlace, Other::Value)
    }

    /// The result and the scratch.
    pub fn result(&mut self) -> (Dst<'a>, &'a mut [f32]) {
        self.views.write()
    }
}

/// Kernels that read one operand and no parameters, and what they are called in a profile.
macro_rules! kernels_of_one {
    ($($kernel:ident = $name:literal,)*) => {$(
        impl Call for $kernel {
            fn name(&self) -> String {
                $name.into()
            }

            fn run(&self, mut job: Job) {
                let (y, _) = job.result();
                $kernel::run(self, &job.cpu, job.operand(0), y);
            }
        }
    )*};
}

use kernels_of_one;

/// The kernel of a step, with its parameters packed.
///
/// # Errors
/// Where a parameter is missing or has other sizes.
pub fn prepare(context: &Context, step: &Step) -> Result<Box<dyn Call>> {
    let Work::Op(node) = step.work else { return Ok(map::convert(context, step)) };
    on_op!(&context.graph.node(node).op, |op| op.prepare(context, step, node))
}

impl Context<'_> {
    /// Channels of a node's value.
    fn channels(&self, node: NodeId) -> usize {
        self.graph.shape(node).channels().unwrap_or(1)
    }

    /// `[rows, columns]` of a node's value; a sequence has one row, a vector one position.
    fn plane(&self, node: NodeId) -> [usize; 2] {
        plane(self.graph.shape(node))
    }

    /// Positions of a node's value.
    fn positions(&self, node: NodeId) -> usize {
        self.plane(node).iter().product()
    }
}

/// `[rows, columns]` of a shape.
fn plane(shape: &Shape) -> [usize; 2] {
    match *shape.spatial() {
        [] => [1, 1],
        [length] => [1, length],
        [rows, columns, ..] => [rows, columns],
    }
}

/// Two entries from sizes along one or two axes; `one` stands for the missing first.
fn pair(sizes: &[usize], one: usize) -> [usize; 2] {
    match *sizes {
        [] => [one; 2],
        [length] => [one, length],
        [rows, columns, ..] => [rows, columns],
    }
}

/// The activation that ends an element-wise step, where there is one.
fn final_activation(context: &Context, step: &Step) -> Option<Activation> {
    match step.epilogue.last() {
        Some(&EpilogueOp::Activation(node)) => activation_of(context.graph, node),
        Some(EpilogueOp::Affine(_) | EpilogueOp::Sum { .. }) | None => None,
    }
}

fn activation_of(graph: &Graph, node: NodeId) -> Option<Activation> {
    let Op::Activation(function) = &graph.node(node).op else { return None };
    Some((*function).into())
}

fn internal(what: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::INTERNAL, what))
}
