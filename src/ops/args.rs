//! Arguments of layers: what they may be, and what was given.

use crate::base::nearest::nearest;
use std::collections::BTreeMap;

/// A compile-time value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// `true`, `false`
    Bool(bool),
    /// `"text"`
    Str(String),
    /// `[a, b]`
    List(Vec<Value>),
    /// A bare word: `global`, `same`, `last`, `kaiming_normal`.
    Word(String),
    /// `normal(0.02)`: a word with arguments.
    Call(String, Vec<(Option<String>, Value)>),
    /// `(mean=[…], std=[…])`, only in recipes.
    Record(Vec<(String, Value)>),
}

/// What an argument accepts; messages say it in these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgType {
    /// A whole number, at least 1.
    Count,
    /// One number or a list with one per spatial axis, each at least 1.
    Sizes,
    /// The same, 0 allowed.
    SizesOrZero,
    /// The same as `SizesOrZero`, or the word `same`.
    SizesOrSame,
    /// As `Sizes`, or the word `global`.
    SizesOrGlobal,
    /// A finite number.
    Number,
    /// A number from 0 to 1.
    Probability,
    /// `true` or `false`.
    Bool,
    /// An initialisation.
    Init,
    /// One of these texts or words.
    Choice(&'static [&'static str]),
    /// Sizes of `reshape`: a list of whole numbers, one of which may be −1.
    Dims,
    /// Padding: one number, a list with one per spatial axis, or a list with a pair `[before, after]` per axis.
    Pads,
    /// The name of a labelled value, which becomes a further operand.
    Operand,
}

/// One argument of a layer.
#[derive(Clone, Debug)]
pub struct ArgSpec {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub ty: ArgType,
    /// Its default as it would be written; `None` where it must be given, `Some("")` where it may be absent.
    pub default: Option<&'static str>,
    /// Whether it is written by its place: arguments that must be given, and some that stand alone.
    pub plain: bool,
}

/// The arguments of one call, by name, defaults *not* filled in. An operand argument is present as a
/// `Value::Word`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// What was given.
    pub given: BTreeMap<String, Value>,
}

/// Why an argument is refused. The caller labels the argument, or the call where `arg` is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgError {
    /// Which argument.
    pub arg: Option<String>,
    /// The fact.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// As the language writes it; numbers that are no whole ones by type keep their point.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn joined<T>(all: &[T], one: impl Fn(&T) -> String) -> String {
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        }
        let argument = |(name, value): &(Option<String>, Self)| match name {
            Some(name) => format!("{name}={value}"),
            None => value.to_string(),
        };
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{x:.1}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Bool(on) => write!(f, "{on}"),
            Self::Str(text) => write!(f, "{text:?}"),
            Self::Word(word) => f.write_str(word),
            Self::List(items) => write!(f, "[{}]", joined(items, Self::to_string)),
            Self::Call(name, args) => write!(f, "{name}({})", joined(args, argument)),
            Self::Record(fields) => write!(f, "({})", joined(fields, |(name, value)| format!("{name}={value}"))),
        }
    }
}

impl Value {
    /// The value in words, for messages: `the number 3.5`, `a list of 2`.
    pub fn describe(&self) -> String {
        match self {
            Self::Int(n) => format!("the number {n}"),
            Self::Float(x) => format!("the number {x}"),
            Self::Bool(b) => format!("`{b}`"),
            Self::Str(s) => format!("the text \"{s}\""),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Word(w) => format!("`{w}`"),
            Self::Call(w, _) => format!("`{w}(…)`"),
            Self::Record(_) => "a record".into(),
        }
    }

    /// The position of a text or a word among `choices`.
    ///
    /// # Errors
    /// Where it is none of them, with the nearest one as help.
    pub(super) fn choice(&self, name: &str, choices: &'static [&'static str]) -> Result<usize, ArgError> {
        let refused = || ArgError::must_be(name, ArgType::Choice(choices), self);
        let Some(text) = text(self) else { return Err(refused()) };
        choices.iter().position(|c| *c == text).ok_or_else(|| match nearest(text, choices.iter().copied()) {
            Some(meant) => refused().help(format!("{name}=\"{meant}\"")),
            None => refused(),
        })
    }
}

impl ArgType {
    /// What is accepted, in the words of messages.
    pub fn words(&self) -> String {
        match self {
            Self::Count => "a whole number, at least 1".into(),
            Self::Sizes => "a whole number, at least 1, or a list with one per spatial axis".into(),
            Self::SizesOrZero => "a whole number, at least 0, or a list with one per spatial axis".into(),
            Self::SizesOrSame => "a whole number, at least 0, a list with one per spatial axis, or `same`".into(),
            Self::SizesOrGlobal => "a whole number, at least 1, a list with one per spatial axis, or `global`".into(),
            Self::Number => "a number".into(),
            Self::Probability => "a number from 0 to 1".into(),
            Self::Bool => "`true` or `false`".into(),
            Self::Init => format!("one of {}", quoted(super::init::FORMS, "`")),
            Self::Choice(choices) => format!("one of {}", quoted(choices, "\"")),
            Self::Dims => "a list of whole numbers, one of which may be -1".into(),
            Self::Pads => "a whole number, a list with one per spatial axis, or a list of pairs".into(),
            Self::Operand => "the name of a labelled value".into(),
        }
    }
}

fn quoted(words: &[&str], quote: &str) -> String {
    words.iter().map(|w| format!("{quote}{w}{quote}")).collect::<Vec<_>>().join(", ")
}

impl ArgError {
    /// An error about one argument.
    pub fn at(arg: &str, message: impl Into<String>) -> Self {
        Self { arg: Some(arg.into()), message: message.into(), help: None }
    }

    /// An error about the call.
    pub fn call(message: impl Into<String>) -> Self {
        Self { arg: None, message: message.into(), help: None }
    }

    /// Says what to write instead.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// `` `stride` must be a whole number, at least 1, not the number 0 ``.
    pub(super) fn must_be(arg: &str, ty: ArgType, found: &Value) -> Self {
        Self::at(arg, format!("`{arg}` must be {}, not {}", ty.words(), found.describe()))
    }
}

/// Reading.
impl Args {
    /// What was given under this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.given.get(name)
    }

    /// What was given under this name, which must be.
    ///
    /// # Errors
    /// Where nothing was.
    pub fn need(&self, name: &str) -> Result<&Value, ArgError> {
        self.get(name).ok_or_else(|| ArgError::call(format!("`{name}` is missing")))
    }

    /// Whether the argument is this bare word (or the same text in quotes).
    pub fn is_word(&self, name: &str, word: &str) -> bool {
        self.get(name).and_then(text) == Some(word)
    }
}

/// Refuses a list that has not one entry per spatial axis.
pub(super) fn same_length(name: &str, entries: usize, axes: usize) -> Result<(), ArgError> {
    if entries == axes || (axes == 0 && entries > 0) {
        return Ok(());
    }
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let (has, want) = (count(entries, "entry", "entries"), count(axes, "spatial axis", "spatial axes"));
    Err(ArgError::at(name, format!("`{name}` has {has}, but the input has {want}")))
}

/// A whole number that is at least `least`.
pub(super) fn whole(value: &Value, least: i64) -> Option<usize> {
    match value {
        Value::Int(n) if *n >= least => usize::try_from(*n).ok(),
        _ => None,
    }
}

/// A finite number.
pub(super) fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) if x.is_finite() => Some(*x),
        _ => None,
    }
}

/// A text or a bare word.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Str(s) | Value::Word(s) => Some(s),
        _ => None,
    }
}

/// An argument that must be given.
pub(super) const fn required(name: &'static str, ty: ArgType) -> ArgSpec {
    ArgSpec { name, ty, default: None, plain: true }
}

/// An argument with a default; `""` where it may be absent.
pub(super) const fn optional(name: &'static str, ty: ArgType, default: &'static str) -> ArgSpec {
    ArgSpec { name, ty, default: Some(default), plain: false }
}
