//! Do the data, the losses and the network's outputs fit one another? Asked before the first step.

use super::data::TargetKind;
use crate::base::{Diagnostic, codes};
use crate::elaborate::Network;
use crate::elaborate::recipe::{Loss, LossTerm, Recipe};
use crate::shape::Shape;

/// Checks that the network has one input and that every loss can compare its output with the data's targets.
///
/// # Errors
/// `E0910`, which says what does not fit.
pub fn check(network: &Network, recipe: &Recipe, target: &TargetKind) -> Result<(), Diagnostic> {
    if network.inputs.len() != 1 {
        let fact = format!("`{}` has {} inputs, and data sets give one", network.name, network.inputs.len());
        return Err(Diagnostic::new(codes::TRAIN_UNFIT, fact).label(recipe.span, "this recipe"));
    }
    recipe.loss.iter().try_for_each(|term| {
        let (name, shape) = output_of(network, term)?;
        check_term(&term.loss, shape, target).map_err(|(fact, help)| {
            let message = format!("the output `{name}` is {shape}, {fact}");
            let diagnostic = Diagnostic::new(codes::TRAIN_UNFIT, message).label(recipe.span, "this recipe");
            help.into_iter().fold(diagnostic, Diagnostic::help)
        })
    })
}

/// Height and width of the first loss's output, where targets are masks: the size to which they are cropped.
pub fn mask_size(network: &Network, recipe: &Recipe, target: &TargetKind) -> Option<[usize; 2]> {
    let (_, shape) = output_of(network, recipe.loss.first()?).ok()?;
    match (target, shape.spatial()) {
        (TargetKind::Mask { .. }, &[height, width]) => Some([height, width]),
        _ => None,
    }
}

/// The output that a loss reads.
fn output_of<'a>(network: &'a Network, term: &LossTerm) -> Result<(&'a str, &'a Shape), Diagnostic> {
    let outputs = &network.graph.outputs;
    let found = match &term.output {
        Some(name) => outputs.iter().find(|output| output.name == *name),
        None => outputs.first(),
    };
    match found {
        Some(output) => Ok((&output.name, network.graph.shape(output.node))),
        None => {
            let name = term.output.as_deref().unwrap_or("output");
            let names = outputs.iter().map(|output| format!("`{}`", output.name)).collect::<Vec<_>>().join(", ");
            let message = format!("a loss reads the output `{name}`, which `{}` does not have", network.name);
            Err(Diagnostic::new(codes::TRAIN_UNFIT, message).help(format!("its outputs are {names}")))
        }
    }
}

type Misfit = (String, Option<String>);

fn check_term(loss: &Loss, shape: &Shape, target: &TargetKind) -> Result<(), Misfit> {
    let by_class = matches!(loss, Loss::CrossEntropy { .. } | Loss::Dice { .. });
    let positions: usize = shape.spatial().iter().product();
    let channels = shape.channels().unwrap_or(0);
    match target {
        TargetKind::Class { .. } if positions != 1 => {
            let help = "end the network in `avgpool(global) -> flatten -> linear(classes)`".to_string();
            Err(("and the data have one class for a whole sample".into(), Some(help)))
        }
        TargetKind::Mask { .. } if shape.spatial().len() != 2 => {
            let help = "end the network in a map of classes: `conv(classes, 1)`".to_string();
            Err(("and the data have a class for every pixel".into(), Some(help)))
        }
        TargetKind::Class { count: classes, .. } | TargetKind::Mask { classes } => match (by_class, channels) {
            (true, 1) if matches!(loss, Loss::Dice { .. }) && *classes <= 2 => Ok(()),
            (true, channels) if channels < *classes => {
                let help = format!("give the last layer {classes} channels, or write `--set classes={classes}`");
                Err((format!("and the data have {classes} classes"), Some(help)))
            }
            (false, channels) if channels != 1 => {
                let help = "write `loss = cross_entropy()`, or give the last layer one channel".to_string();
                Err(("and its loss compares numbers one by one, where the data have classes".into(), Some(help)))
            }
            _ => Ok(()),
        },
        TargetKind::Tensor(dims) => {
            let elements = dims.iter().map(|&d| d as u64).product::<u64>();
            if shape.elements() == Some(elements) {
                return Ok(());
            }
            Err((format!("and the data's targets are {}", Shape::new(dims.clone())), None))
        }
    }
}
