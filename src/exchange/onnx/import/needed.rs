//! What of a graph its outputs need: the rest is not read, so what nobody uses need not be understood.

use super::lift::title;
use super::{Result, unfit};
use crate::exchange::onnx::proto::GraphProto;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes and values that the outputs of a graph are computed from.
#[derive(Debug)]
pub struct Needed {
    nodes: Vec<bool>,
    values: BTreeSet<String>,
}

impl Needed {
    /// Finds them.
    ///
    /// # Errors
    /// `E0832` where two nodes compute one value.
    pub fn of(graph: &GraphProto) -> Result<Self> {
        let mut maker: BTreeMap<&str, usize> = BTreeMap::new();
        for (i, node) in graph.node.iter().enumerate() {
            for name in node.output.iter().filter(|name| !name.is_empty()) {
                if maker.insert(name, i).is_some() {
                    return Err(unfit(format!("`{name}` is computed twice, the second time by {}", title(node))));
                }
            }
        }
        let (mut nodes, mut values) = (vec![false; graph.node.len()], BTreeSet::new());
        let mut open: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
        while let Some(name) = open.pop() {
            if !values.insert(name.to_string()) {
                continue;
            }
            if let Some(&node) = maker.get(name)
                && !nodes[node]
            {
                nodes[node] = true;
                open.extend(graph.node[node].input.iter().map(String::as_str).filter(|name| !name.is_empty()));
            }
        }
        Ok(Self { nodes, values })
    }

    /// Whether a node is needed.
    pub fn node(&self, i: usize) -> bool {
        self.nodes.get(i).copied().unwrap_or(false)
    }

    /// Whether a value is.
    pub fn value(&self, name: &str) -> bool {
        self.values.contains(name)
    }
}
