//! The module `ops` that exported source carries: what the lowered module computes on devices without kernels of archc's own, as it stands
//! in `lower/nn/portable`, and structs that hold parameters for it.

use std::collections::BTreeSet;

/// A part of the module `ops`, in the order in which parts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Common,
    Convolution,
    Normalisation,
    Activation,
    Gate,
    Pool,
    Resize,
    Start,
    Linear,
    Windows,
    Norms,
    Factor,
    Sums,
    WindowPools,
    Sizes,
}

impl Part {
    fn text(self) -> &'static str {
        match self {
            Self::Common => include_str!("../../lower/nn/portable/common.rs"),
            Self::Convolution => include_str!("../../lower/nn/portable/conv.rs"),
            Self::Normalisation => include_str!("../../lower/nn/portable/norm.rs"),
            Self::Activation => include_str!("../../lower/nn/portable/activation.rs"),
            Self::Gate => include_str!("../../lower/nn/portable/merge.rs"),
            Self::Pool => include_str!("../../lower/nn/portable/pool.rs"),
            Self::Resize => include_str!("../../lower/nn/portable/resize.rs"),
            Self::Start => include_str!("own/start.rs"),
            Self::Linear => include_str!("own/linear.rs"),
            Self::Windows => include_str!("own/conv.rs"),
            Self::Norms => include_str!("own/norm.rs"),
            Self::Factor => include_str!("own/factor.rs"),
            Self::Sums => include_str!("own/merge.rs"),
            Self::WindowPools => include_str!("own/pool.rs"),
            Self::Sizes => include_str!("own/resize.rs"),
        }
    }
}

/// What windows need, of convolutions and of pools.
pub(super) const WINDOWS: [Part; 3] = [Part::Convolution, Part::Start, Part::Windows];

/// The module `ops` with these parts, and with what all of them need.
pub(super) fn ops(parts: impl IntoIterator<Item = Part>) -> String {
    let mut text = String::from(
        "/// What candle lacks, or computes otherwise than PyTorch.\nmod ops {\n    #![allow(dead_code, unused_imports)]\n\n    use candle_core::{D, DType, Device, Result, Tensor, Var};\n    use candle_nn::{Init, VarBuilder};\n    use std::ops::Range;\n\n",
    );
    let parts: BTreeSet<Part> = std::iter::once(Part::Common).chain(parts).collect();
    for part in parts {
        for line in part.text().lines().skip_while(|line| is_head(line)) {
            text += if line.is_empty() { "" } else { "    " };
            text += line;
            text.push('\n');
        }
        text.push('\n');
    }
    text.trim_end().to_string() + "\n}\n"
}

/// Whether a line stands above the items of a file: what it says of the file, and what it takes from others.
fn is_head(line: &str) -> bool {
    line.is_empty() || line.starts_with("//!") || line.starts_with("use ")
}
