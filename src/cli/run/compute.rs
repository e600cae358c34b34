//! What computes: the engine's session or the module, once for all pictures.

use super::Values;
use crate::cli::args::ComputeArgs;
use crate::cli::compute;
use crate::cli::load::Loaded;
use crate::cli::shell::{Exit, Shell};
use crate::cli::weights::{self, Reading};
use archc::base::Diagnostic;
use archc::elaborate::Network;
use archc::engine::{Input, Session, SessionOptions};
use archc::lower::{Error, Module, ParamStore, Result as Lowered};
use archc::train::data::tensor_io::TensorData;
use candle_core::{DType, Device, Tensor};
use std::path::Path;
use std::sync::Arc;

/// What computes.
pub enum Computer {
    /// The engine.
    Plan(Box<Session>),
    /// The module, which shares its numbers with the store that they were loaded into.
    Module(Box<Module>, Device),
}

/// Where weights come from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// A run or a file; random ones without.
    pub path: Option<&'a Path>,
    /// How it is read.
    pub reading: &'a Reading,
    /// The seed of random ones.
    pub seed: u64,
}

impl Computer {
    /// Loads the weights into what the arguments ask for.
    ///
    /// # Errors
    /// The exit status, after saying why not.
    pub fn new(
        loaded: &Loaded,
        args: &ComputeArgs,
        source: Source,
        threads: usize,
        shell: &Shell,
    ) -> Result<Self, Exit> {
        if compute::by_plan(args.engine, &args.device, shell)? {
            let numbers = weights::numbers(loaded, source.path, source.reading, source.seed, shell)?;
            let options = SessionOptions { threads: Some(threads), ..SessionOptions::default() };
            let session = loaded.compiled.session(Arc::new(numbers), options);
            return Ok(Self::Plan(Box::new(session.map_err(|error| loaded.fail(*error, shell))?)));
        }
        let device = compute::device(&args.device, shell)?;
        let made = || {
            let store = ParamStore::new(&loaded.network, source.seed, DType::F32, &device)?;
            let module = loaded.compiled.lower(store.var_builder())?;
            Ok((store, module))
        };
        let (store, module) = made().map_err(|error: Error| loaded.fail(error, shell))?;
        if let Some(path) = source.path {
            weights::load(&store, path, source.reading, loaded, shell)?;
        }
        Ok(Self::Module(Box::new(module), device))
    }

    /// All outputs, in file order.
    ///
    /// # Errors
    /// Where an input does not fit, or the network does not work at these sizes.
    pub fn run(&mut self, network: &Network, inputs: &[Input]) -> Result<Values, Diagnostic> {
        match self {
            Self::Plan(session) => {
                let outputs = session.run(inputs).map_err(|error| *error)?;
                let data = outputs
                    .iter()
                    .map(|o| (o.name.to_string(), TensorData { shape: o.dims.clone(), values: o.to_vec() }));
                Ok(data.collect())
            }
            Self::Module(module, device) => forward(module, inputs, network, device).map_err(Error::into_diagnostic),
        }
    }
}

fn forward(module: &Module, inputs: &[Input], network: &Network, device: &Device) -> Lowered<Values> {
    let tensors = inputs.iter().map(|input| Ok((input.name, Tensor::from_slice(input.data, input.dims, device)?)));
    let tensors = tensors.collect::<Lowered<Vec<_>>>()?;
    let named: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut outputs = module.forward_all(&named, false)?;
    let mut data = |name: &str| {
        let tensor = outputs.remove(name).ok_or_else(|| Error::internal(format!("`{name}` is missing")))?;
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        Ok((name.to_string(), TensorData { shape: tensor.dims().to_vec(), values }))
    };
    network.graph.outputs.iter().map(|output| data(&output.name)).collect()
}
