//! What a kernel does to a number besides its own work: before it is used, and before it is written.

use super::super::vector::{LANES, Vector};
use super::super::view::{Dst, Src};
use super::{Layout, blocks, functions};
use crate::activation::Activation;

/// Applied to each number of operand 0 as it is read: `act(scale[c]·x + shift[c])`. Padding stays zero.
#[derive(Clone, Copy, Debug)]
pub struct Prologue<'a> {
    /// One factor a channel, in whole blocks, zero past the last.
    pub scale: &'a [f32],
    /// One term a channel, in whole blocks, zero past the last.
    pub shift: &'a [f32],
    /// The activation, one that keeps 0.
    pub act: Option<Activation>,
}

/// The other summand of a fused addition, laid out as the result.
#[derive(Clone, Copy, Debug)]
pub enum Other<'a> {
    /// Another value.
    Value(Src<'a>),
    /// What the result's own memory holds: the sum is made in place.
    InPlace,
}

/// A fused addition: `own·y + other·s`.
#[derive(Clone, Copy, Debug)]
pub struct Sum<'a> {
    /// s
    pub value: Other<'a>,
    /// Factor of y.
    pub own: f32,
    /// Factor of s.
    pub other: f32,
}

/// Applied to each result `y` before it is written: `y + bias[c]`, then `first`, then `sum`, then `last`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// One term a channel, in whole blocks, zero past the last.
    pub bias: Option<&'a [f32]>,
    /// Before the sum.
    pub first: Option<Activation>,
    /// The sum.
    pub sum: Option<Sum<'a>>,
    /// After the sum.
    pub last: Option<Activation>,
}

impl Epilogue<'_> {
    /// Panics unless bias, summand and result are of `width` channels and as many positions.
    #[track_caller]
    pub fn check(&self, width: usize, positions: usize, y: &Dst) {
        let len = Layout::Blocked.len(width, positions);
        assert_eq!(y.len(), len, "the result fits");
        assert!(self.bias.is_none_or(|bias| bias.len() == blocks(width) * LANES), "the bias fits");
        if let Some(Sum { value: Other::Value(other), .. }) = &self.sum {
            assert!(other.len() == len && other.samples() == y.samples(), "the summand fits");
        }
    }
}

/// Whether a function maps 0 to 0, so that unused lanes stay zero under it.
pub fn keeps_zero(f: &Activation) -> bool {
    !matches!(f, Activation::Sigmoid | Activation::HardSigmoid)
}

/// An activation of each lane.
#[inline(always)]
pub fn activate<V: Vector>(f: &Activation, x: V) -> V {
    let three = V::splat(3.0);
    let to_six = |x: V| V::splat(6.0).min(x.relu());
    let gate = |x: V| to_six(x.add(three)).mul(V::splat(1.0 / 6.0));
    match *f {
        Activation::Relu => x.relu(),
        Activation::Relu6 => to_six(x),
        Activation::LeakyRelu { slope } => x.relu().add(V::zero().min(x).mul(V::splat(slope as f32))),
        Activation::HardSwish => x.mul(gate(x)),
        Activation::HardSigmoid => gate(x),
        Activation::Elu { .. } | Activation::Gelu | Activation::Silu | Activation::Sigmoid | Activation::Tanh => {
            functions::curve(f, x)
        }
    }
}

/// A prologue at one block of channels.
#[derive(Clone, Copy)]
pub struct BlockMap<V> {
    scale: V,
    shift: V,
    act: Option<Activation>,
}

impl Prologue<'_> {
    /// The prologue at block `block`.
    ///
    /// # Safety
    /// The block exists.
    #[inline(always)]
    pub unsafe fn at<V: Vector>(&self, block: usize) -> BlockMap<V> {
        // SAFETY: the slices hold whole blocks, this one among them.
        let (scale, shift) = unsafe {
            (V::load(self.scale.as_ptr().add(block * LANES)), V::load(self.shift.as_ptr().add(block * LANES)))
        };
        BlockMap { scale, shift, act: self.act }
    }
}

impl<V: Vector> BlockMap<V> {
    /// `act(scale·x + shift)`
    #[inline(always)]
    pub fn apply(&self, x: V) -> V {
        let x = x.mul_add(self.scale, self.shift);
        match &self.act {
            Some(Activation::Relu) => x.relu(),
            Some(f) => activate(f, x),
            None => x,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::On;
    use super::*;
    use crate::Isa;

    #[test]
    fn what_is_not_a_number_stays_so() {
        let all = [
            Activation::Relu,
            Activation::Relu6,
            Activation::LeakyRelu { slope: 0.1 },
            Activation::HardSwish,
            Activation::HardSigmoid,
            Activation::Elu { alpha: 1.0 },
            Activation::Gelu,
            Activation::Silu,
            Activation::Sigmoid,
            Activation::Tanh,
        ];
        for (f, isa) in all.into_iter().flat_map(|f| Isa::available().map(move |isa| (f, isa))) {
            let mut y: [f32; LANES] = std::array::from_fn(|lane| if lane == 5 { f32::NAN } else { lane as f32 - 8.0 });
            isa.run(On(f, &mut y));
            assert!(y.iter().enumerate().all(|(lane, y)| y.is_nan() == (lane == 5)), "{f:?} on {isa:?}: {y:?}");
        }
    }
}
