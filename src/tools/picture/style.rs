//! Colours, fonts and sizes of pictures.

use crate::graph::SkipLength;
use crate::ops::{Family, Op};
use crate::tools::text::Ink;

/// Text size of layers, in pixels.
pub const LAYER_TEXT: f64 = 12.0;
/// Text size of frames' titles.
pub const TITLE_TEXT: f64 = 12.5;
/// Height of a layer's box.
pub const LAYER: i64 = 24;
/// Radius of a merge.
pub const MERGE: i64 = 9;
/// Free space between elements.
pub const GAP: i64 = 16;
/// Free space within a frame.
pub const PAD: i64 = 14;
/// Height of a frame's title.
pub const TITLE: i64 = 26;
/// How far below its source an edge leaves the line.
pub const LEAVE: i64 = 6;
/// Distance between edges that run side by side.
pub const LANE: i64 = 13;
/// Radius of an edge's corners.
pub const CORNER: i64 = 7;

/// The look of everything, in light and dark.
pub const CSS: &str = "\
.page { fill: #ffffff }
text { font-family: Inter, 'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif; font-size: 12px; fill: #1f2933 }
.head { font-size: 18px; font-weight: 600 }
.title { font-size: 12.5px; font-weight: 600 }
.dim { fill: #6b7785 }
.small { font-size: 11px; fill: #6b7785 }
.badge { font-size: 11px; font-weight: 600; fill: #ffffff }
.frame { fill: #f6f8fa; fill-opacity: .75; stroke: #c9d1d9 }
.pill { fill: #52606d }
.layer { stroke-width: 1 }
.weights { fill: #e3edfb; stroke: #9dbce8 }
.norm { fill: #eeeaf8; stroke: #bfb2e2 }
.activation { fill: #fdf3d8; stroke: #e3c56d }
.pool { fill: #fbe6e1; stroke: #e5a898 }
.resize { fill: #def3ec; stroke: #8fcdb8 }
.other { fill: #f2f4f6; stroke: #b8c1cb }
.port { fill: #ffffff; stroke: #52606d }
.line { fill: none; stroke: #7b8794; stroke-width: 1.4 }
.add { fill: none; stroke: #2f9e44; stroke-width: 1.8 }
.concat { fill: none; stroke: #1c7ed6; stroke-width: 1.8 }
.mul { fill: none; stroke: #ae3ec9; stroke-width: 1.8 }
.gate { fill: none; stroke: #e8590c; stroke-width: 1.8 }
.long { stroke-dasharray: 7 4 }
.disc { fill: #ffffff }
.dot { stroke: none }
.dot.line { fill: #7b8794 } .dot.add { fill: #2f9e44 } .dot.concat { fill: #1c7ed6 } .dot.mul { fill: #ae3ec9 } .dot.gate { fill: #e8590c }
@media (prefers-color-scheme: dark) {
  .page { fill: #0f141a }
  text { fill: #e4e9ee }
  .dim, .small { fill: #93a1af }
  .badge { fill: #0f141a }
  .frame { fill: #182028; stroke: #36424f }
  .pill { fill: #93a1af }
  .weights { fill: #1d3352; stroke: #3f6ba6 }
  .norm { fill: #2c2647; stroke: #62549a }
  .activation { fill: #3d3315; stroke: #8a722c }
  .pool { fill: #45261f; stroke: #94533f }
  .resize { fill: #173a30; stroke: #3a7d68 }
  .other { fill: #232c35; stroke: #4b5866 }
  .port { fill: #0f141a; stroke: #93a1af }
  .disc { fill: #0f141a }
}
";

/// The arrow heads that lines end in, one for each colour.
pub fn arrow_heads() -> String {
    let head = |ink: &str| {
        format!(
            "<marker id=\"to-{ink}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"dot {ink}\" d=\"M0 .8 L8 4 L0 7.2 Z\"/></marker>"
        )
    };
    let heads: String = ["line", "add", "concat", "mul", "gate"].map(head).concat();
    format!("<defs>{heads}</defs>\n")
}

/// The class of an edge's colour.
pub fn ink(ink: Ink) -> &'static str {
    match ink {
        Ink::Add => "add",
        Ink::Concat => "concat",
        Ink::Mul => "mul",
        Ink::Gate => "gate",
        _ => "line",
    }
}

/// The arrow head of an edge's colour.
pub fn head(ink: Ink) -> &'static str {
    match ink {
        Ink::Add => "to-add",
        Ink::Concat => "to-concat",
        Ink::Mul => "to-mul",
        Ink::Gate => "to-gate",
        _ => "to-line",
    }
}

/// The classes of an edge.
pub fn edge(colour: Ink, length: SkipLength) -> String {
    let long = if length == SkipLength::Long { " long" } else { "" };
    format!("{}{long}", ink(colour))
}

/// The class of a layer's box.
pub fn layer(op: &Op) -> &'static str {
    match op.family() {
        Family::Input => "port",
        Family::Convolution | Family::Linear => "weights",
        Family::Norm => "norm",
        Family::Activation => "activation",
        Family::Pool => "pool",
        Family::Resize => "resize",
        Family::Regularization | Family::View | Family::Merge(_) => "other",
    }
}

/// The colour of an edge, in light.
pub fn color(colour: Ink) -> &'static str {
    match colour {
        Ink::Add => "#2f9e44",
        Ink::Concat => "#1c7ed6",
        Ink::Mul => "#ae3ec9",
        Ink::Gate => "#e8590c",
        _ => "#7b8794",
    }
}

/// The colour of a layer's box, in light.
pub fn fill(op: &Op) -> &'static str {
    match layer(op) {
        "weights" => "#e3edfb",
        "norm" => "#eeeaf8",
        "activation" => "#fdf3d8",
        "pool" => "#fbe6e1",
        "resize" => "#def3ec",
        "port" => "#ffffff",
        _ => "#f2f4f6",
    }
}

/// Columns that a text takes at most, in pixels: widths of DejaVu Sans, the widest of the fonts asked for.
pub fn text_width(text: &str, size: f64) -> i64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '·' => 0.32,
        ' ' | 'f' | 't' | 'r' | 'I' | '-' | '/' => 0.40,
        'm' | 'W' | 'M' | '…' => 0.98,
        'w' | '×' | '→' | '=' | '+' => 0.84,
        c if c.is_ascii_uppercase() => 0.72,
        _ => 0.64,
    };
    (text.chars().map(em).sum::<f64>() * size).ceil() as i64
}
