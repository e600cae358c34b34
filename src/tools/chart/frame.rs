//! Axes: a frame with grid lines, ticks and labels, and the place of every value in it.

use super::canvas::{Canvas, Font, Point, width};
use super::scale::Ruler;
use super::style::{BODY, DIM, EDGE, GRID, HEADING, TEXT};
use super::{Axis, Panel};
use plotters::style::text_anchor::HPos;

/// A rectangle on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

/// Where values lie on the page.
pub struct Frame {
    /// The rectangle that the data are drawn in.
    pub area: Area,
    /// Across.
    pub x: Ruler,
    /// Up.
    pub y: Ruler,
}

/// One axis, ready to be drawn.
struct Ticks {
    list: Vec<(f64, String)>,
    /// Room that the longest text needs.
    room: f64,
    /// Whether the texts run upwards.
    upright: bool,
}

/// What a panel leaves around its frame.
pub struct Margins {
    /// For what stands to the right: a colour bar.
    pub right: f64,
    /// For what stands between title and frame: a legend.
    pub top: f64,
    /// Whether the values of the axes are places with names, so that no grid is wanted: across, up.
    pub bare: (bool, bool),
}

impl Frame {
    /// Draws title, axes and grid of a panel in its cell; what is left in the middle is the frame.
    pub fn draw(canvas: &mut Canvas, panel: &Panel, cell: Area, rulers: (Ruler, Ruler), margins: &Margins) -> Self {
        let heading = if panel.title.is_empty() { 0.0 } else { 22.0 };
        let y_ticks = ticks(&panel.y, &rulers.1, (cell.bottom - cell.top) / 45.0);
        let labelled = |axis: &Axis| if axis.label.is_empty() { 0.0 } else { 20.0 };
        let left = cell.left + labelled(&panel.y) + y_ticks.room + 10.0;
        let right = cell.right - margins.right;
        let x_ticks = turned(ticks(&panel.x, &rulers.0, (right - left) / 75.0), right - left);
        let below = if x_ticks.upright { x_ticks.room + 12.0 } else { 22.0 };
        let bottom = cell.bottom - labelled(&panel.x) - below;
        let area = Area { left, top: cell.top + heading + margins.top, right, bottom };
        let frame = Self { area, x: rulers.0, y: rulers.1 };
        if heading > 0.0 {
            canvas.text(&panel.title, (left, cell.top + 9.0), Font::new(TEXT).size(HEADING).bold(), HPos::Left);
        }
        frame.draw_y(canvas, &y_ticks, !margins.bare.1);
        frame.draw_x(canvas, &x_ticks, !margins.bare.0);
        frame.labels(canvas, panel, cell);
        frame
    }

    /// The place of a value; it may lie outside.
    pub fn at(&self, (x, y): (f64, f64)) -> Option<Point> {
        let (x, y) = (self.x.at(x)?, self.y.at(y)?);
        let Area { left, top, right, bottom } = self.area;
        Some((left + x * (right - left), bottom - y * (bottom - top)))
    }

    fn draw_y(&self, canvas: &mut Canvas, ticks: &Ticks, grid: bool) {
        let Area { left, right, .. } = self.area;
        for (value, text) in &ticks.list {
            let Some(at) = self.y.at(*value).filter(|at| (-1e-6..=1.0 + 1e-6).contains(at)) else { continue };
            let y = self.area.bottom - at * (self.area.bottom - self.area.top);
            if grid {
                canvas.path(&[(left, y), (right, y)], GRID, 1.0);
            }
            canvas.text(text, (left - 7.0, y), Font::new(DIM), HPos::Right);
        }
    }

    fn draw_x(&self, canvas: &mut Canvas, ticks: &Ticks, grid: bool) {
        let Area { left, top, right, bottom } = self.area;
        let every = thinned(ticks, right - left);
        for (i, (value, text)) in ticks.list.iter().enumerate() {
            let Some(at) = self.x.at(*value).filter(|at| (-1e-6..=1.0 + 1e-6).contains(at)) else { continue };
            let x = left + at * (right - left);
            if grid {
                canvas.path(&[(x, top), (x, bottom)], GRID, 1.0);
            }
            if i % every != 0 {
                continue;
            }
            match ticks.upright {
                true => canvas.text(text, (x, bottom + 7.0), Font::new(DIM).upright(), HPos::Right),
                false => canvas.text(text, (x, bottom + 13.0), Font::new(DIM), HPos::Center),
            }
        }
        canvas.path(&[(left, bottom), (right, bottom)], EDGE, 1.0);
    }

    fn labels(&self, canvas: &mut Canvas, panel: &Panel, cell: Area) {
        let Area { left, top, right, bottom } = self.area;
        let font = Font::new(TEXT);
        if !panel.x.label.is_empty() {
            canvas.text(&panel.x.label, ((left + right) / 2.0, cell.bottom - 8.0), font, HPos::Center);
        }
        if !panel.y.label.is_empty() {
            canvas.text(&panel.y.label, (cell.left + 8.0, (top + bottom) / 2.0), font.upright(), HPos::Center);
        }
    }
}

fn ticks(axis: &Axis, ruler: &Ruler, wanted: f64) -> Ticks {
    let list = axis.ticks.clone().unwrap_or_else(|| ruler.ticks(wanted.max(2.0) as usize));
    let room = list.iter().map(|(_, text)| width(text, BODY)).fold(0.0, f64::max);
    Ticks { list, room, upright: false }
}

/// Texts that have no room beside each other run upwards.
fn turned(ticks: Ticks, across: f64) -> Ticks {
    let upright = ticks.room + 8.0 > across / ticks.list.len().max(1) as f64;
    Ticks { upright, ..ticks }
}

/// Of texts that are too many even so, every how manyth is written.
fn thinned(ticks: &Ticks, across: f64) -> usize {
    let each = if ticks.upright { BODY + 2.0 } else { ticks.room + 8.0 };
    let fit = (across / each).floor().max(1.0) as usize;
    ticks.list.len().div_ceil(fit).max(1)
}
