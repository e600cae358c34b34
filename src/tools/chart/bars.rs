//! Groups of bars.

use super::canvas::Canvas;
use super::frame::{Area, Frame, Margins};
use super::scale::Ruler;
use super::style::{Hue, Ink};
use super::{Axis, Panel, figure};

/// Bars of one kind, one in each group.
#[derive(Clone, Debug)]
pub struct BarSeries {
    /// What they are.
    pub name: String,
    /// Their colour.
    pub ink: Ink,
    /// Their heights; `None` draws none.
    pub values: Vec<Option<f64>>,
}

/// Groups of bars beside each other.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// The groups' names.
    pub groups: Vec<String>,
    /// What each group holds.
    pub series: Vec<BarSeries>,
    /// Heights to compare with, drawn as dashed lines: name, height, colour.
    pub levels: Vec<(String, f64, Ink)>,
}

pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, bars: &Bars, cell: Area) {
    let heights = bars.series.iter().flat_map(|s| s.values.iter().flatten().copied());
    let all = heights.chain(bars.levels.iter().map(|level| level.1)).chain([0.0]);
    let y = panel.y.range.map_or_else(|| Ruler::over(panel.y.scale, all), |range| Ruler::new(panel.y.scale, range));
    let named =
        Panel { x: Axis { label: panel.x.label.clone(), ..Axis::default() }.names(&bars.groups), ..panel.clone() };
    let x = Ruler::new(named.x.scale, named.x.range.unwrap_or((0.0, 1.0)));
    let solid = bars.series.iter().map(|s| figure::Key { name: &s.name, ink: s.ink, stroke: None });
    let dashed =
        bars.levels.iter().map(|(name, _, ink)| figure::Key { name, ink: *ink, stroke: Some(super::Stroke::Dashed) });
    let keys: Vec<_> = solid.chain(dashed).collect();
    let top = figure::legend_height(&keys, cell);
    let frame = Frame::draw(canvas, &named, cell, (x, y), &Margins { right: 14.0, top, bare: (true, false) });
    figure::legend(canvas, &keys, &frame, top);
    let each = 0.74 / bars.series.len().max(1) as f64;
    for (i, series) in bars.series.iter().enumerate() {
        for (group, value) in series.values.iter().enumerate() {
            let left = group as f64 + 0.13 + each * i as f64;
            bar(canvas, &frame, (left, left + each * 0.92), *value, series.ink);
        }
    }
    for (_, height, ink) in &bars.levels {
        if let Some((_, y)) = frame.at((0.0, *height)) {
            let Area { left, right, .. } = frame.area;
            canvas.dashes(&[(left, y), (right, y)], ink.rgb(), 1.6, (6.0, 4.5));
        }
    }
}

fn bar(canvas: &mut Canvas, frame: &Frame, (left, right): (f64, f64), value: Option<f64>, ink: Ink) {
    let Some(value) = value else { return };
    let (Some(from), Some(to)) = (frame.at((left, value)), frame.at((right, value))) else { return };
    let Area { top, bottom, .. } = frame.area;
    let foot = frame.at((left, 0.0)).map_or(bottom, |(_, y)| y).clamp(top, bottom);
    // What is 0 still has its place marked.
    let height = if (from.1 - foot).abs() < 1.0 { foot - 1.0 } else { from.1.clamp(top, bottom) };
    canvas.rect((from.0, height), (to.0, foot), ink.rgb());
}

impl Default for Ink {
    fn default() -> Self {
        Hue::Blue.into()
    }
}
