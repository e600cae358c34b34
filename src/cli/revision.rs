//! Files as they were in a revision, through `git show`.

use archc::elaborate::{LoadError, Loader};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Output};

/// A file's texts at one revision; imports are read from the same.
#[derive(Clone, Debug)]
pub struct RevisionLoader {
    /// The work tree's root, without links.
    root: PathBuf,
    /// The commit, in full.
    commit: String,
}

/// Why there is no revision: the fact, and what to type instead.
pub type Refused = (String, String);

impl RevisionLoader {
    /// A revision of the repository that holds a file.
    ///
    /// # Errors
    /// Where there is no git, no repository, or no such revision.
    pub fn new(file: &Path, revision: &str) -> Result<Self, Refused> {
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let two_files = "name two files: archc diff old.arch new.arch";
        let found = git(folder, ["rev-parse", "--show-toplevel"])?;
        if !found.status.success() {
            let message = format!("`{}` is in no git repository, so it has no revisions", file.display());
            return Err((message, two_files.into()));
        }
        let root = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim_end());
        let wanted = format!("{revision}^{{commit}}");
        let found = git(folder, ["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        let commit = String::from_utf8_lossy(&found.stdout).trim().to_string();
        if !found.status.success() || commit.is_empty() {
            let help = format!("`git log --oneline -- {}` lists the revisions of the file", file.display());
            return Err((format!("there is no revision `{revision}`"), help));
        }
        Ok(Self { root: root.canonicalize().unwrap_or(root), commit })
    }

    /// The path of a file in the repository, as git writes it.
    fn inside(&self, path: &Path) -> Option<String> {
        let whole = self.identity(path);
        let parts = whole.strip_prefix(&self.root).ok()?.components();
        let names: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
        names.map(|names| names.join("/"))
    }
}

impl Loader for RevisionLoader {
    fn read(&self, path: &Path, limit: u64) -> Result<String, LoadError> {
        let inside = self.inside(path).ok_or_else(|| LoadError::Unreadable("it lies outside the repository".into()))?;
        let object = format!("{}:{inside}", self.commit);
        let ask = |what: [&str; 2]| {
            let output = git(&self.root, ["cat-file", what[0], what[1]]).map_err(|why| LoadError::Unreadable(why.0))?;
            if output.status.success() { Ok(output.stdout) } else { Err(LoadError::Missing) }
        };
        let size = String::from_utf8_lossy(&ask(["-s", &object])?).trim().parse().unwrap_or(u64::MAX);
        if size > limit {
            return Err(LoadError::TooLarge(limit));
        }
        let bytes = ask(["blob", &object])?;
        String::from_utf8(bytes).map_err(|error| LoadError::NotText(error.utf8_error().valid_up_to()))
    }

    /// The absolute path. The folder may be gone today, so links are followed only as far as it is there.
    fn identity(&self, path: &Path) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_default();
        let mut whole = PathBuf::new();
        for part in here.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => _ = whole.pop(),
                part => whole.push(part),
            }
        }
        let there = whole.ancestors().skip(1).find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
        match there.and_then(|(folder, real)| Some(real.join(whole.strip_prefix(folder).ok()?))) {
            Some(real) => real,
            None => whole,
        }
    }
}

fn git<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Result<Output, Refused> {
    Command::new("git").arg("-C").arg(folder).args(args).output().map_err(|error| {
        let why =
            if error.kind() == ErrorKind::NotFound { "it is not installed".to_string() } else { error.to_string() };
        let help = "install git, or name two files: archc diff old.arch new.arch";
        (format!("`git` cannot be started: {why}"), help.into())
    })
}
