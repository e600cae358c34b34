//! Training: agreement with PyTorch, and runs that can be stopped, resumed and repeated to the bit.

mod examples;
mod parity;
mod runs;

use archc::elaborate::{Network, Options, Recipe, compile_text};

/// The network of a text, with its recipe.
fn network(text: &str) -> Network {
    let compiled = compile_text("test.arch", text, &Options::default());
    let said: Vec<_> = compiled.diagnostics.iter().map(|d| format!("{}: {}", d.code, d.message)).collect();
    compiled.network.unwrap_or_else(|| panic!("{said:#?}\n{text}"))
}

/// The recipe that consists of these lines.
fn recipe(lines: &str) -> Recipe {
    let text =
        format!("model M {{\n input x [N, 4]\n linear(5)\n}}\ntrain M {{\n data = \"builtin:digits\"\n{lines}\n}}\n");
    network(&text).recipe.expect("a recipe")
}
