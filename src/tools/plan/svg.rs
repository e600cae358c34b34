//! A memory plan as a picture: time across, bytes up, one box per buffer.
//!
//! Boxes take the colour of their resolution, so that the eye finds where memory goes. Hatching marks where a buffer
//! holds something other than the value it is named after: a result computed over it, or a slice of it. The
//! dotted line is what is live at each step; its highest point is the lower bound.

use super::scale::{Band, Scale, bands, nice_step};
use super::{Names, totals};
use crate::analysis::liveness::Interval;
use crate::graph::Graph;
use crate::plan::{Content, Mode, Phase, Plan, ValueId};
use crate::tools::text::{bytes, grouped};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many colours there are, largest resolution first; what comes after shares the last.
const COLORS: usize = 8;

/// Plain rules without variables, which not every renderer knows; later rules are for dark mode.
const STYLE: &str = "
  svg { font-family: system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; font-size: 12px; }
  .title { font-size: 17px; font-weight: 600; } .small { font-size: 10px; }
  .box { fill-opacity: .3; stroke-width: 1; } .gradient { fill-opacity: .1; stroke-dasharray: 3 2; }
  .c0 { fill: #4263eb; stroke: #4263eb; } .c1 { fill: #1c7ed6; stroke: #1c7ed6; }
  .c2 { fill: #1098ad; stroke: #1098ad; } .c3 { fill: #0ca678; stroke: #0ca678; }
  .c4 { fill: #66a80f; stroke: #66a80f; } .c5 { fill: #f08c00; stroke: #f08c00; }
  .c6 { fill: #e8590c; stroke: #e8590c; } .c7 { fill: #c2255c; stroke: #c2255c; }
  .scratch { fill: #868e96; stroke: #868e96; fill-opacity: .2; }
  .paper { fill: #ffffff; } text { fill: #1f2328; } text.soft, tspan.soft { fill: #656d76; }
  .grid { stroke: #e4e8ec; } .band { fill: #eef1f4; stroke: #d0d7de; } .hatch { stroke: #1f2328; stroke-opacity: .3; }
  .live { fill: none; stroke: #1f2328; stroke-opacity: .5; stroke-width: 1.2; stroke-dasharray: 1.5 2.5; }
  .peak { stroke: #cf222e; stroke-width: 1.5; } text.peak { fill: #cf222e; stroke: none; }
  .bound { stroke: #1a7f37; stroke-width: 1.5; stroke-dasharray: 7 4; } text.bound { fill: #1a7f37; stroke: none; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } text { fill: #e6edf3; } text.soft, tspan.soft { fill: #8d96a0; }
    .grid { stroke: #21262d; } .band { fill: #161b22; stroke: #30363d; } .hatch { stroke: #e6edf3; }
    .live { stroke: #e6edf3; } .peak { stroke: #ff7b72; } text.peak { fill: #ff7b72; }
    .bound { stroke: #56d364; } text.bound { fill: #56d364; } .box { fill-opacity: .4; } .gradient { fill-opacity: .16; } }
";

/// The picture, as a file of its own that follows the reader's light or dark mode.
pub fn render(model: &str, graph: &Graph, plan: &Plan) -> String {
    let picture =
        Picture { graph, plan, names: Names::new(graph, plan), scale: Scale::of(plan), colors: colors(graph, plan) };
    let Scale { width, height, .. } = picture.scale;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"memory plan of {}\">\n<style>{STYLE}</style>\n",
        escaped(model)
    );
    svg += "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>\n";
    let _ = writeln!(svg, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
    picture.heading(&mut svg, model);
    picture.axes(&mut svg);
    picture.live(&mut svg);
    picture.boxes(&mut svg);
    picture.limits(&mut svg);
    picture.bands(&mut svg);
    svg + "</svg>\n"
}

/// Resolutions of all values, largest first.
pub(in crate::tools) fn colors(graph: &Graph, plan: &Plan) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = plan.values.iter().map(|value| resolution(graph, value.content)).collect();
    found.sort_by_key(|spatial| std::cmp::Reverse((spatial.iter().product::<usize>(), spatial.len())));
    found.dedup();
    found
}

/// The spatial sizes of what a value holds or belongs to.
pub(in crate::tools) fn resolution(graph: &Graph, content: Content) -> Vec<usize> {
    let node = content.node();
    graph.shape(node).spatial().to_vec()
}

pub(in crate::tools) fn in_words(spatial: &[usize]) -> String {
    match spatial {
        [] => "vectors".to_string(),
        sizes => sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Picture<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    names: Names<'a>,
    scale: Scale,
    colors: Vec<Vec<usize>>,
}

impl Picture<'_> {
    fn color(&self, value: ValueId) -> usize {
        let spatial = resolution(self.graph, self.plan.values[value].content);
        let place = self.colors.iter().position(|c| *c == spatial).unwrap_or(0);
        place.min(COLORS - 1)
    }

    /// The title, and which colour is which resolution.
    fn heading(&self, svg: &mut String, model: &str) {
        let Scale { left, .. } = self.scale;
        let what = if self.plan.mode == Mode::Run { "running" } else { "one training step" };
        let _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{left}\" y=\"28\">{}<tspan class=\"soft\" dx=\"12\" font-weight=\"400\" font-size=\"13\">memory for {what}, batch {}</tspan></text>",
            escaped(model),
            self.plan.batch
        );
        let mut x = left;
        let mut entry = |svg: &mut String, swatch: String, text: &str| {
            let _ = writeln!(
                svg,
                "<g transform=\"translate({x:.1} 42)\">{swatch}<text class=\"soft\" x=\"18\" y=\"10\">{text}</text></g>"
            );
            x += 34.0 + 6.6 * text.chars().count() as f64;
        };
        let swatch = |class: &str, color: usize| {
            format!("<rect class=\"box {class} c{color}\" width=\"12\" height=\"12\" rx=\"2\"/>")
        };
        for (place, spatial) in self.colors.iter().enumerate().take(COLORS) {
            let more = if place + 1 == COLORS && self.colors.len() > COLORS { " and less" } else { "" };
            entry(svg, swatch("", place), &format!("{}{more}", in_words(spatial)));
        }
        if self.plan.mode == Mode::Train {
            entry(svg, swatch("gradient", 0), "gradient");
        }
        if self.plan.values.iter().any(|value| matches!(value.content, Content::Scratch(_))) {
            entry(svg, swatch("scratch", 0), "scratch of kernels");
        }
        let hatched =
            "<rect width=\"12\" height=\"12\" class=\"band\" rx=\"2\"/><rect width=\"12\" height=\"12\" fill=\"url(#hatch)\"/>".to_string();
        entry(svg, hatched, "shared: in place, or a slice");
        let dotted = "<line class=\"live\" x1=\"0\" y1=\"6\" x2=\"14\" y2=\"6\"/>".to_string();
        entry(svg, dotted, "live");
    }

    fn axes(&self, svg: &mut String) {
        let Scale { left, right, top, bottom, .. } = self.scale;
        const MIB: f64 = (1u64 << 20) as f64;
        let step = nice_step(self.scale.most as f64 / MIB / 7.0);
        let digits = (-step.log10().floor()).max(0.0) as usize;
        for i in 0.. {
            let y = self.scale.y((step * f64::from(i) * MIB) as u64);
            if y < top - 1.0 {
                break;
            }
            let _ = writeln!(svg, "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>");
            let text = format!("{:.digits$}", step * f64::from(i));
            let _ = writeln!(
                svg,
                "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                left - 8.0,
                y + 4.0
            );
        }
        let _ = writeln!(
            svg,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">MiB</text>",
            left - 8.0,
            top - 10.0
        );
        let steps = self.plan.steps.len();
        let every = nice_step(steps as f64 / 14.0).max(1.0) as usize;
        for step in (0..steps).step_by(every) {
            let x = (self.scale.x(step) + self.scale.x(step + 1)) / 2.0;
            let _ = writeln!(
                svg,
                "<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{step}</text>",
                bottom + 16.0
            );
        }
        let _ = writeln!(
            svg,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">step</text>",
            left - 8.0,
            bottom + 16.0
        );
    }

    fn boxes(&self, svg: &mut String) {
        for (number, buffer) in self.plan.buffers.iter().enumerate() {
            let (x, right) = (self.scale.x(buffer.live.first), self.scale.x(buffer.live.last + 1));
            let (y, bottom) = (self.scale.y(buffer.offset + buffer.bytes), self.scale.y(buffer.offset));
            let color = self.color(buffer.owner);
            let class = match self.plan.values[buffer.owner].content {
                Content::Gradient(_) => "box gradient",
                Content::Scratch(_) => "box scratch",
                _ => "box",
            };
            let name = self.names.name(self.plan.values[buffer.owner].content);
            let title =
                format!("{name}: {} bytes, steps {}–{}", grouped(buffer.bytes), buffer.live.first, buffer.live.last);
            let _ = writeln!(
                svg,
                "<g><title>{}</title><rect class=\"{class} c{color}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1.5\"/>",
                escaped(&title),
                (right - x - 1.0).max(0.6),
                (bottom - y).max(0.4)
            );
            self.hatches(svg, number);
            let name = if class == "box scratch" { "scratch".to_string() } else { name };
            label(svg, &name, buffer.bytes, (x, y, right - x, bottom - y));
            svg.push_str("</g>\n");
        }
    }

    /// Hatches what lives in a buffer besides its owner: each region once, from the first of its values to the last.
    fn hatches(&self, svg: &mut String, number: usize) {
        let (buffer, owner) = (&self.plan.buffers[number], self.plan.buffers[number].owner);
        let mut regions = BTreeMap::<(u64, u64), Interval>::new();
        for &value in self.scale.tenants[number].iter().filter(|&&value| value != owner) {
            let live = self.plan.values[value].live;
            let region = (self.plan.places[value].offset, self.plan.values[value].bytes);
            regions.entry(region).and_modify(|all| *all = all.hull(live)).or_insert(live);
        }
        let own = self.plan.values[owner].live;
        for ((offset, bytes), live) in regions {
            // The owner's own time is not hatched.
            let (first, last) = match live.first < own.first {
                true => (live.first, (live.last + 1).min(own.first)),
                false => (live.first.max(own.last), live.last + 1),
            };
            let (x, right) = (self.scale.x(first), self.scale.x(last));
            let start = buffer.offset + offset * self.plan.batch;
            let (y, bottom) = (self.scale.y(start + bytes * self.plan.batch), self.scale.y(start));
            let (width, height) = ((right - x - 1.0).max(0.0), (bottom - y).max(0.0));
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"url(#hatch)\"/>"
            );
        }
    }

    /// The bytes live at each step.
    fn live(&self, svg: &mut String) {
        let mut path = String::new();
        for (step, &live) in self.plan.live.iter().enumerate() {
            let (x, right, y) = (self.scale.x(step), self.scale.x(step + 1), self.scale.y(live));
            let _ = write!(path, "{}{x:.1} {y:.1}H{right:.1}", if step == 0 { "M" } else { "L" });
        }
        let _ = writeln!(svg, "<path class=\"live\" d=\"{path}\"/>");
    }

    /// The peak and the lower bound, as lines with their bytes.
    fn limits(&self, svg: &mut String) {
        let Scale { left, right, .. } = self.scale;
        let sums = totals(self.plan);
        let mut line = |class: &str, at: u64, text: String, above: bool| {
            let y = self.scale.y(at);
            let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>");
            let at = if above { y - 6.0 } else { y + 15.0 };
            let _ =
                writeln!(svg, "<text class=\"{class}\" x=\"{right}\" y=\"{at:.1}\" text-anchor=\"end\">{text}</text>");
        };
        let saved = format!(
            "{:.0} % of {} with every buffer apart",
            100.0 * sums.peak as f64 / sums.naive.max(1) as f64,
            bytes(sums.naive)
        );
        if sums.peak == sums.lower_bound {
            line("bound", sums.peak, format!("peak {} = lower bound: {saved}", bytes(sums.peak)), true);
        } else {
            line("bound", sums.lower_bound, format!("lower bound {}", bytes(sums.lower_bound)), false);
            line(
                "peak",
                sums.peak,
                format!("peak {}, {:.3} × the bound: {saved}", bytes(sums.peak), sums.peak_to_bound),
                true,
            );
        }
    }

    /// Which part of the network runs when.
    fn bands(&self, svg: &mut String) {
        let top = self.scale.bottom + 26.0;
        for Band { first, last, name, phase } in bands(self.graph, self.plan) {
            let (x, right) = (self.scale.x(first), self.scale.x(last + 1));
            let name = if phase == Phase::Backward { format!("∂{name}") } else { name };
            let _ = writeln!(
                svg,
                "<g><title>{}</title><rect class=\"band\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"18\" rx=\"3\"/>",
                escaped(&name),
                x + 0.5,
                (right - x - 1.5).max(0.5)
            );
            if let Some(text) = fitting(&name, right - x - 6.0, 6.2) {
                let _ = write!(
                    svg,
                    "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                    (x + right) / 2.0,
                    top + 13.0,
                    escaped(text)
                );
            }
            svg.push_str("</g>\n");
        }
    }
}

/// The longest end of a dotted path that fits into `room`, where a character takes `each`.
fn fitting(path: &str, room: f64, each: f64) -> Option<&str> {
    let starts = std::iter::once(0).chain(path.match_indices('.').map(|(at, _)| at + 1));
    starts.map(|at| &path[at..]).find(|text| text.chars().count() as f64 * each <= room)
}

/// A name in a box, upright or turned, with its size below where there is room; nothing where it does not fit.
fn label(svg: &mut String, name: &str, size: u64, (x, y, width, height): (f64, f64, f64, f64)) {
    let (cx, cy) = (x + width / 2.0, y + height / 2.0);
    let put = |svg: &mut String, text: &str, class: &str, y: f64| {
        let _ = write!(
            svg,
            "<text class=\"small {class}\" x=\"{cx:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
            escaped(text)
        );
    };
    if let Some(text) = fitting(name, width - 6.0, 6.0).filter(|_| height >= 12.0) {
        let size = bytes(size);
        let both = height >= 30.0 && size.len() as f64 * 6.0 <= width - 6.0;
        put(svg, text, "", cy + if both { -2.0 } else { 3.5 });
        if both {
            put(svg, &size, "soft", cy + 11.0);
        }
    } else if let Some(text) = fitting(name, height - 6.0, 6.0).filter(|_| width >= 11.0) {
        let _ = write!(
            svg,
            "<text class=\"small\" transform=\"translate({:.1} {cy:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            cx + 3.5,
            escaped(text)
        );
    }
}
