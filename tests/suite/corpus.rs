//! The corpus: one text in `tests/corpus`, all its artefacts in one snapshot.

use archc::base::Report;
use archc::base::render::{Style, fancy};
use archc::elaborate::{Options, check_all};
use archc::graph::dump::dump;
use std::fmt::Write;
use std::path::PathBuf;

#[test]
fn artefacts_are_what_they_were() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("tests/corpus").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "arch"));
    files.sort();
    assert!(files.len() >= 5, "the corpus has {} texts", files.len());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../corpus/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in files {
        let mut shown = std::fs::read_to_string(&path).unwrap();
        let compilations = check_all(&path, &Options::default());
        let tree = compilations[0].program.files().next().unwrap();
        let _ = write!(shown, "\n─── syntax tree ───\n{}", archc::syntax::dump::file(tree));
        for compiled in compilations {
            let said =
                fancy(&Report::new(compiled.diagnostics.iter(), &compiled.sources), Style { color: false, width: 100 });
            let network = compiled.network.as_ref().unwrap_or_else(|| panic!("{}: {said}", path.display()));
            let _ = write!(shown, "\n─── graph of {} ───\n{}{said}", network.name, dump(&network.graph));
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, shown));
    }
}
