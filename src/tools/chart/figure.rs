//! The page: title, panels in rows, a note; and legends.

use super::canvas::{self, Canvas, Font, width};
use super::frame::{Area, Frame};
use super::style::{BODY, DIM, Ink, PAPER, TEXT, TITLE};
use super::{Body, Figure, Panel, Stroke, bars, heat, lines, surface};
use plotters::style::text_anchor::HPos;

const MARGIN: f64 = 18.0;
const GAP: f64 = 22.0;
const LINE: f64 = 17.0;

/// What a legend says of one thing.
pub(super) struct Key<'a> {
    /// Its name; none is left out.
    pub name: &'a str,
    /// Its colour.
    pub ink: Ink,
    /// How its line is drawn; a box where it is none.
    pub stroke: Option<Stroke>,
}

impl Figure {
    /// The figure as an SVG file.
    pub fn svg(&self) -> String {
        let columns = self.columns.max(1).min(self.panels.len().max(1));
        let across = columns as f64 * self.size.0 + (columns as f64 - 1.0) * GAP;
        let rows = self.panels.len().div_ceil(columns).max(1);
        let subtitle = wrapped(&self.subtitle, across);
        let note = wrapped(&self.note, across);
        let head = MARGIN + 26.0 + LINE * subtitle.len() as f64 + 8.0;
        let below = head + rows as f64 * (self.size.1 + GAP);
        let height = below + if note.is_empty() { 0.0 } else { LINE * note.len() as f64 + 4.0 };
        canvas::page(&self.title, (across + 2.0 * MARGIN, height), |canvas| {
            canvas.rect((0.0, 0.0), (across + 2.0 * MARGIN, height), PAPER);
            canvas.text(&self.title, (MARGIN, MARGIN + 8.0), Font::new(TEXT).size(TITLE).bold(), HPos::Left);
            paragraph(canvas, &subtitle, MARGIN + 30.0);
            for (i, panel) in self.panels.iter().enumerate() {
                let (column, row) = ((i % columns) as f64, (i / columns) as f64);
                let (left, top) = (MARGIN + column * (self.size.0 + GAP), head + row * (self.size.1 + GAP));
                draw(canvas, panel, Area { left, top, right: left + self.size.0, bottom: top + self.size.1 });
            }
            paragraph(canvas, &note, below + 2.0);
        })
    }
}

fn draw(canvas: &mut Canvas, panel: &Panel, cell: Area) {
    match &panel.body {
        Body::Lines(list) => lines::draw(canvas, panel, list, cell),
        Body::Bars(chart) => bars::draw(canvas, panel, chart, cell),
        Body::Heat(chart) => heat::draw(canvas, panel, chart, cell),
        Body::Surface(chart) => surface::draw(canvas, panel, chart, cell),
    }
}

fn paragraph(canvas: &mut Canvas, lines: &[String], top: f64) {
    for (i, line) in lines.iter().enumerate() {
        canvas.text(line, (MARGIN, top + LINE * i as f64), Font::new(DIM), HPos::Left);
    }
}

/// A text in lines that fit.
fn wrapped(text: &str, across: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, BODY) + width(word, BODY) + 4.0 < across * 0.96 => *line += &format!(" {word}"),
            _ => lines.push(word.into()),
        }
    }
    lines
}

const SWATCH: f64 = 20.0;

/// The keys that have names, in rows that fit: each with its distance from the left.
fn rows<'k, 'a>(keys: &'k [Key<'a>], across: f64) -> Vec<Vec<(f64, &'k Key<'a>)>> {
    let mut rows: Vec<Vec<(f64, &Key)>> = Vec::new();
    let mut at = 0.0;
    for key in keys.iter().filter(|key| !key.name.is_empty()) {
        let needs = SWATCH + 6.0 + width(key.name, BODY) + 16.0;
        if rows.is_empty() || at + needs > across + 16.0 {
            rows.push(Vec::new());
            at = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((at, key));
        }
        at += needs;
    }
    rows
}

/// What a legend in this cell will need above its frame.
pub(super) fn legend_height(keys: &[Key], cell: Area) -> f64 {
    // The frame is not known yet; its labels on the left take about this much.
    let rows = rows(keys, cell.right - cell.left - 90.0).len();
    if rows == 0 { 6.0 } else { rows as f64 * LINE + 10.0 }
}

/// Draws a legend of this height above a frame.
pub(super) fn legend(canvas: &mut Canvas, keys: &[Key], frame: &Frame, height: f64) {
    let Area { left, top, .. } = frame.area;
    let count = ((height - 10.0) / LINE).round().max(0.0) as usize;
    // In the width that the height was reckoned with, so that the rows are the same.
    let mut across = frame.area.right - left;
    while rows(keys, across).len() > count && across < 10_000.0 {
        across += 20.0;
    }
    for (i, row) in rows(keys, across).into_iter().enumerate() {
        let y = top - height + LINE * (i as f64 + 0.5);
        for (x, key) in row {
            swatch(canvas, key, (left + x, y));
            canvas.text(key.name, (left + x + SWATCH + 6.0, y), Font::new(TEXT), HPos::Left);
        }
    }
}

fn swatch(canvas: &mut Canvas, key: &Key, (x, y): (f64, f64)) {
    let color = key.ink.rgb();
    let line = [(x, y), (x + SWATCH, y)];
    match key.stroke {
        None => canvas.rect((x + 4.0, y - 5.0), (x + SWATCH - 2.0, y + 5.0), color),
        Some(Stroke::Solid) => canvas.path(&line, color, 2.4),
        Some(Stroke::Thin) => canvas.path(&line, color, 1.2),
        Some(Stroke::Dashed) => canvas.dashes(&line, color, 2.0, (6.0, 4.0)),
        Some(Stroke::Dotted) => {
            canvas.path(&line, color, 1.8);
            canvas.disc((x + SWATCH / 2.0, y), 3.0, color);
        }
    }
}
