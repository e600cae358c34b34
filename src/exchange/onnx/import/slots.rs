//! What may differ between bodies that are otherwise alike: the values of arguments.

use super::net::Net;
use super::tree::{Arg, Statement, Step};

/// One value in a body.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The argument's name.
    pub name: String,
    /// Its value in a loop's first turn, and else; the same twice outside of loops.
    pub values: [String; 2],
    /// The channels of what the layer reads.
    pub channels: Option<u64>,
}

/// Everything about a body but its values, as text.
pub fn key(lines: &[Statement]) -> String {
    let mut out = String::new();
    for line in lines {
        out += line.label.as_deref().unwrap_or("-");
        out.push(':');
        match &line.step {
            Step::Layer(_, word, args) | Step::Call(word, args) => {
                out += &format!("{word}{}", args.len());
                // The form of a size (one number or a list) decides which values may differ.
                args.iter().for_each(|arg| out.push(if arg.value.parse::<u64>().is_ok() { 'n' } else { 't' }));
                let texts = args.iter().filter(|arg| arg.value.parse::<u64>().is_err());
                texts.for_each(|arg| out += &arg.value);
            }
            Step::Group(body) => out += &format!("{{{}}}", key(body)),
            Step::Parallel(id, paths) => {
                let _ = id;
                out += &format!("parallel{}[", paths.len());
                paths.iter().for_each(|path| out += &format!("{{{}}}", key(path)));
                out.push(']');
            }
            Step::Skip(skip) => {
                let via = if skip.project.is_some() { String::new() } else { key(&skip.via) };
                let body = skip.body.as_ref().map(|body| key(body)).unwrap_or_default();
                out += &format!("skip{}{}({via})({}){{{body}}}", skip.last, skip.long, key(&skip.by));
            }
            Step::For(first, _, line) => out += &format!("for{first}{{{}}}", key(std::slice::from_ref(line))),
            Step::From(_) | Step::Input(_) | Step::Output(_) => out += "!",
        }
        out.push(';');
    }
    out
}

/// The values of a body, in order.
pub fn slots(net: &Net, lines: &[Statement]) -> Vec<Slot> {
    let mut out = Vec::new();
    // A copy, so that reading and filling are one walk.
    let mut lines = lines.to_vec();
    walk(&mut lines, &mut |arg, node| {
        let first = arg.first.clone().unwrap_or_else(|| arg.value.clone());
        let channels = node.and_then(|id: usize| net.nodes[*net.nodes[id].inputs.first()?].shape.channels());
        out.push(Slot {
            name: arg.name.clone(),
            values: [first, arg.value.clone()],
            channels: channels.map(|c| c as u64),
        });
    });
    out
}

/// Puts texts in the place of a body's values.
pub fn fill(lines: &mut [Statement], texts: &[[String; 2]]) {
    let mut texts = texts.iter();
    walk(lines, &mut |arg, _| {
        if let Some([first, rest]) = texts.next() {
            arg.value = rest.clone();
            if arg.first.is_some() {
                arg.first = Some(first.clone());
            }
        }
    });
}

fn walk(lines: &mut [Statement], f: &mut dyn FnMut(&mut Arg, Option<usize>)) {
    for line in lines {
        match &mut line.step {
            Step::Layer(id, _, args) => args.iter_mut().for_each(|arg| f(arg, Some(*id))),
            Step::Call(_, args) => args.iter_mut().for_each(|arg| f(arg, None)),
            Step::Group(body) => walk(body, f),
            Step::Parallel(_, paths) => paths.iter_mut().for_each(|path| walk(path, f)),
            Step::Skip(skip) => {
                skip.body.iter_mut().for_each(|body| walk(body, f));
                if skip.project.is_none() {
                    walk(&mut skip.via, f);
                }
                walk(&mut skip.by, f);
            }
            Step::For(_, last, line) => {
                f(last, None);
                walk(std::slice::from_mut(line), f);
            }
            Step::From(_) | Step::Input(_) | Step::Output(_) => {}
        }
    }
}
