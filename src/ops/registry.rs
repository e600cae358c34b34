//! The list of layers that can be written in a file.

use super::{ArgError, ArgSpec, Args, Op, activation, conv, linear, norm, pool, resize, structure};
use crate::shape::Shape;
use std::sync::LazyLock;

/// A layer of the language.
#[derive(Clone, Debug)]
pub struct LayerSpec {
    /// The word.
    pub name: &'static str,
    /// Its arguments, in positional order.
    pub args: &'static [ArgSpec],
    /// One line of documentation, with the formula or the paper.
    pub doc: &'static str,
    /// Makes the op from checked names; `input` is the current value's shape (its rank decides how many
    /// entries a size has).
    pub make: fn(&Args, input: &Shape) -> Result<Op, ArgError>,
}

impl LayerSpec {
    /// How it is called: `dropout(p=0.5)`, `upsample(factor, mode="nearest", size, like)`, `relu`.
    pub fn signature(&self) -> String {
        let arg = |spec: &ArgSpec| match spec.default {
            None | Some("") => spec.name.to_string(),
            Some(default) => format!("{}={default}", spec.name),
        };
        let args: Vec<String> = self.args.iter().map(arg).collect();
        if args.is_empty() { self.name.into() } else { format!("{}({})", self.name, args.join(", ")) }
    }

    /// The argument of this name.
    pub fn arg(&self, name: &str) -> Option<&'static ArgSpec> {
        self.args.iter().find(|spec| spec.name == name)
    }
}

/// Every layer, in the order of the reference.
pub fn layers() -> &'static [LayerSpec] {
    static ALL: LazyLock<Vec<LayerSpec>> = LazyLock::new(|| {
        let functions = activation::specs();
        let families: [&[LayerSpec]; 7] =
            [conv::SPECS, linear::SPECS, norm::SPECS, &functions, pool::SPECS, resize::SPECS, structure::SPECS];
        families.concat()
    });
    &ALL
}

/// Layers that have parameters, or may.
const WITH_PARAMETERS: [&str; 9] =
    ["conv", "conv_transpose", "linear", "scale", "batch_norm", "group_norm", "layer_norm", "instance_norm", "prelu"];

/// Whether the layer of this name has parameters, or may have some.
pub fn has_parameters(name: &str) -> bool {
    WITH_PARAMETERS.contains(&name)
}

/// The layer of this name.
pub fn layer(name: &str) -> Option<&'static LayerSpec> {
    layers().iter().find(|spec| spec.name == name)
}
