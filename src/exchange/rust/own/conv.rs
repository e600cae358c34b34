/// How a window moves: rows and columns; of a line, columns alone.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub pad: [usize; 2],
    pub dilation: [usize; 2],
}

impl Window {
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], pad: [0, 0], dilation: [1, 1] }
    }
}

const KAIMING: Init = Init::Kaiming {
    dist: candle_nn::init::NormalOrUniform::Normal,
    fan: candle_nn::init::FanInOut::FanOut,
    non_linearity: candle_nn::init::NonLinearity::ReLU,
};

/// A convolution of `[N, C, L]` or `[N, C, H, W]`, as one product over windows laid out; its gradients are right for every
/// stride, padding, dilation and number of groups.
#[derive(Clone, Debug)]
pub struct Conv {
    weight: Tensor,
    bias: Option<Tensor>,
    window: Window,
    groups: usize,
}

impl Conv {
    /// The weight is `[width, channels / groups, kernel…]`, with as many kernel axes as `axes` says.
    pub fn new(
        [channels, width]: [usize; 2],
        window: Window,
        groups: usize,
        bias: bool,
        axes: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let dims = [&[width, channels / groups], &window.kernel[2 - axes..]].concat();
        let weight = vb.get_with_hints(dims, "weight", KAIMING)?;
        let bias = bias.then(|| vb.get_with_hints(width, "bias", Init::Const(0.))).transpose()?;
        Ok(Self { weight, bias, window, groups })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, c, input, w) = (x.dim(0)?, x.dim(1)?, plane(x), self.window);
        let width = self.weight.dim(0)?;
        let slide = [0, 1].map(|a| {
            let reach = w.dilation[a] * (w.kernel[a] - 1) + 1;
            let output = (input[a] + 2 * w.pad[a]).saturating_sub(reach) / w.stride[a] + 1;
            Slide { input: input[a], output, kernel: w.kernel[a], stride: w.stride[a], pad: w.pad[a], dilation: w.dilation[a] }
        });
        let positions = slide[0].output * slide[1].output;
        let depth = c / self.groups * w.kernel[0] * w.kernel[1];
        let columns = unfold(&x.reshape((n, c, input[0], input[1]))?, slide, 0.0)?;
        let columns = columns.permute([1, 2, 4, 0, 3, 5])?.contiguous()?;
        let columns = columns.reshape((self.groups, depth, n * positions))?;
        let weight = self.weight.contiguous()?.reshape((self.groups, width / self.groups, depth))?;
        let y = weight.matmul(&columns)?.reshape((width, n, positions))?.transpose(0, 1)?.contiguous()?;
        with_bias(y, self.bias.as_ref())?.reshape(resized(x, width, [slide[0].output, slide[1].output]))
    }
}

/// A transposed convolution of `[N, C, L]` or `[N, C, H, W]`.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    weight: Tensor,
    bias: Option<Tensor>,
    window: Window,
    out_pad: [usize; 2],
    groups: usize,
}

impl ConvTranspose {
    /// The weight is `[channels, width / groups, kernel…]`.
    pub fn new(
        [channels, width]: [usize; 2],
        (window, out_pad): (Window, [usize; 2]),
        groups: usize,
        bias: bool,
        axes: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        let dims = [&[channels, width / groups], &window.kernel[2 - axes..]].concat();
        let weight = vb.get_with_hints(dims, "weight", KAIMING)?;
        let bias = bias.then(|| vb.get_with_hints(width, "bias", Init::Const(0.))).transpose()?;
        Ok(Self { weight, bias, window, out_pad, groups })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (n, c, from, w) = (x.dim(0)?, x.dim(1)?, plane(x), self.window);
        let width = self.weight.dim(1)? * self.groups;
        // The convolution whose gradient this is reads what is made here.
        let slide = [0, 1].map(|a| {
            let full = (from[a] - 1) * w.stride[a] + w.dilation[a] * (w.kernel[a] - 1) + self.out_pad[a] + 1;
            let input = full.saturating_sub(2 * w.pad[a]);
            Slide { input, output: from[a], kernel: w.kernel[a], stride: w.stride[a], pad: w.pad[a], dilation: w.dilation[a] }
        });
        let positions = from[0] * from[1];
        let depth = width / self.groups * w.kernel[0] * w.kernel[1];
        let columns = x.reshape((n, c, positions))?.transpose(0, 1)?.contiguous()?;
        let columns = columns.reshape((self.groups, c / self.groups, n * positions))?;
        let weight = self.weight.contiguous()?.reshape((self.groups, c / self.groups, depth))?;
        let columns = weight.transpose(1, 2)?.contiguous()?.matmul(&columns)?;
        let sizes = [width, w.kernel[0], w.kernel[1], n, from[0], from[1]];
        let y = fold(&columns.reshape(&sizes[..])?.permute([3, 0, 1, 4, 2, 5])?, slide)?;
        let y = y.reshape((n, width, slide[0].input * slide[1].input))?;
        with_bias(y, self.bias.as_ref())?.reshape(resized(x, width, [slide[0].input, slide[1].input]))
    }
}

/// Adds `[C]` to `[N, C, P]`.
fn with_bias(y: Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    match bias {
        Some(b) => y.broadcast_add(&b.reshape((1, b.elem_count(), 1))?),
        None => Ok(y),
    }
}
