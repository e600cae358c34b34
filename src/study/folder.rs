//! Where a study's results lie: the question that was asked, the parts that are done, and what it came to.

use super::report::Report;
use crate::base::unwritable::no_folder;
use crate::base::{self, Diagnostic, atomic, codes};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file that makes a folder a study.
const QUESTION: &str = "study.json";

/// The folder of one study.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Whether it was there already, with the same question.
    pub resumed: bool,
}

impl Folder {
    /// `PARENT/NAME`, or where that holds another question, `PARENT/NAME-2` and so on: the first that holds this one, or is free.
    ///
    /// # Errors
    /// `E0905` where it cannot be made.
    pub fn numbered(parent: &Path, name: &str, question: &Value) -> Result<Self, Diagnostic> {
        for number in 1..=u32::MAX {
            let own = if number == 1 { name.to_string() } else { format!("{name}-{number}") };
            let path = parent.join(own);
            if let Some(folder) = Self::open(&path, question)? {
                return Ok(folder);
            }
        }
        Err(unmade(parent, &io::Error::other("every number is taken")))
    }

    /// This very folder.
    ///
    /// # Errors
    /// `E0931` where it holds another question or other files; `E0905` where it cannot be made.
    pub fn named(path: &Path, question: &Value) -> Result<Self, Diagnostic> {
        Self::open(path, question)?.ok_or_else(|| {
            let what = match path.join(QUESTION).exists() {
                true => "holds a study that asked something else",
                false => "holds files that are no study",
            };
            Diagnostic::new(codes::STUDY_FOLDER, format!("`{}` {what}", path.display()))
                .help("name another folder, or leave `--out` out: then a new one is made in `studies/`")
        })
    }

    /// The folder, where it is free or holds this question.
    fn open(path: &Path, question: &Value) -> Result<Option<Self>, Diagnostic> {
        let file = path.join(QUESTION);
        match fs::read_to_string(&file) {
            Ok(text) => {
                let same = serde_json::from_str::<Value>(&text).is_ok_and(|asked| asked == *question);
                return Ok(same.then(|| Self { path: path.into(), resumed: true }));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unwritable(&file, &error)),
        }
        fs::create_dir_all(path).map_err(|error| unmade(path, &error))?;
        let mut files = fs::read_dir(path).map_err(|error| unmade(path, &error))?;
        if files.next().is_some() {
            return Ok(None);
        }
        let text = format!("{question:#}\n");
        atomic::write_bytes(&file, text.as_bytes()).map_err(|error| unwritable(&file, &error))?;
        Ok(Some(Self { path: path.into(), resumed: false }))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A part that is done; one that cannot be read is made again.
    pub fn part(&self, key: &str) -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(self.part_file(key)).ok()?).ok()
    }

    /// Keeps a part.
    ///
    /// # Errors
    /// `E0905` where it cannot be written.
    pub fn keep(&self, key: &str, value: &Value) -> Result<(), Diagnostic> {
        self.write(&self.part_file(key), &format!("{value}\n"))
    }

    fn part_file(&self, key: &str) -> PathBuf {
        self.path.join("parts").join(format!("{key}.json"))
    }

    /// Writes what a study came to, as `KIND.csv`, `KIND.svg`, `KIND.json` and `KIND.txt`; the names of the files.
    ///
    /// # Errors
    /// `E0905` where one cannot be written.
    pub fn finish(&self, kind: &str, report: &Report) -> Result<Vec<PathBuf>, Diagnostic> {
        let findings = format!("{:#}\n", report.findings);
        let files = [
            ("svg", report.figure.svg()),
            ("csv", report.table.csv()),
            ("json", findings),
            ("txt", format!("{}\n", report.text)),
        ];
        let written = files.into_iter().map(|(end, text)| {
            let path = self.path.join(format!("{kind}.{end}"));
            self.write(&path, &text).map(|()| path)
        });
        written.collect()
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Diagnostic> {
        let parent = path.parent().unwrap_or(&self.path);
        fs::create_dir_all(parent).map_err(|error| unmade(parent, &error))?;
        atomic::write_bytes(path, text.as_bytes()).map_err(|error| unwritable(path, &error))
    }
}

fn unmade(path: &Path, error: &io::Error) -> Diagnostic {
    no_folder(codes::UNWRITABLE, path, error).into()
}

fn unwritable(path: &Path, error: &io::Error) -> Diagnostic {
    base::unwritable::unwritable(codes::UNWRITABLE, path, error).into()
}
