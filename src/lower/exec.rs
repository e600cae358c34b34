//! Computes a schedule, node by node.

use super::error::{Error, Result};
use super::nn::{Compute, Evaluation};
use super::schedule::Schedule;
use crate::base::Rng;
use crate::ops::{Family, on_op};
use candle_core::Tensor;

/// What a pass changes besides its values.
pub(super) struct Pass<'a> {
    /// Whether normalisations use the batch, and dropout drops.
    pub train: bool,
    /// Where dropout draws from.
    pub rng: &'a mut Rng,
}

/// The values of the outputs, in order, from those of the inputs, in order. A value is let go after its
/// last use, unless candle keeps it for the gradient.
///
/// # Errors
/// What the device reports, and an internal error where a value has other sizes than were inferred.
pub(super) fn compute(schedule: &Schedule, inputs: Vec<Tensor>, pass: &mut Pass) -> Result<Vec<Tensor>> {
    let batch = inputs.first().map_or(1, |tensor| tensor.dims()[0]);
    let mut inputs = inputs.into_iter();
    let mut values: Vec<Option<Tensor>> = vec![None; schedule.slots];
    for step in &schedule.steps {
        let operands = step.operands.iter().map(|&slot| values[slot].clone().ok_or_else(|| lost(&step.path)));
        let operands = operands.collect::<Result<Vec<_>>>()?;
        let value = match step.op.family() == Family::Input {
            true => inputs.next().ok_or_else(|| lost(&step.path))?,
            false => {
                let node = Evaluation { step, operands: &operands, pass };
                on_op!(&step.op, |op| op.compute(node)).map_err(|error| in_node(error, &step.path))?
            }
        };
        let want = step.shape.with_batch(batch);
        if value.dims() != want {
            return Err(Error::internal(format!("`{}` gave {:?}, inferred was {want:?}", step.path, value.dims())));
        }
        values[step.slot] = Some(value);
        step.dead.iter().for_each(|&slot| values[slot] = None);
    }
    schedule.outputs.iter().map(|(name, slot)| values[*slot].clone().ok_or_else(|| lost(name))).collect()
}

fn lost(path: &str) -> Error {
    Error::internal(format!("the value of `{path}` was let go too early"))
}

fn in_node(error: Error, path: &str) -> Error {
    match error {
        Error::Candle(error) => Error::Candle(error.context(format!("in `{path}`"))),
        diagnostic => diagnostic,
    }
}
