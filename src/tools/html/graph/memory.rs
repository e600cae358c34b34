//! The memory plan as the page's scripts read it.

use crate::graph::{Graph, NodeId};
use crate::plan::{Content, Plan, ValueId};
use crate::tools::plan::scale::bands;
use crate::tools::plan::svg::{colors, in_words, resolution};
use crate::tools::plan::{Names, totals};
use serde_json::{Value, json};

/// How many colours there are, largest resolution first.
const COLORS: usize = 8;

/// The plan: `steps` with the nodes they compute and the values they read and write, `values` with their places, `buffers`, what
/// is `live` at each step, `bands` of steps by the part of the network, and sums.
pub fn data(graph: &Graph, plan: &Plan) -> Value {
    let names = Names::new(graph, plan);
    let colors = colors(graph, plan);
    let index = |nodes: &[NodeId]| nodes.iter().map(|node| node.index()).collect::<Vec<_>>();
    let step = |step: &crate::plan::Step| json!({ "nodes": index(&step.nodes), "lead": step.lead.map(NodeId::index), "reads": step.reads, "writes": step.writes });
    let value = |id: ValueId| {
        let (value, place) = (&plan.values[id], plan.places[id]);
        json!({
            "name": names.name(value.content), "node": names.node(value.content).index(),
            "buffer": place.buffer, "at": plan.value_offset(id), "bytes": plan.value_bytes(id),
            "live": [value.live.first, value.live.last],
        })
    };
    let buffer = |buffer: &crate::plan::Buffer| {
        let content = plan.values[buffer.owner].content;
        let spatial = resolution(graph, content);
        let color = colors.iter().position(|c| *c == spatial).unwrap_or(0).min(COLORS - 1);
        json!({
            "owner": buffer.owner, "at": buffer.offset, "bytes": buffer.bytes, "live": [buffer.live.first, buffer.live.last],
            "color": color, "scratch": matches!(content, Content::Scratch(_)),
        })
    };
    let sums = totals(plan);
    json!({
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "values": (0..plan.values.len()).map(value).collect::<Vec<_>>(),
        "buffers": plan.buffers.iter().map(buffer).collect::<Vec<_>>(),
        "views": plan.views.iter().map(|(node, value)| (node.index(), *value)).collect::<Vec<_>>(),
        "live": plan.live, "peak": sums.peak, "bound": sums.lower_bound, "naive": sums.naive,
        "colors": colors.iter().take(COLORS).map(|c| in_words(c)).collect::<Vec<_>>(),
        "bands": bands(graph, plan).into_iter().map(|band| (band.first, band.last, band.name)).collect::<Vec<_>>(),
    })
}
