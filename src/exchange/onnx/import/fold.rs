//! What is computed from constants alone: mostly sizes.
//!
//! As everywhere, what an operator has must be asked for; what is not computed here is not folded.

use super::fold_places as places;
use super::item::BATCH;
use super::reader::{Read, Reader};
use super::tensor::{SMALL, Tensor, rounded};
use crate::exchange::onnx::proto::dtype;
use std::rc::Rc;

/// The values of an operator whose operands are all known; none where it is not computed here, or too large.
///
/// # Errors
/// Where its attributes are of other types than they should be.
pub fn fold(node: &mut Reader) -> Read<Vec<Tensor>> {
    if node.op() == "Split" {
        return places::split(node);
    }
    Ok(one(node)?.into_iter().collect())
}

fn one(node: &mut Reader) -> Read<Option<Tensor>> {
    if node.op() == "Constant" {
        return constant(node).map(Some);
    }
    if node.count() == 0 {
        return Ok(None);
    }
    let first = node.weight(0, "first operand")?;
    if let Some(made) = elementwise(node, &first)? {
        return Ok(made);
    }
    match node.op() {
        "Identity" => Ok(Some((*first).clone())),
        "Dropout" => Ok(super::operators::drops(node)?.is_none().then(|| (*first).clone())),
        "Cast" => cast(node, &first),
        "CastLike" => cast_like(node, &first),
        "DequantizeLinear" => super::dequantize::fold(node, &first),
        "Range" => range(node, &first),
        "ConstantOfShape" => constant_of_shape(node, &first),
        "Shape" => super::shapes::sizes(node, &first.dims, BATCH).map(Some),
        "Size" => Ok(Some(Tensor::whole_of(Vec::new(), &[first.len() as f64]))),
        "ReduceProd" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceMean" => reduce(node, &first),
        _ => places::fold(node, &first),
    }
}

/// What a `Constant` says.
fn constant(node: &mut Reader) -> Read<Tensor> {
    if let Some(tensor) = node.tensor("value")? {
        return Ok(tensor);
    }
    if let Some(ints) = node.ints("value_ints")? {
        return Ok(Tensor::whole(ints));
    }
    if let Some(floats) = node.floats("value_floats")? {
        return Ok(Tensor::of(vec![floats.len()], floats));
    }
    let (float, int) = (node.float("value_float", f64::NAN)?, node.int("value_int", i64::MIN)?);
    match (float.is_nan(), int) {
        (false, _) => Ok(Tensor::of(Vec::new(), vec![float])),
        (true, i64::MIN) => Err("holds a constant that is neither numbers nor a tensor".into()),
        (true, int) => Ok(Tensor::whole_of(Vec::new(), &[int as f64])),
    }
}

/// What is computed number by number; `None` for an operator that is not, and within where it cannot be.
fn elementwise(node: &mut Reader, a: &Rc<Tensor>) -> Read<Option<Option<Tensor>>> {
    if let Some(f) = of_one(node.op()) {
        return Ok(Some(each(a, f)));
    }
    if let Some(f) = of_two(node.op()) {
        let b = node.weight(1, "second operand")?;
        return Ok(Some(both(a, &b, f)));
    }
    Ok(Some(match node.op() {
        "Div" => divided(a, &*node.weight(1, "second operand")?),
        "Mod" => {
            let (b, c_like) = (node.weight(1, "second operand")?, node.flag("fmod")?);
            remainder(a, &b, c_like)
        }
        "Min" => many(node, f64::min)?,
        "Max" => many(node, f64::max)?,
        "Sum" => many(node, |a, b| a + b)?,
        "Where" => chosen(a, &*node.weight(1, "second operand")?, &*node.weight(2, "third operand")?),
        _ => return Ok(None),
    }))
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn of_one(op: &str) -> Option<fn(f64) -> f64> {
    Some(match op {
        "Abs" => f64::abs,
        "Not" => |a| truth(a == 0.0),
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sign" => |a| if a == 0.0 { 0.0 } else { a.signum() },
        "Neg" => |a| -a,
        "Exp" => f64::exp,
        "Log" => f64::ln,
        "Sqrt" => f64::sqrt,
        "Reciprocal" => |a| 1.0 / a,
        _ => return None,
    })
}

fn of_two(op: &str) -> Option<fn(f64, f64) -> f64> {
    Some(match op {
        "Add" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "Pow" => f64::powf,
        "Less" => |a, b| truth(a < b),
        "LessOrEqual" => |a, b| truth(a <= b),
        "Greater" => |a, b| truth(a > b),
        "GreaterOrEqual" => |a, b| truth(a >= b),
        "Equal" => |a, b| truth(a == b),
        "And" => |a, b| truth(a != 0.0 && b != 0.0),
        "Or" => |a, b| truth(a != 0.0 || b != 0.0),
        _ => return None,
    })
}

fn many(node: &mut Reader, f: fn(f64, f64) -> f64) -> Read<Option<Tensor>> {
    let all: Vec<Rc<Tensor>> = (0..node.count()).map(|i| node.weight(i, "operand")).collect::<Read<_>>()?;
    let first = all.first().map(|first| (**first).clone());
    Ok(all.iter().skip(1).fold(first, |so_far, next| both(&so_far?, next, f)))
}

fn each(x: &Tensor, f: impl Fn(f64) -> f64) -> Option<Tensor> {
    Some(like(x, x.dims.clone(), x.numbers()?.into_iter().map(f).collect()))
}

/// Numbers of the same kind as a tensor's.
pub fn like(x: &Tensor, dims: Vec<usize>, values: Vec<f64>) -> Tensor {
    if x.is_whole() { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) }
}

/// Whole numbers are divided as whole numbers.
fn divided(a: &Tensor, b: &Tensor) -> Option<Tensor> {
    match a.is_whole() && b.is_whole() {
        true if b.numbers()?.contains(&0.0) => None,
        true => both(a, b, |a, b| (a / b).trunc()),
        false => both(a, b, |a, b| a / b),
    }
}

/// With the sign of the divisor, or, as in C, of the dividend.
fn remainder(a: &Tensor, b: &Tensor, c_like: bool) -> Option<Tensor> {
    match b.numbers()?.contains(&0.0) {
        true => None,
        false if c_like => both(a, b, |a, b| a % b),
        false => both(a, b, |a, b| a - b * (a / b).floor()),
    }
}

fn chosen(condition: &Tensor, yes: &Tensor, no: &Tensor) -> Option<Tensor> {
    let ones = both(condition, yes, |c, _| truth(c != 0.0))?;
    let mask = both(&ones, no, |c, _| c)?;
    let spread = |t: &Tensor| both(&mask, t, |_, value| value)?.numbers();
    let (yes_values, no_values) = (spread(yes)?, spread(no)?);
    let pick = |((c, a), b): ((f64, f64), f64)| if c != 0.0 { a } else { b };
    let values = mask.numbers()?.into_iter().zip(yes_values).zip(no_values).map(pick).collect();
    Some(like(yes, mask.dims.clone(), values))
}

/// Sizes whose product is small.
pub fn sizes(dims: &[i64]) -> Option<Vec<usize>> {
    let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    (count <= SMALL).then_some(dims)
}

/// A cast to whole numbers cuts off, one to a shorter floating-point type rounds.
fn cast(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    // Both are about types that are not read.
    node.idle(&["saturate", "round_mode"]);
    Ok(match i32::try_from(node.need_int("to")?).unwrap_or(-1) {
        dtype::FLOAT | dtype::DOUBLE if x.is_whole() => x.numbers().map(|n| Tensor::of(x.dims.clone(), n)),
        dtype::FLOAT | dtype::DOUBLE => Some(x.clone()),
        to @ (dtype::FLOAT16 | dtype::BFLOAT16) => {
            let short = |v: &f32| rounded(*v, to == dtype::BFLOAT16);
            Some(Tensor::floats_of(x.dims.clone(), x.floats().iter().map(short).collect(), &x.name))
        }
        dtype::BOOL => each(x, |v| truth(v != 0.0)).and_then(|t| Some(Tensor::whole_of(t.dims.clone(), &t.numbers()?))),
        dtype::INT64 | dtype::INT32 => {
            x.numbers().map(|n| Tensor::whole_of(x.dims.clone(), &n.into_iter().map(f64::trunc).collect::<Vec<_>>()))
        }
        _ => None,
    })
}

fn cast_like(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    node.idle(&["saturate", "round_mode"]);
    let like = node.weight(1, "type")?;
    Ok(match (x.is_whole(), like.is_whole()) {
        (true, false) => x.numbers().map(|n| Tensor::of(x.dims.clone(), n)),
        (false, true) => {
            x.numbers().map(|n| Tensor::whole_of(x.dims.clone(), &n.into_iter().map(f64::trunc).collect::<Vec<_>>()))
        }
        _ => Some(x.clone()),
    })
}

/// Element by element, sizes of 1 stretched.
pub fn both(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Option<Tensor> {
    let rank = a.dims.len().max(b.dims.len());
    let padded = |t: &Tensor| [vec![1; rank - t.dims.len()], t.dims.clone()].concat();
    let (ad, bd) = (padded(a), padded(b));
    let join = |(&x, &y): (&usize, &usize)| match (x, y) {
        (1, y) => Some(y),
        (x, 1) => Some(x),
        (x, y) => (x == y).then_some(x),
    };
    let dims: Vec<usize> = ad.iter().zip(&bd).map(join).collect::<Option<_>>()?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= SMALL)?;
    let (an, bn) = (a.numbers()?, b.numbers()?);
    let at = |dims: &[usize], place: &[usize]| {
        place.iter().zip(dims).fold(0, |sum, (&i, &d)| sum * d + if d == 1 { 0 } else { i })
    };
    let value = |i: usize| {
        let place = places::place(i, &dims);
        Some(f(*an.get(at(&ad, &place))?, *bn.get(at(&bd, &place))?))
    };
    let values: Vec<f64> = (0..count).map(value).collect::<Option<_>>()?;
    let whole = a.is_whole() && b.is_whole();
    Some(if whole { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) })
}

fn range(node: &mut Reader, from: &Tensor) -> Read<Option<Tensor>> {
    node.idle(&["stash_type"]);
    let (limit, delta) = (node.weight(1, "limit")?, node.weight(2, "step")?);
    let whole = from.is_whole() && limit.is_whole() && delta.is_whole();
    let (Some(from), Some(to), Some(step)) = (from.single(), limit.single(), delta.single()) else { return Ok(None) };
    let count = ((to - from) / step).ceil().max(0.0);
    if count.is_nan() || count > SMALL as f64 {
        return Ok(None);
    }
    let values: Vec<f64> = (0..count as usize).map(|i| from + step * i as f64).collect();
    let dims = vec![values.len()];
    Ok(Some(if whole { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) }))
}

fn constant_of_shape(node: &mut Reader, dims: &Tensor) -> Read<Option<Tensor>> {
    let value = node.tensor("value")?.unwrap_or_else(|| Tensor::of(vec![1], vec![0.0]));
    let (Some(dims), Some(one)) = (dims.ints().and_then(|d| sizes(&d)), value.single()) else { return Ok(None) };
    let count = dims.iter().product();
    Ok(Some(like(&value, dims, vec![one; count])))
}

/// Along some axes, or all.
fn reduce(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let since = if node.op() == "ReduceSum" { 13 } else { 18 };
    let axes = node.list("axes", 1, since)?.unwrap_or_default();
    let keep = node.flag_or("keepdims", true)?;
    let noop = node.version >= since && node.flag("noop_with_empty_axes")?;
    if axes.is_empty() && noop {
        return Ok(Some(x.clone()));
    }
    let rank = x.dims.len();
    let gone: Option<Vec<usize>> = axes.iter().map(|&a| places::axis(a, rank)).collect();
    let (Some(gone), Some(numbers)) = (gone, x.numbers()) else { return Ok(None) };
    let gone = |axis: usize| gone.is_empty() || gone.contains(&axis);
    let kept: Vec<usize> = x.dims.iter().enumerate().map(|(i, &d)| if gone(i) { 1 } else { d }).collect();
    let mut parts: Vec<Vec<f64>> = vec![Vec::new(); kept.iter().product()];
    for (i, value) in numbers.into_iter().enumerate() {
        let place = places::place(i, &x.dims);
        let at = place.iter().enumerate().fold(0, |sum, (a, &p)| sum * kept[a] + if gone(a) { 0 } else { p });
        parts.get_mut(at).into_iter().for_each(|part| part.push(value));
    }
    let (op, whole) = (node.op(), x.is_whole());
    let one = |part: Vec<f64>| match op {
        "ReduceProd" => part.iter().product(),
        "ReduceSum" => part.iter().sum(),
        "ReduceMax" => part.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "ReduceMin" => part.iter().copied().fold(f64::INFINITY, f64::min),
        _ if whole => (part.iter().sum::<f64>() / part.len() as f64).trunc(),
        _ => part.iter().sum::<f64>() / part.len() as f64,
    };
    let values = parts.into_iter().map(one).collect();
    let dims = if keep { kept } else { (0..rank).filter(|&a| !gone(a)).map(|a| x.dims[a]).collect() };
    Ok(Some(like(x, dims, values)))
}

/// A value that is known.
pub fn known(tensor: Tensor) -> super::item::Value {
    super::item::Value::Const(Rc::new(tensor))
}
