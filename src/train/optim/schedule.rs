//! How the learning rate changes from step to step.

use crate::elaborate::recipe::Schedule;

/// The factor on the learning rate at a step, counted from 0, of `total` steps.
///
/// While warming up it is `(step + 1) / warmup`, which reaches 1 at the last step of the warm-up. Then, as in PyTorch:
/// a step schedule is multiplied by its factor from each step in `at` on; a cosine is
/// `floor + (1 − floor)·(1 + cos(π·t)) / 2`, t the share done of the steps after the warm-up (`CosineAnnealingLR` with
/// `T_max` of those steps), so that it reaches `floor` as training ends.
pub fn rate_factor(schedule: &Schedule, step: usize, total: usize) -> f64 {
    let warmup = match schedule {
        Schedule::Constant { warmup } | Schedule::Step { warmup, .. } | Schedule::Cosine { warmup, .. } => *warmup,
    };
    let warm = if step < warmup { (step + 1) as f64 / warmup as f64 } else { 1.0 };
    warm * match schedule {
        Schedule::Constant { .. } => 1.0,
        Schedule::Step { at, factor, .. } => factor.powi(at.iter().filter(|&&a| step >= a).count() as i32),
        Schedule::Cosine { floor, .. } => {
            let done = step.saturating_sub(warmup) as f64 / total.saturating_sub(warmup).max(1) as f64;
            floor + (1.0 - floor) * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()) / 2.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fall_where_they_are_said() {
        let schedule = Schedule::Step { at: vec![10, 20], factor: 0.1, warmup: 0 };
        let factors: Vec<f64> = [0, 9, 10, 19, 20].iter().map(|&s| rate_factor(&schedule, s, 30)).collect();
        for (found, expected) in factors.iter().zip([1.0, 1.0, 0.1, 0.1, 0.01]) {
            assert!((found - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn a_cosine_warms_up_and_ends_at_its_floor() {
        let schedule = Schedule::Cosine { warmup: 4, floor: 0.2 };
        let at = |step| rate_factor(&schedule, step, 104);
        assert_eq!([at(0), at(3), at(4)], [0.25, 1.0, 1.0]);
        assert!((at(54) - 0.6).abs() < 1e-12, "half way: {}", at(54));
        assert!((at(104) - 0.2).abs() < 1e-12);
    }
}
