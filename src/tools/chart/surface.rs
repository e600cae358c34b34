//! Functions of two variables, as filled contours with isolines.

use super::canvas::{Canvas, Point};
use super::contour::{Grid, isolines, rings};
use super::frame::{Area, Frame, Margins};
use super::heat::{BAR_ROOM, color_bar};
use super::scale::{Ruler, number};
use super::style::{Rgb, mix, ramp};
use super::{Panel, Scale};

/// A function of two variables on a grid.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// The columns' values, rising.
    pub xs: Vec<f64>,
    /// The rows' values, rising.
    pub ys: Vec<f64>,
    /// The function, row by row. What is not finite counts as higher than everything.
    pub values: Vec<Vec<f64>>,
    /// Where isolines run, rising; colours change there.
    pub levels: Vec<f64>,
    /// What the function is.
    pub label: String,
    /// A place to be marked.
    pub mark: Option<(f64, f64)>,
}

pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, surface: &Surface, cell: Area) {
    let ends = |list: &[f64]| (list.first().copied().unwrap_or(0.0), list.last().copied().unwrap_or(1.0));
    let rulers = (Ruler::new(Scale::Linear, ends(&surface.xs)), Ruler::new(Scale::Linear, ends(&surface.ys)));
    let margins = Margins { right: BAR_ROOM, top: 0.0, bare: (false, false) };
    let frame = Frame::draw(canvas, panel, cell, rulers, &margins);
    let Area { left, top, right, bottom } = frame.area;
    canvas.rect((left, top), (right, bottom), color(surface, 0));
    let Some(grid) = Grid::new(&surface.xs, &surface.ys, &surface.values) else { return };
    let placed = |line: Vec<(f64, f64)>| line.into_iter().filter_map(|p| frame.at(p)).collect::<Vec<Point>>();
    // From the lowest level up, so that higher regions lie on lower ones.
    for (i, &level) in surface.levels.iter().enumerate() {
        let outlines: Vec<_> = rings(&grid, level).into_iter().map(placed).collect();
        canvas.fill(&outlines, color(surface, i + 1), 1.0);
    }
    for (i, &level) in surface.levels.iter().enumerate() {
        let line = mix(color(surface, i), Rgb(0, 0, 0), 0.35);
        isolines(&grid, level).into_iter().for_each(|path| canvas.path(&placed(path), line, 0.7));
    }
    if let Some(at) = surface.mark.and_then(|mark| frame.at(mark)) {
        canvas.disc(at, 4.2, Rgb(0x11, 0x11, 0x11));
        canvas.disc(at, 3.0, Rgb(0xfe, 0xfe, 0xfe));
    }
    let count = surface.levels.len() as f64 + 1.0;
    let every = surface.levels.len().div_ceil(8).max(1);
    let ticks = surface.levels.iter().enumerate().step_by(every);
    let ticks: Vec<_> = ticks.map(|(i, &level)| ((i as f64 + 1.0) / count, number(level))).collect();
    color_bar(canvas, frame.area, &surface.label, &ticks);
}

/// The colour of the band above `below` levels.
fn color(surface: &Surface, below: usize) -> Rgb {
    ramp((below as f64 + 0.5) / (surface.levels.len() as f64 + 1.0))
}
