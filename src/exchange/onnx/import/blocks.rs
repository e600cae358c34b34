//! Groups that are alike become one block; what differs between them, its parameters.

use super::net::Net;
use super::order;
use super::runs;
use super::slots::{Slot, fill, key, slots};
use super::text::Block;
use super::tree::{Arg, Statement, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The most parameters that a block may have.
const MOST: usize = 8;

/// The blocks of a file, and the model's body with calls of them.
pub fn find(net: &Net, mut lines: Vec<Statement>) -> (Vec<Statement>, Vec<Block>) {
    let mut finder = Finder { net, blocks: Vec::new(), heights: BTreeMap::new(), numbers: BTreeMap::new() };
    for level in 0..height(&lines, &BTreeMap::new()) {
        finder.round(&mut lines, level);
    }
    runs::fold(&mut lines);
    finder.used(&lines);
    (lines, finder.blocks)
}

struct Finder<'n> {
    net: &'n Net,
    blocks: Vec<Block>,
    /// Levels of groups that stood in each block.
    heights: BTreeMap<String, usize>,
    /// The last number that a block of each name was given.
    numbers: BTreeMap<String, usize>,
}

/// A group that may become a call.
struct Candidate {
    key: String,
    slots: Vec<Slot>,
    name: String,
    lines: usize,
    /// How much it does, in layers.
    weight: usize,
    /// Skips that project where shapes differ.
    projections: usize,
}

/// A block in the making: its name, its parameters with their defaults, and what to write where.
type Body = (String, Vec<(String, Option<String>)>, Vec<[String; 2]>);

impl Finder<'_> {
    /// Groups that held so many levels of groups: those that are alike become a block.
    fn round(&mut self, lines: &mut [Statement], level: usize) {
        let mut found: Vec<Candidate> = Vec::new();
        let heights = self.heights.clone();
        each_group(lines, (level, &heights), &mut |label, depth, body| {
            runs::fold(body);
            let name = self.name(label, depth, body);
            // A block does not see the labels of its caller.
            let own = if goes_back(body) { format!("!{}", found.len()) } else { String::new() };
            found.push(Candidate {
                key: own + &key(body),
                slots: slots(self.net, body),
                name,
                lines: body.len(),
                weight: weight(body),
                projections: projections(body),
            });
            None
        });
        let (mut calls, mut bodies) = self.clusters(&found, level);
        let mut count = 0;
        let blocks = &mut self.blocks;
        each_group(lines, (level, &heights), &mut |_, _, body| {
            let at = count;
            count += 1;
            if let Some((name, params, texts)) = bodies.remove(&at) {
                let mut body = body.clone();
                fill(&mut body, &texts);
                blocks.push(Block { name, params, body });
            }
            calls.remove(&at)
        });
    }

    /// The calls that candidates become, and the blocks' bodies by the candidate that is the model of each.
    fn clusters(&mut self, found: &[Candidate], level: usize) -> (BTreeMap<usize, Step>, BTreeMap<usize, Body>) {
        let mut alike: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        found.iter().enumerate().for_each(|(i, c)| alike.entry(&c.key).or_default().push(i));
        let mut calls: BTreeMap<usize, Step> = BTreeMap::new();
        let mut bodies: BTreeMap<usize, Body> = BTreeMap::new();
        let mut clusters: Vec<Vec<usize>> = alike.into_values().filter(|c| c.len() > 1).collect();
        clusters.sort();
        for cluster in clusters {
            let members: Vec<&Candidate> = cluster.iter().map(|&i| &found[i]).collect();
            let Some(made) = generalise(&members) else { continue };
            if !worthwhile(&members) {
                continue;
            }
            // A skip that needs no projection may have one: it is nothing where shapes agree.
            let model =
                cluster.iter().copied().max_by_key(|&i| (found[i].projections, usize::MAX - i)).unwrap_or(cluster[0]);
            let name = self.unique(&members[0].name);
            for (at, &i) in cluster.iter().enumerate() {
                let args =
                    made.params.iter().map(|p| Arg { name: p.name.clone(), value: p.values[at].clone(), first: None });
                calls.insert(i, Step::Call(name.clone(), args.collect()));
            }
            let mut params: Vec<(String, Option<String>)> =
                made.params.iter().map(|p| (p.name.clone(), p.default.clone())).collect();
            params.sort_by_key(|(_, default)| default.is_some());
            self.heights.insert(name.clone(), level);
            bodies.insert(model, (name, params, made.texts));
        }
        (calls, bodies)
    }

    /// A block's name: its class, or what its label says, or what it does.
    fn name(&self, label: &str, depth: usize, body: &[Statement]) -> String {
        let nodes = order::of(body);
        let class = nodes.iter().filter(|&&id| !self.net.nodes[id].params.is_empty());
        let class = class.filter_map(|&id| self.net.nodes[id].classes.get(depth)).next();
        let class = class.map(|c| c.trim_start_matches('_')).filter(|c| *c != "Sequential" && *c != "ModuleList");
        if let Some(class) = class.filter(|c| c.starts_with(|c: char| c.is_ascii_uppercase())) {
            return class.chars().filter(char::is_ascii_alphanumeric).collect();
        }
        let base: String = label.trim_end_matches(|c: char| c.is_ascii_digit()).split('_').map(capital).collect();
        if base.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return base;
        }
        let convs = nodes.iter().filter(|&&id| matches!(self.net.nodes[id].op, crate::ops::Op::Conv(_))).count();
        let first = body.iter().find_map(|line| match &line.step {
            Step::Skip(skip) => Some(self.net.nodes[skip.node].op.layer().kind()),
            Step::Parallel(..) => Some("parallel"),
            _ => None,
        });
        match (first, convs) {
            (Some("add"), 2) => "Basic".into(),
            (Some("add"), 3..) => "Bottleneck".into(),
            (Some("add"), _) => "Residual".into(),
            (Some("concat"), _) => "Dense".into(),
            (Some("mul"), _) => "Squeeze".into(),
            (Some("parallel"), _) => "Branches".into(),
            _ => "Unit".into(),
        }
    }

    fn unique(&mut self, name: &str) -> String {
        let last = self.numbers.entry(name.to_string()).or_default();
        loop {
            *last += 1;
            let own = if *last == 1 { name.to_string() } else { format!("{name}{last}") };
            if !self.heights.contains_key(&own) {
                return own;
            }
        }
    }

    /// Keeps the blocks that are called.
    fn used(&mut self, lines: &[Statement]) {
        let mut called = BTreeSet::new();
        runs::calls(lines, &mut called);
        for block in self.blocks.iter().rev() {
            if called.contains(&block.name) {
                runs::calls(&block.body, &mut called);
            }
        }
        self.blocks.retain(|block| called.contains(&block.name));
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

/// A parameter of a block in the making.
struct Param {
    name: String,
    values: Vec<String>,
    default: Option<String>,
}

struct General {
    params: Vec<Param>,
    /// The text of each slot, and in a loop of its first turn.
    texts: Vec<[String; 2]>,
}

/// Whether a block says it shorter: a line alone is one where it is long, or stands often and does much.
fn worthwhile(members: &[&Candidate]) -> bool {
    let first = members[0];
    first.lines > 1 || first.slots.len() >= 12 || (members.len() > 2 && first.weight > 3)
}

/// How much lines do: layers and merges, a loop as several.
fn weight(lines: &[Statement]) -> usize {
    let of = |line: &Statement| match &line.step {
        Step::Layer(..) | Step::Call(..) => 1,
        Step::Group(body) => weight(body),
        Step::For(..) => 4,
        Step::Skip(skip) => 1 + weight(&skip.via) + weight(&skip.by) + skip.body.as_deref().map_or(0, weight),
        Step::Parallel(_, paths) => 1 + paths.iter().map(|path| weight(path)).sum::<usize>(),
        Step::From(_) | Step::Input(_) | Step::Output(_) => 0,
    };
    lines.iter().map(of).sum()
}

/// What bodies have in common; `None` where too much differs.
fn generalise(members: &[&Candidate]) -> Option<General> {
    let mut made = General { params: Vec::new(), texts: Vec::new() };
    for i in 0..members.first()?.slots.len() {
        let column: Vec<&Slot> = members.iter().map(|m| m.slots.get(i)).collect::<Option<_>>()?;
        let both = [0, 1].map(|turn| {
            let values: Vec<String> = column.iter().map(|slot| slot.values[turn].clone()).collect();
            expression(&mut made.params, &column, values)
        });
        made.texts.push(both);
        if made.params.len() > MOST {
            return None;
        }
    }
    Some(made)
}

/// A column as an expression: what all share, something that follows from a parameter or from the current value, or a
/// parameter of its own.
fn expression(params: &mut Vec<Param>, column: &[&Slot], values: Vec<String>) -> String {
    if values.iter().all(|v| *v == values[0]) {
        return values[0].clone();
    }
    let numbers = |list: &[String]| list.iter().map(|v| v.parse::<u64>().ok()).collect::<Option<Vec<u64>>>();
    if let Some(own) = numbers(&values) {
        for param in params.iter() {
            if let Some(text) = numbers(&param.values).and_then(|p| relation(&own, &p, &param.name)) {
                return text;
            }
        }
        let channels: Option<Vec<u64>> = column.iter().map(|slot| slot.channels).collect();
        let fits = column[0].name == "width" || column[0].name == "groups";
        if let Some(text) = channels.filter(|_| fits).and_then(|c| relation(&own, &c, "it.channels")) {
            return text;
        }
    }
    let plain = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_string();
    let base = plain(&column[0].name);
    let same = params.iter().filter(|p| plain(&p.name) == base).count();
    let name = if same == 0 { base } else { format!("{base}{}", same + 1) };
    let default = (column[0].name == "stride" && values.iter().any(|v| v == "1")).then(|| "1".to_string());
    params.push(Param { name: name.clone(), values, default });
    name
}

/// How numbers follow from others: equal, or a multiple, or a part.
fn relation(own: &[u64], of: &[u64], name: &str) -> Option<String> {
    let pairs = || own.iter().zip(of);
    if pairs().all(|(a, b)| a == b) {
        return Some(name.into());
    }
    let (a, b) = pairs().next()?;
    let (times, part) = (a.checked_div(*b)?, b.checked_div(*a)?);
    if (2..=16).contains(&times) && pairs().all(|(a, b)| *a == b.saturating_mul(times)) {
        return Some(format!("{times} * {name}"));
    }
    ((2..=16).contains(&part) && pairs().all(|(a, b)| a.saturating_mul(part) == *b)).then(|| format!("{name} / {part}"))
}

/// Whether lines name a value by its label, however deep.
pub fn goes_back(lines: &[Statement]) -> bool {
    lines.iter().any(|line| match &line.step {
        Step::From(_) => true,
        Step::Group(body) => goes_back(body),
        Step::Parallel(_, paths) => paths.iter().any(|path| goes_back(path)),
        Step::Skip(skip) => {
            let inside = [&skip.via, &skip.by].into_iter().chain(&skip.body);
            skip.from.is_some() || inside.into_iter().any(|body| goes_back(body))
        }
        _ => false,
    })
}

/// How many skips of a body project.
fn projections(lines: &[Statement]) -> usize {
    let mut count = 0;
    walk(lines, &mut |line| count += usize::from(matches!(&line.step, Step::Skip(skip) if skip.project.is_some())));
    count
}

/// Levels of groups in lines, those counted that blocks stand for now.
fn height(lines: &[Statement], heights: &BTreeMap<String, usize>) -> usize {
    let mut most = 0;
    walk(lines, &mut |line| {
        let own = match &line.step {
            Step::Group(body) => 1 + height(body, heights),
            Step::Call(name, _) => 1 + heights.get(name).copied().unwrap_or(0),
            Step::For(_, _, line) => height(std::slice::from_ref(line), heights),
            _ => 0,
        };
        most = most.max(own);
    });
    most
}

/// Visits lines and those of skips and paths, but not those of groups.
fn walk(lines: &[Statement], f: &mut dyn FnMut(&Statement)) {
    for line in lines {
        f(line);
        match &line.step {
            Step::Skip(skip) => {
                skip.body.iter().for_each(|body| walk(body, f));
                walk(&skip.via, f);
                walk(&skip.by, f);
            }
            Step::Parallel(_, paths) => paths.iter().for_each(|path| walk(path, f)),
            _ => {}
        }
    }
}

/// How many levels, and those of blocks.
type Level<'a> = (usize, &'a BTreeMap<String, usize>);
type Visit<'a> = dyn FnMut(&str, usize, &mut Vec<Statement>) -> Option<Step> + 'a;

/// Visits the labelled groups that held so many levels of groups, in order; what the visitor gives stands in their place.
fn each_group(lines: &mut [Statement], level: Level, f: &mut Visit) {
    inside(lines, level, 1, f);
}

fn inside(lines: &mut [Statement], level: Level, depth: usize, f: &mut Visit) {
    for line in lines {
        let label = line.label.clone();
        match &mut line.step {
            Step::Group(body) => {
                if height(body, level.1) == level.0 && label.is_some() {
                    if let Some(step) = f(label.as_deref().unwrap_or(""), depth, body) {
                        line.step = step;
                    }
                } else {
                    inside(body, level, depth + 1, f);
                }
            }
            Step::Skip(skip) => {
                skip.body.iter_mut().for_each(|body| inside(body, level, depth, f));
                inside(&mut skip.via, level, depth, f);
                inside(&mut skip.by, level, depth, f);
            }
            Step::Parallel(_, paths) => paths.iter_mut().for_each(|path| inside(path, level, depth, f)),
            _ => {}
        }
    }
}
