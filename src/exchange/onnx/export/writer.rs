//! The file as it grows: nodes, initializers, and names that are given once.

use super::super::proto::{
    AttributeProto, Dimension, NodeProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
    dtype, kind,
};
use prost::bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// An attribute's value.
pub enum Attr {
    /// One whole number.
    Int(i64),
    /// One number.
    Float(f64),
    /// A word.
    Word(&'static str),
    /// Whole numbers.
    Ints(Vec<i64>),
}

/// Nodes and initializers so far.
#[derive(Default)]
pub struct Writer {
    /// In order of evaluation.
    pub nodes: Vec<NodeProto>,
    /// Numbers, the parameters among them.
    pub initializers: Vec<TensorProto>,
    taken: BTreeSet<String>,
    constants: BTreeMap<String, String>,
    /// The path of the layer that is written, for names of what it is made of.
    path: String,
    /// How the value of that layer is called.
    result: String,
}

impl Writer {
    /// Keeps a name for something else than a node's value.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_string());
    }

    /// A name that is not taken yet: this one, or this one with a number.
    pub fn unique(&mut self, wanted: &str) -> String {
        let numbered = (2..).map(|n| format!("{wanted}_{n}"));
        let free = std::iter::once(wanted.to_string()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = free.unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }

    /// Starts a layer: [`last`](Self::last) will name its value `result`.
    pub fn layer(&mut self, path: &str, result: String) {
        (self.path, self.result) = (path.to_string(), result);
    }

    /// Adds a node whose value is not the layer's; gives the value's name.
    pub fn node(&mut self, op: &str, inputs: &[&str], attrs: Vec<(&str, Attr)>) -> String {
        let name = self.unique(&format!("{}/{op}", self.path));
        self.push(op, name.clone(), name.clone(), inputs, attrs);
        name
    }

    /// Adds the node that gives the layer's value.
    pub fn last(&mut self, op: &str, inputs: &[&str], attrs: Vec<(&str, Attr)>) -> String {
        let (path, result) = (self.path.clone(), self.result.clone());
        self.push(op, path, result.clone(), inputs, attrs);
        result
    }

    fn push(&mut self, op: &str, name: String, output: String, inputs: &[&str], attrs: Vec<(&str, Attr)>) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|s| s.to_string()).collect(),
            output: vec![output],
            name,
            op_type: op.into(),
            attribute: attrs.into_iter().map(|(name, value)| attribute(name, value)).collect(),
            ..NodeProto::default()
        });
    }

    /// A parameter: its numbers under exactly this name.
    pub fn parameter(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        self.taken.insert(name.to_string());
        self.initializers.push(floats(name, dims, values));
        name.to_string()
    }

    /// Numbers that belong to this layer and are no parameter.
    pub fn own(&mut self, suffix: &str, dims: &[usize], values: &[f32]) -> String {
        let name = self.unique(&format!("{}.{suffix}", self.path));
        self.initializers.push(floats(&name, dims, values));
        name
    }

    /// Whole numbers that belong to this layer.
    pub fn own_ints(&mut self, suffix: &str, values: &[i64]) -> String {
        let name = self.unique(&format!("{}.{suffix}", self.path));
        self.initializers.push(whole(&name, values));
        name
    }

    /// One number, shared by all that need it.
    pub fn scalar(&mut self, value: f64) -> String {
        let key = format!("const/{value}");
        self.shared(key, |name| floats(name, &[], &[value as f32]))
    }

    /// Whole numbers, shared by all that need them.
    pub fn ints(&mut self, values: &[i64]) -> String {
        let key = format!("const/{values:?}");
        self.shared(key, |name| whole(name, values))
    }

    /// One whole number without an axis.
    pub fn int(&mut self, value: i64) -> String {
        self.shared(format!("const/int{value}"), |name| {
            tensor(name, Vec::new(), dtype::INT64, value.to_le_bytes().to_vec())
        })
    }

    fn shared(&mut self, key: String, make: impl FnOnce(&str) -> TensorProto) -> String {
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        let name = self.unique(&key.replace(['[', ']'], "").replace(", ", "x"));
        self.initializers.push(make(&name));
        self.constants.insert(key, name.clone());
        name
    }
}

fn attribute(name: &str, value: Attr) -> AttributeProto {
    let mut made = AttributeProto { name: name.into(), ..AttributeProto::default() };
    match value {
        Attr::Int(i) => (made.i, made.r#type) = (Some(i), kind::INT),
        Attr::Float(f) => (made.f, made.r#type) = (Some(f as f32), kind::FLOAT),
        Attr::Word(s) => (made.s, made.r#type) = (Some(Bytes::from_static(s.as_bytes())), kind::STRING),
        Attr::Ints(ints) => (made.ints, made.r#type) = (ints, kind::INTS),
    }
    made
}

fn floats(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, dims.iter().map(|&d| d as i64).collect(), dtype::FLOAT, raw)
}

fn whole(name: &str, values: &[i64]) -> TensorProto {
    let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    tensor(name, vec![values.len() as i64], dtype::INT64, raw)
}

fn tensor(name: &str, dims: Vec<i64>, data_type: i32, raw: Vec<u8>) -> TensorProto {
    TensorProto { name: name.into(), dims, data_type, raw_data: Some(raw.into()), ..TensorProto::default() }
}

/// A value of single precision with these sizes; `None` where a size is not known.
pub fn value_info(name: &str, dims: Vec<Option<Result<usize, String>>>) -> ValueInfoProto {
    let dimension = |dim| match dim {
        Some(Ok(size)) => Dimension { dim_value: Some(size as i64), dim_param: None },
        Some(Err(name)) => Dimension { dim_value: None, dim_param: Some(name) },
        None => Dimension::default(),
    };
    let shape = Some(TensorShapeProto { dim: dims.into_iter().map(dimension).collect() });
    let tensor_type = Some(TensorTypeProto { elem_type: dtype::FLOAT, shape });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}
