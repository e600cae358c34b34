//! A drawing as a list of shapes, and its text as SVG.

use super::style;
use std::fmt::Write;

/// A shape; coordinates in pixels from the top left.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A rounded box, with what a pointer resting on it shows.
    Box {
        /// Left, top, width, height.
        area: [i64; 4],
        /// The radius of its corners.
        round: i64,
        /// Its look.
        class: String,
        /// The tooltip; nothing for none.
        tip: String,
    },
    /// One line of text.
    Text {
        /// Where it starts, or its middle or end.
        at: [i64; 2],
        /// `start`, `middle`, `end`.
        anchor: &'static str,
        /// What it says, in pieces of one look each.
        parts: Vec<(&'static str, String)>,
    },
    /// A line.
    Line {
        /// SVG path commands.
        path: String,
        /// Its look.
        class: String,
        /// Whether it ends in an arrow head.
        arrow: Option<&'static str>,
    },
    /// A disc.
    Disc {
        /// Its middle.
        at: [i64; 2],
        /// Its radius.
        radius: i64,
        /// Its look.
        class: String,
    },
}

/// A drawing.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Pixels from left to right.
    pub width: i64,
    /// Pixels from top to bottom.
    pub height: i64,
    /// From back to front.
    pub shapes: Vec<Shape>,
}

impl Scene {
    /// Adds a line.
    pub fn line(&mut self, path: String, class: impl Into<String>, arrow: Option<&'static str>) {
        self.shapes.push(Shape::Line { path, class: class.into(), arrow });
    }

    /// Adds a text.
    pub fn text(&mut self, x: i64, y: i64, anchor: &'static str, class: &'static str, text: impl Into<String>) {
        self.shapes.push(Shape::Text { at: [x, y], anchor, parts: vec![(class, text.into())] });
    }

    /// Adds a box.
    pub fn boxed(&mut self, area: [i64; 4], round: i64, class: impl Into<String>, tip: impl Into<String>) {
        self.shapes.push(Shape::Box { area, round, class: class.into(), tip: tip.into() });
    }

    /// The drawing as an SVG file.
    pub fn svg(&self, title: &str) -> String {
        let (w, h) = (self.width, self.height);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\n\
             <title>{}</title>\n<style>\n{}</style>\n{}<rect class=\"page\" width=\"{w}\" height=\"{h}\"/>\n",
            escaped(title),
            style::CSS,
            style::arrow_heads(),
        );
        self.shapes.iter().for_each(|shape| write_shape(&mut svg, shape));
        svg + "</svg>\n"
    }
}

fn write_shape(svg: &mut String, shape: &Shape) {
    // Writing to a string cannot fail.
    let _ = match shape {
        Shape::Box { area: [x, y, w, h], round, class, tip } => {
            let open =
                format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"");
            if tip.is_empty() {
                writeln!(svg, "{open}/>")
            } else {
                writeln!(svg, "{open}><title>{}</title></rect>", escaped(tip))
            }
        }
        Shape::Text { at: [x, y], anchor, parts } => {
            let anchor = if *anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
            let gap = |i: usize| if i > 0 { " dx=\"7\"" } else { "" };
            let part = |(i, (class, text)): (usize, &(&str, String))| {
                format!("<tspan class=\"{class}\"{}>{}</tspan>", gap(i), escaped(text))
            };
            let parts: String = parts.iter().enumerate().map(part).collect();
            writeln!(svg, "<text x=\"{x}\" y=\"{y}\"{anchor}>{parts}</text>")
        }
        Shape::Line { path, class, arrow } => {
            let head = arrow.map_or(String::new(), |name| format!(" marker-end=\"url(#{name})\""));
            writeln!(svg, "<path class=\"{class}\" d=\"{path}\"{head}/>")
        }
        Shape::Disc { at: [x, y], radius, class } => {
            writeln!(svg, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>")
        }
    };
}

/// Text with the signs of XML replaced.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
