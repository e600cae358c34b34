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

    fn weight(&self) -> Option<&Tensor> {
        self.0.as_ref().map(|(weight, _)| weight)
    }

    fn bias(&self) -> Option<&Tensor> {
        self.0.as_ref().map(|(_, bias)| bias)
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
        let (weight, bias) = (self.affine.weight(), self.affine.bias());
        if !train {
            let running = (&self.running_mean.as_detached_tensor(), &self.running_var.as_detached_tensor());
            return batch_norm_eval(x, weight, bias, running, self.eps);
        }
        let (y, mean, var) = batch_norm_train(x, weight, bias, self.eps)?;
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, var)] {
            let kept = running.as_detached_tensor().affine(1.0 - self.momentum, 0.0)?;
            running.set(&(kept + batch.affine(self.momentum, 0.0)?)?)?;
        }
        Ok(y)
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
        group_norm(x, self.affine.weight(), self.affine.bias(), self.groups, self.eps)
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
        layer_norm(x, self.affine.weight(), self.affine.bias(), self.eps)
    }
}
