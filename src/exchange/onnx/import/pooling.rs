//! Operators that are pools.

use super::item::{Raw, Value};
use super::lift::Lift;
use super::norms::Piece;
use super::operators::{Made, Operator, read};
use super::reader::Reader;
use super::refused::{Refused, at_ends, listed};
use super::windows::{Pads, Window};
use crate::ops::pool::{AvgPool, GlobalPool, MaxPool};
use crate::ops::resize::PadMode;
use crate::ops::structure::Flatten;

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("AveragePool", &[1, 7, 10, 11, 19, 22], |lift, node| lift.pool(node)),
    read("GlobalAveragePool", &[1, 22], |lift, node| lift.all_positions(node)),
    read("GlobalMaxPool", &[1, 22], |lift, node| lift.all_positions(node)),
    read("MaxPool", &[1, 8, 10, 11, 12, 22], |lift, node| lift.pool(node)),
    read("ReduceMax", &[1, 11, 12, 13, 18, 20], |lift, node| lift.reduce(node)),
    read("ReduceMean", &[1, 11, 13, 18], |lift, node| lift.reduce(node)),
];

/// A pool as a file says it.
struct Pool {
    max: bool,
    window: Window,
    pads: Pads,
    ceil: bool,
    /// Whether padding counts in the divisor of a mean.
    counted: bool,
}

impl Lift<'_> {
    fn all_positions(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        self.global(node.op() == "GlobalMaxPool", x)
    }

    fn global(&mut self, max: bool, x: usize) -> Made {
        self.layer(GlobalPool { max }, vec![x], Vec::new())
    }

    /// Over all positions, or over the channels, which is a piece of a norm.
    pub(super) fn reduce(&mut self, node: &mut Reader) -> Made {
        let (x, turned) = self.before_turn(node.item(0)?);
        let max = node.op() == "ReduceMax";
        let rank = self.items[x].dims.len();
        let said = node.list("axes", 1, 18)?;
        let keep = node.flag_or("keepdims", true)?;
        let noop = node.version >= 18 && node.flag("noop_with_empty_axes")?;
        if said.as_ref().is_none_or(Vec::is_empty) && noop {
            let made = Value::Item(x);
            return self.turn_again(made, turned);
        }
        let axes: Option<Vec<usize>> = said.iter().flatten().map(|&a| super::fold_places::axis(a, rank)).collect();
        let axes = axes.ok_or_else(|| format!("has axes {}, and its operand {rank}", listed(said.as_deref())))?;
        let mut own: Vec<usize> = axes.iter().map(|&a| turned.as_ref().map_or(a, |perm| perm[a])).collect();
        own.sort_unstable();
        let made = match own.as_slice() {
            [1] if !max && keep => self.raw(Raw::Norm(Piece::Mean), x, self.with_one(x, 1)),
            own if !own.is_empty() && own.iter().copied().eq(2..rank) => self.global(max, x)?,
            &[axis] if axis >= 2 && turned.is_none() => return self.along(max, x, axis, keep),
            _ => {
                let over = said.as_deref().map_or("all axes".into(), |said| format!("the axes {}", listed(Some(said))));
                let why = format!("is over {over}; the language's global pools are over all but batch and channels");
                return Err(why.into());
            }
        };
        match (made, keep) {
            (Value::Item(pooled), false) => self.layer(Flatten {}, vec![pooled], Vec::new()),
            (made, _) => self.turn_again(made, turned),
        }
    }

    /// Over one of two spatial axes: a window as long as that is.
    fn along(&mut self, max: bool, x: usize, axis: usize, keep: bool) -> Made {
        let dims = self.items[x].dims.clone();
        let kernel: Vec<usize> = (2..dims.len()).map(|a| if a == axis { dims[a] } else { 1 }).collect();
        let window = Window { stride: kernel.clone(), dilation: vec![1; kernel.len()], kernel };
        let pads = vec![(0, 0); window.kernel.len()];
        match self.plain_pool(x, Pool { max, window, pads, ceil: false, counted: false })? {
            Value::Item(pooled) if !keep => {
                let rest = (0..dims.len()).filter(|&a| a != axis).map(|a| dims[a]).collect();
                self.with_dims(pooled, rest)
            }
            made => Ok(made),
        }
    }

    /// An item's sizes with one axis made 1.
    fn with_one(&self, x: usize, axis: usize) -> Vec<usize> {
        self.items[x].dims.iter().enumerate().map(|(i, &d)| if i == axis { 1 } else { d }).collect()
    }

    pub(super) fn pool(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let max = node.op() == "MaxPool";
        let said = node.ints("kernel_shape")?.ok_or("lacks its `kernel_shape`")?;
        let kernel: Option<Vec<usize>> = said.iter().map(|&k| usize::try_from(k).ok()).collect();
        let kernel = kernel.ok_or_else(|| format!("has `kernel_shape` = {said:?}, which cannot be"))?;
        let window = self.window(x, kernel, node.version >= if max { 10 } else { 19 }, node)?;
        let ceil = node.version >= 10 && node.flag("ceil_mode")?;
        let counted = !max && node.version >= 7 && node.flag("count_include_pad")?;
        if max && node.version >= 8 {
            // How places are counted, which are the second result.
            node.idle(&["storage_order"]);
        }
        if ceil && node.word("auto_pad", "NOTSET")? != "NOTSET" {
            return Err("has both `auto_pad` and `ceil_mode`".into());
        }
        let pads = self.pads(x, &window, node)?;
        if !max && window.dilation.iter().any(|&d| d != 1) {
            return Err(format!("has `dilations` = {:?}; the language's `avgpool` has none", window.dilation).into());
        }
        self.pooled(x, Pool { max, window, pads, ceil, counted })
    }

    fn pooled(&mut self, x: usize, pool: Pool) -> Made {
        let Pool { max, window, pads, ceil, counted } = &pool;
        let none = pads.iter().all(|&p| p == (0, 0));
        if none && window.kernel.iter().chain(&window.stride).all(|&n| n == 1) {
            return Ok(Value::Item(x));
        }
        let spatial = self.items[x].dims.get(2..).unwrap_or(&[]).to_vec();
        if none && !max && window.kernel == spatial {
            return self.global(false, x);
        }
        let half = |(pad, k): (&(usize, usize), &usize)| pad.0 == pad.1 && pad.0 <= k / 2;
        if pads.iter().zip(&window.kernel).all(half) {
            return self.plain_pool(x, pool);
        }
        // More padding at the end than at the start is how a size that was rounded up is written down.
        let small = pads.iter().zip(&window.kernel).all(|(pad, k)| pad.0 <= k / 2);
        let up = !ceil && small && (0..spatial.len()).all(|i| reaches(window, i, spatial[i], pads[i]));
        if up && !counted {
            let pads = pads.iter().map(|&(before, _)| (before, before)).collect();
            return self.plain_pool(x, Pool { pads, ceil: true, ..pool });
        }
        // Every window has a position of the map in it, so that repeating its edge changes no maximum.
        let covered = (0..pads.len()).all(|i| pads[i].0.max(pads[i].1) < window.kernel[i]);
        // The places of a dilated window may all lie outside of the map.
        let near = window.dilation.iter().all(|&d| d == 1);
        let (mode, sound) = if *max { (PadMode::Replicate, near) } else { (PadMode::Zero, *counted) };
        if *ceil || !covered || !sound {
            return Err(uneven(&pool));
        }
        let padded = self.padded(x, pads.clone(), mode)?;
        let pads = vec![(0, 0); pads.len()];
        self.plain_pool(padded, Pool { pads, ..pool })
    }

    /// With as much padding on both sides.
    fn plain_pool(&mut self, x: usize, pool: Pool) -> Made {
        let Pool { max, window: Window { kernel, stride, dilation }, pads, ceil, counted } = pool;
        let pad: Vec<usize> = pads.iter().map(|&(before, _)| before).collect();
        if max {
            return self.layer(MaxPool { kernel, stride, pad, dilation, ceil }, vec![x], Vec::new());
        }
        let count_pad = counted || pad.iter().all(|&p| p == 0);
        self.layer(AvgPool { kernel, stride, pad, ceil, count_pad }, vec![x], Vec::new())
    }
}

fn uneven(pool: &Pool) -> Refused {
    let what = if pool.max { "maxpool" } else { "avgpool" };
    format!("pads {}; the language's `{what}` pads alike, and at most half its window", at_ends(&pool.pads)).into()
}

/// Whether the padding at the end of an axis is what rounding up needs.
fn reaches(window: &Window, i: usize, size: usize, (before, after): (usize, usize)) -> bool {
    let (extent, even, stride) = (window.extent(i), size + 2 * before, window.stride[i]);
    let Some(free) = (size + before + after).checked_sub(extent) else { return false };
    let Some(up) = (even + stride - 1).checked_sub(extent) else { return false };
    after >= before && free / stride == up / stride && (up / stride) * stride < size + before
}
