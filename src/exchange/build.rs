//! `.arch` files compiled while a crate is built, for users of Rust.
//!
//! A crate that has archc among its build dependencies (`default-features = false` is enough) says in its `build.rs`
//!
//! ```no_run
//! fn main() -> Result<(), archc::BuildError> {
//!     archc::build_script("net.arch")
//! }
//! ```
//!
//! and where the structs are wanted, with candle-core and candle-nn among its dependencies,
//!
//! ```ignore
//! mod net { archc::include_arch!("net"); }   // or include!(concat!(env!("OUT_DIR"), "/net.rs"))
//! ```
//!
//! (The macro needs archc among the dependencies, too; what it stands for does not.)
//!
//! A file with errors stops the build: cargo shows each error in a line, and drawn as archc draws it.

use super::classes::docs;
use super::rust;
use crate::base::render::{Style, fancy};
use crate::base::{Diagnostics, Report, Severity, SourceMap, atomic};
use crate::elaborate::{Options, compile};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a build script has to tell cargo, and how it went.
#[derive(Debug)]
pub struct Built {
    /// Lines for cargo, on standard output.
    pub lines: Vec<String>,
    /// Where the source was written, or what is wrong, drawn.
    pub result: Result<PathBuf, String>,
}

/// Why a build script failed. A `main` that returns it shows the errors as archc draws them.
pub struct BuildError(String);

impl std::fmt::Debug for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the network cannot be built\n\n{}", self.0)
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BuildError {}

/// Compiles the only model of an `.arch` file to Rust source, `OUT_DIR/STEM.rs`; the crate is built again when the file or one
/// that it imports changes. To be called by `build.rs`; the path is relative to the crate.
///
/// # Errors
/// Where the file has errors or nothing can be written, after telling cargo.
pub fn build_script(file: impl AsRef<Path>) -> Result<(), BuildError> {
    build_script_with(file, &Options::default())
}

/// As [`build_script`], for one model of several, or with settings: see [`Options`].
///
/// # Errors
/// As [`build_script`].
pub fn build_script_with(file: impl AsRef<Path>, options: &Options) -> Result<(), BuildError> {
    let out =
        std::env::var_os("OUT_DIR").ok_or_else(|| BuildError("OUT_DIR is not set: call this from build.rs".into()))?;
    let built = build(file.as_ref(), options, Path::new(&out));
    // Standard output is how a build script talks to cargo: the one place besides the command line that writes there.
    let mut cargo = std::io::stdout().lock();
    for line in &built.lines {
        // A cargo that went away hears nothing.
        let _ = writeln!(cargo, "{line}");
    }
    built.result.map(|_| ()).map_err(BuildError)
}

/// Compiles a file to Rust source in a folder, and gives what a build script tells cargo.
pub fn build(file: &Path, options: &Options, folder: &Path) -> Built {
    let compiled = compile(file, options);
    let mut lines = changes(file, &compiled.sources);
    lines.extend(said(&compiled.diagnostics, &compiled.sources));
    let drawn =
        || fancy(&Report::new(compiled.diagnostics.iter(), &compiled.sources), Style { color: false, width: 100 });
    let Some(network) = compiled.network.as_ref().filter(|_| !compiled.diagnostics.has_errors()) else {
        return Built { lines, result: Err(drawn()) };
    };
    let stem = file.file_stem().map_or_else(|| "net".into(), |stem| stem.to_string_lossy().into_owned());
    let path = folder.join(format!("{stem}.rs"));
    let source = rust::source(network, &docs(&compiled.program));
    let result = atomic::write_bytes(&path, source.as_bytes());
    Built {
        lines,
        result: result.map_err(|error| format!("`{}` cannot be written: {error}", path.display())).map(|()| path),
    }
}

/// What makes cargo run the script again: the file and everything it imports.
fn changes(file: &Path, sources: &SourceMap) -> Vec<String> {
    let mut paths: Vec<String> = vec![file.display().to_string()];
    paths.extend(sources.files().iter().map(|source| source.name.to_string()));
    paths.sort();
    paths.dedup();
    paths.iter().map(|path| format!("cargo::rerun-if-changed={path}")).collect()
}

/// Errors and warnings as cargo shows them, a line each.
fn said(diagnostics: &Diagnostics, sources: &SourceMap) -> Vec<String> {
    let line = |d: &crate::base::Diagnostic| {
        let place = d.labels.first().and_then(|label| Some((sources.get(label.span.file)?, label.span.start)));
        let place = place.map_or(String::new(), |(file, at)| format!("{}:{}: ", file.name, file.line_column(at).0));
        let kind = if d.severity == Severity::Error { "error" } else { "warning" };
        let help = d.help.as_ref().map_or(String::new(), |help| format!(" (help: {help})"));
        format!("cargo::{kind}={place}{}: {}{help}", d.code, d.message).replace('\n', " ")
    };
    diagnostics.iter().map(line).collect()
}
