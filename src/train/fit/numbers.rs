//! Targets that are numbers, held against losses that want shares.

use super::Wrong;
use super::term::Term;
use crate::base::codes;
use crate::elaborate::recipe::Loss;
use crate::train::data::{Dataset, Misfit, TargetKind, shown};

/// How far probabilities may add up to something else than 1: they may have been stored in half precision.
const SUM: f64 = 0.01;

/// Whether numbers that stand where losses over classes want one class each are whole; then they were read as classes.
pub(super) fn whole(term: &Term, data: &dyn Dataset) -> Result<(), Wrong> {
    let (TargetKind::Tensor(dims), Some(values)) = (data.target(), data.numbers()) else { return Ok(()) };
    let each = dims.iter().product::<usize>().max(1);
    let (positions, channels) = (term.shape.spatial().iter().product::<usize>().max(1), term.channels());
    let by_class = matches!(term.loss, Loss::CrossEntropy { .. } | Loss::Dice { .. });
    if !by_class || channels < 2 || each != positions {
        return Ok(());
    }
    let Some(at) = values.iter().position(|v| v.fract() != 0.0) else { return Ok(()) };
    let place = data.tell(at / each, at % each, &shown(values[at]));
    let misfit = Misfit::new(format!("{place}, and `{}` wants class numbers", term.name()))
        .note("floats are read as class numbers where all of them are whole")
        .help(format!("numbers are learnt by another loss: `--set loss=mse`, with {}", term.with_channels(1)));
    Err((codes::DATA_LABEL, misfit))
}

/// Whether every number is one that the loss can learn.
pub(super) fn check(term: &Term, data: &dyn Dataset, dims: &[usize]) -> Result<(), Wrong> {
    let shares = !matches!(term.loss, Loss::Mse | Loss::L1);
    let Some(values) = data.numbers().filter(|_| shares) else { return Ok(()) };
    let each = dims.iter().product::<usize>().max(1);
    let outside = values.iter().position(|v| !(0.0..=1.0).contains(v));
    let fits = match (outside, term.loss) {
        (Some(at), _) => Err(out_of_range(term, data.tell(at / each, at % each, &shown(values[at])), values)),
        (None, Loss::CrossEntropy { .. }) => add_up(term, data, values, each),
        _ => Ok(()),
    };
    fits.map_err(|misfit| (codes::TRAIN_UNFIT, misfit))
}

fn out_of_range(term: &Term, place: String, values: &[f32]) -> Misfit {
    let what = match term.loss {
        Loss::CrossEntropy { .. } => "wants class numbers, or probabilities of classes",
        _ => "wants numbers from 0 to 1",
    };
    let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    let misfit = Misfit::new(format!("{place}, and `{}` {what}", term.name())).note(format!(
        "targets lie between {} and {}",
        shown(low),
        shown(high)
    ));
    match (low, high) {
        _ if matches!(term.loss, Loss::CrossEntropy { .. }) => {
            misfit.help("numbers are learnt by another loss: `--set loss=mse`")
        }
        (-1.0..=1.0, -1.0..=1.0) => misfit.help("`y = (y + 1) / 2` lies in 0 to 1"),
        (0.0..=255.0, 0.0..=255.0) => {
            misfit.help(format!("`y = y / {}` lies in 0 to 1", if high > 100.0 { "255".into() } else { shown(high) }))
        }
        _ => misfit.help("numbers of any size are learnt by another loss: `--set loss=mse`"),
    }
}

/// Whether the probabilities of the classes of each position add up to 1.
fn add_up(term: &Term, data: &dyn Dataset, values: &[f32], each: usize) -> Result<(), Misfit> {
    let classes = term.channels().max(1);
    let positions = (each / classes).max(1);
    for (sample, values) in values.chunks_exact(each).enumerate() {
        for position in 0..positions {
            let sum: f64 = values.iter().skip(position).step_by(positions).map(|&v| f64::from(v)).sum();
            if (sum - 1.0).abs() > SUM {
                let first = data.tell(sample, position, &shown(values[position]));
                let fact = format!("{first}, and with the other classes there it adds up to {sum:.3}, not to 1");
                let help = "classes that may be there together, or not at all, are learnt by another loss: \
                    `--set loss=bce_with_logits`";
                return Err(Misfit::new(fact).help(help));
            }
        }
    }
    Ok(())
}
