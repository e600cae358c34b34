//! Matrices of colours.

use super::canvas::{Canvas, Font};
use super::frame::{Area, Frame, Margins};
use super::scale::{Ruler, number};
use super::style::{DIM, EDGE, TEXT, ramp};
use super::{Axis, Panel, Scale};
use plotters::style::text_anchor::HPos;

/// A matrix of colours; the first row is the upper one.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// The amounts, row by row; `None` where there is nothing.
    pub values: Vec<Vec<Option<f64>>>,
    /// What the amounts are.
    pub label: String,
    /// The amounts of the first and the last colour; those of the data where nothing is said.
    pub range: Option<(f64, f64)>,
}

/// What the colour bar needs beside a frame.
pub(super) const BAR_ROOM: f64 = 92.0;

pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, heat: &Heat, cell: Area) {
    let lines: Vec<String> = heat.rows.iter().rev().cloned().collect();
    let named = Panel {
        x: Axis { label: panel.x.label.clone(), ..Axis::default() }.names(&heat.columns),
        y: Axis { label: panel.y.label.clone(), ..Axis::default() }.names(&lines),
        ..panel.clone()
    };
    let span = |axis: &Axis| Ruler::new(Scale::Linear, axis.range.unwrap_or((0.0, 1.0)));
    let margins = Margins { right: BAR_ROOM, top: 0.0, bare: (true, true) };
    let frame = Frame::draw(canvas, &named, cell, (span(&named.x), span(&named.y)), &margins);
    let all = || heat.values.iter().flatten().flatten().copied().filter(|v| v.is_finite());
    let (low, high) = heat.range.unwrap_or_else(|| (all().fold(0.0, f64::min), all().fold(0.0, f64::max)));
    let share = |value: f64| if high > low { (value - low) / (high - low) } else { 0.0 };
    for (i, row) in heat.values.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let (x, y) = (j as f64, (heat.rows.len() - 1 - i) as f64);
            let corners = (frame.at((x, y)), frame.at((x + 1.0, y + 1.0)));
            if let (Some(value), (Some(from), Some(to))) = (value, corners) {
                canvas.rect((from.0 + 0.5, from.1 - 0.5), (to.0 - 0.5, to.1 + 0.5), ramp(share(*value)));
            }
        }
    }
    let ticks = Ruler::new(Scale::Linear, (low, high)).ticks(5);
    let ticks: Vec<_> = ticks.into_iter().map(|(value, _)| (share(value), number(value))).collect();
    color_bar(canvas, frame.area, &heat.label, &ticks);
}

/// A strip of all colours beside a frame, with texts at shares of its height.
pub(super) fn color_bar(canvas: &mut Canvas, area: Area, label: &str, ticks: &[(f64, String)]) {
    const STEPS: usize = 60;
    let (left, right) = (area.right + 16.0, area.right + 28.0);
    let y = |share: f64| area.bottom - share * (area.bottom - area.top);
    for step in 0..STEPS {
        let (from, to) = (step as f64 / STEPS as f64, (step + 1) as f64 / STEPS as f64);
        // Each reaches a little into the next, so that no seam is seen.
        let upper = (y(to) - 0.5).max(area.top);
        canvas.rect((left, upper), (right, y(from)), ramp((from + to) / 2.0));
    }
    for (share, text) in ticks.iter().filter(|(share, _)| (-1e-9..=1.0 + 1e-9).contains(share)) {
        canvas.path(&[(right, y(*share)), (right + 4.0, y(*share))], EDGE, 1.0);
        canvas.text(text, (right + 7.0, y(*share)), Font::new(DIM).size(11.0), HPos::Left);
    }
    let middle = (area.top + area.bottom) / 2.0;
    canvas.text(label, (area.right + super::heat::BAR_ROOM - 12.0, middle), Font::new(TEXT).upright(), HPos::Center);
}
