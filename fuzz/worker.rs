//! A worker: reads input after input of one target, and is watched while it does.

use crate::faults::{Fault, Kind, Tally, minimised};
use crate::kit::{self, Feeder, Place};
use crate::{Asked, count_memory};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// How a worker ends that hangs, or holds too much memory.
pub const HUNG: i32 = 86;
pub const GREW: i32 = 87;

/// Seconds of CPU time that one input may take: without optimisation, everything takes longer.
const SECONDS: f64 = if cfg!(debug_assertions) { 10.0 } else { 2.0 };

/// How long an input may take on a busy machine, or while it waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// As much stack as a program's first thread has.
const STACK: usize = 8 << 20;

/// Changes with every input that is read.
static BEAT: AtomicU64 = AtomicU64::new(0);

/// The last panic, of any thread: where, and what it said.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Seconds of CPU time that this process has had, where the system says (Linux); else of any time.
fn seconds(start: Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|field| field.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(own), Some(system)) => (own + system) / 100.0,
        _ => start.elapsed().as_secs_f64(),
    }
}

/// Ends the process where an input takes too long.
fn watch() {
    let start = Instant::now();
    let (mut beat, mut since, mut at) = (BEAT.load(SeqCst), seconds(start), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let now = BEAT.load(SeqCst);
        if now != beat {
            (beat, since, at) = (now, seconds(start), Instant::now());
            continue;
        }
        // Before the first input, sound ones are being made.
        let slow = beat > 0 && seconds(start) - since > SECONDS;
        if slow || at.elapsed() > PATIENCE {
            eprintln!("hang: it takes more than {SECONDS} s");
            std::process::exit(HUNG);
        }
    }
}

/// Ends the process with the one that started it, however that ends.
fn follow() {
    let mut byte = [0];
    while io::stdin().read(&mut byte).is_ok_and(|n| n > 0) {}
    std::process::exit(0);
}

fn prepare() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        let said = info.payload_as_str().unwrap_or("a panic without words");
        let first = said.lines().next().unwrap_or_default();
        if let Ok(mut last) = PANIC.lock() {
            last.get_or_insert(format!("{place}: {first}"));
        }
    }));
    std::thread::spawn(watch);
}

/// What is wrong with an input, if anything is.
pub fn judge(feeder: &Feeder, place: &Place, seed: usize, bytes: &[u8]) -> Option<(Kind, String)> {
    BEAT.fetch_add(1, SeqCst);
    count_memory();
    let done = catch_unwind(AssertUnwindSafe(|| feeder.read(place, seed, bytes)));
    let panicked = PANIC.lock().ok().and_then(|mut last| last.take());
    match (panicked, done) {
        (Some(what), _) => Some((Kind::Panic, what)),
        (None, Err(_)) => Some((Kind::Panic, "a panic of unknown place".into())),
        (None, Ok(Err(what))) => Some((Kind::of(&what), what)),
        (None, Ok(Ok(()))) => None,
    }
}

/// The place of a worker.
pub fn place(asked: &Asked, job: usize) -> Place {
    Place { folder: asked.out.join(format!("work-{job}")), program: asked.program.clone() }
}

/// Runs on a thread with as much stack as commands have.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| io::Error::other("a mistake in the campaign itself"))
    })
}

/// Reads inputs until its time is over, and leaves its count in a file.
pub fn work(asked: &Asked, (job, start, time): (usize, u64, f64)) -> io::Result<bool> {
    std::thread::spawn(follow);
    prepare();
    deep(|| feed(asked, job, start, time))?.map(|()| true)
}

fn feed(asked: &Asked, job: usize, start: u64, time: f64) -> io::Result<()> {
    let place = place(asked, job);
    std::fs::create_dir_all(&place.folder)?;
    let target = asked.target.as_deref().and_then(kit::target).ok_or(io::Error::other("a worker wants a target"))?;
    let feeder = Feeder::new(target, asked.seed, &place);
    let mut tally = Tally { next: start, ..Tally::default() };
    let mut state = std::fs::File::create(Tally::file(asked, job))?;
    let until = Instant::now() + Duration::from_secs_f64(time);
    while !feeder.seeds.is_empty() && Instant::now() < until {
        note(&mut state, &tally)?;
        let (seed, bytes) = feeder.input(tally.next);
        let found = judge(&feeder, &place, seed, &bytes);
        if let Some((kind, what)) = found {
            tally.count(kind);
            let mut fault = Fault { target: target.name, seed, kind, what, bytes };
            if fault.keep(&asked.out)? {
                tally.minimising = true;
                note(&mut state, &tally)?;
                let same = |bytes: &[u8]| judge(&feeder, &place, seed, bytes).filter(|(k, _)| *k == kind);
                fault.bytes =
                    minimised(&fault.bytes, |bytes| same(bytes).is_some_and(|(_, what)| fault.is_like(&what)));
                fault.write(&asked.out)?;
                tally.minimising = false;
            }
        }
        tally.inputs += 1;
        tally.next += asked.jobs as u64;
    }
    note(&mut state, &tally)
}

fn note(file: &mut std::fs::File, tally: &Tally) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(tally.line().as_bytes())
}

/// Reads one input that was kept.
pub fn replay(file: &Path, asked: &Asked) -> io::Result<bool> {
    prepare();
    deep(|| {
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let mut parts = name.split('-');
        let target =
            parts.next().and_then(kit::target).ok_or(io::Error::other("the file's name begins with no target"))?;
        let seed = parts.next().and_then(|n| n.parse().ok()).ok_or(io::Error::other("the file's name has no seed"))?;
        let folder = tempfile::tempdir()?;
        let place = Place { folder: folder.path().to_path_buf(), program: asked.program.clone() };
        let feeder = Feeder::new(target, 0, &place);
        let start = Instant::now();
        let found = judge(&feeder, &place, seed, &std::fs::read(file)?);
        match &found {
            Some((kind, what)) => println!("{}: {what}", kind.name()),
            None => println!("nothing is wrong ({} ms)", start.elapsed().as_millis()),
        }
        Ok(found.is_none())
    })?
}
