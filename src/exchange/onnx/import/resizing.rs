//! Operators that change sizes: pools, reshapes, resizing, padding and slices.

use super::attrs::Attrs;
use super::fold::known;
use super::item::{BATCH, Kind, Raw, Value};
use super::lift::{Lift, Refused};
use super::operators::{Made, Window};
use super::tensor::Tensor;
use crate::ops::Op;
use crate::ops::norm::{GroupNorm, LayerNorm};
use crate::ops::pool::{AdaptiveAvgPool, AvgPool, GlobalPool, MaxPool};
use crate::ops::resize::{Crop, Interpolation, Pad, PadMode, Upsample, UpsampleSize, ZeroPad};
use crate::ops::structure::{Flatten, Reshape};
use std::rc::Rc;

impl Lift<'_> {
    /// `Shape`: known, but for the batch, whose stand-in it holds.
    pub(super) fn sizes_of(&mut self, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let dims = match inputs.first() {
            Some(Some(Value::Item(x))) => self.items[*x].dims.clone(),
            Some(Some(Value::Const(tensor))) => tensor.dims.clone(),
            _ => return Err("lacks its operand".into()),
        };
        let rank = dims.len() as i64;
        let clamp = |n: i64| (if n < 0 { n + rank } else { n }).clamp(0, rank) as usize;
        let (start, end) = (clamp(attrs.int("start", 0)), clamp(attrs.int("end", rank)));
        let part = dims.get(start..end).unwrap_or(&[]);
        Ok(known(Tensor::whole(part.iter().map(|&d| d as i64).collect())))
    }

    pub(super) fn global(&mut self, max: bool, x: usize) -> Made {
        self.layer(GlobalPool { max }, vec![x], Vec::new())
    }

    pub(super) fn reduce(&mut self, max: bool, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let rank = self.items[x].dims.len() as i64;
        let axes = match inputs.get(1).cloned().flatten() {
            Some(Value::Const(axes)) => axes.ints(),
            _ => attrs.ints("axes"),
        };
        let mut axes: Vec<i64> = axes.unwrap_or_default().iter().map(|&a| if a < 0 { a + rank } else { a }).collect();
        axes.sort_unstable();
        if axes.is_empty() || axes != (2..rank).collect::<Vec<_>>() {
            return Err(format!("is over the axes {axes:?}; a global pool is over all but batch and channels"));
        }
        match (self.global(max, x)?, attrs.int("keepdims", 1)) {
            (Value::Item(pooled), 0) => self.layer(Flatten {}, vec![pooled], Vec::new()),
            (pooled, _) => Ok(pooled),
        }
    }

    pub(super) fn pool(&mut self, op: &str, x: usize, attrs: &Attrs) -> Made {
        let kernel = attrs.ints("kernel_shape").unwrap_or_default();
        let kernel: Option<Vec<usize>> = kernel.iter().map(|&k| usize::try_from(k).ok()).collect();
        let window = self.window(x, kernel.ok_or("has a window that cannot be")?, attrs)?;
        let pads = self.pads(x, &window, attrs)?;
        let mut ceil = attrs.int("ceil_mode", 0) != 0;
        if window.kernel.iter().chain(&window.stride).all(|&n| n == 1) && pads.iter().all(|&p| p == (0, 0)) {
            return Ok(Value::Item(x));
        }
        let spatial = self.items[x].dims.get(2..).unwrap_or(&[]).to_vec();
        let whole = window.kernel == spatial && pads.iter().all(|&p| p == (0, 0));
        if whole && op == "AveragePool" {
            return self.global(false, x);
        }
        // More padding at the end than at the start is how a size that was rounded up is written down.
        if pads.iter().any(|(a, b)| a != b) {
            let up = (0..spatial.len()).all(|i| reaches(&window, i, spatial[i], pads[i]));
            let counted = op == "AveragePool" && attrs.int("count_include_pad", 0) != 0;
            if !up || counted {
                return Err("has uneven padding".into());
            }
            ceil = true;
        }
        let pad: Vec<usize> = pads.iter().map(|&(a, _)| a).collect();
        if window.kernel.iter().zip(&pad).any(|(k, p)| *p > k / 2) {
            return Err("has padding of more than half its window".into());
        }
        let Window { kernel, stride, dilation } = window;
        if op == "MaxPool" {
            return self.layer(MaxPool { kernel, stride, pad, dilation, ceil }, vec![x], Vec::new());
        }
        if dilation.iter().any(|&d| d != 1) {
            return Err("has a dilation".into());
        }
        let count_pad = pad.iter().all(|&p| p == 0) || attrs.int("count_include_pad", 0) != 0;
        self.layer(AvgPool { kernel, stride, pad, ceil, count_pad }, vec![x], Vec::new())
    }

    /// Other axes over the same elements; the batch must stay what it is.
    pub(super) fn reshaped(&mut self, op: &str, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let from = self.items[x].dims.clone();
        let rank = from.len() as i64;
        let given = match inputs.get(1).cloned().flatten() {
            Some(Value::Const(tensor)) => tensor.ints(),
            Some(_) => return Err("has sizes that are computed from values".into()),
            None => attrs.ints(if op == "Reshape" { "shape" } else { "axes" }),
        };
        let at = |axis: i64, rank: i64| usize::try_from(if axis < 0 { axis + rank } else { axis }).ok();
        let to: Option<Vec<usize>> = match op {
            "Flatten" if attrs.int("axis", 1) == 1 => Some(vec![BATCH, from[1..].iter().product()]),
            "Flatten" => None,
            "Reshape" => self.target(&from, &given.ok_or("has no sizes")?, attrs.int("allowzero", 0) != 0),
            "Squeeze" => {
                let ones = || (0..rank).filter(|&i| from[i as usize] == 1).collect();
                let axes: Option<Vec<usize>> = given.unwrap_or_else(ones).iter().map(|&a| at(a, rank)).collect();
                axes.filter(|axes| axes.iter().all(|&a| from.get(a) == Some(&1)))
                    .map(|axes| (0..from.len()).filter(|i| !axes.contains(i)).map(|i| from[i]).collect())
            }
            _ => {
                let axes = given.ok_or("has no axes")?;
                let total = rank + axes.len() as i64;
                let mut axes: Vec<usize> = axes.iter().filter_map(|&a| at(a, total)).collect();
                axes.sort_unstable();
                let mut dims = from.clone();
                axes.iter().for_each(|&a| dims.insert(a.min(dims.len()), 1));
                Some(dims)
            }
        };
        let to = to.filter(|to| to.first() == Some(&BATCH)).ok_or("changes the batch")?;
        self.with_dims(x, to)
    }

    /// The sizes that a reshape asks for, `-1` found and the batch recognised.
    fn target(&self, from: &[usize], asked: &[i64], zero: bool) -> Option<Vec<usize>> {
        let rest: u64 = from.get(1..)?.iter().map(|&d| d as u64).product();
        let read = |(i, &d): (usize, &i64)| match d {
            0 if !zero => from.get(i).map(|&d| d as i64),
            d if i == 0 && Some(d) == self.batch && d != -1 => Some(BATCH as i64),
            d => Some(d),
        };
        let mut dims: Vec<i64> = asked.iter().enumerate().map(read).collect::<Option<_>>()?;
        if dims.first() == Some(&-1) && dims.iter().skip(1).all(|&d| d > 0) {
            dims[0] = BATCH as i64;
        }
        let known =
            dims.iter().skip(1).filter(|&&d| d != -1).try_fold(1u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?))?;
        if dims.first() != Some(&(BATCH as i64)) || known == 0 {
            return None;
        }
        if let Some(open) = dims.iter().position(|&d| d == -1) {
            dims[open] = i64::try_from(rest / known).ok()?;
        }
        let found: Vec<usize> = dims.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<_>>()?;
        (found[1..].iter().map(|&d| d as u64).product::<u64>() == rest).then_some(found)
    }

    fn with_dims(&mut self, x: usize, to: Vec<usize>) -> Made {
        let from = self.items[x].clone();
        if from.dims == to {
            return Ok(Value::Item(x));
        }
        if let Some(made) = self.ungrouped(x, &to) {
            return made;
        }
        // A reshape of a reshape is one.
        let x = match from.op() {
            Some(Op::Reshape(_)) => from.inputs[0],
            _ => x,
        };
        if self.items[x].dims == to {
            return Ok(Value::Item(x));
        }
        match to.get(1..) {
            Some([_]) => self.layer(Flatten {}, vec![x], Vec::new()),
            Some(dims) => self.layer(Reshape { dims: dims.to_vec() }, vec![x], Vec::new()),
            None => Err("gives no sizes".into()),
        }
    }

    /// Groups made channels of an instance norm, and channels again: a group norm.
    fn ungrouped(&mut self, x: usize, to: &[usize]) -> Option<Made> {
        let norm = self.items[x].clone();
        let Some(Op::InstanceNorm(op)) = norm.op() else { return None };
        let folded = self.items[norm.inputs[0]].clone();
        let before = *folded.inputs.first()?;
        let same = matches!(folded.op(), Some(Op::Reshape(_))) && self.items[before].dims == to;
        let plain = |name: &str, value: f32| {
            norm.params.iter().any(|(n, t)| *n == name && t.floats().iter().all(|&v| v == value))
        };
        let groups = folded.dims.get(1).copied()?;
        let sound = same && plain("weight", 1.0) && plain("bias", 0.0) && to.get(1)?.is_multiple_of(groups);
        sound.then(|| self.layer(GroupNorm { groups, eps: op.eps, affine: false }, vec![before], Vec::new()))
    }

    pub(super) fn transpose(&mut self, x: usize, attrs: &Attrs) -> Made {
        let item = self.items[x].clone();
        let rank = item.dims.len();
        let reversed = || (0..rank as i64).rev().collect();
        let perm = attrs.ints("perm").unwrap_or_else(reversed);
        let perm: Vec<usize> = perm
            .iter()
            .map(|&p| usize::try_from(p).ok().filter(|&p| p < rank))
            .collect::<Option<_>>()
            .ok_or("has axes that cannot be")?;
        if perm.len() != rank {
            return Err("has axes that cannot be".into());
        }
        let dims: Vec<usize> = perm.iter().map(|&p| item.dims[p]).collect();
        if perm.iter().enumerate().all(|(i, &p)| i == p) {
            return Ok(Value::Item(x));
        }
        let back: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
        if let Kind::Raw(Raw::NormLast(eps)) = item.kind {
            let before = &self.items[item.inputs[0]];
            if let (Kind::Raw(Raw::Transpose(there)), true) = (&before.kind, perm == back) {
                let inverse = (0..rank).all(|i| there[perm[i]] == i);
                if inverse {
                    let source = before.inputs[0];
                    return self.layer(LayerNorm { eps, affine: true }, vec![source], item.params);
                }
            }
        }
        if let Kind::Raw(Raw::Transpose(before)) = &item.kind
            && perm.iter().enumerate().all(|(i, &p)| before[p] == i)
        {
            return Ok(Value::Item(item.inputs[0]));
        }
        Ok(self.raw(Raw::Transpose(perm), x, dims))
    }

    pub(super) fn times_left(&mut self, x: usize, matrix: Rc<Tensor>) -> Made {
        let mut dims = self.items[x].dims.clone();
        let place = dims.len().checked_sub(2).ok_or("has too few axes")?;
        if matrix.dims[1] != dims[place] {
            return Err("multiplies a matrix that does not fit".into());
        }
        dims[place] = matrix.dims[0];
        Ok(self.raw(Raw::Left(matrix), x, dims))
    }

    /// After a matrix from the left, both of means: an adaptive pool.
    pub(super) fn times_right(&mut self, x: usize, matrix: Rc<Tensor>) -> Made {
        let item = self.items[x].clone();
        let mut dims = item.dims.clone();
        let &[from, to] = matrix.dims.as_slice() else { return Err("multiplies no matrix".into()) };
        if dims.last() != Some(&from) {
            return Err("multiplies a matrix that does not fit".into());
        }
        let turned = super::fold::transposed(&matrix, from, to);
        if dims.len() == 3 && are_means(&turned) {
            return self.layer(AdaptiveAvgPool { size: vec![to] }, vec![x], Vec::new());
        }
        if let Kind::Raw(Raw::Left(rows)) = &item.kind
            && dims.len() == 4
            && are_means(rows)
            && are_means(&turned)
        {
            let size = vec![rows.dims[0], to];
            return self.layer(AdaptiveAvgPool { size }, vec![item.inputs[0]], Vec::new());
        }
        let last = dims.len() - 1;
        dims[last] = to;
        Ok(self.raw(Raw::Right, x, dims))
    }

    pub(super) fn resize(&mut self, op: &str, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let dims = self.items[x].dims.clone();
        let (sizes, factor) = resized(op, &dims, inputs, attrs).ok_or("has sizes that are not known")?;
        let axes = dims.len().saturating_sub(2);
        if sizes.len() != axes || sizes.contains(&0) || sizes.iter().any(|&s| s > 1 << 24) {
            return Err("has sizes that cannot be".into());
        }
        let exact = || {
            let each = dims.iter().skip(2).zip(&sizes).map(|(&d, &s)| s.is_multiple_of(d).then(|| s / d));
            each.collect::<Option<Vec<usize>>>()
        };
        let factor = factor.or_else(exact);
        let coordinates = attrs.word("coordinate_transformation_mode");
        let (mode, rounding) = (attrs.word("mode"), attrs.word("nearest_mode"));
        // Whole factors give the same samples under both ways to count.
        let even = matches!((coordinates.as_str(), rounding.as_str()), ("asymmetric", "floor"))
            || (op == "Upsample")
            || (factor.is_some()
                && coordinates == "half_pixel"
                && matches!(rounding.as_str(), "" | "round_prefer_floor"));
        let halves = matches!(coordinates.as_str(), "" | "half_pixel")
            || (coordinates == "pytorch_half_pixel" && sizes.iter().all(|&s| s > 1));
        let mode = match mode.as_str() {
            "nearest" | "" if even => Interpolation::Nearest,
            "linear" if halves && op == "Resize" => Interpolation::Bilinear,
            _ => return Err(format!("interpolates as `{mode}` with coordinates `{coordinates}`, which no layer does")),
        };
        let size = factor.map_or(UpsampleSize::Size(sizes), UpsampleSize::Factor);
        self.layer(Upsample { size, mode }, vec![x], Vec::new())
    }

    pub(super) fn pad(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let item = self.items[x].clone();
        let rank = item.dims.len();
        let amounts = amounts(inputs, attrs, rank).ok_or("has amounts that cannot be read")?;
        let value = match inputs.get(2).cloned().flatten() {
            Some(Value::Const(tensor)) => tensor.single().unwrap_or(f64::NAN),
            _ => attrs.float("value", 0.0),
        };
        let mode = match attrs.word("mode").as_str() {
            "" | "constant" if value == 0.0 => PadMode::Zero,
            "reflect" => PadMode::Reflect,
            "edge" => PadMode::Replicate,
            _ => return Err("is filled with something else than zeros".into()),
        };
        let pair = |i: usize| (amounts[i], amounts[i + rank]);
        let around = (2..rank).map(pair).collect::<Vec<_>>();
        let nothing = around.iter().all(|&p| p == (0, 0));
        if pair(0) == (0, 0) && nothing && pair(1) != (0, 0) {
            let (before, after) = pair(1);
            let (source, stride) = match &item.kind {
                Kind::Raw(Raw::Stride(stride)) => (item.inputs[0], stride.clone()),
                _ => (x, vec![1; rank - 2]),
            };
            let width = item.dims[1] + before + after;
            let centred = before == (before + after) / 2 && mode == PadMode::Zero;
            return match centred {
                true => self.layer(ZeroPad { width, stride }, vec![source], Vec::new()),
                false => Err("adds channels unevenly".into()),
            };
        }
        match pair(0) == (0, 0) && pair(1) == (0, 0) {
            true if nothing => Ok(Value::Item(x)),
            true => self.layer(Pad { amount: around, mode }, vec![x], Vec::new()),
            false => Err("pads batch or channels".into()),
        }
    }

    pub(super) fn slice(&mut self, x: usize, inputs: &[Option<Value>], attrs: &Attrs) -> Made {
        let dims = self.items[x].dims.clone();
        let Cut { size, stride, centred } = cut(&dims, inputs, attrs)?;
        if size == dims {
            return Ok(Value::Item(x));
        }
        if stride.iter().any(|&s| s > 1) {
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
            false => Err("cuts out a part that is not the middle".into()),
        }
    }
}

/// What a slice leaves: sizes, steps, and whether it is the middle.
struct Cut {
    size: Vec<usize>,
    stride: Vec<usize>,
    centred: bool,
}

fn cut(dims: &[usize], inputs: &[Option<Value>], attrs: &Attrs) -> Result<Cut, Refused> {
    let list = |i: usize, name: &str| match inputs.get(i).cloned().flatten() {
        Some(Value::Const(tensor)) => tensor.ints(),
        Some(_) => None,
        None => attrs.ints(name),
    };
    let starts = list(1, "starts").ok_or("starts at a computed place")?;
    let ends = list(2, "ends").ok_or("ends at a computed place")?;
    let axes = list(3, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(4, "steps").unwrap_or_else(|| vec![1; starts.len()]);
    let mut cut = Cut { size: dims.to_vec(), stride: vec![1; dims.len()], centred: true };
    for (i, &axis) in axes.iter().enumerate() {
        let axis = usize::try_from(if axis < 0 { axis + dims.len() as i64 } else { axis }).ok();
        let (Some(axis), Some(&start), Some(&end), Some(&step)) =
            (axis.filter(|&a| a < dims.len()), starts.get(i), ends.get(i), steps.get(i))
        else {
            return Err("has axes that cannot be".into());
        };
        let length = dims[axis] as i64;
        let clamp = |n: i64| if n < 0 { n.saturating_add(length).max(0) } else { n.min(length) };
        let (start, end) = (clamp(start), clamp(end));
        if step < 1 || end <= start || (step > 1 && (start, end) != (0, length)) {
            return Err("cuts out what no layer does".into());
        }
        if axis < 2 && (start, end, step) != (0, length, 1) {
            return Err("cuts batch or channels apart".into());
        }
        cut.centred &= start == (length - (end - start)) / 2;
        (cut.size[axis], cut.stride[axis]) = (((end - start) as usize).div_ceil(step as usize), step as usize);
    }
    Ok(cut)
}

/// What a `Pad` adds: before each axis, then behind each.
fn amounts(inputs: &[Option<Value>], attrs: &Attrs, rank: usize) -> Option<Vec<usize>> {
    let amounts = match inputs.get(1).cloned().flatten() {
        Some(Value::Const(tensor)) => tensor.ints(),
        _ => attrs.ints("pads"),
    };
    let amounts: Vec<usize> = amounts?.iter().map(|&p| usize::try_from(p).ok()).collect::<Option<_>>()?;
    (amounts.len() == 2 * rank && amounts.iter().all(|&p| p < 1 << 24)).then_some(amounts)
}

/// The sizes that an interpolation gives, and its factor where that is whole.
type Resized = (Vec<usize>, Option<Vec<usize>>);

fn resized(op: &str, dims: &[usize], inputs: &[Option<Value>], attrs: &Attrs) -> Option<Resized> {
    let constant = |i: usize| match inputs.get(i).cloned().flatten() {
        Some(Value::Const(tensor)) if tensor.len() > 0 => tensor.numbers(),
        _ => None,
    };
    let place = if op == "Upsample" || inputs.len() == 2 { 1 } else { 2 };
    let spatial = |list: Vec<f64>| if list.len() == dims.len() { list[2..].to_vec() } else { list };
    if let Some(sizes) = constant(3).map(spatial) {
        return Some((sizes.iter().map(|&s| s as usize).collect(), None));
    }
    let scales = constant(place).or_else(|| attrs.floats("scales")).map(spatial)?;
    let sizes = dims.iter().skip(2).zip(&scales).map(|(&d, s)| (d as f64 * s).floor() as usize);
    let factor = scales.iter().map(|&s| (s.fract() == 0.0 && s >= 1.0).then_some(s as usize)).collect();
    Some((sizes.collect(), factor))
}

/// Whether the padding at the end of an axis is what rounding up needs.
fn reaches(window: &Window, i: usize, size: usize, (before, after): (usize, usize)) -> bool {
    let extent = (window.kernel[i] - 1) * window.dilation[i] + 1;
    let (even, stride) = (size + 2 * before, window.stride[i]);
    let Some(free) = (size + before + after).checked_sub(extent) else { return false };
    let Some(up) = (even + stride - 1).checked_sub(extent) else { return false };
    after >= before && free / stride == up / stride && (up / stride) * stride < size + before
}

/// Whether row i holds 1/n over the window [⌊i·in/out⌋, ⌈(i + 1)·in/out⌉).
fn are_means(matrix: &Tensor) -> bool {
    let &[to, from] = matrix.dims.as_slice() else { return false };
    let values = matrix.floats();
    (0..to).all(|i| {
        let window = i * from / to..((i + 1) * from).div_ceil(to);
        let share = 1.0 / window.len().max(1) as f32;
        (0..from).all(|j| {
            let wanted = if window.contains(&j) { share } else { 0.0 };
            values.get(i * from + j).is_some_and(|v| (v - wanted).abs() < 1e-5)
        })
    })
}
