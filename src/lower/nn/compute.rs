//! From a node to its function: what a function needs of a node, and the trait that every op answers.

use crate::lower::error::{Error, Result};
use crate::lower::exec::Pass;
use crate::lower::schedule::{NodeParams, Step};
use candle_core::Tensor;

/// A node while its value is computed.
pub(in crate::lower) struct Evaluation<'a, 'b> {
    /// What it is.
    pub step: &'a Step,
    /// The values of its operands, in order.
    pub operands: &'a [Tensor],
    /// What the pass changes besides values.
    pub pass: &'a mut Pass<'b>,
}

/// An op as a function of candle's tensors. Each family's file in `nn` has those of its ops.
pub(in crate::lower) trait Compute {
    /// The node's value.
    ///
    /// # Errors
    /// What the device reports, and where sizes are not those that were inferred.
    fn compute(&self, node: Evaluation) -> Result<Tensor>;
}

impl<'a> Evaluation<'a, '_> {
    /// The value of an operand.
    pub fn operand(&self, at: usize) -> Result<&'a Tensor> {
        self.operands.get(at).ok_or_else(|| Error::internal(format!("`{}` has no operand {at}", self.step.path)))
    }

    /// The value of the first operand.
    pub fn x(&self) -> Result<&'a Tensor> {
        self.operand(0)
    }

    /// Parameters and buffers.
    pub fn params(&self) -> &'a NodeParams {
        &self.step.params
    }

    /// The parameters of those names, where the node has them.
    pub fn weight_and_bias(&self) -> (Option<&'a Tensor>, Option<&'a Tensor>) {
        (self.params().get("weight"), self.params().get("bias"))
    }

    /// The weight of an op that always has one.
    pub fn weight(&self) -> Result<&'a Tensor> {
        self.params().need("weight")
    }

    /// The spatial sizes that were inferred for the value.
    pub fn size(&self) -> &'a [usize] {
        self.step.shape.spatial()
    }
}
