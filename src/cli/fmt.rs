//! `archc fmt`: one canonical style.

use super::compute::say;
use super::files;
use super::shell::{Exit, Shell};
use archc::base::nearest::meant;
use archc::base::{Diagnostic, Fault, Limits, SourceMap, atomic, codes};
use archc::elaborate::{FileLoader, LoadError, Loader, unreadable};
use archc::tools::format::format;
use archc::tools::text::Ink;
use clap::Args;
use serde_json::json;
use similar::TextDiff;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// `archc fmt`
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files, or directories of `.arch` files; `-` is standard input, written to standard output.
    #[arg(value_name = "FILE|DIR|-", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Write nothing; name the files that are not in canonical style, and exit with 1 where there is one.
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change.
    #[arg(long)]
    pub diff: bool,
}

/// What was found in all files.
#[derive(Default)]
struct Tally {
    files: usize,
    changed: usize,
    refused: usize,
}

/// Formats every file.
///
/// # Errors
/// The exit status, after everything was said.
pub fn run(args: &FmtArgs, shell: &Shell) -> Result<Exit, Exit> {
    let (input, paths): (Vec<PathBuf>, Vec<PathBuf>) =
        args.paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let mut tally = Tally::default();
    if !input.is_empty() {
        standard_input(args, shell, &mut tally);
    }
    for path in files::sources(&paths, shell)? {
        file(&path, args, shell, &mut tally);
    }
    if tally.files > 0 && !shell.json() {
        shell.note(&tally.words(args.check || args.diff));
    }
    let unfit = tally.refused > 0 || (args.check && tally.changed > 0);
    Ok(if unfit { Exit::Errors } else { Exit::Clean })
}

impl Tally {
    fn words(&self, dry: bool) -> String {
        let files = |n: usize| format!("{n} file{}", if n == 1 { "" } else { "s" });
        let mut text = match (self.changed, dry) {
            (0, _) if self.refused == 0 => format!("{}, all in canonical style", files(self.files)),
            (n, true) => format!("{} of {} would change", n, files(self.files)),
            (n, false) => format!("{} of {} changed", n, files(self.files)),
        };
        if self.refused > 0 {
            text += &format!(
                "; {} left as {} with errors",
                files(self.refused),
                if self.refused == 1 { "it is," } else { "they are," }
            );
        }
        text
    }
}

fn standard_input(args: &FmtArgs, shell: &Shell, tally: &mut Tally) {
    let limit = Limits::default().source_bytes;
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes);
    let text = match read {
        Err(error) => Err(LoadError::Unreadable(error.to_string())),
        Ok(_) if bytes.len() as u64 > limit => Err(LoadError::TooLarge(limit)),
        Ok(_) => String::from_utf8(bytes).map_err(|error| LoadError::NotText(error.utf8_error().valid_up_to())),
    };
    let Some((old, new)) = formatted("standard input", text, shell, tally) else { return };
    if args.check || args.diff {
        show("standard input", &old, &new, args, shell, tally);
    } else {
        // A reader that went away is no error.
        let _ = std::io::stdout().lock().write_all(new.as_bytes());
    }
}

fn file(path: &Path, args: &FmtArgs, shell: &Shell, tally: &mut Tally) {
    tally.files += 1;
    let name = path.display().to_string();
    let text = FileLoader.read(path, Limits::default().source_bytes);
    let Some((old, new)) = formatted(&name, text, shell, tally) else { return };
    show(&name, &old, &new, args, shell, tally);
    if old == new || args.check || args.diff {
        return;
    }
    if let Err(error) = replace(path, &new) {
        tally.refused += 1;
        tally.changed -= 1;
        let message = format!("`{name}` cannot be written: {error}");
        say(Fault::new(codes::UNWRITABLE, message).help("`archc fmt --diff` shows what would change"), shell);
    }
}

/// The text and its canonical form; `None` where there is none, after saying why.
fn formatted(
    name: &str,
    text: Result<String, LoadError>,
    shell: &Shell,
    tally: &mut Tally,
) -> Option<(String, String)> {
    let limits = Limits::default();
    let mut sources = SourceMap::new();
    let result = match text {
        Err(error) => {
            let near = meant(Path::new(name)).filter(|_| error == LoadError::Missing);
            let report = unreadable(name, &error, &limits, None);
            Err([near.into_iter().fold(report, Diagnostic::help)].into_iter().collect())
        }
        Ok(text) => {
            let id = sources.add(name, text.as_str());
            format(id, &text, &limits).map(|new| (text, new))
        }
    };
    result.inspect_err(|_| tally.refused += 1).map_err(|found| shell.report(&found, &sources)).ok()
}

/// Says what changes.
fn show(name: &str, old: &str, new: &str, args: &FmtArgs, shell: &Shell, tally: &mut Tally) {
    let changed = old != new;
    tally.changed += usize::from(changed);
    if shell.json() {
        return shell.print_json(&json!({ "file": name, "changed": changed }));
    }
    if changed && args.diff {
        shell.print(unified(name, old, new, shell).trim_end_matches('\n'));
    } else if changed && !shell.quiet {
        shell.print(name);
    }
}

/// The change as `diff -u` writes it.
fn unified(name: &str, old: &str, new: &str, shell: &Shell) -> String {
    let diff = TextDiff::from_lines(old, new);
    let text = diff.unified_diff().context_radius(3).header(name, &format!("{name} (formatted)")).to_string();
    let style = shell.style();
    let paint = |line: &str| {
        let ink = match line.as_bytes().first() {
            _ if line.starts_with("---") || line.starts_with("+++") => Ink::Bold,
            Some(b'+') => Ink::New,
            Some(b'-') => Ink::Gone,
            Some(b'@') => Ink::Dim,
            _ => Ink::Plain,
        };
        style.paint(ink, line) + "\n"
    };
    text.lines().map(paint).collect()
}

/// Writes the file that the path leads to, with the rights that it had.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let rights = std::fs::metadata(&path)?.permissions();
    if rights.readonly() {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    atomic::write_with(&path, |file| {
        file.get_ref().set_permissions(rights)?;
        file.write_all(text.as_bytes())
    })
}
