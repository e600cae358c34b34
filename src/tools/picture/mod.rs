//! `archc graph --svg`: the figure of the paper. The main path runs straight down; skips are edges at its
//! side, solid where short and dashed where long, in the colour of their kind; labels are frames.
//!
//! [`model`] says what is drawn, [`measure`] how much room it takes, [`place`] where it stands, and
//! [`scene`] writes it.

pub mod arcs;
pub mod measure;
pub mod model;
pub mod place;
pub mod scene;
pub mod style;

use crate::analysis::cost;
use crate::elaborate::Network;
use crate::graph::{Graph, SkipLength};
use crate::tools::text::{Ink, macs, metric};
use measure::Measure;
use model::{Elem, Model, Repeats};
use place::Place;
use scene::Scene;
use std::collections::BTreeMap;

/// Free space around the picture.
const MARGIN: i64 = 32;
/// Where the network starts below its title.
const TOP: i64 = 84;

/// A network as an SVG file; `expand` draws every repeat.
pub fn svg(network: &Network, expand: bool) -> String {
    let graph = &network.graph;
    let model = model::model(graph, if expand { Repeats::Apart } else { Repeats::Once });
    let measure = Measure::new(graph, &model);
    let size = measure.seq(&model.root);
    let facts = facts(graph);
    let legend = legend(graph, &model);
    let titles = style::text_width(&network.name, 18.0).max(style::text_width(&facts, 11.0));
    let legends = legend.iter().map(|(_, _, text)| style::text_width(text, 11.0) + 40).max().unwrap_or(0);
    let inner = (size.left + size.right).max(titles).max(legends);
    let x = MARGIN + size.left + (inner - size.left - size.right) / 2;
    let mut scene = Scene { width: inner + 2 * MARGIN, ..Scene::default() };
    scene.text(MARGIN, 42, "start", "head", &*network.name);
    scene.text(MARGIN, 61, "start", "small", facts);
    let mut place =
        Place { graph, measure: &measure, scene: &mut scene, below: BTreeMap::new(), beside: BTreeMap::new() };
    place.seq(&model.root, &size, x, TOP, "line");
    let bottom = output(graph, &model, &mut scene, x, TOP + size.height);
    scene.height = draw_legend(&legend, &mut scene, bottom + 28) + MARGIN - 10;
    scene.svg(&format!("{}, drawn by archc", network.name))
}

fn facts(graph: &Graph) -> String {
    let cost = cost::cost(graph);
    format!("{} parameters · {}", metric(cost.nodes.parameters), macs(cost.nodes.macs))
}

/// The last value's name, in a pill under the line; the picture's new end.
fn output(graph: &Graph, model: &Model, scene: &mut Scene, x: i64, y: i64) -> i64 {
    let end = model.root.elems.last().and_then(Elem::output);
    let Some(output) = graph.outputs.iter().find(|output| Some(output.node) == end) else { return y };
    let text = format!("{}  {}", output.name, graph.shape(output.node).times().replace(' ', ""));
    let width = (style::text_width(&text, style::LAYER_TEXT) + 28) / 2 * 2;
    let top = y + style::GAP;
    scene.line(format!("M{x} {y}V{top}"), "line", None);
    scene.boxed([x - width / 2, top, width, style::LAYER], style::LAYER / 2, "layer port", "");
    scene.text(x, top + 16, "middle", "", text);
    top + style::LAYER
}

/// A colour, a length, and what they mean.
type Entry = (Ink, SkipLength, String);

/// The kinds of edges that occur.
fn legend(graph: &Graph, model: &Model) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for skip in &graph.skips {
        let op = &graph.node(skip.merge).op;
        let long = if skip.length == SkipLength::Long { "long " } else { "" };
        let entry = (Ink::of_merge(op), skip.length, format!("{long}skip {}", op.layer().kind()));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    if model.arcs.iter().any(|arc| arc.ink == Ink::Dim) {
        entries.push((Ink::Dim, SkipLength::Short, "another path from there".into()));
    }
    entries
}

fn draw_legend(entries: &[Entry], scene: &mut Scene, top: i64) -> i64 {
    let mut y = top;
    for (ink, length, text) in entries {
        scene.line(format!("M{MARGIN} {y}h28"), style::edge(*ink, *length), Some(style::head(*ink)));
        scene.text(MARGIN + 38, y + 4, "start", "small", &**text);
        y += 20;
    }
    y
}
