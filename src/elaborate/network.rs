//! A model elaborated at given sizes.

use super::recipe::Recipe;
use crate::graph::Graph;
use std::collections::BTreeMap;

/// One input as declared.
#[derive(Clone, Debug, PartialEq)]
pub struct InputDecl {
    /// Its name.
    pub name: String,
    /// One entry per axis, the batch first: its name, if it has one, and the size planned for (the batch has none).
    pub dims: Vec<(Option<String>, Option<usize>)>,
}

/// A named size that may change at run time.
#[derive(Clone, Debug, PartialEq)]
pub struct FreeSize {
    /// Its name: `H`.
    pub name: String,
    /// The size planned for.
    pub default: usize,
}

/// A checked network: every shape known at the sizes planned for, the batch free.
#[derive(Clone, Debug)]
pub struct Network {
    /// The model's name.
    pub name: String,
    /// The model's doc comment.
    pub doc: Option<String>,
    /// The model's parameters as they came out: `classes = 10`.
    pub settings: BTreeMap<String, String>,
    /// The graph.
    pub graph: Graph,
    /// Its inputs, in file order.
    pub inputs: Vec<InputDecl>,
    /// Its free sizes, without the batch.
    pub free_sizes: Vec<FreeSize>,
    /// Its training recipe, where the file has one.
    pub recipe: Option<Recipe>,
}
