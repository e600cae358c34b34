//! The way in: a path or a text to a checked network and everything that is wrong with it.

use super::loader::{FileLoader, Loader};
use super::model;
use super::network::Network;
use super::program::Program;
use crate::base::{Diagnostic, Diagnostics, Limits, Severity, SourceMap, codes};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the command line says besides the file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which model, where the file has several.
    pub model: Option<String>,
    /// `--set name=value`: parameters of the model and lines of its recipe (`optimizer.lr`), in order.
    pub settings: Vec<(String, String)>,
    /// `--size HxW`: the spatial sizes of every input that has as many, fixed or free.
    pub spatial: Option<Vec<usize>>,
    /// `--size H=320`: named sizes.
    pub sizes: BTreeMap<String, usize>,
    /// Remove every skip edge, for the plain twin.
    pub plain: bool,
    /// What the compilation may use.
    pub limits: Limits,
    /// A directory that imports may come from besides the root file's own.
    pub import_root: Option<PathBuf>,
}

/// The result of a compilation.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The texts that diagnostics point into.
    pub sources: SourceMap,
    /// Everything found, warnings included.
    pub diagnostics: Diagnostics,
    /// The network; `None` where there is an error.
    pub network: Option<Network>,
    /// What was read, to elaborate again at other sizes.
    pub program: Arc<Program>,
    /// What was asked for.
    pub options: Options,
}

/// Compiles a file.
pub fn compile(path: &Path, options: &Options) -> Compiled {
    compile_from(&FileLoader, path, options)
}

/// Compiles a file that, with its imports, is read by `loader`.
pub fn compile_from(loader: &dyn Loader, path: &Path, options: &Options) -> Compiled {
    let program = Program::load(loader, path, &options.limits, options.import_root.as_deref());
    Compiled::of(Arc::new(program), options)
}

/// Compiles a text; its imports are files relative to `name`.
pub fn compile_text(name: &str, text: &str, options: &Options) -> Compiled {
    compile_with(&FileLoader, name, text, options)
}

/// Compiles a text; its imports are read by `loader`.
pub fn compile_with(loader: &dyn Loader, name: &str, text: &str, options: &Options) -> Compiled {
    let program = Program::from_text(loader, Path::new(name), text, &options.limits);
    Compiled::of(Arc::new(program), options)
}

/// Compiles every model of a file, or the one that the options name; in file order. A file of blocks alone
/// gives one result without a network.
pub fn check_all(path: &Path, options: &Options) -> Vec<Compiled> {
    let program = Program::load(&FileLoader, path, &options.limits, options.import_root.as_deref());
    check_program(Arc::new(program), options)
}

/// Elaborates every model of a program, or the one that the options name.
pub fn check_program(program: Arc<Program>, options: &Options) -> Vec<Compiled> {
    let models: Vec<String> = match &options.model {
        Some(name) => vec![name.clone()],
        None => program.models().into_iter().map(String::from).collect(),
    };
    if models.is_empty() || program.diagnostics.has_errors() {
        let (sources, diagnostics) = (program.sources.clone(), program.diagnostics.clone());
        return vec![Compiled { sources, diagnostics, network: None, program, options: options.clone() }];
    }
    let each = |model| {
        let options = Options { model: Some(model), ..options.clone() };
        Compiled::of(Arc::clone(&program), &options)
    };
    models.into_iter().map(each).collect()
}

impl Compiled {
    fn of(program: Arc<Program>, options: &Options) -> Self {
        let (network, found) = program.elaborate(options);
        // What is unused is often only misspelt elsewhere: that is said once the errors are gone.
        let mut diagnostics = Diagnostics::default();
        if network.is_some() {
            diagnostics.extend(program.diagnostics.clone());
        }
        diagnostics.extend(found);
        Self { sources: program.sources.clone(), diagnostics, network, program, options: options.clone() }
    }

    /// The network.
    ///
    /// # Errors
    /// The first error of the compilation, where there is one.
    pub fn sound(&self) -> Result<&Network, Diagnostic> {
        self.network.as_ref().ok_or_else(|| first_error(&self.diagnostics))
    }

    /// What elaborates a network of this program again, at other values of its free sizes.
    pub fn resizer(
        &self,
        network: &Network,
    ) -> impl Fn(&BTreeMap<String, usize>) -> Result<Network, Diagnostic> + Send + Sync + use<> {
        let (program, mut options) = (self.program.clone(), self.options.clone());
        options.model = Some(network.name.clone());
        move |sizes| {
            let mut options = options.clone();
            options.sizes.extend(sizes.clone());
            let (network, found) = program.elaborate(&options);
            network.ok_or_else(|| first_error(&found))
        }
    }
}

fn first_error(diagnostics: &Diagnostics) -> Diagnostic {
    let unexplained = || Diagnostic::new(codes::INTERNAL, "there is no network, and no error that says why");
    diagnostics.iter().find(|d| d.severity == Severity::Error).cloned().unwrap_or_else(unexplained)
}

impl Program {
    /// Unrolls one model. The network is `None` where there is an error; what is wrong with the texts
    /// themselves is in [`Program::diagnostics`] and not repeated.
    pub fn elaborate(&self, options: &Options) -> (Option<Network>, Diagnostics) {
        if self.diagnostics.has_errors() {
            return (None, self.diagnostics.clone());
        }
        let sketch = model::elaborate(self, options, false);
        (sketch.network, sketch.diagnostics)
    }
}
