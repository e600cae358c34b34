//! What evaluation reports, counted over a whole set: not a mean of the means of batches.

use super::loss::{IGNORED, holds_classes, values_like};
use crate::elaborate::recipe::{Loss, Metric, Recipe};
use candle_core::{DType, Device, Result, Tensor, bail};
use serde::{Deserialize, Serialize};

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ClassCount {
    predicted: u64,
    actual: u64,
    both: u64,
}

/// What has been seen of outputs and targets so far.
///
/// Outputs `[N, C, …]` are logits; the predicted class is the largest, or where C is 1 whether the logit is above 0.
/// Targets are classes, or values of the output's shape: numbers, and where C is not 1 also the shares of classes, of which the
/// largest is meant (as of one-hot targets), or labels of their own, as the loss has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    ignore: i64,
    /// Whether classes exclude one another, so that values are their shares and no labels of their own.
    #[serde(default)]
    exclusive: bool,
    positions: u64,
    right: u64,
    among_five: u64,
    classes: Vec<ClassCount>,
    values: u64,
    squared: f64,
    absolute: f64,
}

impl Meter {
    /// A meter that leaves out what the recipe's loss ignores.
    pub fn new(recipe: &Recipe) -> Self {
        let ignored = recipe.loss.iter().find_map(|term| match term.loss {
            Loss::CrossEntropy { ignore_index, .. } | Loss::Dice { ignore_index, .. } => ignore_index,
            _ => None,
        });
        Self { ignore: ignored.unwrap_or(IGNORED), exclusive: exclusive(recipe), ..Self::default() }
    }

    /// Counts a batch.
    ///
    /// # Errors
    /// Where output and target do not fit.
    pub fn add(&mut self, output: &Tensor, target: &Tensor) -> Result<()> {
        let (batch, channels) = (output.dim(0)?, output.dim(1)?);
        let plain = output.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
        let logits: Vec<f32> = plain.contiguous()?.flatten_all()?.to_vec1()?;
        if target.elem_count() == output.elem_count() {
            let target = values_like(target, &plain)?.flatten_all()?.to_vec1::<f32>()?;
            self.add_values(&logits, &target);
        }
        let positions = output.elem_count() / (batch * channels).max(1);
        if !holds_classes(target) && channels > 1 {
            let target = target.to_device(&Device::Cpu)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?;
            if self.exclusive {
                self.add_shares(&logits, &target, channels, positions)?;
            } else {
                self.add_labels(&logits, &target, channels, positions);
            }
            return Ok(());
        }
        if target.elem_count() != batch * positions {
            bail!("the target {:?} does not fit the output {:?}", target.dims(), output.dims());
        }
        let classes: Vec<i64> = target.to_device(&Device::Cpu)?.flatten_all()?.to_dtype(DType::I64)?.to_vec1()?;
        for (sample, classes) in logits.chunks(channels * positions).zip(classes.chunks(positions)) {
            self.add_sample(sample, classes);
        }
        Ok(())
    }

    fn add_values(&mut self, output: &[f32], target: &[f32]) {
        self.values += output.len() as u64;
        for (&x, &y) in output.iter().zip(target) {
            let difference = f64::from(x) - f64::from(y);
            self.squared += difference * difference;
            self.absolute += difference.abs();
        }
    }

    /// Independent labels `[N, C, …]`, each there or not: a logit above 0 against a value above one half.
    fn add_labels(&mut self, logits: &[f32], target: &[f32], channels: usize, positions: usize) {
        self.classes.resize(self.classes.len().max(channels), ClassCount::default());
        for (i, (&x, &y)) in logits.iter().zip(target).enumerate() {
            let (guess, truth) = (x > 0.0, y > 0.5);
            let count = &mut self.classes[i / positions % channels];
            count.predicted += u64::from(guess);
            count.actual += u64::from(truth);
            count.both += u64::from(guess && truth);
            self.right += u64::from(guess == truth);
            self.positions += 1;
        }
    }

    /// Shares `[N, C, …]` of classes that exclude one another, one-hot or soft: the class of the largest is the right one.
    fn add_shares(&mut self, logits: &[f32], target: &[f32], channels: usize, positions: usize) -> Result<()> {
        let each = channels * positions;
        if target.len() != logits.len() {
            bail!("targets of {} values do not fit outputs of {}", target.len(), logits.len());
        }
        for (sample, shares) in logits.chunks(each).zip(target.chunks(each)) {
            // A position without any share has no class.
            let shared = |p: usize| (0..channels).any(|c| shares[c * positions + p] > 0.0);
            let largest = predictions(shares, positions).into_iter().enumerate();
            let classes: Vec<i64> = largest.map(|(p, class)| if shared(p) { i64::from(class) } else { -1 }).collect();
            self.add_sample(sample, &classes);
        }
        Ok(())
    }

    /// One sample's logits `[C, P]` and classes `[P]`.
    fn add_sample(&mut self, logits: &[f32], classes: &[i64]) {
        let positions = classes.len();
        let channels = logits.len() / positions;
        self.classes.resize(self.classes.len().max(channels.max(2)), ClassCount::default());
        let predicted = predictions(logits, positions);
        for (p, (&class, &guess)) in classes.iter().zip(&predicted).enumerate() {
            if class == self.ignore || class < 0 || class as usize >= self.classes.len() {
                continue;
            }
            let class = class as usize;
            self.positions += 1;
            self.classes[class].actual += 1;
            self.classes[guess as usize].predicted += 1;
            if class == guess as usize {
                self.right += 1;
                self.classes[class].both += 1;
            }
            let own = logits[class.min(channels - 1) * positions + p];
            let larger = (0..channels).filter(|c| logits[c * positions + p] > own).take(5).count();
            self.among_five += u64::from(larger < 5);
        }
    }

    /// A metric of all that was counted; 0 where nothing was.
    pub fn value(&self, metric: Metric) -> f64 {
        let share = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
        match metric {
            Metric::Accuracy => share(self.right as f64, self.positions),
            Metric::Top5 => share(self.among_five as f64, self.positions),
            Metric::MeanIou => self.mean(|c| c.both as f64 / (c.predicted + c.actual - c.both) as f64),
            Metric::Dice => self.mean(|c| 2.0 * c.both as f64 / (c.predicted + c.actual) as f64),
            Metric::Mse => share(self.squared, self.values),
            Metric::Mae => share(self.absolute, self.values),
        }
    }

    /// The mean over classes that occur, in predictions or in truth.
    fn mean(&self, of: impl Fn(&ClassCount) -> f64) -> f64 {
        let seen: Vec<f64> = self.classes.iter().filter(|c| c.predicted + c.actual > 0).map(of).collect();
        if seen.is_empty() { 0.0 } else { seen.iter().sum::<f64>() / seen.len() as f64 }
    }
}

/// Whether the losses of the measured output know classes that exclude one another: `cross_entropy` does, `bce_with_logits` does
/// not, and `dice` (over a softmax) does where it stands alone.
fn exclusive(recipe: &Recipe) -> bool {
    let measured = recipe.loss.first().and_then(|term| term.output.as_deref());
    let losses = || recipe.loss.iter().filter(|term| term.output.as_deref() == measured).map(|term| &term.loss);
    let one_class = losses().any(|loss| matches!(loss, Loss::CrossEntropy { .. }));
    let labels = losses().any(|loss| matches!(loss, Loss::BceWithLogits));
    one_class || !labels && losses().any(|loss| matches!(loss, Loss::Dice { .. }))
}

/// The likeliest class at each position of logits `[C, P]`; the first of equals.
fn predictions(logits: &[f32], positions: usize) -> Vec<u32> {
    if logits.len() == positions {
        return logits.iter().map(|&x| u32::from(x > 0.0)).collect();
    }
    let mut best = logits[..positions].to_vec();
    let mut class = vec![0; positions];
    for (c, row) in logits.chunks(positions).enumerate().skip(1) {
        for ((best, class), &x) in best.iter_mut().zip(&mut class).zip(row) {
            if x > *best {
                (*best, *class) = (x, c as u32);
            }
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter { ignore: 255, ..Meter::default() }
    }

    #[test]
    fn counts_over_batches_not_means_of_them() -> Result<()> {
        let mut m = meter();
        let logits = Tensor::new(&[[2f32, 1., 0.], [0., 3., 1.], [0., 0., 1.]], &Device::Cpu)?;
        m.add(&logits, &Tensor::new(&[0u32, 2, 2], &Device::Cpu)?)?;
        m.add(&Tensor::new(&[[1f32, 0., 0.]], &Device::Cpu)?, &Tensor::new(&[0i64], &Device::Cpu)?)?;
        assert_eq!(m.value(Metric::Accuracy), 0.75);
        // Class 0: 2 of 2; class 1: predicted once, never right; class 2: 1 of 2.
        assert!((m.value(Metric::MeanIou) - (1.0 + 0.0 + 0.5) / 3.0).abs() < 1e-12);
        assert!((m.value(Metric::Dice) - (1.0 + 0.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn pixels_are_positions_and_ignored_ones_do_not_count() -> Result<()> {
        let mut m = meter();
        let logits = Tensor::new(&[[[[1f32, 0.], [5., 0.]], [[0., 1.], [0., 1.]]]], &Device::Cpu)?;
        m.add(&logits, &Tensor::new(&[[[0i64, 1], [1, 255]]], &Device::Cpu)?)?;
        assert_eq!(m.value(Metric::Accuracy), 2.0 / 3.0);
        assert_eq!(m.value(Metric::MeanIou), 0.5);
        Ok(())
    }

    #[test]
    fn top5_needs_at_most_four_larger() -> Result<()> {
        let mut m = meter();
        let row = [7f32, 6., 5., 4., 3., 2., 1.];
        m.add(&Tensor::new(&[row, row], &Device::Cpu)?, &Tensor::new(&[4i64, 5], &Device::Cpu)?)?;
        assert_eq!((m.value(Metric::Top5), m.value(Metric::Accuracy)), (0.5, 0.0));
        Ok(())
    }

    #[test]
    fn errors_of_values() -> Result<()> {
        let mut m = meter();
        m.add(
            &Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?,
            &Tensor::new(&[[1f32, 0.], [4., 4.]], &Device::Cpu)?,
        )?;
        assert_eq!((m.value(Metric::Mse), m.value(Metric::Mae)), (5.0 / 4.0, 3.0 / 4.0));
        Ok(())
    }

    #[test]
    fn of_one_hot_and_soft_targets_the_largest_counts_and_labels_of_their_own_one_by_one() -> Result<()> {
        let logits = Tensor::new(&[[2f32, 1., 0.], [0., 3., 1.], [5., 0., 1.], [0., 0., 1.]], &Device::Cpu)?;
        let targets = Tensor::new(&[[1f32, 0., 0.], [0., 0., 1.], [0.5, 0.2, 0.3], [0., 0., 1.]], &Device::Cpu)?;
        let mut m = Meter { exclusive: true, ..meter() };
        m.add(&logits, &targets)?;
        let mut numbered = meter();
        numbered.add(&logits, &Tensor::new(&[0u32, 2, 0, 2], &Device::Cpu)?)?;
        for metric in [Metric::Accuracy, Metric::Top5, Metric::MeanIou, Metric::Dice] {
            assert_eq!(m.value(metric), numbered.value(metric));
        }
        assert_eq!(m.value(Metric::Accuracy), 0.75);
        let mut labels = meter();
        labels.add(&logits, &targets)?;
        assert_eq!(labels.value(Metric::Accuracy), 8.0 / 12.0);
        Ok(())
    }

    #[test]
    fn one_channel_is_a_threshold() -> Result<()> {
        let mut m = meter();
        m.add(&Tensor::new(&[[0.5f32], [-1.0], [2.0]], &Device::Cpu)?, &Tensor::new(&[1i64, 1, 0], &Device::Cpu)?)?;
        assert_eq!(m.value(Metric::Accuracy), 1.0 / 3.0);
        Ok(())
    }
}
