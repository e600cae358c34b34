//! Losses, optimizers and schedules of a recipe.

use super::eval::{self, Env, Fault, Words};
use super::part::{Part, PartSpec, numbers, real, refused, whole};
use super::recipe::{Loss, LossTerm, Optimizer, Schedule};
use crate::base::nearest::nearest;
use crate::base::{Diagnostic, codes};
use crate::graph::Graph;
use crate::ops::Value;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};

/// Losses and their arguments.
pub(super) const LOSSES: &[PartSpec] = &[
    ("cross_entropy", &["label_smoothing", "ignore_index", "class_weights", "output"]),
    ("bce_with_logits", &["output"]),
    ("dice", &["smooth", "output", "ignore_index"]),
    ("mse", &["output"]),
    ("l1", &["output"]),
];

/// Optimizers and their arguments, PyTorch's.
pub(super) const OPTIMIZERS: &[PartSpec] = &[
    ("sgd", &["lr", "momentum", "dampening", "weight_decay", "nesterov"]),
    ("adam", &["lr", "betas", "eps", "weight_decay", "amsgrad"]),
    ("adamw", &["lr", "betas", "eps", "weight_decay", "amsgrad"]),
    ("rmsprop", &["lr", "alpha", "eps", "weight_decay", "momentum", "centered"]),
];

/// Schedules and their arguments.
pub(super) const SCHEDULES: &[PartSpec] =
    &[("constant", &["warmup"]), ("step", &["at", "factor", "warmup"]), ("cosine", &["warmup", "floor"])];

/// A weighted sum of losses: `cross_entropy() + 0.5 * dice()`.
pub(super) fn losses(expr: &Expr, env: &dyn Env, graph: &Graph) -> Result<Vec<LossTerm>, Fault> {
    let mut terms = Vec::new();
    add_terms(expr, 1.0, env, graph, &mut terms)?;
    Ok(terms)
}

fn add_terms(expr: &Expr, weight: f64, env: &dyn Env, graph: &Graph, terms: &mut Vec<LossTerm>) -> Result<(), Fault> {
    match &expr.node {
        ExprKind::Binary(BinaryOp::Add, a, b) => {
            add_terms(a, weight, env, graph, terms)?;
            add_terms(b, weight, env, graph, terms)
        }
        ExprKind::Binary(BinaryOp::Mul, a, b) => {
            let (factor, loss) = if is_loss(a) { (b, a) } else { (a, b) };
            add_terms(loss, weight * factor_of(factor, env)?, env, graph, terms)
        }
        ExprKind::Binary(BinaryOp::Div, loss, divisor) => {
            add_terms(loss, weight / factor_of(divisor, env)?, env, graph, terms)
        }
        _ => {
            let part = Part::read(expr, "loss", LOSSES, env)?;
            terms.push(LossTerm { weight, loss: loss(&part)?, output: output(&part, graph)? });
            Ok(())
        }
    }
}

fn is_loss(expr: &Expr) -> bool {
    match &expr.node {
        ExprKind::Name(name) => LOSSES.iter().any(|(known, _)| known == name),
        ExprKind::Call(call) => !matches!(call.name.node.as_str(), "min" | "max" | "floor" | "ceil" | "round" | "abs"),
        ExprKind::Binary(_, a, b) => is_loss(a) || is_loss(b),
        _ => false,
    }
}

fn factor_of(expr: &Expr, env: &dyn Env) -> Result<f64, Fault> {
    let value = eval::eval(expr, env, Words::Refused)?;
    match real(&value).filter(|x| *x > 0.0) {
        Some(x) => Ok(x),
        None => Err(refused("a loss's factor", "a number above 0", &value, expr.span)),
    }
}

fn loss(part: &Part) -> Result<Loss, Fault> {
    Ok(match part.name {
        "cross_entropy" => Loss::CrossEntropy {
            label_smoothing: part
                .number("label_smoothing", 0.0, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))?,
            ignore_index: ignore_index(part)?,
            class_weights: part.numbers("class_weights", "a list of numbers, at least 0", |x| x >= 0.0)?,
        },
        "bce_with_logits" => Loss::BceWithLogits,
        "dice" => Loss::Dice {
            smooth: part.number("smooth", 1.0, "a number, at least 0", |x| x >= 0.0)?,
            ignore_index: ignore_index(part)?,
        },
        "mse" => Loss::Mse,
        _ => Loss::L1,
    })
}

fn ignore_index(part: &Part) -> Result<Option<i64>, Fault> {
    match part.value("ignore_index") {
        None => Ok(None),
        Some((Value::Int(n), _)) => Ok(Some(*n)),
        Some((value, span)) => Err(refused("ignore_index", "a whole number", value, *span)),
    }
}

fn output(part: &Part, graph: &Graph) -> Result<Option<String>, Fault> {
    let Some((name, span)) = part.text("output")? else { return Ok(None) };
    let known: Vec<&str> = graph.outputs.iter().map(|o| o.name.as_str()).collect();
    if known.contains(&name.as_str()) {
        return Ok(Some(name));
    }
    let error = Diagnostic::new(codes::RECIPE_VALUE, format!("the model has no output named `{name}`"));
    let all = || format!("the outputs are {}", known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "));
    let meant = nearest(&name, known.iter().copied());
    let error = error.meant(span, meant, all);
    Err(match meant {
        Some(meant) => error.fix(format!("write `\"{meant}\"`"), span, format!("\"{meant}\"")).into(),
        None => error.into(),
    })
}

/// An optimizer.
pub(super) fn optimizer(expr: &Expr, env: &dyn Env) -> Result<Optimizer, Fault> {
    let part = Part::read(expr, "optimizer", OPTIMIZERS, env)?;
    let lr = |default| part.number("lr", default, "a number above 0", |x| x > 0.0);
    let decay = |default| part.number("weight_decay", default, "a number, at least 0", |x| x >= 0.0);
    let eps = part.number("eps", 1e-8, "a number, at least 0", |x| x >= 0.0)?;
    let momentum = part.number("momentum", 0.0, "a number, at least 0", |x| x >= 0.0)?;
    Ok(match part.name {
        "sgd" => {
            let dampening = part.number("dampening", 0.0, "a number", |_| true)?;
            let nesterov = part.flag("nesterov")?;
            if nesterov && (momentum == 0.0 || dampening != 0.0) {
                let error = Diagnostic::new(codes::RECIPE_VALUE, "`nesterov` needs a momentum, and no dampening");
                return Err(error.label(part.span, "here").help("sgd(lr=0.1, momentum=0.9, nesterov=true)").into());
            }
            Optimizer::Sgd { lr: lr(1e-3)?, momentum, dampening, weight_decay: decay(0.0)?, nesterov }
        }
        "adam" => Optimizer::Adam {
            lr: lr(1e-3)?,
            betas: betas(&part)?,
            eps,
            weight_decay: decay(0.0)?,
            amsgrad: part.flag("amsgrad")?,
        },
        "adamw" => Optimizer::AdamW {
            lr: lr(1e-3)?,
            betas: betas(&part)?,
            eps,
            weight_decay: decay(1e-2)?,
            amsgrad: part.flag("amsgrad")?,
        },
        _ => Optimizer::RmsProp {
            lr: lr(1e-2)?,
            alpha: part.number("alpha", 0.99, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))?,
            eps,
            weight_decay: decay(0.0)?,
            momentum,
            centered: part.flag("centered")?,
        },
    })
}

fn betas(part: &Part) -> Result<[f64; 2], Fault> {
    let wants = "two numbers from 0 to less than 1";
    match part.value("betas") {
        None => Ok([0.9, 0.999]),
        Some((value, span)) => match numbers(value).as_deref() {
            Some([a, b]) if (0.0..1.0).contains(a) && (0.0..1.0).contains(b) => Ok([*a, *b]),
            _ => Err(refused("betas", wants, value, *span)),
        },
    }
}

/// A schedule.
pub(super) fn schedule(expr: &Expr, env: &dyn Env) -> Result<Schedule, Fault> {
    let part = Part::read(expr, "schedule", SCHEDULES, env)?;
    let warmup = part.whole("warmup", Some(0), 0)?;
    Ok(match part.name {
        "constant" => Schedule::Constant { warmup },
        "step" => {
            let Some((value, span)) = part.value("at") else { return Err(part.missing("at")) };
            let at = match value {
                Value::List(items) => items.iter().map(whole).collect::<Option<Vec<usize>>>(),
                _ => None,
            };
            let rising = |at: &Vec<usize>| at.windows(2).all(|pair| pair[0] < pair[1]);
            let at = at.filter(rising).ok_or_else(|| refused("at", "a list of rising step numbers", value, *span))?;
            Schedule::Step { at, factor: part.number("factor", 0.1, "a number above 0", |x| x > 0.0)?, warmup }
        }
        _ => Schedule::Cosine {
            warmup,
            floor: part.number("floor", 0.0, "a number from 0 to 1", |x| (0.0..=1.0).contains(&x))?,
        },
    })
}
