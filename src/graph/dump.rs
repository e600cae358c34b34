//! A graph as text, for snapshots and `--dump`.

use super::{Graph, NodeId, SkipLength};
use std::fmt::Write;

/// One line a node in evaluation order (its number, path, op, operands and shape), then the outputs and the
/// skip edges. Equal graphs give equal text on every machine.
pub fn dump(graph: &Graph) -> String {
    let mut text = String::new();
    let width = graph.order().map(|id| graph.node(id).path.len()).max().unwrap_or(0).min(48);
    let numbers: std::collections::BTreeMap<NodeId, usize> = graph.order().enumerate().map(|(n, id)| (id, n)).collect();
    for (n, id) in graph.order().enumerate() {
        let node = graph.node(id);
        let layer = node.op.layer();
        let operands: Vec<String> = graph.operands(id).iter().map(|o| format!("%{}", numbers[o])).collect();
        let call = [layer.kind(), &layer.detail()].join(" ");
        let _ = writeln!(
            text,
            "%{n:<4} {:<width$}  {} ({})  {}",
            node.path,
            call.trim_end(),
            operands.join(", "),
            node.shape
        );
    }
    for output in &graph.outputs {
        let _ = writeln!(text, "output {} = %{}", output.name, numbers[&output.node]);
    }
    for skip in &graph.skips {
        let length = match skip.length {
            SkipLength::Short => "short",
            SkipLength::Long => "long",
        };
        let via = skip.via.as_ref().map_or(String::new(), |via| format!(" via {via}"));
        let [source, result, merge] = [skip.source, skip.result, skip.merge].map(|id| numbers[&id]);
        let _ =
            writeln!(text, "{length} skip %{source} → %{merge} operand {}{via}, meets %{result}", skip.source_operand);
    }
    text
}
