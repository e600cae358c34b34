//! PyTorch source.

use super::{SHOWN, example_with_docs};
use archc::exchange::pytorch::source;

#[test]
fn sources_are_what_they_were() {
    for (file, model) in SHOWN {
        let (network, docs) = example_with_docs(file, model);
        insta::assert_snapshot!(format!("pytorch_{model}"), source(&network, &docs));
    }
}

#[test]
fn names_of_python_and_pytorch_are_not_taken() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/exported/names.arch");
    let compiled = archc::elaborate::compile(&path, &archc::Options::default());
    let docs = archc::exchange::classes::docs(&compiled.program);
    insta::assert_snapshot!("pytorch_names", source(compiled.network.as_ref().unwrap(), &docs));
}
