//! A file or folder that cannot be written, in words that say what to do.

use super::command::quoted_path;
use super::{Code, Fault};
use std::io;
use std::path::Path;

/// What keeps a path from being written: a folder that is not there, with the command that makes it, a file where a folder should be,
/// or what the system says.
pub fn unwritable(code: Code, path: &Path, error: &io::Error) -> Fault {
    let shown = path.display();
    let parents = || path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
    if let Some(file) = parents().find(|parent| parent.is_file()) {
        let fact = format!("`{shown}` cannot be written: `{}` is a file, and no folder", file.display());
        return Fault::new(code, fact).help("name a file in a folder");
    }
    let missing = parents().next().filter(|parent| !parent.exists());
    match missing {
        Some(parent) if error.kind() == io::ErrorKind::NotFound && is_plain(parent) => {
            let fact = format!("`{shown}` cannot be written: there is no folder `{}`", parent.display());
            Fault::new(code, fact).help(format!("mkdir -p {}", quoted_path(parent)))
        }
        _ if path.is_dir() => {
            Fault::new(code, format!("`{shown}` cannot be written: it is a folder")).help("name a file in it")
        }
        _ => Fault::new(code, format!("`{shown}` cannot be written: {error}"))
            .help("name a file in a folder that exists and is yours"),
    }
}

/// A folder that cannot be made, or not be written in: of this path a file is there, or the system says what keeps it.
pub fn no_folder(code: Code, path: &Path, error: &io::Error) -> Fault {
    let file = path.ancestors().find(|part| part.is_file());
    let fact = match file {
        Some(file) => format!("`{}` is a file, where a folder is wanted", file.display()),
        None => format!("the folder `{}` cannot be made or written in: {error}", path.display()),
    };
    Fault::new(code, fact).help("name a folder in one that exists and is yours")
}

/// Whether `mkdir` may make a folder: it lies in none of those that the system fills itself.
fn is_plain(folder: &Path) -> bool {
    !["/proc", "/sys", "/dev"].iter().any(|system| folder.starts_with(system))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::codes::UNWRITABLE;

    #[test]
    fn a_folder_that_is_missing_is_named_with_the_command_that_makes_it() {
        let dir = tempfile::tempdir().unwrap();
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let said = |name: &str| {
            let fault = unwritable(UNWRITABLE, &dir.path().join(name), &missing);
            (fault.message.to_string(), fault.help.as_deref().unwrap_or_default().to_string())
        };
        let (fact, help) = said("my nets/x.svg");
        assert!(fact.contains("there is no folder `") && help.ends_with("my nets'"), "{fact} {help}");
        assert!(help.starts_with("mkdir -p '"), "{help}");
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(said("file/x.svg").0.ends_with("file` is a file, and no folder"));
        assert!(said("").0.ends_with("it is a folder"));
        assert!(
            no_folder(UNWRITABLE, &dir.path().join("file"), &missing).message.contains("is a file, where a folder")
        );
    }
}
