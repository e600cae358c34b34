//! Functions of each number by itself: activations, factors and terms per channel, sums. Each works on either layout, and
//! over an operand's own memory where it may.

use super::epilogue::{activate, keeps_zero};
use super::{Cpu, Layout, Other};
use crate::activation::Activation;
use crate::isa::Kernel;
use crate::vector::{LANES, Vector};
use crate::view::Dst;

/// Floats that a task takes.
const PIECE: usize = 1 << 12;

/// The sizes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How it lies.
    pub layout: Layout,
    /// Channels.
    pub channels: usize,
    /// Positions of a map.
    pub positions: usize,
}

/// `act(prelu(scale[c]·x + shift[c]))`: normalisation by fixed moments, factors per channel, activations.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// The sizes.
    pub extent: Extent,
    /// Factors, in whole blocks; 1 where there are none.
    pub scale: Option<&'a [f32]>,
    /// Terms, in whole blocks, zero past the last channel.
    pub shift: Option<&'a [f32]>,
    /// Factors of what is below 0, in whole blocks.
    pub slope: Option<&'a [f32]>,
    /// Applied last.
    pub act: Option<Activation>,
}

/// `act(Σ factor·operand)`, of equal sizes.
#[derive(Clone, Copy, Debug)]
pub struct Add<'a> {
    /// The sizes.
    pub extent: Extent,
    /// One factor an operand.
    pub factors: &'a [f32],
    /// Applied to the sum.
    pub act: Option<Activation>,
}

/// Sixteen numbers of a sample, or fewer at its end.
trait Lanes: Sync {
    /// The numbers from `at` on, which belong to channel or block `plane`; `read` takes as many as are there, and
    /// `old` is what the result's memory held.
    fn lanes<V: Vector>(&self, n: usize, plane: usize, at: usize, read: impl Fn(&[f32]) -> V, old: V) -> V;
}

/// A run of floats of one plane.
struct Piece<'a, L> {
    work: &'a L,
    n: usize,
    plane: usize,
    start: usize,
    y: &'a mut [f32],
    /// Lanes that hold channels.
    used: usize,
}

impl<L: Lanes> Kernel for Piece<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { work, n, plane, start, y, used } = self;
        let whole = y.len() / LANES * LANES;
        let (body, tail) = y.split_at_mut(whole);
        for (i, y) in body.chunks_exact_mut(LANES).enumerate() {
            let at = start + i * LANES;
            // SAFETY: slices have sixteen floats; `read` sees to that.
            let read = |x: &[f32]| unsafe { V::load(x[at..at + LANES].as_ptr()) };
            // SAFETY: the chunk has sixteen floats.
            unsafe { work.lanes(n, plane, at, read, V::load(y.as_ptr())).store(y.as_mut_ptr()) };
            y[used..].fill(0.0);
        }
        if !tail.is_empty() {
            let (at, count) = (start + whole, tail.len());
            let some = |x: &[f32]| {
                let mut lanes = [0.0; LANES];
                lanes[..count].copy_from_slice(&x[..count]);
                // SAFETY: the array has sixteen floats.
                unsafe { V::load(lanes.as_ptr()) }
            };
            let mut lanes = [0.0; LANES];
            let y = work.lanes(n, plane, at, |x| some(&x[at..]), some(tail));
            // SAFETY: the array has sixteen floats.
            unsafe { y.store(lanes.as_mut_ptr()) };
            tail.copy_from_slice(&lanes[..count]);
        }
    }
}

impl Extent {
    /// Floats of a sample.
    pub fn len(&self) -> usize {
        self.layout.len(self.channels, self.positions)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether sixteen neighbours are sixteen channels.
    fn across(&self) -> bool {
        self.layout == Layout::Blocked || self.positions == 1
    }

    /// Floats whose channel or block is the same; all of a plain vector.
    fn plane(&self) -> usize {
        match self.layout {
            Layout::Blocked => self.positions * LANES,
            Layout::Plain if self.positions == 1 => self.channels,
            Layout::Plain => self.positions,
        }
    }

    /// Does the work on all samples; `clear` where it may leave numbers in unused lanes.
    fn each(&self, cpu: &Cpu, y: &Dst, clear: bool, work: &impl Lanes) {
        assert_eq!(y.len(), self.len(), "the output fits");
        let plane = self.plane().max(1);
        let (planes, pieces) = (self.len() / plane, plane.div_ceil(PIECE));
        // Small planes are taken several at a time.
        let together = (PIECE / plane).clamp(1, planes.max(1));
        let groups = planes.div_ceil(together);
        cpu.thread_pool.run(y.samples() * groups * pieces, &|_, task| {
            let (n, group, piece) = (task / pieces / groups, task / pieces % groups, task % pieces);
            for plane_at in group * together..((group + 1) * together).min(planes) {
                let start = plane_at * plane + piece * PIECE;
                let len = PIECE.min((plane_at + 1) * plane - start);
                let blocked = clear && self.layout == Layout::Blocked;
                let used = if blocked { (self.channels - plane_at * LANES).min(LANES) } else { LANES };
                // SAFETY: each task has pieces of its own.
                let y = unsafe { y.part(n, start, len) };
                cpu.isa.run(Piece { work, n, plane: plane_at, start, y, used });
            }
        });
    }

    fn check(&self, operand: &Other, samples: usize) {
        if let Other::Value(x) = operand {
            assert!(x.len() == self.len() && x.samples() >= samples, "operands fit");
        }
    }

    /// The numbers of the channels at `at`.
    #[inline(always)]
    fn parameter<V: Vector>(&self, values: &[f32], plane: usize, at: usize) -> V {
        let first = match self.layout {
            Layout::Blocked => plane * LANES,
            Layout::Plain if self.across() => at,
            Layout::Plain => return V::splat(values[plane]),
        };
        // SAFETY: the slice has sixteen floats.
        unsafe { V::load(values[first..first + LANES].as_ptr()) }
    }
}

struct AffineOf<'a> {
    of: &'a Affine<'a>,
    x: Other<'a>,
}

impl Lanes for AffineOf<'_> {
    #[inline(always)]
    fn lanes<V: Vector>(&self, n: usize, plane: usize, at: usize, read: impl Fn(&[f32]) -> V, old: V) -> V {
        let of = self.of;
        let mut x = operand(&self.x, n, read, old);
        let parameter = |values: &[f32]| of.extent.parameter::<V>(values, plane, at);
        x = match (of.scale.map(parameter), of.shift.map(parameter)) {
            (Some(scale), Some(shift)) => x.mul_add(scale, shift),
            (Some(scale), None) => x.mul(scale),
            (None, Some(shift)) => x.add(shift),
            (None, None) => x,
        };
        if let Some(slope) = of.slope.map(parameter) {
            x = x.relu().add(V::zero().min(x).mul(slope));
        }
        of.act.as_ref().map_or(x, |f| activate(f, x))
    }
}

#[inline(always)]
fn operand<V: Vector>(x: &Other, n: usize, read: impl Fn(&[f32]) -> V, old: V) -> V {
    match x {
        Other::Value(x) => read(x.sample(n)),
        Other::InPlace => old,
    }
}

fn clears(act: Option<Activation>) -> bool {
    act.is_some_and(|f| !keeps_zero(&f))
}

impl Affine<'_> {
    /// `[N, C, H, W]`, in place or not.
    ///
    /// # Panics
    /// Where values or parameters do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, x: Other, y: Dst) {
        self.extent.check(&x, y.samples());
        let room = super::blocks(self.extent.channels) * LANES;
        let parameters = [self.scale, self.shift, self.slope];
        assert!(parameters.into_iter().flatten().all(|p| p.len() == room), "parameters fit");
        self.extent.each(cpu, &y, clears(self.act), &AffineOf { of: self, x });
    }
}

struct AddOf<'a> {
    of: &'a Add<'a>,
    operands: &'a [Other<'a>],
}

impl Lanes for AddOf<'_> {
    #[inline(always)]
    fn lanes<V: Vector>(&self, n: usize, _: usize, _: usize, read: impl Fn(&[f32]) -> V, old: V) -> V {
        let mut sum = V::zero();
        for (x, &factor) in self.operands.iter().zip(self.of.factors) {
            sum = operand(x, n, &read, old).mul_add(V::splat(factor), sum);
        }
        self.of.act.as_ref().map_or(sum, |f| activate(f, sum))
    }
}

impl Add<'_> {
    /// `[N, C, H, W]`; any of the operands may be the result's own memory.
    ///
    /// # Panics
    /// Where values do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, operands: &[Other], y: Dst) {
        assert_eq!(operands.len(), self.factors.len(), "one factor an operand");
        operands.iter().for_each(|x| self.extent.check(x, y.samples()));
        self.extent.each(cpu, &y, clears(self.act), &AddOf { of: self, operands });
    }
}

#[cfg(test)]
mod tests;
