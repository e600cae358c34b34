//! What would run, without weights: for whoever looks at a plan.

use super::Result;
use super::planned::{PlanKey, Planned};
use super::store::Store;
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::kernels::{Isa, ThreadPool};
use crate::opt::{self, Net};
use crate::plan::{Plan, running};

/// The steps of a network as the engine would run them, and the memory that they would run in.
pub struct Outline {
    /// The steps.
    pub net: Net,
    /// Where everything lies.
    pub plan: Plan,
    /// For each step of the plan its kernel; `None` for inputs, for steps that have nothing to do, and where the passes were
    /// cut short.
    pub kernels: Vec<Option<String>>,
}

impl Outline {
    /// The outline for a batch, threads and instructions. With `stop_after`, as the passes leave the network up to the one
    /// named; no kernel could run that, and no scratch is planned.
    ///
    /// # Errors
    /// `E0906` where the values cannot be counted.
    pub fn new(network: &Network, batch: usize, threads: usize, isa: Isa, stop_after: Option<&str>) -> Result<Self> {
        if stop_after.is_some() {
            return Self::cut(network, batch, stop_after);
        }
        let terms = PlanKey { batch, threads, isa, direct: false };
        let planned = Planned::new(network.clone(), &Store::dry(), terms, &ThreadPool::new(1))?;
        let mut kernels = vec![None; planned.plan.steps.len()];
        for step in 0..planned.steps.len() {
            kernels[planned.steps[step].at] = Some(planned.info(step).kernel);
        }
        Ok(Self { net: planned.net, plan: planned.plan, kernels })
    }

    fn cut(network: &Network, batch: usize, stop_after: Option<&str>) -> Result<Self> {
        let internal = |broken: opt::Broken| Diagnostic::new(codes::INTERNAL, broken.to_string());
        let net = opt::optimise(&network.graph, stop_after).map_err(internal)?;
        let none = vec![0; net.steps.len()];
        let too_large = |error: crate::plan::TooLarge| Diagnostic::new(codes::PLAN_TOO_LARGE, error.to_string());
        let plan = running(&network.graph, &net, batch as u64, &none).map_err(too_large)?.plan;
        let kernels = vec![None; plan.steps.len()];
        Ok(Self { net, plan, kernels })
    }
}
