//! Nearest interpolation to sizes that are stated.
//!
//! `Resize` says which position is read as a quotient, and ONNX Runtime computes that in single precision: the eighth of 16
//! rows is read from row 6.9999995 of 14, which is row 6. Where that happens at fixed sizes, positions are chosen one by one.

use super::Export;
use super::writer::Attr;
use crate::graph::NodeId;
use crate::ops::Op;
use crate::ops::resize::{Interpolation, Upsample, UpsampleSize};
use std::collections::BTreeSet;

/// The position that is read for each one of an axis: ⌊i · from / to⌋.
fn places(from: usize, to: usize) -> impl Iterator<Item = usize> {
    (0..to).map(move |i| i * from / to)
}

/// Whether ONNX Runtime's `Resize` reads all of them: it divides by the quotient of both sizes.
fn agrees(from: usize, to: usize) -> bool {
    let scale = to as f32 / from as f32;
    places(from, to).enumerate().all(|(i, place)| (i as f32 / scale) as usize == place)
}

/// Whether the sizes of an axis, as many as are known, leave no doubt.
fn sound(pairs: &BTreeSet<(usize, usize)>) -> bool {
    let whole = |&(from, to): &(usize, usize)| to.is_multiple_of(from.max(1));
    pairs.iter().all(whole) || (pairs.len() == 1 && pairs.iter().all(|&(from, to)| agrees(from, to)))
}

impl Export<'_> {
    /// The sizes of a node's operand and its own along each spatial axis, at all sizes that are known.
    fn changes(&self, id: NodeId) -> Vec<BTreeSet<(usize, usize)>> {
        let graph = &self.network.graph;
        let Some(&operand) = graph.operands(id).first() else { return Vec::new() };
        let (from, to) = (self.free.all_dims(graph, operand), self.free.all_dims(graph, id));
        let axes = 1..graph.shape(id).dims().len();
        let pair = |axis: usize| {
            from.iter()
                .zip(&to)
                .filter_map(move |(from, to)| Some((*from.get(axis)?, *to.get(axis)?)))
                .collect::<BTreeSet<_>>()
        };
        axes.map(pair).collect()
    }

    /// Whether `Resize` would read other positions, of sizes that are fixed.
    pub(super) fn by_places(&self, id: NodeId, upsample: &Upsample) -> bool {
        let still = self.still_operand(id) && self.free.still(&self.network.graph, id);
        still && in_doubt(upsample) && !self.changes(id).iter().all(sound)
    }

    /// The positions of each axis, chosen one by one.
    pub(super) fn chosen(&mut self, id: NodeId, x: &str) -> String {
        let sizes = self.changes(id).into_iter().map(|pairs| pairs.into_iter().next().unwrap_or((1, 1)));
        let all: Vec<_> = sizes.enumerate().filter(|(_, (from, to))| from != to).collect();
        let mut value = x.to_string();
        for (i, &(axis, (from, to))) in all.iter().enumerate() {
            let numbers: Vec<i64> = places(from, to).map(|place| place as i64).collect();
            let numbers = self.writer.own_ints("places", &numbers);
            let attrs = vec![("axis", Attr::Int(axis as i64 + 2))];
            value = match i + 1 == all.len() {
                true => self.writer.last("Gather", &[&value, &numbers], attrs),
                false => self.writer.node("Gather", &[&value, &numbers], attrs),
            };
        }
        value
    }

    /// What a user should know of layers whose sizes are free.
    pub(super) fn rounding(&self) -> Vec<String> {
        let graph = &self.network.graph;
        let by_quotient =
            |id: NodeId| matches!(&graph.node(id).op, Op::Upsample(op) if in_doubt(op) && !self.by_places(id, op));
        let doubted = graph.order().filter(|&id| by_quotient(id) && !self.changes(id).iter().all(sound));
        let note = |id: NodeId| {
            let path = &graph.node(id).path;
            format!(
                "`{path}` reads a neighbouring position at some sizes in ONNX Runtime, which divides in single precision (14 to 16, say)"
            )
        };
        doubted.map(note).collect()
    }
}

/// Whether positions follow from a quotient of sizes.
fn in_doubt(upsample: &Upsample) -> bool {
    let stated = match &upsample.size {
        UpsampleSize::Factor(_) => false,
        UpsampleSize::Size(_) | UpsampleSize::Like => true,
    };
    stated && upsample.mode == Interpolation::Nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What ONNX Runtime 1.32 does at sizes up to 64.
    #[test]
    fn quotients_in_single_precision_are_seen() {
        assert!([(14, 16), (14, 2), (20, 12), (21, 3)].iter().all(|&(from, to)| !agrees(from, to)));
        assert!([(7, 14), (16, 8), (5, 12), (9, 11), (8, 8)].iter().all(|&(from, to)| agrees(from, to)));
        let off = (1..=64).flat_map(|from| (1..=64).map(move |to| (from, to))).filter(|&(from, to)| !agrees(from, to));
        assert_eq!(off.count(), 117);
    }
}
