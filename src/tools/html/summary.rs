//! `archc summary --html`: the table as a page. Scopes are rows that fold, bars show shares of the whole, and layers can be sorted by
//! what they cost.

use super::graph::data;
use super::{Page, costs, json, ports};
use crate::analysis::cost;
use crate::base::SourceMap;
use crate::elaborate::Network;

/// The page of a network's layers.
pub fn page(network: &Network, sources: &SourceMap) -> String {
    Page {
        title: &network.name,
        subtitle: ports(network),
        facts: costs(&cost::cost(&network.graph)),
        controls: include_str!("web/summary-controls.html").into(),
        body: include_str!("web/summary.html").into(),
        style: include_str!("web/summary.css"),
        scripts: &[include_str!("web/state.js"), include_str!("web/summary.js")],
        data: json(&data::data(network, sources)),
    }
    .html()
}
