//! `archc check --watch`: check again whenever a file changes.
//!
//! Folders are watched, not files: an editor that writes a new file and renames it over the old one, and a file that is removed
//! and comes back, are seen like any other change.

use super::check::{CheckArgs, Found, once};
use super::interrupt;
use super::shell::{Exit, Shell};
use archc::base::source::SourceFile;
use archc::elaborate::Options;
use archc::tools::text::Ink;
use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// After a change, so long must pass without another one: saving is often several changes.
const SETTLED: Duration = Duration::from_millis(60);
/// Where changes never end, they are answered after so long.
const LONGEST: Duration = Duration::from_secs(1);
/// How often folders that are not there are looked for, and files where the system does not tell of changes.
const LOOK: Duration = Duration::from_millis(500);

/// Checks, waits for a change, and checks again, until Ctrl-C or until nobody reads the output any more.
pub fn run(args: &CheckArgs, options: &Options, shell: &Shell) -> Exit {
    interrupt::end_at_once();
    let (sender, changes) = channel();
    let mut watched = match Watched::new(sender) {
        Ok(watched) => watched,
        Err(error) => return shell.usage(&format!("files cannot be watched: {error}"), "leave out `--watch`"),
    };
    let mut found = Found::default();
    for turn in 1.. {
        // Folders are watched before they are read, so that no change is missed in between.
        watched.watch(folders(args, &found.read));
        shell.clear();
        let began = Instant::now();
        // What makes no sense now (a folder without files) may make sense after the next change.
        found = once(args, options, shell).unwrap_or(Found { errors: 1, ..Found::default() });
        if !say(&found, turn, began.elapsed(), shell) {
            break;
        }
        watched.watch(folders(args, &found.read));
        // A folder that comes is a change, too.
        while !changed(&changes, &watched) && !watched.add() {}
    }
    Exit::Clean
}

/// Says what was found, as a line between two checks. `false` where nobody reads it.
fn say(found: &Found, turn: usize, took: Duration, shell: &Shell) -> bool {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    if shell.json() {
        let marker = serde_json::json!({
            "event": "checked", "turn": turn, "files": found.files, "models": found.models, "errors": found.errors,
            "warnings": found.warnings, "milliseconds": took.as_millis() as u64, "time": seconds,
        });
        return shell.deliver(&marker.to_string());
    }
    let time = format!("{:02}:{:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let milliseconds = took.as_secs_f64() * 1e3;
    let text = format!("{time}  {}  ({milliseconds:.0} ms); waiting for changes, Ctrl-C ends", found.words());
    shell.deliver(&shell.style().paint(Ink::Dim, &text))
}

/// Folders that hold what is checked: of files, of folders with all below them (`true`), and of what is imported, there or not.
fn folders(args: &CheckArgs, read: &[SourceFile]) -> BTreeSet<(PathBuf, bool)> {
    let named = args.paths.iter().map(|path| if path.is_dir() { (path.clone(), true) } else { (parent(path), false) });
    let read = read.iter().flat_map(|file| {
        let own = parent(Path::new(&file.name));
        let lines = file.text.lines().filter(|line| line.trim_start().starts_with("import "));
        let imported = lines.filter_map(|line| line.split('"').nth(1)).map(|path| parent(&own.join(path)));
        let imported: Vec<_> = imported.collect();
        std::iter::once(own).chain(imported).map(|folder| (folder, false))
    });
    let all: BTreeSet<_> = named.chain(read).collect();
    let deep: Vec<_> = all.iter().filter(|(_, deep)| *deep).map(|(folder, _)| folder.clone()).collect();
    all.into_iter().filter(|(folder, own)| *own || !deep.iter().any(|deep| folder.starts_with(deep))).collect()
}

fn parent(path: &Path) -> PathBuf {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_path_buf()
}

/// Waits for a change that matters, and for silence after it. `false` where it was time to look for folders instead.
fn changed(changes: &Receiver<notify::Result<Event>>, watched: &Watched) -> bool {
    let first = if watched.missing() { changes.recv_timeout(LOOK).ok() } else { changes.recv().ok() };
    let Some(first) = first else { return false };
    let (mut matters, began) = (watched.concerns(&first), Instant::now());
    while let Ok(event) = changes.recv_timeout(SETTLED) {
        matters |= watched.concerns(&event);
        if began.elapsed() > LONGEST {
            break;
        }
    }
    matters
}

/// Folders that are watched, and those that are to be.
struct Watched {
    watcher: Box<dyn Watcher>,
    wanted: BTreeSet<(PathBuf, bool)>,
    held: BTreeSet<(PathBuf, bool)>,
}

impl Watched {
    /// The system tells of changes; where it does not, files are looked at again and again.
    fn new(sender: Sender<notify::Result<Event>>) -> notify::Result<Self> {
        let again = sender.clone();
        let watcher: Box<dyn Watcher> = match RecommendedWatcher::new(sender, Config::default()) {
            Ok(watcher) => Box::new(watcher),
            Err(_) => Box::new(PollWatcher::new(again, Config::default().with_poll_interval(LOOK))?),
        };
        Ok(Self { watcher, wanted: BTreeSet::new(), held: BTreeSet::new() })
    }

    /// Watches these folders and no others.
    fn watch(&mut self, wanted: BTreeSet<(PathBuf, bool)>) {
        for (folder, _) in self.held.difference(&wanted) {
            // A folder that is gone is not watched any more anyway.
            let _ = self.watcher.unwatch(folder);
        }
        self.held.retain(|folder| wanted.contains(folder));
        self.wanted = wanted;
        self.add();
    }

    /// Watches what is wanted and not held. Whether something was added.
    fn add(&mut self) -> bool {
        // A folder that was removed is not held: should it come back, it is another one.
        self.held.retain(|(folder, _)| folder.is_dir());
        let missing: Vec<_> = self.wanted.difference(&self.held).cloned().collect();
        let mut added = false;
        for (folder, deep) in missing {
            let mode = if deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            if self.watcher.watch(&folder, mode).is_ok() {
                added |= self.held.insert((folder, deep));
            }
        }
        added
    }

    fn missing(&self) -> bool {
        self.held.len() < self.wanted.len()
    }

    /// Whether a change may be one of a source or of a folder: reading is none, nor are the files that editors keep beside a
    /// source. What a watcher could not follow may be anything.
    fn concerns(&self, event: &notify::Result<Event>) -> bool {
        let Ok(event) = event else { return true };
        let folder = |path: &Path| self.wanted.iter().any(|(folder, _)| folder.file_name() == path.file_name());
        let source = |path: &PathBuf| {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '#']));
            path.extension().map_or_else(|| folder(path), |extension| extension == "arch" && !hidden)
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => event.paths.iter().any(source),
            EventKind::Access(_) => false,
            _ => event.need_rescan() || event.paths.iter().any(source),
        }
    }
}
