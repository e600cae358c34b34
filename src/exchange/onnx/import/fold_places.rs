//! Constants with their numbers in other places: slices, joins, other sizes.

use super::fold::{both, like, sizes};
use super::reader::{Read, Reader};
use super::tensor::{SMALL, Tensor};

/// No tensor that is turned has more axes.
const MOST_AXES: usize = 16;

/// The value of an operator that moves numbers, or `None`.
///
/// # Errors
/// As of [`super::fold::fold`].
pub fn fold(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    match node.op() {
        "Gather" => gather(node, x),
        "Concat" => concat(node),
        "Slice" => slice(node, x),
        "Unsqueeze" => unsqueeze(node, x),
        "Squeeze" => squeeze(node, x),
        "Reshape" => reshape(node, x),
        "Flatten" => flatten(node, x),
        "Transpose" => transpose(node, x),
        "Expand" => expand(node, x),
        "Tile" => tile(node, x),
        _ => Ok(None),
    }
}

/// The place along each axis of the i-th element.
pub fn place(mut i: usize, dims: &[usize]) -> Vec<usize> {
    let mut place = vec![0; dims.len()];
    for (axis, &d) in dims.iter().enumerate().rev() {
        place[axis] = i % d.max(1);
        i /= d.max(1);
    }
    place
}

/// An axis counted from the front.
pub fn axis(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis.checked_add(rank as i64)? } else { axis };
    usize::try_from(axis).ok().filter(|&a| a < rank)
}

/// Of a list; of larger constants nobody asks.
fn gather(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let (places, along) = (node.weight(1, "list of places")?, node.int("axis", 0)?);
    if x.dims.len() != 1 || axis(along, 1) != Some(0) {
        return Ok(None);
    }
    let (Some(numbers), length) = (x.numbers(), x.len() as i64) else { return Ok(None) };
    let pick = |&i: &i64| numbers.get(usize::try_from(if i < 0 { i + length } else { i }).ok()?).copied();
    let values: Option<Vec<f64>> = places.ints().and_then(|places| places.iter().map(pick).collect());
    Ok(values.map(|values| like(x, places.dims.clone(), values)))
}

/// Of lists.
fn concat(node: &mut Reader) -> Read<Option<Tensor>> {
    let all: Vec<_> = (0..node.count()).map(|i| node.weight(i, "operand")).collect::<Read<_>>()?;
    let along = node.need_int("axis")?;
    let Some(first) = all.first() else { return Ok(None) };
    if all.iter().any(|t| t.dims.len() != 1) || axis(along, 1) != Some(0) {
        return Ok(None);
    }
    let parts: Option<Vec<Vec<f64>>> = all.iter().map(|t| t.numbers()).collect();
    let Some(values) = parts.map(|parts| parts.concat()) else { return Ok(None) };
    Ok((values.len() <= SMALL).then(|| like(first, vec![values.len()], values)))
}

/// The parts of a list.
pub fn split(node: &mut Reader) -> Read<Vec<Tensor>> {
    let x = node.weight(0, "first operand")?;
    let (along, given) = (node.int("axis", 0)?, node.list("split", 1, 13)?);
    let results = node.gives();
    let parts = if node.version >= 18 { node.int("num_outputs", results as i64)? } else { results as i64 };
    let Some(numbers) = x.numbers().filter(|_| x.dims.len() == 1 && axis(along, 1) == Some(0)) else {
        return Ok(Vec::new());
    };
    if usize::try_from(parts).ok() != Some(results) {
        return Ok(Vec::new());
    }
    let each = numbers.len().div_ceil(results.max(1));
    let equal = || (0..results).map(|i| each.min(numbers.len().saturating_sub(i * each)) as i64).collect();
    let lengths: Vec<i64> = given.unwrap_or_else(equal);
    let (mut rest, mut out) = (numbers.as_slice(), Vec::new());
    for length in lengths {
        let Some((part, behind)) = usize::try_from(length).ok().and_then(|n| rest.split_at_checked(n)) else {
            return Ok(Vec::new());
        };
        out.push(like(&x, vec![part.len()], part.to_vec()));
        rest = behind;
    }
    Ok(if rest.is_empty() { out } else { Vec::new() })
}

/// The places that a slice takes along each axis, steps backwards included.
fn slice(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let (starts, ends) = (node.list("starts", 1, 10)?, node.list("ends", 2, 10)?);
    let (axes, steps) = (node.list("axes", 3, 10)?, if node.version < 10 { None } else { node.list("steps", 4, 10)? });
    let (Some(starts), Some(ends)) = (starts, ends) else { return Ok(None) };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    Ok(sliced(x, (&starts, &ends), &axes, &steps))
}

fn sliced(x: &Tensor, (starts, ends): (&[i64], &[i64]), axes: &[i64], steps: &[i64]) -> Option<Tensor> {
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
    Some(like(x, dims, values))
}

fn unsqueeze(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let axes = node.list("axes", 1, 13)?;
    Ok(axes.and_then(|axes| {
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
    }))
}

fn squeeze(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let axes = node.list("axes", 1, 13)?;
    let gone: Option<Vec<usize>> = match axes {
        None => Some((0..x.dims.len()).filter(|&i| x.dims[i] == 1).collect()),
        Some(axes) => axes.iter().map(|&a| axis(a, x.dims.len())).collect(),
    };
    let Some(gone) = gone.filter(|gone| gone.iter().all(|&i| x.dims[i] == 1)) else { return Ok(None) };
    let dims = x.dims.iter().enumerate().filter(|(i, _)| !gone.contains(i)).map(|(_, &d)| d);
    Ok(Some(x.with_dims(dims.collect())))
}

fn reshape(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let to = node.weight(1, "list of sizes")?.ints();
    let zero = node.version >= 14 && node.flag("allowzero")?;
    Ok(to.and_then(|to| {
        let copied = |(i, &d): (usize, &i64)| if d == 0 && !zero { x.dims.get(i).map(|&d| d as i64) } else { Some(d) };
        let to: Vec<i64> = to.iter().enumerate().map(copied).collect::<Option<_>>()?;
        let known = to.iter().filter(|&&d| d >= 0).try_fold(1i64, |n, &d| n.checked_mul(d))?;
        let dim = |&d: &i64| match d {
            -1 => (known > 0).then(|| x.len() / known as usize),
            d => usize::try_from(d).ok(),
        };
        let dims: Vec<usize> = to.iter().map(dim).collect::<Option<_>>()?;
        let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (count == x.len()).then(|| x.with_dims(dims))
    }))
}

fn flatten(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let (at, rank) = (node.int("axis", 1)?, x.dims.len());
    let at = if at < 0 { at + rank as i64 } else { at };
    let cut = usize::try_from(at).ok().filter(|&at| at <= rank);
    Ok(cut.map(|at| x.with_dims(vec![x.dims[..at].iter().product(), x.dims[at..].iter().product()])))
}

fn transpose(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let rank = x.dims.len();
    let perm = node.ints("perm")?.unwrap_or_else(|| (0..rank as i64).rev().collect());
    let perm: Option<Vec<usize>> = perm.iter().map(|&p| axis(p, rank)).collect();
    Ok(perm.filter(|p| p.len() == rank && (0..rank).all(|a| p.contains(&a))).and_then(|perm| turned(x, &perm)))
}

/// A tensor with its axes in another order; a weight in single precision may be of any size.
pub fn turned(x: &Tensor, perm: &[usize]) -> Option<Tensor> {
    if perm.len() > MOST_AXES {
        return None;
    }
    let dims: Vec<usize> = perm.iter().map(|&p| x.dims.get(p).copied()).collect::<Option<_>>()?;
    let strides: Vec<usize> = (0..x.dims.len()).map(|a| x.dims[a + 1..].iter().product()).collect();
    let steps: Vec<usize> = perm.iter().map(|&p| strides[p]).collect();
    let mut order = Vec::with_capacity(x.len());
    walk(&dims, &steps, 0, &mut order);
    if x.is_whole() {
        let numbers = x.numbers()?;
        let values = order.iter().map(|&i| numbers.get(i).copied()).collect::<Option<Vec<f64>>>()?;
        return Some(Tensor::whole_of(dims, &values));
    }
    let values = x.floats();
    let values = order.iter().map(|&i| values.get(i).copied()).collect::<Option<Vec<f32>>>()?;
    Some(Tensor::floats_of(dims, values, &x.name))
}

/// Where the elements of these sizes lie, at these steps from one another.
fn walk(dims: &[usize], steps: &[usize], at: usize, out: &mut Vec<usize>) {
    match (dims.split_first(), steps.split_first()) {
        (Some((&n, dims)), Some((&step, steps))) => (0..n).for_each(|i| walk(dims, steps, at + i * step, out)),
        _ => out.push(at),
    }
}

/// A matrix with its axes exchanged.
pub fn transposed(x: &Tensor, rows: usize, columns: usize) -> Tensor {
    let values = x.floats();
    let turned = (0..columns).flat_map(|c| (0..rows).map(move |r| r * columns + c));
    let turned = turned.map(|i| values.get(i).copied().unwrap_or(0.0)).collect();
    Tensor::floats_of(vec![columns, rows], turned, &x.name)
}

fn expand(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let dims = node.weight(1, "list of sizes")?.ints().and_then(|d| sizes(&d));
    Ok(dims.and_then(|dims| {
        let count = dims.iter().product();
        both(x, &like(x, dims, vec![0.0; count]), |a, b| a + b)
    }))
}

fn tile(node: &mut Reader, x: &Tensor) -> Read<Option<Tensor>> {
    let repeats = node.weight(1, "list of repeats")?.ints();
    let grown =
        |r: &Vec<i64>| sizes(&r.iter().zip(&x.dims).map(|(&r, &d)| r.saturating_mul(d as i64)).collect::<Vec<_>>());
    let Some(dims) = repeats.filter(|r| r.len() == x.dims.len()).as_ref().and_then(grown) else { return Ok(None) };
    let Some(numbers) = x.numbers() else { return Ok(None) };
    let at = |i: usize| place(i, &dims).iter().zip(&x.dims).fold(0, |sum, (&p, &d)| sum * d + p % d.max(1));
    let values = (0..dims.iter().product()).map(|i| numbers.get(at(i)).copied()).collect::<Option<Vec<f64>>>();
    Ok(values.map(|values| like(x, dims, values)))
}
