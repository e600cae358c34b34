//! Calls of one block after another, under labels that count, become a loop.

use super::tree::{Arg, Line, Step};
use std::collections::BTreeSet;

/// Folds runs in a body, and in the braces of its skips.
pub fn fold(lines: &mut Vec<Line>) {
    let mut out: Vec<Line> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let run = length(&lines[at..]);
        match run {
            2.. => out.push(looped(&lines[at..at + run])),
            _ => out.push(lines[at].clone()),
        }
        at += run.max(1);
    }
    *lines = out;
    for line in lines {
        match &mut line.step {
            Step::Skip(skip) => skip.body.iter_mut().for_each(fold),
            Step::Group(body) => fold(body),
            _ => {}
        }
    }
}

/// A label as its text and the number that it ends with.
fn counted(line: &Line) -> Option<(&str, usize)> {
    let label = line.label.as_deref()?;
    let base = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = label.get(base.len()..)?;
    let number: usize = digits.parse().ok()?;
    (number.to_string() == digits).then_some((base, number))
}

/// How many lines from the first on make one loop: the same block under labels that count up, with the same arguments but
/// for the first.
fn length(lines: &[Line]) -> usize {
    let Some(Line { step: Step::Call(block, args), .. }) = lines.first() else { return 1 };
    let Some((base, from)) = counted(&lines[0]) else { return 1 };
    let follows = |(i, line): &(usize, &Line)| {
        let same = |second: &[Arg]| match &line.step {
            Step::Call(other, args) => other == block && args == second,
            _ => false,
        };
        let reference = match &lines.get(1).map(|l| &l.step) {
            Some(Step::Call(_, second)) if *i > 0 => second,
            _ => args,
        };
        // What differs in the first turn is said by `if i == 0`, which only a loop from 0 has.
        let differing = reference.iter().zip(args).filter(|(a, b)| a != b).count();
        let free = *i == 0 || differing == 0 || (from == 0 && differing == 1);
        free && (*i == 0 || same(reference)) && counted(line) == Some((base, from + i))
    };
    lines.iter().enumerate().take_while(follows).count()
}

fn looped(lines: &[Line]) -> Line {
    let (base, from) = counted(&lines[0]).unwrap_or(("", 0));
    let (Step::Call(block, first), Step::Call(_, rest)) = (&lines[0].step, &lines[1].step) else {
        return lines[0].clone();
    };
    let arg = |(a, b): (&Arg, &Arg)| Arg { first: Some(a.value.clone()), ..b.clone() };
    let args = first.iter().zip(rest).map(arg).collect();
    let count = if from == 0 { lines.len() } else { from + lines.len() - 1 };
    let line = Line { label: Some(format!("{base}{{i}}")), step: Step::Call(block.clone(), args) };
    let last = Arg { name: "depth".into(), value: count.to_string(), first: None };
    Line::new(Step::For(from, last, Box::new(line)))
}

/// The blocks that lines call.
pub fn calls(lines: &[Line], out: &mut BTreeSet<String>) {
    for line in lines {
        match &line.step {
            Step::Call(name, _) => {
                out.insert(name.clone());
            }
            Step::Group(body) => calls(body, out),
            Step::For(_, _, line) => calls(std::slice::from_ref(line), out),
            Step::Parallel(_, paths) => paths.iter().for_each(|path| calls(path, out)),
            Step::Skip(skip) => {
                skip.body.iter().for_each(|body| calls(body, out));
                calls(&skip.via, out);
                calls(&skip.by, out);
            }
            _ => {}
        }
    }
}
