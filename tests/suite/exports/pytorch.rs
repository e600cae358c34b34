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

/// For `tests/exchange`, where the program itself is not at hand: `ARCHC_EXPORTS=DIR cargo test exports`.
#[test]
fn sources_of_all_examples_are_written_on_demand() {
    let Some(folder) = std::env::var_os("ARCHC_EXPORTS").map(std::path::PathBuf::from) else { return };
    for path in crate::zoo::examples() {
        for compiled in archc::check_all(&path, &archc::Options::default()) {
            let network = compiled.network.unwrap();
            let text = source(&network, &archc::exchange::classes::docs(&compiled.program));
            std::fs::write(folder.join(format!("{}.py", network.name)), text).unwrap();
        }
    }
}
