//! What the passes did to a network, and why not more.

use crate::graph::Graph;
use crate::opt::{Net, PASSES};
use crate::tools::text::{Ink, Style, columns};
use serde::Serialize;

/// What one pass did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PassRow {
    /// Its name.
    pub pass: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// How often it fired.
    pub fired: usize,
    /// How often something stood in the way.
    pub refused: usize,
    /// What it looked at, in the order it did.
    pub notes: Vec<NoteRow>,
}

/// What a pass did about a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoteRow {
    /// The node's path.
    pub node: String,
    /// Whether the pass fired.
    pub fired: bool,
    /// What it did, or what stood in the way.
    pub why: String,
}

/// The passes up to and including the one named, with what each did to a net.
pub fn explain(graph: &Graph, net: &Net, stop_after: Option<&str>) -> Vec<PassRow> {
    let last = PASSES.iter().position(|pass| Some(pass.name) == stop_after).unwrap_or(PASSES.len() - 1);
    let row = |pass: &crate::opt::Pass| {
        let notes = net.notes.iter().filter(|note| note.pass == pass.name);
        let note = |note: &crate::opt::Note| NoteRow {
            node: graph.node(note.node).path.clone(),
            fired: note.fired,
            why: note.why.clone(),
        };
        let notes: Vec<NoteRow> = notes.map(note).collect();
        let fired = notes.iter().filter(|note| note.fired).count();
        PassRow { pass: pass.name, doc: pass.doc, fired, refused: notes.len() - fired, notes }
    };
    PASSES[..=last].iter().map(row).collect()
}

/// The passes for people: a line each with its counts, then a line for each node, `+` where the pass fired.
pub fn render(model: &str, graph: &Graph, net: &Net, passes: &[PassRow], style: Style) -> String {
    let head = format!("{} nodes → {} steps by {} passes", graph.len(), net.steps.len(), passes.len());
    let mut text = format!("{} · {head}\n", style.paint(Ink::Bold, model));
    for pass in passes {
        text += &format!("\n{}  {}\n", style.paint(Ink::Bold, pass.pass), style.paint(Ink::Dim, &counts(pass)));
        let width = pass.notes.iter().map(|note| columns(&note.node)).max().unwrap_or(0);
        for note in &pass.notes {
            let blank = " ".repeat(width - columns(&note.node));
            let line = format!("  {} {}{blank}  {}", if note.fired { '+' } else { '-' }, note.node, note.why);
            text += &if note.fired { line } else { style.paint(Ink::Dim, &line) };
            text.push('\n');
        }
    }
    style.signs(&text).into_owned()
}

fn counts(pass: &PassRow) -> String {
    let found = match (pass.fired, pass.refused) {
        (0, 0) => "found nothing".to_string(),
        (fired, 0) => format!("fired {fired} ×"),
        (fired, refused) => format!("fired {fired} ×, did not {refused} ×"),
    };
    format!("{}: {found}", pass.doc)
}
