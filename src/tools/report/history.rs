//! How training went, from the log of its run.

use crate::train::observe::Part;
use serde_json::Value;
use std::collections::BTreeMap;

/// One line for a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepLine {
    /// Steps done.
    pub step: f64,
    /// The loss of its batch.
    pub loss: f64,
    /// The learning rate.
    pub rate: f64,
}

/// One line for an evaluation: numbers by name, `loss` and the metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpochLine {
    /// Steps done.
    pub step: f64,
    /// Epochs begun.
    pub epoch: u64,
    /// Over what was learnt from.
    pub train: BTreeMap<String, f64>,
    /// Over what the best weights are chosen on.
    pub test: BTreeMap<String, f64>,
    /// Whether it was the best so far.
    pub best: bool,
}

/// A log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Some of the steps.
    pub steps: Vec<StepLine>,
    /// All evaluations.
    pub epochs: Vec<EpochLine>,
    /// Seconds spent, in all sessions of the run.
    pub seconds: f64,
    /// What the best weights are chosen on.
    pub part: Part,
    /// What the best weights measure on the test part, where they were chosen on another.
    pub measured: BTreeMap<String, f64>,
}

impl History {
    /// Reads a log; lines that are none are passed over.
    pub fn read(text: &str) -> Self {
        let mut history = Self::default();
        let mut last = 0.0;
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let number = |name: &str| line[name].as_f64();
            let Some(step) = number("step") else { continue };
            if line["measured"].is_object() {
                history.measured = numbers(&line["measured"]["test"]);
            } else if let Some(part) = Part::ALL.into_iter().find(|part| line[part.key()].is_object()) {
                let (train, test) = (numbers(&line["train"]), numbers(&line[part.key()]));
                history.part = part;
                let epoch = line["epoch"].as_u64().unwrap_or_default();
                let best = line["best"].as_bool().unwrap_or_default();
                history.epochs.push(EpochLine { step, epoch, train, test, best });
                // Seconds count from the start of a session: where they fall, another one began.
                let now = number("seconds").unwrap_or_default();
                history.seconds += if now >= last { now - last } else { now };
                last = now;
            } else if let (Some(loss), Some(rate)) = (number("loss"), number("lr")) {
                history.steps.push(StepLine { step, loss, rate });
            }
        }
        history
    }

    /// The best evaluation.
    pub fn best(&self) -> Option<&EpochLine> {
        self.epochs.iter().rev().find(|line| line.best)
    }
}

fn numbers(object: &Value) -> BTreeMap<String, f64> {
    let entries = object.as_object().into_iter().flatten();
    entries.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_add_up_and_torn_lines_are_passed_over() {
        let text = "{\"step\":1,\"loss\":2.0,\"lr\":0.1}\n\
            {\"step\":2,\"epoch\":1,\"train\":{\"loss\":1.0},\"test\":{\"loss\":1.5,\"accuracy\":0.5},\"best\":true,\"seconds\":4.0}\n\
            {\"step\":4,\"epoch\":2,\"train\":{\"loss\":1.0},\"test\":{\"loss\":1.6},\"best\":false,\"seconds\":3.0}\n\
            {\"step\":6,\"epoch\":3,\"train\":{},\"test\":{},\"best\":false,\"seconds\":5.0}\n{\"step\": 7, \"lo";
        let history = History::read(text);
        assert_eq!((history.steps.len(), history.epochs.len(), history.seconds), (1, 3, 9.0));
        assert_eq!(history.best().map(|line| (line.step, line.test["accuracy"])), Some((2.0, 0.5)));
        assert_eq!((history.part, history.measured.len()), (Part::Test, 0));
    }

    #[test]
    fn the_test_part_is_apart_from_what_is_chosen_on() {
        let text = "{\"step\":2,\"epoch\":1,\"train\":{\"loss\":1.0},\"val\":{\"loss\":1.5},\"best\":true,\"seconds\":4.0}\n\
            {\"step\":2,\"measured\":{\"best_step\":2,\"test\":{\"samples\":9,\"loss\":1.25}}}";
        let history = History::read(text);
        assert_eq!((history.epochs.len(), history.part), (1, Part::Val));
        assert_eq!((history.epochs[0].test["loss"], history.measured["loss"]), (1.5, 1.25));
    }

    #[test]
    fn what_was_learnt_from_is_no_test() {
        let text = "{\"step\":2,\"epoch\":1,\"train\":{\"loss\":1.0},\"on_train\":{\"loss\":0.5},\"best\":true,\"seconds\":4.0}";
        let history = History::read(text);
        assert_eq!((history.part, history.epochs[0].test["loss"]), (Part::Train, 0.5));
    }
}
