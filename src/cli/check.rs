//! `archc check`: prove shapes and skips, and say what each network costs.

use super::args::CheckArgs;
use super::load;
use super::shell::{Exit, Shell};
use crate::analysis::cost::cost;
use crate::analysis::sizes::{explore, render};
use crate::base::{Diagnostics, Severity, SourceMap};
use crate::elaborate::{Compiled, InputDecl, Network, Options, check_all};
use crate::tools::summary::summarize;
use crate::tools::text::{Ink, metric};
use std::path::{Path, PathBuf};

/// Checks every file, and every model in it.
pub fn run(args: &CheckArgs, shell: &Shell) -> Exit {
    let options = match load::options(&args.model, args.plain, shell) {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let files = match files(&args.paths) {
        Ok(files) => files,
        Err(folder) => {
            let help = "name a file, or a folder that holds `.arch` files";
            return shell.usage(&format!("there is no `.arch` file in `{}`", folder.display()), help);
        }
    };
    let mut tally = Tally::default();
    for file in &files {
        check(file, &options, args, shell, &mut tally);
    }
    if !shell.json() && (files.len() > 1 || tally.errors + tally.warnings > 0) {
        shell.note(&tally.words(files.len()));
    }
    if tally.errors == 0 { Exit::Clean } else { Exit::Errors }
}

/// What was found in all files.
#[derive(Default)]
struct Tally {
    models: usize,
    errors: usize,
    warnings: usize,
}

impl Tally {
    fn words(&self, files: usize) -> String {
        let found = match (self.errors, self.warnings) {
            (0, 0) => "all well".to_string(),
            (0, w) => count(w, "warning"),
            (e, 0) => count(e, "error"),
            (e, w) => format!("{}, {}", count(e, "error"), count(w, "warning")),
        };
        format!("{}, {}: {found}", count(files, "file"), count(self.models, "model"))
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn check(file: &Path, options: &Options, args: &CheckArgs, shell: &Shell, tally: &mut Tally) {
    let mut compiled = check_all(file, options);
    let mut found = Diagnostics::default();
    for model in &mut compiled {
        found.extend(std::mem::take(&mut model.diagnostics));
    }
    let none = SourceMap::default();
    shell.report(&found, compiled.first().map_or(&none, |c| &c.sources));
    tally.errors += found.count(Severity::Error);
    tally.warnings += found.count(Severity::Warning);
    let networks: Vec<_> = compiled.iter().filter_map(|c| c.network.as_ref().map(|n| (c, n))).collect();
    tally.models += networks.len();
    if shell.json() {
        return;
    }
    let width = networks.iter().map(|(_, n)| n.name.chars().count()).max().unwrap_or(0);
    for (compiled, network) in networks {
        shell.print(&line(network, width, shell));
        if args.valid_sizes {
            sizes(compiled, network, options, shell);
        }
    }
}

/// `ResNet34  3 × 224 × 224 → 1000   21.80 M parameters   3.66 GMACs   16 add (3 via project), all short`
fn line(network: &Network, width: usize, shell: &Shell) -> String {
    let (summary, cost, style) = (summarize(network), cost(&network.graph), shell.style());
    let sizes =
        |ports: &[crate::tools::summary::Port]| ports.iter().map(|p| p.shape.times()).collect::<Vec<_>>().join(" + ");
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
fn sizes(compiled: &Compiled, network: &Network, options: &Options, shell: &Shell) {
    let model = Some(network.name.clone());
    let planned = Options { model, sizes: Default::default(), spatial: None, ..options.clone() };
    let reports = network.free_sizes.iter().map(|size| {
        let try_one = |value: usize| {
            let sizes = [(size.name.clone(), value)].into();
            match compiled.program.elaborate(&Options { sizes, ..planned.clone() }) {
                (Some(_), _) => Ok(()),
                (None, found) => Err(found.iter().next().map(|d| d.message.clone()).unwrap_or_default()),
            }
        };
        let asked: Vec<usize> = options.sizes.get(&size.name).copied().into_iter().collect();
        explore(size, &asked, network.graph.len(), try_one)
    });
    let reports: Vec<_> = reports.collect();
    let inputs: Vec<_> = network.inputs.iter().map(declared).collect();
    shell.print(render(&network.name, &inputs.join("  "), &reports).trim_end());
}

/// `image [N, 1, H, W]`
fn declared(input: &InputDecl) -> String {
    let dim = |(name, size): &(Option<String>, Option<usize>)| match (name, size) {
        (Some(name), _) => name.clone(),
        (None, Some(size)) => size.to_string(),
        (None, None) => "?".into(),
    };
    format!("{} [{}]", input.name, input.dims.iter().map(dim).collect::<Vec<_>>().join(", "))
}

/// The files themselves, and every `.arch` file in the folders, in order of their names.
///
/// # Errors
/// A folder without any.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        walk(path, 0, &mut files);
        if files.len() == before {
            return Err(path.clone());
        }
    }
    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(|e| e.file_name());
    for entry in entries {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !hidden && depth < 16 => walk(&entry.path(), depth + 1, files),
            Ok(kind) if kind.is_file() && entry.path().extension().is_some_and(|e| e == "arch") => {
                files.push(entry.path());
            }
            _ => {}
        }
    }
}
