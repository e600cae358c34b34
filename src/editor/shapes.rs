//! Shapes and costs of steps in words.

use super::analysis::Seen;
use crate::analysis::cost::{NodeCost, node_cost};
use crate::elaborate::Network;
use crate::elaborate::sketch::{Sketch, Taken};
use crate::graph::NodeId;
use crate::shape::Shape;
use crate::tools::text::{macs, metric};

/// `64×112×112`; a vector is its length.
pub fn brief(shape: &Shape) -> String {
    match shape.dims() {
        [] => "1".into(),
        dims => dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("×"),
    }
}

/// The shape of a value, where there is one.
pub fn of_node(sketch: &Sketch, node: Option<NodeId>) -> Option<String> {
    let graph = sketch.graph();
    node.filter(|id| graph.contains(*id)).map(|id| brief(graph.shape(id)))
}

/// Texts of several expansions, neighbours that are equal once: `64×56×56`, `×3, 64×56×56`, `×6, 64×56×56 … 512×7×7`.
pub fn folded(mut texts: Vec<String>) -> Option<String> {
    let count = texts.len();
    texts.dedup();
    match texts.as_slice() {
        [] => None,
        [only] if count == 1 => Some(only.clone()),
        [only] => Some(format!("×{count}, {only}")),
        [first, second] => Some(format!("×{count}, {first}, {second}")),
        [first, .., last] => Some(format!("×{count}, {first} … {last}")),
    }
}

/// The shapes after a step, of all its expansions in one model.
pub fn outputs(seen: &Seen<'_>) -> Option<String> {
    folded(seen.taken.iter().filter_map(|taken| of_node(&seen.view.sketch, taken.after)).collect())
}

/// What a step costs, once.
pub fn cost(sketch: &Sketch, taken: &Taken) -> NodeCost {
    let graph = sketch.graph();
    let mut sum = NodeCost::default();
    for at in taken.nodes.clone().map(NodeId::new).filter(|id| graph.contains(*id)) {
        sum += node_cost(graph, at);
    }
    sum
}

/// `9,408 parameters, 118.0 MMACs`; what is nothing is left out.
pub fn cost_words(cost: &NodeCost) -> Option<String> {
    let words = [
        (cost.parameters > 0).then(|| format!("{} parameters", metric(cost.parameters))),
        (cost.macs > 0).then(|| macs(cost.macs)),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// One line for a model: what goes in and comes out of the step, how often, and what it costs altogether.
pub fn line(seen: &Seen<'_>) -> Option<String> {
    let sketch = &seen.view.sketch;
    let arrow = |taken: &&Taken| {
        let after = of_node(sketch, taken.after)?;
        let before = of_node(sketch, taken.before).filter(|_| taken.before != taken.after);
        Some(before.map_or_else(|| after.clone(), |before| format!("{before} → {after}")))
    };
    let mut sum = NodeCost::default();
    seen.taken.iter().for_each(|taken| sum += cost(sketch, taken));
    let shapes = folded(seen.taken.iter().filter_map(arrow).collect())?;
    let costs = cost_words(&sum).map_or(String::new(), |words| format!(" · {words}"));
    Some(format!("{shapes}{costs}"))
}

/// `3×224×224 → 1000 · 21.80 M parameters · 3.66 GMACs`
pub fn headline(network: &Network) -> String {
    let graph = &network.graph;
    let shapes = |nodes: Vec<NodeId>| nodes.iter().map(|id| brief(graph.shape(*id))).collect::<Vec<_>>().join(", ");
    let mut sum = NodeCost::default();
    graph.order().for_each(|id| sum += node_cost(graph, id));
    let ports =
        format!("{} → {}", shapes(graph.inputs.clone()), shapes(graph.outputs.iter().map(|o| o.node).collect()));
    format!("{ports} · {} parameters · {}", metric(sum.parameters), macs(sum.macs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_fold() {
        let folded = |texts: &[&str]| folded(texts.iter().map(ToString::to_string).collect());
        assert_eq!(folded(&[]), None);
        assert_eq!(folded(&["a"]).as_deref(), Some("a"));
        assert_eq!(folded(&["a", "a"]).as_deref(), Some("×2, a"));
        assert_eq!(folded(&["a", "a", "b"]).as_deref(), Some("×3, a, b"));
        assert_eq!(folded(&["a", "b", "c"]).as_deref(), Some("×3, a … c"));
    }
}
