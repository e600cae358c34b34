//! What is drawn: sequences of layers, boxes and branches, and the edges that do not run straight down.

use crate::graph::{BlockArg, Graph, NodeId, SkipEdge, SkipLength};
use crate::tools::text::Ink;
use crate::tools::tree::{self, Item};
use std::collections::{BTreeMap, BTreeSet};

/// Elements from top to bottom, each reading the one above.
#[derive(Debug)]
pub struct Seq {
    /// Its number in the picture.
    pub id: usize,
    /// The value that comes in at the top.
    pub entry: Option<NodeId>,
    /// From top to bottom.
    pub elems: Vec<Elem>,
    /// For each element, whether it reads the one above.
    pub linked: Vec<bool>,
}

/// One thing on a sequence's line.
#[derive(Debug)]
pub enum Elem {
    /// A layer, an input too.
    Layer(NodeId),
    /// Where edges meet.
    Merge(NodeId),
    /// A scope in its frame.
    Frame(Frame),
    /// Paths side by side, which the merge below joins.
    Split(Vec<Column>),
}

/// A scope in its frame.
#[derive(Debug)]
pub struct Frame {
    /// `layer1`, `0–2`.
    pub label: String,
    /// The block's name.
    pub block: String,
    /// The block's arguments, where one scope has them or all have the same.
    pub args: String,
    /// The path of the first scope.
    pub path: String,
    /// Whether those after the first have other sizes.
    pub growing: bool,
    /// How many scopes it stands for.
    pub times: usize,
    /// All nodes of the scopes it stands for, the last of which gives its value.
    pub nodes: Vec<NodeId>,
    /// What stands in it; of several scopes, what stands in the first, or [`Repeats::Within`] their frames.
    pub body: Seq,
}

/// What a path beside others is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The path that a skip goes around.
    Main,
    /// What a skipped value goes through.
    Via(Ink, SkipLength),
    /// What opens a gate.
    By,
    /// One of equals.
    Path,
}

/// A path beside others.
#[derive(Debug)]
pub struct Column {
    /// What it is.
    pub role: Role,
    /// What stands on it; nothing where the value passes unchanged.
    pub seq: Seq,
}

/// An edge that does not run straight down.
#[derive(Clone, Debug, PartialEq)]
pub struct Arc {
    /// The value.
    pub source: NodeId,
    /// Who reads it.
    pub target: NodeId,
    /// Its colour: of the skip, or plain.
    pub ink: Ink,
    /// Solid or dashed.
    pub length: SkipLength,
    /// `fit crop`, or nothing.
    pub note: &'static str,
}

/// A network as it is drawn.
#[derive(Debug)]
pub struct Model {
    /// The model's own sequence.
    pub root: Seq,
    /// Edges beside the lines, in order of their targets.
    pub arcs: Vec<Arc>,
    /// How many sequences there are.
    pub seqs: usize,
}

/// What becomes of scopes that look the same, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// One frame stands for all, and shows the first.
    Once,
    /// Each has a frame of its own.
    Apart,
    /// One frame stands for all, and holds the frames of each.
    Within,
}

/// Lays a network out as sequences.
pub fn model(graph: &Graph, repeats: Repeats) -> Model {
    let skips = graph.skips.iter().map(|skip| (skip.merge, skip)).collect();
    let mut builder = Builder { graph, skips, repeats, arcs: Vec::new(), seqs: 0 };
    let root = builder.seq(&tree::tree(graph), None);
    let mut arcs = builder.arcs;
    arcs.sort_by_key(|arc| (arc.target, arc.source));
    Model { root, arcs, seqs: builder.seqs }
}

struct Builder<'g> {
    graph: &'g Graph,
    skips: BTreeMap<NodeId, &'g SkipEdge>,
    repeats: Repeats,
    arcs: Vec<Arc>,
    seqs: usize,
}

impl Elem {
    /// The value that goes on below; `None` for paths before their merge.
    pub fn output(&self) -> Option<NodeId> {
        match self {
            Self::Layer(id) | Self::Merge(id) => Some(*id),
            Self::Frame(frame) => frame.nodes.last().copied(),
            Self::Split(_) => None,
        }
    }
}

impl Builder<'_> {
    fn operands(&self, id: NodeId) -> Vec<NodeId> {
        tree::operands(self.graph, id)
    }

    /// The sequence of these items, which starts from `entry`.
    fn seq(&mut self, items: &[Item], entry: Option<NodeId>) -> Seq {
        let id = self.seqs;
        self.seqs += 1;
        let mut elems: Vec<(Elem, bool)> = Vec::new();
        let mut end = items.len();
        // From the end: what a merge joins is known only when the merge is seen.
        while let Some(at) = end.checked_sub(1) {
            if let Item::Leaf(merge) = &items[at]
                && let Some(cuts) = self.cuts(&items[..=at], entry)
            {
                elems.push((Elem::Merge(*merge), true));
                elems.push((Elem::Split(self.columns(*merge, items, &cuts, entry)), true));
                end = cuts[0];
                continue;
            }
            let start = self.run_start(items, at);
            let above = items[..start].last().map(Item::last).or(entry);
            let elem = self.elem(&items[start..end], above);
            elems.push(elem);
            end = start;
        }
        let (elems, linked) = elems.into_iter().rev().unzip();
        Seq { id, entry, elems, linked }
    }

    /// Where the run of look-alikes that ends at `at` starts.
    fn run_start(&self, items: &[Item], at: usize) -> usize {
        let mut start = at;
        while self.repeats != Repeats::Apart && start > 0 && tree::alike(self.graph, &items[start - 1], &items[start]) {
            start -= 1;
        }
        start
    }

    /// What a run of items is drawn as, and whether it reads the value above.
    fn elem(&mut self, run: &[Item], above: Option<NodeId>) -> (Elem, bool) {
        match &run[0] {
            Item::Leaf(id) => {
                let linked = self.side_edges(*id, above);
                (if self.graph.node(*id).op.is_merge() { Elem::Merge(*id) } else { Elem::Layer(*id) }, linked)
            }
            Item::Group(group) => {
                let last = &run[run.len() - 1];
                let last_label = last.group().map_or(group.label.as_str(), |g| g.label.as_str());
                let reads = self.operands(run[0].first()).first().copied();
                let within = run.len() > 1 && self.repeats == Repeats::Within;
                let frame = Frame {
                    label: tree::span_of_labels(&group.label, last_label),
                    block: group.block.clone(),
                    args: BlockArg::list(&group.args),
                    path: group.path.clone(),
                    growing: !run.iter().all(|item| item.repeats(&run[0])),
                    times: run.len(),
                    nodes: run.iter().flat_map(Item::nodes).collect(),
                    body: if within { self.members(run, reads) } else { self.seq(&group.items, reads) },
                };
                if let (Some(source), true) = (reads, reads != above) {
                    self.plain_arc(source, run[0].first());
                }
                (Elem::Frame(frame), reads == above && reads.is_some())
            }
        }
    }

    /// The frames of a run, one after another.
    fn members(&mut self, run: &[Item], entry: Option<NodeId>) -> Seq {
        let id = self.seqs;
        self.seqs += 1;
        let above = |i: usize| run[..i].last().map(Item::last).or(entry);
        let members = (0..run.len()).map(|i| self.elem(&run[i..=i], above(i)));
        let (elems, linked) = members.unzip();
        Seq { id, entry, elems, linked }
    }

    /// Notes the edges of a layer that do not come from the element above; whether one does.
    fn side_edges(&mut self, id: NodeId, above: Option<NodeId>) -> bool {
        let skip = self.skips.get(&id).copied();
        let mut linked = false;
        for (i, source) in self.operands(id).into_iter().enumerate() {
            match skip {
                Some(skip) if i == skip.source_operand => self.skip_arc(skip),
                _ if Some(source) == above && !linked => linked = true,
                _ => self.plain_arc(source, id),
            }
        }
        linked
    }

    fn plain_arc(&mut self, source: NodeId, target: NodeId) {
        let arc = Arc { source, target, ink: Ink::Dim, length: SkipLength::Short, note: "" };
        if !self.arcs.contains(&arc) {
            self.arcs.push(arc);
        }
    }

    fn skip_arc(&mut self, skip: &SkipEdge) {
        let note = tree::fit_words(self.graph, skip.merge);
        let ink = Ink::of_merge(&self.graph.node(skip.merge).op);
        let source = self.operands(skip.merge)[skip.source_operand];
        self.arcs.push(Arc { source, target: skip.merge, ink, length: skip.length, note });
    }

    /// Where the paths that the last item joins begin: the position after their common source, then the end
    /// of each path. `None` where there is one path only, or they do not lie side by side.
    fn cuts(&self, items: &[Item], entry: Option<NodeId>) -> Option<Vec<usize>> {
        let (Item::Leaf(merge), before) = items.split_last()? else { return None };
        if !self.graph.node(*merge).op.is_merge() {
            return None;
        }
        let position = |value: NodeId| before.iter().position(|item| item.last() == value);
        let ends: BTreeSet<usize> = self.operands(*merge).into_iter().filter_map(position).map(|i| i + 1).collect();
        let ends: Vec<usize> = ends.into_iter().collect();
        let source = match self.skips.get(merge) {
            Some(skip) => skip.source,
            None => self.common_source(*merge, before, &ends)?,
        };
        let start = match position(source) {
            Some(i) => i + 1,
            None if Some(source) == entry => 0,
            None => return None,
        };
        let mut cuts = vec![start];
        cuts.extend(ends.iter().filter(|&&end| end > start));
        let sound = cuts.len() > 2 && cuts.last() == Some(&before.len());
        let separate = || cuts.windows(2).all(|cut| self.stands_alone(&before[cut[0]..cut[1]], source));
        (sound && separate()).then_some(cuts)
    }

    /// What the paths of a `parallel` start from: what the first item of a later path reads.
    fn common_source(&self, merge: NodeId, before: &[Item], ends: &[usize]) -> Option<NodeId> {
        let paths = self.operands(merge).len();
        let later = ends.iter().rev().nth(1).filter(|_| paths > 1)?;
        self.operands(before.get(*later)?.first()).first().copied()
    }

    /// Whether items read only each other and the source.
    fn stands_alone(&self, items: &[Item], source: NodeId) -> bool {
        let nodes: BTreeSet<NodeId> = items.iter().flat_map(Item::nodes).collect();
        let first = items[0].first();
        let starts = self.operands(first).first() == Some(&source);
        let foreign = |id: &NodeId| {
            let skipped = self.skips.get(id).map(|skip| skip.source_operand);
            let operands = self.operands(*id).into_iter().enumerate().filter(|(i, _)| Some(*i) != skipped);
            operands.into_iter().any(|(_, operand)| operand != source && !nodes.contains(&operand))
        };
        starts && !nodes.iter().any(foreign)
    }

    fn columns(&mut self, merge: NodeId, items: &[Item], cuts: &[usize], entry: Option<NodeId>) -> Vec<Column> {
        let source = items[..cuts[0]].last().map(Item::last).or(entry);
        let operands = self.operands(merge);
        let skip = self.skips.get(&merge).copied();
        let mut columns = Vec::new();
        for cut in cuts.windows(2) {
            let value = items[cut[1] - 1].last();
            let role = match skip {
                None => Role::Path,
                Some(skip) if operands.get(skip.source_operand) == Some(&value) => {
                    Role::Via(Ink::of_merge(&self.graph.node(merge).op), skip.length)
                }
                Some(skip) if tree::unfitted(self.graph, skip.result) == value => Role::Main,
                Some(_) => Role::By,
            };
            columns.push(Column { role, seq: self.seq(&items[cut[0]..cut[1]], source) });
        }
        if let Some(skip) = skip
            && !columns.iter().any(|column| matches!(column.role, Role::Via(..)))
        {
            self.skip_arc(skip);
        }
        if skip.is_none() && operands.iter().any(|operand| Some(*operand) == source) {
            columns.push(Column { role: Role::Path, seq: self.seq(&[], source) });
        }
        columns
    }
}
