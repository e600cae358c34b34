//! Where everything stands, from the outside in.

use super::measure::{self, Inner, Measure, SeqSize};
use super::model::{Column, Elem, Frame, Role, Seq};
use super::scene::Scene;
use super::style::{self, CORNER, LAYER, LEAVE, MERGE, PAD, TITLE};
use crate::graph::{Graph, NodeId};
use crate::tools::text::{Ink, grouped};
use std::collections::BTreeMap;

/// Puts measured sequences into a scene.
pub struct Place<'s, 'm> {
    /// The network.
    pub graph: &'m Graph,
    /// The measurer, which knows the tags.
    pub measure: &'s Measure<'m>,
    /// What is drawn so far.
    pub scene: &'s mut Scene,
    /// Under each layer: where an edge from it leaves.
    pub below: BTreeMap<NodeId, [i64; 2]>,
    /// Beside each layer: its middle, and half its width.
    pub beside: BTreeMap<NodeId, [i64; 3]>,
}

impl<'m> Place<'_, 'm> {
    /// Draws a sequence whose line starts at `x`, `y`, in a colour.
    pub fn seq(&mut self, seq: &Seq, size: &SeqSize<'m>, x: i64, y: i64, class: &str) {
        let mut above = seq.entry.map(|_| y);
        let mut paths: Vec<(i64, i64, Role)> = Vec::new();
        for ((elem, row), linked) in seq.elems.iter().zip(&size.rows).zip(&seq.linked) {
            let top = y + row.top;
            if let (Some(above), true, true) = (above, *linked, paths.is_empty()) {
                self.scene.line(format!("M{x} {above}V{top}"), class, None);
            }
            match (elem, &row.inner) {
                (Elem::Layer(id), _) => self.layer(*id, x, top, size.layer),
                (Elem::Merge(id), _) => {
                    self.join(std::mem::take(&mut paths), x, top);
                    self.merge(*id, x, top);
                }
                (Elem::Frame(frame), Inner::Frame(body)) => self.frame(frame, body, x, top, [row.left, row.right]),
                (Elem::Split(columns), Inner::Split(sizes)) => {
                    paths = self.split(columns, sizes, x, top, row.height);
                }
                _ => {}
            }
            let merge_end = if matches!(elem, Elem::Merge(_)) { top + 2 * MERGE } else { top + row.height };
            above = Some(merge_end);
        }
        if let (Some(above), Some(_)) = (above, seq.entry) {
            self.scene.line(format!("M{x} {above}V{}", y + size.height), class, None);
        }
        self.arcs(size, x, y);
    }

    fn layer(&mut self, id: NodeId, x: i64, top: i64, width: i64) {
        let class = measure::layer_class(self.graph, id);
        let round = if class == "port" { LAYER / 2 } else { 5 };
        let left = x - width / 2;
        self.scene.boxed([left, top, width, LAYER], round, format!("layer {class}"), self.tip(id));
        let text = measure::caption(self.graph, id);
        match measure::shape_text(self.graph, id) {
            Some(shape) => {
                self.scene.text(left + 10, top + 16, "start", "", text);
                self.scene.text(left + width - 10, top + 16, "end", "small", shape);
            }
            None => self.scene.text(x, top + 16, "middle", "", text),
        }
        self.tag(id, left + width + 8, top + 16);
        self.below.insert(id, [x, top + LAYER + LEAVE]);
        self.beside.insert(id, [x, top + LAYER / 2, width / 2]);
    }

    fn tag(&mut self, id: NodeId, x: i64, y: i64) {
        if let Some(tag) = self.measure.tags.get(&id) {
            self.scene.text(x, y, "start", "small", tag.clone());
        }
    }

    /// The path of a layer and its parameters, for pointers.
    fn tip(&self, id: NodeId) -> String {
        let node = self.graph.node(id);
        let parameters: u64 = self.graph.params(id).iter().filter(|p| p.trainable).map(|p| p.elements()).sum();
        let parameters = if parameters > 0 { format!(", {} parameters", grouped(parameters)) } else { String::new() };
        format!("{} {}{parameters}", node.path, node.shape)
    }

    fn merge(&mut self, id: NodeId, x: i64, top: i64) {
        let op = &self.graph.node(id).op;
        let ink = Ink::of_merge(op);
        let (class, y) = (style::ink(ink), top + MERGE);
        self.scene.shapes.push(super::scene::Shape::Disc { at: [x, y], radius: MERGE, class: format!("disc {class}") });
        let sign = match ink {
            Ink::Add => format!("M{} {y}h10M{x} {}v10", x - 5, y - 5),
            Ink::Mul => format!("M{} {}l8 8m0 -8l-8 8", x - 4, y - 4),
            Ink::Concat => format!("M{} {}v8m5 -8v8", x - 2, y - 4),
            _ => format!("M{} {}c5 0 5 -8 10 -8", x - 5, y + 4),
        };
        self.scene.line(sign, class, None);
        self.scene.text(x + MERGE + 6, y + 13, "start", "small", measure::merge_text(self.graph, id));
        let text = measure::merge_text(self.graph, id);
        self.tag(id, x + MERGE + 14 + style::text_width(&text, 11.0), y + 13);
        self.below.insert(id, [x, top + 2 * MERGE + LEAVE]);
        self.beside.insert(id, [x, y, MERGE]);
    }

    fn frame(&mut self, frame: &Frame, body: &SeqSize<'m>, x: i64, top: i64, [left, right]: [i64; 2]) {
        let (edge, width, height) = (x - left, left + right, TITLE + body.height);
        for behind in (1..=if frame.times > 1 { 2 } else { 0 }).rev() {
            self.scene.boxed([edge + 4 * behind, top + 4 * behind, width, height], 9, "frame", "");
        }
        self.scene.boxed([edge, top, width, height], 9, "frame", "");
        let parts = vec![("title", frame.label.clone()), ("dim", measure::frame_words(frame))];
        self.scene.shapes.push(super::scene::Shape::Text { at: [edge + 11, top + 18], anchor: "start", parts });
        if frame.times > 1 {
            let badge = format!("×{}", frame.times);
            let wide = style::text_width(&badge, 11.0) + 12;
            self.scene.boxed([edge + width - wide - 7, top + 6, wide, 17], 8, "pill", "");
            self.scene.text(edge + width - wide / 2 - 7, top + 18, "middle", "badge", badge);
        }
        if edge + 11 + measure::title_width(frame) < x - 4 {
            self.scene.line(format!("M{x} {top}V{}", top + TITLE), "line", None);
        }
        self.seq(&frame.body, body, x, top + TITLE, "line");
    }

    /// Draws paths side by side; where each ends.
    fn split(
        &mut self,
        columns: &[Column],
        sizes: &[(i64, SeqSize<'m>)],
        x: i64,
        top: i64,
        height: i64,
    ) -> Vec<(i64, i64, Role)> {
        let start = top + CORNER + 4;
        let mut ends = Vec::new();
        for (column, (dx, size)) in columns.iter().zip(sizes) {
            let (line, class) = (x + dx, role_class(column.role));
            self.scene.line(sideways(x, top - 2, line, start), &*class, None);
            self.seq(&column.seq, size, line, start, &class);
            let end = start + size.height;
            if matches!(column.role, Role::Main | Role::Path) {
                self.scene.line(format!("M{line} {end}V{}", top + height - CORNER - 2), &*class, None);
                ends.push((line, top + height - CORNER - 2, column.role));
            } else {
                ends.push((line, end, column.role));
            }
        }
        ends
    }

    /// Leads paths into the merge whose top is at `x`, `top`.
    fn join(&mut self, paths: Vec<(i64, i64, Role)>, x: i64, top: i64) {
        let middle = top + MERGE;
        for (line, end, role) in paths {
            let class = role_class(role);
            match role {
                Role::Main | Role::Path => self.scene.line(sideways_in(line, end, x, top), &*class, None),
                Role::Via(ink, _) => {
                    let path = format!(
                        "M{line} {end}V{}Q{line} {middle} {} {middle}H{}",
                        middle - CORNER,
                        line + CORNER,
                        x - MERGE - 1
                    );
                    self.scene.line(path, &*class, Some(style::head(ink)));
                }
                Role::By => {
                    let path = format!(
                        "M{line} {end}V{}Q{line} {middle} {} {middle}H{}",
                        middle - CORNER,
                        line - CORNER,
                        x + MERGE + 1
                    );
                    self.scene.line(path, &*class, Some("to-line"));
                }
            }
        }
    }

    fn arcs(&mut self, size: &SeqSize<'m>, x: i64, y: i64) {
        for (routed, offset) in &size.lanes {
            let arc = routed.arc;
            let outside = routed.from.map_or(y + LEAVE, |from| {
                let row = &size.rows[from];
                y + row.top + row.height + LEAVE
            });
            let inside = self.below.get(&arc.source).filter(|_| routed.inside).copied();
            let [from_x, from_y] = inside.unwrap_or([x, outside]);
            let Some(&[to_x, to_y, half]) = self.beside.get(&arc.target) else { continue };
            let side = if measure::on_right(routed) { 1 } else { -1 };
            let lane = x + side * offset;
            let path = format!(
                "M{from_x} {from_y}H{}Q{lane} {from_y} {lane} {}V{}Q{lane} {to_y} {} {to_y}H{}",
                lane - side * CORNER,
                from_y + CORNER,
                to_y - CORNER,
                lane - side * CORNER,
                to_x + side * (half + 1),
            );
            self.scene.line(path, style::edge(arc.ink, arc.length), Some(style::head(arc.ink)));
            let dot = format!("dot {}", style::ink(arc.ink));
            self.scene.shapes.push(super::scene::Shape::Disc { at: [from_x, from_y], radius: 3, class: dot });
            if !arc.note.is_empty() {
                self.scene.text(lane + PAD - 4, to_y - 5, "start", "small", arc.note);
            }
        }
    }
}

fn role_class(role: Role) -> String {
    match role {
        Role::Via(ink, length) => style::edge(ink, length),
        Role::Main | Role::By | Role::Path => "line".into(),
    }
}

/// From the line at `x` sideways to another and down.
fn sideways(x: i64, y: i64, line: i64, end: i64) -> String {
    if x == line {
        return format!("M{x} {y}V{end}");
    }
    let corner = CORNER * (line - x).signum();
    format!("M{x} {y}H{}Q{line} {y} {line} {}V{end}", line - corner, y + CORNER)
}

/// From a path's end down and sideways to the line at `x`, down to `top`.
fn sideways_in(line: i64, end: i64, x: i64, top: i64) -> String {
    if x == line {
        return format!("M{x} {end}V{top}");
    }
    let corner = CORNER * (x - line).signum();
    let y = end + CORNER;
    format!("M{line} {end}Q{line} {y} {} {y}H{}Q{x} {y} {x} {}V{top}", line + corner, x - corner, (y + CORNER).min(top))
}
