/// A linear layer that starts as PyTorch's.
pub fn linear(ends: [usize; 2], vb: VarBuilder) -> Result<candle_nn::Linear> {
    linear_from(ends, Start::Fan, Some(Start::Fan), vb)
}

/// The same without a bias.
pub fn linear_no_bias(ends: [usize; 2], vb: VarBuilder) -> Result<candle_nn::Linear> {
    linear_from(ends, Start::Fan, None, vb)
}

/// A linear layer from what is read to what is given, with its weight and its bias started so.
pub fn linear_from(
    [inputs, width]: [usize; 2],
    start: Start,
    bias: Option<Start>,
    vb: VarBuilder,
) -> Result<candle_nn::Linear> {
    let (weight, bias) = parameters(&[width, inputs], start, (bias, width), &vb)?;
    Ok(candle_nn::Linear::new(weight, bias))
}
