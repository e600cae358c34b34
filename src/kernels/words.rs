//! Ops and layouts in the words of the kernels, which know neither.

use crate::ops;
use crate::shape;
use archc_kernels as kernels;

const _: () = assert!(shape::LANES == kernels::layout::LANES, "a block has as many channels everywhere");

impl From<ops::activation::Activation> for kernels::activation::Activation {
    fn from(f: ops::activation::Activation) -> Self {
        use ops::activation::Activation as Op;
        match f {
            Op::Relu => Self::Relu,
            Op::Relu6 => Self::Relu6,
            Op::LeakyRelu { slope } => Self::LeakyRelu { slope },
            Op::Elu { alpha } => Self::Elu { alpha },
            Op::Gelu => Self::Gelu,
            Op::Silu => Self::Silu,
            Op::Sigmoid => Self::Sigmoid,
            Op::Tanh => Self::Tanh,
            Op::HardSwish => Self::HardSwish,
            Op::HardSigmoid => Self::HardSigmoid,
        }
    }
}

impl From<ops::resize::Interpolation> for kernels::resize::Interpolation {
    fn from(mode: ops::resize::Interpolation) -> Self {
        match mode {
            ops::resize::Interpolation::Nearest => Self::Nearest,
            ops::resize::Interpolation::Bilinear => Self::Bilinear,
        }
    }
}

impl From<ops::resize::PadMode> for kernels::pad::PadMode {
    fn from(mode: ops::resize::PadMode) -> Self {
        match mode {
            ops::resize::PadMode::Zero => Self::Zero,
            ops::resize::PadMode::Reflect => Self::Reflect,
            ops::resize::PadMode::Replicate => Self::Replicate,
        }
    }
}

impl From<shape::Layout> for kernels::layout::Layout {
    fn from(layout: shape::Layout) -> Self {
        match layout {
            shape::Layout::Plain => Self::Plain,
            shape::Layout::Blocked => Self::Blocked,
        }
    }
}
