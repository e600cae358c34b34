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
