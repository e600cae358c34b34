//! What a new network and its file are called.

use std::path::{Path, PathBuf};

/// The names of a file and of the model in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// The file, in the folder that was asked for.
    pub file: PathBuf,
    /// The model: letters, digits and `_`, with a capital first.
    pub model: String,
}

impl Names {
    /// From what was typed: `nets/my-net` gives `nets/my-net.arch` and `MyNet`. Signs that a shell or another system would
    /// trip over become `-`. A model is never called as a block of the template is.
    pub fn of(typed: &Path, template: &str) -> Option<Self> {
        let name = typed.file_name()?.to_string_lossy();
        let stem = name.strip_suffix(".arch").unwrap_or(&name);
        let fit = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let stem: String = stem.trim().chars().map(fit).collect();
        let stem = stem.trim_matches(['-', '.']);
        if stem.is_empty() {
            return None;
        }
        let mut model = model(stem);
        if template.contains(&format!("block {model}(")) || model == "Starter" {
            model += "Net";
        }
        Some(Self { file: typed.with_file_name(format!("{stem}.arch")), model })
    }

    /// A name like the file's that no file has yet.
    pub fn free(file: &Path) -> Option<PathBuf> {
        let stem = file.file_stem()?.to_string_lossy();
        let name = |number: usize| file.with_file_name(format!("{stem}-{number}"));
        (2..1000).map(name).find(|name| name.with_extension("arch").symlink_metadata().is_err())
    }
}

/// The words of a file's name, each with a capital, as one.
fn model(stem: &str) -> String {
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    let name: String = words.map(capital).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Net{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_models() {
        let named = |typed: &str| Names::of(Path::new(typed), "block Dense(").map(|n| (n.file, n.model));
        let both = |file: &str, model: &str| Some((PathBuf::from(file), model.to_string()));
        assert_eq!(named("my-net"), both("my-net.arch", "MyNet"));
        assert_eq!(named("nets/my_net.arch"), both("nets/my_net.arch", "MyNet"));
        assert_eq!(named("my net (2)"), both("my-net--2.arch", "MyNet2"));
        assert_eq!(named("3d"), both("3d.arch", "Net3d"));
        assert_eq!(named("dense"), both("dense.arch", "DenseNet"));
        assert_eq!(named("netz.v2"), both("netz.v2.arch", "NetzV2"));
        assert_eq!(named("größe"), both("größe.arch", "GrE"));
        assert_eq!(named("网络"), both("网络.arch", "Net"));
        assert_eq!(named("starter"), both("starter.arch", "StarterNet"));
        for nothing in ["", ".", "..", "/", "-", " ", ".arch"] {
            assert_eq!(named(nothing), None, "{nothing}");
        }
    }
}
