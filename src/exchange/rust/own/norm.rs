/// `[C]` as it meets `[N, C, P]`.
fn per_channel(v: &Tensor) -> Result<Tensor> {
    v.reshape((1, v.elem_count(), 1))
}

/// Centred and scaled to variance 1 over `axes`, with the means and the biased variances.
fn standardise(x: &Tensor, axes: &[usize], eps: f64) -> Result<(Tensor, Tensor, Tensor)> {
    let mean = x.mean_keepdim(axes)?;
    let centred = x.broadcast_sub(&mean)?;
    let var = centred.sqr()?.mean_keepdim(axes)?;
    let scale = (&var + eps)?.sqrt()?.recip()?;
    Ok((centred.broadcast_mul(&scale)?, mean, var))
}

/// Weight and bias `[C]`, where there are any.
#[derive(Clone, Debug)]
struct Affine(Option<(Tensor, Tensor)>);

impl Affine {
    /// `start` is what the weight and the bias start at.
    fn new(width: usize, start: Option<(f64, f64)>, vb: &VarBuilder) -> Result<Self> {
        let both = |(weight, bias)| -> Result<_> {
            let weight = vb.get_with_hints(width, "weight", Init::Const(weight))?;
            Ok((weight, vb.get_with_hints(width, "bias", Init::Const(bias))?))
        };
        Ok(Self(start.map(both).transpose()?))
    }

    fn forward(&self, y: Tensor) -> Result<Tensor> {
        match &self.0 {
            Some((weight, bias)) => y.broadcast_mul(&per_channel(weight)?)?.broadcast_add(&per_channel(bias)?),
            None => Ok(y),
        }
    }
}

/// Batch normalisation of `[N, C, …]` (Ioffe and Szegedy 2015), with the running statistics of PyTorch.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    affine: Affine,
    running_mean: Var,
    running_var: Var,
    eps: f64,
    momentum: f64,
}

impl BatchNorm {
    pub fn new(width: usize, rates: (f64, f64), affine: bool, vb: VarBuilder) -> Result<Self> {
        Self::starting(width, rates, affine.then_some((1., 0.)), vb)
    }

    /// Its weight and its bias start at these numbers.
    pub fn starting(
        width: usize,
        (eps, momentum): (f64, f64),
        start: Option<(f64, f64)>,
        vb: VarBuilder,
    ) -> Result<Self> {
        let running_mean = Var::from_tensor(&vb.get_with_hints(width, "running_mean", Init::Const(0.))?)?;
        let running_var = Var::from_tensor(&vb.get_with_hints(width, "running_var", Init::Const(1.))?)?;
        Ok(Self { affine: Affine::new(width, start, &vb)?, running_mean, running_var, eps, momentum })
    }

    pub fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let (n, c) = (x.dim(0)?, x.dim(1)?);
        let maps = x.reshape((n, c, ()))?;
        if !train {
            let centred = maps.broadcast_sub(&per_channel(&self.running_mean.as_detached_tensor())?)?;
            let scale = (self.running_var.as_detached_tensor() + self.eps)?.sqrt()?.recip()?;
            return self.affine.forward(centred.broadcast_mul(&per_channel(&scale)?)?)?.reshape(x.shape());
        }
        let count = (x.elem_count() / c) as f64;
        let (y, mean, var) = standardise(&maps, &[0, 2], self.eps)?;
        let var = (var.detach() * (count / (count - 1.0)))?;
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, var)] {
            let kept = running.as_detached_tensor().affine(1.0 - self.momentum, 0.0)?;
            running.set(&(kept + batch.detach().flatten_all()?.affine(self.momentum, 0.0)?)?)?;
        }
        self.affine.forward(y)?.reshape(x.shape())
    }
}

/// Normalisation over groups of channels of each sample (Wu and He 2018); over each channel where there are as many groups.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    affine: Affine,
    groups: usize,
    eps: f64,
}

impl GroupNorm {
    pub fn new(groups: usize, width: usize, eps: f64, affine: bool, vb: VarBuilder) -> Result<Self> {
        Ok(Self { affine: Affine::new(width, affine.then_some((1., 0.)), &vb)?, groups, eps })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, c) = (x.dim(0)?, x.dim(1)?);
        let (y, _, _) = standardise(&x.reshape((n, self.groups, ()))?, &[2], self.eps)?;
        self.affine.forward(y.reshape((n, c, ()))?)?.reshape(x.shape())
    }
}

/// Normalisation over the channels at each position (Ba et al. 2016).
#[derive(Clone, Debug)]
pub struct ChannelNorm {
    affine: Affine,
    eps: f64,
}

impl ChannelNorm {
    pub fn new(width: usize, eps: f64, affine: bool, vb: VarBuilder) -> Result<Self> {
        Ok(Self { affine: Affine::new(width, affine.then_some((1., 0.)), &vb)?, eps })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, c) = (x.dim(0)?, x.dim(1)?);
        let (y, _, _) = standardise(&x.reshape((n, c, ()))?, &[1], self.eps)?;
        self.affine.forward(y)?.reshape(x.shape())
    }
}
