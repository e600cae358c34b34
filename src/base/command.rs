//! Commands that are advised: what is pasted into a shell must arrive there as it was meant.

use std::path::Path;

/// A word as a shell takes it: `a b` is `'a b'`.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:~".contains(c);
    match !word.is_empty() && !word.starts_with('~') && word.chars().all(plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A path as a shell takes it.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        let shown = ["runs/net-1", "My Photos/val", "it's", "a$b", "~", ""].map(quoted);
        assert_eq!(shown, ["runs/net-1", "'My Photos/val'", "'it'\\''s'", "'a$b'", "'~'", "''"]);
        assert_eq!(quoted_path(Path::new("a/b.c")), "a/b.c");
    }
}
