//! How much room everything takes, from the inside out.

use super::arcs::{self, Routed};
use super::model::{Column, Elem, Frame, Model, Role, Seq};
use super::style::{self, CORNER, GAP, LANE, LAYER, LAYER_TEXT, MERGE, PAD, TITLE, TITLE_TEXT, text_width};
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::tools::text::Ink;
use crate::tools::tree;
use std::collections::BTreeMap;

/// Text size beside merges and of shapes.
const SMALL_TEXT: f64 = 11.0;
/// The line under the last element of a frame.
const TAIL: i64 = 12;

/// The room of a sequence; `left` and `right` are measured from its line.
#[derive(Debug)]
pub struct SeqSize<'m> {
    /// To the left.
    pub left: i64,
    /// To the right.
    pub right: i64,
    /// From top to bottom.
    pub height: i64,
    /// The width of its layers' boxes.
    pub layer: i64,
    /// Its elements.
    pub rows: Vec<RowSize<'m>>,
    /// Its edges beside the line, with their distance from it.
    pub lanes: Vec<(Routed<'m>, i64)>,
}

/// The room of an element.
#[derive(Debug)]
pub struct RowSize<'m> {
    /// From the sequence's top.
    pub top: i64,
    /// From top to bottom.
    pub height: i64,
    /// To the left of the line.
    pub left: i64,
    /// To the right of it.
    pub right: i64,
    /// What is inside.
    pub inner: Inner<'m>,
}

/// What is inside an element.
#[derive(Debug)]
pub enum Inner<'m> {
    /// Nothing.
    Leaf,
    /// A frame's sequence.
    Frame(SeqSize<'m>),
    /// Paths, with the distance of their lines from the sequence's.
    Split(Vec<(i64, SeqSize<'m>)>),
}

/// Measures one picture.
pub struct Measure<'m> {
    graph: &'m Graph,
    owned: BTreeMap<usize, Vec<Routed<'m>>>,
    /// Names of outputs that do not end the picture.
    pub tags: BTreeMap<NodeId, String>,
}

impl<'m> Measure<'m> {
    /// Prepares for a model.
    pub fn new(graph: &'m Graph, model: &'m Model) -> Self {
        let end = model.root.elems.last().and_then(Elem::output);
        let inner = graph.outputs.iter().filter(|output| Some(output.node) != end);
        let tags = inner.map(|output| (output.node, format!("→ {}", output.name))).collect();
        Self { graph, owned: arcs::owners(model), tags }
    }

    /// The room of a sequence.
    pub fn seq(&self, seq: &'m Seq) -> SeqSize<'m> {
        let layer = seq.elems.iter().filter_map(|elem| self.layer_width(elem)).max().unwrap_or(0).max(120);
        let mut rows: Vec<RowSize> = Vec::new();
        let mut bottom = 0;
        for elem in &seq.elems {
            let joined = rows.last().is_some_and(|row| matches!(row.inner, Inner::Split(_)));
            let gap = match rows.is_empty() {
                true if seq.entry.is_none() => 0,
                true => GAP - 4,
                false if joined => 2,
                false => GAP,
            };
            let row = self.row(elem, layer, bottom + gap, joined);
            bottom = row.top + row.height;
            rows.push(row);
        }
        let lanes = lanes(self.owned.get(&seq.id).map_or(&[], Vec::as_slice), &rows);
        let reach = |right: bool| {
            let lanes = lanes.iter().filter(|(routed, _)| on_right(routed) == right).map(|(_, offset)| offset + 4);
            let rows = rows.iter().map(|row| if right { row.right } else { row.left });
            rows.chain(lanes).max().unwrap_or(8)
        };
        let (left, right) = (reach(false), reach(true));
        let tail = if seq.entry.is_some() && !rows.is_empty() { TAIL } else { 0 };
        SeqSize { left, right, height: bottom + tail, layer, rows, lanes }
    }

    fn row(&self, elem: &'m Elem, layer: i64, top: i64, joined: bool) -> RowSize<'m> {
        let leaf = |height, left, right| RowSize { top, height, left, right, inner: Inner::Leaf };
        match elem {
            Elem::Layer(id) => leaf(LAYER, layer / 2, layer / 2 + self.tag_width(*id)),
            Elem::Merge(id) => {
                let text = text_width(&merge_text(self.graph, *id), SMALL_TEXT) + self.tag_width(*id);
                leaf(2 * MERGE + if joined { 8 } else { 0 }, MERGE + LANE, MERGE + 8 + text)
            }
            Elem::Frame(frame) => self.frame(frame, top),
            Elem::Split(columns) => self.split(columns, top),
        }
    }

    fn frame(&self, frame: &'m Frame, top: i64) -> RowSize<'m> {
        let body = self.seq(&frame.body);
        let badge = if frame.times > 1 { 44 } else { 0 };
        let title = title_width(frame) + badge + 2 * PAD;
        let (left, right) = (body.left + PAD, body.right + PAD);
        let missing = (title - left - right).max(0);
        let (left, right) = (left + missing / 2, right + missing - missing / 2);
        RowSize { top, height: TITLE + body.height, left, right, inner: Inner::Frame(body) }
    }

    fn split(&self, columns: &'m [Column], top: i64) -> RowSize<'m> {
        let sizes: Vec<SeqSize> = columns.iter().map(|column| self.seq(&column.seq)).collect();
        let offsets = if columns.iter().any(|column| column.role == Role::Path) {
            side_by_side(&sizes)
        } else {
            around_main(columns, &sizes)
        };
        let placed = || offsets.iter().zip(&sizes);
        let left = placed().map(|(dx, size)| size.left - dx).max().unwrap_or(0);
        let right = placed().map(|(dx, size)| size.right + dx).max().unwrap_or(0);
        let height = sizes.iter().map(|size| size.height).max().unwrap_or(0) + 2 * CORNER + 8;
        RowSize { top, height, left, right, inner: Inner::Split(offsets.into_iter().zip(sizes).collect()) }
    }

    fn layer_width(&self, elem: &Elem) -> Option<i64> {
        let Elem::Layer(id) = elem else { return None };
        let shape = shape_text(self.graph, *id).map_or(0, |text| text_width(&text, SMALL_TEXT) + 14);
        Some((text_width(&caption(self.graph, *id), LAYER_TEXT) + shape + 20) / 2 * 2)
    }

    fn tag_width(&self, id: NodeId) -> i64 {
        self.tags.get(&id).map_or(0, |tag| text_width(tag, SMALL_TEXT) + 10)
    }
}

/// What follows a frame's label: its block, and a remark where the others have other sizes.
pub fn frame_words(frame: &Frame) -> String {
    let growing = if frame.growing { "first shown" } else { "" };
    let words = [frame.block.as_str(), growing];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The room of a frame's title.
pub fn title_width(frame: &Frame) -> i64 {
    text_width(&frame.label, TITLE_TEXT + 1.0) + text_width(&frame_words(frame), LAYER_TEXT) + 7
}

/// Lines of equal paths, centred around 0.
fn side_by_side(sizes: &[SeqSize]) -> Vec<i64> {
    let mut x = 0;
    let mut lines = Vec::new();
    for size in sizes {
        lines.push(x + size.left);
        x += size.left + size.right + GAP;
    }
    let middle = (x - GAP) / 2;
    lines.into_iter().map(|line| line - middle).collect()
}

/// The main path on the line, what a skip goes through to its left, a gate's opening to its right.
fn around_main(columns: &[Column], sizes: &[SeqSize]) -> Vec<i64> {
    let main = columns.iter().zip(sizes).find(|(column, _)| column.role == Role::Main);
    let (mut left, mut right) = main.map_or((8, 8), |(_, size)| (size.left, size.right));
    let mut place = |(column, size): (&Column, &SeqSize)| match column.role {
        Role::Main | Role::Path => 0,
        Role::Via(..) => {
            let line = -(left + GAP + size.right);
            left = size.left - line;
            line
        }
        Role::By => {
            let line = right + GAP + size.left;
            right = line + size.right;
            line
        }
    };
    columns.iter().zip(sizes).map(&mut place).collect()
}

/// Plain edges run on the right, skips on the left.
pub fn on_right(routed: &Routed) -> bool {
    routed.arc.ink == Ink::Dim
}

/// The distance of each edge from the line: beyond everything it passes, shorter edges first.
fn lanes<'m>(owned: &[Routed<'m>], rows: &[RowSize]) -> Vec<(Routed<'m>, i64)> {
    let start = |routed: &Routed| routed.from.map_or(-1, |from| from as i64);
    let mut order: Vec<&Routed> = owned.iter().collect();
    order.sort_by_key(|routed| (routed.to as i64 - start(routed), routed.to));
    let mut lanes: Vec<(Routed, i64)> = Vec::new();
    for routed in order {
        let first = routed.from.map_or(0, |from| if routed.inside { from } else { from + 1 });
        let right = on_right(routed);
        let passed = rows.iter().take(routed.to + 1).skip(first.min(routed.to));
        let beside = passed.map(|row| if right { row.right } else { row.left });
        let overlaps = |other: &Routed| start(other) < routed.to as i64 && start(routed) < other.to as i64;
        let others = lanes.iter().filter(|(other, _)| on_right(other) == right && overlaps(other));
        let inside = others.map(|(_, offset)| *offset);
        let offset = beside.chain(inside).max().unwrap_or(0) + LANE;
        lanes.push((routed.clone(), offset));
    }
    lanes
}

/// What a layer's box says: `fc · linear`, `conv 3×3 /2`, an input's name.
pub fn caption(graph: &Graph, id: NodeId) -> String {
    let layer = graph.node(id).op.layer();
    let label = tree::label(graph, id);
    if matches!(graph.node(id).op, Op::Input(_)) {
        return label.into();
    }
    let text = format!("{} {}", layer.kind(), layer.detail());
    let automatic = label.trim_end_matches(|c: char| c.is_ascii_digit()) == layer.kind();
    if automatic { text.trim_end().into() } else { format!("{label} · {}", text.trim_end()) }
}

/// The shape of a layer's value, where it is another than that of what it reads.
pub fn shape_text(graph: &Graph, id: NodeId) -> Option<String> {
    let shape = graph.shape(id);
    let same = graph.operand_shapes(id).first() == Some(&shape);
    (!same).then(|| shape.times().replace(' ', ""))
}

/// What stands beside a merge.
pub fn merge_text(graph: &Graph, id: NodeId) -> String {
    let layer = graph.node(id).op.layer();
    let shape = graph.shape(id);
    let same = graph.operand_shapes(id).iter().all(|operand| *operand == shape);
    let shape = if same { String::new() } else { shape.times().replace(' ', "") };
    format!("{} {} {shape}", layer.kind(), layer.detail()).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The class of a layer's box.
pub fn layer_class(graph: &Graph, id: NodeId) -> &'static str {
    style::layer(&graph.node(id).op)
}
