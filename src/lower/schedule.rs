//! The order in which a module computes, and when each value is let go.

use super::error::{Error, Result};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::Shape;
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;

/// What a node learns or counts, by its own names.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeParams {
    values: BTreeMap<&'static str, Tensor>,
}

impl NodeParams {
    /// A parameter that the node may have.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.values.get(name)
    }

    /// A parameter that the node must have.
    pub fn need(&self, name: &str) -> Result<&Tensor> {
        self.get(name).ok_or_else(|| Error::internal(format!("a node lacks its parameter `{name}`")))
    }

    /// A buffer that the node changes.
    pub fn buffer(&self, name: &str) -> Result<Var> {
        Ok(Var::from_tensor(self.need(name)?)?)
    }
}

/// One node, ready to be computed.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What it computes.
    pub op: Op,
    /// Its path, for messages.
    pub path: String,
    /// What it reads, as positions of values.
    pub operands: Vec<usize>,
    /// The position of its value.
    pub slot: usize,
    /// The shape that was inferred for it.
    pub shape: Shape,
    /// Its parameters and buffers.
    pub params: NodeParams,
    /// Values that nothing reads after it.
    pub dead: Vec<usize>,
}

/// A graph in the order of its evaluation.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Steps in order.
    pub steps: Vec<Step>,
    /// How many positions of values there are.
    pub slots: usize,
    /// The names of the outputs, and the positions of their values.
    pub outputs: Vec<(String, usize)>,
}

impl Schedule {
    /// Orders a graph and gives its nodes their parameters, by path.
    ///
    /// # Errors
    /// An internal error where a parameter is missing; `Err(path)` of the inner result where one has
    /// other sizes.
    pub fn new(graph: &Graph, params: &BTreeMap<String, Tensor>) -> Result<Self> {
        let slots = graph.order().next_back().map_or(0, |id| id.index() + 1);
        let mut last_use: Vec<usize> = (0..slots).collect();
        let order: Vec<NodeId> = graph.order().collect();
        for &id in &order {
            graph.operands(id).iter().for_each(|operand| last_use[operand.index()] = id.index());
        }
        let kept: Vec<usize> = graph.outputs.iter().map(|output| output.node.index()).collect();
        kept.iter().for_each(|&slot| last_use[slot] = usize::MAX);
        let mut dead = vec![Vec::new(); slots];
        for &id in &order {
            if let Some(list) = dead.get_mut(last_use[id.index()]) {
                list.push(id.index());
            }
        }
        let step = |&id: &NodeId| step(graph, id, params, std::mem::take(&mut dead[id.index()]));
        let steps = order.iter().map(step).collect::<Result<_>>()?;
        let outputs = graph.outputs.iter().map(|output| (output.name.clone(), output.node.index())).collect();
        Ok(Self { steps, slots, outputs })
    }
}

fn step(graph: &Graph, id: NodeId, params: &BTreeMap<String, Tensor>, dead: Vec<usize>) -> Result<Step> {
    let node = graph.node(id);
    let mut values = BTreeMap::new();
    for spec in graph.params(id) {
        let path = format!("{}.{}", node.path, spec.name);
        let value = params.get(&path).ok_or_else(|| Error::internal(format!("the parameter `{path}` is missing")))?;
        values.insert(spec.name, value.clone());
    }
    Ok(Step {
        op: node.op.clone(),
        path: node.path.clone(),
        operands: graph.operands(id).iter().map(|operand| operand.index()).collect(),
        slot: id.index(),
        shape: node.shape.clone(),
        params: NodeParams { values },
        dead,
    })
}
