//! The compiler front: what `check`, `fmt`, `summary`, `plan`, `graph` and `diff` do with a text.

use super::{Place, Seed, Verdict, all_refused, refused};
use archc::analysis::sizes::{of_program, render as render_sizes};
use archc::base::render::{self, Style};
use archc::base::{Diagnostics, FileId, Limits, Report, codes};
use archc::elaborate::{Compiled, Program, check_program};
use archc::engine::Outline;
use archc::kernels::Isa;
use archc::plan::{Mode, best, verify};
use archc::tools::{diff, dot, format as formatter, html, mermaid, picture, plan, summary, text::Style as Ink};
use archc::{Network, Options};
use std::path::Path;
use std::sync::Arc;

/// As the command line has them, with less work until they are met.
pub fn options() -> Options {
    let mut options = Options::default();
    options.limits.steps = 20_000;
    options.limits.layers = 5_000;
    options
}

/// Layers from which a network is not drawn or planned: that takes its time, and shows nothing new.
const MANY: usize = 1500;

/// Layers from which no other sizes are looked for: several hundred are tried, and of many layers each takes its time.
const DEEP: usize = 40;

/// Every model of a text; imports are found beside the examples.
pub fn compiled(text: &str) -> Vec<Compiled> {
    let options = options();
    let name = super::root().join("examples/changed.arch");
    let program = Program::from_text(&archc::elaborate::FileLoader, Path::new(&name), text, &options.limits);
    check_program(Arc::new(program), &options)
}

/// Its networks.
pub fn networks(compiled: &[Compiled]) -> impl Iterator<Item = (&Compiled, &Network)> {
    let sound = compiled.iter().filter_map(|one| Some((one, one.network.as_ref()?)));
    sound.filter(|(_, network)| network.graph.len() <= MANY)
}

/// Compiles, renders, looks for valid sizes, plans.
pub fn check(_: &Place, _: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let all = compiled(text);
    for one in &all {
        all_refused(&one.diagnostics)?;
        let report = Report::new(one.diagnostics.iter(), &one.sources);
        let shown = render::fancy(&report, Style { color: false, width: 80 });
        let lines = render::json_lines(&report);
        if lines.lines().count() != one.diagnostics.len() {
            return Err("a diagnostic has not one line of JSON".into());
        }
        if one.network.is_none() && !shown.contains("error[") && !one.program.models().is_empty() {
            return Err("there is no network, and no error says why".into());
        }
        if one.network.is_some() && one.diagnostics.has_errors() {
            return Err("there is a network, and an error".into());
        }
    }
    for (one, network) in networks(&all) {
        planned(network)?;
        if network.graph.len() <= DEEP
            && let Some(found) = of_program(&one.program, &one.options)
        {
            render_sizes(&found);
        }
    }
    Ok(())
}

/// Plans of inference and training, and what the engine would run.
fn planned(network: &Network) -> Verdict {
    for mode in [Mode::Run, Mode::Train] {
        let Ok(plan) = best(&network.graph, mode, 2) else { continue };
        verify::verify(&plan).map_err(|broken| format!("the plan is broken: {broken:?}"))?;
        if let Ok(report) = plan::report(&network.graph, &plan) {
            plan::table::render(&network.name, &report, ink());
        }
    }
    match Outline::new(network, 2, 1, Isa::best(), None) {
        Ok(_) => Ok(()),
        Err(error) => refused(&error),
    }
}

fn ink() -> Ink {
    Ink { color: false, width: 100, unicode: true }
}

/// Formats, twice; what a text means stays.
pub fn format(_: &Place, _: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let limits = Limits::default();
    let new = match formatter::format(FileId(0), text, &limits) {
        Ok(new) => new,
        Err(found) => return all_refused(&found),
    };
    match formatter::format(FileId(0), &new, &limits) {
        Ok(again) if again == new => {}
        Ok(_) => return Err("formatting again changes the text again".into()),
        Err(_) => return Err("what was formatted does not parse".into()),
    }
    if facts(&compiled(text)) != facts(&compiled(&new)) {
        return Err("the formatted text has other diagnostics".into());
    }
    Ok(())
}

/// What is said about a text, but for places.
fn facts(all: &[Compiled]) -> Vec<(codes::Code, String)> {
    let say = |found: &Diagnostics| found.iter().map(|d| (d.code, d.message.clone())).collect::<Vec<_>>();
    all.iter().flat_map(|one| say(&one.diagnostics)).collect()
}

/// Tables, pictures and pages of the networks, and what changed from each to the next.
pub fn draw(_: &Place, seed: &Seed, bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let all = compiled(text);
    let before = compiled(&String::from_utf8_lossy(&seed.bytes));
    for (one, network) in networks(&all) {
        summary::render(network, ink(), true);
        serde_json::to_string(&summary::summarize(network)).map_err(|e| format!("no summary as JSON: {e}"))?;
        html::summary::page(network, &one.sources);
        for expand in [false, true] {
            picture::svg(network, expand);
            dot::dot(network, expand);
            mermaid::mermaid(network, expand);
        }
        if let Ok(plan) = best(&network.graph, Mode::Run, 1) {
            html::graph::page(network, &plan, &one.sources);
            plan::svg::render(&network.name, &network.graph, &plan);
        }
        for (_, old) in networks(&before).filter(|(_, old)| old.name == network.name) {
            diff::render(&diff::diff(old, network), ink(), true);
            diff::render(&diff::diff(network, old), ink(), false);
        }
    }
    Ok(())
}
