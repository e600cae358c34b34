//! Does the text give the graph that it was written from?

use super::free::Probe;
use super::net::Net;
use crate::elaborate::{MemoryLoader, Options, compile_with};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use std::collections::BTreeMap;

/// Compiles a text and compares its graph with the net's, whose nodes it meets in this order, also at other sizes; gives each
/// node's path.
///
/// # Errors
/// What differs, in words.
pub fn same(net: &Net, probes: &[Probe], order: &[usize], text: &str) -> Result<BTreeMap<usize, String>, String> {
    let compiled = compile_with(&MemoryLoader::default(), "imported.arch", text, &Options::default());
    let network = compiled.sound().map_err(|error| error.message)?;
    let paths = same_graph(net, order, &network.graph)?;
    let resize = compiled.resizer(network);
    for probe in probes {
        match (resize(&probe.sizes), &probe.net) {
            (Ok(resized), Some(other)) => drop(same_graph(other, order, &resized.graph)?),
            (Ok(_), None) => {
                let at: Vec<String> = probe.sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect();
                return Err(format!("at {} the file computes otherwise", at.join(", ")));
            }
            (Err(error), Some(_)) => return Err(error.message),
            (Err(_), None) => {}
        }
    }
    Ok(paths)
}

fn same_graph(net: &Net, order: &[usize], graph: &Graph) -> Result<BTreeMap<usize, String>, String> {
    let mut place: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut paths = BTreeMap::new();
    for (&id, (_, node)) in graph.inputs.iter().zip(&net.inputs) {
        place.insert(id, *node);
    }
    let mut wanted = order.iter();
    for id in graph.order().filter(|&id| !matches!(graph.node(id).op, Op::Input(_))) {
        let node = graph.node(id);
        if matches!(node.op, Op::Identity(_)) {
            let of = graph.operands(id).first().and_then(|o| place.get(o).copied());
            place.insert(id, of.ok_or("an identity of nothing")?);
            continue;
        }
        let &at = wanted.next().ok_or_else(|| format!("`{}` is more than there was", node.path))?;
        compare(net, at, graph, id, &place)?;
        place.insert(id, at);
        paths.insert(at, node.path.clone());
    }
    if let Some(&left) = wanted.next() {
        return Err(format!("{} is missing", net.nodes[left].title));
    }
    let outputs: Vec<usize> = graph.outputs.iter().filter_map(|o| place.get(&o.node).copied()).collect();
    match outputs == net.outputs.iter().map(|(_, node)| *node).collect::<Vec<_>>() {
        true => Ok(paths),
        false => Err("the outputs are others".into()),
    }
}

fn compare(net: &Net, at: usize, graph: &Graph, id: NodeId, place: &BTreeMap<NodeId, usize>) -> Result<(), String> {
    let (node, want) = (graph.node(id), &net.nodes[at]);
    if plain(&node.op) != plain(&want.op) {
        return Err(format!("{} became {:?} at `{}`, not {:?}", want.title, node.op, node.path, want.op));
    }
    if node.shape != want.shape {
        return Err(format!("{} gives {}, and `{}` {}", want.title, want.shape, node.path, node.shape));
    }
    let mut operands: Vec<Option<usize>> = graph.operands(id).iter().map(|o| place.get(o).copied()).collect();
    let mut inputs: Vec<Option<usize>> = want.inputs.iter().map(|&i| Some(i)).collect();
    // Sums and products do not mind the order of their operands.
    let even = matches!(&node.op, Op::Mul(_)) || matches!(&node.op, Op::Add(add) if add.scale == 1.0);
    if even {
        operands.sort_unstable();
        inputs.sort_unstable();
    }
    if operands != inputs {
        return Err(format!("{} became `{}`, which reads other values", want.title, node.path));
    }
    for spec in graph.params(id) {
        let stored = want.params.iter().find(|(name, _)| *name == spec.name);
        match stored {
            Some((_, tensor)) if tensor.dims == spec.dims => {}
            None if spec.name == "num_batches_tracked" => {}
            _ => return Err(format!("{} became `{}`, whose {} has other sizes", want.title, node.path, spec.name)),
        }
    }
    Ok(())
}

/// An op without what only matters before training.
fn plain(op: &Op) -> serde_json::Value {
    let mut value = serde_json::to_value(op).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        for name in ["init", "bias_init", "weight_init"] {
            fields.remove(name);
        }
        // A norm of a projection has the momentum of all norms.
        fields.remove("momentum");
    }
    value
}
