//! The rows of the table: layers in file order, repeats folded, skips drawn as brackets in the margin.

use crate::analysis::cost::{self, NodeCost};
use crate::analysis::field::{self, ReceptiveField};
use crate::graph::{Graph, NodeId, SkipEdge, SkipLength};
use crate::shape::Shape;
use crate::tools::text::{Ink, columns};
use crate::tools::tree::{self, Group, Item, ValueNames};
use std::collections::{BTreeMap, BTreeSet};

/// The most columns that labels of one scope are lined up to.
pub const LABEL: usize = 16;

/// A row before it is laid out.
#[derive(Clone, Debug)]
pub struct Row {
    /// What stands before the label: indentation and brackets, each with its colour.
    pub margin: Vec<(&'static str, Ink)>,
    /// The label in its scope.
    pub label: String,
    /// Columns that labels of this scope take.
    pub label_width: usize,
    /// Layer and arguments, or the block's name.
    pub kind: String,
    /// The colour of the kind: merges have that of their skip.
    pub ink: Ink,
    /// What it reads, where that is not the row before.
    pub from: String,
    /// The shape of its value.
    pub output: Shape,
    /// What it costs.
    pub cost: NodeCost,
    /// What it sees of the input.
    pub field: ReceptiveField,
    /// `short`, `long`, `like layer1.0`.
    pub note: String,
    /// Whether it stands for a scope.
    pub group: bool,
}

/// All rows of a network; `expand` shows repeats too.
pub fn rows(graph: &Graph, expand: bool) -> Vec<Row> {
    let mut walk = Walk {
        graph,
        names: ValueNames::new(graph),
        fields: field::receptive_fields(graph),
        skips: graph.skips.iter().map(|skip| (skip.merge, skip)).collect(),
        seen: BTreeMap::new(),
        before: graph.inputs.first().copied(),
        expand,
        rows: Vec::new(),
    };
    let items = tree::tree(graph);
    let items: Vec<Item> = items.into_iter().filter(|item| !tree::is_input(graph, item.first())).collect();
    walk.scope(&items, &[]);
    walk.rows
}

struct Walk<'g> {
    graph: &'g Graph,
    names: ValueNames<'g>,
    fields: BTreeMap<NodeId, ReceptiveField>,
    skips: BTreeMap<NodeId, &'g SkipEdge>,
    /// Where a form was shown, by block and form.
    seen: BTreeMap<(String, u64), String>,
    /// The node whose value the next row would read if it said nothing.
    before: Option<NodeId>,
    expand: bool,
    rows: Vec<Row>,
}

/// A skip within one scope's items.
struct Bracket {
    first: usize,
    merge: usize,
    ink: Ink,
    length: SkipLength,
}

type Margin = Vec<(&'static str, Ink)>;

impl<'g> Walk<'g> {
    fn scope(&mut self, items: &[Item], margin: &[(&'static str, Ink)]) {
        let brackets = self.brackets(items);
        let runs = self.runs(items, &brackets);
        let labels: Vec<String> = runs.iter().map(|run| self.run_label(&items[run.clone()])).collect();
        let label_width = labels.iter().map(|label| columns(label)).max().unwrap_or(0).min(LABEL);
        for (run, label) in runs.into_iter().zip(labels) {
            let own: Margin = margin.iter().copied().chain(bracket_marks(&brackets, run.start)).collect();
            match &items[run.start] {
                Item::Leaf(id) => self.leaf(*id, own, label, label_width),
                Item::Group(group) => {
                    let inner: Margin = margin.iter().copied().chain(bracket_lines(&brackets, run.start)).collect();
                    self.group(group, &items[run], own, inner, label, label_width);
                }
            }
        }
    }

    /// Items in runs: layers alone, scopes with those after them that look the same.
    fn runs(&self, items: &[Item], brackets: &[Bracket]) -> Vec<std::ops::Range<usize>> {
        let (mut runs, mut start) = (Vec::new(), 0);
        let mut shown = BTreeSet::new();
        while start < items.len() {
            let form = items[start].group().map(key);
            let folded = form.is_some_and(|form| self.seen.contains_key(&form) || !shown.insert(form));
            let same =
                |i: usize| if folded { items[start].resembles(&items[i]) } else { items[start].repeats(&items[i]) };
            let mut end = start + 1;
            while !self.expand && end < items.len() && same(end) && !brackets.iter().any(|b| b.first == end) {
                end += 1;
            }
            runs.push(start..end);
            start = end;
        }
        runs
    }

    fn run_label(&self, run: &[Item]) -> String {
        match run {
            [Item::Leaf(id), ..] => tree::label(self.graph, *id).into(),
            [Item::Group(first), .., Item::Group(last)] => tree::span_of_labels(&first.label, &last.label),
            [Item::Group(group), ..] => group.label.clone(),
            [] => String::new(),
        }
    }

    fn leaf(&mut self, id: NodeId, margin: Margin, label: String, label_width: usize) {
        let node = self.graph.node(id);
        let layer = node.op.layer();
        let mut kind = format!("{} {}", layer.kind(), layer.detail()).trim_end().to_string();
        let (mut from, mut note) = (String::new(), String::new());
        if let Some(skip) = self.skips.get(&id) {
            kind += &format!(" ⟵ {}", self.names.name(skip.source, id));
            kind += &skip.via.as_ref().map_or(String::new(), |via| format!(" via {via}"));
            kind = format!("{kind} {}", tree::fit_words(self.graph, id)).trim_end().into();
            note = if skip.length == SkipLength::Long { "long" } else { "short" }.into();
        } else if tree::operands(self.graph, id).as_slice() != self.before.as_slice() {
            let names = tree::operands(self.graph, id).into_iter().map(|operand| self.names.name(operand, id));
            from = names.collect::<Vec<_>>().join(", ");
        }
        self.before = Some(id);
        self.rows.push(Row {
            margin,
            label,
            label_width,
            kind,
            ink: Ink::of_merge(&node.op),
            from,
            output: node.shape.clone(),
            cost: cost::node_cost(self.graph, id),
            field: self.fields[&id].clone(),
            note,
            group: false,
        });
    }

    fn group(&mut self, group: &Group, run: &[Item], own: Margin, inner: Margin, label: String, label_width: usize) {
        let mut cost = NodeCost::default();
        run.iter().flat_map(Item::nodes).for_each(|id| cost += cost::node_cost(self.graph, id));
        let last = run[run.len() - 1].last();
        let times = if run.len() > 1 { format!(" × {}", run.len()) } else { String::new() };
        let shown = (!self.expand).then(|| self.seen.get(&key(group)).cloned()).flatten();
        let small = group.items.len() < 2;
        self.rows.push(Row {
            margin: own,
            label,
            label_width,
            kind: format!("{}{times}", group.block).trim().into(),
            ink: Ink::Bold,
            from: self.reads(&run[0]),
            output: self.graph.shape(last).clone(),
            cost,
            field: self.fields[&last].clone(),
            note: shown.as_ref().map_or(String::new(), |path| format!("like {path}")),
            group: true,
        });
        if shown.is_none() {
            let margin: Margin = inner.into_iter().chain([("  ", Ink::Plain)]).collect();
            // The row above has said what the first layer reads.
            self.before = tree::operands(self.graph, run[0].first()).first().copied();
            self.scope(&group.items, &margin);
            if !small {
                self.seen.entry(key(group)).or_insert_with(|| group.path.clone());
            }
        }
        self.before = Some(last);
    }

    /// What a folded scope reads first, where that is not the row before.
    fn reads(&self, item: &Item) -> String {
        let first = item.first();
        let operands = tree::operands(self.graph, first);
        if operands.as_slice() == self.before.as_slice() {
            return String::new();
        }
        operands.first().map_or(String::new(), |&operand| self.names.name(operand, first).into())
    }

    /// The first node on the way from a skip's source to the value that it meets; `None` where the way does
    /// not start there.
    fn after(&self, skip: &SkipEdge) -> Option<NodeId> {
        let mut node = tree::unfitted(self.graph, skip.result);
        loop {
            let operands = tree::operands(self.graph, node);
            let main = match self.skips.get(&node) {
                Some(inner) => tree::unfitted(self.graph, inner.result),
                None => *operands.first()?,
            };
            if main == skip.source {
                return Some(node);
            }
            // Sources come before results, so the way back ends here.
            if main < skip.source {
                return None;
            }
            node = main;
        }
    }

    /// Skips whose merge stands in this scope, from the first item that reads their source; those that would
    /// cross another, or whose source lies on no path to the merge, are left without a bracket.
    fn brackets(&self, items: &[Item]) -> Vec<Bracket> {
        let mut brackets: Vec<Bracket> = Vec::new();
        for (merge, item) in items.iter().enumerate() {
            let Item::Leaf(id) = item else { continue };
            let Some(skip) = self.skips.get(id) else { continue };
            let Some(start) = self.after(skip) else { continue };
            let holds = |item: &Item| item.first() <= start && start <= item.last();
            let Some(first) = items.iter().position(holds) else { continue };
            let crosses = brackets.iter().any(|b| b.first < first && first <= b.merge);
            if first < merge && !crosses {
                brackets.push(Bracket {
                    first,
                    merge,
                    ink: Ink::of_merge(&self.graph.node(*id).op),
                    length: skip.length,
                });
            }
        }
        brackets.sort_by_key(|b| (b.first, std::cmp::Reverse(b.merge)));
        brackets
    }
}

fn key(group: &Group) -> (String, u64) {
    (group.block.clone(), group.form)
}

/// The marks before the row at `at`: a corner where a bracket starts or ends, a line within.
fn bracket_marks(brackets: &[Bracket], at: usize) -> Margin {
    let open = brackets.iter().filter(|b| (b.first..=b.merge).contains(&at));
    open.map(|b| match at {
        _ if at == b.merge => ("╰ ", b.ink),
        _ if at == b.first => ("╭ ", b.ink),
        _ => (line(b), b.ink),
    })
    .collect()
}

/// The lines before the rows inside the item at `at`.
fn bracket_lines(brackets: &[Bracket], at: usize) -> Margin {
    brackets.iter().filter(|b| (b.first..b.merge).contains(&at)).map(|b| (line(b), b.ink)).collect()
}

fn line(bracket: &Bracket) -> &'static str {
    if bracket.length == SkipLength::Long { "┆ " } else { "│ " }
}
