//! A framed picture asked about, at once or tile by tile, and the padding cut from the answers.

use super::Values;
use super::compute::Computer;
use super::cut::Cut;
use super::framing::{Framing, Part};
use archc::analysis::canvas::{Follow, Size};
use archc::base::{Diagnostic, codes};
use archc::elaborate::Network;
use archc::elaborate::recipe::Normalize;
use archc::engine::Input;
use archc::train::data::painted::map;
use archc::train::data::photo::{Photo, reflect};
use archc::train::data::tensor_io::TensorData;

/// One output, without what stands for padding.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The output's name.
    pub name: String,
    /// Its numbers.
    pub tensor: TensorData,
    /// What of the picture it stands for, where it is a map.
    pub part: Option<Part>,
}

/// The network's numbers of a framed picture: `[C, H, W]` of the frame.
pub fn frame(photo: &Photo, framing: &Framing, normalize: Option<&Normalize>) -> Vec<f32> {
    let values = photo.values(framing.region, framing.scaled, normalize);
    match framing.frame == framing.scaled {
        true => values,
        false => reflect(&values, framing.scaled, framing.lead, framing.frame),
    }
}

/// Asks a network of one input about every tile of a frame, and puts the answers together. `tick` hears how many are
/// done, and says whether to go on; `None` where it did not.
///
/// # Errors
/// Where the network does not work at the tiles' size.
pub fn by_tiles(
    computer: &mut Computer,
    network: &Network,
    values: &[f32],
    framing: &Framing,
    follows: &[Option<Follow>],
    tick: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Values>, Diagnostic> {
    let Some(cuts @ [rows, columns]) = &framing.cuts else { return Ok(None) };
    let name = network.inputs.first().map(|decl| decl.name.clone()).unwrap_or_default();
    let (size, channels) = ([rows.size, columns.size], values.len() / (framing.frame[0] * framing.frame[1]).max(1));
    let dims = [1, channels, size[0], size[1]];
    let mut sums: Vec<Sum> = Vec::new();
    for (i, &top) in rows.starts.iter().enumerate() {
        for (j, &left) in columns.starts.iter().enumerate() {
            if !tick(i * columns.starts.len() + j) {
                return Ok(None);
            }
            let tile = window(values, framing.frame, [top, left], size);
            let outputs = computer.run(network, &[Input { name: &name, dims: &dims, data: &tile }])?;
            if sums.is_empty() {
                sums = outputs
                    .iter()
                    .zip(follows)
                    .map(|(output, follow)| Sum::new(output, follow, framing))
                    .collect::<Result<_, _>>()?;
            }
            for (sum, (_, output)) in sums.iter_mut().zip(&outputs) {
                sum.add(output, cuts, [i, j])?;
            }
        }
    }
    Ok(Some(sums.into_iter().map(Sum::mean).collect()))
}

/// A part of every plane of `[C, H, W]` values.
fn window(values: &[f32], [h, w]: Size, [top, left]: Size, [height, width]: Size) -> Vec<f32> {
    let planes = values.chunks_exact((h * w).max(1));
    let rows = planes.flat_map(|plane| plane.chunks_exact(w.max(1)).skip(top).take(height));
    rows.flat_map(|row| &row[left..left + width]).copied().collect()
}

/// An output of the whole frame, growing tile by tile: sums of what tiles say, each by what it counts for.
struct Sum {
    name: String,
    follow: Follow,
    size: Size,
    channels: usize,
    values: Vec<f32>,
    /// What was counted of each row and each column: every position has the product.
    counts: [Vec<f32>; 2],
}

impl Sum {
    fn new(
        (name, tile): &(String, TensorData),
        follow: &Option<Follow>,
        framing: &Framing,
    ) -> Result<Self, Diagnostic> {
        let lost = || Diagnostic::new(codes::INTERNAL, format!("tiles of `{name}` cannot be put together"));
        let follow = (*follow).ok_or_else(lost)?;
        let [channels, ..] = map(tile).ok_or_else(lost)?;
        let size = [0, 1].map(|axis| follow[axis].of(framing.frame[axis]).unwrap_or(0));
        let values = vec![0.0; channels * size[0] * size[1]];
        let cuts = framing.cuts.as_ref().ok_or_else(lost)?;
        let counts = [0, 1].map(|axis| {
            let mut counts = vec![0.0; size[axis]];
            for (i, &start) in cuts[axis].starts.iter().enumerate() {
                let weights = cuts[axis].weights(i, follow[axis]);
                let at = follow[axis].covering(start);
                counts.iter_mut().skip(at).zip(weights).for_each(|(count, weight)| *count += weight);
            }
            counts
        });
        Ok(Self { name: name.clone(), follow, size, channels, values, counts })
    }

    fn add(&mut self, tile: &TensorData, cuts: &[Cut; 2], index: Size) -> Result<(), Diagnostic> {
        let weights = [0, 1].map(|axis| cuts[axis].weights(index[axis], self.follow[axis]));
        let start = [0, 1].map(|axis| self.follow[axis].covering(cuts[axis].starts[index[axis]]));
        let [h, w] = [weights[0].len(), weights[1].len()];
        let inside = start[0] + h <= self.size[0] && start[1] + w <= self.size[1];
        if !inside || tile.values.len() != self.channels * h * w || h * w == 0 {
            let fact = format!("a tile of `{}` is {:?}, and {h}×{w} was planned", self.name, tile.shape);
            return Err(Diagnostic::new(codes::INTERNAL, fact));
        }
        let planes = self.values.chunks_exact_mut(self.size[0] * self.size[1]);
        for (sums, plane) in planes.zip(tile.values.chunks_exact(h * w)) {
            for ((row, &down), line) in plane.chunks_exact(w).zip(&weights[0]).zip(start[0]..) {
                let sums = &mut sums[line * self.size[1] + start[1]..][..w];
                sums.iter_mut()
                    .zip(row.iter().zip(&weights[1]))
                    .for_each(|(sum, (v, across))| *sum += down * across * v);
            }
        }
        Ok(())
    }

    fn mean(mut self) -> (String, TensorData) {
        let rows = self.values.chunks_exact_mut(self.size[1].max(1));
        for (row, down) in rows.zip(self.counts[0].iter().cycle()) {
            row.iter_mut().zip(&self.counts[1]).for_each(|(value, across)| *value /= down * across);
        }
        (self.name, TensorData { shape: vec![1, self.channels, self.size[0], self.size[1]], values: self.values })
    }
}

/// Cuts what stands for padding from every output of a picture.
pub fn cut(outputs: Values, framing: &Framing, follows: &[Option<Follow>]) -> Vec<Answer> {
    let one = |((name, tensor), follow): ((String, TensorData), &Option<Follow>)| {
        let Some([c, h, w]) = map(&tensor) else { return Answer { name, tensor, part: None } };
        let part = framing.part(follow.as_ref(), [h, w]);
        if part.size == [h, w] {
            return Answer { name, tensor, part: Some(part) };
        }
        let values = window(&tensor.values, [h, w], part.start, part.size);
        Answer { name, tensor: TensorData { shape: vec![1, c, part.size[0], part.size[1]], values }, part: Some(part) }
    };
    outputs.into_iter().zip(follows).map(one).collect()
}
