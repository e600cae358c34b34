//! Targets that cannot be learnt from, in words.

/// What is wrong with a target, and what to do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misfit {
    /// The fact: which file, which place, which value.
    pub fact: String,
    /// What to write instead.
    pub help: Option<String>,
    /// What else is known.
    pub notes: Vec<String>,
}

impl Misfit {
    /// A fact.
    pub fn new(fact: impl Into<String>) -> Self {
        Self { fact: fact.into(), ..Self::default() }
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds context.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }
}

/// An index as Python writes it, without its brackets: `3, 0, 7` for position `flat` of an array of this shape.
pub fn index(shape: &[usize], flat: usize) -> String {
    let mut rest = flat;
    let mut digits: Vec<String> = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        digits.push((rest % size.max(1)).to_string());
        rest /= size.max(1);
    }
    digits.reverse();
    digits.join(", ")
}

/// A number without decimals that say nothing: `3`, `0.5`.
pub fn shown(value: f32) -> String {
    if value.fract() == 0.0 && value.abs() < 1e7 { format!("{value:.0}") } else { format!("{value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_pythons() {
        assert_eq!(index(&[5, 1, 4, 3], 2 * 12 + 7), "2, 0, 2, 1");
        assert_eq!(index(&[9], 4), "4");
        assert_eq!(index(&[], 0), "");
        assert_eq!([3.0, 0.5, f32::NAN, -0.25].map(shown), ["3", "0.5", "NaN", "-0.25"]);
    }
}
