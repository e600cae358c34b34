//! Shapes and text in pixels, written as SVG.

use super::style::{BODY, Rgb, SHEET};
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, ShapeStyle, TextStyle};

/// A place, in pixels from the upper left corner.
pub type Point = (f64, f64);

/// Units of the file per pixel: the backend counts in whole units, and curves want finer ones.
const UNITS: f64 = 10.0;

/// The backend sizes fonts by their height; this is its factor.
const FONT: f64 = 1.24;

/// A page that is drawn on. Writing to a text cannot fail, so what the backend answers is not looked at.
pub struct Canvas<'b> {
    backend: SVGBackend<'b>,
}

/// How a text stands.
#[derive(Clone, Copy, Debug)]
pub struct Font {
    /// Pixels.
    pub size: f64,
    /// Its colour.
    pub color: Rgb,
    /// Whether it is bold.
    pub bold: bool,
    /// Whether it runs upwards.
    pub upright: bool,
}

impl Font {
    /// Upright text of the usual size.
    pub fn new(color: Rgb) -> Self {
        Self { size: BODY, color, bold: false, upright: false }
    }

    /// The same, of another size.
    pub fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    /// The same, bold.
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// The same, running upwards.
    pub fn upright(self) -> Self {
        Self { upright: true, ..self }
    }
}

/// Draws a page of this size: the whole text of an SVG file.
pub fn page(title: &str, (width, height): (f64, f64), draw: impl FnOnce(&mut Canvas)) -> String {
    let mut text = String::new();
    let size = ((width * UNITS).round() as u32, (height * UNITS).round() as u32);
    let mut canvas = Canvas { backend: SVGBackend::with_string(&mut text, size) };
    draw(&mut canvas);
    let _ = canvas.backend.present();
    drop(canvas);
    let body = text.split_once(">\n").map_or("", |(_, rest)| rest);
    let (w, h) = (width.round(), height.round());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"archc-chart\" viewBox=\"0 0 {} {}\" width=\"{w}\" height=\"{h}\" \
         role=\"img\">\n<title>{}</title>\n<style>\n{SHEET}</style>\n{body}",
        size.0,
        size.1,
        escaped(title)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// How wide a text of this size is, about: the mean of what common sans-serif fonts need.
pub fn width(text: &str, size: f64) -> f64 {
    let one = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '(' | ')' | 'f' | 't' | 'r' | 'I' | '/' => 0.32,
        'm' | 'w' | 'M' | 'W' | '—' | '→' | '%' => 0.86,
        '⁰' | '¹' | '²' | '³' | '⁴' | '⁵' | '⁶' | '⁷' | '⁸' | '⁹' | '⁻' => 0.36,
        'A'..='Z' => 0.68,
        _ => 0.56,
    };
    text.chars().map(one).sum::<f64>() * size
}

impl Canvas<'_> {
    /// A line through points. Fewer than two draw nothing.
    pub fn path(&mut self, points: &[Point], color: Rgb, thickness: f64) {
        if points.len() > 1 {
            let style = ShapeStyle { color: solid(color), filled: false, stroke_width: (thickness * UNITS) as u32 };
            let _ = self.backend.draw_path(points.iter().map(|&p| units(p)), &style);
        }
    }

    /// A line in strokes of `on` pixels with gaps of `off`.
    pub fn dashes(&mut self, points: &[Point], color: Rgb, thickness: f64, (on, off): (f64, f64)) {
        for piece in cut(points, on, off) {
            self.path(&piece, color, thickness);
        }
    }

    /// A filled polygon. Several rings may be given; where their directions differ, inner ones are holes.
    pub fn fill(&mut self, rings: &[Vec<Point>], color: Rgb, opacity: f64) {
        let Some(&anchor) = rings.first().and_then(|ring| ring.first()) else { return };
        // One outline serves all rings: it walks to each and back the same way, which encloses nothing.
        let mut outline = Vec::new();
        for ring in rings.iter().filter(|ring| !ring.is_empty()) {
            outline.extend(ring.iter().copied().chain([ring[0], anchor]));
        }
        let style = ShapeStyle { color: alpha(color, opacity), filled: true, stroke_width: 0 };
        let _ = self.backend.fill_polygon(outline.into_iter().map(units), &style);
    }

    /// A filled rectangle between two corners.
    pub fn rect(&mut self, from: Point, to: Point, color: Rgb) {
        let style = ShapeStyle { color: solid(color), filled: true, stroke_width: 0 };
        let (low, high) = ((from.0.min(to.0), from.1.min(to.1)), (from.0.max(to.0), from.1.max(to.1)));
        let _ = self.backend.draw_rect(units(low), units(high), &style, true);
    }

    /// A disc.
    pub fn disc(&mut self, at: Point, radius: f64, color: Rgb) {
        let style = ShapeStyle { color: solid(color), filled: true, stroke_width: 0 };
        let _ = self.backend.draw_circle(units(at), (radius * UNITS) as u32, &style, true);
    }

    /// Text whose middle height is at a point, to its right, around it, or to its left (for upright text: above, around, below).
    pub fn text(&mut self, text: &str, at: Point, font: Font, side: HPos) {
        let weight = if font.bold { FontStyle::Bold } else { FontStyle::Normal };
        let desc = FontDesc::new(FontFamily::SansSerif, font.size * UNITS * FONT, weight);
        let desc = if font.upright { desc.transform(FontTransform::Rotate270) } else { desc };
        let color = solid(font.color);
        let style = TextStyle::from(desc).color(&color).pos(Pos::new(side, VPos::Center));
        let _ = self.backend.draw_text(text, &style, units(at));
    }
}

fn units((x, y): Point) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

fn solid(color: Rgb) -> RGBAColor {
    alpha(color, 1.0)
}

fn alpha(Rgb(r, g, b): Rgb, opacity: f64) -> RGBAColor {
    RGBAColor(r, g, b, opacity)
}

/// The strokes of a dashed line.
fn cut(points: &[Point], on: f64, off: f64) -> Vec<Vec<Point>> {
    let mut pieces = Vec::new();
    let (mut piece, mut drawing, mut left) = (points.first().copied().into_iter().collect::<Vec<_>>(), true, on);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length);
            piece.push(at);
            if drawing {
                pieces.push(std::mem::take(&mut piece));
            }
            piece = vec![at];
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - done;
        piece.push((x1, y1));
    }
    if drawing {
        pieces.push(piece);
    }
    pieces
}
