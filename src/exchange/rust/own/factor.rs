/// A learned factor, one a channel or one in all; below 0 alone where it is a slope (He et al. 2015).
#[derive(Clone, Debug)]
pub struct Factor(Tensor);

impl Factor {
    pub fn new(width: usize, start: f64, vb: VarBuilder) -> Result<Self> {
        Ok(Self(vb.get_with_hints(width, "weight", Init::Const(start))?))
    }

    pub fn scale(&self, x: &Tensor) -> Result<Tensor> {
        scale(x, &self.0)
    }

    pub fn prelu(&self, x: &Tensor) -> Result<Tensor> {
        prelu(x, &self.0)
    }
}
