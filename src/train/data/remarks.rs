//! What is to be said of a data set that was opened: what was passed over in it, and what it may not be meant to be.

use super::error::{DataError, Result};
use super::listing::{join, walk};
use super::parts::role;
use crate::base::command::quoted_path;
use crate::base::{Fault, codes};
use std::collections::BTreeMap;
use std::path::Path;

/// Files that a warning names.
const NAMED: usize = 5;
/// Files of one ending that a warning names.
const NAMED_EACH: usize = 2;

/// Gathered while a data set is opened.
#[derive(Default)]
pub struct Remarks {
    /// Things to know that are as they should be: which folder was taken.
    pub notes: Vec<String>,
    /// Classes and parts that may not be what was meant.
    pub doubts: Vec<String>,
    /// The same, with what to do.
    pub advised: Vec<(String, String)>,
    /// Files that cannot be read.
    pub broken: Vec<DataError>,
    /// Pictures that hold more than what is read of them.
    pub frames: Vec<String>,
    /// Pictures that are turned, whose masks fit turned and unturned.
    pub turned: Vec<String>,
    others: BTreeMap<String, Vec<String>>,
}

impl Remarks {
    /// A file that holds no picture, as its ending says.
    pub fn pass_over(&mut self, path: String) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let ending = match name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => format!("`.{}`", ending.to_lowercase()),
            _ => "without an ending".to_string(),
        };
        self.others.entry(ending).or_default().push(path);
    }

    /// Images that lie where nothing is read from (`` in `extra`, in no part ``), and the first of them where it is to be named.
    pub fn unread(&mut self, count: usize, place: &str, first: Option<&str>) {
        let are = if count == 1 { "is" } else { "are" };
        let first = first.map(|first| format!(": `{first}`")).unwrap_or_default();
        self.doubts.push(format!("{} {place}, and {are} not read{first}", lying(count)));
    }

    /// Looks at a folder below the directory that nothing is read from: says how many images lie in it, and notes its other
    /// files. A folder that is named for a part is told of even where it holds no image.
    ///
    /// # Errors
    /// [`DataError::Io`] where a folder cannot be read.
    pub fn leave(&mut self, directory: &Path, folder: &str, why: &str) -> Result<()> {
        let mut count = 0;
        walk(directory, folder, |here, listing| {
            count += listing.pictures.len();
            listing.others.iter().for_each(|name| self.pass_over(join(here, name)));
            true
        })?;
        let name = folder.rsplit('/').next().unwrap_or(folder);
        if count > 0 {
            self.unread(count, &format!("in `{folder}`, {why}"), None);
        } else if role(name).is_some() {
            self.no_part(folder);
        }
        Ok(())
    }

    /// A folder that is named for a part, and holds no image.
    pub fn no_part(&mut self, folder: &str) {
        self.doubts.push(format!("`{folder}` holds no image that is read, and is no part"));
    }

    /// `` 8 `.heic`, 5 `.txt` ``: what was passed over, by ending.
    pub fn passed_over(&self) -> Option<String> {
        let kinds: Vec<String> =
            self.others.iter().map(|(ending, paths)| format!("{} {ending}", paths.len())).collect();
        (!kinds.is_empty()).then(|| kinds.join(", "))
    }

    /// All of it as warnings, and the notes.
    pub fn finish(mut self, directory: &Path) -> (Vec<Fault>, Vec<String>) {
        self.frames.sort();
        self.turned.sort();
        let mut warnings: Vec<Fault> = broken_warning(&self.broken).into_iter().collect();
        warnings.extend(self.others_warning(directory));
        let doubt = |fact: String| Fault::new(codes::DATA_DOUBTS, fact);
        warnings.extend(std::mem::take(&mut self.doubts).into_iter().map(doubt));
        let advised = std::mem::take(&mut self.advised).into_iter();
        warnings.extend(advised.map(|(fact, help)| doubt(fact).help(help)));
        let pictures = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let count = self.frames.len();
        let fact =
            pictures(count, "picture has several frames", "pictures have several frames") + ": the first is read";
        warnings.extend(listed(codes::DATA_PICTURES, fact, &self.frames));
        let count = self.turned.len();
        let fact = pictures(
            count,
            "picture is turned by its EXIF orientation, and its mask fits",
            "pictures are turned by \
            their EXIF orientation, and their masks fit",
        );
        let fact = fact + " turned and unturned: masks are taken as they are";
        let help = "check one of them; to be sure, write the pictures anew, turned and without EXIF";
        warnings.extend(listed(codes::DATA_PICTURES, fact, &self.turned).map(|w| w.help(help)));
        (warnings, self.notes)
    }

    fn others_warning(&self, directory: &Path) -> Option<Fault> {
        let count: usize = self.others.values().map(Vec::len).sum();
        let kinds = self.passed_over()?;
        let files = if count == 1 { "file is no picture that is" } else { "files are no pictures that are" };
        let fact = format!("{count} {files} read in `{}`: {}", directory.display(), kinds);
        let mut warning = (count > 0).then(|| Fault::new(codes::DATA_OTHER_FILES, fact))?;
        for paths in self.others.values().take(NAMED) {
            let names: Vec<String> = paths.iter().take(NAMED_EACH).map(|path| format!("`{path}`")).collect();
            let more = paths.len().saturating_sub(NAMED_EACH);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            warning = warning.note(names.join(", ") + &more);
        }
        let convertible =
            ["`.heic`", "`.heif`", "`.avif`", "`.jxl`", "`.jp2`", "`.svg`", "`.tga`", "`.ppm`", "`.pgm`", "`.psd`"];
        match self.others.keys().find(|ending| convertible.contains(&ending.as_str())) {
            Some(ending) => {
                let bare = ending.trim_matches('`').trim_start_matches('.');
                let folder = quoted_path(directory);
                Some(warning.help(format!(
                    "convert them, say by ImageMagick:  find {folder} -iname '*.{bare}' -exec magick mogrify -format png {{}} +"
                )))
            }
            None => Some(warning),
        }
    }
}

/// `1 image lies`, `3 images lie`.
pub fn lying(count: usize) -> String {
    if count == 1 { "1 image lies".into() } else { format!("{count} images lie") }
}

/// A warning that names the first of these; none where there are none.
fn listed(code: crate::base::Code, fact: String, names: &[String]) -> Option<Fault> {
    let warning = (!names.is_empty()).then(|| Fault::new(code, fact))?;
    Some(noted(warning, names.iter().cloned()))
}

/// The first few as notes, and how many more.
fn noted(warning: Fault, names: impl ExactSizeIterator<Item = String>) -> Fault {
    let count = names.len();
    let warning = names.take(NAMED).fold(warning, Fault::note);
    if count > NAMED { warning.note(format!("and {} more", count - NAMED)) } else { warning }
}

/// One warning for all files passed over; the first few are named.
pub fn broken_warning(broken: &[DataError]) -> Option<Fault> {
    let count = broken.len();
    let files = if count == 1 { "file was" } else { "files were" };
    let message = format!("{count} broken {files} passed over");
    let warning = (count > 0).then(|| Fault::new(codes::DATA_BROKEN_FILES, message))?;
    Some(noted(warning, broken.iter().map(DataError::to_string)).help("`--strict` makes the first of them an error"))
}
