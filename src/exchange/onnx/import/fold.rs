//! What is computed from constants alone: mostly sizes.

use super::attrs::Attrs;
use super::tensor::{SMALL, Tensor};
use std::rc::Rc;

/// The value of an operator whose operands are all known; `None` where it is none of those computed here, or too large.
pub fn fold(op: &str, inputs: &[Option<&Tensor>], attrs: &Attrs) -> Option<Tensor> {
    let input = |i: usize| inputs.get(i).copied().flatten();
    let first = input(0)?;
    if let Some(computed) = elementwise(op, first, input(1), input(2)) {
        return computed;
    }
    Some(match op {
        "Identity" | "Cast" | "CastLike" | "Dropout" => cast(first, op, attrs)?,
        "Gather" => gather(first, input(1)?, attrs)?,
        "Concat" => {
            let all: Option<Vec<&Tensor>> = inputs.iter().copied().collect();
            concat(&all?, attrs)?
        }
        "Slice" => slice(first, input(1), input(2), input(3), input(4), attrs)?,
        "Unsqueeze" => unsqueeze(first, input(1), attrs)?,
        "Squeeze" => squeeze(first, input(1), attrs)?,
        "Reshape" => reshape(first, input(1)?)?,
        "Flatten" => first.with_dims(vec![1, first.len()]),
        "Transpose" => transpose(first, attrs)?,
        "Range" => range(first.single()?, input(1)?.single()?, input(2)?.single()?)?,
        "ConstantOfShape" => {
            let dims = sizes(&first.ints()?)?;
            let value = attrs.tensor("value").and_then(|t| t.single()).unwrap_or(0.0);
            let count = dims.iter().product();
            Tensor::of(dims, vec![value; count])
        }
        "Expand" => {
            let dims = sizes(&input(1)?.ints()?)?;
            let count = dims.iter().product();
            both(first, &Tensor::of(dims, vec![0.0; count]), |a, b| a + b)?
        }
        "ReduceProd" => Tensor::of(Vec::new(), vec![first.numbers()?.iter().product()]),
        _ => return None,
    })
}

/// What is computed number by number; `None` for an operator that is not, and within where it cannot be.
fn elementwise(op: &str, a: &Tensor, b: Option<&Tensor>, c: Option<&Tensor>) -> Option<Option<Tensor>> {
    let two = |f: fn(f64, f64) -> f64| b.and_then(|b| both(a, b, f));
    Some(match op {
        "Add" => two(|a, b| a + b),
        "Sub" => two(|a, b| a - b),
        "Mul" => two(|a, b| a * b),
        "Div" => b.and_then(|b| divided(a, b)),
        "Mod" => two(|a, b| if b == 0.0 { 0.0 } else { a - b * (a / b).floor() }),
        "Less" => two(|a, b| truth(a < b)),
        "Greater" => two(|a, b| truth(a > b)),
        "Equal" => two(|a, b| truth(a == b)),
        "And" => two(|a, b| truth(a != 0.0 && b != 0.0)),
        "Min" => two(f64::min),
        "Max" => two(f64::max),
        "Not" => each(a, |a| truth(a == 0.0)),
        "Floor" => each(a, f64::floor),
        "Ceil" => each(a, f64::ceil),
        "Neg" => each(a, |a| -a),
        "Sqrt" => each(a, f64::sqrt),
        "Where" => chosen(a, b, c),
        _ => return None,
    })
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn chosen(condition: &Tensor, yes: Option<&Tensor>, no: Option<&Tensor>) -> Option<Tensor> {
    let chosen = both(condition, yes?, |c, a| if c != 0.0 { a } else { f64::NAN })?;
    both(&chosen, no?, |a, b| if a.is_nan() { b } else { a })
}

/// Sizes whose product is small.
fn sizes(dims: &[i64]) -> Option<Vec<usize>> {
    let dims: Option<Vec<usize>> = dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let dims = dims?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    (count <= SMALL).then_some(dims)
}

/// A cast to whole numbers cuts off; others change nothing here.
fn cast(x: &Tensor, op: &str, attrs: &Attrs) -> Option<Tensor> {
    match (op, attrs.int("to", 1)) {
        ("Cast", 6 | 7) => {
            Some(Tensor::whole_of(x.dims.clone(), &x.numbers()?.into_iter().map(f64::trunc).collect::<Vec<_>>()))
        }
        _ => Some(x.clone()),
    }
}

fn each(x: &Tensor, f: impl Fn(f64) -> f64) -> Option<Tensor> {
    Some(Tensor::of(x.dims.clone(), x.numbers()?.into_iter().map(f).collect()))
}

/// Whole numbers are divided as whole numbers; a tensor of them holds no fractions.
fn divided(a: &Tensor, b: &Tensor) -> Option<Tensor> {
    let whole = |t: &Tensor| Some(t.numbers()?.iter().all(|n| n.fract() == 0.0));
    let whole = whole(a)? && whole(b)? && a.is_whole() && b.is_whole();
    both(a, b, |a, b| if whole { (a / b).trunc() } else { a / b })
}

/// Element by element, sizes of 1 stretched.
fn both(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Option<Tensor> {
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
        let place = place(i, &dims);
        Some(f(*an.get(at(&ad, &place))?, *bn.get(at(&bd, &place))?))
    };
    let values: Vec<f64> = (0..count).map(value).collect::<Option<_>>()?;
    let whole = a.is_whole() && b.is_whole();
    Some(if whole { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) })
}

/// The place along each axis of the i-th element.
fn place(mut i: usize, dims: &[usize]) -> Vec<usize> {
    let mut place = vec![0; dims.len()];
    for (axis, &d) in dims.iter().enumerate().rev() {
        place[axis] = i % d.max(1);
        i /= d.max(1);
    }
    place
}

/// An axis counted from the front.
fn axis(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(axis).ok().filter(|&a| a < rank)
}

fn keep(x: &Tensor, dims: Vec<usize>, values: Vec<f64>) -> Tensor {
    if x.is_whole() { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) }
}

/// Along one axis of a list; of larger constants nobody asks.
fn gather(x: &Tensor, places: &Tensor, attrs: &Attrs) -> Option<Tensor> {
    if x.dims.len() != 1 || attrs.int("axis", 0) != 0 {
        return None;
    }
    let (numbers, length) = (x.numbers()?, x.len() as i64);
    let pick = |&i: &i64| numbers.get(usize::try_from(if i < 0 { i + length } else { i }).ok()?).copied();
    let values: Option<Vec<f64>> = places.ints()?.iter().map(pick).collect();
    Some(keep(x, places.dims.clone(), values?))
}

fn concat(all: &[&Tensor], attrs: &Attrs) -> Option<Tensor> {
    let first = all.first()?;
    if all.iter().any(|t| t.dims.len() != 1) || attrs.int("axis", 0) != 0 {
        return None;
    }
    let parts: Option<Vec<Vec<f64>>> = all.iter().map(|t| t.numbers()).collect();
    let values = parts?.concat();
    (values.len() <= SMALL).then(|| keep(first, vec![values.len()], values))
}

/// The places that a slice takes along each axis, steps backwards included.
fn slice(
    x: &Tensor,
    starts: Option<&Tensor>,
    ends: Option<&Tensor>,
    axes: Option<&Tensor>,
    steps: Option<&Tensor>,
    attrs: &Attrs,
) -> Option<Tensor> {
    let list = |t: Option<&Tensor>, name: &str| t.map_or_else(|| attrs.ints(name), |t| t.ints());
    let (starts, ends) = (list(starts, "starts")?, list(ends, "ends")?);
    let axes = list(axes, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.map_or_else(|| Some(vec![1; starts.len()]), Tensor::ints)?;
    let mut picks: Vec<Vec<usize>> = x.dims.iter().map(|&d| (0..d).collect()).collect();
    for (i, &at) in axes.iter().enumerate() {
        let pick = picks.get_mut(axis(at, x.dims.len())?)?;
        let (start, end, step) = (*starts.get(i)?, *ends.get(i)?, *steps.get(i)?);
        let length = pick.len() as i64;
        let from_end = |n: i64| if n < 0 { n.saturating_add(length) } else { n };
        *pick = match step {
            1.. => (from_end(start).clamp(0, length)..from_end(end).clamp(0, length))
                .step_by(usize::try_from(step).ok()?)
                .map(|n| n as usize)
                .collect(),
            ..=-1 => ((from_end(end).clamp(-1, length - 1) + 1)..=from_end(start).clamp(-1, length - 1))
                .rev()
                .step_by(usize::try_from(step.unsigned_abs()).ok()?)
                .map(|n| n as usize)
                .collect(),
            0 => return None,
        };
    }
    let dims: Vec<usize> = picks.iter().map(Vec::len).collect();
    let numbers = x.numbers()?;
    let at = |i: usize| {
        let place = place(i, &dims);
        place.iter().zip(&picks).zip(&x.dims).try_fold(0, |sum, ((&p, pick), &d)| Some(sum * d + *pick.get(p)?))
    };
    let values = (0..dims.iter().product()).map(|i| numbers.get(at(i)?).copied()).collect::<Option<Vec<f64>>>()?;
    Some(keep(x, dims, values))
}

fn axes_of(given: Option<&Tensor>, attrs: &Attrs) -> Option<Vec<i64>> {
    given.map_or_else(|| attrs.ints("axes"), |t| t.ints())
}

fn unsqueeze(x: &Tensor, given: Option<&Tensor>, attrs: &Attrs) -> Option<Tensor> {
    let axes = axes_of(given, attrs)?;
    let rank = x.dims.len() + axes.len();
    let mut new: Vec<usize> = axes.iter().map(|&a| axis(a, rank)).collect::<Option<_>>()?;
    new.sort_unstable();
    let mut dims = x.dims.clone();
    for at in new {
        if at > dims.len() {
            return None;
        }
        dims.insert(at, 1);
    }
    Some(x.with_dims(dims))
}

fn squeeze(x: &Tensor, given: Option<&Tensor>, attrs: &Attrs) -> Option<Tensor> {
    let gone: Vec<usize> = match axes_of(given, attrs) {
        None => (0..x.dims.len()).filter(|&i| x.dims[i] == 1).collect(),
        Some(axes) => axes.iter().map(|&a| axis(a, x.dims.len())).collect::<Option<_>>()?,
    };
    if gone.iter().any(|&i| x.dims[i] != 1) {
        return None;
    }
    let dims = x.dims.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, &d)| d);
    Some(x.with_dims(dims.collect()))
}

fn reshape(x: &Tensor, to: &Tensor) -> Option<Tensor> {
    let to = to.ints()?;
    let known: i64 = to.iter().filter(|&&d| d > 0).product();
    let dim = |(i, &d): (usize, &i64)| match d {
        0 => x.dims.get(i).copied(),
        -1 => (known > 0).then(|| x.len() / known as usize),
        d => usize::try_from(d).ok(),
    };
    let dims: Vec<usize> = to.iter().enumerate().map(dim).collect::<Option<_>>()?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
    (count == x.len()).then(|| x.with_dims(dims))
}

/// Of a small constant, or of any matrix in single precision.
fn transpose(x: &Tensor, attrs: &Attrs) -> Option<Tensor> {
    let rank = x.dims.len();
    let perm = attrs.ints("perm").unwrap_or_else(|| (0..rank as i64).rev().collect());
    if let (&[rows, columns], [1, 0], false) = (x.dims.as_slice(), perm.as_slice(), x.is_whole()) {
        return Some(transposed(x, rows, columns));
    }
    let perm: Vec<usize> = perm.iter().map(|&p| axis(p, rank)).collect::<Option<_>>()?;
    if perm.len() != rank || (0..rank).any(|a| !perm.contains(&a)) {
        return None;
    }
    let dims: Vec<usize> = perm.iter().map(|&p| x.dims[p]).collect();
    let numbers = x.numbers()?;
    let at = |i: usize| {
        let (turned, mut own) = (place(i, &dims), vec![0; rank]);
        perm.iter().zip(turned).for_each(|(&p, t)| own[p] = t);
        own.iter().zip(&x.dims).fold(0, |sum, (&p, &d)| sum * d + p)
    };
    let values = (0..x.len()).map(|i| numbers.get(at(i)).copied()).collect::<Option<Vec<f64>>>()?;
    Some(keep(x, dims, values))
}

/// A matrix with its axes exchanged.
pub fn transposed(x: &Tensor, rows: usize, columns: usize) -> Tensor {
    let values = x.floats();
    let turned = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
    let turned = turned.map(|i| values.get(i).copied().unwrap_or(0.0)).collect();
    Tensor::floats_of(vec![columns, rows], turned, &x.name)
}

fn range(from: f64, to: f64, step: f64) -> Option<Tensor> {
    let count = ((to - from) / step).ceil();
    if !(0.0..=SMALL as f64).contains(&count) {
        return None;
    }
    let values: Vec<f64> = (0..count as usize).map(|i| from + step * i as f64).collect();
    let whole = from.fract() == 0.0 && step.fract() == 0.0;
    let dims = vec![values.len()];
    Some(if whole { Tensor::whole_of(dims, &values) } else { Tensor::of(dims, values) })
}

/// A value that is known.
pub fn known(tensor: Tensor) -> super::item::Value {
    super::item::Value::Const(Rc::new(tensor))
}
