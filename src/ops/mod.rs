//! What is a layer? One file per family: arguments, shape rule, parameters, initialisation, cost.
//!
//! [`Op`] is the closed list of node kinds. Every kind is a small plain struct that implements
//! [`Layer`], whose methods are all required: a kind cannot exist without a shape rule, its
//! parameters, its cost and its receptive field. Rules here know no spans; errors are labelled by
//! whoever asked.

pub mod activation;
pub mod args;
pub mod arguments;
pub mod conv;
pub mod error;
pub mod init;
pub mod linear;
pub mod merge;
pub mod nature;
pub mod norm;
pub mod pool;
pub mod registry;
pub mod resize;
mod rules;
pub mod structure;
#[cfg(test)]
mod tests;

pub use args::{ArgError, ArgSpec, ArgType, Args, Value};
pub use arguments::Argument;
pub use error::ShapeError;
pub use init::Init;
pub use nature::{Channels, Family, Merge, Nature, Scaling, Values};
pub use registry::{LayerSpec, has_parameters, layer, layers};

use crate::shape::Shape;
use serde::Serialize;

/// A parameter or a buffer that a node owns. Its path is the node's path, a dot, and `name`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamSpec {
    /// PyTorch's name: `weight`, `bias`, `running_mean`, `running_var`, `num_batches_tracked`.
    pub name: &'static str,
    /// Its sizes, as PyTorch has them. `num_batches_tracked` has none.
    pub dims: Vec<usize>,
    /// How it starts.
    pub init: Init,
    /// Whether an optimizer changes it; `false` for running statistics.
    pub trainable: bool,
}

impl ParamSpec {
    /// Elements.
    pub fn elements(&self) -> u64 {
        self.dims.iter().map(|&d| d as u64).product()
    }
}

/// How an output position looks at its input along the spatial axes, for receptive fields.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// One input position for each output position.
    Pointwise,
    /// A window, per spatial axis.
    Window {
        /// What it reaches over, dilation counted.
        extent: Vec<usize>,
        /// Its step.
        stride: Vec<usize>,
    },
    /// A transposed window, per spatial axis.
    Spread {
        /// What it reaches over in the output.
        extent: Vec<usize>,
        /// How many output positions an input position becomes.
        factor: Vec<usize>,
    },
    /// Every input position.
    Global,
}

/// What the backward pass of an op reads again, which training must therefore keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Operands that are read again, by index.
    pub operands: Vec<usize>,
    /// Whether the output is read again.
    pub output: bool,
    /// Bytes per sample kept besides (indices of a maximum, a dropout mask).
    pub extra_bytes: u64,
}

/// What every kind of node knows about itself. `inputs` are the operands' shapes, in order.
pub trait Layer {
    /// The word in the language, or a merge's name.
    fn kind(&self) -> &'static str;
    /// Its family, and what its channels, numbers and resolution are made of.
    fn nature(&self) -> Nature<'_>;
    /// The arguments of the call that makes it, in the order of its signature; what is absent is left out.
    fn arguments(&self) -> Vec<Argument>;
    /// The output's shape.
    ///
    /// # Errors
    /// Where the operands do not fit.
    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError>;
    /// Parameters and buffers, in PyTorch's order.
    fn params(&self, inputs: &[&Shape]) -> Vec<ParamSpec>;
    /// Multiply-accumulates of convolutions and matrix products for one sample; 0 for all others.
    fn macs(&self, inputs: &[&Shape], output: &Shape) -> u64;
    /// How an output position looks at operand 0.
    fn field(&self, inputs: &[&Shape]) -> Field;
    /// The operands whose memory the output may take over at inference, when nothing reads them later.
    fn in_place(&self) -> &'static [usize];
    /// What the backward pass reads again.
    fn saved(&self, inputs: &[&Shape], output: &Shape) -> Saved;
    /// The arguments that matter to a reader: `3×3 /2`, `p=0.5`; empty where there are none.
    fn detail(&self) -> String;
}

macro_rules! ops {
    ($d:tt $($(#[$doc:meta])* $name:ident($ty:ty),)*) => {
        /// A node's operation.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "op", rename_all = "snake_case")]
        pub enum Op {
            $($(#[$doc])* $name($ty),)*
        }

        /// The same expression whichever op it is, so that a target's trait is asked of every op, and an op that does not implement it
        /// does not compile: `on_op!(op, |layer| layer.prepare(context, step, node))`.
        macro_rules! on_op {
            ($d op:expr, |$d layer:ident| $d body:expr) => {
                match $d op {
                    $($crate::ops::Op::$name($d layer) => $d body,)*
                }
            };
        }

        pub(crate) use on_op;

        impl Op {
            /// The op as its trait object.
            pub fn layer(&self) -> &dyn Layer {
                self::on_op!(self, |op| op)
            }
        }

        $(impl From<$ty> for Op {
            fn from(op: $ty) -> Self {
                Self::$name(op)
            }
        })*
    };
}

ops! { $
    /// A network input.
    Input(structure::Input),
    /// Convolution, 1-D or 2-D.
    Conv(conv::Conv),
    /// Transposed convolution, 1-D or 2-D.
    ConvTranspose(conv::ConvTranspose),
    /// Affine map of vectors.
    Linear(linear::Linear),
    /// A learned factor.
    Scale(linear::Scale),
    /// Batch normalisation.
    BatchNorm(norm::BatchNorm),
    /// Group normalisation.
    GroupNorm(norm::GroupNorm),
    /// Layer normalisation over channels.
    LayerNorm(norm::LayerNorm),
    /// Instance normalisation.
    InstanceNorm(norm::InstanceNorm),
    /// An element-wise function without parameters.
    Activation(activation::Activation),
    /// Leaky ReLU with a learned slope.
    Prelu(activation::Prelu),
    /// Softmax over channels.
    Softmax(activation::Softmax),
    /// Maximum over windows.
    MaxPool(pool::MaxPool),
    /// Mean over windows.
    AvgPool(pool::AvgPool),
    /// Maximum or mean over all positions.
    GlobalPool(pool::GlobalPool),
    /// Mean over windows chosen to give a size.
    AdaptiveAvgPool(pool::AdaptiveAvgPool),
    /// Interpolation to a larger or smaller size.
    Upsample(resize::Upsample),
    /// Padding of the spatial axes.
    Pad(resize::Pad),
    /// Centre crop of the spatial axes.
    Crop(resize::Crop),
    /// Centre crop of operand 0 to the spatial sizes of operand 1.
    CropLike(resize::CropLike),
    /// Centred zero padding of operand 0 to the spatial sizes of operand 1.
    PadLike(resize::PadLike),
    /// The parameter-free shortcut of ResNet's option A.
    ZeroPad(resize::ZeroPad),
    /// Dropout.
    Dropout(structure::Dropout),
    /// All axes after the batch made one.
    Flatten(structure::Flatten),
    /// Other axes over the same elements.
    Reshape(structure::Reshape),
    /// Nothing.
    Identity(structure::Identity),
    /// Sum of operands.
    Add(merge::Add),
    /// Channels of operands one after another.
    Concat(merge::Concat),
    /// Product of operands, sizes of 1 stretched.
    Mul(merge::Mul),
    /// `t·R + (1 − t)·S`.
    Gate(merge::Gate),
}
