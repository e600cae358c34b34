//! What stands in an event: scalars, histograms, texts, the graph. Field numbers are those of TensorFlow's `event.proto`,
//! `summary.proto`, `tensor.proto` and `graph.proto`.

use super::proto::Message;
use crate::graph::Graph;

/// Bars of a histogram.
const BARS: usize = 30;

/// TensorFlow's number for tensors of texts.
const DT_STRING: i64 = 7;

/// The field of an event that holds summaries, and of a summary that holds values.
const SUMMARY: u64 = 5;
const VALUE: u64 = 1;

/// An event with scalars by name.
pub fn scalars(event: Message, values: &[(String, f64)]) -> Message {
    let value = |(tag, value): &(String, f64)| Message::default().text(1, tag).float(2, *value as f32);
    let summary = values.iter().fold(Message::default(), |all, one| all.message(VALUE, value(one)));
    event.message(SUMMARY, summary)
}

/// An event with the distribution of numbers under each name; what is no number is left out.
pub fn histograms(event: Message, values: &[(String, Vec<f32>)]) -> Message {
    let value = |(tag, values): &(String, Vec<f32>)| Message::default().text(1, tag).message(5, histogram(values));
    let summary = values.iter().fold(Message::default(), |all, one| all.message(VALUE, value(one)));
    event.message(SUMMARY, summary)
}

/// Bars of equal width from the least to the greatest.
fn histogram(values: &[f32]) -> Message {
    let finite = || values.iter().map(|&v| v as f64).filter(|v| v.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let (low, high) = if low > high { (0.0, 0.0) } else { (low, high) };
    let width = ((high - low) / BARS as f64).max(f64::MIN_POSITIVE);
    let mut counts = [0.0; BARS];
    for value in finite() {
        // The greatest belongs into the last bar.
        counts[(((value - low) / width) as usize).min(BARS - 1)] += 1.0;
    }
    let limits: Vec<f64> = (1..=BARS).map(|i| if i == BARS { high } else { low + width * i as f64 }).collect();
    Message::default()
        .double(1, low)
        .double(2, high)
        .double(3, finite().count() as f64)
        .double(4, finite().sum())
        .double(5, finite().map(|v| v * v).sum())
        .doubles(6, &limits)
        .doubles(7, &counts)
}

/// An event with a text, which is shown as Markdown.
pub fn text(event: Message, tag: &str, text: &str) -> Message {
    let plugin = Message::default().message(1, Message::default().text(1, "text"));
    let tensor = Message::default().int(1, DT_STRING).message(2, Message::default()).text(8, text);
    let value = Message::default().text(1, tag).message(9, plugin).message(8, tensor);
    event.message(SUMMARY, Message::default().message(VALUE, value))
}

/// An event that says that what was written of this step and later ones, before, is void.
pub fn begun(event: Message) -> Message {
    event.message(7, Message::default().int(1, 1))
}

/// An event with the network: a node for each layer, in scopes as its path has them, with the shape of its value.
pub fn graph(event: Message, graph: &Graph) -> Message {
    let name = |id| graph.node(id).path.replace('.', "/");
    let nodes = graph.order().fold(Message::default(), |all, id| {
        let node = graph.node(id);
        let of = Message::default().text(1, &name(id)).text(2, node.op.layer().kind());
        let of = graph.operands(id).into_iter().fold(of, |of, operand| of.text(3, &name(operand)));
        // The batch is free, which `-1` stands for.
        let sizes = std::iter::once(-1).chain(node.shape.dims().iter().map(|&size| size as i64));
        let shape = sizes.fold(Message::default(), |all, size| all.message(2, Message::default().int(1, size)));
        let list = Message::default().message(1, Message::default().message(7, shape));
        all.message(1, of.message(5, Message::default().text(1, "_output_shapes").message(2, list)))
    });
    event.message(4, nodes)
}
