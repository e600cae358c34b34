//! From a file's nodes to items: constants are folded, operators become layers.

use super::free::{self, Sizes};
use super::item::{BATCH, Item, Kind, Raw, Value};
use super::needed::Needed;
use super::operators::Params;
use super::reader::{Read, Reader};
use super::refused::{lacking, sizes_of};
use super::tensor;
use super::{Help, Result, doors, fold, places, reader, unfit, versions};
use crate::base::{Fault, codes};
use crate::exchange::onnx::proto::{
    EXTERNAL, GraphProto, NodeProto, TensorProto, TensorShapeProto, ValueInfoProto, dtype,
};
use crate::ops::Op;
use crate::shape::Shape;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

/// What is known of a file before its nodes are read.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// The opset that its operators are of.
    pub opset: i64,
    /// Whether archc wrote it.
    pub own: bool,
    /// The number that stands for the batch where the file computes with it.
    pub number: usize,
    /// The inputs that are taken with their channels first, where the file has them last.
    pub doors: BTreeSet<String>,
}

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
    /// Remarks for people.
    pub notes: Vec<String>,
    pub(super) form: &'m Form,
    needed: Needed,
    graph: &'m GraphProto,
    pub(super) now: usize,
}

/// Why a piece that is left is refused.
const ALONE: &str = "is no layer by itself, and does not make one with its neighbours";

impl<'m> Lift<'m> {
    /// The numbers of the file's initializers, as far as its outputs need them.
    ///
    /// # Errors
    /// `E0830` where they cannot be read, `E0832` where two have one name or two nodes compute one value.
    pub fn constants(graph: &GraphProto, folder: &Path) -> Result<BTreeMap<String, Value>> {
        let (needed, mut names) = (Needed::of(graph)?, BTreeSet::new());
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
        let mut all = BTreeMap::new();
        for proto in &graph.initializer {
            if !names.insert(&proto.name) {
                return Err(unfit(format!("there are two initializers `{}`", proto.name)));
            }
            if needed.value(&proto.name) {
                let (name, value) = read(proto)?;
                all.insert(name, value);
            }
        }
        Ok(all)
    }

    /// Reads what a graph's outputs need of it. `sizes` are those of dimensions that the file leaves free.
    ///
    /// # Errors
    /// `E0831` and `E0832`, as their pages say.
    pub fn read(graph: &'m GraphProto, form: &'m Form, values: BTreeMap<String, Value>, sizes: &Sizes) -> Result<Self> {
        let (needed, notes) = (Needed::of(graph)?, Vec::new());
        let (items, inputs, outputs, batch) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut lift = Self { values, items, inputs, outputs, batch, notes, form, needed, graph, now: 0 };
        // Older files list their initializers among the inputs.
        let stored: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        for input in &graph.input {
            if !stored.contains(input.name.as_str()) {
                lift.input(input, sizes)?;
            }
        }
        if lift.inputs.is_empty() {
            return Err(unfit("the model has no input"));
        }
        for (i, node) in graph.node.iter().enumerate() {
            lift.now = i;
            if lift.needed.node(i) {
                lift.node(node)?;
            }
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
                Some(&Value::Item(item)) => {
                    let item = self.door(&output.name, item);
                    self.outputs.push((output.name.clone(), item));
                }
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

    /// An output whose channels the file moves to the end last of all is given before that.
    fn door(&mut self, name: &str, item: usize) -> usize {
        let (map, Some(perm)) = self.before_turn(item) else { return item };
        if perm != doors::last(perm.len()) {
            return item;
        }
        let axes = |list: &[usize]| {
            list.iter().map(|&p| ["N", "C", "H", "W"].get(p).copied().unwrap_or("?")).collect::<Vec<_>>().join(", ")
        };
        let (theirs, ours) = (axes(&perm), axes(&(0..perm.len()).collect::<Vec<_>>()));
        let order: Vec<String> = perm.iter().map(usize::to_string).collect();
        self.notes.push(format!(
            "the output `{name}` is [{ours}], and [{theirs}] in the file: y.transpose({}) gives the file's",
            order.join(", ")
        ));
        map
    }

    fn input(&mut self, input: &ValueInfoProto, sizes: &Sizes) -> Result<()> {
        let wrong = |why: String| unfit(format!("the input `{}` {why}", input.name));
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let tensor = tensor.ok_or_else(|| wrong("is no tensor".into()))?;
        match tensor.elem_type {
            dtype::FLOAT => {}
            dtype::DOUBLE => self.half("double precision"),
            half @ (dtype::FLOAT16 | dtype::BFLOAT16) => self.half(&tensor::type_name(half)),
            _ => return Err(wrong("does not hold floating-point numbers".into())),
        }
        let shape = tensor.shape.as_ref().ok_or_else(|| wrong("does not say its sizes".into()))?;
        let batch = shape.dim.first().and_then(|dim| dim.dim_value).filter(|&b| b > 0);
        if let (Some(own), Some(before)) = (batch, self.batch)
            && own != before
        {
            return Err(wrong(format!("has a batch of {own}, and an input before it one of {before}")));
        }
        self.batch = batch.or(self.batch);
        let last = self.form.doors.contains(&input.name);
        let dims = input_dims(&input.name, shape, last, sizes).map_err(wrong)?;
        let (rank, op) = (dims.len(), Op::from(crate::ops::structure::Input { shape: Shape::new(&dims[1..]) }));
        self.now = usize::MAX;
        let id = self.push(Kind::Layer(op), Vec::new(), Vec::new(), dims);
        self.inputs.push((input.name.clone(), id));
        let value = match last {
            false => Value::Item(id),
            true => {
                self.notes.push(doors::note(&input.name, rank));
                self.turn(id, doors::last(rank)).map_err(|why| wrong(why.why))?
            }
        };
        self.values.insert(input.name.clone(), value);
        Ok(())
    }

    /// Adds an item, made by the node that is read now.
    pub(super) fn push(&mut self, kind: Kind, inputs: Vec<usize>, params: Params, dims: Vec<usize>) -> usize {
        let (path, classes) = match self.graph.node.get(self.now) {
            Some(node) => places::of(node, params.first().map(|(_, tensor)| tensor.name.as_str()), self.form.own),
            None => (None, Vec::new()),
        };
        self.items.push(Item { kind, inputs, params, dims, path, classes, node: self.now });
        self.items.len() - 1
    }

    /// Adds a layer, if its rule accepts its operands.
    pub(super) fn layer(&mut self, op: impl Into<Op>, inputs: Vec<usize>, params: Params) -> Read<Value> {
        let op = op.into();
        let shapes: Vec<Shape> = inputs.iter().map(|&i| self.shape(i)).collect::<Read<_>>()?;
        let shapes: Vec<&Shape> = shapes.iter().collect();
        let shape = op.layer().infer(&shapes).map_err(|error| error.message(op.layer().kind(), &shapes))?;
        let specs = op.layer().params(&shapes);
        for (name, tensor) in &params {
            let spec = specs.iter().find(|spec| spec.name == *name);
            if spec.is_none_or(|spec| spec.dims != tensor.dims) {
                let dims = sizes_of(&tensor.dims);
                return Err(format!("has `{}` as its {name}, whose sizes {dims} do not fit", tensor.name).into());
            }
        }
        Ok(Value::Item(self.push(Kind::Layer(op), inputs, params, shape.with_batch(BATCH))))
    }

    /// Adds a piece of something larger.
    pub(super) fn raw(&mut self, raw: Raw, input: usize, dims: Vec<usize>) -> Value {
        Value::Item(self.push(Kind::Raw(raw), vec![input], Vec::new(), dims))
    }

    /// The shape of an item's value, batch first.
    pub(super) fn shape(&self, item: usize) -> Read<Shape> {
        let dims = &self.items[item].dims;
        match dims.split_first() {
            Some((&BATCH, rest)) if (1..=3).contains(&rest.len()) => Ok(Shape::new(rest)),
            _ => Err(format!("works on {}, which is not [N, F], [N, C, L] or [N, C, H, W]", sizes_of(dims)).into()),
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
        let unknown = inputs.iter().flatten().any(|value| matches!(value, Value::Unknown));
        let values = if unknown { Vec::new() } else { self.values_of(node, inputs) };
        let values = values.into_iter().chain(std::iter::repeat(Value::Unknown));
        for (name, value) in node.output.iter().zip(values).filter(|(name, _)| !name.is_empty()) {
            if self.values.contains_key(name) {
                return Err(unfit(format!("`{name}` is computed twice, the second time by {}", title(node))));
            }
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    /// What a node gives; where it is not read, an item that says so.
    fn values_of(&mut self, node: &NodeProto, inputs: Vec<Option<Value>>) -> Vec<Value> {
        let reads = inputs.iter().flatten().filter_map(|v| if let Value::Item(i) = v { Some(*i) } else { None });
        let reads: Vec<usize> = reads.collect();
        let made = self.read_node(node, inputs);
        made.unwrap_or_else(|why| {
            self.push(Kind::Raw(Raw::Unsupported(why)), reads, Vec::new(), Vec::new());
            Vec::new()
        })
    }

    /// Reads a node, and refuses it where something of it was not asked for.
    fn read_node(&mut self, node: &NodeProto, inputs: Vec<Option<Value>>) -> Read<Vec<Value>> {
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(format!("is of the domain `{}`, whose operators are not read", node.domain).into());
        }
        let version = versions::meant(&node.op_type, self.form.opset)?.ok_or_else(|| lacking(&node.op_type))?;
        let known = inputs.iter().flatten().all(|value| matches!(value, Value::Const(_)));
        let mut reader = Reader::new(node, version, inputs)?;
        let made = if known { folded(&mut reader)? } else { vec![self.operator(&mut reader)?] };
        reader.finish(made.len(), &|name| self.needed.value(name))?;
        Ok(made)
    }

    /// Which items these are computed from, these as well.
    fn alive(&self, mut stack: Vec<usize>) -> Vec<bool> {
        let mut alive = vec![false; self.items.len()];
        while let Some(id) = stack.pop() {
            if !alive[id] {
                alive[id] = true;
                stack.extend(&self.items[id].inputs);
            }
        }
        alive
    }

    /// Refuses a model with pieces that became no layer; all of them at once. Pieces that only a refused node reads may make a
    /// layer with what it gives, and are not listed.
    fn supported(&self) -> Result<()> {
        let refused = |id: &usize| matches!(&self.items[*id].kind, Kind::Raw(Raw::Unsupported(_)));
        let read = self.alive((0..self.items.len()).filter(refused).collect());
        let alive = self.alive(self.outputs.iter().map(|(_, item)| *item).collect());
        // An input that is not turned in front is why its readers are refused.
        let cause = |id: usize| refused(&id) || (read[id] && self.graph.node.get(self.items[id].node).is_none());
        let left = self.items.iter().enumerate().filter_map(|(id, item)| match &item.kind {
            Kind::Raw(raw) if alive[id] || cause(id) => Some(self.complaint(item, raw)),
            Kind::Raw(_) | Kind::Layer(_) => None,
        });
        let complaints: Vec<(String, Option<&str>)> = left.collect();
        let Some(((first, help), rest)) = complaints.split_first() else { return Ok(()) };
        let error = Fault::new(codes::ONNX_UNSUPPORTED, first.clone());
        let error = help.iter().fold(error, |error, help| error.help(*help));
        let note = |(why, help): &(String, Option<&str>)| match help {
            Some(help) => format!("{why}; instead: {help}"),
            None => why.clone(),
        };
        let error = rest.iter().take(30).fold(error, |error, one| error.note(note(one)));
        let more = rest.len().saturating_sub(30);
        Err(Box::new(if more > 0 { error.note(format!("and {more} more")) } else { error }))
    }

    /// The file's node that an item was made from.
    pub fn title(&self, item: usize) -> String {
        let node = self.items.get(item).and_then(|item| self.graph.node.get(item.node));
        node.map_or_else(|| "an input".into(), title)
    }

    /// What is wrong with a piece that is left, and what to do instead.
    fn complaint<'r>(&self, item: &Item, raw: &'r Raw) -> (String, Option<&'r str>) {
        let Some(node) = self.graph.node.get(item.node) else {
            let at = self.items.iter().position(|other| std::ptr::eq(other, item));
            let reads = |other: &&Item| at.is_some_and(|at| other.inputs.contains(&at));
            let reader = self.items.iter().filter(reads).find_map(|other| self.graph.node.get(other.node)).map(title);
            let reader = reader.unwrap_or_else(|| "a layer".into());
            let why = format!("an input whose channels come last is read by {reader} before they are moved in front");
            return (why, None);
        };
        let sizes: Vec<String> = item.inputs.iter().map(|&i| sizes_of(&self.items[i].dims)).collect();
        let (why, help) = match raw {
            Raw::Unsupported(refused) => (refused.why.as_str(), refused.help.as_deref()),
            Raw::Norm(piece) => (piece.complaint().unwrap_or(ALONE), None),
            Raw::Affine { .. }
            | Raw::Erf
            | Raw::Transpose(_)
            | Raw::Flattened(_)
            | Raw::Left(_)
            | Raw::Right
            | Raw::Stride(_) => (ALONE, None),
        };
        // What it says, if the reason does not name it.
        let said: Vec<String> =
            node.attribute.iter().take(12).map(|a| format!("{} = {}", a.name, reader::shown(a))).collect();
        let named = node.attribute.is_empty() || node.attribute.iter().any(|a| why.contains(&format!("`{}`", a.name)));
        let with = if named { String::new() } else { format!(" ({})", said.join(", ")) };
        let on = if sizes.is_empty() { String::new() } else { format!(" on {}", sizes.join(" and ")) };
        (format!("{}{on} {why}{with}", title(node)), help)
    }
}

/// The sizes of an input in the order of the language; the file may have the channels `last`.
fn input_dims(
    name: &str,
    shape: &TensorShapeProto,
    last: bool,
    sizes: &Sizes,
) -> std::result::Result<Vec<usize>, String> {
    let axes = shape.dim.len();
    if !(2..=4).contains(&axes) {
        let axes = if axes == 1 { "1 axis".into() } else { format!("{axes} axes") };
        return Err(format!("has {axes}; a network's has 2 to 4, the batch first"));
    }
    let mut dims = vec![BATCH];
    for axis in free::order(axes, last) {
        let dim = &shape.dim[axis];
        match (dims.len(), dim.dim_value) {
            (_, Some(n)) if n > 0 => dims.push(usize::try_from(n).unwrap_or(usize::MAX)),
            (1, _) => return Err("does not say how many channels it has".into()),
            _ => dims.push(sizes.get(&free::key(name, axis, dim)).copied().unwrap_or(1)),
        }
    }
    match Shape::new(&dims[1..]).elements().is_some_and(|n| n <= 1 << 40) {
        true => Ok(dims),
        false => Err("is too large".into()),
    }
}

/// What is known of constants alone; a weight that is only passed on keeps its name.
fn folded(reader: &mut Reader) -> Read<Vec<Value>> {
    let name = match reader.operands().first() {
        Some(Some(Value::Const(first))) => first.name.clone(),
        _ => String::new(),
    };
    let made = fold::fold(reader)?;
    match made.is_empty() {
        true => Err("computes with constants what is not computed here".into()),
        false => Ok(made.into_iter().map(|tensor| fold::known(tensor.named(&name))).collect()),
    }
}

/// `Conv` at `/layer1/conv1/Conv`
pub(super) fn title(node: &NodeProto) -> String {
    match node.name.is_empty() {
        true => format!("`{}` that gives `{}`", node.op_type, node.output.first().map_or("", String::as_str)),
        false => format!("`{}` at `{}`", node.op_type, node.name),
    }
}
