//! The words that have a meaning in certain places, for tools that offer them.

pub use super::part::PartSpec;
use super::recipe::Metric;
use super::{objective, train};

/// What stands after `it.`.
pub const SIZES: &[&str] = &["channels", "height", "width", "length", "features", "rank"];

/// Functions of expressions.
pub const FUNCTIONS: &[&str] = &["min", "max", "floor", "ceil", "round", "abs"];

/// The lines of a recipe.
pub const RECIPE_LINES: &[&str] = train::FIELDS;

/// What a line of a recipe may be made of: names, each with the names of its arguments. Empty where the line holds a
/// number, a text or a record.
pub fn parts(line: &str) -> Vec<PartSpec> {
    match line {
        "loss" => objective::LOSSES.to_vec(),
        "optimizer" => objective::OPTIMIZERS.to_vec(),
        "schedule" => objective::SCHEDULES.to_vec(),
        "augment" => train::AUGMENTS.to_vec(),
        "metrics" => Metric::ALL.into_iter().map(|metric| (metric.name(), &[][..])).collect(),
        _ => Vec::new(),
    }
}

/// The arguments that a skip of this kind takes.
pub fn skip_arguments(kind: &str) -> &'static [&'static str] {
    match kind {
        "add" => &["scale", "drop_path"],
        "concat" => &["order"],
        _ => &[],
    }
}
