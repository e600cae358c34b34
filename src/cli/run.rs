//! `archc run`: a network on tensors or images.

use super::args::{ComputeArgs, ModelArgs};
use super::compute::{self, say};
use super::load::Loaded;
use super::shell::{Exit, Shell};
use super::{answer, load, weights};
use crate::base::Diagnostic;
use crate::elaborate::Network;
use crate::engine::{Input, SessionOptions};
use crate::lower::{Error, Module, ParamStore, Result as Lowered};
use crate::train::checkpoint::{Run, RunInfo};
use crate::train::data::tensor_io::{Reading, TensorData, read_input, write_outputs};
use candle_core::{DType, Device, Tensor};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `archc run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Weights: a run's folder, .safetensors, or .pth.
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// Load what fits, and say what does not.
    #[arg(long, requires = "weights")]
    pub partial: bool,
    /// A tensor (.safetensors, .npy) or an image (.png, .jpg); several as NAME=FILE.
    #[arg(long = "input", required = true, value_name = "[NAME=]FILE")]
    pub inputs: Vec<String>,
    /// Where outputs go: .safetensors, .npy, or .png for a mask.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What computes, and where.
    #[command(flatten)]
    pub compute: ComputeArgs,
    /// Seed of the weights, where none are given.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// The most memory that reading one input may take.
const INPUT_MEMORY: u64 = 4 << 30;

/// Inputs or outputs, by name.
type Values = Vec<(String, TensorData)>;

/// Reads inputs, computes, and prints or writes the outputs.
pub fn run(args: &RunArgs, shell: &Shell) -> Result<Exit, Exit> {
    let info = args.weights.as_deref().and_then(|path| Run::open(path).and_then(|run| run.info()).ok());
    let (model, plain) = noted(&args.model, info.as_ref());
    let loaded = load::network(&args.file, &model, plain, shell)?;
    let network = &loaded.network;
    let plan = compute::by_plan(args.compute.engine, &args.compute.device, shell)?;
    let inputs = inputs(network, args, shell)?;
    let threads = compute::threads(args.compute.threads, shell)?;
    let device = compute::device(&args.compute.device, shell)?;
    if args.weights.is_none() {
        shell.note(&format!("no --weights: the parameters are random, from seed {}", args.seed));
    }
    let outputs = match plan {
        true => by_plan(&loaded, inputs, args, threads, shell)?,
        false => by_module(&loaded, inputs, args, &device, shell)?,
    };
    if let Some(path) = &args.output {
        write_outputs(path, &outputs).map_err(|error| say(error.fault(), shell))?;
        shell.note(&format!("wrote {}", path.display()));
    }
    let classes = info.map(|info| info.classes).unwrap_or_default();
    answer::show(network, &outputs, &classes, args.output.is_some(), shell);
    Ok(Exit::Clean)
}

/// The model and its settings: the command line's, on top of what the run noted whose weights are used.
pub fn noted(args: &ModelArgs, info: Option<&RunInfo>) -> (ModelArgs, bool) {
    let mut model = args.clone();
    let Some(info) = info else { return (model, false) };
    model.model.get_or_insert_with(|| info.model.clone());
    let noted = info.settings.iter().map(|(name, value)| format!("{name}={value}"));
    model.settings = noted.chain(model.settings).collect();
    if model.sizes.is_empty() {
        model.sizes = info.sizes.clone();
    }
    (model, info.plain)
}

/// Every input of the network, read from the file that the command line names for it.
fn inputs(network: &Network, args: &RunArgs, shell: &Shell) -> Result<Values, Exit> {
    let graph = &network.graph;
    let names: Vec<&str> = graph.inputs.iter().map(|&id| graph.node(id).path.as_str()).collect();
    let mut found: Vec<Option<TensorData>> = vec![None; names.len()];
    for text in &args.inputs {
        let (slot, path) = place(text, &names, shell)?;
        let dims = graph.shape(graph.inputs[slot]).dims();
        let normalize = network.recipe.as_ref().and_then(|r| r.normalize.as_ref());
        let reading = Reading { name: names[slot], shape: dims, normalize, memory: INPUT_MEMORY };
        let tensor = read_input(Path::new(path), &reading).map_err(|error| say(error.fault(), shell))?;
        if found[slot].replace(tensor).is_some() {
            return Err(shell.usage(&format!("the input `{}` is given twice", names[slot]), "name each input once"));
        }
    }
    if let Some(missing) = found.iter().position(Option::is_none) {
        let help = format!("--input {}=FILE", names[missing]);
        return Err(shell.usage(&format!("the input `{}` is not given", names[missing]), &help));
    }
    let named = names.into_iter().map(String::from);
    Ok(named.zip(found.into_iter().flatten()).collect())
}

/// Which input a `[NAME=]FILE` is for.
fn place<'t>(text: &'t str, names: &[&str], shell: &Shell) -> Result<(usize, &'t str), Exit> {
    if let Some((name, path)) = text.split_once('=') {
        if let Some(slot) = names.iter().position(|n| *n == name) {
            return Ok((slot, path));
        }
        if !Path::new(text).exists() {
            let help = format!("the inputs are {}", names.join(", "));
            return Err(shell.usage(&format!("there is no input `{name}`"), &help));
        }
    }
    match names.len() {
        1 => Ok((0, text)),
        _ => {
            let help = names.iter().map(|n| format!("--input {n}=FILE")).collect::<Vec<_>>().join(" ");
            Err(shell.usage("the network has several inputs, and the file does not say which one it is", &help))
        }
    }
}

/// All outputs as the engine computes them, in file order.
fn by_plan(loaded: &Loaded, inputs: Values, args: &RunArgs, threads: usize, shell: &Shell) -> Result<Values, Exit> {
    let numbers = weights::numbers(loaded, args.weights.as_deref(), args.partial, args.seed, shell)?;
    let options = SessionOptions { threads: Some(threads), ..SessionOptions::default() };
    let computed = || {
        let mut session = loaded.compiled.session(Arc::new(numbers), options)?;
        let given: Vec<Input> =
            inputs.iter().map(|(name, given)| Input { name, dims: &given.shape, data: &given.values }).collect();
        let outputs = session.run(&given)?;
        let data =
            outputs.iter().map(|o| (o.name.to_string(), TensorData { shape: o.dims.clone(), values: o.to_vec() }));
        Ok(data.collect())
    };
    computed().map_err(|error: Box<Diagnostic>| loaded.fail(*error, shell))
}

/// All outputs as the module computes them, in file order.
fn by_module(loaded: &Loaded, inputs: Values, args: &RunArgs, device: &Device, shell: &Shell) -> Result<Values, Exit> {
    let made = || {
        let store = ParamStore::new(&loaded.network, args.seed, DType::F32, device)?;
        let module = loaded.compiled.lower(store.var_builder())?;
        Ok((store, module))
    };
    let (store, module) = made().map_err(|error: Error| loaded.fail(error, shell))?;
    if let Some(path) = &args.weights {
        weights::load(&store, path, args.partial, loaded, shell)?;
    }
    forward(&module, inputs, &loaded.network, device).map_err(|error| loaded.fail(error, shell))
}

fn forward(module: &Module, inputs: Values, network: &Network, device: &Device) -> Lowered<Values> {
    let tensor = |(name, data): (String, TensorData)| Ok((name, Tensor::from_vec(data.values, data.shape, device)?));
    let tensors = inputs.into_iter().map(tensor).collect::<Lowered<Vec<_>>>()?;
    let named: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut outputs = module.forward_all(&named, false)?;
    let data = |name: &str| {
        let tensor = outputs.remove(name).ok_or_else(|| Error::internal(format!("`{name}` is missing")))?;
        let values = tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?;
        Ok((name.to_string(), TensorData { shape: tensor.dims().to_vec(), values }))
    };
    let mut data = data;
    network.graph.outputs.iter().map(|output| data(&output.name)).collect()
}
