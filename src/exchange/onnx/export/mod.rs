//! A network as an ONNX file.
//!
//! Opset 17, weights inside. Values and nodes are named by path, initializers as the parameters are
//! (`layer1.0.conv1.weight`). The batch and the free sizes stay free: where a layer needs a size that changes, the file
//! computes it. What ONNX has no operator for is written as several.

mod free;
mod layers;
mod nearest;
mod norms;
mod pools;
mod sizes;
mod tried;
mod writer;

use super::proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, ValueInfoProto};
use crate::base::{Diagnostic, codes};
use crate::elaborate::{Compiled, Network};
use crate::graph::NodeId;
use crate::ops::{Family, Op, on_op};
use crate::weights::Numbers;
use free::Free;
use prost::Message;
use std::collections::BTreeMap;
use writer::{Writer, value_info};

/// The operators' version that is written.
pub const OPSET: i64 = 17;
/// The file format's version that goes with it.
const IR_VERSION: i64 = 8;
/// Bytes that a protobuf message can have at most; a little is left for names.
const MAX_BYTES: u64 = (1 << 31) - (1 << 20);

/// An ONNX file, and what its user should know.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub bytes: Vec<u8>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

/// Writes a network with its numbers.
///
/// # Errors
/// `E0833` where the weights do not fit an ONNX file.
pub fn export(compiled: &Compiled, network: &Network, numbers: &Numbers) -> Result<Exported, Box<Diagnostic>> {
    let bytes: u64 = network.graph.named_params().iter().map(|(_, spec)| 4 * spec.elements()).sum();
    if bytes > MAX_BYTES {
        let gib = bytes as f64 / f64::from(1 << 30);
        let message = format!("the weights of `{}` take {gib:.1} GiB, and an ONNX file holds at most 2", network.name);
        return Err(Box::new(Diagnostic::new(codes::ONNX_UNWRITABLE, message)));
    }
    let (free, general) = settled(compiled, network, numbers);
    let mut export = Export::of(&general, numbers, free);
    let graph = export.graph();
    let mut notes = export.free.notes();
    notes.extend(export.rounding());
    let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.into(), value };
    let settings = network.settings.iter().map(|(name, value)| format!("{name}={value}"));
    let settings = settings.collect::<Vec<_>>().join(", ");
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "archc".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: network.doc.clone().unwrap_or_default(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: [("model", network.name.clone()), ("settings", settings)].map(entry).into(),
        training_info: Vec::new(),
        functions: Vec::new(),
    };
    Ok(Exported { bytes: model.encode_to_vec(), notes })
}

/// The sizes that stay free, and the network to write from. What states a size that the file cannot compute fixes the sizes
/// that it depends on.
fn settled(compiled: &Compiled, network: &Network, numbers: &Numbers) -> (Free, Network) {
    let mut fixed = BTreeMap::new();
    loop {
        let (free, general) = Free::of(compiled, network, fixed.clone());
        let export = Export::of(&general, numbers, free);
        let more = export.not_computed();
        let free = export.free;
        if more.is_empty() {
            return (free, general);
        }
        fixed.extend(more);
    }
}

/// An op as operators. Each family's file has those of its ops.
trait Write {
    /// Writes a node; gives its value's name. `inputs` are the names of its operands' values.
    fn write(&self, export: &mut Export, id: NodeId, inputs: &[&str]) -> String;
}

/// How ops are written, one a line: `Conv: |export, id, conv, inputs| export.weighted(…)`.
macro_rules! written {
    ($($op:ty: |$export:ident, $id:pat_param, $own:pat_param, $inputs:ident| $value:expr,)*) => {$(
        impl $crate::exchange::onnx::export::Write for $op {
            fn write(&self, $export: &mut Export, $id: NodeId, $inputs: &[&str]) -> String {
                let $own = self;
                $value
            }
        }
    )*};
}

use written;

/// A network on its way into a file.
struct Export<'n> {
    network: &'n Network,
    numbers: &'n Numbers,
    free: Free,
    writer: Writer,
    /// The name of each node's value.
    values: BTreeMap<NodeId, String>,
    /// The first output that each node gives.
    outputs: BTreeMap<NodeId, String>,
}

impl<'n> Export<'n> {
    /// A network of which nothing is written yet.
    fn of(network: &'n Network, numbers: &'n Numbers, free: Free) -> Self {
        // Of several outputs of one node the first is kept.
        let outputs = network.graph.outputs.iter().rev().map(|output| (output.node, output.name.clone())).collect();
        Self { network, numbers, free, writer: Writer::default(), values: BTreeMap::new(), outputs }
    }

    fn graph(&mut self) -> GraphProto {
        let network = self.network;
        let graph = &network.graph;
        graph.named_params().iter().for_each(|(path, _)| self.writer.reserve(path));
        graph.inputs.iter().for_each(|&id| self.writer.reserve(&graph.node(id).path));
        graph.outputs.iter().for_each(|output| self.writer.reserve(&output.name));
        for id in graph.order() {
            let value = self.node(id);
            self.values.insert(id, value);
        }
        let output = (0..graph.outputs.len()).map(|i| self.output(i)).collect();
        GraphProto {
            name: network.name.clone(),
            doc_string: network.doc.clone().unwrap_or_default(),
            input: (0..network.inputs.len()).map(|i| self.input(i)).collect(),
            output,
            node: std::mem::take(&mut self.writer.nodes),
            initializer: std::mem::take(&mut self.writer.initializers),
            sparse_initializer: Vec::new(),
        }
    }

    fn input(&self, i: usize) -> ValueInfoProto {
        let declared = &self.network.inputs[i];
        let dims = declared.dims.iter().map(|(name, size)| match (name, size) {
            (Some(name), Some(size)) if !self.free.is_free(name) => Some(Ok(*size)),
            (Some(name), _) => Some(Err(name.clone())),
            (None, size) => size.map(Ok),
        });
        value_info(&declared.name, dims.collect())
    }

    /// An output's type. A value that is called otherwise, or stands for several outputs, is given its name by an `Identity`.
    fn output(&mut self, i: usize) -> ValueInfoProto {
        let (network, output) = (self.network, &self.network.graph.outputs[i]);
        if self.values[&output.node] != output.name {
            let value = self.values[&output.node].clone();
            let path = self.writer.unique(&format!("{}/output", output.name));
            self.writer.layer(&path, output.name.clone());
            self.writer.last("Identity", &[&value], Vec::new());
        }
        let dims = network.graph.shape(output.node).dims().iter().enumerate().map(|(axis, &size)| {
            match self.free.varies(&network.graph, output.node, axis) {
                false => Some(Ok(size)),
                true => {
                    let own = || format!("{}.{}", output.name, axis + 1);
                    let name = self.free.name_of(&network.graph, output.node, axis);
                    Some(Err(name.map_or_else(own, String::from)))
                }
            }
        });
        let batch = network.inputs.first().and_then(|input| input.dims.first()?.0.clone());
        let batch = Some(Err(batch.unwrap_or_else(|| "N".into())));
        value_info(&output.name, std::iter::once(batch).chain(dims).collect())
    }

    /// How a node's value will be called: as the output that it is, if it is one, else by its path.
    fn result_name(&mut self, id: NodeId) -> String {
        let graph = &self.network.graph;
        match self.outputs.get(&id) {
            Some(name) => name.clone(),
            None => self.writer.unique(&graph.node(id).path),
        }
    }

    /// Writes a node; gives its value's name.
    fn node(&mut self, id: NodeId) -> String {
        let node = self.network.graph.node(id);
        let operands = self.network.graph.operands(id);
        let Some(operand) = operands.first() else { return node.path.clone() };
        // Nothing happens at inference.
        if matches!(node.op, Op::Identity(_)) || node.op.family() == Family::Regularization {
            return self.values[operand].clone();
        }
        let result = self.result_name(id);
        self.writer.layer(&node.path, result);
        let inputs: Vec<String> = operands.iter().map(|operand| self.values[operand].clone()).collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        on_op!(&node.op, |op| op.write(self, id, &inputs))
    }

    /// Whether no size of the node's operand changes.
    fn still_operand(&self, id: NodeId) -> bool {
        let graph = &self.network.graph;
        graph.operands(id).first().is_none_or(|&operand| self.free.still(graph, operand))
    }

    /// The sizes of operand 0 after the batch.
    fn operand_dims(&self, id: NodeId) -> Vec<usize> {
        let graph = &self.network.graph;
        graph.operands(id).first().map(|&operand| graph.shape(operand).dims().to_vec()).unwrap_or_default()
    }

    /// Writes a parameter of a node with other sizes over the same numbers, if it has it; gives its name.
    fn parameter(&mut self, id: NodeId, name: &str, dims: Option<Vec<usize>>) -> Option<String> {
        let graph = &self.network.graph;
        let spec = graph.params(id).into_iter().find(|spec| spec.name == name)?;
        let path = format!("{}.{name}", graph.node(id).path);
        let values = self.numbers.get(&path)?;
        let written = self.writer.parameter(&path, dims.as_ref().unwrap_or(&spec.dims), &values);
        drop(values);
        self.numbers.release(&path);
        Some(written)
    }

    /// `[C, 1, …]`: one number a channel, as it meets the operand of a node.
    fn along_channels(&self, id: NodeId, channels: usize) -> Vec<usize> {
        let axes = self.operand_dims(id).len();
        std::iter::once(channels).chain(std::iter::repeat_n(1, axes.saturating_sub(1))).collect()
    }
}
