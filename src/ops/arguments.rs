//! Arguments as data. An op declares its fields once, by `op!`: their names, what they accept, their defaults and how they are
//! shown. From that come its struct, its signature, how it is read from a call, and [`Argument`]s, from which the call is
//! written again, details are shown and ops are told apart.

use super::args::{real, same_length, whole};
use super::{ArgError, ArgType, Args, Init, Value};

/// An argument of an op as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub ty: ArgType,
    /// Its value; sizes are a list, one for each axis.
    pub value: Value,
    /// Whether the op has this value, too, where the argument is left out.
    pub is_default: bool,
}

impl Argument {
    /// An argument that has no default.
    pub fn new(name: &'static str, ty: ArgType, value: Value) -> Self {
        Self { name, ty, value, is_default: false }
    }

    /// An argument beside its default.
    pub fn or(name: &'static str, ty: ArgType, value: Value, default: &Value) -> Self {
        let is_default = ty.short(&value) == ty.short(default);
        Self { name, ty, value, is_default }
    }

    /// The value as it is written: one number for sizes that agree along all axes.
    pub fn short(&self) -> Value {
        self.ty.short(&self.value)
    }
}

impl ArgType {
    /// A value of this type as it is written.
    pub fn short(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Sizes | Self::SizesOrZero | Self::SizesOrSame | Self::SizesOrGlobal, Value::List(items)) => {
                one(items)
            }
            (Self::Pads, Value::List(pairs)) => {
                let even = |pair: &Value| match pair {
                    Value::List(sides) if sides.first() == sides.last() => sides.first().cloned(),
                    _ => None,
                };
                pairs.iter().map(even).collect::<Option<Vec<_>>>().map_or_else(|| value.clone(), |items| one(&items))
            }
            _ => value.clone(),
        }
    }
}

/// One value where all are the same.
fn one(items: &[Value]) -> Value {
    match items {
        [first, rest @ ..] if rest.iter().all(|item| item == first) => first.clone(),
        _ => Value::List(items.to_vec()),
    }
}

/// How an argument stands in an op's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Not at all.
    Never,
    /// `3×3`
    Times,
    /// `/2`
    Slash,
    /// `×2`
    Factor,
    /// `groups 4`
    Named,
    /// `p=0.5`, a default too.
    Equals,
}

/// What an argument accepts, how it is kept, and how it is a value again.
pub(super) trait Kind {
    /// How it is kept in the op.
    type Stored;
    /// What it accepts, in words.
    const TYPE: ArgType;
    /// Reads a value; sizes have an entry for each of so many axes.
    fn read(name: &'static str, value: &Value, axes: usize) -> Result<Self::Stored, ArgError>;
    /// The value again; `None` for one that is absent.
    fn value(held: &Self::Stored) -> Option<Value>;
    /// What is kept where nothing was given and there is no default.
    fn absent(name: &'static str) -> Result<Self::Stored, ArgError> {
        Err(ArgError::call(format!("`{name}` is missing")))
    }
}

/// The value of an argument's default as it is written in its declaration.
pub(super) fn literal(text: &str) -> Value {
    match text {
        "true" | "false" => Value::Bool(text == "true"),
        _ => match (text.parse(), text.parse(), text.strip_prefix('"')) {
            (Ok(whole), ..) => Value::Int(whole),
            (_, Ok(number), _) => Value::Float(number),
            (.., Some(quoted)) => Value::Str(quoted.trim_end_matches('"').into()),
            _ => Value::Word(text.into()),
        },
    }
}

/// A whole number, at least 1.
pub(super) enum Count {}
/// One number or a list with one per spatial axis, each at least 1.
pub(super) enum Sizes {}
/// The same, 0 allowed.
pub(super) enum SizesOrZero {}
/// The same, or `same`, which is kept empty until the op settles it.
pub(super) enum SizesOrSame {}
/// As `Sizes`, or by default those of `kernel`: kept empty until the op settles it.
pub(super) enum SizesOfKernel {}
/// As `Sizes`; `global` makes another op, and is refused here.
pub(super) enum Window {}
/// A finite number.
pub(super) enum Number {}
/// A finite number above 0.
pub(super) enum Positive {}
/// A number from 0 to 1.
pub(super) enum Probability {}
/// `true` or `false`.
pub(super) enum Flag {}
/// An initialisation.
pub(super) enum Start {}
/// One of the words of an enum.
pub(super) struct Choice<W>(std::marker::PhantomData<W>);
/// What may be absent.
pub(super) struct Maybe<K>(std::marker::PhantomData<K>);

/// An enum whose values have words.
pub(super) trait Words: Copy + PartialEq + 'static {
    /// Every value, the default first.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [&'static str];
}

/// Sizes, one for each axis.
pub fn list(sizes: &[usize]) -> Value {
    Value::List(sizes.iter().map(|&n| Value::Int(n as i64)).collect())
}

/// Sizes along `axes` spatial axes, one number standing for all; `least` is the smallest allowed. With `axes` 0 (the input is no
/// map, which the shape rule will say) any list goes.
fn read_sizes(ty: ArgType, name: &'static str, value: &Value, axes: usize, least: i64) -> Result<Vec<usize>, ArgError> {
    let refused = |found: &Value| ArgError::must_be(name, ty, found);
    match value {
        Value::List(items) => {
            same_length(name, items.len(), axes)?;
            items.iter().map(|v| whole(v, least).ok_or_else(|| refused(v))).collect()
        }
        _ => whole(value, least).map(|n| vec![n; axes.max(1)]).ok_or_else(|| refused(value)),
    }
}

/// Kinds whose values are read by one expression and written by another.
macro_rules! kinds {
    ($($kind:ty: $held:ty = $ty:expr, |$name:ident, $value:ident, $axes:ident| $read:expr, |$kept:ident| $write:expr;)*) => {
        $(impl Kind for $kind {
            type Stored = $held;
            const TYPE: ArgType = $ty;

            fn read($name: &'static str, $value: &Value, $axes: usize) -> Result<$held, ArgError> {
                let _ = $axes;
                $read
            }

            fn value($kept: &$held) -> Option<Value> {
                Some($write)
            }
        })*
    };
}

kinds! {
    Count: usize = ArgType::Count,
        |name, value, axes| whole(value, 1).ok_or_else(|| ArgError::must_be(name, Self::TYPE, value)),
        |held| Value::Int(*held as i64);
    Sizes: Vec<usize> = ArgType::Sizes,
        |name, value, axes| read_sizes(ArgType::Sizes, name, value, axes, 1), |held| list(held);
    SizesOrZero: Vec<usize> = ArgType::SizesOrZero,
        |name, value, axes| read_sizes(ArgType::SizesOrZero, name, value, axes, 0), |held| list(held);
    SizesOrSame: Vec<usize> = ArgType::SizesOrSame,
        |name, value, axes| match super::args::text(value) {
            Some("same") => Ok(Vec::new()),
            _ => read_sizes(ArgType::SizesOrZero, name, value, axes, 0),
        },
        |held| list(held);
    SizesOfKernel: Vec<usize> = ArgType::Sizes,
        |name, value, axes| match value {
            Value::Word(word) if word == "kernel" => Ok(Vec::new()),
            _ => read_sizes(ArgType::Sizes, name, value, axes, 1),
        },
        |held| list(held);
    Window: Vec<usize> = ArgType::SizesOrGlobal,
        |name, value, axes| match value {
            Value::Word(_) => Err(ArgError::must_be(name, ArgType::SizesOrGlobal, value)),
            _ => read_sizes(ArgType::Sizes, name, value, axes, 1),
        },
        |held| list(held);
    Number: f64 = ArgType::Number,
        |name, value, axes| real(value).ok_or_else(|| ArgError::must_be(name, Self::TYPE, value)),
        |held| Value::Float(*held);
    Positive: f64 = ArgType::Number,
        |name, value, axes| match Number::read(name, value, axes)? {
            x if x > 0.0 => Ok(x),
            x => Err(ArgError::at(name, format!("`{name}` must be above 0, not {x}"))),
        },
        |held| Value::Float(*held);
    Probability: f64 = ArgType::Probability,
        |name, value, axes| {
            let inside = real(value).filter(|p| (0.0..=1.0).contains(p));
            inside.ok_or_else(|| ArgError::must_be(name, Self::TYPE, value))
        },
        |held| Value::Float(*held);
    Flag: bool = ArgType::Bool,
        |name, value, axes| match value {
            Value::Bool(on) => Ok(*on),
            _ => Err(ArgError::must_be(name, Self::TYPE, value)),
        },
        |held| Value::Bool(*held);
    Start: Init = ArgType::Init,
        |name, value, axes| Init::read(name, value), |held| held.value();
}

impl<W: Words> Kind for Choice<W> {
    type Stored = W;
    const TYPE: ArgType = ArgType::Choice(W::WORDS);

    fn read(name: &'static str, value: &Value, _: usize) -> Result<W, ArgError> {
        Ok(W::ALL[value.choice(name, W::WORDS)?])
    }

    fn value(held: &W) -> Option<Value> {
        let at = W::ALL.iter().position(|one| one == held)?;
        Some(Value::Str(W::WORDS[at].into()))
    }
}

impl<K: Kind> Kind for Maybe<K> {
    type Stored = Option<K::Stored>;
    const TYPE: ArgType = K::TYPE;

    fn read(name: &'static str, value: &Value, axes: usize) -> Result<Self::Stored, ArgError> {
        K::read(name, value, axes).map(Some)
    }

    fn value(held: &Self::Stored) -> Option<Value> {
        held.as_ref().and_then(K::value)
    }

    fn absent(_: &'static str) -> Result<Self::Stored, ArgError> {
        Ok(None)
    }
}

/// What was given, or else the default, read.
pub(super) fn read<K: Kind>(
    args: &Args,
    name: &'static str,
    default: Option<&str>,
    axes: usize,
) -> Result<K::Stored, ArgError> {
    match (args.get(name), default) {
        (Some(value), _) => K::read(name, value, axes),
        (None, Some(text)) if !text.is_empty() => K::read(name, &literal(text), axes),
        _ => K::absent(name),
    }
}

/// An argument as it is held, beside its default; `None` where it is absent.
pub(super) fn argument<K: Kind>(name: &'static str, held: &K::Stored, default: Option<&str>) -> Option<Argument> {
    let value = K::value(held)?;
    let default = default.filter(|text| !text.is_empty());
    let default = default.and_then(|text| K::value(&K::read(name, &literal(text), 1).ok()?));
    Some(match default {
        Some(default) => Argument::or(name, K::TYPE, value, &default),
        None => Argument::new(name, K::TYPE, value),
    })
}

/// An op's detail: its arguments as they are shown, those at their defaults left out.
pub(super) fn detail(arguments: &[Argument], shown: &[(&str, Shown)]) -> String {
    let piece = |&(name, shown): &(&str, Shown)| {
        let argument = arguments.iter().find(|argument| argument.name == name)?;
        let short = || plain(&argument.short());
        match shown {
            Shown::Never => None,
            Shown::Equals => Some(format!("{name}={}", short())),
            _ if argument.is_default => None,
            Shown::Times => Some(plain(&argument.value)),
            Shown::Slash => Some(format!("/{}", short())),
            Shown::Factor => Some(format!("×{}", short())),
            Shown::Named => Some(format!("{name} {}", short())),
        }
    };
    shown.iter().filter_map(piece).collect::<Vec<_>>().join(" ")
}

/// A value as details show it.
fn plain(value: &Value) -> String {
    match value {
        Value::Int(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Bool(on) => on.to_string(),
        Value::Str(text) | Value::Word(text) | Value::Call(text, _) => text.clone(),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join("×"),
        Value::Record(_) => String::new(),
    }
}

/// Declares an op: its struct, its word, its line of documentation, and its arguments with their kinds, defaults and how details
/// show them.
///
/// `name: type [Kind = "default" as "argument", plain] => Shown`: the default may be missing (the argument must be given), `as`
/// is for fields of another name than the argument, and `plain` for optional arguments that are written without their name.
/// `settled by` names a method that checks arguments against one another and fills in what follows from others, `restated by`
/// one that tells defaults that depend on others.
macro_rules! op {
    (
        $(#[$meta:meta])*
        $op:ident = $word:literal, $doc:literal $(, settled by $settled:ident)? $(, restated by $restated:ident)?;
        $($(#[$about:meta])*
        $field:ident: $ty:ty [$kind:ty $(= $default:literal)? $(as $name:literal)? $(, $plain:ident)?] $(=> $shown:ident)?,)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        pub struct $op {
            $($(#[$about])* pub $field: $ty,)*
        }

        impl $op {
            /// The layer as it is called.
            pub(super) const SPEC: LayerSpec = LayerSpec {
                name: $word,
                args: &[$(ArgSpec {
                    name: $crate::ops::arguments::first!($($name,)? stringify!($field)),
                    ty: <$kind as $crate::ops::arguments::Kind>::TYPE,
                    default: $crate::ops::arguments::first!($(Some($default),)? None),
                    plain: $crate::ops::arguments::first!($({ let _ = stringify!($plain); true },)? $({ let _ = $default; false },)? true),
                },)*],
                doc: $doc,
                make: |args, input| Ok(Self::read(args, input)?.into()),
            };

            /// The op of a call's arguments, on an input of this shape.
            fn read(args: &Args, input: &Shape) -> Result<Self, ArgError> {
                let axes = input.spatial().len();
                let _ = (args, axes);
                $(
                    let name = $crate::ops::arguments::first!($($name,)? stringify!($field));
                    let default = $crate::ops::arguments::first!($(Some($default),)? None);
                    let $field = $crate::ops::arguments::read::<$kind>(args, name, default, axes)?;
                )*
                let op = Self { $($field,)* };
                $(let op = op.$settled(args)?;)?
                Ok(op)
            }

            /// The arguments that make it.
            fn declared(&self) -> Vec<Argument> {
                let arguments: Vec<Option<Argument>> = vec![$({
                    let name = $crate::ops::arguments::first!($($name,)? stringify!($field));
                    let default = $crate::ops::arguments::first!($(Some($default),)? None);
                    $crate::ops::arguments::argument::<$kind>(name, &self.$field, default)
                },)*];
                let arguments = arguments.into_iter().flatten().collect();
                $(let arguments = self.$restated(arguments);)?
                arguments
            }

            /// Its detail.
            #[allow(dead_code, reason = "some ops say theirs in words of their own")]
            fn shown(&self) -> String {
                let shown = [$($crate::ops::arguments::first!($($crate::ops::arguments::Shown::$shown,)? $crate::ops::arguments::Shown::Never),)*];
                let names = Self::SPEC.args.iter().map(|spec| spec.name);
                $crate::ops::arguments::detail(&self.declared(), &names.zip(shown).collect::<Vec<_>>())
            }
        }
    };
}

/// The first of several expressions: of what was written, or else what stands for it.
macro_rules! first {
    ($first:expr $(, $rest:expr)* $(,)?) => {
        $first
    };
}

/// What [`Layer`](super::Layer) asks of an op that was declared, but for its detail where that has words of its own.
macro_rules! declared {
    () => {
        $crate::ops::arguments::declared!(but detail);

        fn detail(&self) -> String {
            self.shown()
        }
    };
    (but detail) => {
        fn kind(&self) -> &'static str {
            Self::SPEC.name
        }

        fn arguments(&self) -> Vec<Argument> {
            self.declared()
        }
    };
}

/// What [`Layer`](super::Layer) asks of an op that no call makes.
macro_rules! no_arguments {
    () => {
        fn arguments(&self) -> Vec<Argument> {
            Vec::new()
        }
    };
}

pub(super) use {declared, first, no_arguments, op};
