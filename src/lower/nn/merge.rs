//! Where edges meet.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::noise::add_drop_path;
use super::{is_native, portable};
use crate::kernels::memory::zeros;
use crate::kernels::merge::{self as kernel, Broadcast};
use crate::kernels::{Elem, noise};
use crate::lower;
use crate::ops::linear::Scale;
use crate::ops::merge::{Add, Concat, Gate, Mul};
use candle_core::{Result, Tensor, bail};

/// `s + scale·r`, shapes equal.
///
/// # Errors
/// Where shapes differ.
pub fn add(s: &Tensor, r: &Tensor, scale: f64) -> Result<Tensor> {
    let samples = s.dims().first().copied().unwrap_or(1);
    add_samples(s, r, vec![scale; samples])
}

/// `s + f·r` with a factor for each sample.
pub(super) fn add_samples(s: &Tensor, r: &Tensor, factors: Vec<f64>) -> Result<Tensor> {
    if s.dims() != r.dims() {
        bail!("add: {:?} and {:?}", s.dims(), r.dims())
    }
    if !is_native(s) {
        return with_factors(s, r, &factors);
    }
    apply(Sum { factors }, &[s, r])
}

/// The same, composed of candle's operators.
fn with_factors(s: &Tensor, r: &Tensor, factors: &[f64]) -> Result<Tensor> {
    match factors {
        [first, ..] if factors.iter().all(|f| f == first) => s + (r * *first)?,
        _ => s + r.broadcast_mul(&per_sample(factors, r)?)?,
    }
}

/// A factor for each sample, as it meets `like`.
pub(super) fn per_sample(factors: &[f64], like: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; like.rank()];
    dims[0] = factors.len();
    portable::common::constant(factors.to_vec(), &dims, like)
}

/// Channels (axis 1) of the operands, in order.
///
/// # Errors
/// Where other sizes differ, or there are no operands.
pub fn concat(operands: &[&Tensor]) -> Result<Tensor> {
    let Some(first) = operands.first().filter(|t| t.rank() >= 2) else { bail!("concat: no operands with channels") };
    for t in operands {
        let same = t.rank() == first.rank() && (0..t.rank()).all(|a| a == 1 || t.dims()[a] == first.dims()[a]);
        if !same {
            bail!("concat: {:?} and {:?}", first.dims(), t.dims())
        }
    }
    if !is_native(first) {
        return Tensor::cat(operands, 1);
    }
    match operands {
        [one] => Ok((*one).clone()),
        [.., last] if operands.len() > 3 => concat(&[&concat(&operands[..operands.len() - 1])?, last]),
        _ => apply(Join, operands),
    }
}

/// `a·b`, sizes of 1 stretched; ranks equal.
///
/// # Errors
/// Where sizes do not agree.
pub fn mul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let Some(shape) = Broadcast::new(a.dims(), b.dims()) else { bail!("mul: {:?} and {:?}", a.dims(), b.dims()) };
    if !is_native(a) {
        return a.broadcast_mul(b);
    }
    apply(Product { shape }, &[a, b])
}

/// `x·weight` for `x` `[N, C, …]`, weight `[C]` or `[1]`.
///
/// # Errors
/// Where sizes do not agree.
pub fn scale(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let mut dims = vec![1; x.rank()];
    let Some(channels) = dims.get_mut(1) else { bail!("scale: {:?} has no channels", x.dims()) };
    *channels = weight.elem_count();
    mul(x, &weight.reshape(dims)?)
}

/// `t·r + (1 − t)·s` with `t = sigmoid(logits)`; `logits` may stretch sizes of 1.
///
/// # Errors
/// Where sizes do not agree.
pub fn gate(s: &Tensor, r: &Tensor, logits: &Tensor) -> Result<Tensor> {
    if s.dims() != r.dims() {
        bail!("gate: {:?} and {:?}", s.dims(), r.dims())
    }
    if !is_native(s) {
        return portable::merge::gate(s, r, logits);
    }
    let logits = if logits.dims() == s.dims() { logits.clone() } else { logits.broadcast_as(s.shape())? };
    apply(Blend, &[s, r, &logits])
}

impl Compute for Scale {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(scale(node.x()?, node.weight()?)?)
    }
}

/// `operand 0 + scale·operand 1 (+ operand 2 …)`; in training operand 1 is dropped for some samples.
impl Compute for Add {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        let (first, second) = (node.operand(0)?, node.operand(1)?);
        let sum = match node.pass.train && self.drop_path > 0.0 {
            true => add_drop_path(first, second, self.scale, self.drop_path, node.pass.rng.next_u64())?,
            false => add(first, second, self.scale)?,
        };
        Ok(node.operands[2..].iter().try_fold(sum, |sum, term| add(&sum, term, 1.0))?)
    }
}

impl Compute for Concat {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(concat(&node.operands.iter().collect::<Vec<_>>())?)
    }
}

impl Compute for Mul {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(node.operands[1..].iter().try_fold(node.x()?.clone(), |product, factor| mul(&product, factor))?)
    }
}

impl Compute for Gate {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(gate(node.operand(0)?, node.operand(1)?, node.operand(2)?)?)
    }
}

/// Elements of a tensor of these sizes.
fn elements(dims: &[usize]) -> usize {
    dims.iter().product()
}

struct Sum {
    factors: Vec<f64>,
}

impl Native for Sum {
    const NAME: &'static str = "add";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let dims = args[0].dims();
        let mut y = zeros(elements(dims));
        let size = y.len() / self.factors.len().max(1);
        noise::add_scaled(size, &self.factors, &args[0].data(), &args[1].data(), &mut y);
        Ok((y, dims.to_vec()))
    }

    fn backward<E: Elem>(&self, _args: &[Arg<E>], _out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let size = grad.len() / self.factors.len().max(1);
        let scaled = || {
            let mut dr = zeros(grad.len());
            noise::scale(size, &self.factors, grad, &mut dr);
            dr
        };
        Ok(vec![wanted[0].then(|| grad.to_vec()), wanted[1].then(scaled)])
    }
}

struct Join;

impl Native for Join {
    const NAME: &'static str = "concat";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let sizes: Vec<usize> = args.iter().map(|a| elements(&a.dims()[1..])).collect();
        let mut dims = args[0].dims().to_vec();
        dims[1] = args.iter().map(|a| a.dims()[1]).sum();
        let mut y = zeros(elements(&dims));
        let data: Vec<_> = args.iter().map(Arg::data).collect();
        let slices: Vec<&[E]> = data.iter().map(|d| &**d).collect();
        kernel::concat(&sizes, &slices, &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let total = elements(&out.dims()[1..]);
        let mut start = 0;
        let one = |(arg, &wanted): (&Arg<E>, &bool)| {
            let size = elements(&arg.dims()[1..]);
            start += size;
            wanted.then(|| {
                let mut dx = zeros(elements(arg.dims()));
                kernel::concat_grad(total, start - size, size, grad, &mut dx);
                dx
            })
        };
        Ok(args.iter().zip(wanted).map(one).collect())
    }
}

struct Product {
    shape: Broadcast,
}

impl Native for Product {
    const NAME: &'static str = "mul";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let stretched = |(&a, &b): (&usize, &usize)| if a == 1 { b } else { a };
        let dims = args[0].dims().iter().zip(args[1].dims()).map(stretched).collect();
        let mut y = zeros(self.shape.elements());
        kernel::mul(&self.shape, &args[0].data(), &args[1].data(), &mut y);
        Ok((y, dims))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let one = |which: usize| {
            wanted[which].then(|| {
                let mut dx = zeros(elements(args[which].dims()));
                kernel::mul_grad(&self.shape, which, &args[1 - which].data(), grad, &mut dx);
                dx
            })
        };
        Ok(vec![one(0), one(1)])
    }
}

struct Blend;

impl Native for Blend {
    const NAME: &'static str = "gate";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let mut y = zeros(elements(args[0].dims()));
        kernel::gate(&args[0].data(), &args[1].data(), &args[2].data(), &mut y);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let room = || zeros(grad.len());
        let (mut ds, mut dr, mut dt) = (room(), room(), room());
        let operands = [args[0].data(), args[1].data(), args[2].data()];
        let [s, r, t] = &operands;
        kernel::gate_grad([s, r, t], grad, [&mut ds, &mut dr, &mut dt]);
        Ok([ds, dr, dt].into_iter().zip(wanted).map(|(g, &wanted)| wanted.then_some(g)).collect())
    }
}
