//! `archc diff`: what changed between two networks.

use super::args::ModelArgs;
use super::load;
use super::revision::RevisionLoader;
use super::shell::{Exit, Shell};
use archc::elaborate::{FileLoader, Loader, Network, Options, Program, compile_from};
use archc::tools::diff::{diff, render};
use clap::Args;
use std::path::{Path, PathBuf};

/// `archc diff`
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The first network: FILE, FILE@MODEL, or FILE@REVISION.
    #[arg(value_name = "A")]
    pub before: String,
    /// The second; the first file as it is now where it is left out.
    #[arg(value_name = "B")]
    pub after: Option<String>,
    /// Which networks, and at which sizes; for both.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Which model of the second file, where its name is another.
    #[arg(long, value_name = "NAME")]
    pub model_b: Option<String>,
    /// Take the first network from this revision of git: HEAD~1, a branch, a tag, a commit.
    #[arg(long, value_name = "REVISION")]
    pub rev: Option<String>,
    /// Compare the first network's plain twin, without any skip edge.
    #[arg(long)]
    pub plain: bool,
    /// Compare the second network's plain twin.
    #[arg(long)]
    pub plain_b: bool,
    /// One JSON object: `equal`, `totals`, `changes`.
    #[arg(long)]
    pub json: bool,
}

/// One of the two networks.
struct Side {
    file: PathBuf,
    revision: Option<String>,
    options: Options,
}

/// Compares; 0 where nothing differs, 1 where something does, 2 where there is nothing to compare.
///
/// # Errors
/// [`Exit::Usage`], after everything was said.
pub fn run(args: &DiffArgs, shell: &Shell) -> Result<Exit, Exit> {
    let json = args.json || shell.json();
    let quiet = shell.quiet_json(json);
    let (a, b) = sides(args, shell)?;
    let before = network(&a, &quiet)?;
    let after = network(&b, &quiet)?;
    let mut found = diff(&before, &after);
    if a.file == b.file && found.before == found.after {
        (found.before, found.after) = (a.called(&found.before), b.called(&found.after));
    }
    match json {
        true => shell.print_json(&found),
        false => shell.print(render(&found, shell.style(), shell.verbose).trim_end()),
    }
    Ok(if found.equal { Exit::Clean } else { Exit::Errors })
}

impl Side {
    /// The network's name with what sets it apart: its revision, or that it is a plain twin.
    fn called(&self, name: &str) -> String {
        let revision = self.revision.as_ref().map_or(String::new(), |revision| format!(" at {revision}"));
        format!("{name}{revision}{}", if self.options.plain { " without skips" } else { "" })
    }
}

/// What is to be compared.
fn sides(args: &DiffArgs, shell: &Shell) -> Result<(Side, Side), Exit> {
    let mut a = side(&args.before, args, args.plain, shell)?;
    let mut b = side(args.after.as_deref().unwrap_or(&args.before), args, args.plain_b, shell)?;
    if let Some(revision) = &args.rev {
        if a.revision.is_some() {
            return Err(shell.usage("two revisions for one file", "leave out `--rev`, or the part after `@`"));
        }
        a.revision = Some(revision.clone());
    }
    if args.after.is_none() {
        b.revision = None;
    }
    b.options.model = args.model_b.clone().or(b.options.model);
    let models_differ = a.options.model != b.options.model || a.options.plain != b.options.plain;
    if args.after.is_none() && a.revision.is_none() && !models_differ {
        a.revision = Some("HEAD".into());
    }
    Ok((a, b))
}

/// `FILE`, `FILE@MODEL` or `FILE@REVISION`: what follows the `@` is a model where the file has one of that name.
fn side(text: &str, args: &DiffArgs, plain: bool, shell: &Shell) -> Result<Side, Exit> {
    let options = load::options(&args.model, plain, shell)?;
    let mut side = Side { file: PathBuf::from(text), revision: None, options };
    let Some((file, name)) = text.rsplit_once('@').filter(|_| !Path::new(text).exists()) else { return Ok(side) };
    if file.is_empty() || name.is_empty() {
        return Err(shell.usage(&format!("`{text}` names no file and revision"), "archc diff net.arch@HEAD~1 net.arch"));
    }
    side.file = PathBuf::from(file);
    let program = Program::load(&FileLoader, &side.file, &side.options.limits, side.options.import_root.as_deref());
    if program.models().contains(&name) {
        side.options.model = Some(name.into());
    } else {
        side.revision = Some(name.into());
    }
    Ok(side)
}

/// Compiles one side; what is wrong is said with the revision that it is wrong in.
fn network(side: &Side, shell: &Shell) -> Result<Network, Exit> {
    let Side { file, revision, options } = side;
    let git = match revision {
        None => None,
        Some(revision) => {
            Some(RevisionLoader::new(file, revision).map_err(|(message, help)| shell.usage(&message, &help))?)
        }
    };
    let loader: &dyn Loader = git.as_ref().map_or(&FileLoader, |git| git);
    let compiled = compile_from(loader, file, options);
    shell.report(&compiled.diagnostics, &compiled.sources);
    match compiled.network {
        Some(network) if !compiled.diagnostics.has_errors() => Ok(network),
        _ => {
            if let Some(revision) = revision {
                shell.note(&format!("this is {} at revision {revision}", file.display()));
            }
            Err(Exit::Usage)
        }
    }
}
