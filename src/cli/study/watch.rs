//! What a study looks like while it is made: a bar in a terminal, a line for each part elsewhere.

use crate::cli::shell::Shell;
use archc::study::{Progress, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Shows how far a study is.
pub struct Bar {
    shell: Shell,
    bar: Option<ProgressBar>,
    /// Parts that were only read, to be told of in one line.
    read: usize,
}

impl Bar {
    /// A bar where people watch, lines otherwise.
    pub fn new(shell: &Shell) -> Self {
        let watched = shell.interactive() && !shell.json() && !shell.quiet;
        Self { shell: shell.clone(), bar: watched.then(bar), read: 0 }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.shell.note(text),
        }
    }
}

impl Watch for Bar {
    fn progress(&mut self, progress: &Progress) {
        let Progress { part, done, of, share, detail, read } = *progress;
        if let Some(bar) = &self.bar {
            bar.set_length(1000 * of as u64);
            let within = if share < 1.0 { share } else { 0.0 };
            bar.set_position(((done as f64 + within) * 1000.0) as u64);
            bar.set_message(format!("{part}  {detail}"));
        }
        if read {
            self.read += 1;
            return;
        }
        if self.read > 0 {
            self.line(&format!("{} of {of} parts were done before", self.read));
            self.read = 0;
        }
        if share >= 1.0 {
            self.line(format!("{done:>3}/{of}  {part}  {detail}").trim_end());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.read > 0 {
            self.line(&format!("all {} parts were done before", self.read));
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:25.green/dim} {percent:>3} %   {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸━"));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
