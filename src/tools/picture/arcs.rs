//! Which sequence an edge beside the line belongs to.

use super::model::{Arc, Elem, Model, Seq};
use crate::graph::NodeId;
use crate::tools::text::Ink;
use std::collections::BTreeMap;

/// An edge within one sequence.
#[derive(Clone, Debug)]
pub struct Routed<'m> {
    /// The edge.
    pub arc: &'m Arc,
    /// The element that it leaves under; `None` where it leaves at the top.
    pub from: Option<usize>,
    /// The element that it arrives in.
    pub to: usize,
    /// Whether the source stands deeper inside its element than the element's own end.
    pub inside: bool,
}

/// Where a node stands: elements by sequence and position, from the outside in.
type Places = BTreeMap<NodeId, Vec<(usize, usize)>>;

/// The edges of each sequence: each belongs to the innermost one that holds both ends, or whose incoming
/// value is its source.
pub fn owners(model: &Model) -> BTreeMap<usize, Vec<Routed<'_>>> {
    let mut places = Places::new();
    let mut seqs = BTreeMap::new();
    walk(&model.root, &mut Vec::new(), &mut places, &mut seqs);
    let mut owned: BTreeMap<usize, Vec<Routed>> = BTreeMap::new();
    for arc in &model.arcs {
        let Some(target) = places.get(&arc.target) else { continue };
        let source = places.get(&arc.source);
        let route = |&(seq, to): &(usize, usize)| {
            let seq: &Seq = seqs[&seq];
            if let Some(&(_, from)) = source.and_then(|path| path.iter().find(|(at, _)| *at == seq.id)) {
                let inside = seq.elems[from].output() != Some(arc.source);
                return Some((seq.id, Routed { arc, from: Some(from), to, inside }));
            }
            // What a frame reads from elsewhere arrives from outside the frame.
            let outside = arc.ink == Ink::Dim && to == 0;
            (seq.entry == Some(arc.source) && !outside)
                .then_some((seq.id, Routed { arc, from: None, to, inside: false }))
        };
        if let Some((seq, routed)) = target.iter().rev().find_map(route) {
            owned.entry(seq).or_default().push(routed);
        }
    }
    owned
}

fn walk<'m>(seq: &'m Seq, outside: &mut Vec<(usize, usize)>, places: &mut Places, seqs: &mut BTreeMap<usize, &'m Seq>) {
    seqs.insert(seq.id, seq);
    for (i, elem) in seq.elems.iter().enumerate() {
        outside.push((seq.id, i));
        match elem {
            Elem::Layer(id) | Elem::Merge(id) => _ = places.insert(*id, outside.clone()),
            Elem::Frame(frame) => {
                frame.nodes.iter().for_each(|id| _ = places.insert(*id, outside.clone()));
                walk(&frame.body, outside, places, seqs);
            }
            Elem::Split(columns) => columns.iter().for_each(|column| walk(&column.seq, outside, places, seqs)),
        }
        outside.pop();
    }
}
