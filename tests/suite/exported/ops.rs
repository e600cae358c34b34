// Ops, written by `archc export --rust` for candle-core and candle-nn.
//
// It composes candle's operators as archc's own module does on devices without kernels of its own, and gives the same
// bits there; gradients are PyTorch's. Parameters have the names that they have in the `.arch` file.

use candle_core::{Result, Tensor};
use candle_nn::{Linear, Module, ModuleT, VarBuilder};

/// What makes a part that differs from use to use, under its place among the parameters.
type Make<'a> = &'a dyn Fn(VarBuilder) -> Result<Box<dyn ModuleT>>;

pub struct Inner {
    conv1: ops::Conv,
    group_norm1: ops::GroupNorm,
}

impl Inner {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv1: ops::Conv::new([8, 8], ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, true, 2, vb.pp("conv1"))?,
            group_norm1: ops::GroupNorm::new(2, 8, 1e-5, true, vb.pp("group_norm1"))?,
        })
    }
}

impl ModuleT for Inner {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let y = ops::gelu(&self.group_norm1.forward(&self.conv1.forward(x)?)?)?;
        ops::add(x, &y, 0.5, 0.0, train)
    }
}

pub struct Project1 {
    part0: ops::Conv,
    part1: ops::BatchNorm,
}

impl Project1 {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            part0: ops::Conv::new([8, 12], ops::Window { stride: [2, 2], ..ops::Window::new([1, 1]) }, 1, false, 2, vb.pp("0"))?,
            part1: ops::BatchNorm::new(12, (1e-5, 0.1), true, vb.pp("1"))?,
        })
    }
}

impl ModuleT for Project1 {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        self.part1.forward_t(&self.part0.forward(x)?, train)
    }
}

pub struct Deep {
    conv1: ops::Conv,
    instance_norm1: ops::GroupNorm,
}

impl Deep {
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv1: ops::Conv::new([8, 16], ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, false, 2, vb.pp("conv1"))?,
            instance_norm1: ops::GroupNorm::new(16, 16, 1e-5, false, vb.pp("instance_norm1"))?,
        })
    }
}

impl ModuleT for Deep {
    fn forward_t(&self, x: &Tensor, _train: bool) -> Result<Tensor> {
        ops::silu(&self.instance_norm1.forward(&self.conv1.forward(x)?)?)
    }
}

pub struct Deep2 {
    conv1: ops::Conv,
    instance_norm1: ops::GroupNorm,
    below: Box<dyn ModuleT>,
    up: ops::ConvTranspose,
}

impl Deep2 {
    pub fn new(in_channels: usize, width: usize, below: Make, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv1: ops::Conv::new([in_channels, width], ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, false, 2, vb.pp("conv1"))?,
            instance_norm1: ops::GroupNorm::new(width, width, 1e-5, false, vb.pp("instance_norm1"))?,
            below: below(vb.pp("below"))?,
            up: ops::ConvTranspose::new([16, width], (ops::Window { stride: [2, 2], ..ops::Window::new([2, 2]) }, [0, 0]), 1, true, 2, vb.pp("up"))?,
        })
    }
}

impl ModuleT for Deep2 {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let silu1 = ops::silu(&self.instance_norm1.forward(&self.conv1.forward(x)?)?)?;
        let x = ops::max_pool(&silu1, ops::Window { stride: [2, 2], ..ops::Window::new([2, 2]) }, false)?;
        let x = self.below.forward_t(&x, train)?;
        Tensor::cat(&[&silu1, &self.up.forward(&x)?], 1)
    }
}

/// Out: small [N, 16, 3, 2], logits [N, 3].
pub struct Ops {
    conv1: ops::Conv,
    batch_norm1: ops::BatchNorm,
    inners: Vec<Inner>,
    conv2: ops::Conv,
    layer_norm1: ops::ChannelNorm,
    prelu1: ops::Factor,
    conv3: ops::Conv,
    batch_norm2: ops::BatchNorm,
    project1: Project1,
    conv4: ops::Conv,
    scale1: ops::Factor,
    conv5: ops::Conv,
    conv6: ops::Conv,
    conv7: ops::Conv,
    deep: Deep2,
    conv8: ops::Conv,
    conv_transpose1: ops::ConvTranspose,
    conv9: ops::Conv,
    conv10: ops::Conv,
    linear1: Linear,
    linear2: Linear,
}

impl Ops {
    /// With the parameters that `vb` has or makes.
    pub fn new(vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            conv1: ops::Conv::new([3, 8], ops::Window { stride: [1, 2], pad: [2, 2], dilation: [2, 1], ..ops::Window::new([3, 5]) }, 1, true, 2, vb.pp("conv1"))?,
            batch_norm1: ops::BatchNorm::new(8, (1e-5, 0.1), true, vb.pp("batch_norm1"))?,
            inners: (0..3).map(|i| Inner::new(vb.pp(format!("inner{i}")))).collect::<Result<_>>()?,
            conv2: ops::Conv::new([8, 8], ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, 4, true, 2, vb.pp("conv2"))?,
            layer_norm1: ops::ChannelNorm::new(8, 1e-5, true, vb.pp("layer_norm1"))?,
            prelu1: ops::Factor::new(1, 0.25, vb.pp("prelu1"))?,
            conv3: ops::Conv::new([8, 12], ops::Window { stride: [2, 2], pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, true, 2, vb.pp("conv3"))?,
            batch_norm2: ops::BatchNorm::new(12, (1e-5, 0.1), false, vb.pp("batch_norm2"))?,
            project1: Project1::new(vb.pp("project1"))?,
            conv4: ops::Conv::new([12, 16], ops::Window { stride: [2, 2], pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, true, 2, vb.pp("conv4"))?,
            scale1: ops::Factor::new(16, 1.0, vb.pp("scale1"))?,
            conv5: ops::Conv::new([16, 16], ops::Window::new([1, 1]), 1, true, 2, vb.pp("conv5"))?,
            conv6: ops::Conv::new([16, 16], ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, 1, true, 2, vb.pp("conv6"))?,
            conv7: ops::Conv::new([16, 16], ops::Window::new([1, 1]), 1, true, 2, vb.pp("conv7"))?,
            deep: Deep2::new(18, 4, &|vb: VarBuilder| -> Result<Box<dyn ModuleT>> { Ok(Box::new(Deep2::new(4, 8, &|vb: VarBuilder| -> Result<Box<dyn ModuleT>> { Ok(Box::new(Deep::new(vb)?)) }, vb)?)) }, vb.pp("deep"))?,
            conv8: ops::Conv::new([8, 4], ops::Window::new([1, 1]), 1, true, 2, vb.pp("conv8"))?,
            conv_transpose1: ops::ConvTranspose::new([8, 4], (ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, [0, 0]), 2, true, 2, vb.pp("conv_transpose1"))?,
            conv9: ops::Conv::new([16, 4], ops::Window::new([3, 3]), 1, true, 2, vb.pp("conv9"))?,
            conv10: ops::Conv::new([20, 20], ops::Window::new([3, 3]), 1, true, 2, vb.pp("conv10"))?,
            linear1: candle_nn::linear_no_bias(20, 5, vb.pp("linear1"))?,
            linear2: candle_nn::linear(5, 3, vb.pp("linear2"))?,
        })
    }

    /// Everything that goes out, in order; with `train`, norms use the batch and dropout drops.
    pub fn forward_t(&self, image: &Tensor, hint: &Tensor, train: bool) -> Result<(Tensor, Tensor)> {
        let x = ops::relu(&self.batch_norm1.forward_t(&self.conv1.forward(image)?, train)?)?;
        let x = self.inners.iter().try_fold(x.clone(), |x, part| part.forward_t(&x, train))?;
        let x = ops::elu(&self.layer_norm1.forward(&self.conv2.forward(&x)?)?, 0.5)?;
        let prelu1 = self.prelu1.prelu(&x)?;
        let x = ops::leaky_relu(&self.batch_norm2.forward_t(&self.conv3.forward(&prelu1)?, train)?, 0.01)?;
        let add1 = self.project1.forward_t(&prelu1, train)?.add(&x)?;
        let x = self.conv4.forward(&add1)?.tanh()?;
        let add2 = ops::zero_pad(&add1, [2, 2], (2, 2))?.add(&self.scale1.scale(&x)?)?;
        let x = ops::global_avg_pool(&add2)?;
        let x = add2.broadcast_mul(&ops::hard_sigmoid(&self.conv5.forward(&x)?)?)?;
        let small = ops::relu6(&ops::gate(&x, &ops::hard_swish(&self.conv6.forward(&x)?)?, &self.conv7.forward(&x)?)?)?;
        let x = ops::upsample(&small, ops::times(&small, [2, 2]), false)?;
        let x = Tensor::cat(&[hint, &ops::upsample(&x, [12, 12], true)?], 1)?;
        let deep = self.deep.forward_t(&x, train)?;
        let maxpool1 = ops::max_pool(&deep, ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, false)?;
        let x = ops::avg_pool(&deep, ops::Window { pad: [1, 1], ..ops::Window::new([3, 3]) }, false, false)?;
        let concat2 = Tensor::cat(&[&candle_nn::ops::sigmoid(&self.conv8.forward(&deep)?)?, &self.conv_transpose1.forward(&maxpool1)?, &ops::softmax(&x)?], 1)?;
        let x = self.conv9.forward(&concat2)?;
        let x = ops::pad(&x, [(1, 1), (1, 1)], ops::Fill::Reflect)?;
        let x = ops::pad(&x, [(0, 1), (1, 0)], ops::Fill::Replicate)?;
        let x = ops::center_crop(&x, [8, 8])?;
        let concat3 = Tensor::cat(&[&ops::center_crop(&concat2, ops::size_of(&x))?, &x], 1)?;
        let x = self.conv10.forward(&concat3)?;
        let x = ops::upsample(&x, ops::size_of(&small), false)?;
        let x = concat3.add(&ops::center_pad(&x, ops::size_of(&concat3))?)?;
        let x = ops::adaptive_avg_pool(&x, [3, 3])?;
        let x = ops::avg_pool(&x, ops::Window::new([2, 2]), true, true)?;
        let x = ops::max_pool(&x, ops::Window { stride: [2, 2], ..ops::Window::new([2, 2]) }, true)?;
        let x = ops::dropout(&x, 0.2 as f32, train)?;
        let x = x.reshape(&[x.dim(0)?, 20, 1][..])?;
        let x = x.clone();
        let x = x.flatten_from(1)?;
        let x = self.linear1.forward(&x)?;
        let x = self.linear2.forward(&x)?;
        Ok((small.clone(), x.clone()))
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
        fn new(width: usize, affine: bool, vb: &VarBuilder) -> Result<Self> {
            let both = || -> Result<_> {
                let weight = vb.get_with_hints(width, "weight", Init::Const(1.))?;
                Ok((weight, vb.get_with_hints(width, "bias", Init::Const(0.))?))
            };
            Ok(Self(affine.then(both).transpose()?))
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
        pub fn new(width: usize, (eps, momentum): (f64, f64), affine: bool, vb: VarBuilder) -> Result<Self> {
            let running_mean = Var::from_tensor(&vb.get_with_hints(width, "running_mean", Init::Const(0.))?)?;
            let running_var = Var::from_tensor(&vb.get_with_hints(width, "running_var", Init::Const(1.))?)?;
            Ok(Self { affine: Affine::new(width, affine, &vb)?, running_mean, running_var, eps, momentum })
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
            Ok(Self { affine: Affine::new(width, affine, &vb)?, groups, eps })
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
            Ok(Self { affine: Affine::new(width, affine, &vb)?, eps })
        }

        pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
            let (n, c) = (x.dim(0)?, x.dim(1)?);
            let (y, _, _) = standardise(&x.reshape((n, c, ()))?, &[1], self.eps)?;
            self.affine.forward(y)?.reshape(x.shape())
        }
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

    /// The places of a pooling window along an axis, as PyTorch counts them.
    fn places(input: usize, a: usize, w: &Window, ceil: bool) -> usize {
        let reach = input + 2 * w.pad[a] + if ceil { w.stride[a] - 1 } else { 0 };
        let size = reach.saturating_sub(w.dilation[a] * (w.kernel[a] - 1) + 1) / w.stride[a] + 1;
        if ceil && (size - 1) * w.stride[a] >= input + w.pad[a] { size - 1 } else { size }
    }

    /// Maximum over windows; padding counts as −∞. Its gradient goes to the first of equals.
    pub fn max_pool(x: &Tensor, w: Window, ceil: bool) -> Result<Tensor> {
        let (n, c, input) = (x.dim(0)?, x.dim(1)?, plane(x));
        let slide = [0, 1].map(|a| Slide {
            input: input[a],
            output: places(input[a], a, &w, ceil),
            kernel: w.kernel[a],
            stride: w.stride[a],
            pad: w.pad[a],
            dilation: w.dilation[a],
        });
        let output = [slide[0].output, slide[1].output];
        let windows = unfold(&x.reshape((n * c, 1, input[0], input[1]))?, slide, f64::NEG_INFINITY)?;
        let windows = windows.permute([0, 1, 3, 5, 2, 4])?.contiguous()?;
        let rows = windows.reshape((n * c * output[0] * output[1], w.kernel[0] * w.kernel[1]))?;
        first_max(&rows)?.reshape(resized(x, c, output))
    }

    pub fn global_max_pool(x: &Tensor) -> Result<Tensor> {
        let (n, c) = (x.dim(0)?, x.dim(1)?);
        first_max(&x.reshape((n * c, ()))?)?.reshape(resized(x, c, [1, 1]))
    }

    pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
        let (n, c) = (x.dim(0)?, x.dim(1)?);
        x.reshape((n * c, ()))?.mean(1)?.reshape(resized(x, c, [1, 1]))
    }

    /// The maximum of each row, gathered from the first of equals, or from the last NaN.
    fn first_max(rows: &Tensor) -> Result<Tensor> {
        let len = rows.dim(1)?;
        let plain = rows.detach();
        let numbers = |f: &dyn Fn(usize) -> usize| -> Result<Tensor> {
            constant((0..len).map(|i| f(i) as f64).collect(), &[1, len], rows)?.broadcast_as(rows.shape())
        };
        let equal = plain.broadcast_eq(&plain.max_keepdim(D::Minus1)?)?;
        let claim = equal.where_cond(&numbers(&|i| len - i)?, &rows.zeros_like()?)?;
        let claim = plain.ne(&plain)?.where_cond(&numbers(&|i| len + 1 + i)?, &claim)?;
        let best = claim.max_keepdim(D::Minus1)?;
        let limit = (best.ones_like()? * len as f64)?;
        let index = best.gt(&limit)?.where_cond(&(&best - (len + 1) as f64)?, &(&limit - &best)?)?;
        rows.gather(&index.to_dtype(DType::U32)?, D::Minus1)
    }

    /// Sums over windows that are products of ranges, times `factors`, as products with matrices of ones.
    fn sums(x: &Tensor, windows: [Vec<Range<usize>>; 2], factors: Vec<f64>) -> Result<Tensor> {
        let (maps, input, [rows, cols]) = (x.dim(0)? * x.dim(1)?, plane(x), &windows);
        let inside = |input: usize, windows: &[Range<usize>]| {
            let ones = (0..input).flat_map(|i| windows.iter().map(move |w| if w.contains(&i) { 1.0 } else { 0.0 }));
            constant(ones.collect(), &[input, windows.len()], x)
        };
        let y = x.reshape((maps * input[0], input[1]))?.matmul(&inside(input[1], cols)?)?;
        let y = y.reshape((maps, input[0], cols.len()))?.transpose(1, 2)?.contiguous()?;
        let y = y.reshape((maps * cols.len(), input[0]))?.matmul(&inside(input[0], rows)?)?;
        let y = y.reshape((maps, cols.len(), rows.len()))?.transpose(1, 2)?.contiguous()?;
        let factors = constant(factors, &[1, rows.len(), cols.len()], x)?;
        y.broadcast_mul(&factors)?.reshape(resized(x, x.dim(1)?, [rows.len(), cols.len()]))
    }

    /// Mean over windows; `count_pad` counts padding in the divisor.
    pub fn avg_pool(x: &Tensor, w: Window, ceil: bool, count_pad: bool) -> Result<Tensor> {
        let input = plane(x);
        let output = [0, 1].map(|a| places(input[a], a, &w, ceil));
        let window = |i: usize, a: usize| {
            let start = i * w.stride[a];
            start.saturating_sub(w.pad[a])..(start + w.kernel[a]).saturating_sub(w.pad[a]).min(input[a])
        };
        let count = |i: usize, a: usize| match count_pad {
            true => ((i * w.stride[a] + w.kernel[a]).min(input[a] + 2 * w.pad[a]) - i * w.stride[a]) as f64,
            false => window(i, a).len() as f64,
        };
        let factors = (0..output[0]).flat_map(|r| (0..output[1]).map(move |c| (r, c)));
        let factors = factors.map(|(r, c)| 1.0 / (count(r, 0) * count(c, 1))).collect();
        sums(x, [0, 1].map(|a| (0..output[a]).map(|i| window(i, a)).collect()), factors)
    }

    /// Mean over the windows `[⌊i·in/out⌋, ⌈(i + 1)·in/out⌉)`.
    pub fn adaptive_avg_pool(x: &Tensor, output: [usize; 2]) -> Result<Tensor> {
        let input = plane(x);
        let window = |i: usize, a: usize| i * input[a] / output[a]..((i + 1) * input[a]).div_ceil(output[a]);
        let windows = [0, 1].map(|a| (0..output[a]).map(|i| window(i, a)).collect::<Vec<_>>());
        let [rows, cols] = &windows;
        let factors = rows.iter().flat_map(|r| cols.iter().map(move |c| 1.0 / (r.len() * c.len()) as f64)).collect();
        sums(x, windows, factors)
    }

    /// Calls `f` for each spatial axis: the axis, and which of `[rows, columns]` it is.
    fn each_axis(x: &Tensor, mut f: impl FnMut(Tensor, usize, usize) -> Result<Tensor>) -> Result<Tensor> {
        let rank = x.rank();
        // A line is one row: its only axis are the columns.
        (2..rank).try_fold(x.clone(), |x, axis| f(x.contiguous()?, axis, axis + 2 - rank))
    }

    /// Interpolation to `output`; bilinear has half-pixel centres.
    pub fn upsample(x: &Tensor, output: [usize; 2], bilinear: bool) -> Result<Tensor> {
        let input = plane(x);
        each_axis(x, |x, axis, a| {
            if !bilinear {
                let low = (0..output[a]).map(|i| i * input[a] / output[a]).collect();
                return x.index_select(&indices(low, &x)?, axis);
            }
            let at = |i: usize| ((i as f64 + 0.5) * input[a] as f64 / output[a] as f64 - 0.5).max(0.0);
            let low: Vec<usize> = (0..output[a]).map(|i| (at(i) as usize).min(input[a] - 1)).collect();
            let high = low.iter().map(|low| (low + 1).min(input[a] - 1)).collect();
            let share = low.iter().enumerate().map(|(i, low)| at(i) - *low as f64).collect();
            let mut dims = vec![1; x.rank()];
            dims[axis] = output[a];
            let share = constant(share, &dims, &x)?;
            let low = x.index_select(&indices(low, &x)?, axis)?;
            let high = x.index_select(&indices(high, &x)?, axis)?;
            low.broadcast_mul(&share.affine(-1.0, 1.0)?)? + high.broadcast_mul(&share)?
        })
    }

    /// The plane of `x`, each axis times a factor.
    pub fn times(x: &Tensor, factor: [usize; 2]) -> [usize; 2] {
        let input = plane(x);
        [input[0] * factor[0], input[1] * factor[1]]
    }

    /// The plane of `x`.
    pub fn size_of(x: &Tensor) -> [usize; 2] {
        plane(x)
    }

    /// What padding is filled with.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Fill {
        Zero,
        Reflect,
        Replicate,
    }

    /// Padding by `(before, after)` of rows and of columns.
    pub fn pad(x: &Tensor, amounts: [(usize, usize); 2], fill: Fill) -> Result<Tensor> {
        let input = plane(x);
        each_axis(x, |x, axis, a| {
            let (before, after) = amounts[a];
            if fill == Fill::Zero {
                return surround(&x, axis, amounts[a], 0.0);
            }
            let last = input[a] as isize - 1;
            let source = |i: usize| match (fill, i as isize - before as isize) {
                (Fill::Reflect, at) if at > last => 2 * last - at,
                (Fill::Reflect, at) => at.abs(),
                (_, at) => at.clamp(0, last),
            };
            let sources = (0..before + input[a] + after).map(|i| source(i) as usize).collect();
            x.index_select(&indices(sources, &x)?, axis)
        })
    }

    /// Cuts the plane to a size, centred.
    pub fn center_crop(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        let input = plane(x);
        each_axis(x, |x, axis, a| {
            x.narrow(axis, (input[a] - size[a]) / 2, size[a])
        })?
        .contiguous()
    }

    /// Pads the plane with zeros to a size, centred.
    pub fn center_pad(x: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        let input = plane(x);
        let amounts = [0, 1].map(|a| {
            let missing = size[a] - input[a];
            (missing / 2, missing - missing / 2)
        });
        pad(x, amounts, Fill::Zero)
    }

    /// Strided subsampling and zero channels (He et al. 2015, option A).
    pub fn zero_pad(x: &Tensor, stride: [usize; 2], channels: (usize, usize)) -> Result<Tensor> {
        let input = plane(x);
        let x = each_axis(x, |x, axis, a| {
            x.index_select(&indices((0..input[a]).step_by(stride[a]).collect(), &x)?, axis)
        })?;
        surround(&x, 1, channels, 0.0)
    }
}
