//! The elaborated network as an `.arch` file: one model without blocks, every layer labelled, every skip a skip.
//!
//! What is written gives the same graph when it is read: the same paths, ops, shapes and parameters, in the same order. Scopes
//! are labelled groups, so that paths stay; a value that is read out of line is named by `from`. Merges have no labels in the
//! language: where one is read out of line, an empty group behind it (`after_add1: {}`) names its value.

mod body;
mod call;
mod names;
mod plan;
mod recipe;

pub use call::{layer_call, value_text};

use crate::base::{Diagnostic, codes};
use crate::elaborate::{InputDecl, Network, Recipe};
use crate::tools::format::styled;
use std::collections::BTreeSet;

/// The flat form of a network, its recipe included.
///
/// # Errors
/// `E0920` where the language has no words for a node: an addition of three values with a factor, say, which no file gives.
pub fn flat(network: &Network) -> Result<String, Diagnostic> {
    let mut text = format!("// The flat form of `{}`, written by `archc export --arch`.\n", network.name);
    for line in network.doc.iter().flat_map(|doc| doc.lines()) {
        text += format!("/// {}", line.trim()).trim_end();
        text.push('\n');
    }
    text += &format!("model {} {{\n{}}}\n", network.name, body::text(network)?);
    if let Some(recipe) = &network.recipe {
        text += &recipe::text(&network.name, recipe);
    }
    Ok(styled(text))
}

/// A recipe as it stands in a file, every line said.
pub fn recipe_text(model: &str, recipe: &Recipe) -> String {
    recipe::text(model, recipe).trim().to_string()
}

/// `input image [N, 3, H=224, W=224]`; a size that was declared before is its name alone.
fn input(decl: &InputDecl, declared: &mut BTreeSet<String>) -> String {
    let dims = decl.dims.iter().map(|dim| match dim {
        (Some(name), Some(size)) if declared.insert(name.clone()) => format!("{name}={size}"),
        (Some(name), _) => name.clone(),
        (None, Some(size)) => size.to_string(),
        (None, None) => "N".into(),
    });
    format!("input {} [{}]", decl.name, dims.collect::<Vec<_>>().join(", "))
}

/// The error for a node that cannot be written.
fn wordless(path: &str, why: &str) -> Diagnostic {
    Diagnostic::new(codes::EXPORT, format!("`{path}` cannot be written as `.arch`: {why}"))
}
