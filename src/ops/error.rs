//! Why operands do not fit an op. No spans: the elaborator adds the places.

use crate::shape::Shape;

/// A shape rule's refusal. `axis` counts with the batch as axis 0.
#[derive(Clone, Debug, PartialEq)]
pub enum ShapeError {
    /// Two sizes that must agree do not.
    Mismatch {
        /// The operand that disagrees.
        operand: usize,
        /// Along this axis.
        axis: usize,
        /// The size that the operands before it have.
        expected: usize,
        /// Its size.
        found: usize,
    },
    /// The operand has the wrong number of axes.
    Rank {
        /// Which operand.
        operand: usize,
        /// In words: `[N, C, L] or [N, C, H, W]`.
        expected: &'static str,
        /// Its axes, the batch counted.
        found: usize,
    },
    /// A window is larger than what it slides over.
    TooSmall {
        /// Along this axis.
        axis: usize,
        /// What it slides over, padding counted.
        size: usize,
        /// What it covers.
        window: usize,
    },
    /// A size must be a multiple of another.
    Indivisible {
        /// Along this axis.
        axis: usize,
        /// The size.
        size: usize,
        /// What must divide it.
        by: usize,
        /// The argument that says so, such as `groups`.
        what: &'static str,
    },
    /// The elements of operand and result differ.
    Elements {
        /// Of the operand.
        from: u64,
        /// Of the result.
        to: u64,
    },
    /// A size left 64 bits or the limits.
    Overflow,
    /// Anything else, said in the message's own words, with a help where there is one.
    Other {
        /// The fact.
        message: String,
        /// What to write instead.
        help: Option<String>,
    },
}

impl ShapeError {
    /// A refusal in its own words.
    pub fn other(message: impl Into<String>, help: Option<&str>) -> Self {
        Self::Other { message: message.into(), help: help.map(Into::into) }
    }

    /// The fact in words, for the op `kind` on `inputs`.
    pub fn message(&self, kind: &str, inputs: &[&Shape]) -> String {
        let rank = |operand: usize| inputs.get(operand).map_or(4, |s| s.rank());
        match self {
            Self::Mismatch { operand, axis, expected, found } => {
                let name = axis_name(rank(*operand), *axis);
                format!("`{kind}` needs equal {name}, and finds {expected} and {found}")
            }
            Self::Rank { operand, expected, found } => {
                let shape = inputs.get(*operand).map_or_else(|| format!("{found} axes"), |s| s.to_string());
                format!("`{kind}` works on {expected}, and this is {shape}")
            }
            Self::TooSmall { axis, size, window } => {
                let name = axis_name(rank(0), *axis);
                format!("the window of `{kind}` covers {window}, but the {name} is {size}, padding counted")
            }
            Self::Indivisible { axis, size, by, what } => {
                let name = axis_name(rank(0), *axis);
                format!("{size} {name} cannot be divided by `{what}`, which is {by}")
            }
            Self::Elements { from, to } => {
                format!("`{kind}` must keep the {from} elements of a sample, and makes {to}")
            }
            Self::Overflow => format!("the sizes of this `{kind}` are too large to be counted"),
            Self::Other { message, .. } => message.clone(),
        }
    }

    /// What to write instead, where the rule itself knows.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Other { help, .. } => help.as_deref(),
            _ => None,
        }
    }
}

/// What an axis is called: `channels`, `height`; `features` of a vector.
pub fn axis_name(rank: usize, axis: usize) -> &'static str {
    match (rank, axis) {
        (_, 0) => "batch",
        (2, 1) => "features",
        (_, 1) => "channels",
        (3, 2) => "length",
        (_, 2) => "height",
        (_, 3) => "width",
        _ => "size",
    }
}
