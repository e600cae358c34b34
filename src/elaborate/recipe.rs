//! Training recipes, checked.

use crate::base::Span;
use serde::Serialize;

/// How a model is trained. Semantics of every part are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    /// What `--data` would say.
    pub data: Option<String>,
    /// Weighted sum of losses.
    pub loss: Vec<LossTerm>,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Samples a step.
    pub batch: usize,
    /// When to stop.
    pub duration: Duration,
    /// Per-channel normalisation of inputs; `None` leaves them in 0–1.
    pub normalize: Option<Normalize>,
    /// Augmentations, in order.
    pub augment: Vec<Augment>,
    /// What evaluation reports.
    pub metrics: Vec<Metric>,
    /// The seed of everything random.
    pub seed: u64,
    /// Where the recipe stands.
    #[serde(skip)]
    pub span: Span,
}

/// One loss and its factor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossTerm {
    /// The factor.
    pub weight: f64,
    /// The loss.
    pub loss: Loss,
    /// The output it reads, where the model has several (`cross_entropy(output="aux")`); the first otherwise.
    pub output: Option<String>,
}

/// A loss; all are means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Loss {
    /// Of logits `[N, C]` or `[N, C, H, W]` against classes `[N]` or `[N, H, W]`.
    CrossEntropy { label_smoothing: f64, ignore_index: Option<i64>, class_weights: Option<Vec<f64>> },
    /// Of logits against targets of the same shape.
    BceWithLogits,
    /// `1 − 2·|P∩Y| / (|P| + |Y|)`, mean over classes, of softmax probabilities (sigmoid where there is one channel).
    Dice { smooth: f64, ignore_index: Option<i64> },
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    L1,
}

/// An optimizer with its arguments, PyTorch's names and defaults.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Optimizer {
    Sgd { lr: f64, momentum: f64, dampening: f64, weight_decay: f64, nesterov: bool },
    Adam { lr: f64, betas: [f64; 2], eps: f64, weight_decay: f64, amsgrad: bool },
    AdamW { lr: f64, betas: [f64; 2], eps: f64, weight_decay: f64, amsgrad: bool },
    RmsProp { lr: f64, alpha: f64, eps: f64, weight_decay: f64, momentum: f64, centered: bool },
}

/// How the learning rate changes, in steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Schedule {
    /// It does not, after a linear warm-up.
    Constant { warmup: usize },
    /// Times `factor` at each of these steps.
    Step { at: Vec<usize>, factor: f64, warmup: usize },
    /// Half a cosine down to `floor` times the rate at the last step, after a linear warm-up.
    Cosine { warmup: usize, floor: f64 },
}

/// When training stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Duration {
    /// After this many steps.
    Steps(usize),
    /// After this many passes over the data.
    Epochs(usize),
}

/// `(x − mean) / std`, per channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Normalize {
    /// Means, for values in 0–1.
    pub mean: Vec<f64>,
    /// Standard deviations.
    pub std: Vec<f64>,
}

/// A random change of a training sample; masks change with their images.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Augment {
    /// Zero padding on each side, then a random crop back.
    PadCrop(usize),
    /// Left and right swapped, one time in two.
    Flip,
    /// Top and bottom swapped, one time in two.
    FlipVertical,
    /// A shift of up to this many pixels each way.
    Shift(usize),
    /// A rotation of up to this many degrees each way.
    Rotate(f64),
    /// A square of this side set to the mean (DeVries and Taylor 2017).
    Cutout(usize),
    /// Brightness and contrast changed by up to this factor.
    Jitter(f64),
    /// A random area and aspect, resized to the input (Szegedy et al. 2015).
    RandomResizedCrop { min_area: f64 },
    /// Convex pairs of samples (Zhang et al. 2018).
    Mixup(f64),
}

/// What evaluation reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of right classes (of pixels, for maps).
    Accuracy,
    /// Share of samples whose class is among the five likeliest.
    Top5,
    /// Intersection over union, mean over classes.
    MeanIou,
    /// Dice coefficient, mean over classes.
    Dice,
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
}

impl Metric {
    /// Every metric, as they are listed.
    pub const ALL: [Metric; 6] =
        [Metric::Accuracy, Metric::Top5, Metric::MeanIou, Metric::Dice, Metric::Mse, Metric::Mae];

    /// Its name in recipes, journals and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Accuracy => "accuracy",
            Metric::Top5 => "top5",
            Metric::MeanIou => "mean_iou",
            Metric::Dice => "dice",
            Metric::Mse => "mse",
            Metric::Mae => "mae",
        }
    }
}
