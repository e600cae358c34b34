//! Differences of arguments, in words.

use crate::ops::Op;
use crate::tools::tree::Group;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields that never follow from another by proportion.
const WINDOWS: [&str; 4] = ["kernel", "stride", "pad", "dilation"];

/// An argument with two values; nothing where one of the two does not have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

impl Argument {
    /// `depth 4 → 6`, `with ratio 16`, `without bottleneck`
    pub fn words(&self) -> String {
        let Self { name, before, after } = self;
        match (before, after) {
            (Some(before), Some(after)) => format!("{name} {before} → {after}"),
            (None, Some(after)) => format!("with {name} {after}"),
            (_, None) => format!("without {name}"),
        }
    }

    /// Whether this follows from another argument: the same two values, or numbers in the same proportion.
    pub fn follows(&self, cause: &Self) -> bool {
        let (Some(a), Some(b), Some(x), Some(y)) = (&self.before, &self.after, &cause.before, &cause.after) else {
            return false;
        };
        let number = |text: &String| text.parse::<f64>().ok().filter(|n| *n != 0.0);
        let proportional = || {
            let (a, b, x, y) = (number(a)?, number(b)?, number(x)?, number(y)?);
            Some((b * x - a * y).abs() < 1e-9 * (a * y).abs() || (a * x - b * y).abs() < 1e-9 * (b * y).abs())
        };
        (a == x && b == y) || (!WINDOWS.contains(&self.name.as_str()) && proportional().unwrap_or(false))
    }
}

/// The arguments of two uses of blocks that differ, in the order of the first.
pub fn of_blocks(a: &Group, b: &Group) -> Vec<Argument> {
    let pairs =
        |group: &Group| group.args.iter().map(|arg| (arg.name.clone(), arg.value.to_string())).collect::<Vec<_>>();
    compared(&pairs(a), &pairs(b))
}

/// The fields of two ops of one kind that differ. A padding that keeps the size goes with its window.
pub fn of_ops(a: &Op, b: &Op) -> Vec<Argument> {
    let mut arguments = compared(&fields(a), &fields(b));
    if keeps_size(a) && keeps_size(b) {
        arguments.retain(|argument| argument.name != "pad");
    }
    arguments
}

fn keeps_size(op: &Op) -> bool {
    let Op::Conv(conv) = op else { return false };
    let same = conv.kernel.iter().zip(&conv.dilation).map(|(kernel, dilation)| dilation * kernel.saturating_sub(1) / 2);
    same.eq(conv.pad.iter().copied())
}

fn fields(op: &Op) -> Vec<(String, String)> {
    match serde_json::to_value(op) {
        Ok(Value::Object(fields)) => {
            fields.iter().filter(|(name, _)| *name != "op").map(|(name, value)| (name.clone(), shown(value))).collect()
        }
        _ => Vec::new(),
    }
}

/// A field's value as the language would write it, where it has a way.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(list) => match list.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => shown(first),
            _ => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        },
        Value::Object(fields) if fields.len() == 1 => {
            fields.iter().map(|(name, value)| format!("{name}({})", shown(value))).collect()
        }
        other => other.to_string(),
    }
}

fn compared(a: &[(String, String)], b: &[(String, String)]) -> Vec<Argument> {
    let values_a: BTreeMap<_, _> = a.iter().cloned().collect();
    let values_b: BTreeMap<_, _> = b.iter().cloned().collect();
    let only_b = b.iter().filter(|(name, _)| !values_a.contains_key(name));
    let argument = |(name, _): &(String, String)| Argument {
        name: name.clone(),
        before: values_a.get(name).cloned(),
        after: values_b.get(name).cloned(),
    };
    a.iter().chain(only_b).map(argument).filter(|argument| argument.before != argument.after).collect()
}
