/// How a parameter starts; fans are PyTorch's.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Uniform in ±1 / √fan_in, as PyTorch starts linear layers and biases.
    Fan,
    /// Normal with std √(2 / fan_out) (He et al. 2015).
    KaimingNormal,
    /// Uniform in ±√(6 / fan_in).
    KaimingUniform,
    /// Normal with std √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).
    XavierNormal,
    /// Uniform in ±√(6 / (fan_in + fan_out)).
    XavierUniform,
    /// Normal with this std.
    Normal(f64),
    /// Uniform in ± this bound.
    Uniform(f64),
    /// All the same.
    Constant(f64),
}

impl Start {
    /// For a parameter of a layer whose weight has these sizes.
    fn of(self, weight: &[usize]) -> Init {
        let window: usize = weight[2..].iter().product();
        let (fan_in, fan_out) = ((weight[1] * window) as f64, (weight[0] * window) as f64);
        let normal = |stdev| Init::Randn { mean: 0., stdev };
        let uniform = |bound: f64| Init::Uniform { lo: -bound, up: bound };
        match self {
            Self::Fan => uniform(1. / fan_in.sqrt()),
            Self::KaimingNormal => normal((2. / fan_out).sqrt()),
            Self::KaimingUniform => uniform((6. / fan_in).sqrt()),
            Self::XavierNormal => normal((2. / (fan_in + fan_out)).sqrt()),
            Self::XavierUniform => uniform((6. / (fan_in + fan_out)).sqrt()),
            Self::Normal(std) => normal(std),
            Self::Uniform(bound) => uniform(bound),
            Self::Constant(value) => Init::Const(value),
        }
    }
}

/// The weight, and a bias of this size where it starts somehow.
fn parameters(
    dims: &[usize],
    start: Start,
    (bias, size): (Option<Start>, usize),
    vb: &VarBuilder,
) -> Result<(Tensor, Option<Tensor>)> {
    let weight = vb.get_with_hints(dims, "weight", start.of(dims))?;
    let bias = bias.map(|start| vb.get_with_hints(size, "bias", start.of(dims)));
    Ok((weight, bias.transpose()?))
}
