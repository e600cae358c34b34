//! A data set held in memory.

use super::census::Census;
use super::channels::adapt;
use super::dataset::{Dataset, InputRange, Pixels, Sample, Target, TargetKind};
use super::error::{DataError, Result};
use super::levels::Levels;
use super::misfit::index;

/// Inputs and targets of one size each, one after the other.
pub struct Stored {
    shape: Vec<usize>,
    dims: [usize; 3],
    channels: usize,
    values: Pixels,
    labels: Labels,
    kind: TargetKind,
    len: usize,
    census: Option<Census>,
    levels: Option<Levels>,
    origin: Origin,
    range: Option<InputRange>,
}

/// Where targets come from, so that one of them can be named.
pub enum Origin {
    /// A data set of this name.
    Set(String),
    /// An array of a file.
    Array {
        /// The file.
        file: String,
        /// The array.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
}

/// The targets of all samples.
pub enum Labels {
    /// A class each.
    Classes(Vec<i32>),
    /// A class for each pixel, as bytes.
    Masks(Vec<u8>),
    /// A class for each pixel, where bytes do not hold them.
    WideMasks(Vec<i32>),
    /// Numbers.
    Tensor(Vec<f32>),
}

impl Labels {
    fn len(&self) -> usize {
        match self {
            Labels::Classes(v) | Labels::WideMasks(v) => v.len(),
            Labels::Masks(v) => v.len(),
            Labels::Tensor(v) => v.len(),
        }
    }

    /// The classes of `samples` samples; `None` for numbers.
    fn census(&self, samples: usize) -> Option<Census> {
        let each = (self.len() / samples.max(1)).max(1);
        let mut census = Census::default();
        match self {
            Labels::Classes(v) | Labels::WideMasks(v) => {
                v.chunks(each).enumerate().for_each(|(i, v)| census.add(i, v.iter().map(|&v| i64::from(v))));
            }
            Labels::Masks(v) => {
                v.chunks(each).enumerate().for_each(|(i, v)| census.add(i, v.iter().map(|&v| i64::from(v))));
            }
            Labels::Tensor(_) => return None,
        }
        Some(census)
    }
}

impl Stored {
    /// Inputs of `dims` (`[C, H, W]`), made to fit a model that wants `wants` (without the batch).
    ///
    /// # Errors
    /// [`DataError::Size`] where they do not fit, [`DataError::Broken`] where inputs and targets differ in number.
    pub fn new(
        name: &str,
        dims: [usize; 3],
        wants: &[usize],
        values: Pixels,
        labels: Labels,
        kind: TargetKind,
    ) -> Result<Self> {
        let channels = fit(name, dims, wants)?;
        let size = dims.iter().product::<usize>();
        let values_len = match &values {
            Pixels::Bytes(v) => v.len(),
            Pixels::Floats(v) => v.len(),
        };
        let len = values_len.checked_div(size).unwrap_or(0);
        let each = match &kind {
            TargetKind::Class { .. } => 1,
            TargetKind::Mask { .. } => dims[1] * dims[2],
            TargetKind::Tensor(shape) => shape.iter().product(),
        };
        if len * size != values_len || len * each != labels.len() {
            let found = labels.len().checked_div(each).unwrap_or(0);
            return Err(DataError::broken(name, format!("it has {len} inputs and {found} targets")));
        }
        if len == 0 {
            return Err(DataError::Empty { path: name.to_string(), reason: "it has no rows".into() });
        }
        let census = labels.census(len);
        let (shape, origin) = (wants.to_vec(), Origin::Set(name.to_string()));
        Ok(Self { shape, dims, channels, values, labels, kind, len, census, levels: None, origin, range: None })
    }

    /// The same with a better name for its targets.
    pub fn named(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The same with the range of its inputs.
    pub fn with_range(self, range: Option<InputRange>) -> Self {
        Self { range, ..self }
    }

    /// The same with what is known of its masks' levels.
    pub fn with_levels(self, levels: Option<Levels>) -> Self {
        Self { levels, ..self }
    }
}

/// How many channels inputs of `dims` are to have for a model that wants `wants`.
///
/// # Errors
/// [`DataError::Size`] where they cannot be made to fit without being resized.
pub fn fit(name: &str, dims: [usize; 3], wants: &[usize]) -> Result<usize> {
    let [c, h, w] = dims;
    let fits = match *wants {
        [wc, wh, ww] => (h, w) == (wh, ww) && (c == wc || matches!((c, wc), (1, 3) | (3, 1))),
        [wc, length] => h == 1 && (c, w) == (wc, length),
        [features] => c * h * w == features,
        _ => false,
    };
    if fits {
        return Ok(if wants.len() == 3 { wants[0] } else { c });
    }
    let has = if h == 1 && wants.len() == 2 { vec![c, w] } else { dims.to_vec() };
    Err(DataError::Size { data: name.to_string(), has, wants: wants.to_vec() })
}

impl Dataset for Stored {
    fn len(&self) -> usize {
        self.len
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> &TargetKind {
        &self.kind
    }

    fn get(&self, index: usize, out: &mut Sample) -> Result<()> {
        if index >= self.len {
            return Err(DataError::Internal(format!("there is no sample {index}")));
        }
        let [c, h, w] = self.dims;
        let size = c * h * w;
        let range = index * size..(index + 1) * size;
        match &self.values {
            Pixels::Bytes(v) => adapt(&v[range], c, self.channels, out.pixels.bytes()),
            Pixels::Floats(v) => adapt(&v[range], c, self.channels, out.pixels.floats()),
        }
        out.dims = [self.channels, h, w];
        let pixels = index * h * w..(index + 1) * h * w;
        match &self.labels {
            Labels::Classes(v) => out.target = Target::Class(v[index] as i64),
            Labels::Masks(v) => out.target.mask().extend(v[pixels].iter().map(|&m| m as i32)),
            Labels::WideMasks(v) => out.target.mask().extend_from_slice(&v[pixels]),
            Labels::Tensor(v) => {
                let each = v.len() / self.len;
                out.target.tensor().extend_from_slice(&v[index * each..(index + 1) * each]);
            }
        }
        Ok(())
    }

    fn census(&self) -> Option<&Census> {
        self.census.as_ref()
    }

    fn numbers(&self) -> Option<&[f32]> {
        match &self.labels {
            Labels::Tensor(v) => Some(v),
            _ => None,
        }
    }

    fn range(&self) -> Option<&InputRange> {
        self.range.as_ref()
    }

    fn levels(&self) -> Option<&Levels> {
        self.levels.as_ref()
    }

    fn tell(&self, sample: usize, position: usize, value: &str) -> String {
        match &self.origin {
            Origin::Array { file, name, shape } => {
                let each: usize = shape.iter().skip(1).product();
                format!("`{name}[{}]` in `{file}` is {value}", index(shape, sample * each + position))
            }
            Origin::Set(name) => format!("the target of sample {sample} of `{name}` is {value}"),
        }
    }
}
