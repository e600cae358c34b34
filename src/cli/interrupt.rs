//! Ctrl-C: finish the step, save, and say how to go on. A second one ends the process at once.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Exit status after a signal, as shells count: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// A flag that Ctrl-C (or a polite kill) raises.
pub fn stop_flag() -> &'static AtomicBool {
    // Without a handler, Ctrl-C ends the process at once: less kind, and no reason not to train.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED);
        }
    });
    &STOP
}

/// Lets Ctrl-C end the process at once, with the status that a stopped run has too.
pub fn end_at_once() {
    // Without a handler, the signal itself ends the process, which shells count the same.
    let _ = ctrlc::set_handler(|| std::process::exit(INTERRUPTED));
}
