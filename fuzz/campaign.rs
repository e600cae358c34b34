//! A fault campaign: every reader of archc is fed changed inputs for minutes, and none may panic, hang, grow without
//! bound, or call a mistake its own.
//!
//! `cargo run --release --example fault_campaign -- --minutes 30 --jobs 2 --seed 1 --out /tmp/faults` tries every target in
//! turn (`--target check` one of them); `--replay FILE` reads one input that was found again, and says what happens.
//! CONTRIBUTING.md has more.
//!
//! Workers are processes of their own, one for each job: what kills a worker is a fault of the input that it read, and the
//! next one goes on behind it. `kit` has the targets, `worker` reads, `supervise` starts workers and counts, `faults` makes
//! what was found small and keeps it.

mod faults;
mod kit;
mod supervise;
mod worker;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes allocated now, those at which the program ends, and how many an input may take.
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);
const GROWTH: usize = 1 << 30;

/// Starts to count what one input takes.
fn count_memory() {
    MOST.store(HELD.load(Relaxed).saturating_add(GROWTH), Relaxed);
}

struct Counting;

impl Counting {
    fn grow(bytes: usize) {
        let held = HELD.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if held > MOST.load(Relaxed) {
            MOST.store(usize::MAX, Relaxed);
            std::process::exit(worker::GREW);
        }
    }
}

// SAFETY: all is handed to the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HELD.fetch_sub(layout.size(), Relaxed);
        Self::grow(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(start, layout, size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the command line says.
#[derive(Clone)]
struct Asked {
    minutes: f64,
    jobs: usize,
    seed: u64,
    target: Option<String>,
    out: PathBuf,
    program: Option<PathBuf>,
    replay: Option<PathBuf>,
    /// For workers: which one this is, where it starts, and for how many seconds it reads.
    worker: Option<(usize, u64, f64)>,
}

const USAGE: &str = "fault_campaign [--minutes N] [--jobs N] [--seed N] [--target NAME] [--out DIR] [--archc PROGRAM]
fault_campaign --replay FILE [--archc PROGRAM]

--minutes  how long (1)
--jobs     workers at once (2)
--seed     which inputs (1); the same seed goes on where the campaign in DIR stopped
--target   one target alone
--out      where faults are kept (fault-campaign in the temporary folder)
--archc    the program for whole commands (the one beside this one's folder)";

fn asked() -> Option<Asked> {
    let mut asked = Asked {
        minutes: 1.0,
        jobs: 2,
        seed: 1,
        target: None,
        out: std::env::temp_dir().join("fault-campaign"),
        program: beside(),
        replay: None,
        worker: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--minutes" => asked.minutes = value.parse().ok()?,
            "--jobs" => asked.jobs = value.parse().ok().filter(|&jobs| jobs > 0)?,
            "--seed" => asked.seed = value.parse().ok()?,
            "--target" => asked.target = Some(kit::target(&value)?.name.to_string()),
            "--out" => asked.out = value.into(),
            "--archc" => asked.program = Some(std::fs::canonicalize(value).ok()?),
            "--replay" => asked.replay = Some(value.into()),
            "--worker" => {
                let numbers: Vec<f64> = value.split(',').map_while(|n| n.parse().ok()).collect();
                let [job, start, seconds] = numbers[..] else { return None };
                asked.worker = Some((job as usize, start as u64, seconds));
            }
            _ => return None,
        }
    }
    Some(asked)
}

/// `target/release/archc` for `target/release/examples/fault_campaign`.
fn beside() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let program = own.parent()?.parent()?.join("archc");
    program.exists().then_some(program)
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        eprintln!("{USAGE}\n\ntargets: {}", kit::TARGETS.iter().map(|t| t.name).collect::<Vec<_>>().join(", "));
        return ExitCode::from(2);
    };
    let result = match (&asked.replay, asked.worker) {
        (Some(file), _) => worker::replay(file, &asked),
        (_, Some(part)) => worker::work(&asked, part),
        _ => supervise::run(&asked),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
