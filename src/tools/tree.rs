//! A network as its labels nest: what summaries and pictures walk along.

use crate::graph::{BlockArg, Graph, NodeId, ScopeId, ScopeKind};
use crate::ops::Op;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// A layer, or a scope with what stands in it.
#[derive(Clone, Debug)]
pub enum Item {
    /// A node.
    Leaf(NodeId),
    /// A scope.
    Group(Group),
}

/// A scope with what stands in it.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its label within the scope around it.
    pub label: String,
    /// Its dotted path.
    pub path: String,
    /// The block's name, or nothing for braces and iterations.
    pub block: String,
    /// The block's parameters as they came out.
    pub args: Vec<BlockArg>,
    /// What stands in it, in evaluation order.
    pub items: Vec<Item>,
    /// Equal for groups that differ only in their sizes.
    pub form: u64,
    /// Equal for groups that differ only in their names and operands.
    pub exact: u64,
}

impl Item {
    /// Its first node.
    pub fn first(&self) -> NodeId {
        match self {
            Self::Leaf(id) => *id,
            Self::Group(group) => group.items[0].first(),
        }
    }

    /// Its last node, whose value is the scope's.
    pub fn last(&self) -> NodeId {
        match self {
            Self::Leaf(id) => *id,
            Self::Group(group) => group.items[group.items.len() - 1].last(),
        }
    }

    /// Its nodes, in evaluation order.
    pub fn nodes(&self) -> Vec<NodeId> {
        match self {
            Self::Leaf(id) => vec![*id],
            Self::Group(group) => group.items.iter().flat_map(Self::nodes).collect(),
        }
    }

    /// The group, where it is one.
    pub fn group(&self) -> Option<&Group> {
        match self {
            Self::Leaf(_) => None,
            Self::Group(group) => Some(group),
        }
    }

    /// Whether two scopes are the same but for names and operands.
    pub fn repeats(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Group(a), Self::Group(b)) if a.exact == b.exact && a.block == b.block)
    }

    /// Whether two scopes are the same but for sizes, names and operands.
    pub fn resembles(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Group(a), Self::Group(b)) if a.form == b.form && a.block == b.block)
    }
}

/// The items of the model's own scope, without the croppings and paddings that `fit` makes: those are
/// remarks on their edges.
pub fn tree(graph: &Graph) -> Vec<Item> {
    let mut open = Open::default();
    for id in graph.order().filter(|&id| !graph.node(id).op.is_fit()) {
        let mut chain: Vec<ScopeId> = graph.scopes.chain(graph.node(id).scope).collect();
        chain.reverse();
        open.insert(&chain[1..], id);
    }
    open.close(graph)
}

/// Whether one picture can stand for two scopes: the same block used with the same arguments at the same
/// resolution. Channels may grow.
pub fn alike(graph: &Graph, a: &Item, b: &Item) -> bool {
    let spatial = |item: &Item| graph.shape(item.last()).spatial();
    let args = |item: &Item| item.group().map(|group| group.args.clone());
    a.resembles(b) && args(a) == args(b) && spatial(a) == spatial(b)
}

/// A scope while nodes still come in.
#[derive(Default)]
struct Open {
    scope: ScopeId,
    children: Vec<Child>,
    at: BTreeMap<ScopeId, usize>,
}

enum Child {
    Leaf(NodeId),
    Scope(Open),
}

impl Open {
    fn insert(&mut self, chain: &[ScopeId], id: NodeId) {
        let Some((&scope, inner)) = chain.split_first() else { return self.children.push(Child::Leaf(id)) };
        let end = self.children.len();
        let at = *self.at.entry(scope).or_insert(end);
        if at == end {
            self.children.push(Child::Scope(Self { scope, ..Self::default() }));
        }
        if let Child::Scope(open) = &mut self.children[at] {
            open.insert(inner, id);
        }
    }

    fn close(self, graph: &Graph) -> Vec<Item> {
        let close = |child| match child {
            Child::Leaf(id) => vec![Item::Leaf(id)],
            // `_: Block(…)` puts its labels straight into the scope around it.
            Child::Scope(open) if is_transparent(graph, open.scope) => open.close(graph),
            Child::Scope(open) => vec![Item::Group(Group::new(graph, open.scope, open.close(graph)))],
        };
        self.children.into_iter().flat_map(close).collect()
    }
}

/// Whether a scope has no label of its own.
fn is_transparent(graph: &Graph, id: ScopeId) -> bool {
    let scope = graph.scopes.get(id);
    scope.path == graph.scopes.get(scope.parent).path
}

impl Group {
    fn new(graph: &Graph, id: ScopeId, items: Vec<Item>) -> Self {
        let scope = graph.scopes.get(id);
        let label = within(&scope.path, &graph.scopes.get(scope.parent).path).into();
        let (block, args) = match &scope.kind {
            ScopeKind::Block(used) => (used.block.clone(), used.args.clone()),
            _ => (String::new(), Vec::new()),
        };
        let (form, exact) = (digest(graph, &items, false), digest(graph, &items, true));
        Self { label, path: scope.path.clone(), block, args, items, form, exact }
    }
}

/// The part of a path after the path around it.
pub fn within<'p>(path: &'p str, outer: &str) -> &'p str {
    path.strip_prefix(outer).map_or(path, |rest| rest.trim_start_matches('.'))
}

/// The label of a node in its scope.
pub fn label(graph: &Graph, id: NodeId) -> &str {
    let node = graph.node(id);
    within(&node.path, &graph.scopes.get(node.scope).path)
}

/// A number that is equal for items of equal form: kinds, details, which of the items they read, and, where
/// `exact`, shapes and parameters.
fn digest(graph: &Graph, items: &[Item], exact: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    let first = items.first().map_or(0, |item| item.first().index());
    for item in items {
        match item {
            Item::Group(group) => {
                (&group.block, if exact { group.exact } else { group.form }).hash(&mut hasher);
            }
            Item::Leaf(id) => {
                let layer = graph.node(*id).op.layer();
                (layer.kind(), layer.detail()).hash(&mut hasher);
                let inside = |operand: NodeId| operand.index().checked_sub(first);
                graph.operands(*id).into_iter().map(inside).collect::<Vec<_>>().hash(&mut hasher);
                if exact {
                    graph.shape(*id).hash(&mut hasher);
                    graph.params(*id).iter().for_each(|param| param.dims.hash(&mut hasher));
                }
            }
        }
    }
    hasher.finish()
}

/// Names of values as a reader thinks of them: a block's result is called by the block's path.
pub struct ValueNames<'g> {
    graph: &'g Graph,
    /// The last node of each scope, by the scope.
    ends: BTreeMap<ScopeId, NodeId>,
}

impl<'g> ValueNames<'g> {
    /// Looks up where scopes end.
    pub fn new(graph: &'g Graph) -> Self {
        let mut ends = BTreeMap::new();
        for id in graph.order() {
            graph.scopes.chain(graph.node(id).scope).for_each(|scope| _ = ends.insert(scope, id));
        }
        Self { graph, ends }
    }

    /// What `reader` calls the value: the outermost scope that gives it and does not hold the reader, or its
    /// own path; without what both paths share, where the reader's scope holds it.
    pub fn name(&self, value: NodeId, reader: NodeId) -> &'g str {
        let home = self.graph.node(reader).scope;
        let around: Vec<ScopeId> = self.graph.scopes.chain(home).collect();
        let ending = self.graph.scopes.chain(self.graph.node(value).scope);
        let ending = ending.take_while(|scope| self.ends[scope] == value && !around.contains(scope));
        let named = ending.filter(|scope| !is_transparent(self.graph, *scope));
        let path = named.last().map_or(&self.graph.node(value).path, |scope| &self.graph.scopes.get(scope).path);
        let outer = &self.graph.scopes.get(home).path;
        path.strip_prefix(outer.as_str()).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path)
    }
}

/// Whether the node is an input, which summaries and pictures show apart.
pub fn is_input(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.node(id).op, Op::Input(_))
}

/// What a node reads, seen through the croppings and paddings of `fit`.
pub fn operands(graph: &Graph, id: NodeId) -> Vec<NodeId> {
    graph.operands(id).into_iter().map(|operand| unfitted(graph, operand)).collect()
}

/// A value before the croppings and paddings of `fit`.
pub fn unfitted(graph: &Graph, mut value: NodeId) -> NodeId {
    while graph.node(value).op.is_fit() {
        value = graph.operands(value)[0];
    }
    value
}

/// `fit crop` or `fit pad`, where an operand of a merge was fitted; else nothing.
pub fn fit_words(graph: &Graph, merge: NodeId) -> &'static str {
    let mut fits = graph.operands(merge).into_iter().map(|operand| &graph.node(operand).op).filter(|op| op.is_fit());
    fits.next_back().map_or("", |op| if matches!(op, Op::CropLike(_)) { "fit crop" } else { "fit pad" })
}

/// Labels of several scopes in one: `0–2`, `denselayer2–6`, `inception4a–e`, `down … up`.
pub fn span_of_labels(first: &str, last: &str) -> String {
    let word = |label: &str| label.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (a, b) = (word(first), word(last));
    let numbered = first[..a] == last[..b] && a < first.len() && b < last.len();
    let shared = first.char_indices().zip(last.chars()).take_while(|((_, x), y)| x == y).last();
    match shared.map(|((at, c), _)| at + c.len_utf8()) {
        _ if first == last => first.into(),
        _ if numbered => format!("{first}–{}", &last[b..]),
        Some(shared) if shared > 3 && shared < last.len() => format!("{first}–{}", &last[shared..]),
        _ => format!("{first} … {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::span_of_labels;

    #[test]
    fn labels_of_runs_are_short() {
        let cases = [
            ("0", "2", "0–2"),
            ("denselayer9", "denselayer12", "denselayer9–12"),
            ("inception4a", "inception4e", "inception4a–e"),
            ("down", "up", "down … up"),
            ("one", "one", "one"),
        ];
        for (first, last, expected) in cases {
            assert_eq!(span_of_labels(first, last), expected);
        }
    }
}
