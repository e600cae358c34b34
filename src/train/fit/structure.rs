//! Shapes: of outputs, of targets, and what losses compare.

use super::Wrong;
use super::term::Term;
use crate::analysis::field::{ReceptiveField, receptive_fields};
use crate::base::codes;
use crate::elaborate::recipe::Loss;
use crate::shape::Shape;
use crate::train::data::{Misfit, TargetKind};

/// Whether a loss can compare its output with targets of this kind.
pub(super) fn check(term: &Term, target: &TargetKind) -> Result<(), Wrong> {
    let fits = weights(term).and_then(|()| match target {
        TargetKind::Class { .. } | TargetKind::Mask { .. } => {
            positions(term, target).and_then(|()| by_class(term, target))
        }
        TargetKind::Tensor(dims) => numbers(term, dims),
    });
    fits.map_err(|misfit| (codes::TRAIN_UNFIT, misfit))
}

fn weights(term: &Term) -> Result<(), Misfit> {
    match term.loss {
        Loss::CrossEntropy { class_weights: Some(weights), .. } if weights.len() != term.channels() => {
            let (given, wanted) = (weights.len(), term.channels());
            let fact = format!("{}, and `class_weights` has {given} numbers", term.is());
            Err(Misfit::new(fact).help(format!("give {wanted} numbers, one for each class")))
        }
        _ => Ok(()),
    }
}

/// Whether outputs lie where targets do.
fn positions(term: &Term, target: &TargetKind) -> Result<(), Misfit> {
    let spatial = term.shape.spatial();
    match target {
        TargetKind::Class { .. } if spatial.iter().product::<usize>() != 1 => {
            let fact = format!("{}, and the data have one class for a whole sample", term.is());
            Err(Misfit::new(fact).help("end the network in `avgpool(global) -> flatten -> linear(classes)`"))
        }
        TargetKind::Mask { .. } if spatial.len() != 2 => {
            let fact = format!("{}, and the data have a class for every pixel", term.is());
            Err(Misfit::new(fact).help("end the network in a map of classes: `conv(classes, 1)`"))
        }
        TargetKind::Mask { .. } => pixels(term),
        _ => Ok(()),
    }
}

/// Masks have the input's size. An output that is smaller is compared with their middle, which is right where its
/// positions are the input's pixels, as in networks without padding; where they lie further apart, it is not.
fn pixels(term: &Term) -> Result<(), Misfit> {
    let graph = &term.network.graph;
    let (Some(&input), &[h, w]) = (graph.inputs.first(), term.shape.spatial()) else { return Ok(()) };
    let &[ih, iw] = graph.shape(input).spatial() else { return Ok(()) };
    if (h, w) == (ih, iw) {
        return Ok(());
    }
    let fact = format!("the output `{}` is {h}×{w}, and masks have the size of the input, {ih}×{iw}", term.output);
    if h > ih || w > iw {
        return Err(Misfit::new(fact).help(format!("end the network in {ih}×{iw}")));
    }
    let apart = match receptive_fields(graph).get(&term.node) {
        Some(ReceptiveField::Window(axes)) => axes.iter().map(|reach| reach.jump()).fold(1.0, f64::max),
        // All is seen from everywhere: what is half as large was made smaller by steps.
        _ => (ih / h.max(1)).max(iw / w.max(1)) as f64,
    };
    if apart < 1.5 {
        return Ok(());
    }
    let factor = (ih as f64 / h.max(1) as f64).round();
    let help = format!("end the network in `upsample({factor:.0}, mode=\"bilinear\")`");
    Err(Misfit::new(format!("{fact}: its positions lie {apart:.0} pixels apart")).help(help))
}

/// Whether a loss can compare its output with classes.
fn by_class(term: &Term, target: &TargetKind) -> Result<(), Misfit> {
    let (has, wanted) = match target {
        TargetKind::Class { count, .. } => (term.channels(), (*count).max(2)),
        TargetKind::Mask { classes } => (term.channels(), *classes),
        TargetKind::Tensor(_) => return Ok(()),
    };
    match term.loss {
        Loss::CrossEntropy { .. } if has == 1 => {
            let fact = format!("{}, and `cross_entropy` over one channel is always 0", term.is());
            let bce = if wanted == 2 { ", or `--set loss=bce_with_logits` where one channel says both" } else { "" };
            Err(Misfit::new(fact).help(format!("{}, one for each class{bce}", term.with_channels(wanted))))
        }
        Loss::BceWithLogits | Loss::Mse | Loss::L1 if has != 1 => {
            let fact = format!(
                "{}, and `{}` compares numbers one by one, where the data have classes",
                term.is(),
                term.name()
            );
            Err(Misfit::new(fact).help("`--set loss=cross_entropy`, or give the last layer one channel"))
        }
        Loss::Mse | Loss::L1 if matches!(target, TargetKind::Class { .. }) && wanted > 2 => {
            let fact =
                format!("`{}` would learn the numbers of {wanted} classes, in which there is no order", term.name());
            let help = format!("`--set loss=cross_entropy`, with {}", term.with_channels(wanted));
            Err(Misfit::new(fact).help(help))
        }
        Loss::CrossEntropy { .. } | Loss::Dice { .. } | Loss::BceWithLogits => named(term, target),
        Loss::Mse | Loss::L1 => Ok(()),
    }
}

/// Whether there is a channel for each class that the data name, whether or not a sample has it.
fn named(term: &Term, target: &TargetKind) -> Result<(), Misfit> {
    let TargetKind::Class { count, names } = target else { return Ok(()) };
    let known = term.classes().unwrap_or(0) as usize;
    if names.is_empty() || known >= *count {
        return Ok(());
    }
    let list: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 8 { format!(" and {} more", names.len() - 8) } else { String::new() };
    let by_one = matches!(term.loss, Loss::BceWithLogits);
    let knows = if by_one { format!(", where `{}` knows two classes", term.name()) } else { String::new() };
    let fact = format!("{}{knows}, and the data have {count} classes: {}{more}", term.is(), list.join(", "));
    let channels = term.with_channels(*count);
    let help = if by_one { format!("{channels}, with `--set loss=cross_entropy`") } else { channels };
    Err(Misfit::new(fact).help(help))
}

/// Whether targets have the output's shape, but for axes of size 1.
fn numbers(term: &Term, dims: &[usize]) -> Result<(), Misfit> {
    let long = |dims: &[usize]| dims.iter().copied().filter(|&d| d != 1).collect::<Vec<_>>();
    let (wants, has) = (long(term.shape.dims()), long(dims));
    if wants == has {
        return Ok(());
    }
    let one = dims.iter().product::<usize>() == 1;
    let targets = if one { "one number each".to_string() } else { Shape::new(dims.to_vec()).to_string() };
    let misfit = Misfit::new(format!("{}, and the data's targets are {targets}", term.is()));
    Err(match (&has[..], &wants[..]) {
        (&[h, w, c], &[wc, wh, ww]) if [c, h, w] == [wc, wh, ww] => {
            misfit.help("store channels first, [N, C, H, W]: `y = y.transpose(0, 3, 1, 2)`")
        }
        ([], [_]) => misfit.help(format!(
            "{} for a number each, or `--set loss=cross_entropy` where they are class numbers",
            term.with_channels(1)
        )),
        (&[count], []) => misfit.help(term.with_channels(count)),
        _ => misfit,
    })
}
