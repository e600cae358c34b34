//! Steps as a person would write them.

use super::net::Net;
use super::tree::{Arg, Skip, Statement, Step};
use super::words;
use crate::ops::Op;
use std::fmt::Write;

/// A block: its name, its parameters with their defaults, and its body.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name.
    pub name: String,
    /// Parameters and what they are where they are left out.
    pub params: Vec<(String, Option<String>)>,
    /// What it does.
    pub body: Vec<Statement>,
}

/// What a file is written from.
pub struct Writer<'n> {
    /// The graph, for names of merges.
    pub net: &'n Net,
    /// The blocks, each after those that it calls.
    pub blocks: &'n [Block],
    /// Whether convolutions have a bias where they do not say.
    pub bias: bool,
    /// The inputs' declarations.
    pub inputs: Vec<(usize, String)>,
    /// Labels of nodes that `from` goes back to.
    pub targets: &'n std::collections::BTreeMap<usize, String>,
}

impl Writer<'_> {
    /// The whole file.
    pub fn file(&self, head: &str, name: &str, body: &[Statement]) -> String {
        let mut out = String::from(head);
        if !self.bias {
            out += "set conv(bias=false)\n";
        }
        for block in self.blocks {
            let param = |(name, default): &(String, Option<String>)| match default {
                Some(default) => format!("{name}={default}"),
                None => name.clone(),
            };
            let params: Vec<String> = block.params.iter().map(param).collect();
            let _ = writeln!(out, "\nblock {}({}) {{", block.name, params.join(", "));
            self.body(&block.body, 1, &mut out);
            out += "}\n";
        }
        let _ = writeln!(out, "\nmodel {name}() {{");
        self.body(body, 1, &mut out);
        out + "}\n"
    }

    /// Lines, with what follows a convolution or the like on the same line.
    fn body(&self, lines: &[Statement], depth: usize, out: &mut String) {
        let indent = "    ".repeat(depth);
        let mut open = String::new();
        for line in lines {
            let text = self.line(line, depth);
            let follows = matches!(&line.step, Step::Layer(_, word, _) if !starts_line(word));
            if follows && !open.is_empty() && !open.contains('\n') && open.len() + text.len() < 100 {
                open += " -> ";
                open += &text;
                continue;
            }
            if !open.is_empty() {
                let _ = writeln!(out, "{indent}{open}");
            }
            open = text;
        }
        if !open.is_empty() {
            let _ = writeln!(out, "{indent}{open}");
        }
    }

    fn line(&self, line: &Statement, depth: usize) -> String {
        let label = line.label.as_ref().map_or(String::new(), |label| format!("{label}: "));
        label + &self.step(&line.step, depth)
    }

    /// Braces around lines: on one line where they are few and plain.
    fn braces(&self, lines: &[Statement], depth: usize) -> String {
        let mut inside = String::new();
        self.body(lines, depth + 1, &mut inside);
        let indent = "    ".repeat(depth);
        match inside.lines().count() {
            0 => "{}".into(),
            1 if inside.trim().len() < 70 => format!("{{ {} }}", inside.trim()),
            _ => format!("{{\n{inside}{indent}}}"),
        }
    }

    fn step(&self, step: &Step, depth: usize) -> String {
        match step {
            Step::Layer(_, word, args) => self.layer(word, args),
            Step::Call(name, args) => self.call(name, args),
            Step::Group(body) => self.braces(body, depth),
            Step::Skip(skip) => self.skip(skip, depth),
            Step::Parallel(id, paths) => {
                let mut inside = String::new();
                let indent = "    ".repeat(depth + 1);
                for path in paths {
                    let _ = writeln!(inside, "{indent}{}", self.one(path, depth + 1));
                }
                format!("parallel {} {{\n{inside}{}}}", self.net.nodes[*id].op.layer().kind(), "    ".repeat(depth))
            }
            Step::For(first, last, line) => {
                let range =
                    if *first == 0 { format!("0..{}", last.value) } else { format!("{first}..={}", last.value) };
                format!("for i in {range} {{ {} }}", self.line(line, depth))
            }
            Step::From(id) => format!("from {}", self.targets.get(id).map_or("", String::as_str)),
            Step::Input(id) => {
                self.inputs.iter().find(|(node, _)| node == id).map_or(String::new(), |(_, text)| text.clone())
            }
            Step::Output(name) => format!("output {name}"),
        }
    }

    /// A path on one line.
    fn one(&self, path: &[Statement], depth: usize) -> String {
        let steps: Vec<String> = path.iter().map(|line| self.line(line, depth)).collect();
        match steps.is_empty() {
            true => "identity".into(),
            false => steps.join(" -> "),
        }
    }

    fn skip(&self, skip: &Skip, depth: usize) -> String {
        let op = &self.net.nodes[skip.node].op;
        let mut text = format!("{}skip {}", if skip.long { "long " } else { "" }, op.layer().kind());
        if let Op::Add(add) = op
            && add.scale != 1.0
        {
            text += &format!("(scale={})", add.scale);
        }
        if matches!(op, Op::Concat(_)) && skip.last {
            text += "(order=last)";
        }
        if let Some(id) = skip.from {
            text += &format!(" from {}", self.targets.get(&id).map_or("", String::as_str));
        }
        match (&skip.project, skip.via.first()) {
            (Some(Some(label)), _) => text += &format!(" via {label}: project"),
            (Some(None), _) => text += " via project",
            (None, Some(via)) => text += &format!(" via {}", self.line(via, depth)),
            (None, None) => {}
        }
        if let Some(by) = skip.by.first() {
            text += &format!(" by {}", self.line(by, depth));
        }
        match &skip.body {
            Some(body) => text + " " + &self.braces(body, depth),
            None => text,
        }
    }

    /// A layer without the arguments that are as where they are left out.
    fn layer(&self, word: &str, args: &[Arg]) -> String {
        let mut said = Vec::new();
        for arg in args {
            let default = match (word, arg.name.as_str()) {
                ("conv", "bias") => Some(if self.bias { "true" } else { "false" }),
                ("maxpool" | "avgpool", "stride") => Some("kernel"),
                (word, name) => words::default(word, name),
            };
            match default {
                Some(default) if same(default, &arg.value) => {}
                Some(_) => said.push(format!("{}={}", arg.name, arg.value)),
                None if matches!(arg.name.as_str(), "size" | "like") && word == "upsample" => {
                    said.push(format!("{}={}", arg.name, arg.value))
                }
                None => said.push(arg.value.clone()),
            }
        }
        if said.is_empty() { word.into() } else { format!("{word}({})", said.join(", ")) }
    }

    fn call(&self, name: &str, args: &[Arg]) -> String {
        let block = self.blocks.iter().find(|block| block.name == name);
        let params = block.map_or(&[][..], |block| &block.params);
        let mut said = Vec::new();
        for (name, default) in params {
            let Some(arg) = args.iter().find(|arg| arg.name == *name) else { continue };
            let first = arg.first.as_ref().filter(|first| **first != arg.value);
            let value = match first {
                Some(first) => format!("if i == 0 {{ {first} }} else {{ {} }}", arg.value),
                None => arg.value.clone(),
            };
            match default {
                Some(default) if *default == value => {}
                Some(_) if first.is_some() => said.push(format!("{name} = {value}")),
                Some(_) => said.push(format!("{name}={value}")),
                None => said.push(value),
            }
        }
        format!("{name}({})", said.join(", "))
    }
}

/// Whether a layer begins a line of its own.
fn starts_line(word: &str) -> bool {
    matches!(word, "conv" | "conv_transpose" | "linear" | "maxpool" | "avgpool" | "adaptive_avgpool" | "upsample")
}

/// Whether two texts say the same value.
fn same(a: &str, b: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    a == b || number(a).is_some_and(|x| number(b) == Some(x))
}
