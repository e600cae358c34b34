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
