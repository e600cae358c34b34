//! Operators that give other axes over the same elements.

use super::fold::known;
use super::fold_places::axis;
use super::item::{BATCH, Kind, Raw, Value};
use super::lift::Lift;
use super::operators::{Made, Operator, read};
use super::reader::{Read, Reader};
use super::refused::{listed, with_batch};
use super::tensor::Tensor;
use crate::ops::Op;
use crate::ops::structure::{Flatten, Reshape};

/// The operators that are read here.
pub(super) const OPERATORS: &[Operator] = &[
    read("Flatten", &[1, 9, 11, 13, 21, 23, 24, 25], |lift, node| lift.reshaped(node)),
    read("Reshape", &[5, 13, 14, 19, 21, 23, 24, 25], |lift, node| lift.reshaped(node)),
    read("Shape", &[1, 13, 15, 19, 21, 23, 24, 25], |lift, node| lift.shape_of(node)),
    read("Squeeze", &[1, 11, 13, 21, 23, 24, 25], |lift, node| lift.reshaped(node)),
    read("Unsqueeze", &[1, 11, 13, 21, 23, 24, 25], |lift, node| lift.reshaped(node)),
];

/// `Shape` of these sizes: of a value all are known but the batch's, which `number` stands for.
pub(super) fn sizes(node: &mut Reader, dims: &[usize], number: usize) -> Read<Tensor> {
    // Of a constant this asks again.
    node.operand(0);
    let rank = dims.len() as i64;
    let clamp = |n: i64| (if n < 0 { n + rank } else { n }).clamp(0, rank) as usize;
    let (start, end) = if node.version >= 15 { (node.int("start", 0)?, node.int("end", rank)?) } else { (0, rank) };
    let part = dims.get(clamp(start)..clamp(end)).unwrap_or(&[]);
    Ok(Tensor::whole(part.iter().map(|&d| if d == BATCH { number } else { d } as i64).collect()))
}

impl Lift<'_> {
    fn shape_of(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let dims = self.items[x].dims.clone();
        Ok(known(sizes(node, &dims, self.form.number)?))
    }

    /// Other axes over the same elements; the batch must stay what it is.
    pub(super) fn reshaped(&mut self, node: &mut Reader) -> Made {
        let x = node.item(0)?;
        let x = self.in_order(x)?;
        let from = self.items[x].dims.clone();
        let to = match node.op() {
            "Flatten" => flattened(node, &from)?,
            "Reshape" => {
                let asked = node.list("shape", 1, 5)?.ok_or("lacks its sizes")?;
                let zero = node.version >= 14 && node.flag("allowzero")?;
                let found = self.target(&from, &asked, zero);
                found.ok_or_else(|| {
                    format!("gives the sizes {}, which do not keep the batch apart", with_batch(asked.iter().copied()))
                })?
            }
            "Squeeze" => squeezed(node, &from, self.batch)?,
            _ => unsqueezed(node, &from)?,
        };
        if to.first() != Some(&BATCH) {
            return Err("mixes the batch with other axes, or moves it".into());
        }
        self.with_dims(x, to)
    }

    /// The sizes that a `Reshape` asks for; the batch in front may be said as it is, or be what remains.
    fn target(&self, from: &[usize], asked: &[i64], zero: bool) -> Option<Vec<usize>> {
        let rest: u64 = from.get(1..)?.iter().map(|&d| d as u64).product();
        let read = |(i, &d): (usize, &i64)| match d {
            0 if !zero => from.get(i).map(|&d| d as i64),
            d if i == 0 && d == self.form.number as i64 => Some(BATCH as i64),
            d if i == 0 && Some(d) == self.batch && d != -1 => Some(BATCH as i64),
            d => Some(d),
        };
        let mut dims: Vec<i64> = asked.iter().enumerate().map(read).collect::<Option<_>>()?;
        if dims.first() == Some(&-1) && dims.iter().skip(1).all(|&d| d > 0) {
            dims[0] = BATCH as i64;
        }
        let known =
            dims.iter().skip(1).filter(|&&d| d != -1).try_fold(1u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?))?;
        if dims.first() != Some(&(BATCH as i64)) || known == 0 {
            return None;
        }
        if let Some(open) = dims.iter().position(|&d| d == -1) {
            dims[open] = i64::try_from(rest / known).ok()?;
        }
        let found: Vec<usize> = dims.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<_>>()?;
        (found[1..].iter().map(|&d| d as u64).product::<u64>() == rest).then_some(found)
    }

    /// A value with other sizes.
    pub(super) fn with_dims(&mut self, x: usize, to: Vec<usize>) -> Made {
        let from = self.items[x].clone();
        if from.dims == to {
            return Ok(Value::Item(x));
        }
        if let Kind::Raw(Raw::Transpose(perm)) = &from.kind
            && to.len() == 2
        {
            // What a linear layer can read in the map's own order.
            return Ok(self.raw(Raw::Flattened(perm.clone()), from.inputs[0], to));
        }
        if let Some(made) = self.ungrouped(x, &to) {
            return made;
        }
        // A reshape of a reshape is one.
        let x = if matches!(from.op(), Some(Op::Reshape(_))) { from.inputs[0] } else { x };
        if self.items[x].dims == to {
            return Ok(Value::Item(x));
        }
        match to.get(1..) {
            Some([_]) => self.layer(Flatten {}, vec![x], Vec::new()),
            Some([]) => Err("leaves no axis but the batch".into()),
            Some(dims) => self.layer(Reshape { dims: dims.to_vec() }, vec![x], Vec::new()),
            None => Err("gives no sizes".into()),
        }
    }
}

/// Two axes, those before the one that is said and those from it on.
fn flattened(node: &mut Reader, from: &[usize]) -> Read<Vec<usize>> {
    let said = node.int("axis", 1)?;
    let rank = from.len() as i64;
    let at = if said < 0 { said + rank } else { said };
    let cut = usize::try_from(at).ok().filter(|&at| at <= from.len());
    let cut = cut.ok_or_else(|| format!("has `axis` = {said}, and its operand {rank}"))?;
    if cut == 0 || from[1..cut].iter().any(|&d| d != 1) {
        return Err(format!("has `axis` = {said}: the language's `flatten` keeps the batch, and nothing else").into());
    }
    Ok(vec![from[0], from[cut..].iter().product()])
}

fn squeezed(node: &mut Reader, from: &[usize], batch: Option<i64>) -> Read<Vec<usize>> {
    let said = node.list("axes", 1, 13)?;
    if said.is_none() && batch == Some(1) {
        return Err("has no `axes`, and so drops the batch of 1".into());
    }
    let gone: Option<Vec<usize>> = match &said {
        None => Some((0..from.len()).filter(|&i| from[i] == 1).collect()),
        Some(axes) => axes.iter().map(|&a| axis(a, from.len())).collect(),
    };
    let sound = gone.filter(|gone| gone.iter().all(|&a| from[a] == 1));
    let gone = sound.ok_or_else(|| format!("has axes {}, which are not of size 1", listed(said.as_deref())))?;
    Ok((0..from.len()).filter(|i| !gone.contains(i)).map(|i| from[i]).collect())
}

fn unsqueezed(node: &mut Reader, from: &[usize]) -> Read<Vec<usize>> {
    let said = node.list("axes", 1, 13)?.ok_or("lacks its axes")?;
    let rank = from.len() + said.len();
    let new: Option<Vec<usize>> = said.iter().map(|&a| axis(a, rank)).collect();
    let mut new = new.ok_or_else(|| format!("has axes {said:?} of {rank}"))?;
    new.sort_unstable();
    let mut dims = from.to_vec();
    for at in new {
        if at > dims.len() {
            return Err(format!("has axes {said:?} of {rank}").into());
        }
        dims.insert(at, 1);
    }
    Ok(dims)
}
