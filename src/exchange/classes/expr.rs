//! A number of a class's body in terms of its constructor's arguments.

use super::slots::Number;

/// An expression that both Python and Rust can write.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// An argument, or a loop's variable.
    Name(String),
    /// The product of two.
    Times(Box<Expr>, Box<Expr>),
    /// The quotient of two, rounded down.
    Over(Box<Expr>, Box<Expr>),
    /// The sum of two; a negative number is taken away.
    Plus(Box<Expr>, Box<Expr>),
    /// A use of another class, as an argument: its class and its arguments.
    Make(usize, Vec<Expr>),
}

impl Expr {
    fn is_input(&self) -> bool {
        matches!(self, Self::Name(name) if name.starts_with("in_"))
    }

    fn name(name: &str) -> Self {
        Self::Name(name.into())
    }

    /// Whether it names this variable.
    pub fn names(&self, variable: &str) -> bool {
        match self {
            Self::Name(name) => name == variable,
            Self::Times(a, b) | Self::Over(a, b) | Self::Plus(a, b) => a.names(variable) || b.names(variable),
            Self::Make(_, args) => args.iter().any(|arg| arg.names(variable)),
            Self::Int(_) | Self::Float(_) => false,
        }
    }

    /// Whether it is this whole number.
    pub fn is(&self, value: i64) -> bool {
        *self == Self::Int(value)
    }

    /// The sum, where nothing is added the term alone.
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a + b),
            (term, other) if other.is(0) => term,
            (term, other) if term.is(0) => other,
            (term, other) => Self::Plus(Box::new(term), Box::new(other)),
        }
    }

    /// The product, simplified where a factor is 0 or 1.
    pub fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a * b),
            (a, b) if a.is(0) || b.is(0) => Self::Int(0),
            (a, b) if b.is(1) => a,
            (a, b) if a.is(1) => b,
            (a, b) => Self::Times(Box::new(a), Box::new(b)),
        }
    }

    /// With every name that of a field.
    pub fn of_self(&self) -> Self {
        let own = |part: &Self| Box::new(part.of_self());
        match self {
            Self::Name(name) => Self::Name(format!("self.{name}")),
            Self::Times(a, b) => Self::Times(own(a), own(b)),
            Self::Over(a, b) => Self::Over(own(a), own(b)),
            Self::Plus(a, b) => Self::Plus(own(a), own(b)),
            other => other.clone(),
        }
    }

    /// As text, whole numbers divided by this operator.
    pub fn text(&self, divide: &str, number: &dyn Fn(f64) -> String) -> String {
        let inner = |expr: &Self| match expr {
            Self::Plus(..) => format!("({})", expr.text(divide, number)),
            _ => expr.text(divide, number),
        };
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(x) => number(*x),
            Self::Name(name) => name.clone(),
            Self::Times(a, b) => format!("{} * {}", inner(a), inner(b)),
            Self::Over(a, b) => format!("{} {divide} {}", inner(a), inner(b)),
            Self::Plus(a, b) => match **b {
                Self::Int(n) if n < 0 => format!("{} - {}", a.text(divide, number), -n),
                _ => format!("{} + {}", a.text(divide, number), b.text(divide, number)),
            },
            // Written by whoever knows the classes.
            Self::Make(..) => String::new(),
        }
    }
}

/// A number that every use knows: what the input or an argument of the block is.
pub(super) struct Base {
    pub name: String,
    pub values: Vec<Number>,
}

/// Whether two numbers may stand for one.
pub(super) fn agree(a: Number, b: Number) -> bool {
    a == b || a == Number::Any || b == Number::Any
}

fn ints(values: &[Number]) -> Option<Vec<Option<i64>>> {
    let int = |n: &Number| match n {
        Number::Int(n) => Some(Some(*n)),
        Number::Any => Some(None),
        _ => None,
    };
    values.iter().map(int).collect()
}

/// The number that all uses share, where they do.
pub(super) fn literal(values: &[Number]) -> Option<Expr> {
    let first = values.iter().copied().find(|n| *n != Number::Any).unwrap_or(Number::Int(0));
    let same = values.iter().all(|&n| agree(n, first));
    match first {
        Number::Int(n) if same => Some(Expr::Int(n)),
        Number::Float(x) if same => Some(Expr::Float(x)),
        _ => None,
    }
}

/// Half of a base, rounded down, that these values are at every use: the padding of a window.
pub(super) fn half_of_base(values: &[Number], bases: &[Base]) -> Option<Expr> {
    let half = |base: &&Base| {
        base.values.iter().zip(values).all(|pair| matches!(pair, (Number::Int(a), Number::Int(b)) if a / 2 == *b))
    };
    let base = bases.iter().find(half)?;
    Some(Expr::Over(Box::new(Expr::name(&base.name)), Box::new(Expr::Int(2))))
}

/// The base that has these values at every use, or the simplest expression of bases that does; with `plain`, bases alone.
pub(super) fn of_bases(values: &[Number], bases: &[Base], plain: bool) -> Option<Expr> {
    let equal = |base: &&Base| base.values.iter().zip(values).all(|(&a, &b)| b == Number::Any || a == b);
    if let Some(base) = bases.iter().find(equal) {
        return Some(Expr::name(&base.name));
    }
    let values = ints(values).filter(|_| !plain)?;
    let known: Vec<(&str, Vec<i64>)> = bases
        .iter()
        .filter_map(|base| Some((base.name.as_str(), ints(&base.values)?.into_iter().collect::<Option<Vec<_>>>()?)))
        .collect();
    let holds = |f: &dyn Fn(usize) -> Option<i64>| (0..values.len()).all(|i| values[i].is_none_or(|v| f(i) == Some(v)));
    let at = values.iter().position(Option::is_some)?;
    let first = values[at]?;
    let name = |name: &str| Box::new(Expr::name(name));
    for (base, b) in &known {
        let (base, one) = (name(base), b[at]);
        if one != 0 && first % one == 0 && holds(&|i| b[i].checked_mul(first / one)) {
            return Some(Expr::Times(Box::new(Expr::Int(first / one)), base));
        }
        if first != 0 && one / first > 1 && holds(&|i| Some(b[i] / (one / first))) {
            return Some(Expr::Over(base, Box::new(Expr::Int(one / first))));
        }
        // What is added to the width that comes in may be anything; elsewhere only what a person would write.
        let near = (first - one).abs() <= 2 || base.is_input();
        if near && holds(&|i| b[i].checked_add(first - one)) {
            return Some(Expr::Plus(base, Box::new(Expr::Int(first - one))));
        }
    }
    for (i, (one, a)) in known.iter().enumerate() {
        for (two, b) in &known[i + 1..] {
            if holds(&|i| a[i].checked_mul(b[i])) {
                return Some(Expr::Times(name(one), name(two)));
            }
            if holds(&|i| a[i].checked_add(b[i])) {
                return Some(Expr::Plus(name(one), name(two)));
            }
        }
    }
    None
}
