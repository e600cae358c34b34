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
