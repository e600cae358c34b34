"""`Resize` and `Upsample`: what interpolates, where, and how it rounds."""

import itertools

import numpy as np

from .graph import X, ints, maker

PLACES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"]
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
SCALES = [(2.0, 2.0), (3.0, 2.0), (1.5, 1.5), (0.5, 0.5), (0.6, 0.7), (2.5, 1.3), (1.0, 1.0), (1 / 3, 4.0)]
SIZES = [(10, 12), (7, 9), (3, 4), (1, 1), (5, 6), (2, 13)]


def floats(*values):
    return np.array(values, np.float32)


class Kind:
    """How a version takes its scales and sizes."""

    def __init__(self, at):
        self.at = at

    def scaled(self, changed, scales, dims=(2, 3, 5, 6), whole=True, **more):
        scales = floats(*([1.0, 1.0] if whole else []), *scales)
        if self.at.opset < 11:
            return self.at.case(changed, X(dims), scales, **more)
        roi = floats(*[0.0] * len(scales), *[1.0] * len(scales)) if changed.get("coordinate_transformation_mode") == "tf_crop_and_resize" else None
        if self.at.opset < 13:
            roi = floats() if roi is None else roi
        return self.at.case(changed, X(dims), roi, scales, **more)

    def sized(self, changed, sizes, dims=(2, 3, 5, 6), whole=True, **more):
        if self.at.opset < 11:
            return None
        if whole:
            sizes = (*dims[:2], *sizes)
        roi = floats(*[0.0] * len(sizes), *[1.0] * len(sizes)) if changed.get("coordinate_transformation_mode") == "tf_crop_and_resize" else None
        first = (floats() if roi is None else roi, floats()) if self.at.opset < 13 else (roi, None)
        # Sizes are whole numbers for every axis: the batch is fixed.
        return self.at.case(changed, X(dims, fixed=whole), *first, ints(*sizes), **more)


@maker("Upsample")
def upsample(at):
    for mode in ["nearest", "linear"]:
        for scales in SCALES:
            if at.has("scales"):
                yield at.case(dict(mode=mode, scales=[1.0, 1.0, *scales]), X((2, 3, 5, 6)))
            else:
                yield at.case(dict(mode=mode), X((2, 3, 5, 6)), floats(1, 1, *scales))
        for scale in [2.0, 1.5]:
            if at.has("scales"):
                yield at.case(dict(mode=mode, scales=[1.0, 1.0, scale]), X((2, 3, 5)))
            else:
                yield at.case(dict(mode=mode), X((2, 3, 5)), floats(1, 1, scale))


@maker("Resize")
def plain(at):
    kind = Kind(at)
    for mode, scales in itertools.product(["nearest", "linear", "cubic"], SCALES):
        yield kind.scaled(dict(mode=mode) if mode != "nearest" else {}, scales)
    for mode, sizes in itertools.product(["nearest", "linear", "cubic"], SIZES):
        yield kind.sized(dict(mode=mode), sizes)
    for mode, scale in itertools.product(["nearest", "linear", "cubic"], [2.0, 1.5, 0.5]):
        yield kind.scaled(dict(mode=mode), (scale,), dims=(2, 3, 5))
        yield kind.scaled(dict(mode=mode), (scale,) * 3, dims=(2, 3, 4, 5, 3))
    if at.opset >= 11:
        first = (floats(), floats()) if at.opset < 13 else (None, None)
        for batch in [1, 2]:
            yield at.case({}, X((1, 3, 5, 6), fixed=True), *first, ints(batch, 3, 10, 12), note=f"a batch of {batch}")
            yield at.case({}, X((2, 3, 5, 6)), *first, ints(batch, 3, 10, 12), note=f"a free batch made {batch}")
    yield kind.scaled({}, (2.0, 2.0), dims=(2, 3, 5, 6), whole=True, note="channels")
    yield at.case({}, X((2, 3, 5, 6)), *((floats(1, 2, 1, 1),) if at.opset < 11 else (floats(), floats(1, 2, 1, 1))), note="channels grow")


@maker("Resize")
def modes(at):
    if at.opset < 11:
        return
    kind = Kind(at)
    few = at.opset in (11, 18)
    for place, rounding in itertools.product(PLACES, ROUNDINGS):
        changed = dict(coordinate_transformation_mode=place, nearest_mode=rounding)
        for scales in SCALES[: 4 if few else None]:
            yield kind.scaled(changed, scales)
        for sizes in SIZES[: 2 if few else None]:
            yield kind.sized(changed, sizes)
        yield kind.scaled(changed, (1.5,), dims=(2, 3, 5))
    for mode, place in itertools.product(["linear", "cubic"], PLACES):
        changed = dict(mode=mode, coordinate_transformation_mode=place)
        for scales in SCALES[: 4 if few else None]:
            yield kind.scaled(changed, scales)
        for sizes in SIZES[: 4 if few else None]:
            yield kind.sized(changed, sizes)
        yield kind.scaled(changed, (1.5,), dims=(2, 3, 5))
        yield kind.scaled(dict(exclude_outside=1, **changed), (1.5, 2.0))
        yield kind.scaled(dict(extrapolation_value=3.0, **changed), (1.5, 2.0))
    for a in [-0.5, -1.0]:
        yield kind.scaled(dict(mode="cubic", cubic_coeff_a=a), (2.0, 1.5))
        yield kind.sized(dict(mode="cubic", cubic_coeff_a=a, exclude_outside=1), (7, 9))
    for changed in [dict(cubic_coeff_a=-0.5), dict(exclude_outside=1), dict(extrapolation_value=2.0), dict(nearest_mode="ceil", mode="linear")]:
        yield kind.scaled(changed, (2.0, 2.0))


@maker("Resize")
def crops(at):
    """Regions of interest, with values from outside."""
    if at.opset < 11:
        return
    for mode, value, low, high in itertools.product(["nearest", "linear"], [0.0, 2.5], [0.0, 0.2, -0.4], [1.0, 0.7, 1.3]):
        changed = dict(mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=value)
        yield at.case(changed, X((2, 3, 5, 6)), floats(0, 0, low, low, 1, 1, high, high), floats(1, 1, 1.5, 2), note=f"roi {low}…{high}")


@maker("Resize")
def newer(at):
    """What came with opset 18."""
    kind = Kind(at)
    for mode, axes in itertools.product(["nearest", "linear", "cubic"], [[2, 3], [3, 2], [-2, -1], [-1, -2]]):
        yield kind.scaled(dict(mode=mode, axes=axes), (2.0, 3.0), whole=False)
        yield kind.sized(dict(mode=mode, axes=axes), (10, 9), whole=False)
        yield kind.sized(dict(mode=mode, axes=axes, coordinate_transformation_mode="asymmetric", nearest_mode="floor"), (10, 12), whole=False)
    for axes, scale in [([2], 2.0), ([3], 2.0), ([1], 2.0), ([-1], 1.5)]:
        yield kind.scaled(dict(axes=axes), (scale,), whole=False)
    for policy, sizes in itertools.product(["not_larger", "not_smaller", "stretch"], [(10, 9), (7, 13), (3, 3), (10, 12)]):
        for mode in ["nearest", "linear"]:
            yield kind.sized(dict(mode=mode, axes=[2, 3], keep_aspect_ratio_policy=policy), sizes, whole=False)
        yield kind.sized(dict(keep_aspect_ratio_policy=policy), sizes)
    for mode, scales in itertools.product(["nearest", "linear", "cubic"], [(0.5, 0.5), (0.6, 0.7), (2.0, 2.0)]):
        yield kind.scaled(dict(mode=mode, antialias=1), scales)
    yield at.case({}, X((2, 3, 5, 6)), None, X((4,), "scales", fixed=True))
