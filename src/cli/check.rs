//! `archc check`: prove shapes and skips, and say what each network costs.

use super::args::ModelArgs;
use super::shell::{Exit, Shell};
use super::{files, load, watch};
use archc::analysis::cost::cost;
use archc::analysis::sizes::{of_program, render};
use archc::base::source::SourceFile;
use archc::base::{Diagnostics, Severity};
use archc::elaborate::{Network, Options, Program, check_all};
use archc::tools::summary::summarize;
use archc::tools::text::{Ink, metric};
use clap::Args;
use std::path::{Path, PathBuf};

/// `archc check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files, or directories of `.arch` files.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Say which values of each free size are valid.
    #[arg(long = "sizes")]
    pub valid_sizes: bool,
    /// Check the plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
    /// Check again whenever one of the files, or what it imports, is saved.
    #[arg(short, long)]
    pub watch: bool,
}

/// Checks every file, and every model in it; with `--watch`, again and again.
pub fn run(args: &CheckArgs, shell: &Shell) -> Exit {
    let options = match load::options(&args.model, args.plain, shell) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    if args.watch {
        return watch::run(args, &options, shell);
    }
    let found = match once(args, &options, shell) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    if !shell.json() && (found.files > 1 || found.errors + found.warnings > 0) {
        shell.note(&found.words());
    }
    if found.errors == 0 { Exit::Clean } else { Exit::Errors }
}

/// Checks every file once.
///
/// # Errors
/// [`Exit::Usage`] where there is none, after saying so.
pub(super) fn once(args: &CheckArgs, options: &Options, shell: &Shell) -> Result<Found, Exit> {
    let files = files::sources(&args.paths, shell)?;
    let mut found = Found { files: files.len(), ..Found::default() };
    for file in &files {
        check(file, options, args, shell, &mut found);
    }
    Ok(found)
}

/// What was found in all files.
#[derive(Default)]
pub(super) struct Found {
    /// Files that were named, or found in folders.
    pub files: usize,
    /// Models that are sound.
    pub models: usize,
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Every text that was read, imports included.
    pub read: Vec<SourceFile>,
}

impl Found {
    /// `2 files, 3 models: 1 error`
    pub fn words(&self) -> String {
        let found = match (self.errors, self.warnings) {
            (0, 0) => "all well".to_string(),
            (0, w) => count(w, "warning"),
            (e, 0) => count(e, "error"),
            (e, w) => format!("{}, {}", count(e, "error"), count(w, "warning")),
        };
        format!("{}, {}: {found}", count(self.files, "file"), count(self.models, "model"))
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn check(file: &Path, options: &Options, args: &CheckArgs, shell: &Shell, tally: &mut Found) {
    let mut compiled = check_all(file, options);
    let mut found = Diagnostics::default();
    for model in &mut compiled {
        found.extend(std::mem::take(&mut model.diagnostics));
    }
    // All models are of one program, whose sources every one of them has.
    if let Some(model) = compiled.first() {
        shell.report(&found, &model.sources);
    }
    tally.errors += found.count(Severity::Error);
    tally.warnings += found.count(Severity::Warning);
    let networks: Vec<_> = compiled.iter().filter_map(|c| c.network.as_ref()).collect();
    tally.models += networks.len();
    tally.read.extend(compiled.iter().take(1).flat_map(|c| c.sources.files()).cloned());
    if shell.json() {
        return;
    }
    let width = networks.iter().map(|n| n.name.chars().count()).max().unwrap_or(0);
    for network in networks {
        shell.print(&line(network, width, shell));
    }
    if let (true, Some(compiled)) = (args.valid_sizes, compiled.first()) {
        sizes(&compiled.program, options, shell);
    }
}

/// `ResNet34  3 × 224 × 224 → 1000   21.80 M parameters   3.66 GMACs   16 add (3 via project), all short`
fn line(network: &Network, width: usize, shell: &Shell) -> String {
    let (summary, cost, style) = (summarize(network), cost(&network.graph), shell.style());
    let sizes =
        |ports: &[archc::tools::summary::Port]| ports.iter().map(|p| p.shape.times()).collect::<Vec<_>>().join(" + ");
    let text = format!(
        "{}{}  {} → {}   {}parameters   {}MACs   {}",
        style.paint(Ink::Bold, &network.name),
        " ".repeat(width.saturating_sub(network.name.chars().count())),
        sizes(&summary.inputs),
        sizes(&summary.outputs),
        unit(cost.nodes.parameters),
        unit(cost.nodes.macs),
        summary.skips_in_words(),
    );
    style.signs(&text).into_owned()
}

/// `21.80 M ` before a noun, `1.81 G` before `MACs`.
fn unit(n: u64) -> String {
    format!("{} ", metric(n)).replace("G ", "G")
}

/// Which values of each free size work; `--size H=250` asks about 250 too.
fn sizes(program: &Program, options: &Options, shell: &Shell) {
    let models = match &options.model {
        Some(name) => vec![name.clone()],
        None => program.models().into_iter().map(String::from).collect(),
    };
    for model in models {
        let options = Options { model: Some(model), ..options.clone() };
        if let Some(found) = of_program(program, &options) {
            shell.print(shell.style().signs(&render(&found)).trim_end());
        }
    }
}
