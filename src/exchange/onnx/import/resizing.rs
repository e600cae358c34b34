//! `Resize` and `Upsample`, and the `Gather` of what they would read.
//!
//! Files say in many ways which place of a map each place of the result is read at. Whatever the words, the places are
//! computed here as ONNX defines them, one by one, and compared with those that the language's `upsample` reads.

use super::item::Value;
use super::lift::Lift;
use super::operators::{Made, Operator, read};
use super::reader::{Read, Reader};
use super::refused::{Refused, lacking, listed};
use crate::ops::Op;
use crate::ops::resize::{Interpolation, Upsample, UpsampleSize};

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("Gather", &[1, 11, 13], |lift, node| lift.gather(node)),
    read("Resize", &[10, 11, 13, 18, 19], |lift, node| lift.resize(node)),
    read("Upsample", &[7, 9, -10], |lift, node| lift.resize(node)),
];

/// The largest size that is compared place by place.
const LARGEST: usize = 1 << 16;

/// How far places of linear interpolation may lie apart: what single precision makes of a ratio.
const NEAR: f64 = 1e-5;

/// The same as a share of the axis, far along which a ratio's rounding adds up.
const NEAR_END: f64 = 1e-7;

/// What an axis becomes.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: usize,
    to: usize,
    scale: f64,
}

/// What sizes may say of the batch: what it is fixed at, or the number that stands for it.
#[derive(Clone, Copy)]
struct Batch {
    fixed: Option<i64>,
    number: usize,
}

/// How a file says where a result is read.
struct Words {
    mode: String,
    coordinates: String,
    rounding: String,
}

impl Lift<'_> {
    pub(super) fn resize(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let dims = self.items[x].dims.clone();
        let order = turned.clone().unwrap_or_else(|| (0..dims.len()).collect());
        let theirs: Vec<usize> = order.iter().map(|&p| dims[p]).collect();
        let words = words(node)?;
        let found = axes(node, &theirs, Batch { fixed: self.batch, number: self.form.number })?;
        // In the map's own order.
        let all: Vec<Axis> =
            (0..dims.len()).filter_map(|a| found.get(order.iter().position(|&p| p == a)?).copied()).collect();
        let made = self.resized(x, &all, &words)?;
        self.turn_again(made, turned)
    }

    fn resized(&mut self, x: usize, all: &[Axis], words: &Words) -> Made {
        let same = |axis: &Axis| axis.from == axis.to && axis.scale == 1.0;
        if all.iter().all(|axis| same(axis) && words.stays(axis)) {
            return Ok(Value::Item(x));
        }
        let Some((outer, spatial)) = all.split_at_checked(2).filter(|(_, spatial)| matches!(spatial.len(), 1 | 2))
        else {
            return Err("resizes what is no map [N, C, L] or [N, C, H, W]".into());
        };
        if !outer.iter().all(same) {
            return Err("resizes the batch or the channels".into());
        }
        let mode = match words.mode.as_str() {
            "nearest" => Interpolation::Nearest,
            "linear" | "bilinear" => Interpolation::Bilinear,
            other => {
                return Err(format!(
                    "has `mode` = \"{other}\"; the language's `upsample` has \"nearest\" and \"bilinear\""
                )
                .into());
            }
        };
        if let Some(axis) = spatial.iter().find(|axis| !words.agrees(axis, mode)) {
            return Err(words.refusal(axis));
        }
        self.upsampled(x, &spatial.iter().map(|axis| axis.to).collect::<Vec<_>>(), mode)
    }

    /// A map brought to these sizes; by factors where they are multiples.
    fn upsampled(&mut self, x: usize, to: &[usize], mode: Interpolation) -> Made {
        let from = self.items[x].dims.get(2..).unwrap_or(&[]);
        let whole = from.iter().zip(to).map(|(from, to)| to.is_multiple_of(*from).then(|| to / from));
        let size = match whole.collect::<Option<Vec<usize>>>() {
            Some(factor) => UpsampleSize::Factor(factor),
            None => UpsampleSize::Size(to.to_vec()),
        };
        self.layer(Upsample { size, mode }, vec![x], Vec::new())
    }

    /// What nearest interpolation along other axes read, so that one along this axis and that are one.
    fn before_choice(&self, x: usize, axis: usize) -> usize {
        let item = &self.items[x];
        let Some(Op::Upsample(Upsample { mode: Interpolation::Nearest, .. })) = item.op() else { return x };
        let source = item.inputs[0];
        if self.items[source].dims[axis] == item.dims[axis] { source } else { x }
    }

    /// A choice of positions along an axis, where it is that of nearest interpolation.
    pub(super) fn gather(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let mut dims = self.items[x].dims.clone();
        let said = node.int("axis", 0)?;
        let places = node.weight(1, "list of places")?;
        let place = super::fold_places::axis(said, dims.len());
        let place = place.map(|a| turned.as_ref().and_then(|perm| perm.get(a)).copied().unwrap_or(a));
        let Some(axis) = place.filter(|&axis| axis >= 2 && places.dims.len() == 1 && dims.len() <= 4) else {
            return Err(lacking("Gather"));
        };
        let (from, to) = (dims[axis], places.len());
        let read = |place: i64| if place < 0 { place + from as i64 } else { place };
        let found = places.ints().unwrap_or_default();
        if to == 0 || !found.iter().map(|&i| read(i)).eq((0..to).map(|i| (i * from / to) as i64)) {
            let why = format!("chooses positions of axis {said} that are not those of nearest interpolation");
            return Err(Refused::from(why + ", which no layer does").help("F.interpolate(x, size=(h, w))"));
        }
        dims[axis] = to;
        let source = self.before_choice(x, axis);
        let made = match self.items[source].dims == dims {
            true => Value::Item(source),
            false => self.upsampled(source, &dims[2..], Interpolation::Nearest)?,
        };
        self.turn_again(made, turned)
    }
}

/// How the result is read. `Upsample`, and `Resize` before version 11, count from the first place, and round down.
fn words(node: &mut Reader) -> Read<Words> {
    let mode = node.word("mode", "nearest")?;
    if node.op() == "Upsample" || node.version < 11 {
        let rounding = if node.op() == "Upsample" { "floor" } else { "simple" };
        return Ok(Words { mode, coordinates: "asymmetric".into(), rounding: rounding.into() });
    }
    let coordinates = node.word("coordinate_transformation_mode", "half_pixel")?;
    let rounding = node.word("nearest_mode", "round_prefer_floor")?;
    if node.version >= 18 && node.flag("antialias")? {
        let why = "has `antialias` = 1; the language's `upsample` has none";
        return Err(Refused::from(why).help("F.interpolate(x, size, mode=\"bilinear\", antialias=False)"));
    }
    if node.flag("exclude_outside")? {
        return Err("has `exclude_outside` = 1, which the language's `upsample` does not know".into());
    }
    // About cubic interpolation and places outside of the map, both of which are refused.
    node.idle(&["cubic_coeff_a", "extrapolation_value"]);
    Ok(Words { mode, coordinates, rounding })
}

/// What each axis of the operand becomes, in the operand's order.
fn axes(node: &mut Reader, dims: &[usize], batch: Batch) -> Read<Vec<Axis>> {
    let rank = dims.len();
    let (scales, sizes) = amounts(node)?;
    let named = if node.version >= 18 { node.ints("axes")? } else { None };
    let places: Option<Vec<usize>> = match &named {
        None => Some((0..rank).collect()),
        Some(axes) => axes.iter().map(|&a| super::fold_places::axis(a, rank)).collect(),
    };
    let places = places.ok_or_else(|| format!("has `axes` = {}, and its operand {rank}", listed(named.as_deref())))?;
    let policy = if node.version >= 18 { node.word("keep_aspect_ratio_policy", "stretch")? } else { "stretch".into() };
    let mut all: Vec<Axis> = dims.iter().map(|&d| Axis { from: d, to: d, scale: 1.0 }).collect();
    let given = match (&scales, &sizes) {
        (Some(_), Some(_)) => return Err("has both scales and sizes".into()),
        (Some(given), None) | (None, Some(given)) if given.len() == places.len() => given,
        _ => {
            let (scales, sizes) = (listed(scales.as_deref()), listed(sizes.as_deref()));
            return Err(format!("has scales {scales} and sizes {sizes} for {} axes", places.len()).into());
        }
    };
    for (&place, &value) in places.iter().zip(given) {
        all[place] = match dims[place] {
            super::item::BATCH => batch.kept(value, scales.is_some())?,
            from => Axis::of(from, value, scales.is_some())?,
        };
    }
    let kept = places.iter().all(|&p| (all[p].scale - all[places[0]].scale).abs() < 1e-12);
    if sizes.is_some() && policy != "stretch" && !kept {
        return Err(format!(
            "has `keep_aspect_ratio_policy` = \"{policy}\"; the language's `upsample` takes sizes as they are"
        )
        .into());
    }
    Ok(all)
}

/// A number for each axis.
type Amounts = Option<Vec<f64>>;

/// Scales and sizes, of which one is left out.
fn amounts(node: &mut Reader) -> Read<(Amounts, Amounts)> {
    let upsample = node.op() == "Upsample";
    if upsample && node.version < 9 {
        return Ok((node.floats("scales")?, None));
    }
    if upsample || node.version < 11 {
        return Ok((numbers(node, 1, "scales")?, None));
    }
    // A region is read in one mode only, which is refused.
    node.constant(1, "roi")?;
    Ok((numbers(node, 2, "scales")?, numbers(node, 3, "sizes")?))
}

/// The numbers of an operand; none where it is left out or empty.
fn numbers(node: &mut Reader, i: usize, what: &str) -> Read<Option<Vec<f64>>> {
    let Some(tensor) = node.constant(i, what)?.filter(|tensor| tensor.len() > 0) else { return Ok(None) };
    // A scale is the number that single precision holds, not the one that it is short for.
    let exact = || tensor.floats().iter().map(|&v| f64::from(v)).collect();
    Ok(Some(if tensor.is_whole() { tensor.numbers().unwrap_or_default() } else { exact() }))
}

impl Batch {
    /// The batch's axis, which must stay as it is.
    fn kept(self, value: f64, scaled: bool) -> Read<Axis> {
        let same = match scaled {
            true => value == 1.0,
            false => value == self.number as f64 || self.fixed.is_some_and(|fixed| value == fixed as f64),
        };
        let from = super::item::BATCH;
        let of = self.fixed.map_or("a batch of any size".into(), |fixed| format!("a batch of {fixed}"));
        let why = match scaled {
            true => format!("scales {of} by {value}"),
            false => format!("makes a batch of {value} of {of}"),
        };
        match same {
            true => Ok(Axis { from, to: from, scale: 1.0 }),
            false => Err(Refused::from(why + "; the batch stays what it is").help("F.interpolate(x, size=(h, w))")),
        }
    }
}

impl Axis {
    /// By a scale, which results are rounded down from, or to a size.
    fn of(from: usize, value: f64, scaled: bool) -> Read<Self> {
        let to = if scaled { f64::from((from as f32 * value as f32).floor()) } else { value };
        let scale = if scaled { f64::from(value as f32) } else { value / from as f64 };
        match to >= 1.0 && to <= LARGEST as f64 && from <= LARGEST {
            true => Ok(Self { from, to: to as usize, scale }),
            false => Err(format!("makes {to} of {from} positions, which cannot be").into()),
        }
    }
}

impl Words {
    /// Where a place of the result is read; `None` for words that are not known.
    fn place(&self, i: usize, axis: &Axis, scale: f64) -> Option<f64> {
        self.place_from(i, axis, scale, (i as f64 + 0.5) / scale - 0.5)
    }

    /// The same with what single precision makes of halves, as ONNX Runtime has it.
    fn place_in_single(&self, i: usize, axis: &Axis) -> Option<f64> {
        self.place_from(i, axis, axis.scale, f64::from((i as f32 + 0.5) / axis.scale as f32 - 0.5))
    }

    /// From the place where the middle of a place of the result lies.
    fn place_from(&self, i: usize, axis: &Axis, scale: f64, half: f64) -> Option<f64> {
        let (x, from, to) = (i as f64, axis.from as f64, axis.to as f64);
        Some(match self.coordinates.as_str() {
            "half_pixel" => half,
            "pytorch_half_pixel" if axis.to > 1 => half,
            "pytorch_half_pixel" => 0.0,
            "half_pixel_symmetric" => from / 2.0 * (1.0 - to / (scale * from)) + half,
            "align_corners" if axis.to > 1 => x * (from - 1.0) / (to - 1.0),
            "align_corners" => 0.0,
            "asymmetric" => x / scale,
            "tf_half_pixel_for_nn" => half + 0.5,
            _ => return None,
        })
    }

    /// The nearest place in the map.
    fn nearest(&self, place: f64, axis: &Axis) -> Option<usize> {
        let rounded = match self.rounding.as_str() {
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            "simple" if axis.scale < 1.0 => place.ceil(),
            "simple" => place.floor(),
            _ => return None,
        };
        Some(rounded.clamp(0.0, (axis.from - 1) as f64) as usize)
    }

    /// Whether the language's layer reads each place of an axis where the file does.
    fn agrees(&self, axis: &Axis, mode: Interpolation) -> bool {
        let ratio = axis.to as f64 / axis.from as f64;
        let end = (axis.from - 1) as f64;
        (0..axis.to).all(|i| {
            let Some(place) = self.place(i, axis, axis.scale) else { return false };
            match mode {
                Interpolation::Nearest => {
                    // On the edge between two, exact numbers and rounded ones may read either.
                    let both = [Some(place), self.place_in_single(i, axis)];
                    both.into_iter().all(|at| at.and_then(|at| self.nearest(at, axis)) == Some(i * axis.from / axis.to))
                }
                Interpolation::Bilinear => {
                    let own = (i as f64 + 0.5) / ratio - 0.5;
                    (place.clamp(0.0, end) - own.clamp(0.0, end)).abs() < NEAR.max(NEAR_END * axis.from as f64)
                }
            }
        })
    }

    /// Whether an axis that keeps its size keeps its places.
    fn stays(&self, axis: &Axis) -> bool {
        let kept = |i: usize, place: f64| match self.mode.as_str() {
            "nearest" => self.nearest(place, axis) == Some(i),
            _ => place == i as f64,
        };
        axis.from == super::item::BATCH
            || (0..axis.to).all(|i| self.place(i, axis, 1.0).is_some_and(|place| kept(i, place)))
    }

    fn refusal(&self, axis: &Axis) -> Refused {
        let (from, to) = (axis.from, axis.to);
        let Self { mode, coordinates, rounding } = self;
        let exact = axis.scale * from as f64;
        if (exact - to as f64).abs() > 1e-3 {
            // As single precision has them, in which the file does.
            let (scale, exact) = (axis.scale as f32, exact as f32);
            let why = format!(
                "scales {from} positions by {scale} to {to}, which would be {exact}; the language's `upsample` reads evenly between both sizes"
            );
            return Refused::from(why).help("F.interpolate(x, scale_factor=s, recompute_scale_factor=True)");
        }
        let with = if mode == "nearest" { format!("`nearest_mode` = \"{rounding}\" and ") } else { String::new() };
        let why = format!(
            "makes {to} of {from} positions with `mode` = \"{mode}\", {with}`coordinate_transformation_mode` = \"{coordinates}\", which is another interpolation than the language's `upsample`"
        );
        match coordinates.as_str() {
            "align_corners" => {
                Refused::from(why).help("nn.Upsample(scale_factor=2, mode=\"bilinear\", align_corners=False)")
            }
            _ => why.into(),
        }
    }
}
