//! Element-wise functions.

use super::compute::{Compute, Evaluation};
use super::native::{Arg, ArgGrads, Native, apply};
use super::sizes::channels;
use super::{is_native, portable};
use crate::kernels::memory::zeros;
use crate::kernels::{Elem, activation as kernel, softmax as softmax_kernel};
use crate::lower;
use crate::ops::activation::{Activation, Prelu, Softmax};
use candle_core::{Result, Tensor, bail};
use candle_nn::ops::sigmoid;

/// `f(x)`, element by element, with PyTorch's subgradients.
///
/// # Errors
/// Where the dtype is neither `f32` nor `f64`.
pub fn activation(x: &Tensor, f: &Activation) -> Result<Tensor> {
    if !is_native(x) {
        return composed(x, f);
    }
    apply(Function((*f).into()), &[x])
}

/// `x` or `weight·x` of `[N, C, …]`; weight `[C]`, or `[1]` for all channels.
///
/// # Errors
/// Where sizes do not fit.
pub fn prelu(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let shape = channels(x.dims())?;
    if weight.dims() != [1] && weight.dims() != [shape.channels] {
        bail!("prelu: the weight is {:?}, want [{}] or [1]", weight.dims(), shape.channels)
    }
    if !is_native(x) {
        return portable::activation::prelu(x, weight);
    }
    apply(Slope, &[x, weight])
}

/// Softmax over axis 1.
///
/// # Errors
/// Where there is no axis 1.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    softmax_or_log(x, false)
}

/// The logarithm of softmax over axis 1.
///
/// # Errors
/// Where there is no axis 1.
pub fn log_softmax(x: &Tensor) -> Result<Tensor> {
    softmax_or_log(x, true)
}

impl Compute for Activation {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(activation(node.x()?, self)?)
    }
}

impl Compute for Prelu {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(prelu(node.x()?, node.weight()?)?)
    }
}

impl Compute for Softmax {
    fn compute(&self, node: Evaluation) -> lower::Result<Tensor> {
        Ok(softmax(node.x()?)?)
    }
}

fn softmax_or_log(x: &Tensor, log: bool) -> Result<Tensor> {
    channels(x.dims())?;
    match (is_native(x), log) {
        (true, _) => apply(Shares { log }, &[x]),
        (false, false) => portable::activation::softmax(x),
        (false, true) => {
            let shifted = x.broadcast_sub(&x.max_keepdim(1)?.detach())?;
            shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
        }
    }
}

/// `f(x)` of candle's operators.
fn composed(x: &Tensor, f: &Activation) -> Result<Tensor> {
    match *f {
        Activation::Relu => portable::activation::relu(x),
        Activation::Relu6 => portable::activation::relu6(x),
        Activation::LeakyRelu { slope } => portable::activation::leaky_relu(x, slope),
        Activation::Elu { alpha } => portable::activation::elu(x, alpha),
        Activation::Gelu => portable::activation::gelu(x),
        Activation::Silu => portable::activation::silu(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::HardSwish => portable::activation::hard_swish(x),
        Activation::HardSigmoid => portable::activation::hard_sigmoid(x),
    }
}

struct Function(kernel::Activation);

impl Native for Function {
    const NAME: &'static str = "activation";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let x = args[0].data();
        let mut y = zeros(x.len());
        kernel::forward(&self.0, &x, &mut y);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let mut dx = zeros(grad.len());
        kernel::grad(&self.0, &args[0].data(), &out.data(), grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}

struct Slope;

impl Native for Slope {
    const NAME: &'static str = "prelu";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let (x, shape) = (args[0].data(), channels(args[0].dims())?);
        let mut y = zeros(x.len());
        kernel::prelu(shape.channels, shape.positions, &x, &args[1].data(), &mut y);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], _out: &Arg<E>, grad: &[E], wanted: &[bool]) -> Result<ArgGrads<E>> {
        let (x, w, shape) = (args[0].data(), args[1].data(), channels(args[0].dims())?);
        let (mut dx, mut dw) = (zeros(x.len()), zeros(w.len()));
        kernel::prelu_grad(shape.channels, shape.positions, &x, &w, grad, &mut dx, &mut dw);
        Ok(vec![wanted[0].then_some(dx), wanted[1].then_some(dw)])
    }
}

struct Shares {
    log: bool,
}

impl Native for Shares {
    const NAME: &'static str = "softmax";

    fn forward<E: Elem>(&self, args: &[Arg<E>]) -> Result<(Vec<E>, Vec<usize>)> {
        let (x, shape) = (args[0].data(), channels(args[0].dims())?);
        let mut y = zeros(x.len());
        softmax_kernel::forward(shape.channels, shape.positions, self.log, &x, &mut y);
        Ok((y, args[0].dims().to_vec()))
    }

    fn backward<E: Elem>(&self, args: &[Arg<E>], out: &Arg<E>, grad: &[E], _wanted: &[bool]) -> Result<ArgGrads<E>> {
        let shape = channels(args[0].dims())?;
        let mut dx = zeros(grad.len());
        softmax_kernel::grad(shape.channels, shape.positions, self.log, &out.data(), grad, &mut dx);
        Ok(vec![Some(dx)])
    }
}
