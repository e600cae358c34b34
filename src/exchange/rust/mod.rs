//! The network as Rust source for candle: one struct for every body of a block.
//!
//! The source composes candle's operators as the lowered module does on devices without kernels of archc's own, in the same
//! order, so that it gives the same bits there. candle's own convolutions, pools, norms and `relu` differ in values, in
//! gradients, or both; what stands for them is written into the file, in a module `ops`.

mod carried;
mod layers;
mod layout;
mod names;

use super::classes::{
    Assignment, Class, Classes, Expr, Item, Kind, Layer, Numbers, Param, Run, Value, What, distinct, lines,
};
use crate::elaborate::Network;
use crate::graph::Graph;
use crate::ops::Op;
use carried::ops;
use layers::{At, has_state, written};
use names::{fields, reserved};
use std::collections::{BTreeMap, BTreeSet};

/// The source; `docs` are the doc comments of the blocks by name.
pub fn source(network: &Network, docs: &BTreeMap<String, String>) -> String {
    // Sequences are structs here: every body is a class.
    let classes = Classes::of(network, docs, &|_| false, &reserved);
    let writer = Writer { graph: &network.graph, network, classes: &classes };
    let last = classes.list.len() - 1;
    let body: String =
        classes.list.iter().enumerate().map(|(i, class)| layout::laid(&writer.class(class, i == last))).collect();
    let model = &classes.list[last].name;
    let class = match *model == network.name {
        true => String::new(),
        false => format!(" Its struct is `{model}`, since\n// `{}` means something else here.", network.name),
    };
    let mut text = format!(
        "// {}, written by `archc export --rust` for candle-core and candle-nn.{class}\n//\n// It composes candle's operators as archc's own module does on devices without kernels of its own, and gives the same\n// bits there; gradients are PyTorch's. Parameters have the names that they have in the `.arch` file.\n\n",
        network.name
    );
    text += "use candle_core::{Result, Tensor};\n";
    let linear = network.graph.order().any(|id| matches!(network.graph.node(id).op, Op::Linear(_)));
    text += match linear {
        true => "use candle_nn::{Linear, Module, ModuleT, VarBuilder};\n",
        false => "use candle_nn::{ModuleT, VarBuilder};\n",
    };
    text += "\n";
    if classes.list.iter().flat_map(|class| &class.params).any(|param| param.kind == Kind::Module) {
        text += "/// What makes a part that differs from use to use, under its place among the parameters.\ntype Make<'a> = &'a dyn Fn(VarBuilder) -> Result<Box<dyn ModuleT>>;\n\n";
    }
    let parts = network.graph.order().flat_map(|id| layers::parts(&network.graph.node(id).op));
    text + &body + &ops(parts)
}

struct Writer<'a> {
    network: &'a Network,
    graph: &'a Graph,
    classes: &'a Classes,
}

impl Writer<'_> {
    fn class(&self, class: &Class, model: bool) -> String {
        let member = |layer: &Layer| has_state(&self.graph.node(layer.node).op);
        let kept = class.kept(&member);
        let mut text: String =
            class.doc.iter().flat_map(|doc| doc.lines()).map(|line| format!("/// {}\n", line.trim())).collect();
        if model {
            let outputs = self.graph.outputs.iter().map(|o| format!("{} {}", o.name, self.graph.shape(o.node)));
            text += if text.is_empty() { "" } else { "///\n" };
            text += &format!("/// Out: {}.\n", outputs.collect::<Vec<_>>().join(", "));
        }
        text += &format!("pub struct {} {{\n", class.name);
        let fields = fields(class);
        for (item, field) in class.body.items.iter().zip(&fields) {
            if let Some(kind) = self.field_type(class, item) {
                text += &format!("    {field}: {kind},\n");
            }
        }
        for param in &kept {
            text += &format!("    {}: {},\n", param.name, kind(param));
        }
        text += &format!("}}\n\nimpl {} {{\n", class.name);
        let args: String = class.params.iter().map(|param| format!("{}: {}, ", param.name, kind(param))).collect();
        let doc = if model { "    /// With the parameters that `vb` has or makes.\n" } else { "" };
        let stateless = class.body.items.iter().all(|item| self.field_type(class, item).is_none());
        let vb = if stateless { "_" } else { "vb" };
        text += &format!("{doc}    pub fn new({args}{vb}: VarBuilder) -> Result<Self> {{\n        Ok(Self {{\n");
        for (item, field) in class.body.items.iter().zip(&fields) {
            if let Some(made) = self.make(class, item) {
                text += &format!("            {field}: {made},\n");
            }
        }
        for param in &kept {
            text += &format!("            {},\n", param.name);
        }
        text += "        })\n    }\n";
        text + &self.forward(class, &fields, model)
    }

    /// The type of a member; `None` for steps without parameters.
    fn field_type(&self, class: &Class, item: &Item) -> Option<String> {
        match &item.what {
            What::Op(layer) => {
                let op = &self.graph.node(layer.node).op;
                layers::kind(op).map(str::to_string)
            }
            What::Use(inner) => Some(self.classes.list[*inner].name.clone()),
            What::Run(run) if class.numbers[item.base].is(1) => Some(self.classes.list[run.class].name.clone()),
            What::Run(run) => Some(format!("Vec<{}>", self.classes.list[run.class].name)),
            What::Hole => Some("Box<dyn ModuleT>".into()),
            What::Chain(_) => None,
        }
    }

    /// The expression that makes a member; `None` for steps without parameters.
    fn make(&self, class: &Class, item: &Item) -> Option<String> {
        let number = |i: usize| class.numbers[item.base + i].clone();
        let place = format!("vb.pp(\"{}\")", item.label);
        Some(match &item.what {
            What::Op(layer) => return self.at(layer, &number).make(&place),
            What::Use(inner) => self.use_of(*inner, &number, &place) + "?",
            What::Run(run) if number(0).is(1) => self.run_use(run, &number, &Expr::Int(0), &place) + "?",
            What::Run(run) => self.vector(run, &number) + "?",
            What::Hole => match number(0) {
                made @ Expr::Make(..) => format!("({})({place})?", self.maker(&made)),
                made => format!("{}({place})?", written(&made)),
            },
            What::Chain(_) => return None,
        })
    }

    /// Uses in a row, counted from 0 where their numbers grow, else as their labels are.
    fn vector(&self, run: &Run, number: Numbers) -> String {
        let grows =
            self.run_use(run, number, &Expr::Name("i".into()), "") != self.run_use(run, number, &Expr::Int(0), "");
        let count = written(&number(0));
        let (range, i) = match (run.first, grows) {
            (0, _) => (format!("0..{count}"), "i".to_string()),
            (1, false) => (format!("1..={count}"), "i".into()),
            (first, false) => (format!("{first}..{first} + {count}"), "i".into()),
            (first, true) => (format!("0..{count}"), format!("i + {first}")),
        };
        let place = match (run.prefix.as_str(), i.as_str()) {
            ("", i) => format!("vb.pp({i})"),
            (prefix, "i") => format!("vb.pp(format!(\"{prefix}{{i}}\"))"),
            (prefix, i) => format!("vb.pp(format!(\"{prefix}{{}}\", {i}))"),
        };
        let one = self.run_use(run, number, &Expr::Name("i".into()), &place);
        format!("({range}).map(|i| {one}).collect::<Result<_>>()")
    }

    /// A closure that makes a module.
    fn maker(&self, made: &Expr) -> String {
        let Expr::Make(class, args) = made else { return written(made) };
        let args: String = args.iter().map(|arg| self.arg(arg) + ", ").collect();
        format!(
            "&|vb: VarBuilder| -> Result<Box<dyn ModuleT>> {{ Ok(Box::new({}::new({args}vb)?)) }}",
            self.classes.list[*class].name
        )
    }

    fn arg(&self, arg: &Expr) -> String {
        match arg {
            Expr::Make(..) => self.maker(arg),
            arg => written(arg),
        }
    }

    fn use_of(&self, class: usize, number: Numbers, place: &str) -> String {
        let args: String = self.classes.args(class, number).iter().map(|arg| self.arg(arg) + ", ").collect();
        format!("{}::new({args}{place})", self.classes.list[class].name)
    }

    fn run_use(&self, run: &Run, number: Numbers, at: &Expr, place: &str) -> String {
        self.use_of(run.class, &|i| number(1 + 2 * i).plus(number(2 + 2 * i).times(at.clone())), place)
    }

    fn at<'b>(&'b self, layer: &'b Layer, number: Numbers<'b>) -> At<'b> {
        let rank = self.graph.operand_shapes(layer.node).first().map_or(0, |shape| shape.rank());
        At { op: &self.graph.node(layer.node).op, rank, names: &layer.names, number }
    }

    fn forward(&self, class: &Class, fields: &[String], model: bool) -> String {
        let inputs: Vec<String> = match model {
            true => self.network.inputs.iter().map(|decl| decl.name.clone()).collect(),
            false => (0..class.body.inputs)
                .map(|i| ["x".into(), "skip".into()].get(i).cloned().unwrap_or(format!("skip{i}")))
                .collect(),
        };
        let inputs = distinct(inputs, &reserved);
        let body = self.lines(class, fields, &inputs, if model { &inputs } else { &[] });
        let train = if reads(&body, "train") { "train" } else { "_train" };
        let several = class.body.outputs.len() > 1;
        let result = match several {
            true => format!("({})", vec!["Tensor"; class.body.outputs.len()].join(", ")),
            false => "Tensor".into(),
        };
        let args: String = inputs.iter().map(|input| format!("{input}: &Tensor, ")).collect();
        let signature = format!("fn forward_t(&self, {args}{train}: bool) -> Result<{result}> {{\n{body}    }}\n");
        if inputs.len() == 1 && !several {
            return format!("}}\n\nimpl ModuleT for {} {{\n    {signature}}}\n\n", class.name);
        }
        format!(
            "\n    /// Everything that goes out, in order; with `train`, norms use the batch and dropout drops.\n    pub {signature}}}\n\n"
        )
    }

    /// The lines of a forward pass.
    fn lines(&self, class: &Class, fields: &[String], inputs: &[String], kept: &[String]) -> String {
        let mut body = String::new();
        // An input is borrowed until a value of its own takes the name.
        let mut owned = BTreeSet::new();
        let kept = |name: &str| reserved(name) || kept.iter().any(|kept| kept == name);
        for Assignment { names, values } in lines(self.graph, &class.body, inputs, &kept) {
            // What is owned and read last is given away.
            let value = |value: &Value| match value {
                Value::Name(name) if names.is_empty() && values.len() == 1 && owned.contains(name) => name.clone(),
                value => self.value(class, fields, value, &owned),
            };
            let values: Vec<String> = values.iter().map(value).collect();
            body += &match (names.as_slice(), values.as_slice()) {
                ([], [one]) => match one.strip_suffix('?') {
                    Some(result) => format!("        {result}\n"),
                    None => format!("        Ok({one})\n"),
                },
                ([], many) => format!("        Ok(({}))\n", many.join(", ")),
                ([name], values) => format!("        let {name} = {};\n", values.concat()),
                (names, values) => format!("        let ({}) = {};\n", names.join(", "), values.concat()),
            };
            owned.extend(names);
        }
        body
    }

    fn value(&self, class: &Class, fields: &[String], value: &Value, owned: &BTreeSet<String>) -> String {
        let (at, reads) = match value {
            Value::Name(name) => return format!("{name}.clone()"),
            Value::Item(at, reads) => (*at, reads),
        };
        let borrowed = |read: &Value| match read {
            Value::Name(name) if owned.contains(name) => format!("&{name}"),
            Value::Name(name) => name.clone(),
            inner => format!("&{}", self.value(class, fields, inner, owned)),
        };
        let reads: Vec<String> = reads.iter().map(borrowed).collect();
        let item = &class.body.items[at];
        let number = |i: usize| class.numbers[item.base + i].clone();
        let member = format!("self.{}", fields[at]);
        match &item.what {
            What::Op(layer) => {
                let number = |i: usize| number(i).of_self();
                self.at(layer, &number).apply(&member, &reads)
            }
            What::Run(_) if !number(0).is(1) => {
                let from = reads[0].trim_start_matches('&');
                format!("{member}.iter().try_fold({from}.clone(), |x, part| part.forward_t(&x, train))?")
            }
            _ => format!("{member}.forward_t({}, train)?", reads.join(", ")),
        }
    }
}

/// Whether a variable stands in lines of code: the name as a word, and not a field's.
fn reads(code: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(|c: char| part(c) || c == '.') && !code[at + name.len()..].starts_with(part)
    })
}

fn kind(param: &Param) -> &'static str {
    match param.kind {
        Kind::Int => "usize",
        Kind::Float => "f64",
        Kind::Module => "Make",
    }
}

/// Whether an op is a sum of two without a factor.
fn plain_sum(op: &Op) -> bool {
    matches!(op, Op::Add(add) if add.scale == 1.0 && add.drop_path == 0.0)
}
