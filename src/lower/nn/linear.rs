//! Affine maps of vectors.

use super::compute::{Compute, Evaluation};
use super::is_native;
use super::native::{Arg, ArgGrads, Native, apply};
use crate::kernels::Elem;
use crate::kernels::linear::{self as kernel, LinearShape};
use crate::kernels::memory::zeros;
use crate::lower;
use crate::ops::linear::Linear;
use candle_core::{Result, Tensor, bail};

/// `y = x·Wᵀ + b` for `x` `[N, F]`, weight `[width, F]`, bias `[width]`.
///
/// # Errors
/// Where sizes do not fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let ((batch, features), (width, want)) = (x.dims2()?, weight.dims2()?);
    if features != want {
        bail!("linear: {features} features, and a weight for {want}")
    }
    if let Some(b) = bias.filter(|b| b.dims() != [width]) {
        bail!("linear: the bias is {:?}, want [{width}]", b.dims())
    }
    if !is_native(x) {
        let y = x.matmul(&weight.t()?)?;
        return bias.map_or(Ok(y.clone()), |b| y.broadcast_add(b));
    }
    let args: Vec<&Tensor> = [x, weight].into_iter().chain(bias).collect();
    apply(Product { shape: LinearShape { batch, features, width } }, &args)
}

impl Compute for Linear {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(linear(node.x()?, node.weight()?, node.params().get("bias"))?)
    }
}

struct Product {
    shape: LinearShape,
}

impl Native for Product {
    const NAME: &'static str = "linear";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let LinearShape { batch, width, .. } = self.shape;
        let mut y = zeros(batch * width);
        let bias = args.get(2).map(Arg::data);
        kernel::forward(&self.shape, &args[0].data(), &args[1].data(), bias.as_deref(), &mut y);
        Ok((y, vec![batch, width]))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let LinearShape { batch, features, width } = self.shape;
        let mut grads = vec![None; args.len()];
        if wanted[0] {
            let mut dx = zeros(batch * features);
            kernel::input_grad(&self.shape, grad, &args[1].data(), &mut dx);
            grads[0] = Some(dx);
        }
        if wanted[1] {
            let mut dw = zeros(width * features);
            kernel::weight_grad(&self.shape, &args[0].data(), grad, &mut dw);
            grads[1] = Some(dw);
        }
        if wanted.get(2) == Some(&true) {
            let mut db = zeros(width);
            kernel::bias_grad(width, grad, &mut db);
            grads[2] = Some(db);
        }
        Ok(grads)
    }
}
