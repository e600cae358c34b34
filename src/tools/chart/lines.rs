//! Curves.

use super::canvas::{Canvas, Point};
use super::frame::{Area, Frame, Margins};
use super::scale::Ruler;
use super::style::Ink;
use super::{Panel, Scale, figure};

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// A line.
    #[default]
    Solid,
    /// A thin line, for what is there to compare with.
    Thin,
    /// Dashes.
    Dashed,
    /// A line with a dot at every point.
    Dotted,
}

/// One curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is, for the legend; empty leaves it out.
    pub name: String,
    /// Its colour.
    pub ink: Ink,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Its points, in order. What is not finite, or has no logarithm on a logarithmic axis, leaves a gap.
    pub points: Vec<(f64, f64)>,
}

pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, list: &[Series], cell: Area) {
    let ruler = |range: Option<(f64, f64)>, scale: Scale, pick: fn(&(f64, f64)) -> f64, tight: bool| match range {
        Some(range) => Ruler::new(scale, range),
        None if tight => {
            let all = list.iter().flat_map(|s| s.points.iter().map(pick)).filter(|v| v.is_finite());
            Ruler::new(scale, all.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v))))
        }
        None => Ruler::over(scale, list.iter().flat_map(|s| s.points.iter().map(pick))),
    };
    let x = ruler(panel.x.range, panel.x.scale, |p| p.0, panel.x.scale == Scale::Linear);
    let y = ruler(panel.y.range, panel.y.scale, |p| p.1, false);
    let keys: Vec<_> = list.iter().map(|s| figure::Key { name: &s.name, ink: s.ink, stroke: Some(s.stroke) }).collect();
    let top = figure::legend_height(&keys, cell);
    let margins = Margins { right: 14.0, top, bare: (panel.x.ticks.is_some(), false) };
    let frame = Frame::draw(canvas, panel, cell, (x, y), &margins);
    figure::legend(canvas, &keys, &frame, top);
    list.iter().for_each(|series| curve(canvas, series, &frame));
}

fn curve(canvas: &mut Canvas, series: &Series, frame: &Frame) {
    let color = series.ink.rgb();
    for run in runs(series, frame) {
        match series.stroke {
            Stroke::Solid => canvas.path(&run, color, 2.2),
            Stroke::Thin => canvas.path(&run, color, 1.2),
            Stroke::Dashed => canvas.dashes(&run, color, 2.0, (6.0, 4.5)),
            Stroke::Dotted => {
                canvas.path(&run, color, 1.8);
                run.iter().for_each(|&at| canvas.disc(at, 2.6, color));
            }
        }
        // A point without neighbours would not be seen.
        if let [at] = run[..] {
            canvas.disc(at, 3.0, color);
        }
    }
}

/// Points that follow each other without a gap, each kept within the frame's height.
fn runs(series: &Series, frame: &Frame) -> Vec<Vec<Point>> {
    let (mut runs, mut run) = (Vec::new(), Vec::new());
    for &point in &series.points {
        match frame.at(point) {
            Some((x, y)) => run.push((x, y.clamp(frame.area.top, frame.area.bottom))),
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    runs.push(run);
    runs.retain(|run| !run.is_empty());
    runs
}
