/// A pooling window along both axes, its places as PyTorch counts them.
fn pooling(x: &Tensor, w: &Window, ceil: bool) -> [Slide; 2] {
    let input = plane(x);
    [0, 1].map(|a| {
        let reach = input[a] + 2 * w.pad[a] + if ceil { w.stride[a] - 1 } else { 0 };
        let size = reach.saturating_sub(w.dilation[a] * (w.kernel[a] - 1) + 1) / w.stride[a] + 1;
        let beyond = ceil && (size - 1) * w.stride[a] >= input[a] + w.pad[a];
        w.slide(a, input[a], if beyond { size - 1 } else { size })
    })
}

/// Maximum over windows; padding counts as −∞. Its gradient goes to the first of equals.
pub fn max_pool(x: &Tensor, w: Window, ceil: bool) -> Result<Tensor> {
    window_max(x, pooling(x, &w, ceil))
}

/// Mean over windows; `count_pad` counts padding in the divisor.
pub fn avg_pool(x: &Tensor, w: Window, ceil: bool, count_pad: bool) -> Result<Tensor> {
    window_mean(x, pooling(x, &w, ceil), count_pad)
}
