//! A plan's promises, proved by running it on symbols.
//!
//! Each write puts a fresh symbol into the memory of its value; each read must find the symbols that its
//! value is made of. An operand of a `concat` that lives inside it is the slice of its value; one that does not is
//! copied. What would be computed does not matter, only that nothing is overwritten too early.

use super::alias::Place;
use super::schedule::{Share, ValueId};
use super::{ALIGNMENT, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A promise that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// An offset is not a multiple of the alignment, or a buffer ends after the arena.
    Outside {
        /// The buffer.
        buffer: usize,
    },
    /// Two buffers that are live at once overlap.
    Overlap {
        /// The one made earlier.
        first: usize,
        /// The one made later.
        second: usize,
    },
    /// A step reads a value that has been overwritten, or was never written.
    Overwritten {
        /// When.
        step: usize,
        /// What is gone.
        value: ValueId,
    },
    /// A step writes over part of what it reads, other than element by element.
    Torn {
        /// When.
        step: usize,
        /// What is read.
        value: ValueId,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { buffer } => write!(f, "buffer {buffer} lies outside the arena or off the grid"),
            Self::Overlap { first, second } => write!(f, "buffers {first} and {second} overlap while both are live"),
            Self::Overwritten { step, value } => write!(f, "step {step} finds value {value} overwritten"),
            Self::Torn { step, value } => write!(f, "step {step} writes over part of value {value} that it reads"),
        }
    }
}

/// Checks that live buffers never overlap, and that every reader finds what was written for it.
///
/// # Errors
/// The first promise that is broken.
pub fn verify(plan: &Plan) -> Result<(), Broken> {
    arena(plan)?;
    Machine::new(plan).run()
}

/// Buffers stand in the arena, on the grid, and apart from those live with them.
fn arena(plan: &Plan) -> Result<(), Broken> {
    let mut by_start: Vec<usize> = (0..plan.buffers.len()).filter(|&b| plan.buffers[b].bytes > 0).collect();
    by_start.sort_by_key(|&b| plan.buffers[b].live.first);
    let mut ends = BTreeSet::new();
    let mut ranges = BTreeMap::new();
    for buffer in by_start {
        let it = &plan.buffers[buffer];
        let end = it.offset + it.bytes;
        if !it.offset.is_multiple_of(ALIGNMENT) || end > plan.peak {
            return Err(Broken::Outside { buffer });
        }
        while let Some(&(last, offset)) = ends.first().filter(|(last, _)| *last < it.live.first) {
            ends.remove(&(last, offset));
            ranges.remove(&offset);
        }
        if let Some((_, &(_, first))) = ranges.range(..end).next_back().filter(|(_, (stop, _))| *stop > it.offset) {
            return Err(Broken::Overlap { first, second: buffer });
        }
        ends.insert((it.live.last, it.offset));
        ranges.insert(it.offset, (end, buffer));
    }
    Ok(())
}

/// A run of bytes that came from one write: how many, which write, and how far into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    bytes: u64,
    symbol: usize,
    from: u64,
}

/// The memory of one buffer's first sample: runs by where they start.
type Memory = BTreeMap<u64, Run>;

/// Runs a plan on symbols.
struct Machine<'a> {
    plan: &'a Plan,
    memory: Vec<Memory>,
    /// What each value is made of, once it is made.
    contents: Vec<Vec<Run>>,
    /// The slices to be taken at each step: part, whole, offset.
    slices: BTreeMap<usize, Vec<(ValueId, ValueId, u64)>>,
    symbols: usize,
}

impl<'a> Machine<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut slices = BTreeMap::<_, Vec<_>>::new();
        for share in &plan.shares {
            if let Share::Slice { part, whole, offset, step } = *share {
                slices.entry(step).or_default().push((part, whole, offset));
            }
        }
        let memory = vec![Memory::new(); plan.buffers.len()];
        Self { plan, memory, contents: vec![Vec::new(); plan.values.len()], slices, symbols: 0 }
    }

    fn run(mut self) -> Result<(), Broken> {
        let plan = self.plan;
        let end = plan.steps.len() - 1;
        for (now, step) in plan.steps.iter().enumerate() {
            step.reads.iter().try_for_each(|&value| self.expect(now, value))?;
            for &value in &step.writes {
                step.reads.iter().try_for_each(|&read| self.whole_or_apart(now, value, read))?;
            }
            let slices = self.slices.remove(&now).unwrap_or_default();
            for &value in &step.writes {
                self.write(value, &slices);
            }
        }
        let outputs = (0..plan.values.len()).filter(|&value| plan.values[value].stays);
        outputs.into_iter().try_for_each(|value| self.expect(end, value))
    }

    /// A value's memory holds what the value is made of.
    fn expect(&self, step: usize, value: ValueId) -> Result<(), Broken> {
        let Place { buffer, offset } = self.plan.places[value];
        let bytes = self.plan.values[value].bytes;
        let found = read(&self.memory[buffer], offset, bytes);
        let made = self.contents[value].iter().map(|run| run.bytes).sum::<u64>() == bytes;
        if made && found == self.contents[value] { Ok(()) } else { Err(Broken::Overwritten { step, value }) }
    }

    /// A step may write over what it reads only where both are the same memory, or one is the other's slice.
    fn whole_or_apart(&self, step: usize, write: ValueId, read: ValueId) -> Result<(), Broken> {
        let place = |value: ValueId| {
            let Place { buffer, offset } = self.plan.places[value];
            (buffer, offset, offset + self.plan.values[value].bytes)
        };
        let (a, b) = (place(write), place(read));
        let overlap = a.0 == b.0 && a.1 < b.2 && b.1 < a.2;
        let sliced = self.slices.get(&step).is_some_and(|slices| {
            slices.iter().any(|&(part, whole, _)| (part, whole) == (write, read) || (part, whole) == (read, write))
        });
        if overlap && a != b && !sliced { Err(Broken::Torn { step, value: read }) } else { Ok(()) }
    }

    /// Puts a fresh symbol into a value's memory, but for the slices of a `concat` that are there already; a value
    /// that is a slice of one that was there before becomes what that one holds.
    fn write(&mut self, value: ValueId, slices: &[(ValueId, ValueId, u64)]) {
        let Place { buffer, offset } = self.plan.places[value];
        let bytes = self.plan.values[value].bytes;
        let sliced_from = |&&(part, whole, _): &&(ValueId, ValueId, u64)| {
            part == value && !self.contents[whole].is_empty() && self.contents[part].is_empty()
        };
        if slices.iter().any(|slice| sliced_from(&slice)) {
            self.contents[value] = read(&self.memory[buffer], offset, bytes);
            return;
        }
        self.symbols += 1;
        let mut parts: Vec<(u64, u64)> = slices
            .iter()
            .filter(|&&(part, whole, _)| whole == value && !self.contents[part].is_empty())
            .map(|&(part, _, at)| (at, self.plan.values[part].bytes))
            .collect();
        parts.sort_unstable();
        parts.push((bytes, 0));
        let mut at = 0;
        for (start, length) in parts {
            put(&mut self.memory[buffer], offset + at, Run { bytes: start - at, symbol: self.symbols, from: at });
            at = start + length;
        }
        self.contents[value] = read(&self.memory[buffer], offset, bytes);
    }
}

/// The runs between `start` and `start + bytes`, cut to fit; memory that nobody wrote is left out.
fn read(memory: &Memory, start: u64, bytes: u64) -> Vec<Run> {
    let end = start + bytes;
    let first = memory.range(..=start).next_back().map_or(start, |(&at, _)| at);
    let cut = |(&at, run): (&u64, &Run)| {
        let (from, to) = (at.max(start), (at + run.bytes).min(end));
        (from < to).then(|| Run { bytes: to - from, symbol: run.symbol, from: run.from + from - at })
    };
    memory.range(first..end.max(first)).filter_map(cut).collect()
}

/// Overwrites memory with a run.
fn put(memory: &mut Memory, start: u64, run: Run) {
    if run.bytes == 0 {
        return;
    }
    let end = start + run.bytes;
    let first = memory.range(..=start).next_back().map_or(start, |(&at, _)| at);
    let touched: Vec<(u64, Run)> = memory.range(first..end).map(|(&at, &run)| (at, run)).collect();
    for (at, old) in touched {
        memory.remove(&at);
        if at < start {
            memory.insert(at, Run { bytes: (start - at).min(old.bytes), ..old });
        }
        if at + old.bytes > end {
            let kept = at + old.bytes - end;
            memory.insert(end, Run { bytes: kept, symbol: old.symbol, from: old.from + end - at });
        }
    }
    memory.insert(start, run);
}
