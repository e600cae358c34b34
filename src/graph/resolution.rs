//! The resolution of a value: the product of strides and factors that led to it. Padding, cropping and valid convolutions
//! change sizes, and no resolution.
//!
//! A skip is long where some value on a path from its source to its merge has a resolution that differs from both ends'. Only
//! the edges of the graph count, so that the order of the text does not matter.

use crate::ops::{Field, Op, Scaling};
use crate::shape::Shape;
use std::rc::Rc;

/// Places passed over in the time of one that is looked at.
const STRETCH: usize = 16;

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Factor(u64, u64);

impl Factor {
    const ONE: Self = Self(1, 1);

    fn new(up: u64, down: u64) -> Self {
        let divisor = gcd(up, down).max(1);
        Self(up / divisor, down / divisor)
    }

    /// The product; it saturates where no network gets to.
    fn times(self, up: usize, down: usize) -> Self {
        let (a, b) = (Self::new(self.0, down as u64), Self::new(up as u64, self.1));
        Self::new(a.0.saturating_mul(b.0), a.1.saturating_mul(b.1))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Where spatial axes began, and their factor from there, one for each axis.
#[derive(Clone, Debug, PartialEq)]
struct Resolution {
    origin: usize,
    factors: Vec<Factor>,
}

/// What is known of a node.
#[derive(Debug)]
struct Known {
    /// None where it has no spatial axes.
    resolution: Option<Rc<Resolution>>,
    /// Whether it has spatial sizes that are not all 1.
    has: bool,
    /// Whether its sizes are all 1 whatever those of the input: a global pool made it, or the input itself has no others.
    global: bool,
}

/// The resolutions of nodes, by their place in a list where operands come before their readers.
#[derive(Debug, Default)]
pub struct Resolutions {
    list: Vec<Known>,
    /// The spatial sizes of the first node, an input.
    first: Vec<usize>,
}

/// What the paths of a skip visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visits {
    /// The first node of a resolution that differs from both ends': the skip is long.
    pub leaves: Option<usize>,
    /// Whether a node differs whose sizes windows made 1: at larger inputs the skip is long, and here the writer says.
    pub may_leave: bool,
    /// How many nodes were looked at.
    pub nodes: usize,
}

impl Resolutions {
    /// Notes the next node: its op, its shape, and its operands with theirs.
    pub fn push(&mut self, op: &Op, shape: &Shape, operands: &[usize], shapes: &[&Shape]) {
        if self.list.is_empty() {
            self.first = shape.spatial().to_vec();
        }
        let resolution = if shape.spatial().is_empty() { None } else { self.of_new(op, shape, operands, shapes) };
        let has = shape.spatial().iter().any(|&size| size != 1);
        let global = !has && self.is_global(op, operands);
        self.list.push(Known { resolution, has, global });
    }

    /// Whether a node has a resolution: spatial sizes that are not all 1.
    pub fn has(&self, id: usize) -> bool {
        self.list.get(id).is_some_and(|known| known.has)
    }

    /// What is visited on the paths from a source to a merge; `operands` calls back with each of a node's.
    pub fn visits(&self, source: usize, merge: usize, operands: impl Fn(usize, &mut dyn FnMut(usize))) -> Visits {
        if !self.has(source) || !self.has(merge) || merge < source {
            return Visits { leaves: None, may_leave: false, nodes: 0 };
        }
        // Operands stand before their readers, so that all paths lie in this stretch.
        let mut above = vec![false; merge - source + 1];
        let (mut open, mut nodes) = (vec![merge], 1);
        while let Some(id) = open.pop() {
            operands(id, &mut |operand| {
                if operand > source && !std::mem::replace(&mut above[operand - source], true) {
                    open.push(operand);
                    nodes += 1;
                }
            });
        }
        above[merge - source] = true;
        let mut reached = vec![false; above.len()];
        reached[0] = true;
        for id in (source..=merge).filter(|id| above[id - source]) {
            operands(id, &mut |operand| reached[id - source] |= operand >= source && reached[operand - source]);
        }
        let differs = |id: usize| {
            let same = [self.same(id, source), self.same(id, merge)];
            same.contains(&Some(false)) && !same.contains(&Some(true))
        };
        let on_the_way = || (source..=merge).filter(|id| reached[id - source]);
        let leaves = on_the_way().find(|&id| self.has(id) && differs(id));
        let may_leave = on_the_way().any(|id| !self.has(id) && differs(id));
        Visits { leaves, may_leave, nodes: nodes + above.len() / STRETCH }
    }

    /// Whether two nodes have the same resolution; `None` where one has none, or their axes began at different places.
    fn same(&self, a: usize, b: usize) -> Option<bool> {
        let known = |id: usize| self.get(id).filter(|_| !self.list[id].global);
        let (a, b) = (known(a)?, known(b)?);
        (a.origin == b.origin).then(|| a.factors == b.factors)
    }

    fn get(&self, id: usize) -> Option<&Rc<Resolution>> {
        self.list.get(id)?.resolution.as_ref()
    }

    /// Whether a value whose sizes are all 1 has them at any size of the input.
    fn is_global(&self, op: &Op, operands: &[usize]) -> bool {
        let all = || operands.iter().all(|&operand| self.list.get(operand).is_none_or(|known| known.global));
        op.nature().scaling == Scaling::Global || all()
    }

    fn of_new(&self, op: &Op, shape: &Shape, operands: &[usize], shapes: &[&Shape]) -> Option<Rc<Resolution>> {
        let id = self.list.len();
        let (Some(&first), Some(from)) = (operands.first(), shapes.first()) else { return Some(self.input(id, shape)) };
        let before = self.get(first);
        match op.nature().scaling {
            Scaling::Like => self.get(*operands.get(1)?).cloned(),
            Scaling::Ratio | Scaling::Global => Some(ratio(before?, from.spatial(), shape)),
            // Axes that a vector is given begin here, and so do those of a value that had no resolution.
            Scaling::Begins if !self.has(first) => Some(begin(id, shape)),
            Scaling::Begins => before.cloned(),
            // Of values that meet, one that is as large as their result: others are stretched.
            Scaling::Meets => {
                let whole = operands.iter().zip(shapes).filter(|(_, operand)| operand.spatial() == shape.spatial());
                whole.filter_map(|(&operand, _)| self.get(operand)).next().or(before).cloned()
            }
            Scaling::Field => Some(scaled(before?, &op.layer().field(shapes))),
        }
    }

    /// Inputs of a network have the ratio of their sizes to the first one's.
    fn input(&self, id: usize, shape: &Shape) -> Rc<Resolution> {
        match self.get(0).filter(|_| self.first.len() == shape.spatial().len()) {
            Some(before) => ratio(before, &self.first, shape),
            None => begin(id, shape),
        }
    }
}

fn begin(id: usize, shape: &Shape) -> Rc<Resolution> {
    Rc::new(Resolution { origin: id, factors: vec![Factor::ONE; shape.spatial().len()] })
}

/// The exact ratio of sizes.
fn ratio(before: &Rc<Resolution>, from: &[usize], to: &Shape) -> Rc<Resolution> {
    let sizes = from.iter().zip(to.spatial());
    let factors = before.factors.iter().zip(sizes).map(|(factor, (&from, &to))| factor.times(to, from.max(1)));
    Rc::new(Resolution { origin: before.origin, factors: factors.collect() })
}

fn scaled(before: &Rc<Resolution>, field: &Field) -> Rc<Resolution> {
    let (steps, up) = match field {
        Field::Window { stride, .. } => (stride, false),
        Field::Spread { factor, .. } => (factor, true),
        Field::Pointwise | Field::Global => return before.clone(),
    };
    if steps.iter().all(|&step| step == 1) {
        return before.clone();
    }
    // After a reshape there may be fewer steps than axes were, or more: the last one stands for the others.
    let step = |i: usize| steps.get(i).or(steps.last()).copied().unwrap_or(1).max(1);
    let factors = before.factors.iter().enumerate();
    let factors = factors.map(|(i, factor)| if up { factor.times(step(i), 1) } else { factor.times(1, step(i)) });
    Rc::new(Resolution { origin: before.origin, factors: factors.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_kept_in_lowest_terms() {
        let half = Factor::ONE.times(1, 2);
        assert_eq!(half.times(1, 3).times(6, 1), Factor::ONE);
        assert_eq!(Factor::ONE.times(568, 64), Factor(71, 8));
        assert_eq!(Factor(u64::MAX, 1).times(2, 1), Factor(u64::MAX, 1));
    }
}
