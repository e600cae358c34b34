//! The list of layers that can be written in a file.

use super::{ArgError, ArgSpec, Args, Op};
use crate::shape::Shape;

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

/// Every layer, in the order of the reference.
pub fn layers() -> &'static [LayerSpec] {
    &[]
}

/// The layer of this name.
pub fn layer(name: &str) -> Option<&'static LayerSpec> {
    layers().iter().find(|spec| spec.name == name)
}
