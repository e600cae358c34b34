//! Inputs on another scale than pictures have: learnt well, and wrong for every picture that comes later.

use crate::base::{Diagnostic, codes};
use crate::elaborate::recipe::Recipe;
use crate::train::data::{Dataset, InputRange, shown};

/// A deviation above this says that pixels are meant to lie on a larger scale than 0 to 1.
const DEVIATION: f64 = 2.0;

/// Warns of arrays of numbers from 0 to 255 where pictures are 0 to 1, unless the recipe's normalisation is of that scale.
pub(super) fn warning(recipe: &Recipe, data: &dyn Dataset) -> Option<Diagnostic> {
    let InputRange { place, ends, fix } = data.range().filter(|range| InputRange::is_other(range.ends))?;
    let scaled = recipe.normalize.as_ref().is_some_and(|normalize| normalize.std.iter().any(|&std| std > DEVIATION));
    let [low, high] = ends.map(shown);
    let message = format!("{place} runs from {low} to {high}, and pictures are read as 0 to 1");
    let warning = Diagnostic::new(codes::INPUT_RANGE, message)
        .note("weights that learn from it answer nonsense about pictures in `archc run` and `archc eval`")
        .help(format!("bring it to 0 to 1. In Python:  {fix}"));
    (!scaled).then(|| warning.label(recipe.span, "this recipe"))
}
