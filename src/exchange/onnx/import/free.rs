//! Sizes that the file leaves free, and whether they can stay so: the model is read at several, and must be the same.

use super::item::BATCH;
use super::net::Net;
use super::{Result, WORDS};
use crate::exchange::onnx::proto::{Dimension, GraphProto};
use crate::ops::Op;
use crate::ops::resize::{Upsample, UpsampleSize};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

/// Sizes by the file's own names for them.
pub type Sizes = BTreeMap<String, usize>;

/// How many other values of a size are enough.
const ENOUGH: usize = 4;

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
    /// The model.
    pub net: Net,
    /// Whether it is another than at the planned sizes; the text must then refuse this size.
    pub other: bool,
}

/// What a dimension's size is found by: the file's name for it, or its place.
pub fn key(input: &str, axis: usize, dim: &Dimension) -> String {
    match dim.dim_param.as_deref() {
        Some(name) if !name.is_empty() => name.into(),
        _ => format!("{input}.{axis}"),
    }
}

/// The free spatial sizes of the inputs.
pub fn of(graph: &GraphProto) -> Vec<Free> {
    let constant: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut found: Vec<Free> = Vec::new();
    for (i, input) in graph.input.iter().filter(|input| !constant.contains(input.name.as_str())).enumerate() {
        let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
        let dims = tensor.and_then(|t| t.shape.as_ref()).map_or(&[][..], |shape| &shape.dim);
        for (axis, dim) in dims.iter().enumerate().skip(2).filter(|(_, dim)| dim.dim_value.is_none_or(|n| n <= 0)) {
            let (key, place) = (key(&input.name, axis, dim), (i, axis - 1));
            match found.iter_mut().find(|free| free.key == key) {
                Some(free) => free.places.push(place),
                None => {
                    let name = unique(&found, name(dim, axis, dims.len()));
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

fn sizes(free: &[Free]) -> Sizes {
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
    for own in free {
        let at = |value: usize| {
            let mut sizes = sizes(free);
            sizes.insert(own.key.clone(), value);
            let other = read(&sizes).ok()?;
            let why = differs(net, &other);
            let sizes = BTreeMap::from([(own.name.clone(), value)]);
            Some((Probe { sizes, net: other, other: why.is_some() }, why))
        };
        let tried: Vec<_> = other_values(own.default).into_iter().filter_map(at).take(ENOUGH).collect();
        let none = || Some("the model works at no other size that was tried".to_string());
        if tried.iter().any(|(probe, _)| !probe.other) {
            kept.push(own.clone());
            probes.extend(tried.into_iter().map(|(probe, _)| probe));
        } else if let Some(why) = tried.into_iter().find_map(|(_, why)| why).or_else(none) {
            notes.push(format!("{} stays {}: {why}", own.name, own.default));
        }
    }
    if let Err(why) = state(net, &probes) {
        notes.extend(kept.iter().map(|own| format!("{} stays {}: {why}", own.name, own.default)));
        return (Vec::new(), Vec::new(), notes);
    }
    (kept, probes, notes)
}

/// Values worth trying: twice the planned one; near ones, which are rounded otherwise; multiples of what networks halve by.
fn other_values(default: usize) -> Vec<usize> {
    let near = [1, 4, 2, 32, 64, 16, 8].into_iter().map(|n| default.saturating_add(n));
    std::iter::once(default.saturating_mul(2)).chain(near).filter(|&n| n < BATCH).collect()
}

/// Where two readings of one model compute differently.
fn differs(a: &Net, b: &Net) -> Option<String> {
    if a.nodes.len() != b.nodes.len() {
        return Some("it decides which layers there are".into());
    }
    let changed = a.nodes.iter().zip(&b.nodes).find(|(x, y)| {
        let params = |n: &super::net::Node| n.params.iter().map(|(_, t)| t.dims.clone()).collect::<Vec<_>>();
        x.inputs != y.inputs || !alike(&x.op, &y.op) || params(x) != params(y)
    });
    changed.map(|(node, _)| format!("a `{}` is made by it", node.op.layer().kind()))
}

/// Whether two ops are the same at different sizes. What states a size outright may state another.
fn alike(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Input(_), Op::Input(_)) | (Op::Crop(_), Op::Crop(_)) => true,
        (Op::Reshape(x), Op::Reshape(y)) => x.dims.len() == y.dims.len(),
        (Op::Upsample(x), Op::Upsample(y)) => {
            let stated = matches!(x.size, UpsampleSize::Size(_)) || x.size == y.size;
            x.mode == y.mode && discriminant(&x.size) == discriminant(&y.size) && stated
        }
        _ => a == b,
    }
}

/// The sizes that an op states, and the axis of its operand that the first of them is about.
fn stated(op: &Op) -> Option<(&[usize], usize)> {
    match op {
        Op::Crop(crop) => Some((&crop.size, 1)),
        Op::Upsample(Upsample { size: UpsampleSize::Size(size), .. }) => Some((size, 1)),
        Op::Reshape(reshape) => Some((&reshape.dims, 0)),
        _ => None,
    }
}

/// Says sizes that change as they follow from the operand's.
fn state(net: &mut Net, probes: &[Probe]) -> std::result::Result<(), String> {
    for id in 0..net.nodes.len() {
        let Some((own, first)) = stated(&net.nodes[id].op) else { continue };
        let probes = || probes.iter().filter(|probe| !probe.other);
        let others = probes().filter_map(|probe| stated(&probe.net.nodes.get(id)?.op).map(|s| s.0));
        let all: Vec<&[usize]> = std::iter::once(own).chain(others).collect();
        if all.iter().all(|sizes| *sizes == own) {
            continue;
        }
        let Some(&operand) = net.nodes[id].inputs.first() else { continue };
        let dims = |net: &Net| net.nodes.get(operand).map(|node| node.shape.dims().to_vec());
        let from: Option<Vec<Vec<usize>>> =
            std::iter::once(dims(net)).chain(probes().map(|probe| dims(&probe.net))).collect();
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
    part.filter(|&n| all(&|w, f| f / n == w)).map(|n| format!("floor({name} / {n})"))
}
