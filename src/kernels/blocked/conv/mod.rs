//! Convolutions of blocked maps. The algorithm is chosen by the sizes alone.

mod depthwise;
mod direct;
mod few;
pub(crate) mod grid;
mod transpose;

pub use transpose::{ConvTranspose, TransposePacking};

use super::winograd::{self, Winograd};
use super::{Cpu, Epilogue, Layout, Prologue, blocks};
use crate::kernels::Isa;
use crate::kernels::conv::ConvShape;
use crate::kernels::view::{Dst, Src};

/// A convolution with its algorithm.
#[derive(Clone, Debug)]
pub struct Conv {
    shape: ConvShape,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Direct(direct::Direct),
    Winograd(Winograd),
    Few(few::Few),
    Depthwise(depthwise::Depthwise),
}

/// How the weights of a convolution lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packing {
    /// `[output tile][tap][input block][16][columns·16]`
    Direct(direct::Packing),
    /// Transformed, `[output tile][point][input block][16][columns·16]`
    Winograd(winograd::Packing),
    /// As direct, the taps of all input channels taken for channels of one tap.
    Few(few::Packing),
    /// `[block][tap][16]`
    Depthwise(depthwise::Packing),
}

/// A macro rather than a trait: every algorithm has the same few methods.
macro_rules! each {
    ($self:expr, $kind:ident, $it:ident => $body:expr) => {
        match $self {
            $kind::Direct($it) => $body,
            $kind::Winograd($it) => $body,
            $kind::Few($it) => $body,
            $kind::Depthwise($it) => $body,
        }
    };
}

/// The side of the Winograd tiles that suit a convolution; `None` where it is computed directly.
fn tile(shape: &ConvShape) -> Option<usize> {
    let deep = blocks(shape.channels) > 1 && blocks(shape.width) > 1;
    let large = shape.output.iter().all(|&size| size >= 4);
    // Few tiles are bound by reading the weights, of which small tiles have fewer.
    let tiles = shape.batch * shape.output.map(|size| size.div_ceil(4)).iter().product::<usize>();
    (Winograd::supports(shape) && deep && large).then_some(if tiles <= 16 { 2 } else { 4 })
}

impl Conv {
    /// A convolution of `[N, C, H, W]`, whose input lies in `input` (plain only where it has few channels).
    pub fn new(shape: ConvShape, input: Layout, threads: usize, isa: Isa) -> Self {
        let algorithm = match input {
            Layout::Plain => Algorithm::Few(few::Few::new(shape, threads, isa)),
            Layout::Blocked if shape.is_depthwise() && shape.width == shape.channels => {
                Algorithm::Depthwise(depthwise::Depthwise::new(shape))
            }
            Layout::Blocked => match tile(&shape) {
                Some(tile) => Algorithm::Winograd(Winograd::new(shape, tile, threads, isa)),
                None => Algorithm::Direct(direct::Direct::new(shape, threads, isa)),
            },
        };
        Self { shape, algorithm }
    }

    /// How its weights are packed.
    pub fn packing(&self) -> Packing {
        match &self.algorithm {
            Algorithm::Direct(it) => Packing::Direct(it.packing()),
            Algorithm::Winograd(it) => Packing::Winograd(it.packing()),
            Algorithm::Few(it) => Packing::Few(it.packing()),
            Algorithm::Depthwise(it) => Packing::Depthwise(it.packing()),
        }
    }

    /// Floats of scratch, for all workers together.
    pub fn scratch(&self) -> usize {
        each!(&self.algorithm, Algorithm, it => it.scratch())
    }

    /// What it is called in a profile.
    pub fn name(&self) -> &'static str {
        match &self.algorithm {
            Algorithm::Direct(it) => it.name(),
            Algorithm::Winograd(it) => it.name(),
            Algorithm::Few(_) => "direct, few channels",
            Algorithm::Depthwise(_) => "depthwise",
        }
    }

    /// Computes `[N, O, H, W]`.
    ///
    /// # Panics
    /// Where values or weights do not fit the sizes.
    #[allow(clippy::too_many_arguments)]
    pub fn run(
        &self,
        cpu: &Cpu,
        x: Src,
        packed: &[f32],
        prologue: Option<Prologue>,
        epilogue: &Epilogue,
        y: Dst,
        scratch: &mut [f32],
    ) {
        assert_eq!(packed.len(), self.packing().len(), "the weights fit");
        epilogue.check(self.shape.width, self.shape.positions(), &y);
        let layout = if matches!(self.algorithm, Algorithm::Few(_)) { Layout::Plain } else { Layout::Blocked };
        assert_eq!(x.len(), layout.len(self.shape.channels, self.shape.input_positions()), "the input fits");
        assert!(x.samples() == self.shape.batch && scratch.len() >= self.scratch(), "batch and scratch fit");
        each!(&self.algorithm, Algorithm, it => it.run(cpu, x, packed, prologue, epilogue, &y, scratch));
    }
}

impl Packing {
    /// Floats.
    pub fn len(&self) -> usize {
        each!(self, Packing, it => it.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Packs a weight of `[O, I/groups, rows, columns]`.
    ///
    /// # Panics
    /// Where a slice does not fit the sizes.
    pub fn pack(&self, weight: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.len(), "the packed weights fit");
        each!(self, Packing, it => it.pack(weight, out));
    }
}

#[cfg(test)]
mod tests;
