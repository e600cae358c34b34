//! The model's nodes as they are understood: layers, and pieces that become layers only together.

use super::norms::Piece;
use super::refused::Refused;
use super::tensor::Tensor;
use crate::ops::Op;
use std::rc::Rc;

/// The batch's size while a model is read: a number that no other size is likely to have.
pub const BATCH: usize = 1_000_003;

/// What a model's value is.
#[derive(Clone, Debug)]
pub enum Value {
    /// Known without running the model.
    Const(Rc<Tensor>),
    /// Computed by an item.
    Item(usize),
    /// Made by something that is not understood; it was reported, and what reads it stays silent.
    Unknown,
}

/// What computes one value.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it does.
    pub kind: Kind,
    /// The items it reads.
    pub inputs: Vec<usize>,
    /// Parameters by PyTorch's names.
    pub params: Vec<(&'static str, Rc<Tensor>)>,
    /// Sizes, the batch first.
    pub dims: Vec<usize>,
    /// Where it stands among the modules that the file names, outermost first; of a layer with parameters the last word
    /// is its own name. `None` where the file does not tell.
    pub path: Option<Vec<String>>,
    /// The classes of the model and of those modules, where the file tells them.
    pub classes: Vec<String>,
    /// The node in the file, for messages.
    pub node: usize,
}

/// What an item does.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A layer of the language.
    Layer(Op),
    /// A piece of something larger.
    Raw(Raw),
}

/// Pieces; one that is still there at the end is not supported.
#[derive(Clone, Debug)]
pub enum Raw {
    /// `x · mul + add` with constants that are stretched over x.
    Affine {
        /// The factor.
        mul: Option<Rc<Tensor>>,
        /// What is added.
        add: Option<Rc<Tensor>>,
    },
    /// The error function.
    Erf,
    /// Part of a norm.
    Norm(Piece),
    /// Axes in another order.
    Transpose(Vec<usize>),
    /// A value whose axes are in this order, made a vector.
    Flattened(Vec<usize>),
    /// A constant matrix times x.
    Left(Rc<Tensor>),
    /// x times a constant matrix.
    Right,
    /// Every s-th position of each spatial axis.
    Stride(Vec<usize>),
    /// Not understood; why.
    Unsupported(Refused),
}

impl Item {
    /// The op, if it is a layer.
    pub fn op(&self) -> Option<&Op> {
        match &self.kind {
            Kind::Layer(op) => Some(op),
            Kind::Raw(_) => None,
        }
    }
}
