//! `train Model { … }` to a recipe.
//!
//! A recipe must say its loss, its optimizer and when to stop (`steps` or `epochs`). What else it leaves
//! out: a constant schedule, batches of 64, no normalisation, no augmentation, the loss's own metric, seed 0.

use super::eval::{self, Env, Fault, Words};
use super::flow::Flow;
use super::frame::Frame;
use super::objective;
use super::part::{Part, PartSpec, numbers, refused, whole};
use super::program::Program;
use super::recipe::{Augment, Duration, Loss, LossTerm, Metric, Normalize, Recipe, Schedule};
use super::settings::Settings;
use super::unroll::Unroller;
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, Span, codes};
use crate::graph::Graph;
use crate::ops::Value;
use crate::syntax::ast::{self, Arg, Expr, ExprKind, Ident};
use std::collections::BTreeMap;

/// The lines of a recipe.
pub(super) const FIELDS: &[&str] =
    &["data", "loss", "optimizer", "schedule", "batch", "steps", "epochs", "normalize", "augment", "metrics", "seed"];

pub(super) const AUGMENTS: &[PartSpec] = &[
    ("pad_crop", &["amount"]),
    ("flip", &[]),
    ("flip_vertical", &[]),
    ("shift", &["amount"]),
    ("rotate", &["degrees"]),
    ("cutout", &["size"]),
    ("jitter", &["amount"]),
    ("random_resized_crop", &["min_area"]),
    ("mixup", &["alpha"]),
];

type Lines = BTreeMap<String, Expr>;

/// The recipe of a model, where the root file has one; errors go to the unroller.
pub(super) fn recipe<'p>(
    program: &'p Program,
    unroller: &mut Unroller<'p>,
    frame: &Frame<'p>,
    model: &ast::Model,
    settings: &mut Settings,
) -> Option<Recipe> {
    let train = program.root().items.iter().find_map(|item| match item {
        ast::Item::Train(train) if train.model.node == model.name.node => Some(train),
        _ => None,
    })?;
    let (lines, mut errors) = lines(train, settings);
    let read = read(train, &lines, &unroller.view(frame, Flow::Nothing), &unroller.graph, &mut errors);
    errors.into_iter().for_each(|error| unroller.error(settings.place(error), frame));
    read
}

/// The lines of the file, changed by the settings.
fn lines(train: &ast::Train, settings: &mut Settings) -> (Lines, Vec<Diagnostic>) {
    let mut lines = Lines::new();
    let mut errors = Vec::new();
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    for field in &train.fields {
        let name = field.name.node.as_str();
        if !FIELDS.contains(&name) {
            errors.push(unknown_line(&field.name));
        } else if let Some(&first) = places.get(name) {
            let error = Diagnostic::new(codes::RECIPE_LINES, format!("`{name}` is written twice"));
            errors.push(error.label(field.name.span, "the second").label(first, "the first"));
        } else {
            places.insert(name, field.name.span);
            lines.insert(name.to_string(), field.value.clone());
        }
    }
    if let (Some(&steps), Some(&epochs)) = (places.get("steps"), places.get("epochs")) {
        let error = Diagnostic::new(codes::RECIPE_LINES, "the recipe says both `steps` and `epochs`");
        errors.push(error.label(steps, "either this").label(epochs, "or this"));
    }
    for name in FIELDS {
        if let Some(setting) = settings.take(name) {
            match setting.line(*name == "data") {
                Ok(expr) => drop(lines.insert((*name).to_string(), expr)),
                Err(error) => errors.push(error),
            }
            match *name {
                "steps" => drop(lines.remove("epochs")),
                "epochs" => drop(lines.remove("steps")),
                _ => {}
            }
        }
        for (path, setting) in settings.take_under(name) {
            let changed = match lines.get_mut(*name) {
                Some(line) => {
                    setting.expr().and_then(|value| change(line, &path, value).map_err(|why| setting.refused(&why)))
                }
                None => Err(setting.refused(&format!("the recipe has no line `{name}`"))),
            };
            errors.extend(changed.err());
        }
    }
    (lines, errors)
}

fn unknown_line(name: &Ident) -> Diagnostic {
    let error = Diagnostic::new(codes::RECIPE_LINE, format!("a recipe has no line `{}`", name.node));
    let all = || format!("the lines are {}", FIELDS.join(", "));
    error.meant(name.span, nearest(&name.node, FIELDS.iter().copied()), all)
}

/// Changes one argument of a line: `lr` of `sgd(lr=0.1)`, `0.smooth` of a sum of losses or a list.
fn change(line: &mut Expr, path: &str, value: Expr) -> Result<(), String> {
    if let Some((first, rest)) = path.split_once('.')
        && let Ok(index) = first.parse::<usize>()
    {
        let parts = parts_of(line);
        let count = parts.len();
        let part = parts.into_iter().nth(index).ok_or_else(|| format!("there are {count} parts, counted from 0"))?;
        return change(part, rest, value);
    }
    let mut parts = parts_of(line);
    let [part] = parts.as_mut_slice() else {
        return Err(format!("say which part: `0.{path}`, `1.{path}`, …"));
    };
    let tables = [objective::LOSSES, objective::OPTIMIZERS, objective::SCHEDULES, AUGMENTS];
    let name = Ident::new(path.to_string(), value.span);
    if let ExprKind::Name(word) = &part.node {
        let call = ast::Call { name: Ident::new(word.clone(), part.span), args: Vec::new(), span: part.span };
        part.node = ExprKind::Call(call);
    }
    match &mut part.node {
        ExprKind::Call(call) => {
            let names = tables.iter().copied().flatten().find(|(n, _)| *n == call.name.node).map_or(&[][..], |p| p.1);
            put(&mut call.args, names, name, value);
            Ok(())
        }
        ExprKind::Record(fields) => {
            put(fields, &[], name, value);
            Ok(())
        }
        _ => Err("the line has no arguments".into()),
    }
}

fn put(args: &mut Vec<Arg>, names: &[&str], name: Ident, value: Expr) {
    let position = names.iter().position(|n| *n == name.node);
    let mut unnamed = 0;
    for arg in args.iter_mut() {
        let same = match &arg.name {
            Some(known) => known.node == name.node,
            None => {
                unnamed += 1;
                position == Some(unnamed - 1)
            }
        };
        if same {
            arg.value = value;
            return;
        }
    }
    args.push(Arg { name: Some(name), value });
}

/// The parts of a sum or a list; of anything else itself.
fn parts_of(line: &mut Expr) -> Vec<&mut Expr> {
    use ast::BinaryOp::{Add, Mul};
    if !matches!(line.node, ExprKind::Binary(Add | Mul, ..) | ExprKind::List(_)) {
        return vec![line];
    }
    match &mut line.node {
        ExprKind::Binary(Add, a, b) => parts_of(a).into_iter().chain(parts_of(b)).collect(),
        ExprKind::Binary(_, _, loss) => parts_of(loss),
        ExprKind::List(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Reads every line, so that each can say what is wrong with it.
fn read(
    train: &ast::Train,
    lines: &Lines,
    env: &dyn Env,
    graph: &Graph,
    errors: &mut Vec<Diagnostic>,
) -> Option<Recipe> {
    let mut keep = |fault: Fault| {
        if let Fault::Said(error) = fault {
            errors.push(*error);
        }
    };
    let data = optional(lines, "data", |e| data(e, env)).map_err(&mut keep);
    let loss = required(train, lines, "loss", "cross_entropy", |e| objective::losses(e, env, graph)).map_err(&mut keep);
    let optimizer = required(train, lines, "optimizer", "sgd(lr=0.1, momentum=0.9)", |e| objective::optimizer(e, env))
        .map_err(&mut keep);
    let schedule = optional(lines, "schedule", |e| objective::schedule(e, env)).map_err(&mut keep);
    let batch = optional(lines, "batch", |e| count(e, "batch", 1, env)).map_err(&mut keep);
    let duration = duration(train, lines, env).map_err(&mut keep);
    let normalize = optional(lines, "normalize", |e| normalize(e, env, graph)).map_err(&mut keep);
    let augment = optional(lines, "augment", |e| augments(e, env)).map_err(&mut keep);
    let metrics = optional(lines, "metrics", metrics).map_err(&mut keep);
    let seed = optional(lines, "seed", |e| count(e, "seed", 0, env)).map_err(&mut keep);
    let loss = loss.ok()?;
    Some(Recipe {
        data: data.ok()?,
        metrics: metrics.ok()?.unwrap_or_else(|| own_metrics(&loss)),
        loss,
        optimizer: optimizer.ok()?,
        schedule: schedule.ok()?.unwrap_or(Schedule::Constant { warmup: 0 }),
        batch: batch.ok()?.unwrap_or(64),
        duration: duration.ok()?,
        normalize: normalize.ok()?,
        augment: augment.ok()?.unwrap_or_default(),
        seed: seed.ok()?.unwrap_or(0) as u64,
        span: train.span,
    })
}

fn optional<T>(lines: &Lines, name: &str, read: impl FnOnce(&Expr) -> Result<T, Fault>) -> Result<Option<T>, Fault> {
    lines.get(name).map(read).transpose()
}

fn required<T>(
    train: &ast::Train,
    lines: &Lines,
    name: &str,
    example: &str,
    read: impl FnOnce(&Expr) -> Result<T, Fault>,
) -> Result<T, Fault> {
    match lines.get(name) {
        Some(line) => read(line),
        None => {
            let error = Diagnostic::new(codes::RECIPE_LINES, format!("the recipe has no `{name}`"));
            Err(error.label(train.model.span, "of this model").help(format!("{name} = {example}")).into())
        }
    }
}

fn count(expr: &Expr, name: &str, least: usize, env: &dyn Env) -> Result<usize, Fault> {
    let value = eval::eval(expr, env, Words::Refused)?;
    let wants = format!("a whole number, at least {least}");
    whole(&value).filter(|&n| n >= least).ok_or_else(|| refused(name, &wants, &value, expr.span))
}

fn duration(train: &ast::Train, lines: &Lines, env: &dyn Env) -> Result<Duration, Fault> {
    if let Some(steps) = lines.get("steps") {
        return count(steps, "steps", 1, env).map(Duration::Steps);
    }
    if let Some(epochs) = lines.get("epochs") {
        return count(epochs, "epochs", 1, env).map(Duration::Epochs);
    }
    let error = Diagnostic::new(codes::RECIPE_LINES, "the recipe does not say when to stop");
    Err(error.label(train.model.span, "of this model").help("epochs = 20, or steps = 10000").into())
}

fn data(expr: &Expr, env: &dyn Env) -> Result<String, Fault> {
    match eval::eval(expr, env, Words::Allowed)? {
        Value::Str(text) | Value::Word(text) => Ok(text),
        other => Err(refused("data", "a text: a name or a path", &other, expr.span)),
    }
}

fn normalize(expr: &Expr, env: &dyn Env, graph: &Graph) -> Result<Normalize, Fault> {
    let value = eval::eval(expr, env, Words::Allowed)?;
    let wants = "`(mean=[…], std=[…])`, one number for each channel";
    let no = || refused("normalize", wants, &value, expr.span);
    let Value::Record(fields) = &value else { return Err(no()) };
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).and_then(|(_, v)| numbers(v));
    let (Some(mean), Some(std), 2) = (field("mean"), field("std"), fields.len()) else { return Err(no()) };
    let channels = graph.inputs.first().and_then(|&id| graph.shape(id).channels());
    if mean.is_empty() || mean.len() != std.len() || std.iter().any(|&s| s <= 0.0) {
        return Err(no());
    }
    if let Some(channels) = channels.filter(|&c| c != mean.len() && mean.len() != 1) {
        let message = format!("`normalize` has {} means, and the input {channels} channels", mean.len());
        return Err(Diagnostic::new(codes::RECIPE_VALUE, message)
            .label(expr.span, "one number for each channel")
            .into());
    }
    Ok(Normalize { mean, std })
}

fn items(expr: &Expr) -> Vec<&Expr> {
    match &expr.node {
        ExprKind::List(items) => items.iter().collect(),
        _ => vec![expr],
    }
}

fn augments(expr: &Expr, env: &dyn Env) -> Result<Vec<Augment>, Fault> {
    items(expr).into_iter().map(|item| augment(&Part::read(item, "augmentation", AUGMENTS, env)?)).collect()
}

fn augment(part: &Part) -> Result<Augment, Fault> {
    let needed = |name: &str, wants: &str, holds: fn(f64) -> bool| match part.has(name) {
        true => part.number(name, 0.0, wants, holds),
        false => Err(part.missing(name)),
    };
    Ok(match part.name {
        "pad_crop" => Augment::PadCrop(part.whole("amount", None, 1)?),
        "flip" => Augment::Flip,
        "flip_vertical" => Augment::FlipVertical,
        "shift" => Augment::Shift(part.whole("amount", None, 1)?),
        "rotate" => Augment::Rotate(needed("degrees", "a number from 0 to 180", |x| (0.0..=180.0).contains(&x))?),
        "cutout" => Augment::Cutout(part.whole("size", None, 1)?),
        "jitter" => Augment::Jitter(needed("amount", "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))?),
        "random_resized_crop" => Augment::RandomResizedCrop {
            min_area: part.number("min_area", 0.08, "a number above 0, at most 1", |x| x > 0.0 && x <= 1.0)?,
        },
        _ => Augment::Mixup(needed("alpha", "a number above 0", |x| x > 0.0)?),
    })
}

fn metrics(expr: &Expr) -> Result<Vec<Metric>, Fault> {
    items(expr).into_iter().map(metric).collect()
}

fn metric(item: &Expr) -> Result<Metric, Fault> {
    let written = match &item.node {
        ExprKind::Name(name) | ExprKind::Str(name) => name.as_str(),
        _ => "",
    };
    Metric::ALL.into_iter().find(|metric| metric.name() == written).ok_or_else(|| {
        let error = Diagnostic::new(codes::RECIPE_PART, format!("there is no metric named `{written}`"));
        let all = || format!("there are {}", Metric::ALL.map(|metric| format!("`{}`", metric.name())).join(", "));
        error.meant(item.span, nearest(written, Metric::ALL.map(Metric::name)), all).into()
    })
}

/// What evaluation reports where the recipe does not say it.
fn own_metrics(loss: &[LossTerm]) -> Vec<Metric> {
    let own = |term: &LossTerm| match term.loss {
        Loss::CrossEntropy { .. } => Some(Metric::Accuracy),
        Loss::Dice { .. } => Some(Metric::Dice),
        Loss::Mse => Some(Metric::Mse),
        Loss::L1 => Some(Metric::Mae),
        Loss::BceWithLogits => None,
    };
    let mut found: Vec<Metric> = Vec::new();
    for metric in loss.iter().filter_map(own) {
        if !found.contains(&metric) {
            found.push(metric);
        }
    }
    found
}
