//! The steps of the flat model.

use super::names::{Names, join};
use super::plan::{self, EvalOrder, Side, Written};
use super::{input, layer_call, wordless};
use crate::base::Diagnostic;
use crate::elaborate::Network;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The steps, indented. Which values need further names is found by writing: it is written again until all are there.
pub(super) fn text(network: &Network) -> Result<String, Diagnostic> {
    let mut further = Further::default();
    loop {
        let mut writer = Writer::new(network, &further);
        writer.range(0..writer.line.nodes.len(), &[])?;
        writer.outputs();
        let Writer { out, wanted, .. } = writer;
        if wanted.is_empty() {
            return Ok(out);
        }
        if !further.add(wanted) {
            return Err(wordless(&network.name, "a label hides another that is needed"));
        }
    }
}

/// Values that need more than their own label.
#[derive(Default)]
struct Further {
    /// Named right where they are made: merges, which have no labels.
    taps: BTreeSet<NodeId>,
    /// Named again before a group whose labels hide theirs.
    hoisted: BTreeSet<(String, NodeId)>,
}

/// A value that could not be named, and the outermost group that hides its name.
type Wanted = (NodeId, Option<String>);

impl Further {
    /// Whether anything was new.
    fn add(&mut self, wanted: BTreeSet<Wanted>) -> bool {
        let mut new = false;
        for (node, group) in wanted {
            new |= match (self.taps.contains(&node), group) {
                (true, Some(group)) => self.hoisted.insert((group, node)),
                _ => self.taps.insert(node),
            };
        }
        new
    }
}

struct Writer<'n> {
    network: &'n Network,
    graph: &'n Graph,
    further: &'n Further,
    line: EvalOrder,
    skips: BTreeMap<usize, Written>,
    dominators: Vec<Option<usize>>,
    names: Names,
    /// Every label of the graph, so that new ones differ.
    taken: BTreeSet<String>,
    declared: BTreeSet<String>,
    current: Option<NodeId>,
    last_label: Option<String>,
    wanted: BTreeSet<Wanted>,
    out: String,
    depth: usize,
}

impl<'n> Writer<'n> {
    fn new(network: &'n Network, further: &'n Further) -> Self {
        let graph = &network.graph;
        let line = EvalOrder::of(graph);
        let skips = graph.skips.iter().filter_map(|edge| plan::write(graph, &line, edge));
        let skips = skips.map(|skip| (skip.last, skip)).collect();
        let labels = line.nodes.iter().flat_map(|&id| graph.node(id).path.split('.').map(String::from));
        Self {
            network,
            graph,
            further,
            skips,
            dominators: dominators(graph, &line),
            names: Names::default(),
            taken: labels.collect(),
            declared: BTreeSet::new(),
            current: None,
            last_label: None,
            wanted: BTreeSet::new(),
            out: String::new(),
            depth: 1,
            line,
        }
    }

    fn put(&mut self, text: &str) {
        self.out += &"    ".repeat(self.depth);
        self.out += text;
        self.out.push('\n');
    }

    fn labels(&self, at: usize) -> Vec<&'n str> {
        self.graph.node(self.line.nodes[at]).path.split('.').collect()
    }

    /// The nodes of a range in a scope, all of which stand in it or deeper.
    fn range(&mut self, nodes: Range<usize>, scope: &[&'n str]) -> Result<(), Diagnostic> {
        let mut at = nodes.start;
        while at < nodes.end {
            if let Some(merge) = self.skip_at(at, nodes.end, scope) {
                self.skip(merge, scope)?;
                at = merge + 1;
                continue;
            }
            let labels = self.labels(at);
            if labels.len() <= scope.len() || !labels.starts_with(scope) {
                let path = &self.graph.node(self.line.nodes[at]).path;
                return Err(wordless(path, "its scope is left and entered again"));
            }
            at = match labels.len() == scope.len() + 1 {
                true => self.node(at, scope).map(|()| at + 1)?,
                false => self.group(at..nodes.end, &labels[..=scope.len()])?,
            };
        }
        Ok(())
    }

    /// The outermost skip whose words begin at this node in this scope, by its merge.
    fn skip_at(&self, at: usize, end: usize, scope: &[&str]) -> Option<usize> {
        let here = |(_, skip): &(&usize, &Written)| {
            skip.first == at && self.labels(skip.last).split_last().is_some_and(|(_, s)| s == scope)
        };
        self.skips.range(at..end).rev().find(here).map(|(&last, _)| last)
    }

    /// A labelled group: as many nodes of the range as stand in it.
    fn group(&mut self, nodes: Range<usize>, scope: &[&'n str]) -> Result<usize, Diagnostic> {
        let inside = |&at: &usize| self.labels(at).len() > scope.len() && self.labels(at).starts_with(scope);
        let end = nodes.start + nodes.clone().take_while(inside).count();
        let path = scope.join(".");
        let (label, around) = scope.split_last().map_or(("", scope), |(label, around)| (*label, around));
        let hoisted: Vec<NodeId> = self.further.hoisted.iter().filter(|(g, _)| *g == path).map(|(_, n)| *n).collect();
        for node in hoisted {
            self.go_to(node, around);
            self.alias(node, around);
        }
        self.put(&format!("{label}: {{"));
        self.names.enter(&path);
        self.depth += 1;
        self.range(nodes.start..end, scope)?;
        self.depth -= 1;
        self.put("}");
        if let Some(current) = self.current {
            self.names.name(&path, current);
        }
        self.last_label = Some(path);
        Ok(end)
    }

    /// Names the current value by an empty group.
    fn alias(&mut self, node: NodeId, scope: &[&str]) {
        let path = &self.graph.node(node).path;
        let mut label = format!("after_{}", path.rsplit('.').next().unwrap_or(path));
        while !self.taken.insert(label.clone()) {
            label.push('_');
        }
        self.put(&format!("{label}: {{}}"));
        self.names.name(&join(scope, &label), node);
    }

    /// The name of a value; noted where it has none.
    fn name(&mut self, node: NodeId, scope: &[&'n str], word: bool) -> String {
        self.names.find(node, scope, word).unwrap_or_else(|| {
            let own: Vec<&str> = self.graph.node(node).path.split('.').collect();
            let common = own.iter().zip(scope).take_while(|(a, b)| a == b).count();
            self.wanted.insert((node, scope.get(..=common).map(|group| group.join("."))));
            "?".into()
        })
    }

    /// Makes a value the current one.
    fn go_to(&mut self, node: NodeId, scope: &[&'n str]) {
        if self.current != Some(node) {
            let name = self.name(node, scope, false);
            self.put(&format!("from {name}"));
            self.current = Some(node);
        }
    }

    /// One node that is no end of a skip.
    fn node(&mut self, at: usize, scope: &[&'n str]) -> Result<(), Diagnostic> {
        let (id, graph) = (self.line.nodes[at], self.graph);
        let (node, operands) = (graph.node(id), graph.operands(id));
        let label = node.path.rsplit('.').next().unwrap_or(&node.path);
        if let Op::Input(_) = node.op {
            let decl = self.network.inputs.iter().find(|decl| decl.name == node.path);
            let decl = decl.ok_or_else(|| wordless(&node.path, "the input is not declared"))?;
            let text = input(decl, &mut self.declared);
            self.put(&text);
        } else if let Some(kind) = merged(&node.op) {
            self.parallel(at, kind, scope)?;
        } else {
            self.go_to(operands[0], scope);
            let like = operands.get(1).map(|&like| self.name(like, scope, true));
            let call = layer_call(&node.op, like.as_deref());
            let call = call.ok_or_else(|| wordless(&node.path, "it stands only within a skip"))?;
            self.put(&format!("{label}: {call}"));
        }
        self.made(id, scope);
        Ok(())
    }

    /// Notes the value of a node that was just written.
    fn made(&mut self, id: NodeId, scope: &[&str]) {
        let node = self.graph.node(id);
        self.current = Some(id);
        match node.op.is_merge() {
            true => self.names.enter(&node.path),
            false => self.names.name(&node.path, id),
        }
        self.last_label = Some(node.path.clone());
        if self.further.taps.contains(&id) {
            self.alias(id, scope);
        }
    }

    /// A merge of values that all have names.
    fn parallel(&mut self, at: usize, kind: &str, scope: &[&'n str]) -> Result<(), Diagnostic> {
        let id = self.line.nodes[at];
        let operands = self.graph.operands(id);
        if let Op::Add(add) = &self.graph.node(id).op
            && (add.scale != 1.0 || add.drop_path != 0.0)
        {
            return Err(wordless(&self.graph.node(id).path, "a factor or `drop_path` belongs to a skip"));
        }
        let start = self.dominators[at].map(|start| self.line.nodes[start]);
        self.go_to(start.unwrap_or(operands[0]), scope);
        self.put(&format!("parallel {kind} {{"));
        self.depth += 1;
        for operand in operands {
            let name = self.name(operand, scope, false);
            self.put(&format!("from {name}"));
        }
        self.depth -= 1;
        self.put("}");
        Ok(())
    }

    /// A skip with its words.
    fn skip(&mut self, merge: usize, scope: &[&'n str]) -> Result<(), Diagnostic> {
        let Some(skip) = self.skips.remove(&merge) else { return Ok(()) };
        self.go_to(skip.result, scope);
        let mut head = format!("{} from {}", skip.head, self.name(skip.source, scope, false));
        for (word, side) in [("via", &skip.via), ("by", &skip.by)] {
            let Some(side) = side else { continue };
            head += &format!(" {word} ");
            self.current = Some(skip.source);
            head = self.side(head, side, scope)?;
        }
        if let Some(fit) = skip.fit {
            head += &format!(" fit {fit}");
        }
        self.put(&head);
        self.made(self.line.nodes[merge], scope);
        Ok(())
    }

    /// What stands after `via` or `by`: lines that are whole are written, the open one is given back.
    fn side(&mut self, head: String, side: &Side, scope: &[&'n str]) -> Result<String, Diagnostic> {
        let labels = side.nodes.clone().next().map(|at| self.labels(at)).unwrap_or_default();
        let label = labels.get(scope.len()).copied().unwrap_or("");
        let group = [scope, &[label]].concat();
        if let Some(word) = side.word {
            for at in side.nodes.clone() {
                self.names.name(&self.graph.node(self.line.nodes[at]).path, self.line.nodes[at]);
            }
            self.names.name(&join(scope, label), side.value);
            return Ok(format!("{head}{label}: {word}"));
        }
        let one = side.nodes.len() == 1 && labels.len() == group.len();
        if let (true, Some(call)) = (one, layer_call(&self.graph.node(side.value).op, None)) {
            self.names.name(&self.graph.node(side.value).path, side.value);
            return Ok(format!("{head}{label}: {call}"));
        }
        let nested = !side.nodes.is_empty()
            && side.nodes.clone().all(|at| self.labels(at).len() > group.len() && self.labels(at).starts_with(&group));
        let (open, inner) =
            if nested { (format!("{head}{label}: {{"), &group[..]) } else { (format!("{head}{{"), scope) };
        self.put(&open);
        if nested {
            self.names.enter(&group.join("."));
        }
        self.depth += 1;
        self.range(side.nodes.clone(), inner)?;
        self.go_to(side.value, inner);
        self.depth -= 1;
        if nested {
            self.names.name(&group.join("."), side.value);
        }
        Ok("}".into())
    }

    /// The outputs; one that bears the label of the last step needs no word.
    fn outputs(&mut self) {
        let network = self.network;
        if let [only] = network.graph.outputs.as_slice()
            && self.last_label.as_deref() == Some(&only.name)
            && self.current == Some(only.node)
        {
            return;
        }
        for output in &network.graph.outputs {
            self.go_to(output.node, &[]);
            self.put(&format!("output {}", output.name));
        }
    }
}

/// The word of a merge that `parallel` can make.
fn merged(op: &Op) -> Option<&'static str> {
    (op.is_merge() && !matches!(op, Op::Gate(_))).then(|| op.layer().kind())
}

/// For each node the last one that all ways from the inputs to it pass; `None` where there is none. It is where the paths
/// of a `parallel` begin, which decides what counts as long.
fn dominators(graph: &Graph, line: &EvalOrder) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = Vec::new();
    for &id in &line.nodes {
        let operands: Vec<usize> = graph.operands(id).into_iter().map(|operand| line.at(operand)).collect();
        let meet = |a: Option<usize>, b: usize| {
            let (mut a, mut b) = (a, Some(b));
            while a != b {
                match (a, b) {
                    (Some(x), Some(y)) if x > y => a = found[x],
                    (Some(_), Some(y)) => b = found[y],
                    _ => return None,
                }
            }
            a
        };
        let common =
            operands.split_first().and_then(|(&first, rest)| rest.iter().try_fold(first, |a, &b| meet(Some(a), b)));
        found.push(common);
    }
    found
}
