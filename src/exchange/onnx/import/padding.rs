//! `Pad` and `Slice`: what is put around a map, and what is cut out of one.

use super::fold_places::axis;
use super::item::{Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, read};
use super::reader::{Read, Reader};
use super::refused::{Refused, at_ends, listed};
use crate::ops::resize::{Crop, Pad, PadMode, ZeroPad};

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("Pad", &[2, 11, 13, 18, 19, 21, 23, 24, 25], |lift, node| lift.pad(node)),
    read("Slice", &[1, 10, 11, 13], |lift, node| lift.slice(node)),
];

impl Lift<'_> {
    pub(super) fn pad(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let rank = self.items[x].dims.len();
        let theirs = amounts(node, rank)?;
        let (mode, word) = mode(node)?;
        let around: Vec<(i64, i64)> = match &turned {
            None => theirs,
            Some(perm) => (0..rank).filter_map(|a| theirs.get(perm.iter().position(|&p| p == a)?).copied()).collect(),
        };
        if around.iter().all(|&pair| pair == (0, 0)) {
            return self.turn_again(Value::Item(x), turned);
        }
        let Some(mode) = mode else {
            return Err(format!("has `mode` = \"{word}\"; the language's `pad` has zero, reflect and replicate").into());
        };
        let made = match around.as_slice() {
            [(0, 0), (0, 0), spatial @ ..] => self.padded_around(x, spatial, mode)?,
            [(0, 0), channels, spatial @ ..] if spatial.iter().all(|&pair| pair == (0, 0)) => {
                self.more_channels(x, *channels, mode)?
            }
            _ => {
                let how = at_ends(&around);
                return Err(
                    format!("pads {how}, batch or channels with others; the language's `pad` is around maps").into()
                );
            }
        };
        self.turn_again(made, turned)
    }

    /// Around the map; what is negative is cut off.
    fn padded_around(&mut self, x: usize, spatial: &[(i64, i64)], mode: PadMode) -> Made {
        let less = |n: i64| usize::try_from(-n).unwrap_or(0);
        let more = |n: i64| usize::try_from(n).unwrap_or(0);
        let cut: Vec<(usize, usize)> = spatial.iter().map(|&(a, b)| (less(a), less(b))).collect();
        let amount: Vec<(usize, usize)> = spatial.iter().map(|&(a, b)| (more(a), more(b))).collect();
        let (cuts, pads) = (cut.iter().any(|&c| c != (0, 0)), amount.iter().any(|&p| p != (0, 0)));
        if cuts && (mode != PadMode::Zero || cut.iter().any(|(a, b)| *b != *a && *b != a + 1)) {
            return Err(format!("pads {}: the language's `crop` keeps the middle", at_ends(spatial)).into());
        }
        let padded = match pads {
            true => self.layer(Pad { amount, mode }, vec![x], Vec::new())?,
            false => Value::Item(x),
        };
        match padded {
            Value::Item(id) if cuts => {
                let size = self.items[id]
                    .dims
                    .iter()
                    .skip(2)
                    .zip(&cut)
                    .map(|(&d, (a, b))| d.checked_sub(a + b).filter(|&d| d > 0));
                let size = size.collect::<Option<Vec<usize>>>().ok_or("cuts off all there is")?;
                self.layer(Crop { size }, vec![id], Vec::new())
            }
            padded => Ok(padded),
        }
    }

    /// Channels of zeros around a map, of which every s-th position may have been taken before.
    fn more_channels(&mut self, x: usize, (before, after): (i64, i64), mode: PadMode) -> Made {
        let item = self.items[x].clone();
        let (source, stride) = match &item.kind {
            Kind::Raw(Raw::Stride(stride)) => (item.inputs[0], stride.clone()),
            _ => (x, vec![1; item.dims.len() - 2]),
        };
        let both = usize::try_from(before).ok().zip(usize::try_from(after).ok());
        let centred = both.filter(|(before, after)| *before == (before + after) / 2 && mode == PadMode::Zero);
        let (before, after) = centred.ok_or_else(|| format!("adds {before} channels before and {after} behind"))?;
        self.layer(ZeroPad { width: item.dims[1] + before + after, stride }, vec![source], Vec::new())
    }

    pub(super) fn slice(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let dims = self.items[x].dims.clone();
        let order = turned.clone().unwrap_or_else(|| (0..dims.len()).collect());
        let theirs: Vec<usize> = order.iter().map(|&p| dims[p]).collect();
        let mut cut = Cut::of(&dims);
        for (place, part) in parts(node, theirs.len())? {
            cut.take(order[place], dims[order[place]], part)?;
        }
        let made = self.cut_out(x, &dims, cut)?;
        self.turn_again(made, turned)
    }

    fn cut_out(&mut self, x: usize, dims: &[usize], Cut { size, stride, centred }: Cut) -> Made {
        if size == dims {
            return Ok(Value::Item(x));
        }
        if stride.iter().any(|&s| s > 1) {
            // What is cut off another axis would be lost on the way.
            let uncut = |(d, (s, left)): (&usize, (&usize, &usize))| d.div_ceil(*s) == *left;
            if !dims.iter().zip(stride.iter().zip(&size)).all(uncut) {
                let why = format!(
                    "leaves {:?} of {:?}, some of it every few positions and some of it cut off, which is no one layer",
                    &size[1..],
                    &dims[1..]
                );
                return Err(Refused::from(why).help("two slices, the one with steps first: x[:, :, :, ::2][:, :, 1:5]"));
            }
            // One axis after another is both at once.
            let (mut stride, mut source) = (stride[2..].to_vec(), x);
            if let Kind::Raw(Raw::Stride(before)) = &self.items[x].kind {
                stride.iter_mut().zip(before).for_each(|(s, b)| *s = s.saturating_mul(*b));
                source = self.items[x].inputs[0];
            }
            return Ok(self.raw(Raw::Stride(stride), source, size));
        }
        match centred {
            true => self.layer(Crop { size: size[2..].to_vec() }, vec![x], Vec::new()),
            false => Err(format!(
                "leaves {:?} of {:?} and not the middle; the language's `crop` does",
                &size[1..],
                &dims[1..]
            )
            .into()),
        }
    }
}

/// What a `Pad` adds before and behind each axis.
fn amounts(node: &mut Reader, rank: usize) -> Read<Vec<(i64, i64)>> {
    let said = node.list("pads", 1, 11)?.ok_or("lacks its amounts")?;
    let axes = if node.version >= 18 { node.list("axes", 3, 18)? } else { None };
    let places: Option<Vec<usize>> = match &axes {
        None => Some((0..rank).collect()),
        Some(axes) => axes.iter().map(|&a| axis(a, rank)).collect(),
    };
    let fits = |places: &Vec<usize>| said.len() == 2 * places.len() && said.iter().all(|p| p.abs() < 1 << 24);
    let places = places.filter(fits).ok_or_else(|| {
        let axes = axes.as_deref().map_or("all axes".into(), |axes| format!("the axes {}", listed(Some(axes))));
        format!("has amounts {} for {axes} of {rank}", listed(Some(&said)))
    })?;
    let mut around = vec![(0, 0); rank];
    for (i, &place) in places.iter().enumerate() {
        around[place] = (said[i], said[i + places.len()]);
    }
    Ok(around)
}

/// What it is filled with, if the language knows it, and the file's word for that.
fn mode(node: &mut Reader) -> Read<(Option<PadMode>, String)> {
    let word = node.word("mode", "constant")?;
    let value = match node.version {
        ..11 => node.float("value", 0.0)?,
        _ => match node.constant(2, "value")?.filter(|tensor| tensor.len() > 0) {
            Some(tensor) => tensor.single().ok_or("is filled with several numbers")?,
            None => 0.0,
        },
    };
    if word == "constant" && value != 0.0 {
        return Err(Refused::from(format!("is filled with {value}; the language's `pad` fills with zeros")));
    }
    let mode = match word.as_str() {
        "constant" => Some(PadMode::Zero),
        "reflect" => Some(PadMode::Reflect),
        "edge" => Some(PadMode::Replicate),
        _ => None,
    };
    Ok((mode, word))
}

/// What a slice takes of an axis: from, to, and how far apart.
type Part = (i64, i64, i64);

/// What a slice takes of which axes.
fn parts(node: &mut Reader, rank: usize) -> Read<Vec<(usize, Part)>> {
    let starts = node.list("starts", 1, 10)?.ok_or("lacks its starts")?;
    let ends = node.list("ends", 2, 10)?.ok_or("lacks its ends")?;
    let axes = node.list("axes", 3, 10)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = if node.version < 10 { None } else { node.list("steps", 4, 10)? };
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    let part = |(i, &a): (usize, &i64)| Some((axis(a, rank)?, (*starts.get(i)?, *ends.get(i)?, *steps.get(i)?)));
    let parts: Option<Vec<(usize, Part)>> = axes.iter().enumerate().map(part).collect();
    parts.ok_or_else(|| format!("has axes {axes:?} of {rank}").into())
}

/// What a slice leaves: sizes, steps, and whether it is the middle.
struct Cut {
    size: Vec<usize>,
    stride: Vec<usize>,
    centred: bool,
}

impl Cut {
    fn of(dims: &[usize]) -> Self {
        Self { size: dims.to_vec(), stride: vec![1; dims.len()], centred: true }
    }

    fn take(&mut self, axis: usize, length: usize, (start, end, step): Part) -> Read<()> {
        let length = length as i64;
        let clamp = |n: i64| if n < 0 { n.saturating_add(length).max(0) } else { n.min(length) };
        let (from, to) = (clamp(start), clamp(end));
        if (from, to, step) == (0, length, 1) {
            return Ok(());
        }
        if axis < 2 {
            let what = if axis == 1 { "the language cannot split channels" } else { "the batch stays whole" };
            return Err(format!("takes {start} … {end} of axis {axis}: {what}").into());
        }
        if step < 1 || to <= from || (step > 1 && (from, to) != (0, length)) {
            return Err(format!("takes {start} … {end} by {step} of axis {axis}, which no layer does").into());
        }
        self.centred &= from == (length - (to - from)) / 2;
        (self.size[axis], self.stride[axis]) = (((to - from) as usize).div_ceil(step as usize), step as usize);
        Ok(())
    }
}
