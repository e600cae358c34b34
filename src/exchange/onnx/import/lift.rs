//! From a file's nodes to items: constants are folded, operators become layers.

use super::attrs::Attrs;
use super::free::{self, Sizes};
use super::item::{BATCH, Item, Kind, Raw, Value};
use super::places;
use super::tensor::{self, Tensor};
use super::{Help, Result, fold, unfit};
use crate::base::{Fault, codes};
use crate::exchange::onnx::proto::{EXTERNAL, GraphProto, NodeProto, TensorProto, ValueInfoProto, dtype};
use crate::ops::Op;
use crate::shape::Shape;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

/// A node that cannot be read, and why.
pub type Refused = String;

/// A model on its way in.
pub struct Lift<'m> {
    pub(super) values: BTreeMap<String, Value>,
    /// Everything that was understood so far, in order of evaluation.
    pub items: Vec<Item>,
    /// The inputs' names and items.
    pub inputs: Vec<(String, usize)>,
    /// The outputs' names and items.
    pub outputs: Vec<(String, usize)>,
    /// The batch that the file has fixed, if it has.
    pub(super) batch: Option<i64>,
    pub(super) opset: i64,
    own: bool,
    graph: &'m GraphProto,
    pub(super) now: usize,
}

impl<'m> Lift<'m> {
    /// The numbers of the file's initializers.
    ///
    /// # Errors
    /// `E0830` where they cannot be read.
    pub fn constants(graph: &GraphProto, folder: &Path) -> Result<BTreeMap<String, Value>> {
        let read = |proto: &TensorProto| match tensor::read(proto, folder) {
            Ok(tensor) => Ok((proto.name.clone(), Value::Const(Rc::new(tensor)))),
            Err(why) if proto.data_location == EXTERNAL => {
                let error = Box::new(Fault::new(codes::ONNX_UNREADABLE, why));
                Err(Help::help(
                    error,
                    "put the file of weights beside the model, under the name that it was saved with",
                ))
            }
            Err(why) => Err(Box::new(Fault::new(codes::ONNX_UNREADABLE, why))),
        };
        graph.initializer.iter().map(read).collect()
    }

    /// Reads a graph. `sizes` are those of dimensions that the file leaves free.
    ///
    /// # Errors
    /// `E0831` and `E0832`, as their pages say.
    pub fn read(
        graph: &'m GraphProto,
        (opset, own): (i64, bool),
        values: BTreeMap<String, Value>,
        sizes: &Sizes,
    ) -> Result<Self> {
        let mut lift = Self {
            values,
            items: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            batch: None,
            opset,
            own,
            graph,
            now: 0,
        };
        for input in &graph.input {
            if !lift.values.contains_key(&input.name) {
                lift.input(input, sizes)?;
            }
        }
        if lift.inputs.is_empty() {
            return Err(unfit("the model has no input"));
        }
        for (i, node) in graph.node.iter().enumerate() {
            lift.now = i;
            lift.node(node)?;
        }
        lift.outputs()?;
        lift.settle_all();
        lift.supported()?;
        Ok(lift)
    }

    /// Finds what the model gives.
    fn outputs(&mut self) -> Result<()> {
        let graph = self.graph;
        for output in &graph.output {
            match self.values.get(&output.name) {
                Some(Value::Item(item)) => self.outputs.push((output.name.clone(), *item)),
                Some(Value::Unknown) => {}
                Some(Value::Const(_)) => {
                    return Err(unfit(format!("the output `{}` does not depend on the input", output.name)));
                }
                None => return Err(unfit(format!("the output `{}` is computed by no node", output.name))),
            }
        }
        if graph.output.is_empty() {
            return Err(unfit("the model has no output"));
        }
        Ok(())
    }

    fn input(&mut self, input: &ValueInfoProto, sizes: &Sizes) -> Result<()> {
        let wrong = |why: String| unfit(format!("the input `{}` {why}", input.name));
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let tensor = tensor.ok_or_else(|| wrong("is no tensor".into()))?;
        if !matches!(tensor.elem_type, dtype::FLOAT | dtype::FLOAT16 | dtype::DOUBLE | dtype::BFLOAT16) {
            return Err(wrong("does not hold floating-point numbers".into()));
        }
        let shape = tensor.shape.as_ref().ok_or_else(|| wrong("does not say its sizes".into()))?;
        if !(2..=4).contains(&shape.dim.len()) {
            return Err(wrong(format!("has {} axes; a network's has 2 to 4, the batch first", shape.dim.len())));
        }
        let mut dims = vec![BATCH];
        for (axis, dim) in shape.dim.iter().enumerate() {
            match (axis, dim.dim_value) {
                (0, batch) => self.batch = batch.filter(|&b| b > 0).or(self.batch),
                (_, Some(n)) if n > 0 => dims.push(usize::try_from(n).unwrap_or(usize::MAX)),
                (1, _) => return Err(wrong("does not say how many channels it has".into())),
                (axis, _) => dims.push(sizes.get(&free::key(&input.name, axis, dim)).copied().unwrap_or(1)),
            }
        }
        let shape = Shape::new(&dims[1..]);
        if shape.elements().is_none_or(|n| n > 1 << 40) {
            return Err(wrong("is too large".into()));
        }
        let op = Op::from(crate::ops::structure::Input { shape });
        self.now = usize::MAX;
        let id = self.push(Kind::Layer(op), Vec::new(), Vec::new(), dims);
        self.inputs.push((input.name.clone(), id));
        self.values.insert(input.name.clone(), Value::Item(id));
        Ok(())
    }

    /// Adds an item, made by the node that is read now.
    pub(super) fn push(
        &mut self,
        kind: Kind,
        inputs: Vec<usize>,
        params: Vec<(&'static str, Rc<Tensor>)>,
        dims: Vec<usize>,
    ) -> usize {
        let (path, classes) = match self.graph.node.get(self.now) {
            Some(node) => places::of(node, params.first().map(|(_, tensor)| tensor.name.as_str()), self.own),
            None => (None, Vec::new()),
        };
        self.items.push(Item { kind, inputs, params, dims, path, classes, node: self.now });
        self.items.len() - 1
    }

    /// Adds a layer, if its rule accepts its operands.
    pub(super) fn layer(
        &mut self,
        op: impl Into<Op>,
        inputs: Vec<usize>,
        params: Vec<(&'static str, Rc<Tensor>)>,
    ) -> std::result::Result<Value, Refused> {
        let op = op.into();
        let shapes: Vec<Shape> = inputs.iter().map(|&i| self.shape(i)).collect::<std::result::Result<_, _>>()?;
        let shapes: Vec<&Shape> = shapes.iter().collect();
        let shape = op.layer().infer(&shapes).map_err(|error| error.message(op.layer().kind(), &shapes))?;
        let specs = op.layer().params(&shapes);
        for (name, tensor) in &params {
            let spec = specs.iter().find(|spec| spec.name == *name);
            if spec.is_none_or(|spec| spec.dims != tensor.dims) {
                return Err(format!("`{}` is {:?}, which does not fit", tensor.name, tensor.dims));
            }
        }
        Ok(Value::Item(self.push(Kind::Layer(op), inputs, params, shape.with_batch(BATCH))))
    }

    /// Adds a piece of something larger.
    pub(super) fn raw(&mut self, raw: Raw, input: usize, dims: Vec<usize>) -> Value {
        Value::Item(self.push(Kind::Raw(raw), vec![input], Vec::new(), dims))
    }

    /// The shape of an item's value, batch first.
    pub(super) fn shape(&self, item: usize) -> std::result::Result<Shape, Refused> {
        let dims = &self.items[item].dims;
        match dims.split_first() {
            Some((&BATCH, rest)) if (1..=3).contains(&rest.len()) => Ok(Shape::new(rest)),
            _ => Err(format!("works on {}, whose first axis is not the batch alone", written(dims))),
        }
    }

    fn node(&mut self, node: &NodeProto) -> Result<()> {
        let find = |name: &String| match (name.is_empty(), self.values.get(name)) {
            (true, _) => Ok(None),
            (false, Some(value)) => Ok(Some(value.clone())),
            (false, None) => {
                let error = unfit(format!(
                    "{} reads `{name}`, which is no input, no initializer, and computed by no node before it",
                    title(node)
                ));
                Err(Help::help(
                    error,
                    "nodes must come after what they read, and every initializer must be in the file",
                ))
            }
        };
        let inputs: Vec<Option<Value>> = node.input.iter().map(find).collect::<std::result::Result<_, Box<Fault>>>()?;
        let value = self.value_of(node, &inputs);
        for (i, name) in node.output.iter().filter(|name| !name.is_empty()).enumerate() {
            if self.values.contains_key(name) {
                return Err(unfit(format!("`{name}` is computed twice")));
            }
            self.values.insert(name.clone(), if i == 0 { value.clone() } else { Value::Unknown });
        }
        Ok(())
    }

    fn value_of(&mut self, node: &NodeProto, inputs: &[Option<Value>]) -> Value {
        if inputs.iter().flatten().any(|value| matches!(value, Value::Unknown)) {
            return Value::Unknown;
        }
        let attrs = Attrs(&node.attribute);
        let constants: Vec<Option<&Tensor>> = inputs
            .iter()
            .map(|v| match v {
                Some(Value::Const(tensor)) => Some(tensor.as_ref()),
                _ => None,
            })
            .collect();
        let known = inputs.iter().flatten().all(|value| matches!(value, Value::Const(_)));
        if node.domain.is_empty()
            && known
            && let Some(tensor) = fold::fold(&node.op_type, &constants, &attrs)
        {
            // A weight that is only passed on keeps its name.
            let name = constants.first().copied().flatten().map(|t| t.name.clone()).unwrap_or_default();
            return fold::known(tensor.named(&name));
        }
        let made = match node.domain.as_str() {
            "" | "ai.onnx" if known && !inputs.is_empty() && node.op_type != "Shape" => {
                Err("computes with constants what is not computed here".into())
            }
            "" | "ai.onnx" => self.operator(&node.op_type, inputs, &attrs),
            domain => Err(format!("is of the domain `{domain}`")),
        };
        made.unwrap_or_else(|why| {
            let reads = inputs.iter().flatten().filter_map(|v| if let Value::Item(i) = v { Some(*i) } else { None });
            let reads = reads.collect();
            Value::Item(self.push(Kind::Raw(Raw::Unsupported(why)), reads, Vec::new(), Vec::new()))
        })
        .poisoned(self)
    }

    /// Refuses a model with pieces that became no layer; all of them at once.
    fn supported(&self) -> Result<()> {
        let mut alive = vec![false; self.items.len()];
        let refused = |id: &usize| matches!(&self.items[*id].kind, Kind::Raw(Raw::Unsupported(_)));
        let mut stack: Vec<usize> = (0..self.items.len()).filter(refused).collect();
        stack.extend(self.outputs.iter().map(|(_, item)| *item));
        while let Some(id) = stack.pop() {
            if !alive[id] {
                alive[id] = true;
                stack.extend(&self.items[id].inputs);
            }
        }
        let left = |(id, item): (usize, &Item)| match &item.kind {
            Kind::Raw(raw) if alive[id] => Some(self.complaint(item, raw)),
            _ => None,
        };
        let complaints: Vec<String> = self.items.iter().enumerate().filter_map(left).collect();
        let Some((first, rest)) = complaints.split_first() else { return Ok(()) };
        let error = Fault::new(codes::ONNX_UNSUPPORTED, first.clone());
        let error = rest.iter().take(30).fold(error, |error, why| error.note(why));
        let more = rest.len().saturating_sub(30);
        Err(Box::new(if more > 0 { error.note(format!("and {more} more")) } else { error }))
    }

    fn complaint(&self, item: &Item, raw: &Raw) -> String {
        let Some(node) = self.graph.node.get(item.node) else { return String::new() };
        let sizes: Vec<String> = item.inputs.iter().map(|&i| written(&self.items[i].dims)).collect();
        let why = match raw {
            Raw::Unsupported(why) => why.clone(),
            _ => "is no layer by itself, and does not make one with its neighbours".into(),
        };
        let on = if sizes.is_empty() { String::new() } else { format!(" on {}", sizes.join(" and ")) };
        format!("{}{on} {why}", title(node))
    }
}

impl Value {
    /// What an item without sizes gives is not known.
    fn poisoned(self, lift: &Lift) -> Self {
        match self {
            Self::Item(id) if lift.items[id].dims.is_empty() => Self::Unknown,
            value => value,
        }
    }
}

/// `Conv` at `/layer1/conv1/Conv`
fn title(node: &NodeProto) -> String {
    match node.name.is_empty() {
        true => format!("`{}`, which gives `{}`,", node.op_type, node.output.first().map_or("", String::as_str)),
        false => format!("`{}` at `{}`", node.op_type, node.name),
    }
}

/// `[N, 3, 224, 224]`
fn written(dims: &[usize]) -> String {
    let dim = |&d: &usize| if d == BATCH { "N".to_string() } else { d.to_string() };
    format!("[{}]", dims.iter().map(dim).collect::<Vec<_>>().join(", "))
}
