//! Why operands do not fit an op. No spans: the elaborator adds the places.

/// A shape rule's refusal. `axis` counts with the batch as axis 0.
#[derive(Clone, Debug, PartialEq)]
pub enum ShapeError {
    /// Two sizes that must agree do not.
    Mismatch { operand: usize, axis: usize, expected: usize, found: usize },
    /// The operand has the wrong number of axes; `expected` in words (`[N, C, L] or [N, C, H, W]`).
    Rank { operand: usize, expected: &'static str, found: usize },
    /// A window is larger than what it slides over: `window` against `size`, padding counted in both.
    TooSmall { axis: usize, size: usize, window: usize },
    /// A size must be a multiple of another (`what` names the argument, such as `groups`).
    Indivisible { axis: usize, size: usize, by: usize, what: &'static str },
    /// The elements of operand and result differ.
    Elements { from: u64, to: u64 },
    /// A size left 64 bits or the limits.
    Overflow,
    /// Anything else, said in the message's own words, with a help where there is one.
    Other { message: String, help: Option<String> },
}
