//! What training looks like: a bar in a terminal, a plain line an epoch in a pipe, JSON on request.

use super::shell::Shell;
use archc::elaborate::recipe::Metric;
use archc::train::observe::{Epoch, Event, Observer, Scores, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::time::Duration;

/// Shows training events as they come.
pub struct Progress {
    shell: Shell,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar where people watch, lines otherwise.
    pub fn new(shell: &Shell) -> Self {
        let watched = shell.interactive() && !shell.json() && !shell.quiet;
        Self { shell: shell.clone(), bar: watched.then(bar) }
    }

    fn step(&self, step: &Step) {
        let Some(bar) = &self.bar else { return };
        bar.set_length(step.batches as u64);
        bar.set_position(step.batch as u64);
        bar.set_prefix(format!("epoch {:>3}", step.epoch + 1));
        bar.set_message(format!(
            "loss {:.4}   {}{} img/s   {} left",
            step.mean_loss,
            metrics(&step.metrics, ""),
            grouped(step.samples_per_second),
            clock(step.seconds_left),
        ));
    }

    fn epoch(&self, epoch: &Epoch) {
        if self.shell.json() {
            self.shell.print(&epoch_json(epoch).to_string());
            return;
        }
        let width = epoch.epochs.to_string().len();
        let line = format!(
            "epoch {:>width$}/{}  step {:>6}  loss {:.4}   {}{} img/s   {} loss {:.4}   {}{}",
            epoch.epoch,
            epoch.epochs,
            epoch.step,
            epoch.train.loss,
            metrics(&epoch.train.metrics, ""),
            grouped(epoch.samples_per_second),
            epoch.part.name(),
            epoch.test.loss,
            metrics(&epoch.test.metrics, &format!("{} ", epoch.part.name())),
            if epoch.best { "best" } else { "" },
        );
        self.line(line.trim_end());
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if !self.shell.quiet => self.shell.print(text),
            None => {}
        }
    }
}

impl Observer for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step(step) => self.step(step),
            Event::Epoch(epoch) => self.epoch(epoch),
            Event::Evaluating { done, of } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("measuring, {done}/{of}"));
                }
            }
            Event::Warning(fault) => {
                let clear = || self.shell.fault(fault);
                match &self.bar {
                    Some(bar) => bar.suspend(clear),
                    None => clear(),
                }
            }
            Event::Started(_) | Event::Measured { .. } | Event::Saved { .. } => {}
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

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix}  {bar:25.green/dim} {pos:>4}/{len}   {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸━"));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

fn epoch_json(epoch: &Epoch) -> serde_json::Value {
    json!({
        "event": "epoch", "epoch": epoch.epoch, "epochs": epoch.epochs, "step": epoch.step, "steps": epoch.steps,
        "train": scores_json(&epoch.train), (epoch.part.key()): scores_json(&epoch.test), "best": epoch.best,
        "images_per_second": epoch.samples_per_second,
    })
}

/// Scores as one JSON object: samples, loss and a number for each metric.
pub fn scores_json(scores: &Scores) -> serde_json::Value {
    let mut object = json!({ "samples": scores.samples, "loss": scores.loss });
    for (metric, value) in &scores.metrics {
        object[metric.name()] = json!(value);
    }
    object
}

/// `acc 98.3 %   `: each metric with three blanks after it.
pub fn metrics(list: &[(Metric, f64)], before: &str) -> String {
    list.iter().map(|&(metric, value)| format!("{before}{} {}   ", short(metric), amount(metric, value))).collect()
}

/// A metric's value as people write it.
pub fn amount(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Accuracy | Metric::Top5 => format!("{:.2} %", 100.0 * value),
        Metric::MeanIou | Metric::Dice | Metric::Mse | Metric::Mae => format!("{value:.4}"),
    }
}

fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::Accuracy => "acc",
        Metric::Top5 => "top-5",
        Metric::MeanIou => "mean IoU",
        Metric::Dice => "dice",
        Metric::Mse => "mse",
        Metric::Mae => "mae",
    }
}

/// `4,180`
fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `0:01:21`
pub fn clock(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { 0 };
    format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
}
