//! What a data set is: samples by index, all of one shape and one kind of target.

use super::census::Census;
use super::error::Result;
use super::levels::Levels;

/// A set of samples that can be read from several threads at once.
pub trait Dataset: Send + Sync {
    /// How many samples it has.
    fn len(&self) -> usize;

    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shape of an input as the model gets it, without the batch: `[C, H, W]`, `[C, L]` or `[F]`.
    fn input_shape(&self) -> &[usize];

    /// What is to be learnt from an input.
    fn target(&self) -> &TargetKind;

    /// Reads sample `index` into `out`, whose buffers are reused.
    ///
    /// # Errors
    /// [`DataError::Broken`](super::DataError::Broken) where this one sample cannot be read; others may still be.
    fn get(&self, index: usize, out: &mut Sample) -> Result<()>;

    /// The labels or the classes of pixels that its targets hold; `None` where they were not looked at.
    fn census(&self) -> Option<&Census> {
        None
    }

    /// The numbers of its targets, one sample after the other, where they are numbers and at hand.
    fn numbers(&self) -> Option<&[f32]> {
        None
    }

    /// The range of its inputs, where they are arrays in the shape of pictures whose numbers stay as they are.
    fn range(&self) -> Option<&InputRange> {
        None
    }

    /// How the levels of its masks are read, where it has masks.
    fn levels(&self) -> Option<&Levels> {
        None
    }

    /// A sentence on what the target of a sample holds at a position (row by row), with the file and the place in it:
    /// `` `y[3, 0]` of `d.npz` is 7 ``.
    fn tell(&self, sample: usize, position: usize, value: &str) -> String {
        let _ = position;
        format!("the target of sample {sample} is {value}")
    }
}

/// In which range the numbers of an array of inputs lie.
#[derive(Clone, Debug, PartialEq)]
pub struct InputRange {
    /// The array in its file: `` `x` in `d.npz` ``.
    pub place: String,
    /// The least and the largest number.
    pub ends: [f32; 2],
    /// A line of Python that brings them to 0–1.
    pub fix: String,
}

impl InputRange {
    /// Numbers above this are no pixels from 0 to 1, nor such after they were normalised by usual means and deviations.
    const BEYOND: f32 = 8.0;

    /// Whether the numbers are pixels of another scale than 0 to 1: none is below 0, and some are far above 1.
    pub fn is_other([low, high]: [f32; 2]) -> bool {
        low >= 0.0 && high > Self::BEYOND
    }
}

/// What is to be learnt from an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// One of `count` classes, named where the data name them (otherwise `names` is empty).
    Class {
        /// How many classes there are.
        count: usize,
        /// Their names, in order.
        names: Vec<String>,
    },
    /// A class for every pixel, 0 up to `classes` − 1; negative values and 255 may mark pixels to ignore.
    Mask {
        /// How many classes there are.
        classes: usize,
    },
    /// Numbers of this shape, without the batch.
    Tensor(Vec<usize>),
}

/// One sample as it is stored: pixels at the size they have there, before augmentation.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Channels, height and width; `[C, 1, L]` for sequences and `[F, 1, 1]` for vectors.
    pub dims: [usize; 3],
    /// The values, channel by channel (`[C, H, W]`).
    pub pixels: Pixels,
    /// What is to be learnt.
    pub target: Target,
}

/// The values of one input.
#[derive(Clone, Debug)]
pub enum Pixels {
    /// Bytes; 255 stands for 1.
    Bytes(Vec<u8>),
    /// Values as they are.
    Floats(Vec<f32>),
}

impl Default for Pixels {
    fn default() -> Self {
        Pixels::Bytes(Vec::new())
    }
}

impl Pixels {
    /// The bytes, emptied, to be filled.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        if !matches!(self, Pixels::Bytes(_)) {
            *self = Pixels::Bytes(Vec::new());
        }
        let Pixels::Bytes(v) = self else { unreachable!("it was made bytes above") };
        v.clear();
        v
    }

    /// The floats, emptied, to be filled.
    pub fn floats(&mut self) -> &mut Vec<f32> {
        if !matches!(self, Pixels::Floats(_)) {
            *self = Pixels::Floats(Vec::new());
        }
        let Pixels::Floats(v) = self else { unreachable!("it was made floats above") };
        v.clear();
        v
    }
}

/// What is to be learnt from one input.
#[derive(Clone, Debug)]
pub enum Target {
    /// Its class.
    Class(i64),
    /// The class of each pixel, `[H, W]`, the size of the input's pixels.
    Mask(Vec<i32>),
    /// Numbers.
    Tensor(Vec<f32>),
}

impl Default for Target {
    fn default() -> Self {
        Target::Class(0)
    }
}

impl Target {
    /// The mask, emptied, to be filled.
    pub fn mask(&mut self) -> &mut Vec<i32> {
        if !matches!(self, Target::Mask(_)) {
            *self = Target::Mask(Vec::new());
        }
        let Target::Mask(v) = self else { unreachable!("it was made a mask above") };
        v.clear();
        v
    }

    /// The numbers, emptied, to be filled.
    pub fn tensor(&mut self) -> &mut Vec<f32> {
        if !matches!(self, Target::Tensor(_)) {
            *self = Target::Tensor(Vec::new());
        }
        let Target::Tensor(v) = self else { unreachable!("it was made a tensor above") };
        v.clear();
        v
    }
}
