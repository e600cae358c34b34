def center_crop(x: Tensor, size: Sequence[int]) -> Tensor:
    """Cuts the spatial axes to a size, centred."""
    for axis, target in enumerate(size, start=2):
        x = x.narrow(axis, (x.shape[axis] - target) // 2, target)
    return x
