//! A recipe as its lines.

use super::call::number;
use crate::elaborate::recipe::{Augment, Duration, Loss, LossTerm, Optimizer, Recipe, Schedule};
use std::fmt::Write;

/// `train Name { … }`, every line of the recipe said.
pub(super) fn text(model: &str, recipe: &Recipe) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_string(), value));
    if let Some(data) = &recipe.data {
        line("data", quoted(data));
    }
    line("loss", recipe.loss.iter().map(term).collect::<Vec<_>>().join(" + "));
    line("optimizer", optimizer(&recipe.optimizer));
    line("schedule", schedule(&recipe.schedule));
    line("batch", recipe.batch.to_string());
    match recipe.duration {
        Duration::Steps(n) => line("steps", n.to_string()),
        Duration::Epochs(n) => line("epochs", n.to_string()),
    }
    if let Some(normalize) = &recipe.normalize {
        line("normalize", format!("(mean={}, std={})", numbers(&normalize.mean), numbers(&normalize.std)));
    }
    if !recipe.augment.is_empty() {
        line("augment", format!("[{}]", recipe.augment.iter().map(augment).collect::<Vec<_>>().join(", ")));
    }
    line("metrics", format!("[{}]", recipe.metrics.iter().map(|m| m.name()).collect::<Vec<_>>().join(", ")));
    line("seed", recipe.seed.to_string());
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("\ntrain {model} {{\n");
    for (name, value) in lines {
        let _ = writeln!(text, "    {name:<width$} = {value}");
    }
    text + "}\n"
}

/// A text as the language quotes it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\t', "\\t");
    format!("\"{escaped}\"")
}

fn numbers(values: &[f64]) -> String {
    format!("[{}]", values.iter().map(|&v| number(v)).collect::<Vec<_>>().join(", "))
}

/// A name with its arguments; without parentheses where there are none.
fn called(name: &str, args: &[(&str, String)]) -> String {
    let args: Vec<String> = args.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if args.is_empty() { name.to_string() } else { format!("{name}({})", args.join(", ")) }
}

fn term(term: &LossTerm) -> String {
    let mut args = Vec::new();
    let name = match &term.loss {
        Loss::CrossEntropy { label_smoothing, ignore_index, class_weights } => {
            args.push(("label_smoothing", number(*label_smoothing)));
            args.extend(ignore_index.map(|index| ("ignore_index", index.to_string())));
            args.extend(class_weights.as_ref().map(|weights| ("class_weights", numbers(weights))));
            "cross_entropy"
        }
        Loss::BceWithLogits => "bce_with_logits",
        Loss::Dice { smooth, ignore_index } => {
            args.push(("smooth", number(*smooth)));
            args.extend(ignore_index.map(|index| ("ignore_index", index.to_string())));
            "dice"
        }
        Loss::Mse => "mse",
        Loss::L1 => "l1",
    };
    args.extend(term.output.as_ref().map(|output| ("output", quoted(output))));
    let call = called(name, &args);
    if term.weight == 1.0 { call } else { format!("{} * {call}", number(term.weight)) }
}

fn optimizer(optimizer: &Optimizer) -> String {
    let adam = |name: &str, lr: f64, betas: [f64; 2], eps: f64, weight_decay: f64, amsgrad: bool| {
        called(
            name,
            &[
                ("lr", number(lr)),
                ("betas", numbers(&betas)),
                ("eps", number(eps)),
                ("weight_decay", number(weight_decay)),
                ("amsgrad", amsgrad.to_string()),
            ],
        )
    };
    match *optimizer {
        Optimizer::Sgd { lr, momentum, dampening, weight_decay, nesterov } => called(
            "sgd",
            &[
                ("lr", number(lr)),
                ("momentum", number(momentum)),
                ("dampening", number(dampening)),
                ("weight_decay", number(weight_decay)),
                ("nesterov", nesterov.to_string()),
            ],
        ),
        Optimizer::Adam { lr, betas, eps, weight_decay, amsgrad } => {
            adam("adam", lr, betas, eps, weight_decay, amsgrad)
        }
        Optimizer::AdamW { lr, betas, eps, weight_decay, amsgrad } => {
            adam("adamw", lr, betas, eps, weight_decay, amsgrad)
        }
        Optimizer::RmsProp { lr, alpha, eps, weight_decay, momentum, centered } => called(
            "rmsprop",
            &[
                ("lr", number(lr)),
                ("alpha", number(alpha)),
                ("eps", number(eps)),
                ("weight_decay", number(weight_decay)),
                ("momentum", number(momentum)),
                ("centered", centered.to_string()),
            ],
        ),
    }
}

fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant { warmup } => called("constant", &[("warmup", warmup.to_string())]),
        Schedule::Step { at, factor, warmup } => {
            called("step", &[("at", format!("{at:?}")), ("factor", number(*factor)), ("warmup", warmup.to_string())])
        }
        Schedule::Cosine { warmup, floor } => {
            called("cosine", &[("warmup", warmup.to_string()), ("floor", number(*floor))])
        }
    }
}

fn augment(augment: &Augment) -> String {
    match augment {
        Augment::PadCrop(amount) => format!("pad_crop({amount})"),
        Augment::Flip => "flip".into(),
        Augment::FlipVertical => "flip_vertical".into(),
        Augment::Shift(amount) => format!("shift({amount})"),
        Augment::Rotate(degrees) => format!("rotate({})", number(*degrees)),
        Augment::Cutout(size) => format!("cutout({size})"),
        Augment::Jitter(amount) => format!("jitter({})", number(*amount)),
        Augment::RandomResizedCrop { min_area } => format!("random_resized_crop({})", number(*min_area)),
        Augment::Mixup(alpha) => format!("mixup({})", number(*alpha)),
    }
}
