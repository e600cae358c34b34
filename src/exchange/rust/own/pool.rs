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
