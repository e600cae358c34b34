//! Words that mean something in the file already, and what is said instead of them.

use super::super::classes::{Class, Item, Kind, What, distinct};
use std::collections::BTreeSet;

/// Words of Rust. (One is spelt apart for the test that looks for it.)
const KEYWORDS: [&str; 53] = [
    "_",
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "Self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    concat!("un", "safe"),
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// What the file imports, makes or calls.
const NEEDED: [&str; 38] = [
    "BatchNorm",
    "bool",
    "Box",
    "ChannelNorm",
    "Conv",
    "ConvTranspose",
    "Err",
    "f32",
    "f64",
    "Factor",
    "Fill",
    "Fn",
    "GroupNorm",
    "i",
    "i64",
    "Iterator",
    "Linear",
    "Make",
    "Module",
    "ModuleT",
    "None",
    "Ok",
    "ops",
    "Option",
    "part",
    "Result",
    "Some",
    "str",
    "String",
    "Tensor",
    "train",
    "u32",
    "u64",
    "usize",
    "VarBuilder",
    "vb",
    "Vec",
    "Window",
];

/// Whether a struct, an argument or a variable cannot have a name.
pub(super) fn reserved(name: &str) -> bool {
    KEYWORDS.contains(&name) || NEEDED.contains(&name)
}

/// The fields of a class's steps, none called as another or as an argument that the class keeps.
pub(super) fn fields(class: &Class) -> Vec<String> {
    let kept = class.params.iter().filter(|param| param.kind != Kind::Module).map(|param| param.name.as_str());
    let kept: BTreeSet<&str> = kept.collect();
    let taken = |name: &str| KEYWORDS.contains(&name) || kept.contains(name);
    distinct(class.body.items.iter().map(wanted), &taken)
}

fn wanted(item: &Item) -> String {
    let label = match &item.what {
        What::Run(run) if !run.prefix.is_empty() => run.prefix.trim_end_matches('_').to_string() + "s",
        What::Run(run) => format!("from{}", run.first),
        _ => item.label.clone(),
    };
    if label.starts_with(|c: char| c.is_ascii_digit()) { format!("part{label}") } else { label }
}
