//! Arguments of layers: what they may be, and what was given.

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
