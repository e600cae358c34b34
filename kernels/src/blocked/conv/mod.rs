//! Convolutions of blocked maps, transposed ones among them. The algorithm is chosen by the sizes alone.

mod cost;
mod depthwise;
mod direct;
pub(crate) mod operands;

pub use operands::Operands;

use super::winograd::{self, Winograd};
use super::{Cpu, Layout};
use crate::Isa;
use crate::conv::ConvShape;

/// The sizes of a convolution, and how its input comes.
#[derive(Clone, Copy, Debug)]
pub struct MapShape {
    /// Sizes.
    pub shape: ConvShape,
    /// How the input lies.
    pub layout: Layout,
    /// Whether something is done to the input as it is read.
    pub prologue: bool,
}

impl From<ConvShape> for MapShape {
    /// A blocked map as it is.
    fn from(shape: ConvShape) -> Self {
        Self { shape, layout: Layout::Blocked, prologue: false }
    }
}

/// A convolution with its algorithm.
#[derive(Clone, Debug)]
pub struct Conv {
    map: MapShape,
    /// Floats of packed weights.
    weights: usize,
    algorithm: Algorithm,
}

#[derive(Clone, Debug)]
enum Algorithm {
    Direct(direct::Direct),
    Winograd(Winograd),
    Depthwise(depthwise::Depthwise),
}

/// A way to compute a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All products.
    Direct,
    /// By Winograd tiles of so many outputs a side: 2, 4 or 6.
    Winograd(usize),
}

/// How the weights of a convolution lie.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Packing {
    /// `[bundle of groups][phase][output tile][input block][tap][16][columns·16]`
    Direct(direct::Packing),
    /// Transformed, `[output tile][point][input block][16][columns·16]`
    Winograd(winograd::Packing),
    /// `[block][tap][16]`
    Depthwise(depthwise::Packing),
}

/// A macro rather than a trait: every algorithm has the same few methods.
macro_rules! each {
    ($self:expr, $kind:ident, $it:ident => $body:expr) => {
        match $self {
            $kind::Direct($it) => $body,
            $kind::Winograd($it) => $body,
            $kind::Depthwise($it) => $body,
        }
    };
}

impl Conv {
    /// A convolution of `[N, C, H, W]` by the method that should be the fastest.
    pub fn new(map: MapShape, threads: usize, isa: Isa) -> Self {
        Self::by(cost::fastest(&map.shape), map, threads, isa)
    }

    /// A convolution by a given method, as long as it can be computed so; directly where it cannot.
    pub fn by(method: Method, map: MapShape, threads: usize, isa: Isa) -> Self {
        let shape = map.shape;
        let algorithm = match (map.layout, method) {
            (Layout::Blocked, _) if shape.is_depthwise() && shape.width == shape.channels => {
                Algorithm::Depthwise(depthwise::Depthwise::new(shape))
            }
            (Layout::Blocked, Method::Winograd(tile)) if Winograd::supports(&shape) => {
                Algorithm::Winograd(Winograd::new(shape, tile, threads, isa))
            }
            _ => Algorithm::Direct(direct::Direct::new(&map, threads, isa)),
        };
        Self::of(map, algorithm)
    }

    /// A transposed convolution from `[N, C, H, W]`, blocked;
    /// `output = (input − 1)·stride − 2·pad + dilation·(kernel − 1) + out_pad + 1`.
    pub fn transposed(shape: ConvShape, threads: usize, isa: Isa) -> Self {
        Self::of(shape.into(), Algorithm::Direct(direct::Direct::transposed(shape, threads, isa)))
    }

    fn of(map: MapShape, algorithm: Algorithm) -> Self {
        let mut conv = Self { map, weights: 0, algorithm };
        conv.weights = conv.packing().len();
        conv
    }

    /// How its weights are packed.
    pub fn packing(&self) -> Packing {
        match &self.algorithm {
            Algorithm::Direct(it) => Packing::Direct(it.packing()),
            Algorithm::Winograd(it) => Packing::Winograd(it.packing()),
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
            Algorithm::Depthwise(_) => "depthwise",
        }
    }

    /// Computes `[N, O, H, W]`.
    ///
    /// # Panics
    /// Where values or weights do not fit the sizes.
    pub fn run(&self, cpu: &Cpu, of: &Operands, scratch: &mut [f32]) {
        of.check(&self.map, self.weights);
        assert!(scratch.len() >= self.scratch(), "the scratch fits");
        each!(&self.algorithm, Algorithm, it => it.run(cpu, of, scratch));
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

    /// Packs a weight of `[O, I/groups, rows, columns]`; `[I, O/groups, rows, columns]` where it is transposed.
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
