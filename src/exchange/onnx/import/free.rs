//! Sizes that the file leaves free, and whether they can stay so: the model is read at several, and must be the same.

use super::item::BATCH;
use super::net::{Net, Node};
use super::tensor::Tensor;
use super::{Result, WORDS};
use crate::exchange::onnx::proto::{Dimension, GraphProto};
use crate::ops::{Family, Op};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Sizes by the file's own names for them.
pub type Sizes = BTreeMap<String, usize>;

/// What a free size is planned for where nobody says, and what is tried where the model does not work at that.
const PLANNED: [usize; 9] = [224, 256, 192, 128, 64, 32, 512, 100, 572];

/// A size that the file leaves free.
#[derive(Clone, Debug)]
pub struct Free {
    /// What the file calls it, or its place.
    key: String,
    /// What the model calls it.
    pub name: String,
    /// The inputs and axes, the batch not counted, that have it.
    pub places: Vec<(usize, usize)>,
    /// What it is planned for.
    pub default: usize,
}

/// The model at another value of a size.
pub struct Probe {
    /// The value, by the model's name.
    pub sizes: BTreeMap<String, usize>,
    /// The model; `None` where it is another than at the planned sizes or does not work, which the text must then refuse.
    pub net: Option<Net>,
}

/// What a dimension's size is found by: the file's name for it, or its place.
pub fn key(input: &str, axis: usize, dim: &Dimension) -> String {
    match dim.dim_param.as_deref() {
        Some(name) if !name.is_empty() => name.into(),
        _ => format!("{input}.{axis}"),
    }
}

/// The axes of an input in the order of the language, the batch left out; the file may have the channels `last`.
pub fn order(axes: usize, last: bool) -> Vec<usize> {
    if last { [axes - 1].into_iter().chain(1..axes - 1).collect() } else { (1..axes).collect() }
}

/// The free spatial sizes of the inputs, of which some have their channels last.
pub fn of(graph: &GraphProto, doors: &BTreeSet<String>) -> Vec<Free> {
    let constant: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut found: Vec<Free> = Vec::new();
    for (i, input) in graph.input.iter().filter(|input| !constant.contains(input.name.as_str())).enumerate() {
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let dims = tensor.and_then(|t| t.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
        let order = order(dims.len().max(2), doors.contains(&input.name));
        for (place, &axis) in order.iter().enumerate().skip(1) {
            let Some(dim) = dims.get(axis).filter(|dim| dim.dim_value.is_none_or(|n| n <= 0)) else { continue };
            let (key, place) = (key(&input.name, axis, dim), (i, place));
            match found.iter_mut().find(|free| free.key == key) {
                Some(free) => free.places.push(place),
                None => {
                    let name = unique(&found, name(dim, place.1 + 1, dims.len()));
                    found.push(Free { key, name, places: vec![place], default: 0 });
                }
            }
        }
    }
    found
}

/// `H`, of `H` or `4*_H`; by its place where the file's name is none, or one that a program made up.
fn name(dim: &Dimension, axis: usize, axes: usize) -> String {
    let mut words = dim.dim_param.as_deref().unwrap_or("").split(|c: char| !c.is_ascii_alphanumeric());
    let own = words.rfind(|w| w.starts_with(|c: char| c.is_ascii_alphabetic())).unwrap_or("");
    let made_up = own.len() > 8 || own.ends_with(|c: char| c.is_ascii_digit()) || WORDS.contains(&own) || own == "N";
    match (own.is_empty() || made_up, axes, axis) {
        (false, ..) => own.into(),
        (true, 3, _) => "L".into(),
        (true, _, 2) => "H".into(),
        _ => "W".into(),
    }
}

fn unique(found: &[Free], name: String) -> String {
    let numbered = (2..).map(|n| format!("{name}{n}"));
    let free = |name: &String| found.iter().all(|free| free.name != *name);
    std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or_default()
}

/// The model at the sizes that it is planned for, which are entered in `free`: those asked for, or the first at which it works.
///
/// # Errors
/// Those of the first sizes, where it works at none.
pub fn planned(free: &mut [Free], asked: &[usize], read: &dyn Fn(&Sizes) -> Result<Net>) -> Result<Net> {
    let mut first = None;
    for size in PLANNED {
        for free in free.iter_mut() {
            let axis = free.places.first().map_or(0, |place| place.1 - 1);
            free.default = asked.get(axis).or(asked.last()).copied().unwrap_or(size);
        }
        match read(&sizes(free)) {
            Ok(net) => return Ok(net),
            Err(error) if free.is_empty() || !asked.is_empty() => return Err(error),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| super::unfit("the model works at no size that was tried")))
}

/// The values that sizes are planned for, by the file's names.
pub fn sizes(free: &[Free]) -> Sizes {
    free.iter().map(|free| (free.key.clone(), free.default)).collect()
}

/// The sizes that can stay free, and the model at other values of them; `net` learns how sizes that it states follow from
/// others. A note for each size that cannot.
pub fn probed(
    net: &mut Net,
    free: &[Free],
    read: &dyn Fn(&Sizes) -> Result<Net>,
) -> (Vec<Free>, Vec<Probe>, Vec<String>) {
    let (mut kept, mut probes, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let why = |net: &Net, own: &[&Free], by: &dyn Fn(usize) -> usize| {
        let changed: Vec<(&&Free, usize)> = own.iter().map(|own| (own, by(own.default))).collect();
        let mut sizes = sizes(free);
        sizes.extend(changed.iter().map(|(own, value)| (own.key.clone(), *value)));
        let read = read(&sizes).map_err(|error| error.message.clone());
        let same = read.and_then(|other| differs(net, &other).map_or(Ok(other), |what| Err(what.by("it"))));
        let sizes = changed.iter().map(|(own, value)| (own.name.clone(), *value)).collect();
        match same {
            Ok(other) => (Probe { sizes, net: Some(other) }, None),
            Err(why) => (Probe { sizes, net: None }, Some(why)),
        }
    };
    for own in free {
        let tried: Vec<_> = other_values(own.default).into_iter().map(|value| why(net, &[own], &|_| value)).collect();
        if tried.iter().any(|(_, why)| why.is_none()) {
            kept.push(own.clone());
            probes.extend(tried.into_iter().map(|(probe, _)| probe));
        } else if let Some(why) = tried.into_iter().find_map(|(_, why)| why) {
            notes.push(format!("{} stays {}: {why}", own.name, own.default));
        }
    }
    if kept.len() > 1 {
        let all: Vec<&Free> = kept.iter().collect();
        probes.push(why(net, &all, &|default| default.saturating_mul(3)).0);
    }
    if let Err(why) = state(net, &probes) {
        notes.extend(kept.iter().map(|own| format!("{} stays {}: {why}", own.name, own.default)));
        return (Vec::new(), Vec::new(), notes);
    }
    (kept, probes, notes)
}

/// Values worth trying: twice the planned one; near ones, odd and even, which are rounded otherwise; multiples of what
/// networks halve by.
fn other_values(default: usize) -> Vec<usize> {
    let near = [1, 2, 3, 4, 32].into_iter().map(|n| default.saturating_add(n));
    let all = std::iter::once(default.saturating_mul(2)).chain(near).chain([default.saturating_sub(1).max(1)]);
    all.filter(|&n| n < BATCH && n != default).collect()
}

/// How two readings of one model differ.
pub enum Difference {
    /// There are other layers.
    Layers,
    /// One is made otherwise, or has other numbers: which.
    Layer(String),
}

impl Difference {
    /// In words, and what it depends on.
    pub fn by(&self, what: &str) -> String {
        match self {
            Self::Layers => format!("which layers there are is decided by {what}"),
            Self::Layer(layer) => format!("{layer}, is made by {what}"),
        }
    }

    /// In words, where only the size of the batch is another.
    pub fn by_batch(&self) -> String {
        const BATCH: &str = "the size of the batch, which the language leaves free";
        match self {
            Self::Layers => self.by(BATCH),
            Self::Layer(layer) => format!("{layer}, has numbers that follow from {BATCH}"),
        }
    }
}

/// Where two readings of one model compute differently.
pub fn differs(a: &Net, b: &Net) -> Option<Difference> {
    if a.nodes.len() != b.nodes.len() {
        return Some(Difference::Layers);
    }
    let changed = a
        .nodes
        .iter()
        .zip(&b.nodes)
        .find(|(x, y)| x.inputs != y.inputs || !x.op.same_but_sizes(&y.op) || !same_params(x, y));
    changed.map(|(node, _)| Difference::Layer(format!("{}, a `{}`", node.title, node.op.layer().kind())))
}

/// Whether two layers have the same numbers; those that follow from a size are others.
fn same_params(x: &Node, y: &Node) -> bool {
    let same = |p: &Rc<Tensor>, q: &Rc<Tensor>| p.dims == q.dims && (Rc::ptr_eq(p, q) || p.floats() == q.floats());
    x.params.len() == y.params.len() && x.params.iter().zip(&y.params).all(|((a, p), (b, q))| a == b && same(p, q))
}

/// The sizes that an op states, and the axis of its operand that the first of them is about.
fn stated(op: &Op) -> Option<(&[usize], usize)> {
    // A reshape says all axes after the batch, all others the spatial ones.
    let first = if op.family() == Family::View { 0 } else { 1 };
    Some((op.nature().sizes?, first))
}

/// Says sizes that change as they follow from the operand's.
fn state(net: &mut Net, probes: &[Probe]) -> std::result::Result<(), String> {
    for id in 0..net.nodes.len() {
        let Some((own, first)) = stated(&net.nodes[id].op) else { continue };
        let probes = || probes.iter().filter_map(|probe| probe.net.as_ref());
        let others = probes().filter_map(|other| stated(&other.nodes.get(id)?.op).map(|s| s.0));
        let all: Vec<&[usize]> = std::iter::once(own).chain(others).collect();
        if all.iter().all(|sizes| *sizes == own) {
            continue;
        }
        let Some(&operand) = net.nodes[id].inputs.first() else { continue };
        let dims = |net: &Net| net.nodes.get(operand).map(|node| node.shape.dims().to_vec());
        let from: Option<Vec<Vec<usize>>> = std::iter::once(dims(net)).chain(probes().map(dims)).collect();
        let column = |axis: usize| all.iter().map(|sizes| sizes.get(axis).copied()).collect::<Option<Vec<usize>>>();
        let changing = (0..own.len()).filter(|&axis| all.iter().any(|s| s.get(axis) != own.get(axis))).count();
        let open = changing == 1 && matches!(net.nodes[id].op, Op::Reshape(_));
        let text = |axis: usize| match column(axis)?.as_slice() {
            column if column.iter().all(|n| Some(n) == column.first()) => Some(column.first()?.to_string()),
            _ if open => Some("-1".into()),
            column => expression(column, from.as_ref()?, axis + first),
        };
        let texts: Option<Vec<String>> = (0..own.len()).map(text).collect();
        let kind = net.nodes[id].op.layer().kind();
        net.nodes[id].stated = Some(texts.ok_or_else(|| format!("what a `{kind}` makes of it cannot be said"))?);
    }
    Ok(())
}

/// How a size follows from the operand's: from that of one axis, or from all positions.
fn expression(wanted: &[usize], from: &[Vec<usize>], axis: usize) -> Option<String> {
    let names: &[&str] = match from.first()?.len() {
        1 => &["it.features"],
        2 => &["it.channels", "it.length"],
        _ => &["it.channels", "it.height", "it.width"],
    };
    let places = std::iter::once(axis).chain(0..names.len()).filter(|&place| place < names.len());
    let one = places.filter_map(|place| {
        let column: Vec<usize> = from.iter().map(|dims| dims.get(place).copied()).collect::<Option<_>>()?;
        rule(wanted, &column, names.get(place)?)
    });
    let area = || {
        let all: Vec<usize> = from.iter().map(|dims| dims.iter().skip(1).product()).collect();
        (names.len() == 3).then(|| rule(wanted, &all, "it.height * it.width"))?
    };
    one.into_iter().next().or_else(area)
}

/// `it.height - 3`
fn rule(wanted: &[usize], from: &[usize], name: &str) -> Option<String> {
    let (&w, &f) = (wanted.first()?, from.first()?);
    let all = |holds: &dyn Fn(usize, usize) -> bool| wanted.iter().zip(from).all(|(&w, &f)| holds(w, f));
    let times = w.checked_div(f).filter(|&n| n > 1);
    let part = f.checked_div(w).filter(|&n| n > 1);
    if all(&|w, f| w == f) {
        return Some(name.into());
    }
    if let Some(n) = times.filter(|&n| all(&|w, f| f.checked_mul(n) == Some(w))) {
        return Some(format!("{name} * {n}"));
    }
    if let Some(n) = part.filter(|&n| all(&|w, f| w.checked_mul(n) == Some(f))) {
        return Some(format!("{name} / {n}"));
    }
    let by = w.abs_diff(f);
    if all(&|x, y| (x > y) == (w > f) && x.abs_diff(y) == by) {
        return Some(format!("{name} {} {by}", if w > f { "+" } else { "-" }));
    }
    if let Some(n) = part.filter(|&n| all(&|w, f| f / n == w)) {
        return Some(format!("floor({name} / {n})"));
    }
    // Three halves, say, of a size that is even.
    let ratio =
        (2..=8).find(|&n| all(&|x, y| (x * n).is_multiple_of(y.max(1)) && x * n / y.max(1) == w * n / f.max(1)));
    ratio.map(|n| format!("{name} * {} / {n}", w * n / f.max(1)))
}
