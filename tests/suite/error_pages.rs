//! The pages of `docs/errors/`: every wrong example gives its code, and every corrected one compiles without it.

use archc::base::codes;
use archc::elaborate::{MemoryLoader, Options, compile_with};

/// Codes whose examples need something besides a text: options, a device, data. Those of the syntax are with
/// the cases in `tests/ui`.
const ELSEWHERE: [&str; 7] = ["E01", "E0311", "E0707", "E08", "E09", "W08", "I"];

/// The texts of the page's `arch` blocks.
fn examples(page: &str) -> Vec<&str> {
    page.split("```arch\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn found(text: &str) -> Vec<String> {
    let files = MemoryLoader::default()
        .with("blocks.arch", "block Basic(width) { conv(width, 3) -> relu }")
        .with("circle.arch", "import Net from \"page.arch\"\nblock Round(width) { conv(width, 3) }");
    let compiled = compile_with(&files, "page.arch", text, &Options::default());
    compiled.diagnostics.iter().map(|d| d.code.to_string()).collect()
}

#[test]
fn wrong_examples_are_wrong_and_right_ones_right() {
    let mut broken = Vec::new();
    for (code, title, page) in codes::TABLE {
        if ELSEWHERE.iter().any(|start| code.0.starts_with(start)) {
            continue;
        }
        let heading = page.lines().next().unwrap_or("");
        if heading != format!("# {code}: {title}") {
            broken.push(format!("{code}: the page is headed `{heading}`, the table says `{title}`"));
        }
        match examples(page).as_slice() {
            [wrong, right] => {
                let (wrong, right) = (found(wrong), found(right));
                if !wrong.contains(&code.to_string()) {
                    broken.push(format!("{code}: the wrong example gives {wrong:?}"));
                }
                if !right.is_empty() {
                    broken.push(format!("{code}: the right example gives {right:?}"));
                }
            }
            blocks => broken.push(format!("{code}: {} examples, a wrong one and a right one are wanted", blocks.len())),
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
