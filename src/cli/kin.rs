//! Whether data are those that a run learnt from: its own, under whatever path, are measured where they were not learnt.

use archc::train::checkpoint::RunInfo;
use archc::train::data::{Holding, Role, Split, role};
use std::path::Path;

/// How data stand to those that a run learnt from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kin {
    /// They have nothing to do with one another, or are a part that was not learnt from.
    #[default]
    Apart,
    /// They are the same, or one is a folder around the other: the files' names tell what was held out.
    Own,
    /// They share files with what was learnt from, of which nothing tells them apart.
    Shared,
}

impl Kin {
    /// How the data of this name stand to a run's.
    pub fn of(info: &RunInfo, spec: &str) -> Self {
        let real = |name: &str| Path::new(name).canonicalize().ok();
        if info.data == spec {
            return Self::Own;
        }
        let (Some(own), Some(other)) = (real(&info.data), real(spec)) else { return Self::Apart };
        if own == other {
            return Self::Own;
        }
        // A file of arrays that lies in a folder of pictures is no part of these.
        if !own.is_dir() || !other.is_dir() {
            return Self::Apart;
        }
        match (other.strip_prefix(&own), own.strip_prefix(&other)) {
            (Ok(below), _) => inside(&own, below, info.held_out),
            (Err(_), Ok(below)) => around(below),
            (Err(_), Err(_)) => Self::Apart,
        }
    }

    /// How such data are divided, where the run divided its own so.
    pub fn holding(self, held_out: Holding) -> Holding {
        match self {
            Self::Own => held_out,
            Self::Apart | Self::Shared => Holding::Nothing,
        }
    }

    /// What to say of data that are opened to be measured on.
    pub fn remark(self, spec: &str, data: &Split) -> Option<String> {
        let whole = data.val.is_none() && data.test.is_none();
        match self {
            Self::Own if whole => Some(format!(
                "`{spec}` is what the run learnt from, and nothing of it was held out: new data may measure worse"
            )),
            Self::Shared => Some(format!(
                "`{spec}` shares files with what the run learnt from, and nothing tells them apart: new data may measure worse"
            )),
            Self::Apart | Self::Own => None,
        }
    }
}

/// Data that lie in a folder of the run's.
fn inside(own: &Path, below: &Path, held_out: Holding) -> Kin {
    let mut folder = own.to_path_buf();
    for name in below {
        match role(&name.to_string_lossy()) {
            Some(Role::Val | Role::Test) => return Kin::Apart,
            // Of a `train/` beside other parts all is learnt; runs that do not say how learnt from all of a lonely one, too.
            Some(Role::Train) if held_out == Holding::Drawn || has_other_parts(&folder) => return Kin::Shared,
            Some(Role::Train) | None => folder.push(name),
        }
    }
    Kin::Own
}

/// Data around the run's folder, which is a part of them or all.
fn around(below: &Path) -> Kin {
    let measured = |name: &str| matches!(role(name), Some(Role::Val | Role::Test));
    if below.iter().any(|name| measured(&name.to_string_lossy())) { Kin::Shared } else { Kin::Own }
}

/// Whether a folder has a part to choose or to measure on. One that cannot be read is told of where the data are opened.
fn has_other_parts(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let other = |name: &str| matches!(role(name), Some(Role::Val | Role::Test));
    let full = |path: &Path| std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    entries.into_iter().any(|entry| other(&entry.file_name().to_string_lossy()) && full(&entry.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_known_under_other_paths() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path).display().to_string();
        for path in ["pets/all/cat/x", "d/train/cat", "d/val/cat", "lone/train/cat"] {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        std::fs::write(at("pets/a.npz"), "").unwrap();
        let kin = |data: &str, held_out, spec: &str| {
            Kin::of(&RunInfo { data: at(data), held_out, ..RunInfo::default() }, &at(spec))
        };
        for (data, spec, wanted) in [
            ("pets", "pets/../pets", Kin::Own),
            ("pets", "pets/all", Kin::Own),
            ("pets/all", "pets", Kin::Own),
            ("pets", "pets/a.npz", Kin::Apart),
            ("pets", "d", Kin::Apart),
            ("pets", "nowhere", Kin::Apart),
            ("d", "d/train", Kin::Shared),
            ("d", "d/val", Kin::Apart),
            ("d/train", "d", Kin::Own),
            ("d/val", "d", Kin::Shared),
            ("lone", "lone/train", Kin::Own),
        ] {
            assert_eq!(kin(data, Holding::ByName, spec), wanted, "{spec} of {data}");
        }
        assert_eq!(kin("lone", Holding::Drawn, "lone/train"), Kin::Shared);
    }
}
