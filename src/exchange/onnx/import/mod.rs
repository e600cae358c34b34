//! An ONNX file as an `.arch` file and its weights.
//!
//! The nodes that outputs need (`needed`) are read in their order, each by a `reader` that refuses what nobody asked for, in
//! the versions that are known (`versions`): constants are folded (`fold`), operators become layers (`operators` says where),
//! alone or together (`patterns`). Where channels come last, the order of axes is carried along (`turned`, `doors`). That is
//! done at several values of sizes that the file leaves free, to see which can stay so (`free`). The graph of layers (`net`)
//! becomes steps (`grow`): where its paths part and meet in pairs, skips and paths (`tree`), else values with names (`names`).
//! Modules that the file names become labelled groups (`labels`), in a file without names what occurs more than once
//! (`segments`); alike groups become blocks (`blocks`) and loops (`runs`). The text is compiled again, and its graph compared
//! node by node (`check`) before anything is handed out.

mod activations;
mod blocks;
mod check;
mod convs;
mod dequantize;
mod doors;
mod fold;
mod fold_places;
mod free;
mod grow;
mod item;
mod labels;
mod lift;
mod matrices;
mod names;
mod needed;
mod net;
mod norms;
mod operators;
mod order;
mod padding;
mod patterns;
mod places;
mod pooling;
mod reader;
mod refused;
mod resizing;
mod runs;
mod segments;
mod shapes;
mod slots;
mod store;
mod tensor;
mod text;
mod tree;
mod turned;
mod versions;
mod windows;
mod words;

use super::proto::{GraphProto, ModelProto};
use crate::base::nearest::meant;
use crate::base::{Fault, codes};
use crate::ops::Op;
use crate::tools::format::styled;
use free::{Free, Probe, Sizes};
use grow::Grower;
use item::{BATCH, Value};
use labels::{Labeller, Taken};
use lift::{Form, Lift};
use net::Net;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tree::Statement;

/// Results of this room.
pub type Result<T> = std::result::Result<T, Box<Fault>>;

/// Files larger than this are no ONNX files.
const MAX_BYTES: u64 = 1 << 31;

/// What to do besides reading.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// What the model is called; else as the file is.
    pub name: Option<String>,
    /// What spatial sizes that the file leaves free are planned for.
    pub size: Vec<usize>,
}

/// A model that came in.
#[derive(Debug)]
pub struct Imported {
    /// The `.arch` file.
    pub text: String,
    /// The weights as `.safetensors`.
    pub weights: Vec<u8>,
    /// Remarks for people.
    pub notes: Vec<String>,
}

fn unfit(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::new(codes::ONNX_UNFIT, message))
}

trait Help {
    fn help(self, text: &str) -> Self;
}

impl Help for Box<Fault> {
    fn help(self, text: &str) -> Self {
        Box::new((*self).help(text))
    }
}

/// Reads a model.
///
/// # Errors
/// `E0830` where the file cannot be read, `E0831` where it computes what no layer does, `E0832` where it is no network.
pub fn import(path: &Path, options: &ImportOptions) -> Result<Imported> {
    let model = decoded(path)?;
    let graph = model.graph.as_ref().ok_or_else(|| unreadable(path, "it holds no graph"))?;
    if let Some(function) = model.functions.first() {
        let message = format!("the model defines functions of its own, `{}` first", function.name);
        let error = Fault::new(codes::ONNX_UNSUPPORTED, message);
        return Err(Box::new(error.help("onnx.inliner.inline_local_functions(model)")));
    }
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |values| values.name.as_str());
        return Err(Box::new(Fault::new(codes::ONNX_UNSUPPORTED, format!("the weight `{name}` is stored sparsely"))));
    }
    let opset = opset(&model)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let constants = Lift::constants(graph, folder)?;
    let form = |doors: BTreeSet<String>| Form { opset, own: model.producer_name == "archc", number: BATCH, doors };
    let (straight, turned) = (form(BTreeSet::new()), form(doors::of(graph)));
    let read = |form: &Form| read(graph, form, &constants, options);
    let first = read(&straight);
    let (net, free, probes, fixed) = match first {
        Err(_) if !turned.doors.is_empty() => read(&turned)?,
        first => first?,
    };
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let class = net.nodes.iter().find_map(|node| node.classes.first().cloned()).filter(|c| !c.is_empty());
    let own = model.metadata_props.iter().find(|p| p.key == "model").map(|p| p.value.clone());
    let name = options.name.clone().or(own).unwrap_or_else(|| model_name(&stem, class.as_deref()));
    let producer = format!("{} {}", model.producer_name, model.producer_version);
    let file = path.file_name().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let head = format!("// Imported from {file}, written by {}.\n", producer.trim());
    let mut notes = net.notes.clone();
    notes.extend(net.shared());
    if !model.training_info.is_empty() {
        notes.push("what the file says about training is not read".into());
    }
    let mut imported = at_free_sizes(net, (&free, &probes), &head, &name)?;
    imported.notes.extend(fixed);
    imported.notes.extend(notes);
    Ok(Imported { text: styled(imported.text), ..imported })
}

/// A model, its sizes that stay free, what it is at others, and what is to be said of sizes that do not.
type Found = (Net, Vec<Free>, Vec<Probe>, Vec<String>);

fn read(
    graph: &GraphProto,
    form: &Form,
    constants: &BTreeMap<String, Value>,
    options: &ImportOptions,
) -> Result<Found> {
    let read = |sizes: &Sizes| Ok(Net::of(&Lift::read(graph, form, constants.clone(), sizes)?));
    let mut free = free::of(graph, &form.doors);
    let mut net = free::planned(&mut free, &options.size, &read)?;
    let other = Form { number: BATCH + 1, ..form.clone() };
    let at_planned = Net::of(&Lift::read(graph, &other, constants.clone(), &free::sizes(&free))?);
    if let Some(difference) = free::differs(&net, &at_planned) {
        return Err(Box::new(Fault::new(codes::ONNX_UNSUPPORTED, difference.by_batch())));
    }
    let (free, probes, fixed) = free::probed(&mut net, &free, &read);
    Ok((net, free, probes, fixed))
}

/// The opset that the file's operators are of.
fn opset(model: &ModelProto) -> Result<i64> {
    let own = || model.opset_import.iter().filter(|o| matches!(o.domain.as_str(), "" | "ai.onnx")).map(|o| o.version);
    let convert = "onnx.version_converter.convert_version(model, 17)";
    match (own().min(), own().max()) {
        (Some(first), Some(last)) if first != last => {
            Err(unfit(format!("the file says two opsets of its operators, {first} and {last}")))
        }
        (_, Some(opset)) if opset > versions::NEWEST => {
            let message =
                format!("the file is of opset {opset}, and operators are known up to opset {}", versions::NEWEST);
            Err(Help::help(Box::new(Fault::new(codes::ONNX_UNSUPPORTED, message)), convert))
        }
        (_, Some(opset)) => Ok(opset),
        _ => Err(unfit("the file does not say which opset its operators are of")
            .help("model.opset_import.append(onnx.helper.make_opsetid(\"\", 17))")),
    }
}

/// The text with its free sizes; with those that are planned for, where the model would be another at some that the text takes.
fn at_free_sizes(mut net: Net, (free, probes): (&[Free], &[Probe]), head: &str, name: &str) -> Result<Imported> {
    let written = |net: &Net, free: &[Free], probes: &[Probe]| {
        Text { net, inputs: input_names(net), free, probes, head, name }.written()
    };
    match written(&net, free, probes) {
        Err(error) if !free.is_empty() => {
            net.nodes.iter_mut().for_each(|node| node.stated = None);
            let mut imported = written(&net, &[], &[])?;
            let why = &error.message;
            imported.notes.extend(free.iter().map(|own| format!("{} stays {}: {why}", own.name, own.default)));
            Ok(imported)
        }
        written => written,
    }
}

fn unreadable(path: &Path, why: &str) -> Box<Fault> {
    Box::new(Fault::new(codes::ONNX_UNREADABLE, format!("`{}` cannot be read: {why}", path.display())))
}

/// The message that a file is.
fn decoded(path: &Path) -> Result<ModelProto> {
    let missing = |error: std::io::Error| {
        let report = *unreadable(path, &error.to_string());
        Box::new(meant(path).into_iter().fold(report, Fault::help))
    };
    let kind = std::fs::metadata(path).map_err(missing)?;
    if !kind.is_file() || kind.len() > MAX_BYTES {
        return Err(unreadable(path, if kind.is_dir() { "it is a folder" } else { "it is no ONNX file" }));
    }
    let bytes = prost::bytes::Bytes::from(std::fs::read(path).map_err(|e| unreadable(path, &e.to_string()))?);
    let refused = |otherwise: &str| {
        let why = match &*bytes {
            [] => "it is empty",
            [b'P', b'K', 3, 4, ..] => "it is a zip archive, as PyTorch's checkpoints are, and no ONNX file",
            [_, _, _, _, _, _, _, _, b'{', ..] => "it is no ONNX file; it looks like weights, a .safetensors file",
            _ => otherwise,
        };
        unreadable(path, why).help("torch.onnx.export(model, (example,), \"net.onnx\")")
    };
    match ModelProto::decode(bytes.clone()) {
        Ok(model) if model.graph.is_some() => Ok(model),
        Ok(_) => Err(refused("it holds no graph")),
        Err(error) => Err(refused(&format!("it is no whole ONNX file ({error})"))),
    }
}

/// A model's name: the file's, if it can be one, or its class's.
fn model_name(stem: &str, class: Option<&str>) -> String {
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let name: String = words.map(capital).collect();
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => name,
        false => class.unwrap_or("Net").to_string(),
    }
}

/// What a file is written from.
struct Text<'n> {
    net: &'n Net,
    /// What the inputs are called.
    inputs: Vec<String>,
    free: &'n [Free],
    probes: &'n [Probe],
    head: &'n str,
    name: &'n str,
}

impl Text<'_> {
    /// The text, in the form that reads best of those that give the same graph.
    fn written(&self) -> Result<Imported> {
        let (net, mut notes) = (self.net, Vec::new());
        let mut grower = Grower::new(net, true);
        if let Some(lines) = grower.all() {
            let labeller = Labeller::new(net);
            let mut grouped = labeller.body(lines, 0, &mut Taken::of(&self.inputs));
            if !labeller.knows() {
                segments::wrap(net, &mut grouped);
            }
            let targets = names::give(net, &self.inputs, &mut grouped, &grower.named);
            let order = order::of(&grouped);
            for folded in [true, false] {
                let (body, blocks) =
                    if folded { blocks::find(net, grouped.clone()) } else { (grouped.clone(), Vec::new()) };
                let text = self.said(&body, &blocks, &targets);
                let what = if folded { "blocks" } else { "groups" };
                match check::same(net, self.probes, &order, &text) {
                    Ok(paths) => return Ok(Imported { weights: store::bytes(net, &order, &paths), text, notes }),
                    Err(why) => notes.push(format!("{what} did not give the same network: {why}")),
                }
            }
        }
        let mut grower = Grower::new(net, false);
        let lines = grower.all();
        let mut lines = lines.ok_or_else(|| unfit(grower.left()))?;
        let targets = names::give(net, &self.inputs, &mut lines, &grower.named);
        let order = order::of(&lines);
        let text = self.said(&lines, &[], &targets);
        let paths = check::same(net, self.probes, &order, &text).map_err(|why| self.unsaid(&why))?;
        notes.push("no blocks were recovered: the file is one flat list of layers".into());
        Ok(Imported { weights: store::bytes(net, &order, &paths), text, notes })
    }

    /// Why no text gives the network.
    fn unsaid(&self, why: &str) -> Box<Fault> {
        let padded = self.net.nodes.iter().find(|node| matches!(node.op, Op::ZeroPad(_)));
        match padded.or(self.net.nodes.last()) {
            Some(node) if padded.is_some() => {
                let title = &node.title;
                let message = format!("{title} adds channels of zeros; the language has them only beside a skip");
                Box::new(Fault::new(codes::ONNX_UNSUPPORTED, message))
            }
            Some(node) => {
                unfit(format!("the model, which ends in {}, cannot be said in the language: {why}", node.title))
            }
            None => unfit(format!("the model cannot be said in the language: {why}")),
        }
    }

    fn said(&self, body: &[Statement], blocks: &[text::Block], targets: &BTreeMap<usize, String>) -> String {
        let net = self.net;
        let convs = || net.nodes.iter().filter_map(|n| if let Op::Conv(c) = &n.op { Some(c.bias) } else { None });
        let bias = convs().filter(|b| *b).count() * 2 >= convs().count();
        let mut sizes = BTreeSet::new();
        let inputs = (0..net.inputs.len()).map(|i| (net.inputs[i].1, self.declared(i, &mut sizes)));
        let inputs = inputs.collect();
        text::Writer { net, blocks, bias, inputs, targets }.file(self.head, self.name, body)
    }

    /// `input image [N, 3, H=224, W=224]`
    fn declared(&self, i: usize, sizes: &mut BTreeSet<String>) -> String {
        let (_, id) = &self.net.inputs[i];
        let dims = self.net.nodes[*id].shape.dims();
        let dim = |(axis, size): (usize, &usize)| match self.free.iter().find(|f| f.places.contains(&(i, axis))) {
            Some(free) if sizes.insert(free.name.clone()) => format!("{}={size}", free.name),
            Some(free) => free.name.clone(),
            None => size.to_string(),
        };
        let said: Vec<String> = dims.iter().enumerate().map(dim).collect();
        format!("input {} [N, {}]", self.inputs[i], said.join(", "))
    }
}

/// The language's own words, which cannot be names.
const WORDS: [&str; 26] = [
    "and", "block", "by", "else", "false", "fit", "for", "from", "if", "import", "in", "input", "it", "let", "long",
    "model", "not", "or", "output", "parallel", "repeat", "set", "skip", "train", "true", "via",
];

/// What the inputs are called, each by a name of its own.
fn input_names(net: &Net) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, id) in &net.inputs {
        let mut name = input_name(name, net.nodes[*id].shape.dims().len());
        while names.contains(&name) {
            name += "_";
        }
        names.push(name);
    }
    names
}

/// An input's name as the language can have it.
fn input_name(name: &str, axes: usize) -> String {
    let sound = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    match sound && !WORDS.contains(&name) {
        true => name.into(),
        false => if axes == 3 { "image" } else { "x" }.into(),
    }
}
