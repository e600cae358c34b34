//! Structure where no names tell of any: skips and paths that are alike become labelled groups, and so blocks and loops.

use super::blocks::goes_back;
use super::net::Net;
use super::slots::key;
use super::tree::{Statement, Step};
use crate::ops::Op;
use std::collections::BTreeMap;

/// Groups skips and paths, each with the activations behind it, that occur more than once.
pub fn wrap(net: &Net, lines: &mut Vec<Statement>) {
    let mut counts = BTreeMap::new();
    count(net, lines, &mut counts);
    gather(net, lines, &counts, &mut 0);
}

/// How many lines from one on make a segment; none where it begins none.
fn length(net: &Net, lines: &[Statement]) -> usize {
    let merges = |line: &Statement| line.label.is_none() && matches!(line.step, Step::Skip(_) | Step::Parallel(..));
    let passes = |line: &&Statement| {
        line.label.is_none()
            && matches!(&line.step, Step::Layer(id, ..) if matches!(net.nodes[*id].op, Op::Activation(_)))
    };
    match lines.first() {
        Some(first) if merges(first) && !goes_back(&lines[..1]) => 1 + lines[1..].iter().take_while(passes).count(),
        _ => 0,
    }
}

fn bodies<'l>(line: &'l mut Statement, f: &mut dyn FnMut(&'l mut Vec<Statement>)) {
    match &mut line.step {
        Step::Skip(skip) => skip.body.iter_mut().for_each(f),
        Step::Parallel(_, paths) => paths.iter_mut().for_each(f),
        _ => {}
    }
}

fn count(net: &Net, lines: &mut [Statement], counts: &mut BTreeMap<String, usize>) {
    let mut at = 0;
    while at < lines.len() {
        let length = length(net, &lines[at..]);
        if length > 0 {
            *counts.entry(key(&lines[at..at + length])).or_default() += 1;
        }
        bodies(&mut lines[at], &mut |body| count(net, body, counts));
        at += 1;
    }
}

fn gather(net: &Net, lines: &mut Vec<Statement>, counts: &BTreeMap<String, usize>, number: &mut usize) {
    let alike = |at: usize| {
        let length = length(net, &lines[at..]);
        if length > 0 && counts.get(&key(&lines[at..at + length])).is_some_and(|&n| n > 1) { length } else { 0 }
    };
    let lengths: Vec<usize> = (0..lines.len()).map(alike).collect();
    let mut rest = std::mem::take(lines).into_iter().zip(lengths);
    while let Some((mut line, length)) = rest.next() {
        if length > 0 {
            *number += 1;
            let label = Some(format!("block{number}"));
            let behind = rest.by_ref().take(length - 1).map(|(line, _)| line);
            let body = std::iter::once(line).chain(behind).collect();
            lines.push(Statement { label, step: Step::Group(body) });
        } else {
            bodies(&mut line, &mut |body| gather(net, body, counts, number));
            lines.push(line);
        }
    }
}
