def drop_path(x: Tensor, p: float, training: bool) -> Tensor:
    """In training, drops whole samples with probability p (Huang et al. 2016)."""
    if not training:
        return x
    kept = torch.rand(x.shape[0], *(1,) * (x.dim() - 1), device=x.device) >= p
    return x * kept / (1 - p)
