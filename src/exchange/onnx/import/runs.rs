//! Calls of one block after another, under labels that count, become a loop; so do groups that hold but such a call.

use super::tree::{Arg, Statement, Step};
use std::collections::BTreeSet;

/// Folds runs in a body, and in the braces of its skips.
pub fn fold(lines: &mut Vec<Statement>) {
    let mut out: Vec<Statement> = Vec::new();
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
fn counted(line: &Statement) -> Option<(&str, usize)> {
    let label = line.label.as_deref()?;
    let base = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = label.get(base.len()..)?;
    let number: usize = digits.parse().ok()?;
    (number.to_string() == digits).then_some((base, number))
}

/// A block that a line calls, under the labels of groups around it that hold nothing else.
#[derive(PartialEq)]
struct Called<'l> {
    around: Vec<Option<&'l str>>,
    block: &'l str,
    args: &'l [Arg],
}

/// The call that a line is, or that is all its groups hold.
fn call(line: &Statement) -> Option<Called<'_>> {
    match &line.step {
        Step::Call(block, args) => Some(Called { around: Vec::new(), block, args }),
        Step::Group(body) => match body.as_slice() {
            [only] => {
                let mut called = call(only)?;
                called.around.push(only.label.as_deref());
                Some(called)
            }
            _ => None,
        },
        _ => None,
    }
}

/// The arguments of a line's call, to be changed.
fn args_of(line: &mut Statement) -> Option<&mut Vec<Arg>> {
    match &mut line.step {
        Step::Call(_, args) => Some(args),
        Step::Group(body) => args_of(body.first_mut()?),
        _ => None,
    }
}

/// How many lines from the first on make one loop: the same block under labels that count up, with the same arguments but
/// for the first.
fn length(lines: &[Statement]) -> usize {
    let Some(first) = lines.first().and_then(call) else { return 1 };
    let Some((base, from)) = counted(&lines[0]) else { return 1 };
    let second = lines.get(1).and_then(call).map_or(first.args, |second| second.args);
    // What differs in the first turn is said by `if i == 0`, which only a loop from 0 has.
    let differing = second.iter().zip(first.args).filter(|(a, b)| a != b).count();
    let even = differing == 0 || (from == 0 && differing == 1);
    let follows = |(i, line): &(usize, &Statement)| {
        let same = |called: Called| (&called.around, called.block, called.args) == (&first.around, first.block, second);
        even && call(line).is_some_and(same) && counted(line) == Some((base, from + i))
    };
    1 + lines.iter().enumerate().skip(1).take_while(follows).count()
}

fn looped(lines: &[Statement]) -> Statement {
    let (base, from) = counted(&lines[0]).unwrap_or(("", 0));
    let mut line = Statement { label: Some(format!("{base}{{i}}")), ..lines[1].clone() };
    let first = call(&lines[0]).map_or(Vec::new(), |called| called.args.to_vec());
    for (arg, first) in args_of(&mut line).into_iter().flatten().zip(first) {
        arg.first = Some(first.value);
    }
    let count = if from == 0 { lines.len() } else { from + lines.len() - 1 };
    let last = Arg { name: "depth".into(), value: count.to_string(), first: None };
    Statement::new(Step::For(from, last, Box::new(line)))
}

/// The blocks that lines call.
pub fn calls(lines: &[Statement], out: &mut BTreeSet<String>) {
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
