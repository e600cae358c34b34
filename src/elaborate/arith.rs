//! Arithmetic of compile-time values: exact, checked, and without NaN.

use crate::ops::Value;
use crate::syntax::ast::{BinaryOp, UnaryOp};

/// Why an operation has no result: the fact, and what to write instead.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// The operands are of the wrong kind.
    Kind(String),
    /// Integers that do not divide.
    Inexact(i64, i64),
    /// A result that no number holds: overflow, division by zero, NaN.
    Range(String),
}

/// `a op b`. With `inexact`, integers may divide into a float.
pub(super) fn binary(op: BinaryOp, a: &Value, b: &Value, inexact: bool) -> Result<Value, Refusal> {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
    match op {
        Eq | Ne => equal(op, a, b).map(|same| Value::Bool(same == (op == Eq))),
        Lt | Le | Gt | Ge => compare(op, a, b),
        _ => match (a, b) {
            (Value::Int(a), Value::Int(b)) => integers(op, *a, *b, inexact),
            _ => match (float(a), float(b)) {
                (Some(a), Some(b)) => floats(op, a, b),
                _ => Err(wrong(op, a, b)),
            },
        },
    }
}

/// `-a`, `not a`
pub(super) fn unary(op: UnaryOp, a: &Value) -> Result<Value, Refusal> {
    match (op, a) {
        (UnaryOp::Neg, Value::Int(n)) => n.checked_neg().map(Value::Int).ok_or_else(overflow),
        (UnaryOp::Neg, Value::Float(x)) => Ok(Value::Float(-x)),
        (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
        (UnaryOp::Neg, _) => Err(Refusal::Kind(format!("`-` wants a number, not {}", a.describe()))),
        (UnaryOp::Not, _) => Err(Refusal::Kind(format!("`not` wants `true` or `false`, not {}", a.describe()))),
    }
}

/// `floor`, `ceil` or `round` of `a / b`, exact for integers of any size.
pub(super) fn rounded_quotient(function: &str, a: i64, b: i64) -> Result<Value, Refusal> {
    if b == 0 {
        return Err(Refusal::Range("division by zero".into()));
    }
    let (a, b) = (a as i128, b as i128);
    let floor = a.div_euclid(b) - if b < 0 && a.rem_euclid(b) != 0 { 1 } else { 0 };
    let twice = 2 * (a - floor * b).abs();
    let up = match function {
        "floor" => false,
        "ceil" => twice != 0,
        _ => twice > b.abs() || (twice == b.abs() && floor % 2 != 0),
    };
    i64::try_from(floor + i128::from(up)).map(Value::Int).map_err(|_| overflow())
}

/// `min`, `max`, `floor`, `ceil`, `round`, `abs` of numbers; `None` where there is no such function.
pub(super) fn function(name: &str, args: &[Value]) -> Option<Result<Value, Refusal>> {
    Some(match name {
        "min" | "max" => extreme(name, args),
        "floor" | "ceil" | "round" | "abs" => match args {
            [Value::Int(n)] if name == "abs" => n.checked_abs().map(Value::Int).ok_or_else(overflow),
            [Value::Int(n)] => Ok(Value::Int(*n)),
            [Value::Float(x)] if name == "abs" => Ok(Value::Float(x.abs())),
            [Value::Float(x)] => whole(match name {
                "floor" => x.floor(),
                "ceil" => x.ceil(),
                _ => x.round_ties_even(),
            }),
            _ => Err(Refusal::Kind(format!("`{name}` wants one number"))),
        },
        _ => return None,
    })
}

fn extreme(name: &str, args: &[Value]) -> Result<Value, Refusal> {
    let wants = || Refusal::Kind(format!("`{name}` wants numbers"));
    let (first, rest) = args.split_first().ok_or_else(wants)?;
    float(first).ok_or_else(wants)?;
    rest.iter().try_fold(first.clone(), |best, next| {
        let op = if name == "min" { BinaryOp::Lt } else { BinaryOp::Gt };
        let better = compare(op, next, &best).map_err(|_| wants())? == Value::Bool(true);
        Ok(if better { next.clone() } else { best })
    })
}

fn whole(x: f64) -> Result<Value, Refusal> {
    // 2^63 is the first float beyond i64.
    if x.abs() < 9_223_372_036_854_775_808.0 { Ok(Value::Int(x as i64)) } else { Err(overflow()) }
}

fn integers(op: BinaryOp, a: i64, b: i64, inexact: bool) -> Result<Value, Refusal> {
    let zero = || Refusal::Range("division by zero".into());
    match op {
        BinaryOp::Add => a.checked_add(b).map(Value::Int).ok_or_else(overflow),
        BinaryOp::Sub => a.checked_sub(b).map(Value::Int).ok_or_else(overflow),
        BinaryOp::Mul => a.checked_mul(b).map(Value::Int).ok_or_else(overflow),
        BinaryOp::Div if b == 0 => Err(zero()),
        BinaryOp::Rem if b == 0 => Err(zero()),
        BinaryOp::Div => match (a.checked_rem(b), inexact) {
            (None, _) => Err(overflow()),
            (Some(0), _) => Ok(Value::Int(a / b)),
            (_, true) => Ok(Value::Float(a as f64 / b as f64)),
            _ => Err(Refusal::Inexact(a, b)),
        },
        // The result has the divisor's sign, as in Python.
        BinaryOp::Rem => Ok(Value::Int(((a as i128 % b as i128 + b as i128) % b as i128) as i64)),
        _ => Err(wrong(op, &Value::Int(a), &Value::Int(b))),
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Result<Value, Refusal> {
    let result = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div | BinaryOp::Rem if b == 0.0 => return Err(Refusal::Range("division by zero".into())),
        BinaryOp::Div => a / b,
        BinaryOp::Rem => a - b * (a / b).floor(),
        _ => return Err(wrong(op, &Value::Float(a), &Value::Float(b))),
    };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err(overflow()) }
}

fn equal(op: BinaryOp, a: &Value, b: &Value) -> Result<bool, Refusal> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Str(a) | Value::Word(a), Value::Str(b) | Value::Word(b)) => Ok(a == b),
        (Value::List(a), Value::List(b)) => Ok(a == b),
        _ => match (float(a), float(b)) {
            (Some(a), Some(b)) => Ok(a == b),
            _ => Err(wrong(op, a, b)),
        },
    }
}

fn compare(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, Refusal> {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        _ => match (float(a), float(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => None,
        },
    };
    let order = order.ok_or_else(|| wrong(op, a, b))?;
    Ok(Value::Bool(match op {
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        _ => order.is_ge(),
    }))
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

fn overflow() -> Refusal {
    Refusal::Range("the result does not fit a 64-bit number".into())
}

fn wrong(op: BinaryOp, a: &Value, b: &Value) -> Refusal {
    Refusal::Kind(format!("`{}` cannot take {} and {}", op.symbol(), a.describe(), b.describe()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact_or_asked_to_round() {
        let int = |n| Value::Int(n);
        assert_eq!(binary(BinaryOp::Div, &int(7), &int(2), false), Err(Refusal::Inexact(7, 2)));
        assert_eq!(binary(BinaryOp::Div, &int(8), &int(2), false), Ok(int(4)));
        let all =
            |f| [(7, 2), (-7, 2), (7, -2), (-7, -2), (5, 2), (1, 3)].map(|(a, b)| rounded_quotient(f, a, b).unwrap());
        assert_eq!(all("floor"), [3, -4, -4, 3, 2, 0].map(int));
        assert_eq!(all("ceil"), [4, -3, -3, 4, 3, 1].map(int));
        assert_eq!(all("round"), [4, -4, -4, 4, 2, 0].map(int));
    }

    #[test]
    fn overflow_and_nan_are_refused() {
        assert!(matches!(binary(BinaryOp::Mul, &Value::Int(i64::MAX), &Value::Int(2), false), Err(Refusal::Range(_))));
        assert!(matches!(binary(BinaryOp::Div, &Value::Int(i64::MIN), &Value::Int(-1), false), Err(Refusal::Range(_))));
        assert!(matches!(unary(UnaryOp::Neg, &Value::Int(i64::MIN)), Err(Refusal::Range(_))));
        assert!(matches!(binary(BinaryOp::Mul, &Value::Float(1e308), &Value::Int(10), false), Err(Refusal::Range(_))));
        assert!(matches!(rounded_quotient("floor", i64::MIN, -1), Err(Refusal::Range(_))));
        assert!(matches!(function("floor", &[Value::Float(1e30)]), Some(Err(Refusal::Range(_)))));
        assert_eq!(binary(BinaryOp::Rem, &Value::Int(-7), &Value::Int(3), false), Ok(Value::Int(2)));
    }
}
