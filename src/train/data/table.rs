//! Tables of what pictures are (`labels.csv`), which are not read: how to sort the pictures by them.

use super::error::DataError;
use super::listing::list;
use crate::base::command::quoted_path;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a table that are looked at.
const HEAD: u64 = 64 << 10;
/// What columns of classes are called.
const CLASSES: [&str; 8] = ["label", "class", "category", "target", "species", "breed", "y", "diagnosis"];

/// A table, and which of its columns say what.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its file's name.
    pub name: String,
    path: PathBuf,
    pictures: PathBuf,
    separator: char,
    file: String,
    class: String,
    /// What the table leaves out of the files' names: `.jpg`.
    ending: String,
}

/// The table in a folder that names the pictures of another.
pub fn beside(folder: &Path, pictures: &Path, names: &[String]) -> Option<Table> {
    let others = list(folder).ok()?.others;
    let mut tables = others.iter().filter(|name| is_table(Path::new(name)));
    tables.find_map(|name| Table::read(&folder.join(name), pictures, names))
}

/// Whether a path's ending is one of a table.
pub fn is_table(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    matches!(ending.as_str(), "csv" | "tsv")
}

/// The table at a path, where it names pictures that lie beside it, or in a folder there.
pub fn at(path: &Path) -> Option<Table> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let here = list(folder).ok()?;
    let below = here.folders.iter().map(|name| folder.join(name));
    std::iter::once(folder.to_path_buf()).chain(below).find_map(|pictures| {
        let names = list(&pictures).ok()?.pictures;
        Table::read(path, &pictures, &names)
    })
}

/// What a file is that describes data and holds none: a table, or a list of boxes.
pub fn described(path: &Path) -> Option<DataError> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let (found, help) = match ending.as_str() {
        "csv" | "tsv" => (
            "it is a table, and archc reads pictures and arrays",
            at(path).map_or_else(|| "save its numbers as arrays: np.savez('d.npz', x=x, y=y)".into(), |t| t.sorting()),
        ),
        "yaml" | "yml" | "json" => (
            "it describes a data set, and archc reads pictures and arrays",
            "boxes (YOLO, COCO) are not learnt from; for classes, name a directory with a folder for each of them"
                .into(),
        ),
        _ => return None,
    };
    Some(DataError::Meant { path: path.display().to_string(), found: found.into(), help })
}

impl Table {
    /// Looks at the first two lines: a column whose value is one of the pictures' names, and one of classes beside it.
    fn read(path: &Path, pictures: &Path, names: &[String]) -> Option<Self> {
        let mut bytes = Vec::new();
        File::open(path).ok()?.take(HEAD).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        let (head, first) = (lines.next()?, lines.next()?);
        let separator = ['\t', ';', ','].into_iter().find(|&s| head.contains(s))?;
        let cells = |line: &str| -> Vec<String> {
            line.split(separator).map(|cell| cell.trim().trim_matches('"').to_string()).collect()
        };
        let (head, first) = (cells(head), cells(first));
        let (at, ending) = first.iter().enumerate().find_map(|(at, cell)| Some((at, ending(cell, names)?)))?;
        let others = || head.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, name)| name);
        let called = |name: &&String| CLASSES.iter().any(|class| name.to_lowercase().contains(class));
        let class = others().find(called).or_else(|| others().next())?.clone();
        let name = path.file_name()?.to_string_lossy().into_owned();
        let (path, pictures, file) = (path.to_path_buf(), pictures.to_path_buf(), head.get(at)?.clone());
        Some(Self { name, path, pictures, separator, file, class, ending })
    }

    /// Python that sorts the pictures into a folder for each class, and what to do then.
    pub fn sorting(&self) -> String {
        let text = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\t', "\\t"));
        let path = |path: &Path| text(&path.display().to_string());
        let sorted = self.path.with_extension("");
        let sorted = sorted.with_file_name(format!("{}-sorted", sorted.file_name().unwrap_or_default().display()));
        let ending = if self.ending.is_empty() { String::new() } else { format!(" + {}", text(&self.ending)) };
        format!(
            "sort them into a folder for each class, and name that (--data {}). In Python:  import csv, os, shutil; \
             [(os.makedirs(folder, exist_ok=True), shutil.copy(os.path.join({5}, row[{6}]{ending}), folder)) \
             for row in csv.DictReader(open({1}, encoding='utf-8-sig'), delimiter={2}) \
             for folder in [os.path.join({3}, row[{4}])]]",
            quoted_path(&sorted),
            path(&self.path),
            text(&self.separator.to_string()),
            path(&sorted),
            text(&self.class),
            path(&self.pictures),
            text(&self.file),
        )
    }
}

/// What a cell leaves out of the name of a picture: nothing, or its ending. `None` where it names none.
fn ending(cell: &str, names: &[String]) -> Option<String> {
    let rest = |name: &String| name.strip_prefix(cell).map(str::to_string);
    let whole = names.iter().any(|name| name == cell);
    let bare = names.iter().filter_map(rest).find(|rest| rest.starts_with('.') && !rest[1..].contains('.'));
    if whole { Some(String::new()) } else { bare.filter(|_| !cell.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_told_by_what_stands_in_them() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["a.jpg".to_string(), "b.jpg".to_string()];
        let read = |text: &str| {
            let path = dir.path().join("labels.csv");
            std::fs::write(&path, text).unwrap();
            let table = Table::read(&path, Path::new("images"), &names)?;
            Some((table.file, table.class, table.ending))
        };
        let found = |file: &str, class: &str, ending: &str| Some((file.into(), class.into(), ending.into()));
        assert_eq!(read("n,filename,label\n1,a.jpg,cat\n"), found("filename", "label", ""));
        assert_eq!(read("id;breed\nb;pug\n"), found("id", "breed", ".jpg"));
        assert_eq!(read("id,breed\nz,pug\n"), None);
        assert_eq!(read(""), None);
    }
}
