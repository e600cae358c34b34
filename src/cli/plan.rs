//! `archc plan`: which value lies where in memory, when; and what the passes did before.

use super::args::ModelArgs;
use super::compute::{self, say};
use super::shell::{Exit, Shell};
use super::{files, load};
use archc::base::nearest::nearest;
use archc::base::{Diagnostic, Fault, codes};
use archc::elaborate::Network;
use archc::engine::Outline;
use archc::kernels::Isa;
use archc::opt::PASSES;
use archc::plan::{Mode, Plan, TooLarge, best};
use archc::tools::plan::{Report, explain, report, svg, table};
use clap::Args;
use std::path::PathBuf;

/// `archc plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The file.
    pub file: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Plan a training step rather than inference.
    #[arg(long)]
    pub train: bool,
    /// Samples at once.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub batch: usize,
    /// CPU threads, whose kernels share the scratch; all by default.
    #[arg(long, value_name = "T", conflicts_with = "train")]
    pub threads: Option<usize>,
    /// Say what each pass did before the plan was made, and where it did not fire, why.
    #[arg(long, conflicts_with = "train")]
    pub explain: bool,
    /// Plan the network as the passes up to this one leave it, without the scratch of kernels.
    #[arg(long, value_name = "PASS", conflicts_with = "train")]
    pub stop_after: Option<String>,
    /// Draw the plan into this file.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Prints the plan, or draws it.
pub fn run(args: &PlanArgs, shell: &Shell) -> Result<Exit, Exit> {
    if args.batch == 0 {
        return Err(shell.usage("a batch has at least one sample", "--batch 1"));
    }
    known(args.stop_after.as_deref(), shell)?;
    let loaded = load::network(&args.file, &args.model, false, &shell.quiet_json(shell.json()))?;
    let network = &loaded.network;
    if args.train {
        let plan = trained(network, args.batch, shell)?;
        return show(args, network, &plan, told(network, &plan, shell)?, shell);
    }
    let threads = compute::threads(args.threads, shell)?;
    let outline = Outline::new(network, args.batch, threads, Isa::best(), args.stop_after.as_deref());
    let outline = outline.map_err(|error| loaded.fail(hinted(*error), shell))?;
    let mut report = told(network, &outline.plan, shell)?.with_kernels(&outline.kernels);
    if args.explain {
        report.passes = explain::explain(&network.graph, &outline.net, args.stop_after.as_deref());
    }
    if args.explain && !shell.json() {
        let text = explain::render(&network.name, &network.graph, &outline.net, &report.passes, shell.style());
        shell.print(text.trim_end());
        return args.svg.as_ref().map_or(Ok(Exit::Clean), |_| draw(args, network, &outline.plan, shell));
    }
    show(args, network, &outline.plan, report, shell)
}

/// Refuses the name of a pass that there is not.
fn known(pass: Option<&str>, shell: &Shell) -> Result<(), Exit> {
    let names = || PASSES.iter().map(|pass| pass.name);
    let Some(stranger) = pass.filter(|pass| !names().any(|name| name == *pass)) else { return Ok(()) };
    let list = format!("the passes are {}", names().collect::<Vec<_>>().join(", "));
    let help = nearest(stranger, names()).map_or(list.clone(), |name| format!("did you mean `{name}`? {list}"));
    Err(shell.usage(&format!("there is no pass `{stranger}`"), &help))
}

/// The plan of a training step.
fn trained(network: &Network, batch: usize, shell: &Shell) -> Result<Plan, Exit> {
    let plan = best(&network.graph, Mode::Train, batch as u64).map_err(|error| too_large(error, shell))?;
    Ok(match &network.recipe {
        Some(recipe) => plan.with_optimizer(&recipe.optimizer),
        None => plan,
    })
}

fn told(network: &Network, plan: &Plan, shell: &Shell) -> Result<Report, Exit> {
    report(&network.graph, plan).map_err(|error| too_large(error, shell))
}

fn too_large(error: TooLarge, shell: &Shell) -> Exit {
    say(Fault::new(codes::PLAN_TOO_LARGE, error.to_string()).help(SMALLER), shell)
}

/// What helps where a plan is too large.
const SMALLER: &str = "plan a smaller --batch or --size";

fn hinted(diagnostic: Diagnostic) -> Diagnostic {
    match diagnostic.code {
        codes::PLAN_TOO_LARGE => diagnostic.help(SMALLER),
        _ => diagnostic,
    }
}

fn draw(args: &PlanArgs, network: &Network, plan: &Plan, shell: &Shell) -> Result<Exit, Exit> {
    if let Some(path) = &args.svg {
        files::write(path, &svg::render(&network.name, &network.graph, plan), shell)?;
    }
    Ok(Exit::Clean)
}

/// Draws the plan where that is asked for, and prints it where it is not.
fn show(args: &PlanArgs, network: &Network, plan: &Plan, report: Report, shell: &Shell) -> Result<Exit, Exit> {
    let exit = draw(args, network, plan, shell)?;
    match shell.json() {
        true => shell.print_json(&report),
        false if args.svg.is_none() || shell.verbose => {
            shell.print(table::render(&network.name, &report, shell.style()).trim_end());
        }
        false => {}
    }
    Ok(exit)
}
