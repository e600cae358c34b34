//! How fast it goes, and how long it will take.

use std::time::Instant;

/// How much of the newest step goes into the running mean of step times.
const NEWEST: f64 = 0.1;

/// A clock over the steps of one session.
pub struct Pace {
    started: Instant,
    first: usize,
    step_began: Instant,
    seconds_per_sample: Option<f64>,
}

impl Pace {
    /// Starts at a step.
    pub fn new(step: usize) -> Self {
        let now = Instant::now();
        Self { started: now, first: step, step_began: now, seconds_per_sample: None }
    }

    /// A step begins, its data included.
    pub fn begin(&mut self) {
        self.step_began = Instant::now();
    }

    /// The step is done.
    pub fn end(&mut self, samples: usize) {
        let now = self.step_began.elapsed().as_secs_f64() / samples.max(1) as f64;
        self.seconds_per_sample = Some(self.seconds_per_sample.map_or(now, |mean| mean + NEWEST * (now - mean)));
    }

    /// Samples a second, lately.
    pub fn samples_per_second(&self) -> f64 {
        self.seconds_per_sample.map_or(0.0, |seconds| 1.0 / seconds.max(1e-9))
    }

    /// Seconds since the session began.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Seconds until the end, evaluations and all, at the mean pace of the session.
    pub fn seconds_left(&self, step: usize, steps: usize) -> f64 {
        let done = step.saturating_sub(self.first).max(1);
        self.seconds() / done as f64 * steps.saturating_sub(step) as f64
    }
}
