//! A layer norm that a file spells out: (x − mean) / √(mean of squares + eps).

use super::item::{Kind, Raw, Value};
use super::lift::Lift;
use super::operators::Made;
use super::reader::Reader;
use super::refused::lacking;
use crate::ops::norm::LayerNorm;

impl Lift<'_> {
    /// What two values are where they are parts of a norm.
    pub(super) fn part_of_norm(&mut self, op: &str, a: usize, b: usize) -> Option<Made> {
        let (first, second) = (self.items[a].clone(), self.items[b].clone());
        match (op, &first.kind, &second.kind) {
            ("Sub", _, Kind::Raw(Raw::Mean)) if second.inputs == [a] => Some(Ok(self.raw(Raw::Centred, a, first.dims))),
            ("Mul", Kind::Raw(Raw::Centred), Kind::Raw(Raw::Centred)) if first.inputs == second.inputs => {
                Some(Ok(self.raw(Raw::Square, first.inputs[0], first.dims)))
            }
            ("Div", Kind::Raw(Raw::Centred), Kind::Raw(Raw::Root(eps))) if first.inputs == second.inputs => {
                Some(self.layer(LayerNorm { eps: *eps, affine: false }, first.inputs, Vec::new()))
            }
            _ => None,
        }
    }

    /// The square of what is centred.
    pub(super) fn power(&mut self, node: &mut Reader) -> Made {
        let (x, power) = (node.item(0)?, node.constant(1, "power")?);
        let power = power.and_then(|tensor| tensor.single());
        let item = self.items[x].clone();
        match (&item.kind, power) {
            (Kind::Raw(Raw::Centred), Some(2.0)) => Ok(self.raw(Raw::Square, item.inputs[0], item.dims)),
            (_, Some(1.0)) => Ok(Value::Item(x)),
            _ => Err(lacking("Pow")),
        }
    }

    /// The root of a mean of squares and a small number.
    pub(super) fn root(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let source = || {
            let (mean, factor, eps) = self.affine_of(x)?;
            let mean = &self.items[mean];
            let square = &self.items[*mean.inputs.first()?];
            let own = matches!(mean.kind, Kind::Raw(Raw::Mean)) && matches!(square.kind, Kind::Raw(Raw::Square));
            (own && factor == 1.0 && eps > 0.0).then_some((*square.inputs.first()?, eps))
        };
        match source() {
            Some((of, eps)) => Ok(self.raw(Raw::Root(eps), of, self.items[x].dims.clone())),
            None => Err(lacking("Sqrt")),
        }
    }
}
