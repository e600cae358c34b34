//! What users see: every `tests/ui/*.arch` is compiled, and its text is kept with its diagnostics.
//!
//! A case may start with `// options: …`, which understands `--limit name=value`, `--set name=value`,
//! `--model NAME`, `--size HxW` and `--plain`. `INSTA_UPDATE=always` writes the snapshots anew.

use archc::base::render::{self, Style};
use archc::base::{Diagnostics, Report, codes};
use archc::elaborate::{Options, check_all};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Codes that no file alone can yield: they need a command, data, weights, a device, or a mistake of ours.
const ELSEWHERE: [&str; 5] = ["E0707", "E08", "E09", "W08", "I"];

fn cases() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("tests/ui").expect("tests/ui");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "arch"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name")
}

/// The options on the first line of a case.
fn options(text: &str) -> Options {
    let mut options = Options::default();
    let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("// options:")) else { return options };
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
        match word {
            "--limit" => {
                let (name, value) = value().split_once('=').expect("name=value");
                assert!(options.limits.set(name, value.parse().expect("a number")), "no limit `{name}`");
            }
            "--set" => {
                let (name, value) = value().split_once('=').expect("name=value");
                options.settings.push((name.into(), value.into()));
            }
            "--model" => options.model = Some(value().into()),
            "--size" => options.spatial = Some(value().split('x').map(|n| n.parse().expect("a size")).collect()),
            "--plain" => options.plain = true,
            other => panic!("unknown option {other}"),
        }
    }
    options
}

/// A case's diagnostics, as text.
fn rendered(path: &Path, text: &str) -> String {
    let results = check_all(path, &options(text));
    let mut all = Diagnostics::default();
    results.iter().for_each(|result| all.extend(result.diagnostics.clone()));
    let sources = &results.first().expect("at least one result").sources;
    render::fancy(&Report::new(all.iter(), sources), Style { color: false, width: 100 })
}

#[test]
fn every_case_says_what_it_said() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../ui/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut changed = Vec::new();
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("readable");
        let shown = format!("{}\n{:─<100}\n{}", text.trim_end(), "", rendered(&path, &text));
        let check = || settings.bind(|| insta::assert_snapshot!(stem(&path), shown));
        if catch_unwind(AssertUnwindSafe(check)).is_err() {
            changed.push(stem(&path).to_owned());
        }
    }
    assert!(changed.is_empty(), "changed: {changed:?}");
}

#[test]
fn every_case_yields_the_code_in_its_name() {
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("readable");
        let code = stem(&path).split('_').next().expect("a code").to_owned();
        let shown = rendered(&path, &text);
        assert!(shown.contains(&format!("[{code}]")), "{} does not yield {code}:\n{shown}", path.display());
    }
}

#[test]
fn every_code_has_a_page_and_a_case() {
    let cases = cases();
    let mut missing = Vec::new();
    for (code, title, page) in codes::TABLE {
        let lines = page.lines().count();
        if !page.starts_with(&format!("# {code}: ")) || !(8..=60).contains(&lines) {
            missing.push(format!("docs/errors/{code}.md ({title})"));
        }
        let elsewhere = ELSEWHERE.iter().any(|prefix| code.0.starts_with(prefix));
        if !elsewhere && !cases.iter().any(|path| stem(path).starts_with(code.0)) {
            missing.push(format!("tests/ui/{code}.arch ({title})"));
        }
    }
    assert!(missing.is_empty(), "missing or unfinished:\n{}", missing.join("\n"));
}
