//! The network as PyTorch source: one `nn.Module` for every body of a block, under whose state dict the parameters have the
//! names that they have in the `.arch` file.

mod init;
mod layers;
mod layout;
mod names;

use super::classes::{
    Assignment, Class, Classes, Expr, Item, Kind, Layer, Numbers, Run, Value, What, distinct, lines, unlike,
};
use crate::elaborate::Network;
use crate::graph::Graph;
use crate::ops::Op;
use layers::{At, FUNCTIONS, OWN, has_state, is_module, written};
use layout::{Py, call, text};
use names::{digits, member, not_kept, plain, reserved};
use std::collections::{BTreeMap, BTreeSet};

/// What `nn.Module` calls the flag that `train` sets.
const FLAG: &str = "training";

/// The source, and the doc comments of its blocks by name.
pub fn source(network: &Network, docs: &BTreeMap<String, String>) -> String {
    let classes = Classes::of(network, docs, &is_module, &not_kept);
    let writer = Writer { graph: &network.graph, network, classes: &classes, mixed: init::mixed(&network.graph) };
    let mut body = String::new();
    for (i, class) in classes.list.iter().enumerate() {
        body += "\n\n";
        body += &writer.class(class, i + 1 == classes.list.len());
    }
    let own: String = parts(&OWN, &body);
    let helpers = parts(&FUNCTIONS, &(own.clone() + &body)) + &own;
    let model = classes.list.last().map_or(network.name.as_str(), |class| &class.name);
    head(network, model, &(helpers.clone() + &body)) + &helpers + &body + &main(network, model)
}

/// What of these is called, or is a method, in the code behind it.
fn parts(all: &[(&str, &str)], code: &str) -> String {
    let used = |name: &str| code.contains(&format!("{name}(")) || code.contains(&format!(" = {name}\n"));
    all.iter().filter(|(name, _)| used(name)).map(|(_, text)| format!("\n\n{text}")).collect()
}

/// The docstring of the file and its imports.
fn head(network: &Network, model: &str, code: &str) -> String {
    let name = &network.name;
    let class = if name == model {
        String::new()
    } else {
        format!(" Its class is `{model}`, since `{name}` means something else here.")
    };
    let mut text = format!(
        "\"\"\"{name}, written by `archc export --pytorch`.{class}\"\"\"\n\nfrom __future__ import annotations\n\n"
    );
    if code.contains("OrderedDict(") {
        text += "from collections import OrderedDict\n";
    }
    if code.contains("Sequence[") {
        text += "from collections.abc import Sequence\n";
    }
    if text.ends_with("OrderedDict\n") || text.ends_with("Sequence\n") {
        text += "\n";
    }
    text += "import torch\n";
    if code.contains("F.") {
        text += "import torch.nn.functional as F\n";
    }
    text + "from torch import Tensor, nn\n"
}

fn main(network: &Network, model: &str) -> String {
    let inputs = network.inputs.iter().map(|decl| {
        let sizes = decl.dims.iter().map(|(_, size)| size.map_or("1".into(), |size| size.to_string()));
        format!("torch.zeros({})", sizes.collect::<Vec<_>>().join(", "))
    });
    let call = call("model", inputs.map(text).collect());
    let several = network.graph.outputs.len() > 1;
    let shown =
        if several { "{name: list(value.shape) for name, value in output.items()}" } else { "list(output.shape)" };
    format!(
        "\n\nif __name__ == \"__main__\":\n    model = {model}().eval()\n    print(sum(p.numel() for p in model.parameters()), \"parameters\")\n    with torch.no_grad():\n{}    print({shown})\n",
        call.line(8, "output = ")
    )
}

struct Writer<'a> {
    network: &'a Network,
    graph: &'a Graph,
    classes: &'a Classes,
    /// Whether convolutions start in several ways.
    mixed: bool,
}

impl Writer<'_> {
    fn class(&self, class: &Class, model: bool) -> String {
        let sequence = !model && self.is_sequence(class);
        let base = if sequence { "nn.Sequential" } else { "nn.Module" };
        let mut text = format!("class {}({base}):\n", class.name);
        text += &doc(class.doc.as_deref(), model.then_some(self.network));
        let args = class.params.iter().map(|param| {
            let kind = match param.kind {
                Kind::Int => "int",
                Kind::Float => "float",
                Kind::Module => "nn.Module",
            };
            layout::text(format!("{}: {kind}", param.name))
        });
        let signature = call("def __init__", std::iter::once(layout::text("self")).chain(args).collect());
        text += &signature.ended(4, "", " -> None:");
        let number = |i: usize| class.numbers[i].clone();
        if sequence {
            return text + &call("super().__init__", self.sequence_args(&class.body.items, &number)).line(8, "");
        }
        text += "        super().__init__()\n";
        let member = |layer: &Layer| has_state(&self.graph.node(layer.node).op);
        for param in class.kept(&member) {
            text += &format!("        self.{0} = {0}\n", param.name);
        }
        let names = names_of(class);
        for item in &class.body.items {
            text += &self.member(&names, item, &|i| number(item.base + i));
        }
        text += &init::lines(self.graph, class, model, self.mixed);
        text.push('\n');
        if class.body.items.iter().any(|item| item.label == FLAG) {
            text += "    train = set_training\n\n";
        }
        text + &self.forward(class, &names, model)
    }

    /// Whether a class is best an `nn.Sequential` of its own: its members have numbers for names.
    fn is_sequence(&self, class: &Class) -> bool {
        let member = |item: &Item| match &item.what {
            What::Op(layer) => is_module(&self.graph.node(layer.node).op),
            What::Hole => false,
            _ => true,
        };
        let numbered = |item: &Item| match &item.what {
            What::Op(layer) => has_state(&self.graph.node(layer.node).op) && digits(&item.label),
            What::Run(_) => true,
            _ => digits(&item.label),
        };
        let named = |item: &Item| digits(&item.label) || plain(&item.label);
        class.body.is_chain()
            && class.body.items.iter().all(|item| member(item) && named(item))
            && class.body.items.iter().any(numbered)
    }

    /// The arguments of an `nn.Sequential`: by position where labels are positions, else by name.
    fn sequence_args(&self, items: &[Item], number: Numbers) -> Vec<Py> {
        let mut position = Some(0);
        for item in items {
            let stateless = matches!(&item.what, What::Op(layer) if !has_state(&self.graph.node(layer.node).op));
            position = position.filter(|p: &usize| stateless || item.label == p.to_string());
            position = match &item.what {
                // How many there are differs from use to use: only the last may be a run.
                What::Run(run) => position
                    .filter(|&p| run.prefix.is_empty() && run.first == p)
                    .map(|p| if number(item.base).is(1) { p + 1 } else { usize::MAX / 2 }),
                _ => position.map(|p| p + 1),
            };
        }
        let positional = position.is_some();
        let make = |item: &Item| {
            let number = |i: usize| number(item.base + i);
            let key = |label: &str| format!("\"{label}\"");
            match (&item.what, positional) {
                (What::Run(run), true) if number(0).is(1) => self.run_use(run, &number, &Expr::Int(0)),
                (What::Run(run), true) => {
                    let one = self.run_use(run, &number, &Expr::Name("i".into()));
                    let args = self.run_args(run, &number, &Expr::Name("i".into()));
                    let i = if args.iter().any(|arg| arg.names("i")) { "i" } else { "_" };
                    let tail = format!("for {i} in range({})", written(&number(0)));
                    Py::With("*".into(), Box::new(Py::Tuple(vec![Py::For(Box::new(one), tail)])))
                }
                (What::Run(run), false) if number(0).is(1) => {
                    Py::Tuple(vec![text(key(&item.label)), self.run_use(run, &number, &Expr::Int(0))])
                }
                (What::Run(run), false) => {
                    let one =
                        Py::Tuple(vec![text(run_label(run)), self.run_use(run, &number, &Expr::Name("i".into()))]);
                    let tail = format!("for i in range({})", written(&number(0)));
                    Py::With("*".into(), Box::new(Py::Tuple(vec![Py::For(Box::new(one), tail)])))
                }
                (_, true) => self.make(item, &number),
                (_, false) => Py::Tuple(vec![text(key(&item.label)), self.make(item, &number)]),
            }
        };
        let args: Vec<Py> = items.iter().map(make).collect();
        if positional { args } else { vec![call("OrderedDict", vec![Py::List(args)])] }
    }

    /// Modules in a row as one.
    fn sequence(&self, items: &[Item], number: Numbers) -> Py {
        let args = self.sequence_args(items, number);
        match args.as_slice() {
            // `OrderedDict([…])`: by name. PyTorch takes no name that its modules have themselves.
            [Py::Call(_, list)] if items.iter().any(|item| !digits(&item.label) && !plain(&item.label)) => {
                let parts =
                    list.iter().flat_map(|list| if let Py::List(parts) = list { parts.clone() } else { Vec::new() });
                call("NamedSequence", parts.collect())
            }
            _ => call("nn.Sequential", args),
        }
    }

    /// A step as a module.
    fn make(&self, item: &Item, number: Numbers) -> Py {
        match &item.what {
            // What is no module is never asked for here; if it were, PyTorch would refuse it rather than compute another network.
            What::Op(layer) => {
                self.at(layer.node, &layer.names, number).module().unwrap_or_else(|| text("NotImplemented"))
            }
            What::Use(class) => self.use_of(*class, number),
            What::Chain(items) => self.sequence(items, number),
            What::Run(run) => self.run_use(run, number, &Expr::Int(0)),
            What::Hole => self.expr(&number(0)),
        }
    }

    fn at<'b>(&'b self, node: crate::graph::NodeId, names: &'b [&'static str], number: Numbers<'b>) -> At<'b> {
        let rank = self.graph.operand_shapes(node).first().map_or(0, |shape| shape.rank());
        At { op: &self.graph.node(node).op, rank, names, number }
    }

    fn use_of(&self, class: usize, number: Numbers) -> Py {
        let args = self.classes.args(class, number);
        call(self.classes.list[class].name.clone(), args.iter().map(|arg| self.expr(arg)).collect())
    }

    fn expr(&self, expr: &Expr) -> Py {
        match expr {
            Expr::Make(class, args) => {
                call(self.classes.list[*class].name.clone(), args.iter().map(|arg| self.expr(arg)).collect())
            }
            expr => text(written(expr)),
        }
    }

    /// One use of a run, at a position in it.
    fn run_use(&self, run: &Run, number: Numbers, at: &Expr) -> Py {
        let args = self.run_args(run, number, at);
        call(self.classes.list[run.class].name.clone(), args.iter().map(|arg| self.expr(arg)).collect())
    }

    fn run_args(&self, run: &Run, number: Numbers, at: &Expr) -> Vec<Expr> {
        self.classes.args(run.class, &|i| number(1 + 2 * i).plus(number(2 + 2 * i).times(at.clone())))
    }

    /// The line of the constructor that makes a member.
    fn member(&self, names: &Names, item: &Item, number: Numbers) -> String {
        match &item.what {
            What::Op(layer) if !has_state(&self.graph.node(layer.node).op) => String::new(),
            What::Run(run) if !number(0).is(1) => {
                let one = self.run_use(run, number, &Expr::Name("i".into()));
                let count = written(&number(0));
                let kept = match number(0) {
                    Expr::Int(_) => String::new(),
                    _ => format!("        self.{} = {count}\n", count_name(names, run)),
                };
                format!("{kept}        for i in range({count}):\n")
                    + &call("self.add_module", vec![text(run_label(run)), one]).line(12, "")
            }
            _ if digits(&item.label) => {
                call("self.add_module", vec![text(format!("\"{}\"", item.label)), self.make(item, number)]).line(8, "")
            }
            _ => self.make(item, number).line(8, &format!("{} = ", member(&item.label))),
        }
    }

    fn forward(&self, class: &Class, own: &Names, model: bool) -> String {
        let inputs: Vec<String> = match model {
            true => self.network.inputs.iter().map(|decl| decl.name.clone()).collect(),
            false => (0..class.body.inputs)
                .map(|i| ["x".into(), "skip".into()].get(i).cloned().unwrap_or(format!("skip{i}")))
                .collect(),
        };
        let inputs = distinct(inputs, &reserved);
        let several = class.body.outputs.len() > 1;
        let result = match (several, model) {
            (false, _) => "Tensor".into(),
            (true, true) => "dict[str, Tensor]".to_string(),
            (true, false) => format!("tuple[{}]", vec!["Tensor"; class.body.outputs.len()].join(", ")),
        };
        let args: String = inputs.iter().map(|input| format!(", {input}: Tensor")).collect();
        let mut text = format!("    def forward(self{args}) -> {result}:\n");
        let kept = |name: &str| reserved(name) || (model && inputs.iter().any(|input| input == name));
        for Assignment { names, values } in lines(self.graph, &class.body, &inputs, &kept) {
            let values: Vec<Py> = values.iter().map(|value| self.value(class, value)).collect();
            text += &match (names.as_slice(), several) {
                ([], false) => values[0].line(8, "return "),
                ([], true) if model => {
                    let names = self.graph.outputs.iter().zip(values);
                    let pairs: Vec<String> =
                        names.map(|(output, value)| format!("\"{}\": {}", output.name, value.flat())).collect();
                    format!("        return {{{}}}\n", pairs.join(", "))
                }
                ([], true) => {
                    format!("        return {}\n", values.iter().map(Py::flat).collect::<Vec<_>>().join(", "))
                }
                (names, _) => self.assignment(class, own, names, &values),
            };
        }
        text
    }

    fn assignment(&self, class: &Class, own: &Names, names: &[String], values: &[Py]) -> String {
        // A run is the only value that is a loop; it is marked by its call.
        if let Py::Call(head, args) = &values[0]
            && let Some(at) = head.strip_prefix("run ")
            && let Some(item) = at.parse::<usize>().ok().and_then(|at| class.body.items.get(at))
            && let What::Run(run) = &item.what
        {
            let (name, from) = (&names[0], args[0].flat());
            let first = if *name == from { String::new() } else { format!("        {name} = {from}\n") };
            let count = match &class.numbers[item.base] {
                Expr::Int(count) => count.to_string(),
                _ => format!("self.{}", count_name(own, run)),
            };
            return format!(
                "{first}        for i in range({count}):\n            {name} = self.get_submodule({})({name})\n",
                run_label(run)
            );
        }
        values[0].line(8, &format!("{} = ", names.join(", ")))
    }

    fn value(&self, class: &Class, value: &Value) -> Py {
        let (at, reads) = match value {
            Value::Name(name) => return text(name.clone()),
            Value::Item(at, reads) => (*at, reads),
        };
        let reads: Vec<Py> = reads.iter().map(|read| self.value(class, read)).collect();
        let item = &class.body.items[at];
        let number = |i: usize| class.numbers[item.base + i].clone();
        let member = |reads: Vec<Py>| call(member(&item.label), reads);
        match &item.what {
            What::Op(layer) => {
                let number = |i: usize| number(i).of_self();
                let function = self.at(layer.node, &layer.names, &number).function(&reads);
                function.unwrap_or_else(|| member(reads))
            }
            What::Run(_) if !number(0).is(1) => call(format!("run {at}"), reads),
            _ => member(reads),
        }
    }
}

/// Names that a class's members and arguments have.
type Names<'a> = BTreeSet<&'a str>;

/// Those of a class.
fn names_of(class: &Class) -> Names<'_> {
    let params = class.params.iter().map(|param| param.name.as_str());
    params.chain(class.body.items.iter().map(|item| item.label.as_str())).collect()
}

/// Where a class that has these names keeps how many uses a run has.
fn count_name(names: &Names, run: &Run) -> String {
    let together = if run.prefix.is_empty() { "part" } else { &run.prefix };
    unlike(&format!("{together}_count"), |name| names.contains(name))
}

/// The label of a use in a run, as an f-string.
fn run_label(run: &Run) -> String {
    let i = if run.first == 0 { "i".to_string() } else { format!("i + {}", run.first) };
    if run.prefix.is_empty() { format!("str({i})") } else { format!("f\"{}{{{i}}}\"", run.prefix) }
}

/// A docstring: the comment, and for the model what comes in and goes out.
fn doc(doc: Option<&str>, model: Option<&Network>) -> String {
    let mut lines: Vec<String> = doc
        .iter()
        .flat_map(|doc| doc.lines())
        .map(|line| line.trim().replace('\\', "\\\\").replace("\"\"\"", "'''"))
        .collect();
    if let Some(network) = model {
        let shapes = network.inputs.iter().map(|decl| {
            let dims = decl.dims.iter().map(|dim| match dim {
                (Some(name), Some(size)) => format!("{name}={size}"),
                (Some(name), None) => name.clone(),
                (None, size) => size.map_or("N".into(), |size| size.to_string()),
            });
            format!("{} [{}]", decl.name, dims.collect::<Vec<_>>().join(", "))
        });
        let outputs = network.graph.outputs.iter().map(|o| format!("{} {}", o.name, network.graph.shape(o.node)));
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!(
            "In: {}. Out: {}.",
            shapes.collect::<Vec<_>>().join(", "),
            outputs.collect::<Vec<_>>().join(", ")
        ));
    }
    match lines.as_slice() {
        [] => String::new(),
        // A quote at the end would end the text too early.
        [one] if one.ends_with('"') => format!("    \"\"\"{one} \"\"\"\n\n"),
        [one] => format!("    \"\"\"{one}\"\"\"\n\n"),
        lines => {
            let lines = lines.iter().map(|line| if line.is_empty() { "\n".into() } else { format!("    {line}\n") });
            format!("    \"\"\"{}    \"\"\"\n\n", lines.collect::<String>().trim_start())
        }
    }
}

/// Whether any op starts otherwise than PyTorch starts it; see [`init`].
fn started(op: &Op) -> bool {
    matches!(op, Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_) | Op::BatchNorm(_))
}
