//! How much of the input does a value see? Receptive fields along the spatial axes.
//!
//! For windows the recurrence is the usual one (Araujo et al. 2019): with extent `e`, stride `s`, and the
//! distance `j` between neighbouring positions measured in the input, `r' = r + (e − 1)·j` and `j' = j·s`.
//! A transposed window of extent `e` and factor `f` shows `⌈e / f⌉` positions and divides `j` by `f`.
//! Where paths meet, the larger field counts. Statistics of normalisations are left out, as in the papers.

use crate::graph::{Graph, NodeId};
use crate::ops::Field;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The receptive field of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum ReceptiveField {
    /// A window of the input, one entry per spatial axis; none where the input is a vector.
    Window(Vec<Reach>),
    /// Every position of the input.
    Whole,
}

/// The field along one axis, in input positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    /// How many positions are seen.
    extent: f64,
    /// The distance between neighbouring positions.
    jump: f64,
}

impl Reach {
    /// How many input positions are seen; rounded up where a value sits between positions.
    pub fn extent(&self) -> u64 {
        // The guard against thirds that do not add up to one.
        (self.extent - 1e-6).ceil() as u64
    }

    /// The distance between neighbouring positions, measured in the input.
    pub fn jump(&self) -> f64 {
        self.jump
    }

    fn window(self, extent: usize, stride: usize) -> Self {
        Self { extent: self.extent + (extent - 1) as f64 * self.jump, jump: self.jump * stride as f64 }
    }

    fn spread(self, extent: usize, factor: usize) -> Self {
        let seen = extent.div_ceil(factor).max(1);
        Self { extent: self.extent + (seen - 1) as f64 * self.jump, jump: self.jump / factor as f64 }
    }

    fn max(self, other: Self) -> Self {
        Self { extent: self.extent.max(other.extent), jump: self.jump.max(other.jump) }
    }
}

impl ReceptiveField {
    fn of_input(axes: usize) -> Self {
        Self::Window(vec![Reach { extent: 1.0, jump: 1.0 }; axes])
    }

    fn through(&self, field: &Field) -> Self {
        let Self::Window(axes) = self else { return Self::Whole };
        let each = |a: &[usize], b: &[usize], rule: fn(Reach, usize, usize) -> Reach| {
            Self::Window(axes.iter().zip(a.iter().zip(b)).map(|(&reach, (&a, &b))| rule(reach, a, b)).collect())
        };
        match field {
            Field::Pointwise => self.clone(),
            Field::Window { extent, stride } => each(extent, stride, Reach::window),
            Field::Spread { extent, factor } => each(extent, factor, Reach::spread),
            Field::Global if axes.is_empty() => self.clone(),
            Field::Global => Self::Whole,
        }
    }

    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Window(a), Self::Window(b)) if a.len() == b.len() => {
                Self::Window(a.into_iter().zip(b).map(|(a, b)| a.max(b)).collect())
            }
            (Self::Window(a), Self::Window(b)) => Self::Window(if a.len() > b.len() { a } else { b }),
            _ => Self::Whole,
        }
    }
}

/// `7`, `7×5`, `all`; nothing for vectors.
impl fmt::Display for ReceptiveField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Window(axes) = self else { return f.write_str("all") };
        let extents: Vec<u64> = axes.iter().map(Reach::extent).collect();
        match extents.as_slice() {
            [first, rest @ ..] if rest.iter().all(|e| e == first) => write!(f, "{first}"),
            _ => f.write_str(&extents.iter().map(u64::to_string).collect::<Vec<_>>().join("×")),
        }
    }
}

/// A list of extents, or `"all"`.
impl Serialize for ReceptiveField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Window(axes) => serializer.collect_seq(axes.iter().map(Reach::extent)),
            Self::Whole => serializer.serialize_str("all"),
        }
    }
}

/// The receptive field of every node.
pub fn receptive_fields(graph: &Graph) -> BTreeMap<NodeId, ReceptiveField> {
    let mut fields: BTreeMap<NodeId, ReceptiveField> = BTreeMap::new();
    for id in graph.order() {
        let operands = graph.operands(id);
        let seen = match operands.split_first() {
            None => ReceptiveField::of_input(graph.shape(id).spatial().len()),
            Some((first, others)) => {
                let through = fields[first].through(&graph.node(id).op.layer().field(&graph.operand_shapes(id)));
                others.iter().fold(through, |field, other| field.join(fields[other].clone()))
            }
        };
        fields.insert(id, seen);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The field after these windows and spreads of one axis.
    fn after(steps: &[Field]) -> String {
        steps.iter().fold(ReceptiveField::of_input(1), |field, step| field.through(step)).to_string()
    }

    fn window(extent: usize, stride: usize) -> Field {
        Field::Window { extent: vec![extent], stride: vec![stride] }
    }

    fn spread(extent: usize, factor: usize) -> Field {
        Field::Spread { extent: vec![extent], factor: vec![factor] }
    }

    #[test]
    fn windows_add_up_as_in_the_papers() {
        let vgg_block = [window(3, 1), window(3, 1), window(2, 2), window(3, 1)];
        assert_eq!(after(&vgg_block), "10");
        let stem = [window(7, 2), window(3, 2), window(3, 1), window(3, 1)];
        assert_eq!(after(&stem), "27");
    }

    #[test]
    fn spreads_bring_positions_closer() {
        assert_eq!(after(&[window(2, 2), spread(2, 2), window(3, 1)]), "4");
        assert_eq!(after(&[window(2, 2), spread(3, 2), window(3, 1)]), "6");
    }

    #[test]
    fn all_stays_all() {
        assert_eq!(after(&[Field::Global, window(3, 1)]), "all");
        let whole = ReceptiveField::Whole.join(ReceptiveField::of_input(2));
        assert_eq!(whole, ReceptiveField::Whole);
    }
}
