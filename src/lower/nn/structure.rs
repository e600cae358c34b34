//! Ops that leave numbers as they are, but for dropout in training.

use super::compute::{Compute, Evaluation};
use super::noise::dropout;
use crate::lower::error::Result;
use crate::ops::structure::{Dropout, Flatten, Identity, Input, Reshape};
use candle_core::Tensor;

impl Compute for Input {
    fn compute(&self, node: Evaluation) -> Result<Tensor> {
        Ok(node.x()?.clone())
    }
}

impl Compute for Identity {
    fn compute(&self, node: Evaluation) -> Result<Tensor> {
        Ok(node.x()?.clone())
    }
}

impl Compute for Dropout {
    fn compute(&self, node: Evaluation) -> Result<Tensor> {
        let x = node.x()?;
        match node.pass.train {
            true => Ok(dropout(x, self.p, node.pass.rng.next_u64())?),
            false => Ok(x.clone()),
        }
    }
}

impl Compute for Flatten {
    fn compute(&self, node: Evaluation) -> Result<Tensor> {
        other_axes(&node)
    }
}

impl Compute for Reshape {
    fn compute(&self, node: Evaluation) -> Result<Tensor> {
        other_axes(&node)
    }
}

/// The same numbers in the shape that was inferred.
fn other_axes(node: &Evaluation) -> Result<Tensor> {
    let x = node.x()?;
    Ok(x.reshape(node.step.shape.with_batch(x.dim(0)?))?)
}
