//! Do the data, the losses and the network's outputs fit one another? Asked before the first step.

mod labels;
mod numbers;
mod range;
mod structure;
mod term;
mod unused;

pub use unused::{measured, warnings};

use super::data::{Aim, Compares, Dataset, LabelRule, Levels, Misfit, TargetKind};
use crate::base::{Code, Diagnostic, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, Recipe};
use term::{Term, terms};

/// What is wrong, and of which kind it is.
type Wrong = (Code, Misfit);

/// What the losses of a network's recipe make of targets; `levels` is what a run knows of them.
pub fn aim(network: &Network, levels: Option<Levels>) -> Aim {
    let terms = network.recipe.as_ref().and_then(|recipe| terms(network, recipe).ok()).unwrap_or_default();
    let classes = |term: &Term| match term.loss {
        Loss::CrossEntropy { .. } => true,
        Loss::Dice { .. } => term.channels() > 1,
        _ => false,
    };
    let numbers = |term: &Term| matches!(term.loss, Loss::Mse | Loss::L1);
    let compares = match () {
        () if terms.iter().any(classes) => Compares::Classes,
        () if !terms.is_empty() && terms.iter().all(numbers) => Compares::Numbers,
        () => Compares::Either,
    };
    Aim { compares, ignore: terms.iter().find_map(Term::ignore), levels }
}

/// Checks that the network has one input, that every loss can compare its output with the data's targets, and, where the
/// targets can be looked at, that each of them is one that the loss knows.
///
/// # Errors
/// `E0910`, which says what does not fit; `E0806`, which names the target that is no class, and its place.
pub fn check(network: &Network, recipe: &Recipe, data: &dyn Dataset) -> Result<(), Diagnostic> {
    if network.inputs.len() != 1 {
        let fact = format!("`{}` has {} inputs, and data sets give one", network.name, network.inputs.len());
        return Err(Diagnostic::new(codes::TRAIN_UNFIT, fact).label(recipe.span, "this recipe"));
    }
    terms(network, recipe)?.iter().try_for_each(|term| {
        let whole = numbers::whole(term, data);
        let fits = whole.and_then(|()| structure::check(term, data.target())).and_then(|()| match data.target() {
            TargetKind::Tensor(dims) => numbers::check(term, data, dims),
            _ => data.census().map_or(Ok(()), |census| labels::check(term, data, census)),
        });
        fits.map_err(|(code, misfit)| said(code, misfit, recipe))
    })
}

fn said(code: Code, misfit: Misfit, recipe: &Recipe) -> Diagnostic {
    let diagnostic = Diagnostic::new(code, misfit.fact).label(recipe.span, "this recipe");
    let diagnostic = misfit.notes.into_iter().fold(diagnostic, Diagnostic::note);
    misfit.help.into_iter().fold(diagnostic, Diagnostic::help)
}

/// The classes that each loss knows: what targets are held against as they are read.
pub fn rules(network: &Network, recipe: &Recipe) -> Vec<LabelRule> {
    let terms = terms(network, recipe).unwrap_or_default();
    terms.iter().filter_map(|term| Some(LabelRule { classes: term.classes()?, ignore: term.ignore() })).collect()
}

/// Height and width of the first loss's output, where targets are masks: the size to which they are cropped.
pub fn mask_size(network: &Network, recipe: &Recipe, target: &TargetKind) -> Option<[usize; 2]> {
    let terms = terms(network, recipe).ok()?;
    match (target, terms.first()?.shape.spatial()) {
        (TargetKind::Mask { .. }, &[height, width]) => Some([height, width]),
        _ => None,
    }
}
