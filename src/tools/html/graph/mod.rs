//! `archc graph --html`: a page to explore a network in. Blocks fold and unfold, skips are arcs at the side of the main path, and the
//! memory plan stands beside it.
//!
//! The page lays itself out, since that depends on what is folded: `data` says how layers nest and which edges go around,
//! `web/layout.js` and `web/place.js` give everything room and a place, `web/draw.js` draws it, and `web/events.js` listens.

pub(super) mod data;
mod memory;

use super::{Fact, Page};
use crate::analysis::cost;
use crate::base::SourceMap;
use crate::elaborate::Network;
use crate::plan::Plan;
use crate::tools::text::{bytes, grouped};
use serde_json::json;

const STYLE: &str = include_str!("../web/graph.css");
const BODY: &str = include_str!("../web/graph.html");
const CONTROLS: &str = include_str!("../web/controls.html");
const SCRIPTS: [&str; 10] = [
    include_str!("../web/state.js"),
    include_str!("../web/layout.js"),
    include_str!("../web/lanes.js"),
    include_str!("../web/place.js"),
    include_str!("../web/draw.js"),
    include_str!("../web/memory.js"),
    include_str!("../web/details.js"),
    include_str!("../web/explore.js"),
    include_str!("../web/search.js"),
    include_str!("../web/events.js"),
];

/// The page of a network and its memory plan.
pub fn page(network: &Network, plan: &Plan, sources: &SourceMap) -> String {
    let mut data = data::data(network, sources);
    data["model"] = json!(network.name);
    data["plan"] = memory::data(&network.graph, plan);
    Page {
        title: &network.name,
        subtitle: super::ports(network),
        facts: facts(network, plan),
        controls: CONTROLS.into(),
        body: BODY.into(),
        style: STYLE,
        scripts: &SCRIPTS,
        data: super::json(&data),
    }
    .html()
}

fn facts(network: &Network, plan: &Plan) -> Vec<Fact> {
    let cost = cost::cost(&network.graph);
    let exact = format!("{} bytes at batch {}, beside the weights", grouped(plan.peak), plan.batch);
    let mut facts = super::costs(&cost);
    facts.push(Fact::new(bytes(plan.peak), "planned peak", exact));
    facts
}
