/// A size along rows and columns: one for both, or one each.
pub trait Sizes {
    fn sizes(self) -> [usize; 2];
}

impl Sizes for usize {
    fn sizes(self) -> [usize; 2] {
        [self, self]
    }
}

impl Sizes for [usize; 2] {
    fn sizes(self) -> [usize; 2] {
        self
    }
}

/// How a window moves over rows and columns; of `[N, C, L]`, over one row. For a convolution, what else is set, too.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    pad: [usize; 2],
    dilation: [usize; 2],
    out_pad: [usize; 2],
    axes: usize,
    groups: usize,
    start: Start,
    bias: Option<Start>,
}

impl Window {
    /// A window over maps, in steps of 1, without padding.
    pub fn new(kernel: impl Sizes) -> Self {
        Self {
            kernel: kernel.sizes(),
            stride: [1, 1],
            pad: [0, 0],
            dilation: [1, 1],
            out_pad: [0, 0],
            axes: 2,
            groups: 1,
            start: Start::KaimingNormal,
            bias: None,
        }
    }

    /// A window over lines.
    pub fn line(kernel: usize) -> Self {
        Self { axes: 1, ..Self::new([1, kernel]) }
    }

    /// Of lines, the only row stays as it is.
    fn along(&self, sizes: impl Sizes, row: usize) -> [usize; 2] {
        let [rows, columns] = sizes.sizes();
        [if self.axes == 1 { row } else { rows }, columns]
    }

    pub fn stride(self, step: impl Sizes) -> Self {
        Self { stride: self.along(step, 1), ..self }
    }

    pub fn pad(self, zeros: impl Sizes) -> Self {
        Self { pad: self.along(zeros, 0), ..self }
    }

    pub fn dilation(self, apart: impl Sizes) -> Self {
        Self { dilation: self.along(apart, 1), ..self }
    }

    /// What a transposed convolution adds to one side of its output.
    pub fn out_pad(self, more: impl Sizes) -> Self {
        Self { out_pad: self.along(more, 0), ..self }
    }

    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The window along rows or columns.
    fn slide(&self, a: usize, input: usize, output: usize) -> Slide {
        Slide { input, output, kernel: self.kernel[a], stride: self.stride[a], pad: self.pad[a], dilation: self.dilation[a] }
    }

    /// How the weight starts; as [`Start::KaimingNormal`] where nothing is said.
    pub fn start(self, start: Start) -> Self {
        Self { start, ..self }
    }

    /// Adds a bias, which starts so.
    pub fn bias(self, start: Start) -> Self {
        Self { bias: Some(start), ..self }
    }
}

/// A convolution of `[N, C, L]` or `[N, C, H, W]`, as one product over windows laid out; its gradients are right for every
/// stride, padding, dilation and number of groups.
#[derive(Clone, Debug)]
pub struct Conv {
    weight: Tensor,
    bias: Option<Tensor>,
    window: Window,
}

impl Conv {
    /// The weight is `[width, channels / groups, kernel…]`.
    pub fn new([channels, width]: [usize; 2], window: Window, vb: VarBuilder) -> Result<Self> {
        let dims = [&[width, channels / window.groups], &window.kernel[2 - window.axes..]].concat();
        let (weight, bias) = parameters(&dims, window.start, (window.bias, width), &vb)?;
        Ok(Self { weight, bias, window })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (input, w) = (plane(x), self.window);
        let slides = [0, 1].map(|a| {
            let reach = w.dilation[a] * (w.kernel[a] - 1) + 1;
            let output = (input[a] + 2 * w.pad[a]).saturating_sub(reach) / w.stride[a] + 1;
            w.slide(a, input[a], output)
        });
        convolve(x, &self.weight, self.bias.as_ref(), slides, w.groups)
    }
}

/// A transposed convolution of `[N, C, L]` or `[N, C, H, W]`.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    weight: Tensor,
    bias: Option<Tensor>,
    window: Window,
}

impl ConvTranspose {
    /// The weight is `[channels, width / groups, kernel…]`.
    pub fn new([channels, width]: [usize; 2], window: Window, vb: VarBuilder) -> Result<Self> {
        let dims = [&[channels, width / window.groups], &window.kernel[2 - window.axes..]].concat();
        let (weight, bias) = parameters(&dims, window.start, (window.bias, width), &vb)?;
        Ok(Self { weight, bias, window })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (from, w) = (plane(x), self.window);
        // The convolution whose gradient this is reads what is made here.
        let slides = [0, 1].map(|a| {
            let full = (from[a] - 1) * w.stride[a] + w.dilation[a] * (w.kernel[a] - 1) + w.out_pad[a] + 1;
            w.slide(a, full.saturating_sub(2 * w.pad[a]), from[a])
        });
        convolve_back(x, &self.weight, self.bias.as_ref(), slides, w.groups)
    }
}
