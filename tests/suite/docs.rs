//! What the documentation says is true: its examples compile, and it names every layer and every limit.

use archc::base::render::{self, Style};
use archc::base::{Limits, Report, codes};
use archc::elaborate::{MemoryLoader, Options, compile_with};
use archc::ops::layers;

const LANGUAGE: &str = include_str!("../../docs/language.md");

/// The `arch` blocks of a page, each with the words after `arch`.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("```arch").skip(1);
    blocks
        .filter_map(|rest| rest.split("```").next()?.split_once('\n'))
        .map(|(info, text)| (info.trim(), text))
        .collect()
}

/// What is wrong with an example; a fragment stands in a model with an input.
fn wrong(info: &str, text: &str) -> Option<String> {
    let text = match info {
        "" => text.to_owned(),
        "fragment" => format!("model Fragment() {{\n    input x [N, 16, 32, 32]\n{text}}}\n"),
        other => return Some(format!("a block marked `{other}`")),
    };
    let files = MemoryLoader::default().with("blocks.arch", "block Basic(width) { conv(width, 3) -> relu }");
    let compiled = compile_with(&files, "page.arch", &text, &Options::default());
    let style = Style { color: false, width: 100 };
    let report = Report::new(compiled.diagnostics.iter(), &compiled.sources);
    compiled.diagnostics.has_errors().then(|| render::fancy(&report, style))
}

#[test]
fn every_example_of_the_reference_compiles() {
    let examples = examples(LANGUAGE);
    assert!(examples.len() > 10);
    let wrong: Vec<String> = examples.iter().filter_map(|(info, text)| wrong(info, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_of_the_readme_compiles() {
    let readme = std::fs::read_to_string("README.md").unwrap_or_default();
    let wrong: Vec<String> = examples(&readme).iter().filter_map(|(info, text)| wrong(info, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn corrected_examples_of_syntax_errors_compile() {
    for (code, _, page) in codes::TABLE.iter().filter(|(code, ..)| code.0.starts_with("E01")) {
        let examples = examples(page);
        assert_eq!(examples.len(), 2, "{code}: a wrong example and a right one");
        let (info, text) = examples[1];
        assert_eq!(wrong(info, text), None, "{code}");
    }
}

#[test]
fn every_layer_with_its_arguments_is_in_the_reference() {
    let missing: Vec<String> = layers()
        .iter()
        .map(|layer| format!("| `{}` |", layer.signature()))
        .filter(|row| !LANGUAGE.contains(row))
        .collect();
    assert!(missing.is_empty(), "not in docs/language.md:\n{}", missing.join("\n"));
}

#[test]
fn every_limit_is_in_the_reference() {
    let Limits { source_bytes, nesting, call_depth, steps, layers, files, elements, errors } = Limits::default();
    let grouped = |n: usize| match n / 1000 {
        0 => n.to_string(),
        thousands => format!("{thousands},{:03}", n % 1000),
    };
    let counts = [nesting, call_depth, steps, layers, files].map(grouped);
    let [nesting, call_depth, steps, layers, files] = counts;
    let bytes = format!("{} MiB", source_bytes >> 20);
    let elements = format!("2{}", elements.ilog2().to_string().replace('4', "⁴").replace('0', "⁰"));
    let defaults = [bytes, nesting, call_depth, steps, layers, files, elements, errors.to_string()];
    for (name, default) in Limits::NAMES.iter().zip(defaults) {
        assert!(LANGUAGE.contains(&format!("| `{name}` | {default} |")), "`{name}` is {default}");
    }
}
