//! From the command line's words to a checked network.

use super::args::ModelArgs;
use super::compute;
use super::shell::{Exit, Shell};
use archc::base::nearest::nearest;
use archc::base::{Diagnostic, Limits};
use archc::elaborate::{Compiled, Network, Options, compile};
use std::path::Path;

/// A network that checked out, with its sources.
pub struct Loaded {
    /// What the compiler gave.
    pub compiled: Compiled,
    /// The network in it.
    pub network: Network,
}

impl Loaded {
    /// Says what failed in working with the network, at its place in the file where it has one.
    pub fn fail(&self, error: impl Into<Diagnostic>, shell: &Shell) -> Exit {
        compute::fail(error, &self.compiled.sources, shell)
    }
}

/// Compiles the model that the arguments name; diagnostics are reported, errors end the command.
///
/// # Errors
/// The exit status, after everything was said.
pub fn network(file: &Path, args: &ModelArgs, plain: bool, shell: &Shell) -> Result<Loaded, Exit> {
    let options = options(args, plain, shell)?;
    let compiled = compile(file, &options);
    shell.report(&compiled.diagnostics, &compiled.sources);
    match compiled.network.clone() {
        Some(network) if !compiled.diagnostics.has_errors() => Ok(Loaded { compiled, network }),
        _ => Err(Exit::Errors),
    }
}

/// The compiler's options from the arguments.
///
/// # Errors
/// [`Exit::Usage`] where an argument cannot be read.
pub fn options(args: &ModelArgs, plain: bool, shell: &Shell) -> Result<Options, Exit> {
    let mut options = Options { model: args.model.clone(), plain, ..Options::default() };
    options.import_root = args.import_root.clone();
    for setting in &args.settings {
        let pair = split(setting).ok_or_else(|| {
            shell.usage(&format!("`--set {setting}` sets nothing"), "write a name and a value: --set classes=10")
        })?;
        options.settings.push((pair.0.to_string(), pair.1.to_string()));
    }
    for size in &args.sizes {
        read_size(size, &mut options).ok_or_else(|| {
            shell.usage(&format!("`--size {size}` is no size"), "write --size 224x224, or by name: --size H=224")
        })?;
    }
    for limit in &args.limits {
        raise(limit, &mut options.limits)
            .map_err(|help| shell.usage(&format!("`--limit {limit}` is no limit"), &help))?;
    }
    Ok(options)
}

fn split(pair: &str) -> Option<(&str, &str)> {
    let (name, value) = pair.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && !value.is_empty()).then_some((name, value))
}

/// `224x224`, `224×224`, `16000`, or `H=224,W=320`.
fn read_size(text: &str, options: &mut Options) -> Option<()> {
    if !text.contains('=') {
        let sizes = text.split(['x', 'X', '×']).map(|s| s.trim().parse().ok().filter(|&n: &usize| n > 0));
        options.spatial = Some(sizes.collect::<Option<Vec<_>>>()?);
        return Some(());
    }
    for pair in text.split(',') {
        let (name, value) = split(pair)?;
        options.sizes.insert(name.to_string(), value.parse().ok().filter(|&n| n > 0)?);
    }
    Some(())
}

fn raise(text: &str, limits: &mut Limits) -> Result<(), String> {
    let known = || format!("the limits are {}", Limits::NAMES.join(", "));
    let (name, value) = split(text).ok_or_else(|| "write a name and a number: --limit layers=1000000".to_string())?;
    let value = value.replace('_', "").parse().map_err(|_| format!("`{value}` is no whole number"))?;
    match limits.set(name, value) {
        true => Ok(()),
        false => Err(nearest(name, Limits::NAMES).map_or_else(known, |n| format!("did you mean `{n}`?"))),
    }
}
