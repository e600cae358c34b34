//! Products and gates of operands whose sizes of 1 are stretched over the result's, row by row.

use super::epilogue::activate;
use super::{Cpu, Layout, Other};
use crate::activation::Activation;
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};
use crate::view::Dst;

/// Floats that a task takes, about.
const PIECE: usize = 1 << 12;

/// Where operands of stretched sizes meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meet {
    /// The product of all.
    Product,
    /// Of S, R and T: `t·R + (1 − t)·S` with `t = sigmoid(T)`.
    Gate,
}

/// Operands of one rank, sizes of 1 stretched over the result's.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// What is made of them.
    pub meet: Meet,
    /// How they and the result lie.
    pub layout: Layout,
    /// `[channels, rows, columns]` of the result.
    pub size: [usize; 3],
    /// `[channels, rows, columns]` of each operand.
    pub operands: &'a [[usize; 3]],
    /// Applied to the result.
    pub act: Option<Activation>,
}

struct Row<'a> {
    of: &'a Stretch<'a>,
    operands: &'a [Other<'a>],
    n: usize,
    plane: usize,
    row: usize,
    y: &'a mut [f32],
}

impl Stretch<'_> {
    /// `[N, C, H, W]`; an operand of the result's size may be the result's own memory. An operand of one
    /// sample stands for all samples.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, operands: &[Other], y: Dst) {
        let [channels, rows, cols] = self.size;
        assert_eq!(operands.len(), self.operands.len(), "one size an operand");
        assert!(self.meet == Meet::Product || operands.len() == 3, "a gate has three operands");
        for (x, size) in operands.iter().zip(self.operands) {
            assert!((0..3).all(|a| size[a] == 1 || size[a] == self.size[a]), "sizes of 1 are stretched");
            match x {
                Other::Value(x) => assert_eq!(x.len(), self.layout.len(size[0], size[1] * size[2]), "operands fit"),
                Other::InPlace => assert_eq!(*size, self.size, "only an operand of its size is worked over"),
            }
        }
        assert_eq!(y.len(), self.layout.len(channels, rows * cols), "the output fits");
        let row = if self.layout == Layout::Blocked { cols * LANES } else { cols };
        let planes = y.len() / (rows * row).max(1);
        let together = (PIECE / row.max(1)).clamp(1, rows.max(1));
        let groups = rows.div_ceil(together);
        cpu.thread_pool.run(y.samples() * planes * groups, &|_, task| {
            let (n, plane, group) = (task / groups / planes, task / groups % planes, task % groups);
            for i in group * together..((group + 1) * together).min(rows) {
                // SAFETY: each task has rows of its own.
                let y = unsafe { y.part(n, (plane * rows + i) * row, row) };
                cpu.isa.run(Row { of: self, operands, n, plane, row: i, y });
            }
        });
    }
}

/// The numbers of an operand that meet a row of a block.
#[derive(Clone, Copy)]
enum RowSource<'a> {
    /// Sixteen a column.
    Full(&'a [f32]),
    /// One a column, the first of sixteen: it has one channel.
    Channel(&'a [f32]),
    /// Sixteen, or one, for all columns.
    Same(&'a [f32], bool),
    /// What the row held.
    Old,
}

impl<'a> RowSource<'a> {
    /// The numbers at a column, of which the row held `old`.
    #[inline(always)]
    fn at<V: Vector>(self, j: usize, old: V) -> V {
        match self {
            Self::Full(x) => load(&x[j * LANES..]),
            Self::Channel(x) => V::splat(x[j * LANES]),
            Self::Same(x, true) => V::splat(x[0]),
            Self::Same(x, false) => load(x),
            Self::Old => old,
        }
    }

    /// Calls `f` with a row's numbers and this line's, and keeps what it gives.
    #[inline(always)]
    fn each<V: Vector>(self, y: &mut [f32], f: impl Fn(V, V) -> V) {
        let columns = y.chunks_exact_mut(LANES);
        match self {
            Self::Full(x) => columns.zip(x.chunks_exact(LANES)).for_each(|(y, x)| store(f(load(y), load(x)), y)),
            Self::Channel(x) => {
                columns.zip(x.chunks_exact(LANES)).for_each(|(y, x)| store(f(load(y), V::splat(x[0])), y))
            }
            Self::Same(..) => {
                let x = self.at(0, V::zero());
                columns.for_each(|y| store(f(load(y), x), y));
            }
            Self::Old => columns.for_each(|y| store(f(load(y), load(y)), y)),
        }
    }
}

#[inline(always)]
fn load<V: Vector>(x: &[f32]) -> V {
    // SAFETY: the slice has sixteen floats.
    unsafe { V::load(x[..LANES].as_ptr()) }
}

#[inline(always)]
fn store<V: Vector>(value: V, y: &mut [f32]) {
    // SAFETY: the slice has sixteen floats.
    unsafe { value.store(y[..LANES].as_mut_ptr()) }
}

impl<'a> Row<'a> {
    /// The numbers of operand `k` that meet the row.
    fn line(&self, k: usize) -> RowSource<'a> {
        let [channels, rows, cols] = self.of.operands[k];
        let Other::Value(x) = &self.operands[k] else { return RowSource::Old };
        let block = if channels == 1 { 0 } else { self.plane };
        let start = (block * rows + self.row.min(rows - 1)) * cols * LANES;
        let x = &x.sample(self.n.min(x.samples() - 1))[start..start + cols * LANES];
        match (channels == 1 && self.of.size[0] > 1, cols == 1 && self.of.size[2] > 1) {
            (one, true) => RowSource::Same(x, one),
            (true, false) => RowSource::Channel(x),
            (false, false) => RowSource::Full(x),
        }
    }
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        if self.of.layout == Layout::Plain {
            return self.plain();
        }
        match self.of.meet {
            Meet::Product => self.product::<V>(),
            Meet::Gate => {
                let [s, r, t] = [0, 1, 2].map(|k| self.line(k));
                for (j, y) in self.y.chunks_exact_mut(LANES).enumerate() {
                    let old: V = load(y);
                    let open = activate(&Activation::Sigmoid, t.at(j, old));
                    let shut = V::splat(1.0).sub(open);
                    store(open.mul(r.at(j, old)).add(shut.mul(s.at(j, old))), y);
                }
            }
        }
        if let Some(f) = &self.of.act {
            self.y.chunks_exact_mut(LANES).for_each(|y| store(activate(f, load::<V>(y)), y));
        }
        let used = (self.of.size[0] - self.plane * LANES).min(LANES);
        if used < LANES {
            self.y.chunks_exact_mut(LANES).for_each(|y| y[used..].fill(0.0));
        }
    }
}

impl Row<'_> {
    /// One operand after another; first those that the row holds already.
    #[inline(always)]
    fn product<V: Vector>(&mut self) {
        let held = self.operands.iter().filter(|x| matches!(x, Other::InPlace)).count();
        if held > 1 {
            for y in self.y.chunks_exact_mut(LANES) {
                let old: V = load(y);
                store((1..held).fold(old, |product, _| product.mul(old)), y);
            }
        }
        let mut fresh = held == 0;
        for k in (0..self.operands.len()).filter(|&k| matches!(self.operands[k], Other::Value(_))) {
            match (self.line(k), fresh) {
                (line, true) => line.each(self.y, |_: V, x| x),
                (line, false) => line.each(self.y, |y: V, x| y.mul(x)),
            }
            fresh = false;
        }
    }
}

impl Row<'_> {
    /// The row of a plain map, number by number: only vectors and small maps are plain here.
    #[inline(always)]
    fn plain(self) {
        for (j, y) in self.y.iter_mut().enumerate() {
            let old = *y;
            let value = |k: usize| {
                let size = self.of.operands[k];
                let Other::Value(x) = &self.operands[k] else { return old };
                let [c, i, j] = [self.plane.min(size[0] - 1), self.row.min(size[1] - 1), j.min(size[2] - 1)];
                x.sample(self.n.min(x.samples() - 1))[(c * size[1] + i) * size[2] + j]
            };
            let result = match self.of.meet {
                Meet::Product => (1..self.operands.len()).fold(value(0), |product, k| product * value(k)),
                Meet::Gate => {
                    let open = crate::Elem::sigmoid(value(2));
                    open * value(1) + (1.0 - open) * value(0)
                }
            };
            *y = self.of.act.as_ref().map_or(result, |f| one(f, result));
        }
    }
}

/// An activation of one number.
#[inline(always)]
fn one(f: &Activation, x: f32) -> f32 {
    let mut lanes = [0.0; LANES];
    // SAFETY: the array has sixteen floats; portable vectors need no instructions.
    unsafe { activate(f, crate::vector::Portable::splat(x)).store(lanes.as_mut_ptr()) };
    lanes[0]
}
