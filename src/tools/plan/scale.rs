//! Where things stand in the picture of a memory plan.

use crate::graph::{Graph, NodeId};
use crate::plan::{Phase, Plan, Step, ValueId};

/// Pixels for one step, at least and at most, within which the picture is about as wide as a page.
const PIXELS: (f64, f64) = (6.0, 90.0);
/// How wide the plot should be.
const WIDE: f64 = 1120.0;
/// The widest picture; more steps get narrower boxes.
const WIDEST: f64 = 3200.0;

/// From steps and bytes to pixels.
pub struct Scale {
    /// Of the whole picture.
    pub width: f64,
    /// Of the whole picture.
    pub height: f64,
    /// Edges of the plot.
    pub left: f64,
    /// Edges of the plot.
    pub right: f64,
    /// Edges of the plot.
    pub top: f64,
    /// Edges of the plot.
    pub bottom: f64,
    /// Bytes at the top of the plot.
    pub most: u64,
    /// The values of each buffer.
    pub tenants: Vec<Vec<ValueId>>,
    step: f64,
}

impl Scale {
    /// A scale that shows all of a plan.
    pub fn of(plan: &Plan) -> Self {
        let steps = plan.steps.len() as f64;
        let step = (WIDE / steps).clamp(PIXELS.0, PIXELS.1).min(WIDEST / steps);
        let (left, top, tall) = (58.0, 92.0, 540.0);
        let plot = (steps * step).max(720.0);
        let mut tenants = vec![Vec::new(); plan.buffers.len()];
        plan.places.iter().enumerate().for_each(|(value, place)| tenants[place.buffer].push(value));
        Self {
            width: left + plot + 24.0,
            height: top + tall + 62.0,
            left,
            right: left + plot,
            top,
            bottom: top + tall,
            most: plan.peak.max(1),
            tenants,
            step: plot / steps,
        }
    }

    /// The left edge of a step.
    pub fn x(&self, step: usize) -> f64 {
        self.left + step as f64 * self.step
    }

    /// The height of an offset in the arena.
    pub fn y(&self, bytes: u64) -> f64 {
        self.bottom - bytes as f64 / self.most as f64 * (self.bottom - self.top)
    }
}

/// The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`.
pub fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|m| m * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

/// A run of steps that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Its first step.
    pub first: usize,
    /// Its last step.
    pub last: usize,
    /// The label that its layers share.
    pub name: String,
    /// Forward, loss or backward.
    pub phase: Phase,
}

/// The steps by the outermost label; where that covers more than half of them, by the next one inside it.
pub fn bands(graph: &Graph, plan: &Plan) -> Vec<Band> {
    let of = |step: &Step| step.lead.or(step.nodes.first().copied()).map_or("loss", |node| path(graph, node));
    let paths: Vec<&str> = plan.steps.iter().map(of).collect();
    let mut bands = Vec::new();
    split(plan, &paths, 0, paths.len(), 0, &mut bands);
    bands
}

fn path(graph: &Graph, node: NodeId) -> &str {
    &graph.node(node).path
}

/// The first `depth + 1` parts of a path.
fn prefix(path: &str, depth: usize) -> &str {
    path.match_indices('.').nth(depth).map_or(path, |(at, _)| &path[..at])
}

fn split(plan: &Plan, paths: &[&str], from: usize, to: usize, depth: usize, bands: &mut Vec<Band>) {
    let key = |step: usize| (prefix(paths[step], depth), plan.steps[step].phase);
    let mut first = from;
    while first < to {
        let last = (first..to).take_while(|&step| key(step) == key(first)).last().unwrap_or(first);
        let (name, phase) = key(first);
        let deeper = (first..=last).any(|step| paths[step].len() > name.len());
        if deeper && (last + 1 - first) * 2 > paths.len() {
            split(plan, paths, first, last + 1, depth + 1, bands);
        } else {
            bands.push(Band { first, last, name: name.to_string(), phase });
        }
        first = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let steps = [0.013, 0.2, 0.21, 3.0, 6.0, 1.0].map(nice_step);
        let expected = [0.02, 0.2, 0.25, 5.0, 10.0, 1.0];
        assert!(steps.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{steps:?}");
    }

    #[test]
    fn a_path_is_cut_at_its_dots() {
        let cut = [0, 1, 2, 5].map(|depth| prefix("layer1.0.conv1", depth));
        assert_eq!(cut, ["layer1", "layer1.0", "layer1.0.conv1", "layer1.0.conv1"]);
    }
}
