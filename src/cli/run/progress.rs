//! How far it is: a bar where people watch, lines otherwise.

use crate::cli::shell::Shell;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Between two lines about the tiles of one picture.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows how many of the jobs are done, and how many tiles of the present one.
pub struct Progress {
    shell: Shell,
    jobs: usize,
    bar: Option<ProgressBar>,
    said: Instant,
}

impl Progress {
    /// Nothing is done yet.
    pub fn new(jobs: usize, shell: &Shell) -> Self {
        let watched = shell.interactive() && !shell.quiet;
        let bar = (watched && jobs > 1).then(|| bar(jobs));
        Self { shell: shell.clone(), jobs, bar, said: Instant::now() }
    }

    /// A job begins; what is done to its picture is said, with its number where there are several.
    pub fn begin(&mut self, job: usize, shown: &str, line: Option<&str>) {
        self.said = Instant::now();
        if let Some(bar) = &self.bar {
            bar.set_position(job as u64);
            bar.set_message(shown.to_string());
        }
        let Some(line) = line.filter(|_| !self.shell.json()) else { return };
        let number = if self.jobs > 1 { format!("[{}/{}] ", job + 1, self.jobs) } else { String::new() };
        let line = format!("{number}{line}");
        self.beside(|shell| shell.note(&line));
    }

    /// So many tiles of the present picture are done.
    pub fn tile(&mut self, shown: &str, done: usize, of: usize) {
        let watched = self.shell.interactive() && !self.shell.quiet;
        if watched {
            let bar = self.bar.get_or_insert_with(|| bar(of));
            match self.jobs {
                1 => bar.set_position(done as u64),
                _ => bar.set_message(format!("{shown}, tile {}/{of}", done + 1)),
            }
        } else if self.said.elapsed() >= PAUSE {
            self.said = Instant::now();
            self.shell.note(&format!("{shown}: {done} of {of} tiles"));
        }
    }

    /// Prints without tearing the bar.
    pub fn beside(&self, print: impl FnOnce(&Shell)) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print(&self.shell)),
            None => print(&self.shell),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(of: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:25.green/dim} {pos:>4}/{len}   {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸━"));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
