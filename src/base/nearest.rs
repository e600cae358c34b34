//! Did you mean …?

use std::path::{Path, PathBuf};

/// Names longer than this were not mistyped by a person, and take long to compare.
const LONGEST: usize = 64;

/// The candidate nearest to what was written, where one is near enough to be meant.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', '-', '.'], "");
    if written.len() > LONGEST {
        return None;
    }
    let target = plain(written);
    candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST)
        .filter_map(|c| {
            let distance = strsim::damerau_levenshtein(&target, &plain(c));
            let allowed = (target.chars().count().max(c.chars().count()) / 3).max(1);
            (distance <= allowed && c != written).then_some((distance, c))
        })
        .min()
        .map(|(_, c)| c)
}

/// Names of a folder that are looked at, at most.
const NAMES: usize = 20_000;

/// The path nearest to one that does not exist: each part that is not there is taken for its nearest neighbour, of the same
/// ending if there is one. `None` where the path exists, or nothing near it does.
pub fn nearest_path(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let mut found = PathBuf::new();
    for part in path.components() {
        let whole = found.join(part);
        if whole.symlink_metadata().is_ok() {
            found = whole;
            continue;
        }
        let written = part.as_os_str().to_str()?;
        let folder = if found.as_os_str().is_empty() { Path::new(".") } else { &found };
        let entries = std::fs::read_dir(folder).ok()?.take(NAMES).flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        // What has no ending is most often a network whose ending was left out.
        if let Some(network) = names.iter().find(|name| name.strip_suffix(".arch") == Some(written)) {
            found.push(network);
            continue;
        }
        let alike = names.iter().filter(|name| Path::new(name).extension() == Path::new(written).extension());
        let near = nearest(written, alike.map(String::as_str));
        found.push(near.or_else(|| nearest(written, names.iter().map(String::as_str)))?);
    }
    found.exists().then_some(found)
}

/// [`nearest_path`], as a question.
pub fn meant(path: &Path) -> Option<String> {
    nearest_path(path).map(|near| format!("did you mean `{}`?", near.display()))
}

#[cfg(test)]
mod tests {
    use super::{nearest, nearest_path};
    use std::path::Path;

    #[test]
    fn finds_a_typo_and_leaves_strangers_alone() {
        assert_eq!(nearest("batchnorm", ["batch_norm", "conv"]), Some("batch_norm"));
        assert_eq!(nearest("rleu", ["relu", "elu"]), Some("relu"));
        assert_eq!(nearest("zebra", ["relu", "elu"]), None);
    }

    #[test]
    fn a_path_is_mended_part_by_part() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("runs/net-1")).unwrap();
        std::fs::write(dir.path().join("runs/net-1/best.safetensors"), "").unwrap();
        std::fs::write(dir.path().join("photo.jpg"), "").unwrap();
        std::fs::write(dir.path().join("photo.txt"), "").unwrap();
        for name in ["net.py", "net.arch"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let near = |written: &str| {
            nearest_path(&dir.path().join(written)).map(|path| path.strip_prefix(dir.path()).unwrap().to_path_buf())
        };
        assert_eq!(near("run/net-1/bset.safetensors").as_deref(), Some(Path::new("runs/net-1/best.safetensors")));
        assert_eq!(near("net").as_deref(), Some(Path::new("net.arch")));
        assert_eq!(near("phto.jpg").as_deref(), Some(Path::new("photo.jpg")));
        assert_eq!(near("Photo.JPG").as_deref(), Some(Path::new("photo.jpg")));
        assert_eq!((near("photo.jpg"), near("zebra.jpg"), near("runs/else/best")), (None, None, None));
    }
}
