//! What a loader hands to training.

/// Some samples, ready for the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Its number in the epoch, from 0.
    pub index: usize,
    /// Whether it is the epoch's last.
    pub last: bool,
    /// Which samples it holds, as indices of the data set.
    pub samples: Vec<usize>,
    /// Values in 0–1, normalised where the options say so.
    pub inputs: Vec<f32>,
    /// `[N, C, H, W]`, `[N, C, L]` or `[N, F]`.
    pub dims: Vec<usize>,
    /// What is to be learnt.
    pub targets: Targets,
    /// What mixup mixed in.
    pub mix: Option<Mix>,
}

impl Batch {
    /// How many samples it holds.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }
}

/// What is to be learnt from a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Classes, `[N]`.
    Classes(Vec<i64>),
    /// Classes of pixels, and their shape `[N, H, W]`.
    Masks(Vec<i64>, [usize; 3]),
    /// Numbers, and their shape `[N, …]`.
    Tensor(Vec<f32>, Vec<usize>),
}

/// The other half of a mixed batch (Zhang et al. 2018): each input is `λ·x + (1 − λ)·x'`, and its loss
/// `λ·loss(output, targets) + (1 − λ)·loss(output, other)`. For cross entropy that equals soft targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// The targets of x'.
    pub other: Targets,
    /// λ, the weight of `targets`; one for the batch, drawn from Beta(α, α).
    pub lambda: f32,
}
