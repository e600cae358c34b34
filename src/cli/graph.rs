//! `archc graph`: draw the network.

use super::args::ModelArgs;
use super::compute;
use super::load::Loaded;
use super::shell::{Exit, Shell};
use super::{files, load};
use archc::engine::Outline;
use archc::kernels::Isa;
use archc::tools::{dot, html, mermaid, picture};
use clap::Args;
use std::path::{Path, PathBuf};

/// `archc graph`
#[derive(Clone, Debug, Args)]
pub struct GraphArgs {
    /// The file.
    #[arg(required_unless_present_any = ["dot", "mermaid"])]
    pub file: Option<PathBuf>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// A page to explore the network in, with everything in one file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// A figure.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Graphviz text; without FILE, or without any other output, on standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub dot: Option<Option<PathBuf>>,
    /// Mermaid text; without FILE, on standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub mermaid: Option<Option<PathBuf>>,
    /// Draw every repeated block, rather than one with its count; pages can show both.
    #[arg(long)]
    pub expand: bool,
}

impl GraphArgs {
    /// The network's file, and the rest: in `graph --dot net.arch` the option took the file for its own.
    fn with_file(&self, shell: &Shell) -> Result<(PathBuf, Self), Exit> {
        let mut rest = self.clone();
        let taken = [&mut rest.dot, &mut rest.mermaid].into_iter().flatten().find_map(|to| {
            let network = to.as_ref().is_some_and(|path| path.extension().is_some_and(|end| end == "arch"));
            network.then(|| to.take()).flatten()
        });
        match (&self.file, taken) {
            (None, Some(file)) => Ok((file, rest)),
            (Some(file), None) => Ok((file.clone(), rest)),
            (Some(_), Some(other)) => {
                let message = format!("`{}` is a network, and a drawing would replace it", other.display());
                Err(shell.usage(&message, "draw one network at a time, into a file of its own: --dot net.dot"))
            }
            (None, None) => Err(shell.usage("there is no network to draw", "archc graph net.arch --dot net.dot")),
        }
    }
}

/// Draws what is asked for; Graphviz text where nothing is.
pub fn run(args: &GraphArgs, shell: &Shell) -> Result<Exit, Exit> {
    let (file, args) = &args.with_file(shell)?;
    if args.dot == Some(None) && args.mermaid == Some(None) {
        let help = "write one of them into a file: --dot net.dot --mermaid";
        return Err(shell.usage("`--dot` and `--mermaid` both want standard output", help));
    }
    let loaded = load::network(file, &args.model, false, shell)?;
    let network = &loaded.network;
    if let Some(path) = &args.html {
        files::write(path, &page(&loaded, shell)?, shell)?;
    }
    if let Some(path) = &args.svg {
        files::write(path, &picture::svg(network, args.expand), shell)?;
    }
    if let Some(to) = &args.mermaid {
        put(to.as_deref(), &mermaid::mermaid(network, args.expand), shell)?;
    }
    if args.dot.is_some() || (args.html.is_none() && args.svg.is_none() && args.mermaid.is_none()) {
        let to = args.dot.as_ref().and_then(|to| to.as_deref());
        put(to, &dot::dot(network, args.expand), shell)?;
    }
    Ok(Exit::Clean)
}

/// The page, with the memory plan of what the engine runs.
fn page(loaded: &Loaded, shell: &Shell) -> Result<String, Exit> {
    let threads = compute::threads(None, shell)?;
    let outline = Outline::new(&loaded.network, 1, threads, Isa::best(), None);
    let outline = outline.map_err(|error| loaded.fail(error.help("give the inputs a smaller --size"), shell))?;
    Ok(html::graph::page(&loaded.network, &outline.plan, &loaded.compiled.sources))
}

/// Into a file, or on standard output.
fn put(to: Option<&Path>, text: &str, shell: &Shell) -> Result<(), Exit> {
    match to {
        Some(path) => files::write(path, text, shell),
        None => {
            shell.print(text.trim_end());
            Ok(())
        }
    }
}
