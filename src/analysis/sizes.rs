//! Which input sizes work? Found by trying them, and said as a rule only where every tried value keeps it.

use crate::elaborate::{FreeSize, InputDecl, Options, Program};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Layers that may be elaborated in all while the values of one size are tried.
const BUDGET: usize = 200_000;
/// What a try costs besides its layers, in layers.
const TRY: usize = 32;
/// The first values are tried up to here, or to twice the default where that is more.
const FIRST: usize = 512;

/// What was found out about one free size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeReport {
    /// The size's name: `H`.
    pub name: String,
    /// The size planned for.
    pub default: usize,
    /// The rule that valid values follow.
    pub rule: Rule,
    /// For the default and every value asked for: the nearest valid values.
    pub near: Vec<Near>,
    /// Why a value near the default does not work; `None` where all tried values do.
    pub because: Option<Because>,
    /// The values tried: all from 1 to the first number, and around the default all of the range.
    pub tried: (usize, std::ops::RangeInclusive<usize>),
}

/// What was found out about the free sizes of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSizes {
    /// The model's name.
    pub model: String,
    /// Its inputs as declared: `image [N, 1, H, W]`.
    pub inputs: Vec<String>,
    /// Its free sizes, the batch left out.
    pub sizes: Vec<SizeReport>,
}

/// The rule that valid values follow, among all that were tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Valid are exactly the values `from`, `from + step`, `from + 2·step`, …
    Every {
        /// The smallest.
        from: usize,
        /// The distance.
        step: usize,
    },
    /// Only these: no regularity was found. At most [`Rule::LISTED`] of them.
    Only(Vec<usize>),
    /// No tried value is valid.
    None,
}

/// The valid values nearest to one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Near {
    /// The value.
    pub value: usize,
    /// Whether it is valid.
    pub valid: bool,
    /// The largest valid value below it.
    pub below: Option<usize>,
    /// The smallest valid value above it.
    pub above: Option<usize>,
}

/// A value that does not work, and what stops it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Because {
    /// The value.
    pub value: usize,
    /// The first error's message.
    pub message: String,
}

impl Rule {
    /// How many values of an irregular size are listed.
    pub const LISTED: usize = 12;

    fn of(valid: &BTreeSet<usize>, tried: &[usize]) -> Self {
        let Some(&from) = valid.first() else { return Self::None };
        let step = valid.iter().fold(0, |step, v| gcd(step, v - from));
        let regular = |&n: &usize| valid.contains(&n) == (n >= from && (n - from).is_multiple_of(step));
        if step > 0 && tried.iter().all(regular) {
            return Self::Every { from, step };
        }
        Self::Only(valid.iter().copied().take(Self::LISTED).collect())
    }

    /// `16, 32, 48, … (multiples of 16)`
    pub fn in_words(&self) -> String {
        match self {
            Self::Every { from: 1, step: 1 } => "any size".into(),
            Self::Every { from, step: 1 } => format!("any size from {from} up"),
            Self::Every { from, step } => {
                let first = format!("{from}, {}, {}, …", from + step, from + 2 * step);
                match from % step {
                    0 => format!("{first} (multiples of {step})"),
                    rest => format!("{first} (multiples of {step}, plus {rest})"),
                }
            }
            Self::Only(values) => {
                let more = if values.len() == Self::LISTED { ", …" } else { "" };
                let values: Vec<String> = values.iter().map(usize::to_string).collect();
                format!("only {}{more}", values.join(", "))
            }
            Self::None => "no size that was tried".into(),
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Tries values of every free size of the model that the options name. The options' own sizes are what is
/// asked about. `None` where the model does not elaborate at the sizes planned for.
pub fn of_program(program: &Program, options: &Options) -> Option<ModelSizes> {
    let planned = Options { sizes: BTreeMap::new(), spatial: None, ..options.clone() };
    let network = program.elaborate(&planned).0?;
    let report = |size: &FreeSize| {
        let asked: Vec<usize> = options.sizes.get(&size.name).copied().into_iter().collect();
        explore(size, &asked, network.graph.len(), |value| {
            let sizes = [(size.name.clone(), value)].into();
            match program.elaborate(&Options { sizes, ..planned.clone() }) {
                (Some(_), _) => Ok(()),
                (None, found) => Err(found.iter().next().map(|d| d.message.clone()).unwrap_or_default()),
            }
        })
    };
    let sizes = network.free_sizes.iter().map(report).collect();
    Some(ModelSizes { model: network.name.clone(), inputs: network.inputs.iter().map(declared).collect(), sizes })
}

/// `image [N, 1, H, W]`
fn declared(input: &InputDecl) -> String {
    let dim = |(name, size): &(Option<String>, Option<usize>)| match (name, size) {
        (Some(name), _) => name.clone(),
        (None, Some(size)) => size.to_string(),
        (None, None) => "?".into(),
    };
    format!("{} [{}]", input.name, input.dims.iter().map(dim).collect::<Vec<_>>().join(", "))
}

/// Tries values of one free size, the others at their defaults. `layers` is about how many layers one try
/// elaborates; `check` gives the first error's message.
pub fn explore(
    size: &FreeSize,
    asked: &[usize],
    layers: usize,
    mut check: impl FnMut(usize) -> Result<(), String>,
) -> SizeReport {
    let tried = candidates(size.default, layers);
    let values: Vec<usize> = (1..=tried.0).chain(tried.1.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let (mut valid, mut refused) = (BTreeSet::new(), BTreeMap::new());
    for &value in &values {
        match check(value) {
            Ok(()) => _ = valid.insert(value),
            Err(message) => _ = refused.insert(value, message),
        }
    }
    let rule = Rule::of(&valid, &values);
    let near = std::iter::once(&size.default).chain(asked).map(|&value| near(value, &rule, &valid)).collect();
    // A value that is large enough and still fails says more than one that is too small.
    let smallest = valid.first().copied().unwrap_or(0);
    let distance = |&(&value, _): &(&usize, &String)| (value < smallest, value.abs_diff(size.default), value);
    let because = refused.iter().min_by_key(distance);
    let because = because.map(|(&value, message)| Because { value, message: message.clone() });
    SizeReport { name: size.name.clone(), default: size.default, rule, near, because, tried }
}

/// All values from 1 to the first number, and all of the range around the default.
fn candidates(default: usize, layers: usize) -> (usize, std::ops::RangeInclusive<usize>) {
    let affordable = (BUDGET / layers.saturating_add(TRY)).max(64);
    let top = FIRST.max(default.saturating_mul(2));
    if top <= affordable {
        return (top, 1..=top);
    }
    let around = affordable / 4;
    (affordable / 2, default.saturating_sub(around).max(1)..=default.saturating_add(around))
}

fn near(value: usize, rule: &Rule, valid: &BTreeSet<usize>) -> Near {
    if let Rule::Every { from, step } = *rule {
        let past = value.checked_sub(from).map(|over| over % step);
        let below = past.map(|rest| if rest == 0 { step } else { rest }).and_then(|d| value.checked_sub(d));
        let above = past.map_or(Some(from), |rest| value.checked_add(step - rest));
        return Near { value, valid: past == Some(0), below: below.filter(|&b| b >= from), above };
    }
    let below = valid.range(..value).next_back().copied();
    let above = valid.range(value..).find(|&&v| v > value).copied();
    Near { value, valid: valid.contains(&value), below, above }
}

/// The reports as text.
pub fn render(found: &ModelSizes) -> String {
    let mut text = format!("{}  {}\n", found.model, found.inputs.join("  "));
    let mut said: Option<&Rule> = None;
    for report in &found.sizes {
        let same = said == Some(&report.rule) && report.near.iter().all(|near| near.valid);
        text += &format!("  {}: {}\n", report.name, if same { "the same".into() } else { words(report) });
        said = Some(&report.rule);
    }
    if found.sizes.is_empty() {
        text += "  no free sizes: every size but the batch is fixed\n";
    }
    text
}

fn words(report: &SizeReport) -> String {
    let mut text = report.rule.in_words();
    for near in report.near.iter().filter(|near| !near.valid) {
        let values: Vec<String> = [near.below, near.above].into_iter().flatten().map(|n| n.to_string()).collect();
        let values = if values.is_empty() { "none".into() } else { values.join(", ") };
        text += &format!("; near {}: {values}", near.value);
    }
    if let Some(Because { value, message }) = &report.because {
        text += &format!("\n     because at {value}: {message}");
    }
    let full = report.tried.1.contains(&1);
    if !full {
        let (first, around) = (report.tried.0, &report.tried.1);
        text += &format!("\n     tried: 1 to {first}, and {} to {}", around.start(), around.end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explore_with(default: usize, asked: &[usize], valid: fn(usize) -> bool) -> SizeReport {
        let size = FreeSize { name: "H".into(), default };
        explore(&size, asked, 100, |n| if valid(n) { Ok(()) } else { Err(format!("{n} does not fit")) })
    }

    #[test]
    fn a_rule_is_said_where_it_holds() {
        let report = explore_with(256, &[250], |n| n.is_multiple_of(16));
        assert_eq!(report.rule, Rule::Every { from: 16, step: 16 });
        let near = Near { value: 250, valid: false, below: Some(240), above: Some(256) };
        assert_eq!(report.near[1], near);
        let other = SizeReport { name: "W".into(), near: vec![], ..report.clone() };
        let expected = "UNet  image [N, 1, H, W]\n  H: 16, 32, 48, … (multiples of 16); near 250: 240, 256\n     \
                        because at 255: 255 does not fit\n  W: the same\n";
        let inputs = vec!["image [N, 1, H, W]".into()];
        let found = ModelSizes { model: "UNet".into(), inputs, sizes: vec![report, other] };
        assert_eq!(render(&found), expected);
    }

    #[test]
    fn offsets_and_smallest_values_are_kept() {
        let report = explore_with(572, &[], |n| n >= 188 && n % 16 == 12);
        assert_eq!(report.rule.in_words(), "188, 204, 220, … (multiples of 16, plus 12)");
        assert_eq!(explore_with(64, &[], |n| n >= 33).rule.in_words(), "any size from 33 up");
        assert_eq!(explore_with(64, &[], |_| true).because, None);
    }

    #[test]
    fn no_rule_is_made_up() {
        let report = explore_with(8, &[9], |n| [4, 8, 12, 20].contains(&n));
        assert_eq!(report.rule.in_words(), "only 4, 8, 12, 20");
        assert_eq!(report.near[1], Near { value: 9, valid: false, below: Some(8), above: Some(12) });
        assert_eq!(explore_with(8, &[], |_| false).rule, Rule::None);
        assert_eq!(explore_with(8, &[], |n| n == 8).rule.in_words(), "only 8");
    }

    #[test]
    fn large_networks_are_tried_at_fewer_values() {
        assert_eq!(candidates(224, 100).0, 512);
        let (first, around) = candidates(224, 10_000);
        assert!(first >= 16 && around.contains(&224) && around.contains(&220));
    }
}
