def center_pad(x: Tensor, size: Sequence[int]) -> Tensor:
    """Pads the spatial axes with zeros to a size, centred."""
    pads: list[int] = []
    for axis, target in reversed(list(enumerate(size, start=2))):
        missing = target - x.shape[axis]
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads)
