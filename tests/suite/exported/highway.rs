// Highway50, written by `archc export --rust` for candle-core and candle-nn.
//
// It composes candle's operators as archc's own module does on devices without kernels of its own, and gives the same
// bits there; gradients are PyTorch's. Parameters have the names that they have in the `.arch` file.

use candle_core::{Result, Tensor};
use candle_nn::{Linear, Module, ModuleT, VarBuilder};

/// The negative bias opens the network with its gates nearly shut: at first it carries.
pub struct Highway {
    hidden: Linear,
    transform: Linear,
}

impl Highway {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            hidden: candle_nn::linear(50, 50, vb.pp("hidden"))?,
            transform: candle_nn::linear(50, 50, vb.pp("transform"))?,
        })
    }
}

impl ModuleT for Highway {
    fn forward_t(&self, x: &Tensor, _train: bool) -> Result<Tensor> {
        ops::gate(x, &ops::relu(&self.hidden.forward(x)?)?, &self.transform.forward(x)?)
    }
}

/// 50 layers, as in the paper's Table 1: one to widen, 48 highways, one to classify.
///
/// Out: head [N, 10].
pub struct Highway50 {
    widen: Linear,
    highways: Vec<Highway>,
    head: Linear,
}

impl Highway50 {
    /// With the parameters that `vb` has or makes.
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            widen: candle_nn::linear(784, 50, vb.pp("widen"))?,
            highways: (0..48).map(|i| Highway::new(vb.pp(format!("highway{}", i + 1)))).collect::<Result<_>>()?,
            head: candle_nn::linear(50, 10, vb.pp("head"))?,
        })
    }
}

impl ModuleT for Highway50 {
    fn forward_t(&self, image: &Tensor, train: bool) -> Result<Tensor> {
        let x = image.flatten_from(1)?;
        let x = ops::relu(&self.widen.forward(&x)?)?;
        let x = self.highways.iter().try_fold(x.clone(), |x, part| part.forward_t(&x, train))?;
        self.head.forward(&x)
    }
}

/// What candle lacks, or computes otherwise than PyTorch.
mod ops {
    #![allow(dead_code, unused_imports)]

    use candle_core::{D, DType, Device, Result, Tensor, Var};
    use candle_nn::{Init, VarBuilder};
    use std::ops::Range;

    /// Numbers as a tensor of the type and on the device of `like`.
    fn constant(values: Vec<f64>, dims: &[usize], like: &Tensor) -> Result<Tensor> {
        Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(like.dtype())?.to_device(like.device())
    }

    fn indices(values: Vec<usize>, like: &Tensor) -> Result<Tensor> {
        let values: Vec<u32> = values.into_iter().map(|i| i as u32).collect();
        let len = values.len();
        Tensor::from_vec(values, len, like.device())
    }

    /// Puts `before` and `after` entries of `value` around an axis.
    fn surround(x: &Tensor, axis: usize, (before, after): (usize, usize), value: f64) -> Result<Tensor> {
        let filler = |size: usize| {
            let mut dims = x.dims().to_vec();
            dims[axis] = size;
            Tensor::full(value, dims, &Device::Cpu)?.to_dtype(x.dtype())?.to_device(x.device())
        };
        let parts = [(before > 0).then(|| filler(before)), Some(Ok(x.clone())), (after > 0).then(|| filler(after))];
        let parts = parts.into_iter().flatten().collect::<Result<Vec<_>>>()?;
        if parts.len() == 1 { Ok(x.clone()) } else { Tensor::cat(&parts, axis) }
    }

    /// `[rows, columns]` of `[N, C, L]` or `[N, C, H, W]`; a line is one row.
    fn plane(x: &Tensor) -> [usize; 2] {
        match *x.dims() {
            [_, _, l] => [1, l],
            [_, _, h, w] => [h, w],
            _ => [1, 1],
        }
    }

    /// Sizes of the rank of `x` with other channels and another plane.
    fn resized(x: &Tensor, channels: usize, [h, w]: [usize; 2]) -> Vec<usize> {
        match *x.dims() {
            [n, _, _] => vec![n, channels, w],
            [n, _] => vec![n, channels],
            _ => vec![x.dims()[0], channels, h, w],
        }
    }

    /// One window along one axis.
    #[derive(Clone, Copy)]
    struct Slide {
        input: usize,
        output: usize,
        kernel: usize,
        stride: usize,
        pad: usize,
        dilation: usize,
    }

    impl Slide {
        fn taps(&self) -> Vec<usize> {
            let at = |k: usize, o: usize| k * self.dilation + o * self.stride;
            (0..self.kernel).flat_map(|k| (0..self.output).map(move |o| at(k, o))).collect()
        }

        fn padded(&self) -> usize {
            let reach = (self.output - 1) * self.stride + self.dilation * (self.kernel - 1) + 1;
            reach.max(self.pad + self.input)
        }
    }

    /// `[N, C, H, W]` to `[N, C, KH, OH, KW, OW]`, padding filled with `fill`.
    fn unfold(x: &Tensor, [rows, cols]: [Slide; 2], fill: f64) -> Result<Tensor> {
        let (n, c, _, _) = x.dims4()?;
        let mut x = x.clone();
        for (axis, w) in [(2, rows), (3, cols)] {
            let padded = surround(&x, axis, (w.pad, w.padded() - w.pad - w.input), fill)?;
            x = padded.contiguous()?.index_select(&indices(w.taps(), &padded)?, axis)?;
        }
        x.reshape(&[n, c, rows.kernel, rows.output, cols.kernel, cols.output][..])
    }

    /// The transpose of `unfold`: windows added where they lie.
    fn fold(windows: &Tensor, [rows, cols]: [Slide; 2]) -> Result<Tensor> {
        let (n, c) = (windows.dim(0)?, windows.dim(1)?);
        let mut x = windows.contiguous()?.reshape((n, c, rows.kernel * rows.output, cols.kernel * cols.output))?;
        for (axis, w) in [(2, rows), (3, cols)] {
            let mut dims = x.dims().to_vec();
            dims[axis] = w.padded();
            let zeros = Tensor::zeros(dims, x.dtype(), x.device())?;
            x = zeros.index_add(&indices(w.taps(), &x)?, &x, axis)?.narrow(axis, w.pad, w.input)?.contiguous()?;
        }
        Ok(x)
    }

    fn level(x: &Tensor, value: f64) -> Result<Tensor> {
        x.ones_like()? * value
    }

    /// `max(x, 0)`; its gradient at 0 is 0, as PyTorch's.
    pub fn relu(x: &Tensor) -> Result<Tensor> {
        x.le(&level(x, 0.0)?)?.where_cond(&x.zeros_like()?, x)
    }

    /// `below` up to `low`, `above` from `high` on, `middle` between.
    fn between(x: &Tensor, (low, high): (f64, f64), middle: &Tensor, below: f64, above: &Tensor) -> Result<Tensor> {
        let upper = x.ge(&level(x, high)?)?.where_cond(above, middle)?;
        x.le(&level(x, low)?)?.where_cond(&level(x, below)?, &upper)
    }

    pub fn relu6(x: &Tensor) -> Result<Tensor> {
        between(x, (0.0, 6.0), x, 0.0, &level(x, 6.0)?)
    }

    pub fn leaky_relu(x: &Tensor, slope: f64) -> Result<Tensor> {
        x.gt(&level(x, 0.0)?)?.where_cond(x, &(x * slope)?)
    }

    pub fn elu(x: &Tensor, alpha: f64) -> Result<Tensor> {
        let positive = x.gt(&level(x, 0.0)?)?;
        // Above 0 the exponential is taken of 0, lest it overflow and spoil the gradient.
        let below = positive.where_cond(&x.zeros_like()?, x)?;
        positive.where_cond(x, &((below.exp()? - 1.0)? * alpha)?)
    }

    /// `x·Φ(x)`, exact, with erf.
    pub fn gelu(x: &Tensor) -> Result<Tensor> {
        x * ((x * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?.affine(0.5, 0.0)?
    }

    pub fn silu(x: &Tensor) -> Result<Tensor> {
        x * candle_nn::ops::sigmoid(x)?
    }

    pub fn hard_swish(x: &Tensor) -> Result<Tensor> {
        between(x, (-3.0, 3.0), &(x * x.affine(1.0 / 6.0, 0.5)?)?, 0.0, x)
    }

    pub fn hard_sigmoid(x: &Tensor) -> Result<Tensor> {
        between(x, (-3.0, 3.0), &x.affine(1.0 / 6.0, 0.5)?, 0.0, &level(x, 1.0)?)
    }

    /// Over channels.
    pub fn softmax(x: &Tensor) -> Result<Tensor> {
        let powers = x.broadcast_sub(&x.max_keepdim(1)?.detach())?.exp()?;
        powers.broadcast_div(&powers.sum_keepdim(1)?)
    }

    /// A learned factor, one a channel or one in all; below 0 alone where it is a slope (He et al. 2015).
    #[derive(Clone, Debug)]
    pub struct Factor(Tensor);

    impl Factor {
        pub fn new(width: usize, start: f64, vb: VarBuilder) -> Result<Self> {
            Ok(Self(vb.get_with_hints(width, "weight", Init::Const(start))?))
        }

        fn times(&self, x: &Tensor) -> Result<Tensor> {
            let mut dims = vec![1; x.rank()];
            dims[1] = self.0.elem_count();
            x.broadcast_mul(&self.0.reshape(dims)?)
        }

        pub fn scale(&self, x: &Tensor) -> Result<Tensor> {
            self.times(x)
        }

        pub fn prelu(&self, x: &Tensor) -> Result<Tensor> {
            x.gt(&x.zeros_like()?)?.where_cond(x, &self.times(x)?)
        }
    }

    /// `s + t·(r − s)` with `t = sigmoid(logits)`.
    pub fn gate(s: &Tensor, r: &Tensor, logits: &Tensor) -> Result<Tensor> {
        s + (r - s)?.broadcast_mul(&candle_nn::ops::sigmoid(logits)?)?
    }

    /// `s + scale·r`; in training, `r` is dropped for whole samples with probability `drop` (Huang et al. 2016).
    pub fn add(s: &Tensor, r: &Tensor, scale: f64, drop: f64, train: bool) -> Result<Tensor> {
        if !train || drop == 0.0 {
            return s + (r * scale)?;
        }
        let mut dims = vec![1; r.rank()];
        dims[0] = r.dim(0)?;
        let kept = Tensor::rand(0f32, 1f32, dims, r.device())?.ge(drop)?.to_dtype(r.dtype())?;
        s + r.broadcast_mul(&(kept * (scale / (1.0 - drop)))?)?
    }

    pub fn dropout(x: &Tensor, p: f32, train: bool) -> Result<Tensor> {
        if train && p > 0.0 { candle_nn::ops::dropout(x, p) } else { Ok(x.clone()) }
    }
}
