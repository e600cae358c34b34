//! What training minimises. Every loss is a mean, and means what PyTorch's of the same name means.
//!
//! Targets are tensors: whole numbers are classes, `[N]` or `[N, H, W]`; floats are values (or the
//! probabilities of classes) of the output's own shape.

mod cross_entropy;
mod dice;
mod fused;
mod pointwise;

pub use cross_entropy::{CrossEntropy, IGNORED};

use crate::elaborate::recipe::{Loss, LossTerm};
use crate::train::data::Targets;
use candle_core::{Result, Tensor, bail};

/// One loss of an output against a target: a scalar that can be differentiated.
///
/// # Errors
/// Where output and target do not fit, or a class is out of range.
pub fn loss(loss: &Loss, output: &Tensor, target: &Tensor) -> Result<Tensor> {
    match loss {
        Loss::CrossEntropy { label_smoothing, ignore_index, class_weights } => {
            CrossEntropy::new(*label_smoothing, *ignore_index, class_weights.as_deref()).loss(output, target)
        }
        Loss::BceWithLogits => pointwise::bce_with_logits(output, &values_like(target, output)?),
        Loss::Dice { smooth, ignore_index } => dice::dice(output, target, *smooth, *ignore_index),
        Loss::Mse => pointwise::mse(output, &values_like(target, output)?),
        Loss::L1 => pointwise::l1(output, &values_like(target, output)?),
    }
}

/// The weighted sum of a recipe's losses. `outputs` are the model's, by name; a term that names none reads the first.
///
/// # Errors
/// Where a term names an output that is not there, and where [`loss`] fails.
pub fn total(terms: &[LossTerm], outputs: &[(String, Tensor)], target: &Tensor) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for term in terms {
        let value = loss(&term.loss, select(outputs, term.output.as_deref())?, target)?;
        let value = if term.weight == 1.0 { value } else { (value * term.weight)? };
        sum = Some(match sum {
            Some(sum) => (sum + value)?,
            None => value,
        });
    }
    sum.ok_or_else(|| candle_core::Error::msg("the recipe names no loss"))
}

/// Whether any loss has something to compare: a target that it does not leave out, of a class that weighs something.
pub fn counts(terms: &[LossTerm], targets: &Targets) -> bool {
    terms.iter().any(|term| {
        let (ignore, weights) = match &term.loss {
            Loss::CrossEntropy { ignore_index, class_weights, .. } => (ignore_index.unwrap_or(IGNORED), class_weights),
            Loss::Dice { ignore_index: Some(ignore), .. } => (*ignore, &None),
            _ => return true,
        };
        let weight = |class: i64| match (weights, usize::try_from(class)) {
            (Some(weights), Ok(class)) => weights.get(class).copied().unwrap_or(1.0),
            _ => 1.0,
        };
        match targets {
            Targets::Classes(classes) | Targets::Masks(classes, _) => {
                classes.iter().any(|&class| class != ignore && weight(class) != 0.0)
            }
            Targets::Tensor(..) => true,
        }
    })
}

/// The output of this name, or the first.
pub(crate) fn select<'a>(outputs: &'a [(String, Tensor)], name: Option<&str>) -> Result<&'a Tensor> {
    let found = match name {
        Some(name) => outputs.iter().find(|(n, _)| n == name),
        None => outputs.first(),
    };
    match found {
        Some((_, tensor)) => Ok(tensor),
        None => bail!("the model has no output named `{}`", name.unwrap_or("output")),
    }
}

/// A target as values of an output's shape and type: `[N]` for `[N, 1]`, masks `[N, H, W]` for `[N, 1, H, W]`.
pub(crate) fn values_like(target: &Tensor, output: &Tensor) -> Result<Tensor> {
    if target.elem_count() != output.elem_count() || target.dims().first() != output.dims().first() {
        bail!("the target {:?} does not fit the output {:?}", target.dims(), output.dims());
    }
    target.to_device(output.device())?.to_dtype(output.dtype())?.reshape(output.dims())
}

/// Whether a target holds classes rather than values.
pub(crate) fn holds_classes(target: &Tensor) -> bool {
    !target.dtype().is_float()
}
