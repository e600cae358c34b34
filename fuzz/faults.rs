//! What was found: counted, made small, and kept once for each place where it happens.

use crate::Asked;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A panic, or another sudden end.
    Panic,
    /// It did not end in time.
    Hang,
    /// It said `I0001`.
    Internal,
    /// It held too much memory.
    Memory,
    /// It did not do what it promises.
    Wrong,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Panic, Self::Hang, Self::Internal, Self::Memory, Self::Wrong];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Hang => "hang",
            Self::Internal => "internal",
            Self::Memory => "memory",
            Self::Wrong => "wrong",
        }
    }

    /// The kind of a verdict, which begins with it.
    pub fn of(what: &str) -> Self {
        match what.split(':').next() {
            Some("panic") => Self::Panic,
            Some("hang") => Self::Hang,
            Some("I0001") => Self::Internal,
            Some("memory") => Self::Memory,
            _ => Self::Wrong,
        }
    }
}

/// An input with which something went wrong.
pub struct Fault {
    pub target: &'static str,
    /// The seed that the input was made of.
    pub seed: usize,
    pub kind: Kind,
    /// What happened.
    pub what: String,
    pub bytes: Vec<u8>,
}

impl Fault {
    /// Where it happens: two faults of one place are one.
    fn place(what: &str) -> String {
        let told = if what.contains(".rs:") { what.split(": ").next().unwrap_or(what) } else { what };
        let numberless = told.chars().filter(|c| what.contains(".rs:") || !c.is_ascii_digit());
        // Names and numbers of the input stand between backticks.
        let mut inside = false;
        let plain = numberless.filter(|&c| {
            inside ^= c == '`';
            !inside
        });
        plain.take(120).collect()
    }

    /// Whether another fault is the same.
    pub fn is_like(&self, what: &str) -> bool {
        Self::place(&self.what) == Self::place(what)
    }

    fn file(&self, out: &Path) -> PathBuf {
        let text = format!("{} {}", self.kind.name(), Self::place(&self.what));
        let hash = text.bytes().fold(0xcbf2_9ce4u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        // The seed is part of the name, so that the input can be read again, and not of what makes faults different.
        let marker = out.join(format!("faults/{}-{}-{hash:08x}", self.target, self.kind.name()));
        let seed = std::fs::read_to_string(&marker).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(self.seed);
        marker.with_file_name(format!("{}-{seed}-{}-{hash:08x}.input", self.target, self.kind.name()))
    }

    /// Keeps it, unless one of the same place is kept. Whether it was.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn keep(&self, out: &Path) -> io::Result<bool> {
        std::fs::create_dir_all(out.join("faults"))?;
        let hashed = self.file(out);
        let marker = marker(&hashed);
        match std::fs::File::options().write(true).create_new(true).open(&marker) {
            Ok(mut file) => io::Write::write_all(&mut file, self.seed.to_string().as_bytes())?,
            Err(_) => return Ok(false),
        }
        self.write(out).map(|()| true)
    }

    /// Writes the input, and what to do with it.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, out: &Path) -> io::Result<()> {
        let file = self.file(out);
        std::fs::write(&file, &self.bytes)?;
        let again = format!("fault_campaign --replay {}", file.display());
        std::fs::write(file.with_extension("txt"), format!("{}: {}\n{again}\n", self.kind.name(), self.what))
    }
}

/// `check-12-panic-0123.input` is marked by `check-panic-0123`.
fn marker(file: &Path) -> PathBuf {
    let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let parts: Vec<&str> = stem.split('-').collect();
    let kept: Vec<&str> = parts.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, part)| *part).collect();
    file.with_file_name(kept.join("-"))
}

/// How long an input is made smaller, and how often it is tried.
const PATIENCE: Duration = Duration::from_secs(20);
const TRIES: usize = 2000;

/// The input without what does not matter: stretches are taken out, halves first, while `fails` holds.
pub fn minimised(bytes: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (start, mut tries) = (Instant::now(), 0);
    let mut best = bytes.to_vec();
    let mut step = best.len().div_ceil(2);
    while step > 0 {
        let mut at = 0;
        while at < best.len() {
            if tries >= TRIES || start.elapsed() > PATIENCE {
                return best;
            }
            tries += 1;
            let end = (at + step).min(best.len());
            let less = [&best[..at], &best[end..]].concat();
            match fails(&less) {
                true => best = less,
                false => at = end,
            }
        }
        step /= 2;
    }
    best
}

/// How many inputs were read, and what went wrong.
#[derive(Clone, Default)]
pub struct Tally {
    /// The input that is read, or the next one.
    pub next: u64,
    pub inputs: u64,
    /// By kind, as [`Kind::ALL`] has them.
    pub faults: [u64; 5],
    /// Whether a fault is being made smaller.
    pub minimising: bool,
    /// Seconds of workers.
    pub seconds: f64,
}

impl Tally {
    /// Counts a fault.
    pub fn count(&mut self, kind: Kind) {
        self.faults[kind as usize] += 1;
    }

    /// Where a worker leaves it.
    pub fn file(asked: &Asked, job: usize) -> PathBuf {
        asked.out.join(format!("state-{job}"))
    }

    /// As a line of one length, to be written over.
    pub fn line(&self) -> String {
        let [a, b, c, d, e] = self.faults;
        let numbers = format!(
            "{} {} {a} {b} {c} {d} {e} {} {:.1}",
            self.next,
            self.inputs,
            u8::from(self.minimising),
            self.seconds
        );
        format!("{numbers:<159}\n")
    }

    /// Of a line.
    pub fn read(line: &str) -> Option<Self> {
        let numbers: Vec<f64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [next, inputs, a, b, c, d, e, minimising, seconds] = numbers[..] else { return None };
        let faults = [a, b, c, d, e].map(|n| n as u64);
        Some(Self { next: next as u64, inputs: inputs as u64, faults, minimising: minimising > 0.0, seconds })
    }

    /// Adds what a worker did.
    pub fn add(&mut self, other: &Self) {
        self.next = other.next;
        self.inputs += other.inputs;
        self.faults.iter_mut().zip(other.faults).for_each(|(own, more)| *own += more);
    }
}
