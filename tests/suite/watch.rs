//! `archc check --watch`, as editors save files.

use crate::cli::archc;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const GOOD: &str = "import B from \"lib/b.arch\"\nmodel M() { input x [N, 4] -> B(3) }\n";

/// A watch whose lines come through a channel.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(folder: &Path) -> Self {
        let args = ["check", "--watch", "net.arch", "--format", "json"];
        let mut child = archc(folder).args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { child, lines }
    }

    /// Waits for a check that found this many errors; saving may be several changes, so others may come before it.
    fn errors(&self, wanted: u64) -> Value {
        loop {
            let line =
                self.lines.recv_timeout(Duration::from_secs(60)).unwrap_or_else(|_| panic!("no {wanted} errors"));
            let object: Value = serde_json::from_str(&line).unwrap();
            if object["event"] == "checked" && object["errors"] == wanted {
                return object;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_way_of_saving_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("lib")).unwrap();
    fs::write(path("lib/b.arch"), "block B(w) { linear(w) }").unwrap();
    fs::write(path("net.arch"), GOOD).unwrap();
    let mut watch = Watch::start(folder.path());
    assert_eq!(watch.errors(0)["turn"], 1);
    fs::write(path("net.arch"), GOOD.replace("B(3)", "C(3)")).unwrap();
    watch.errors(1);
    // Written beside and renamed over it, as many editors do.
    fs::write(path("net.arch~new"), GOOD).unwrap();
    fs::rename(path("net.arch~new"), path("net.arch")).unwrap();
    watch.errors(0);
    // What is imported, from another folder.
    fs::write(path("lib/b.arch"), "block B(w) { linaer(w) }").unwrap();
    watch.errors(1);
    fs::write(path("lib/b.arch"), "block B(w) { linear(w) }").unwrap();
    watch.errors(0);
    // Gone, and there again; the same of a whole folder.
    fs::remove_file(path("net.arch")).unwrap();
    watch.errors(1);
    fs::write(path("net.arch"), GOOD).unwrap();
    watch.errors(0);
    fs::remove_dir_all(path("lib")).unwrap();
    watch.errors(1);
    fs::create_dir(path("lib")).unwrap();
    fs::write(path("lib/b.arch"), "block B(w) { linear(w) }").unwrap();
    watch.errors(0);
    assert_eq!(watch.child.try_wait().unwrap(), None);
    Command::new("kill").args(["-INT", &watch.child.id().to_string()]).status().unwrap();
    assert_eq!(watch.child.wait().unwrap().code(), Some(130));
}
