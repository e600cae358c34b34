//! Numbers and colours of everything that is printed.

use crate::ops::{Family, Merge, Op};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// How text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes may be used.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether `│`, `×`, `·` may be used; else ASCII.
    pub unicode: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 120, unicode: true }
    }
}

/// A role that has a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The terminal's own.
    Plain,
    /// What steps back.
    Dim,
    /// What leads: the model's name, headings.
    Bold,
    /// A skip that adds.
    Add,
    /// A skip that concatenates.
    Concat,
    /// A skip that multiplies.
    Mul,
    /// A gated skip.
    Gate,
    /// What was not there before.
    New,
    /// What is there no more.
    Gone,
}

impl Ink {
    /// The colour of a merge.
    pub fn of_merge(op: &Op) -> Self {
        match op.family() {
            Family::Merge(Merge::Add) => Self::Add,
            Family::Merge(Merge::Concat) => Self::Concat,
            Family::Merge(Merge::Mul) => Self::Mul,
            Family::Merge(Merge::Gate) => Self::Gate,
            Family::Input | Family::Convolution | Family::Linear | Family::Norm | Family::Activation => Self::Plain,
            Family::Pool | Family::Resize | Family::Regularization | Family::View => Self::Plain,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Add => "32",
            Self::Concat => "34",
            Self::Mul => "35",
            Self::Gate => "33",
            Self::New => "32",
            Self::Gone => "31",
        }
    }
}

impl Style {
    /// The text in a colour, where colours are allowed.
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || ink == Ink::Plain || text.is_empty() {
            return text.into();
        }
        format!("\x1b[{}m{text}\x1b[0m", ink.code())
    }

    /// The text with ASCII in place of signs, where it must be.
    pub fn signs<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.unicode || text.is_ascii() {
            return text.into();
        }
        text.chars().fold(String::new(), |plain, c| plain + sign(c).unwrap_or(c.encode_utf8(&mut [0; 4]))).into()
    }
}

fn sign(c: char) -> Option<&'static str> {
    Some(match c {
        '×' => "x",
        '·' => ".",
        '–' => "-",
        '…' => "~",
        '→' => "->",
        '⟵' => "<-",
        '│' | '┆' => "|",
        '╭' => ",",
        '╰' => "`",
        '─' | '╌' => "-",
        _ => return None,
    })
}

/// Columns that a text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text cut to `width` columns, with `…` where something is missing.
pub fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.into();
    }
    let mut cut = String::new();
    for c in text.chars() {
        if columns(&cut) + 2 > width {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

/// `1,116,416`
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `118.0 M`, `3.66 G`; plain below ten thousand.
pub fn metric(n: u64) -> String {
    scaled(n, 1000.0, 100.0, &["", "k", "M", "G", "T", "P", "E"])
}

/// `3.66 GMACs`
pub fn macs(n: u64) -> String {
    let number = metric(n);
    let gap = if number.contains(' ') { "" } else { " " };
    format!("{number}{gap}MACs")
}

/// `83.2 MiB`
pub fn bytes(n: u64) -> String {
    scaled(n, 1024.0, 10.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// The number divided until it is below the base, with two decimals below `fine` and one above.
fn scaled(n: u64, base: f64, fine: f64, units: &[&str]) -> String {
    let (mut x, mut unit) = (n as f64, 0);
    while x >= base && unit + 1 < units.len() {
        x /= base;
        unit += 1;
    }
    let number = match x {
        _ if unit == 0 => n.to_string(),
        x if x < fine => format!("{x:.2}"),
        x => format!("{x:.1}"),
    };
    format!("{number} {}", units[unit]).trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_true() {
        assert_eq!(grouped(1_116_416), "1,116,416");
        assert_eq!(grouped(999), "999");
        assert_eq!(metric(118_013_952), "118.0 M");
        assert_eq!(metric(3_664_000_000), "3.66 G");
        assert_eq!(metric(512), "512");
        assert_eq!(bytes(87_242_064), "83.2 MiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn texts_fit() {
        assert_eq!(shortened("layer1.0.conv1", 8), "layer1.…");
        assert_eq!(shortened("conv", 8), "conv");
        let ascii = Style { unicode: false, ..Style::default() };
        assert_eq!(ascii.signs("3×3 ⟵ a"), "3x3 <- a");
    }
}
