def zero_pad(x: Tensor, stride: Sequence[int], before: int, after: int) -> Tensor:
    """Strided subsampling and zero channels (He et al. 2015, option A)."""
    for axis, step in enumerate(stride, start=2):
        x = x.index_select(axis, torch.arange(0, x.shape[axis], step, device=x.device))
    return F.pad(x, (0, 0) * (x.dim() - 2) + (before, after))
