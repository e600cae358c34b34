//! The lines of the log.

use super::observe::{Epoch, Scores, Step};
use serde_json::{Map, Value, json};

/// A line for a step.
pub fn step(step: &Step) -> Value {
    json!({
        "step": step.step,
        "epoch": step.epoch,
        "loss": step.loss,
        "lr": step.rate,
        "samples_per_second": step.samples_per_second.round(),
    })
}

/// A line for an evaluation; `seconds` since the session began.
pub fn epoch(epoch: &Epoch, seconds: f64) -> Value {
    json!({
        "step": epoch.step,
        "epoch": epoch.epoch,
        "train": scores(&epoch.train),
        (epoch.part.key()): scores(&epoch.test),
        "best": epoch.best,
        "seconds": (seconds * 10.0).round() / 10.0,
        "samples_per_second": epoch.samples_per_second.round(),
    })
}

/// The last line, where the test part was measured once, with the best weights: those after `best` steps.
pub fn finished(step: usize, best: usize, part: &Scores) -> Value {
    json!({ "step": step, "measured": { "best_step": best, "test": scores(part) } })
}

/// `{"samples": …, "loss": …, "accuracy": …}`.
pub fn scores(scores: &Scores) -> Value {
    let mut map = Map::new();
    map.insert("samples".into(), scores.samples.into());
    map.insert("loss".into(), scores.loss.into());
    map.extend(scores.metrics.iter().map(|&(metric, value)| (metric.name().to_string(), value.into())));
    Value::Object(map)
}
