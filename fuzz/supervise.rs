//! Starts workers, target after target, and goes on behind an input that ended one.

use crate::Asked;
use crate::faults::{Fault, Kind, Tally, minimised};
use crate::kit::{Feeder, TARGETS, Target};
use crate::worker::{GREW, HUNG, place};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Seconds that a worker reads one target before it is another's turn.
const TURN: f64 = 15.0;

/// How long a worker may take to end after its turn: the last input, and what is made smaller.
const GRACE: Duration = Duration::from_secs(180);

/// Where each job of each target is.
type Tallies = BTreeMap<(&'static str, usize), Tally>;

struct Worker {
    child: Child,
    target: &'static Target,
    job: usize,
    started: Instant,
    limit: Duration,
}

struct Campaign<'a> {
    asked: &'a Asked,
    tallies: Tallies,
    start: Instant,
    turn: usize,
}

/// Runs the campaign. Whether nothing was found.
///
/// # Errors
/// Where files cannot be written, or workers not be started.
pub fn run(asked: &Asked) -> io::Result<bool> {
    std::fs::create_dir_all(asked.out.join("faults"))?;
    let mut campaign = Campaign { asked, tallies: kept(asked), start: Instant::now(), turn: 0 };
    let mut workers: Vec<Worker> = Vec::new();
    let mut told = Instant::now();
    let terminal = io::stderr().is_terminal();
    while campaign.left() > 0.0 || !workers.is_empty() {
        for job in 0..asked.jobs {
            if campaign.left() > 1.0 && !workers.iter().any(|worker| worker.job == job) {
                workers.push(campaign.begin(job)?);
            }
        }
        let mut going = Vec::new();
        for mut worker in workers {
            match worker.child.try_wait()? {
                Some(status) => campaign.ended(&worker, status)?,
                None if worker.started.elapsed() > worker.limit => {
                    worker.child.kill()?;
                    let _ = worker.child.wait()?;
                    campaign.keep(&worker, Kind::Hang, "hang: the worker did not come back")?;
                }
                None => going.push(worker),
            }
        }
        workers = going;
        if told.elapsed() > Duration::from_secs(if terminal { 1 } else { 60 }) {
            told = Instant::now();
            campaign.tell(&workers, terminal);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for job in 0..asked.jobs {
        let _ = std::fs::remove_dir_all(place(asked, job).folder);
    }
    Ok(campaign.table())
}

/// Where an earlier campaign of this seed stopped.
fn kept(asked: &Asked) -> Tallies {
    let text = std::fs::read_to_string(asked.out.join("progress")).unwrap_or_default();
    let mut lines = text.lines();
    if lines.next() != Some(&head(asked)) {
        return Tallies::new();
    }
    let read = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let target = crate::kit::target(words.next()?)?.name;
        Some(((target, words.next()?.parse().ok()?), Tally::read(words.next()?)?))
    };
    lines.filter_map(read).collect()
}

fn head(asked: &Asked) -> String {
    format!("seed {} jobs {}", asked.seed, asked.jobs)
}

impl Campaign<'_> {
    /// Seconds left.
    fn left(&self) -> f64 {
        self.asked.minutes * 60.0 - self.start.elapsed().as_secs_f64()
    }

    fn targets(&self) -> Vec<&'static Target> {
        let asked = |target: &&Target| self.asked.target.as_ref().is_none_or(|name| name == target.name);
        TARGETS.iter().filter(asked).collect()
    }

    /// Starts the worker whose turn it is.
    fn begin(&mut self, job: usize) -> io::Result<Worker> {
        let targets = self.targets();
        let target = targets[self.turn % targets.len()];
        self.turn += 1;
        let next = self.tallies.get(&(target.name, job)).map_or(job as u64, |tally| tally.next);
        let seconds = TURN.min(self.left());
        std::fs::write(Tally::file(self.asked, job), Tally { next, ..Tally::default() }.line())?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--worker").arg(format!("{job},{next},{seconds}")).args(["--target", target.name]);
        command.args(["--seed", &self.asked.seed.to_string(), "--jobs", &self.asked.jobs.to_string()]);
        command.arg("--out").arg(&self.asked.out);
        if let Some(program) = &self.asked.program {
            command.arg("--archc").arg(program);
        }
        // One worker takes one core.
        command.env("RAYON_NUM_THREADS", "1").env("RUST_BACKTRACE", "0");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let limit = Duration::from_secs_f64(seconds) + GRACE;
        Ok(Worker { child, target, job, started: Instant::now(), limit })
    }

    /// Counts what a worker did, and what ended it.
    fn ended(&mut self, worker: &Worker, status: ExitStatus) -> io::Result<()> {
        match status.code() {
            Some(0) => self.count(worker, None),
            Some(HUNG) => self.keep(worker, Kind::Hang, "hang: it took more than 2 s"),
            Some(GREW) => self.keep(worker, Kind::Memory, "memory: it held more than 1 GiB"),
            code => self.keep(worker, Kind::Panic, &format!("panic: the process ended ({code:?})")),
        }
    }

    fn count(&mut self, worker: &Worker, kind: Option<Kind>) -> io::Result<()> {
        let text = std::fs::read_to_string(Tally::file(self.asked, worker.job)).unwrap_or_default();
        let Some(mut done) = Tally::read(&text) else { return Ok(()) };
        if let Some(kind) = kind {
            done.inputs += 1;
            done.next += self.asked.jobs as u64;
            // While it was made smaller, the input was counted already.
            if !done.minimising {
                done.count(kind);
            }
        }
        let tally = self.tallies.entry((worker.target.name, worker.job)).or_default();
        tally.add(&done);
        tally.seconds += worker.started.elapsed().as_secs_f64();
        let line = |((target, job), tally): (&(&str, usize), &Tally)| format!("{target} {job} {}", tally.line());
        let lines: String = self.tallies.iter().map(line).collect();
        std::fs::write(self.asked.out.join("progress"), head(self.asked) + "\n" + &lines)
    }

    /// Keeps the input that ended a worker.
    fn keep(&mut self, worker: &Worker, kind: Kind, what: &str) -> io::Result<()> {
        let text = std::fs::read_to_string(Tally::file(self.asked, worker.job)).unwrap_or_default();
        if let Some(done) = Tally::read(&text).filter(|done| !done.minimising) {
            let place = place(self.asked, worker.job);
            let feeder = Feeder::new(worker.target, self.asked.seed, &place);
            let (seed, bytes) = feeder.input(done.next);
            // What a killed worker was about is not known: the seed stands for the place.
            let what = format!("{what}, seed {seed}");
            let mut fault = Fault { target: worker.target.name, seed, kind, what, bytes };
            if fault.keep(&self.asked.out)? {
                let tried = self.asked.out.join(format!("{}-{seed}-tried", worker.target.name));
                fault.bytes = minimised(&fault.bytes, |bytes| ends(&tried, bytes));
                fault.write(&self.asked.out)?;
                let _ = std::fs::remove_file(tried);
            }
        }
        self.count(worker, Some(kind))
    }

    fn tell(&self, workers: &[Worker], terminal: bool) {
        let now: Vec<&str> = workers.iter().map(|worker| worker.target.name).collect();
        let inputs: u64 = self.tallies.values().map(|tally| tally.inputs).sum();
        let sums = Kind::ALL.map(|kind| {
            let sum: u64 = self.tallies.values().map(|tally| tally.faults[kind as usize]).sum();
            format!("{} {sum}", kind.name())
        });
        let end = if terminal { "\x1b[K\r" } else { "\n" };
        let line = format!("{:5.0} s left  {inputs} inputs  {}  now {}", self.left(), sums.join("  "), now.join(", "));
        let _ = write!(io::stderr(), "{line}{end}");
    }

    /// Prints what was done. Whether nothing was found.
    fn table(&self) -> bool {
        let mut columns = vec!["target".to_string(), "inputs".into(), "inputs/s".into()];
        columns.extend(Kind::ALL.map(|kind| kind.name().to_string()));
        let row = |name: &str, all: &[&Tally]| {
            let sum = |of: &dyn Fn(&Tally) -> u64| all.iter().map(|tally| of(tally)).sum::<u64>();
            let (inputs, seconds) = (sum(&|t| t.inputs), all.iter().map(|t| t.seconds).sum::<f64>());
            let mut row =
                vec![name.to_string(), inputs.to_string(), format!("{:.0}", inputs as f64 / seconds.max(0.1))];
            row.extend(Kind::ALL.map(|kind| sum(&|t| t.faults[kind as usize]).to_string()));
            row
        };
        let mut rows = vec![columns];
        for target in self.targets() {
            let own: Vec<&Tally> =
                self.tallies.iter().filter(|((name, _), _)| *name == target.name).map(|(_, t)| t).collect();
            rows.push(row(target.name, &own));
        }
        let all: Vec<&Tally> = self.tallies.values().collect();
        rows.push(row("all", &all));
        for row in rows {
            let cells: Vec<String> =
                row.iter().enumerate().map(|(i, cell)| format!("{cell:>w$}", w = [9, 10][i.min(1)])).collect();
            println!("{}", cells.join(""));
        }
        let found = all.iter().any(|tally| tally.faults.iter().any(|&n| n > 0));
        if found {
            println!("\nwhat was found lies in {}", self.asked.out.join("faults").display());
        }
        !found
    }
}

/// Whether an input ends the process that reads it.
fn ends(file: &std::path::Path, bytes: &[u8]) -> bool {
    let Ok(own) = std::env::current_exe() else { return false };
    let written = std::fs::write(file, bytes).is_ok();
    let mut command = Command::new(own);
    command.arg("--replay").arg(file).env("RAYON_NUM_THREADS", "1").env("RUST_BACKTRACE", "0");
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    written && status.is_ok_and(|status| !matches!(status.code(), Some(0 | 1)))
}
