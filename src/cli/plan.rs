//! `archc plan`: which value lies where in memory, when.

use super::args::PlanArgs;
use super::compute::say;
use super::shell::{Exit, Shell};
use super::{files, load};
use crate::base::{Diagnostic, codes};
use crate::plan::{Mode, TooLarge, best};
use crate::tools::plan::{report, svg, table};

/// Prints the plan, or draws it.
pub fn run(args: &PlanArgs, shell: &Shell) -> Result<Exit, Exit> {
    if args.batch == 0 {
        return Err(shell.usage("a batch has at least one sample", "--batch 1"));
    }
    let loaded = load::network(&args.file, &args.model, false, &shell.quiet_json(shell.json()))?;
    let network = &loaded.network;
    let mode = if args.train { Mode::Train } else { Mode::Run };
    let too_large = |error: TooLarge| {
        let help = "plan a smaller --batch or --size";
        say(Diagnostic::new(codes::PLAN_TOO_LARGE, error.to_string()).help(help), shell)
    };
    let mut plan = best(&network.graph, mode, args.batch as u64).map_err(too_large)?;
    if let (Mode::Train, Some(recipe)) = (mode, &network.recipe) {
        plan = plan.with_optimizer(&recipe.optimizer);
    }
    if let Some(path) = &args.svg {
        files::write(path, &svg::render(&network.name, &network.graph, &plan), shell)?;
    }
    let report = report(&network.graph, &plan).map_err(too_large)?;
    match shell.json() {
        true => shell.print_json(&report),
        false if args.svg.is_none() || shell.verbose => {
            shell.print(table::render(&network.name, &report, shell.style()).trim_end());
        }
        false => {}
    }
    Ok(Exit::Clean)
}
