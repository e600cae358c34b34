//! Compile-time values as text, and how much they weigh.

use crate::ops::Value;

/// What copying the value costs, in units of work: lists and texts by their length.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::List(items) => 16 * items.len() + items.iter().map(weight).sum::<usize>(),
        Value::Str(s) | Value::Word(s) => 1 + s.len(),
        Value::Call(_, args) => 16 + args.iter().map(|(_, v)| weight(v)).sum::<usize>(),
        Value::Record(fields) => 16 + fields.iter().map(|(_, v)| weight(v)).sum::<usize>(),
        _ => 1,
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, …
pub(super) fn ordinal(n: usize) -> String {
    let suffix = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

/// `56×56`, or `a vector` where there are no spatial sizes.
pub(super) fn spatial(sizes: &[usize]) -> String {
    match sizes {
        [] => "a vector".into(),
        [length] => format!("length {length}"),
        _ => sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join("×"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_values_as_the_language_does() {
        let init = Value::Call("normal".into(), vec![(None, Value::Float(0.02)), (Some("a".into()), Value::Int(1))]);
        assert_eq!(init.to_string(), "normal(0.02, a=1)");
        assert_eq!(Value::List(vec![Value::Float(2.0), Value::Str("x".into())]).to_string(), "[2.0, \"x\"]");
    }

    #[test]
    fn counts_like_people() {
        let words: Vec<_> = [1, 2, 3, 4, 11, 12, 21, 112].into_iter().map(ordinal).collect();
        assert_eq!(words, ["1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th"]);
    }
}
