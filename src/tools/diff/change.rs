//! From pairs to changes.

use super::pair::{Graphs, Pair, is_counted, kind_of, label_of, pairs};
use super::words::{Argument, of_blocks, of_ops};
use super::{Change, Sign, fold};
use crate::analysis::cost::node_cost;
use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use crate::tools::tree::{Group, Item, ValueNames, is_input, tree};
use std::collections::BTreeMap;

/// What differs between two graphs, repeats told once.
pub fn changes(a: &Graph, b: &Graph) -> Vec<Change> {
    let (tree_a, tree_b) = (tree(a), tree(b));
    let mut walk = Walk {
        graphs: Graphs { a, b },
        names: (ValueNames::new(a), ValueNames::new(b)),
        skips: (by_merge(a), by_merge(b)),
        partners: BTreeMap::new(),
        taken: BTreeMap::new(),
    };
    walk.meet(&tree_a, &tree_b);
    walk.scope(&tree_a, &tree_b, &[]).0
}

fn by_merge(graph: &Graph) -> BTreeMap<NodeId, &SkipEdge> {
    graph.skips.iter().map(|skip| (skip.merge, skip)).collect()
}

struct Walk<'g> {
    graphs: Graphs<'g>,
    names: (ValueNames<'g>, ValueNames<'g>),
    skips: (BTreeMap<NodeId, &'g SkipEdge>, BTreeMap<NodeId, &'g SkipEdge>),
    /// For nodes of the first graph, those of the second that they became; and the other way round.
    partners: BTreeMap<NodeId, NodeId>,
    taken: BTreeMap<NodeId, NodeId>,
}

impl<'g> Walk<'g> {
    /// Notes which nodes belong together.
    fn meet(&mut self, a: &[Item], b: &[Item]) {
        for pair in pairs(self.graphs, a, b) {
            match pair {
                Pair::Both(Item::Group(x), Item::Group(y)) => self.meet(&x.items, &y.items),
                Pair::Both(Item::Leaf(x), Item::Leaf(y)) => {
                    self.partners.insert(*x, *y);
                    self.taken.insert(*y, *x);
                }
                _ => {}
            }
        }
    }

    /// What differs between two scopes, and how many layers only follow from `causes`.
    fn scope(&self, a: &[Item], b: &[Item], causes: &[Argument]) -> (Vec<Change>, usize) {
        let (mut changes, mut following) = (Vec::new(), 0);
        for pair in pairs(self.graphs, a, b) {
            match pair {
                Pair::Removed(item) => changes.extend(self.alone(item, self.graphs.a, Sign::Removed)),
                Pair::Added(item) => changes.extend(self.alone(item, self.graphs.b, Sign::Added)),
                Pair::Both(x, y) => {
                    let (change, more) = match (x, y) {
                        (Item::Group(p), Item::Group(q)) => self.groups((x, p), (y, q), causes),
                        (Item::Leaf(p), Item::Leaf(q)) => self.leaves((x, *p), (y, *q), causes),
                        _ => (None, 0),
                    };
                    changes.extend(change);
                    following += more;
                }
            }
        }
        (fold::fold(changes), following)
    }

    /// A part that only one of the two has. Inputs are told with the totals.
    fn alone(&self, item: &Item, graph: &Graph, sign: Sign) -> Option<Change> {
        if matches!(item, Item::Leaf(id) if is_input(graph, *id)) {
            return None;
        }
        let label = label_of(graph, item).to_string();
        let path = Some(path_of(graph, item));
        let (before, after) = if sign == Sign::Added { (None, path) } else { (path, None) };
        let parameters = parameters(graph, item) * if sign == Sign::Added { 1 } else { -1 };
        let what = match item {
            Item::Leaf(id) => self.layer(graph, *id),
            Item::Group(group) if group.block.is_empty() => format!("{} layers", item.nodes().len()),
            Item::Group(group) => group.block.clone(),
        };
        let notes = Vec::new();
        Some(Change { sign, label, before, after, count: 1, what, notes, following: 0, parameters, within: Vec::new() })
    }

    /// `conv 3×3 /2`, `skip add via project`, `long skip concat from enc1`
    fn layer(&self, graph: &Graph, id: NodeId) -> String {
        let layer = graph.node(id).op.layer();
        let first = std::ptr::eq(graph, self.graphs.a);
        let (skips, names) = if first { (&self.skips.0, &self.names.0) } else { (&self.skips.1, &self.names.1) };
        let Some(skip) = skips.get(&id) else {
            return [layer.kind(), &layer.detail()].join(" ").trim_end().into();
        };
        let via = skip.via.as_ref().map_or(String::new(), |via| format!(" via {via}"));
        match skip.length {
            // Most skips are short and start where their braces do.
            SkipLength::Short => format!("skip {}{via}", layer.kind()),
            SkipLength::Long => format!("long skip {}{via} from {}", layer.kind(), names.name(skip.source, skip.merge)),
        }
    }

    fn groups(&self, (x, p): (&Item, &Group), (y, q): (&Item, &Group), causes: &[Argument]) -> (Option<Change>, usize) {
        let arguments = if p.block == q.block { of_blocks(p, q) } else { Vec::new() };
        let new = |argument: &&Argument| !causes.iter().any(|cause| argument.follows(cause));
        let told: Vec<String> = arguments.iter().filter(new).map(Argument::words).collect();
        let all: Vec<Argument> = causes.iter().chain(&arguments).cloned().collect();
        let (within, mut following) = self.scope(&p.items, &q.items, &all);
        let mut change = self.both(x, y, block_words(p, q));
        if p.block != q.block {
            change.notes.push(String::new());
        }
        change.notes.extend(told);
        change.within = within;
        let renamed = self.renamed(x, y);
        if change.notes.is_empty() && change.within.is_empty() && !renamed {
            return (None, following);
        }
        if change.notes.is_empty() && change.within.is_empty() {
            change.sign = Sign::Renamed;
        } else if !change.notes.is_empty() {
            change.following = std::mem::take(&mut following);
        }
        change.notes.retain(|note| !note.is_empty());
        (Some(change), following)
    }

    fn leaves(&self, (x, p): (&Item, NodeId), (y, q): (&Item, NodeId), causes: &[Argument]) -> (Option<Change>, usize) {
        let (a, b) = (self.graphs.a, self.graphs.b);
        if is_input(a, p) || is_input(b, q) {
            return (None, 0);
        }
        let (op_p, op_q) = (&a.node(p).op, &b.node(q).op);
        let mut change = self.both(x, y, self.layer(b, q));
        let mut told = 0;
        if op_p.layer().kind() != op_q.layer().kind() {
            change.what = format!("{} → {}", self.layer(a, p), self.layer(b, q));
            told = 1;
        } else {
            let arguments = of_ops(op_p, op_q);
            let new = arguments.iter().filter(|argument| !causes.iter().any(|cause| argument.follows(cause)));
            change.notes.extend(new.map(Argument::words));
        }
        change.notes.extend(self.edges(p, q));
        if told == 0 && !change.notes.is_empty() {
            change.what = self.kind_alone(q);
        }
        if told + change.notes.len() > 0 {
            return (Some(change), 0);
        }
        if self.renamed(x, y) {
            change.sign = Sign::Renamed;
            return (Some(change), 0);
        }
        (None, usize::from(op_p != op_q))
    }

    /// The kind of a layer, whose arguments are told one by one.
    fn kind_alone(&self, id: NodeId) -> String {
        let kind = self.graphs.b.node(id).op.layer().kind();
        if self.skips.1.contains_key(&id) { format!("skip {kind}") } else { kind.into() }
    }

    /// How two nodes are joined to others: skips, and operands that both graphs have.
    fn edges(&self, p: NodeId, q: NodeId) -> Vec<String> {
        let name = |value: NodeId, reader: NodeId| self.names.1.name(value, reader);
        let mut notes = Vec::new();
        match (self.skips.0.get(&p), self.skips.1.get(&q)) {
            (Some(before), Some(after)) => {
                let none = || "none".to_string();
                let via = |skip: &SkipEdge| skip.via.clone().unwrap_or_else(none);
                if before.via != after.via {
                    notes.push(format!("via {} → {}", via(before), via(after)));
                }
                if before.length != after.length {
                    notes.push(if after.length == SkipLength::Long { "short → long" } else { "long → short" }.into());
                }
                if let Some(was) = self.moved(before.source, after.source) {
                    notes.push(format!("from {} → {}", name(was, q), name(after.source, q)));
                }
            }
            _ => {
                let (before, after) = (self.graphs.a.operands(p), self.graphs.b.operands(q));
                for (&x, &y) in before.iter().zip(&after) {
                    if let Some(was) = self.moved(x, y) {
                        notes.push(format!("reads {} instead of {}", name(y, q), name(was, q)));
                    }
                }
                let both_known = before.iter().all(|x| self.partners.contains_key(x))
                    && after.iter().all(|y| self.taken.contains_key(y));
                if before.len() != after.len() && both_known {
                    notes.push(format!("{} operands → {}", before.len(), after.len()));
                }
            }
        }
        notes
    }

    /// What a value of the first graph is in the second, where both graphs have both values and these differ.
    fn moved(&self, before: NodeId, after: NodeId) -> Option<NodeId> {
        let was = *self.partners.get(&before)?;
        (was != after && self.taken.contains_key(&after)).then_some(was)
    }

    /// Whether the label differs and names of parameters with it.
    fn renamed(&self, x: &Item, y: &Item) -> bool {
        let (label_x, label_y) = (label_of(self.graphs.a, x), label_of(self.graphs.b, y));
        let counted = is_counted(label_x, kind_of(self.graphs.a, x)) && is_counted(label_y, kind_of(self.graphs.b, y));
        label_x != label_y && (!counted || has_parameters(self.graphs.a, x) || has_parameters(self.graphs.b, y))
    }

    fn both(&self, x: &Item, y: &Item, what: String) -> Change {
        let (label_x, label_y) = (label_of(self.graphs.a, x), label_of(self.graphs.b, y));
        let label = if self.renamed(x, y) { format!("{label_x} → {label_y}") } else { label_y.to_string() };
        Change {
            sign: Sign::Changed,
            label,
            before: Some(path_of(self.graphs.a, x)),
            after: Some(path_of(self.graphs.b, y)),
            count: 1,
            what,
            notes: Vec::new(),
            following: 0,
            parameters: parameters(self.graphs.b, y) - parameters(self.graphs.a, x),
            within: Vec::new(),
        }
    }
}

fn block_words(p: &Group, q: &Group) -> String {
    let word = |group: &Group| if group.block.is_empty() { "{ }".to_string() } else { group.block.clone() };
    match p.block == q.block {
        true => q.block.clone(),
        false => format!("{} → {}", word(p), word(q)),
    }
}

fn path_of(graph: &Graph, item: &Item) -> String {
    match item {
        Item::Leaf(id) => graph.node(*id).path.clone(),
        Item::Group(group) => group.path.clone(),
    }
}

fn parameters(graph: &Graph, item: &Item) -> i64 {
    item.nodes()
        .into_iter()
        .map(|id| i64::try_from(node_cost(graph, id).parameters).unwrap_or(i64::MAX))
        .fold(0, i64::saturating_add)
}

fn has_parameters(graph: &Graph, item: &Item) -> bool {
    item.nodes().into_iter().any(|id| !graph.params(id).is_empty())
}
