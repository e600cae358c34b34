//! Rust source for candle.

use super::{SHOWN, example_with_docs};
use archc::exchange::rust::source;

/// What stands before the module `ops`, which is the same for many.
fn own(text: &str) -> &str {
    text.split("/// What candle lacks").next().unwrap()
}

#[test]
fn sources_are_what_they_were() {
    for (file, model) in SHOWN {
        let (network, docs) = example_with_docs(file, model);
        insta::assert_snapshot!(format!("rust_{model}"), own(&source(&network, &docs)));
    }
}

#[test]
fn sources_have_the_parts_of_ops_that_they_use() {
    for path in crate::zoo::examples() {
        for compiled in archc::check_all(&path, &archc::Options::default()) {
            let network = compiled.network.unwrap();
            let text = source(&network, &archc::exchange::classes::docs(&compiled.program));
            for (i, rest) in own(&text).split("ops::").enumerate().skip(1) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let known = [
                    format!("pub fn {name}("),
                    format!("pub struct {name} "),
                    format!("pub struct {name}("),
                    format!("pub enum {name} "),
                ];
                let there =
                    known.iter().any(|known| text.contains(known.as_str())) || ["sigmoid"].contains(&name.as_str());
                assert!(there, "{}: `ops::{name}` ({i}) is missing", network.name);
            }
        }
    }
}
