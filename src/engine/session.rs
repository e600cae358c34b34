//! Engines, which are shared, and sessions, which run.

use super::bind::{Sizes, bind};
use super::planned::{PlanKey, Planned};
use super::store::Store;
use super::weights::Weights;
use super::{Result, StepInfo};
use crate::base::{Diagnostic, codes};
use crate::elaborate::{Compiled, Network};
use crate::kernels::blocked::Cpu;
use crate::kernels::{Arena, Isa, Src, ThreadPool};
use crate::plan::Plan;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Plans that an engine keeps; the oldest goes where another is needed.
const MOST_PLANS: usize = 16;

/// Elaborates a network again at other values of its free sizes.
type Resize = dyn Fn(&Sizes) -> std::result::Result<Network, Diagnostic> + Send + Sync;

/// A checked network with its weights, to be shared by any number of sessions.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    network: Network,
    resize: Option<Box<Resize>>,
    store: Store,
    plans: Mutex<Vec<(Key, Arc<Planned>)>>,
}

/// What a plan is made for.
type Key = (Sizes, PlanKey);

/// How a session works.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Threads, the caller's counted; as many as the machine runs at once where `None`.
    pub threads: Option<usize>,
    /// Threads to share with other sessions, of which one at a time has them; a thread pool of its own where `None`.
    pub thread_pool: Option<Arc<ThreadPool>>,
    /// Instructions; the widest, or those that `ARCHC_ISA` names, where `None`.
    pub isa: Option<Isa>,
    /// Computes convolutions product by product, without Winograd's transforms: slower, and as exact as the order of the
    /// sums allows.
    pub direct: bool,
}

/// What one run changes: an arena, and threads.
pub struct Session {
    engine: Engine,
    thread_pool: Arc<ThreadPool>,
    isa: Isa,
    direct: bool,
    arena: Arena,
    current: Option<(Vec<Vec<usize>>, Arc<Planned>)>,
}

/// A value given to a network.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The input's name.
    pub name: &'a str,
    /// Its sizes, the batch in front.
    pub dims: &'a [usize],
    /// Its numbers, row-major.
    pub data: &'a [f32],
}

/// A value that a run gave; it lies in the session's arena until the next run.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    /// The output's name.
    pub name: &'a str,
    /// Its sizes, the batch in front.
    pub dims: Vec<usize>,
    samples: Src<'a>,
}

/// What one step of a profiled run took.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTime {
    /// The step.
    pub step: StepInfo,
    /// How long it took, in each of the runs.
    pub times: Vec<Duration>,
}

impl Compiled {
    /// Readies the network for running on the CPU; other values of its free sizes, and any batch, are planned when
    /// they come.
    ///
    /// # Errors
    /// The first error of the compilation, where there is one.
    pub fn engine(&self, weights: Arc<dyn Weights>) -> Result<Engine> {
        let network = self.sound()?;
        Ok(Engine::new(network.clone(), weights, Some(Box::new(self.resizer(network)))))
    }

    /// An engine with one session.
    ///
    /// # Errors
    /// As [`engine`](Self::engine).
    pub fn session(&self, weights: Arc<dyn Weights>, options: SessionOptions) -> Result<Session> {
        Ok(self.engine(weights)?.session(options))
    }
}

impl Engine {
    fn new(network: Network, weights: Arc<dyn Weights>, resize: Option<Box<Resize>>) -> Self {
        let (store, plans) = (Store::new(weights), Mutex::default());
        Self { shared: Arc::new(Shared { network, resize, store, plans }) }
    }

    /// An engine for a network at the sizes it was planned for, and any batch.
    pub fn of(network: Network, weights: Arc<dyn Weights>) -> Self {
        Self::new(network, weights, None)
    }

    /// A session; cheap: it allocates its arena when it first runs.
    pub fn session(&self, options: SessionOptions) -> Session {
        let threads = || options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        Session {
            engine: self.clone(),
            thread_pool: options.thread_pool.unwrap_or_else(|| Arc::new(ThreadPool::new(threads()))),
            isa: options.isa.unwrap_or_else(Isa::best),
            direct: options.direct,
            arena: Arena::new(0),
            current: None,
        }
    }

    /// The network at the sizes planned for.
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// Bytes of all weights packed so far.
    pub fn weight_bytes(&self) -> usize {
        self.shared.store.bytes()
    }

    /// The network prepared for these sizes, by a thread pool.
    fn planned(&self, sizes: Sizes, terms: PlanKey, thread_pool: &ThreadPool) -> Result<Arc<Planned>> {
        let key = (sizes, terms);
        let lock = || self.shared.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = lock().iter().find(|(known, _)| *known == key) {
            return Ok(found.clone());
        }
        let planned = Arc::new(Planned::new(self.at(&key.0)?, &self.shared.store, terms, thread_pool)?);
        let mut plans = lock();
        if plans.len() == MOST_PLANS {
            plans.remove(0);
        }
        plans.push((key, planned.clone()));
        Ok(planned)
    }

    /// The network at these values of its free sizes.
    fn at(&self, sizes: &Sizes) -> Result<Network> {
        let network = &self.shared.network;
        let same = network.free_sizes.iter().all(|free| sizes.get(&free.name).is_none_or(|&size| size == free.default));
        match &self.shared.resize {
            _ if same => Ok(network.clone()),
            Some(resize) => resize(sizes).map_err(|error| Box::new(invalid(sizes, &error))),
            None => Err(Box::new(invalid(sizes, &Diagnostic::new(codes::SIZES_INVALID, "they cannot change here")))),
        }
    }
}

/// `E0903` about sizes, with what the compiler says of them.
fn invalid(sizes: &Sizes, error: &Diagnostic) -> Diagnostic {
    let at = sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect::<Vec<_>>().join(", ");
    let message = format!("`{at}` does not work: {}", error.message);
    Diagnostic::new(codes::SIZES_INVALID, message).help("`archc check --sizes` lists the sizes that work")
}

impl Session {
    /// Computes all outputs from all inputs.
    ///
    /// # Errors
    /// `E0902` where an input does not fit, `E0903` where the network does not work at the sizes given, and where weights
    /// do not fit.
    pub fn run(&mut self, inputs: &[Input]) -> Result<Vec<Output<'_>>> {
        self.compute(inputs)?;
        Ok(self.outputs())
    }

    /// As [`run`](Self::run), the outputs copied into slices of their sizes, in file order; allocates nothing unless the
    /// sizes are new.
    ///
    /// # Errors
    /// As [`run`](Self::run), and `E0902` where a slice has another length.
    pub fn run_into(&mut self, inputs: &[Input], outputs: &mut [&mut [f32]]) -> Result<()> {
        self.compute(inputs)?;
        let Some((_, planned)) = &self.current else { return Ok(()) };
        if planned.outputs.len() != outputs.len() {
            return Err(unfit_output(format!("there are {} outputs", planned.outputs.len())));
        }
        for (region, out) in planned.outputs.iter().zip(outputs) {
            let samples = self.arena.read(region);
            if out.len() != samples.len() * samples.samples() {
                return Err(unfit_output(format!("an output has {} numbers", samples.len() * samples.samples())));
            }
            for (n, out) in out.chunks_mut(samples.len().max(1)).enumerate() {
                out.copy_from_slice(samples.sample(n));
            }
        }
        Ok(())
    }

    /// The outputs of the last run.
    pub fn outputs(&self) -> Vec<Output<'_>> {
        let Some((_, planned)) = &self.current else { return Vec::new() };
        let graph = &planned.network.graph;
        let output = |(output, region): (&'_ crate::graph::Output, &crate::kernels::Region)| {
            let samples = self.arena.read(region);
            (graph.shape(output.node).with_batch(samples.samples()), samples)
        };
        let named = graph.outputs.iter().zip(&planned.outputs);
        named
            .map(|pair| {
                let (dims, samples) = output(pair);
                Output { name: &pair.0.name, dims, samples }
            })
            .collect()
    }

    /// The memory plan of the last run; `None` before the first.
    pub fn plan(&self) -> Option<&Plan> {
        self.current.as_ref().map(|(_, planned)| &planned.plan)
    }

    /// What the last run prepared; `None` before the first.
    pub fn planned(&self) -> Option<&Planned> {
        self.current.as_ref().map(|(_, planned)| planned.as_ref())
    }

    /// Bytes of the arena.
    pub fn arena_bytes(&self) -> usize {
        self.arena.len() * size_of::<f32>()
    }

    /// The network at the sizes planned for.
    pub fn network(&self) -> &Network {
        self.engine.network()
    }

    /// The instructions that it uses.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Its threads.
    pub fn threads(&self) -> usize {
        self.thread_pool.threads()
    }

    /// Runs `repeat` times and times every step.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn profile(&mut self, inputs: &[Input], repeat: usize) -> Result<Vec<StepTime>> {
        self.compute(inputs)?;
        let Some((_, planned)) = self.current.clone() else { return Ok(Vec::new()) };
        let time = |step| StepTime { step: planned.info(step), times: Vec::with_capacity(repeat) };
        let mut steps: Vec<StepTime> = (0..planned.steps.len()).map(time).collect();
        for _ in 0..repeat {
            self.fill(inputs);
            for (i, step) in steps.iter_mut().enumerate() {
                let start = Instant::now();
                planned.run(i, Cpu::new(&self.thread_pool, self.isa), &mut self.arena);
                step.times.push(start.elapsed());
            }
        }
        Ok(steps)
    }

    fn compute(&mut self, inputs: &[Input]) -> Result<()> {
        self.ready(inputs)?;
        self.fill(inputs);
        let Some((_, planned)) = &self.current else { return Ok(()) };
        for step in 0..planned.steps.len() {
            planned.run(step, Cpu::new(&self.thread_pool, self.isa), &mut self.arena);
        }
        Ok(())
    }

    /// Makes the current plan that for these inputs.
    fn ready(&mut self, inputs: &[Input]) -> Result<()> {
        let decls = &self.engine.shared.network.inputs;
        if let Some(short) = inputs.iter().find(|input| input.dims.iter().product::<usize>() != input.data.len()) {
            let message =
                format!("the input `{}` is {:?} and has {} numbers", short.name, short.dims, short.data.len());
            return Err(Box::new(Diagnostic::new(codes::INPUT_UNFIT, message)));
        }
        let named =
            decls.len() == inputs.len() && decls.iter().zip(inputs).all(|(decl, input)| decl.name == input.name);
        let same = |dims: &[Vec<usize>]| dims.iter().zip(inputs).all(|(known, input)| known == input.dims);
        if named && self.current.as_ref().is_some_and(|(dims, _)| same(dims)) {
            return Ok(());
        }
        let sizes: Vec<(&str, &[usize])> = inputs.iter().map(|input| (input.name, input.dims)).collect();
        let bound = bind(decls, &sizes)?;
        let terms =
            PlanKey { batch: bound.batch, threads: self.thread_pool.threads(), isa: self.isa, direct: self.direct };
        let planned = self.engine.planned(bound.sizes, terms, &self.thread_pool)?;
        if self.arena.len() < planned.floats() {
            self.arena = Arena::new(0);
            self.arena = Arena::new(planned.floats());
        }
        let dims = bound.order.iter().map(|&i| inputs[i].dims.to_vec()).collect();
        self.current = Some((dims, planned));
        Ok(())
    }

    /// Copies the inputs to their places.
    fn fill(&mut self, inputs: &[Input]) {
        let Some((_, planned)) = &self.current else { return };
        let graph = &planned.network.graph;
        for (&node, region) in graph.inputs.iter().zip(&planned.inputs) {
            let Some(input) = inputs.iter().find(|input| input.name == graph.node(node).path) else { continue };
            let mut place = self.arena.write(region);
            for (n, sample) in input.data.chunks(place.len().max(1)).enumerate() {
                place.sample(n).copy_from_slice(sample);
            }
        }
    }
}

fn unfit_output(fact: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(codes::INPUT_UNFIT, format!("the outputs do not fit: {fact}")))
}

impl Output<'_> {
    /// The numbers of one sample, row-major.
    ///
    /// # Panics
    /// Where there is no such sample.
    pub fn sample(&self, n: usize) -> &[f32] {
        self.samples.sample(n)
    }

    /// All numbers, row-major.
    pub fn to_vec(&self) -> Vec<f32> {
        (0..self.samples.samples()).flat_map(|n| self.samples.sample(n)).copied().collect()
    }
}
