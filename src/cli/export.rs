//! `archc export`: the network in the words of other tools.

use super::args::ModelArgs;
use super::load::{self, Loaded};
use super::run::noted;
use super::shell::{Exit, Shell};
use super::{files, onnx, weights};
use archc::base::Diagnostic;
use archc::exchange::classes::docs;
use archc::exchange::{arch, pytorch, rust};
use archc::lower::ParamStore;
use archc::lower::weights::save;
use archc::train::checkpoint::Run;
use candle_core::{DType, Device};
use clap::Args;
use std::path::{Path, PathBuf};

/// `archc export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The elaborated network as one flat `.arch` file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub arch: Option<PathBuf>,
    /// An ONNX file with the weights inside.
    #[arg(long, value_name = "FILE")]
    pub onnx: Option<PathBuf>,
    /// PyTorch source: one `nn.Module` for each block, under the same parameter names; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub pytorch: Option<PathBuf>,
    /// Rust source for candle: one struct for each block; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub rust: Option<PathBuf>,
    /// The weights as .safetensors.
    #[arg(long, value_name = "FILE")]
    pub safetensors: Option<PathBuf>,
    /// Weights: a run's folder, .safetensors, or what PyTorch saved (.pth, .pt, .ckpt, .bin).
    #[arg(long, value_name = "RUN|FILE")]
    pub weights: Option<PathBuf>,
    /// How they are read.
    #[command(flatten)]
    pub reading: weights::Reading,
    /// Seed of the weights, where none are given.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// One form of a network as a text, and where it goes.
type Target<'a> = (&'static str, &'a Option<PathBuf>, fn(&Loaded) -> Result<String, Diagnostic>);

/// Writes every form that was asked for.
pub fn run(args: &ExportArgs, shell: &Shell) -> Result<Exit, Exit> {
    let texts: [Target; 3] = [
        ("--arch", &args.arch, |loaded| arch::flat(&loaded.network)),
        ("--pytorch", &args.pytorch, |loaded| Ok(pytorch::source(&loaded.network, &docs(&loaded.compiled.program)))),
        ("--rust", &args.rust, |loaded| Ok(rust::source(&loaded.network, &docs(&loaded.compiled.program)))),
    ];
    check_targets(args, &texts, shell)?;
    let info = args.weights.as_deref().and_then(|path| Run::open(path).and_then(|run| run.info()).ok());
    let (model, plain) = noted(&args.model, info.as_ref());
    let loaded = load::network(&args.file, &model, plain, shell)?;
    for (_, path, emit) in &texts {
        let Some(path) = path else { continue };
        let text = emit(&loaded).map_err(|error| loaded.fail(error, shell))?;
        deliver(path, &text, shell)?;
    }
    if let Some(path) = &args.onnx {
        let source = onnx::Source { weights: args.weights.as_deref(), reading: &args.reading, seed: args.seed };
        onnx::write(path, &loaded, &source, shell)?;
    }
    if let Some(path) = &args.safetensors {
        write_weights(path, &loaded, args, shell)?;
    }
    Ok(Exit::Clean)
}

/// Refuses a command line without a target, and one that mixes several texts on standard output.
fn check_targets(args: &ExportArgs, texts: &[Target], shell: &Shell) -> Result<(), Exit> {
    let given = |path: &Option<PathBuf>| path.is_some();
    if !texts.iter().any(|(_, path, _)| given(path)) && !given(&args.safetensors) && !given(&args.onnx) {
        let flags: Vec<&str> = texts.iter().map(|(flag, ..)| *flag).collect();
        let help =
            format!("say one or more of {}, --onnx, --safetensors, each with a file: {} -", flags.join(", "), flags[0]);
        return Err(shell.usage("the command says no form to export to", &help));
    }
    if args.safetensors.as_deref().is_some_and(standard_output) {
        return Err(shell.usage("weights are no text for standard output", "--safetensors weights.safetensors"));
    }
    let mixed: Vec<&str> =
        texts.iter().filter(|(_, path, _)| path.as_deref().is_some_and(standard_output)).map(|t| t.0).collect();
    if args.onnx.as_deref().is_some_and(standard_output) {
        return Err(shell.usage("an ONNX file is no text for standard output", "--onnx net.onnx"));
    }
    match mixed.as_slice() {
        [_, second, ..] => {
            let message = format!("`{}` would be mixed on standard output", mixed.join(" -` and `"));
            Err(shell.usage(&message, &format!("name a file for one of them: {second} FILE")))
        }
        _ => Ok(()),
    }
}

fn standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Prints a text, or writes it into its file.
fn deliver(path: &Path, text: &str, shell: &Shell) -> Result<(), Exit> {
    match standard_output(path) {
        true => shell.print(text.trim_end()),
        false => files::write(path, text, shell)?,
    }
    Ok(())
}

/// The weights that were given, or those that a seed draws.
fn write_weights(path: &Path, loaded: &Loaded, args: &ExportArgs, shell: &Shell) -> Result<(), Exit> {
    let store = ParamStore::new(&loaded.network, args.seed, DType::F32, &Device::Cpu);
    let store = store.map_err(|error| loaded.fail(error, shell))?;
    match &args.weights {
        Some(from) => weights::load(&store, from, &args.reading, loaded, shell)?,
        None => shell.note(&format!("no --weights: the parameters are random, from seed {}", args.seed)),
    }
    save(&store, path, &Default::default()).map_err(|error| loaded.fail(error, shell))?;
    shell.note(&format!("wrote {}", path.display()));
    Ok(())
}
