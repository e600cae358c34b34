//! Layers as calls: their word and every argument with its value as text.

use super::net::Node;
use super::tree::Arg;
use crate::exchange::arch::value_text;
use crate::ops::{Argument, Op, layer};

/// The word of a node's op and its arguments, in the order of its signature. Those at their defaults are said in the words of
/// the signature: `same` is the padding of every size that keeps the map's.
pub fn of(node: &Node) -> (String, Vec<Arg>) {
    let word = if matches!(node.op, Op::ZeroPad(_)) { "zero_pad" } else { node.op.layer().kind() };
    let stated = node.stated.as_ref().map(|sizes| format!("[{}]", sizes.join(", ")));
    let arg = |argument: Argument| {
        let default = default(word, argument.name).filter(|_| argument.is_default);
        let value = default.map_or_else(|| value_text(&argument), String::from);
        let value = stated.clone().filter(|_| matches!(argument.name, "size" | "dims")).unwrap_or(value);
        Arg { name: argument.name.into(), value, first: None }
    };
    // The file's own numbers take the place of what parameters would start with.
    let starts = |argument: &Argument| argument.name.ends_with("init");
    let arguments = node.op.layer().arguments().into_iter().filter(|argument| !starts(argument));
    (word.into(), arguments.map(arg).collect())
}

/// What an argument is where it is left out; `None` where it must be said.
pub fn default(word: &str, name: &str) -> Option<&'static str> {
    layer(word)?.arg(name)?.default.filter(|d| !d.is_empty())
}
