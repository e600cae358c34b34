//! Affine maps of channels, and how they disappear into weights.

use super::Result;
use super::store::Store;
use crate::base::{Diagnostic, codes};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::shape::{LANES, blocks};

/// `scale[c]·x + shift[c]`, in double precision until it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// One factor a channel.
    pub scale: Vec<f64>,
    /// One term a channel.
    pub shift: Vec<f64>,
}

impl Affine {
    /// x itself.
    pub fn identity(channels: usize) -> Self {
        Self { scale: vec![1.0; channels], shift: vec![0.0; channels] }
    }

    /// What a batch norm (by its running statistics) or a learned factor does.
    ///
    /// # Errors
    /// Where a parameter is missing.
    pub fn of(graph: &Graph, node: NodeId, store: &Store) -> Result<Self> {
        let channels = graph.shape(node).channels().unwrap_or(1);
        let read = |name: &str| store.numbers(graph, node, name);
        let all = |found: Option<Vec<f32>>, otherwise: f32| found.unwrap_or_else(|| vec![otherwise; channels]);
        if let Op::BatchNorm(norm) = &graph.node(node).op {
            let (mean, var) = (store.need(graph, node, "running_mean")?, store.need(graph, node, "running_var")?);
            let (weight, bias) = (all(read("weight")?, 1.0), all(read("bias")?, 0.0));
            let scale: Vec<f64> =
                weight.iter().zip(&var).map(|(&w, &v)| f64::from(w) / (f64::from(v) + norm.eps).sqrt()).collect();
            let shift = bias.iter().zip(&mean).zip(&scale).map(|((&b, &m), s)| f64::from(b) - f64::from(m) * s);
            return Ok(Self { shift: shift.collect(), scale });
        }
        if let Op::Scale(_) = &graph.node(node).op {
            let weight = store.need(graph, node, "weight")?;
            let scale = (0..channels).map(|c| f64::from(weight[c % weight.len()])).collect();
            return Ok(Self { scale, shift: vec![0.0; channels] });
        }
        let message = format!("`{}` is no affine map", graph.node(node).path);
        Err(Box::new(Diagnostic::new(codes::INTERNAL, message)))
    }

    /// This map, then another.
    pub fn then(mut self, next: &Self) -> Self {
        for (c, (scale, shift)) in self.scale.iter_mut().zip(&mut self.shift).enumerate() {
            (*scale, *shift) = (*scale * next.scale[c], *shift * next.scale[c] + next.shift[c]);
        }
        self
    }

    /// Takes the map, which follows a weight of `[O, …]`, into the weight; the bias it leaves.
    pub fn fold_rows(&self, weight: &mut [f32], bias: Option<&[f32]>) -> Vec<f32> {
        let row = weight.len() / self.scale.len().max(1);
        for (row, &scale) in weight.chunks_mut(row.max(1)).zip(&self.scale) {
            row.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        }
        let biased =
            |(c, &shift): (usize, &f64)| (bias.map_or(0.0, |bias| f64::from(bias[c])) * self.scale[c] + shift) as f32;
        self.shift.iter().enumerate().map(biased).collect()
    }

    /// Takes the map, which comes before a weight of `[O, I/groups, taps]`, into the weight and its bias.
    pub fn fold_columns(&self, weight: &mut [f32], taps: usize, groups: usize, bias: &mut [f32]) {
        let depth = self.scale.len() / groups;
        let rows = bias.len() / groups;
        for (o, row) in weight.chunks_mut(depth * taps).enumerate() {
            let first = o / rows * depth;
            let mut shift = 0.0;
            for (i, taps) in row.chunks_mut(taps).enumerate() {
                shift += taps.iter().map(|&w| f64::from(w)).sum::<f64>() * self.shift[first + i];
                taps.iter_mut().for_each(|w| *w = (f64::from(*w) * self.scale[first + i]) as f32);
            }
            bias[o] = (f64::from(bias[o]) + shift) as f32;
        }
    }
}

/// Numbers, one a channel, in whole blocks.
pub fn in_blocks(values: impl IntoIterator<Item = f32>, channels: usize) -> Vec<f32> {
    let mut padded: Vec<f32> = values.into_iter().collect();
    padded.resize(blocks(channels) * LANES, 0.0);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_maps_compute_the_same() {
        let map = Affine { scale: vec![2.0, -0.5], shift: vec![1.0, 3.0] };
        let x = [0.25f32, -4.0];
        let mapped: Vec<f32> = (0..2).map(|c| (map.scale[c] * f64::from(x[c]) + map.shift[c]) as f32).collect();
        let weight = [1.0f32, 2.0, 3.0, 4.0];
        let apply =
            |w: &[f32], b: &[f32], x: &[f32]| [w[0] * x[0] + w[1] * x[1] + b[0], w[2] * x[0] + w[3] * x[1] + b[1]];
        let (mut before, mut bias) = (weight, [0.5, -0.5]);
        map.fold_columns(&mut before, 1, 1, &mut bias);
        assert_eq!(apply(&before, &bias, &x), apply(&weight, &[0.5, -0.5], &mapped));
        let mut after = weight;
        let bias = map.fold_rows(&mut after, Some(&[0.5, -0.5]));
        let plain = apply(&weight, &[0.5, -0.5], &x);
        assert_eq!(apply(&after, &bias, &x), [plain[0] * 2.0 + 1.0, plain[1] * -0.5 + 3.0]);
        assert_eq!(Affine::identity(2).then(&map), map);
    }
}
