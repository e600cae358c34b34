//! The log: JSON lines that can be read while training goes on.

use super::run::unwritable;
use crate::lower::{Result, atomic};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A log that lines are added to. Every line is an object with the number of steps done, `step`.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens a log to go on after `step`: later lines, written before training was interrupted, and a torn last
    /// line are taken out.
    ///
    /// # Errors
    /// `E0913` where it cannot be written.
    pub fn open(path: &Path, step: usize) -> Result<Self> {
        let failed = |error: &std::io::Error| unwritable(path, error);
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(&error).into()),
        };
        let kept = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|v| at(&v) <= step as u64);
        let kept: String = text.lines().filter(kept).map(|line| format!("{line}\n")).collect();
        if kept != text {
            atomic::write_bytes(path, kept.as_bytes()).map_err(|error| failed(&error))?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| failed(&error))?;
        Ok(Self { path: path.into(), file })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// `E0913` where it cannot be written.
    pub fn add(&mut self, line: &Value) -> Result<()> {
        let text = format!("{line}\n");
        Ok(self.file.write_all(text.as_bytes()).map_err(|error| unwritable(&self.path, &error))?)
    }
}

/// The step of a line; a line without one is never kept.
fn at(line: &Value) -> u64 {
    line["step"].as_u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn goes_on_after_the_step_resumed_from() -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut log = Log::open(&path, 0)?;
        for step in [5, 10, 15] {
            log.add(&json!({"step": step}))?;
        }
        log.file.write_all(b"{\"step\": 2").unwrap();
        Log::open(&path, 10)?.add(&json!({"step": 12}))?;
        let lines = std::fs::read_to_string(&path).unwrap();
        assert_eq!(lines, "{\"step\":5}\n{\"step\":10}\n{\"step\":12}\n");
        Ok(())
    }
}
