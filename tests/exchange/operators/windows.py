"""Operators with a window: convolutions and pools."""

import itertools

from .graph import X, maker, numbers

AUTO = ["SAME_UPPER", "SAME_LOWER", "VALID"]


@maker("Conv")
def conv(at):
    x, w, b = X((2, 4, 9, 8)), numbers(6, 4, 3, 3), numbers(6)
    yield at.case({}, x, w, b)
    yield at.case({}, x, w)
    yield at.case({}, x, w, None)
    yield at.case({}, X((2, 4, 9)), numbers(6, 4, 3), b)
    yield at.case({}, X((2, 4, 5, 6, 7)), numbers(6, 4, 3, 3, 3), b)
    yield at.case({}, x, X((6, 4, 3, 3), "w", fixed=True), b)
    yield at.case({}, x, w, X((6,), "b", fixed=True))
    for changed in [dict(kernel_shape=[3, 3]), dict(strides=[2, 2]), dict(strides=[2, 3]), dict(dilations=[2, 2]),
                    dict(dilations=[1, 2]), dict(pads=[1, 1, 1, 1]), dict(pads=[1, 2, 1, 2]), dict(pads=[0, 1, 2, 0]),
                    dict(pads=[0, 0, 1, 1], strides=[2, 2]), dict(pads=[2, 2, 2, 2], dilations=[2, 2], strides=[2, 1])]:
        yield at.case(changed, x, w, b)
    yield at.case(dict(group=2), x, numbers(6, 2, 3, 3), b)
    yield at.case(dict(group=4), x, numbers(8, 1, 3, 3), numbers(8))
    for auto, strides, dilations, size in itertools.product(AUTO, [[1, 1], [2, 2], [3, 2]], [[1, 1], [2, 1], [2, 2]], [(9, 8), (7, 10)]):
        yield at.case(dict(auto_pad=auto, strides=strides, dilations=dilations), X((2, 4, *size)), w, b)
    for auto in AUTO:
        yield at.case(dict(auto_pad=auto), x, numbers(6, 4, 2, 4), b)
        yield at.case(dict(auto_pad=auto, strides=[2]), X((2, 4, 9)), numbers(6, 4, 4), b)
        yield at.case(dict(auto_pad=auto, strides=[4, 4]), x, w, b)
    yield at.case(dict(auto_pad="NOTSET", pads=[1, 0, 1, 0]), x, w, b)


@maker("ConvTranspose")
def conv_transpose(at):
    x, w, b = X((2, 4, 5, 6)), numbers(4, 6, 3, 3), numbers(6)
    yield at.case({}, x, w, b)
    yield at.case({}, x, w)
    yield at.case({}, x, w, None)
    yield at.case({}, X((2, 4, 9)), numbers(4, 6, 3), b)
    yield at.case({}, x, X((4, 6, 3, 3), "w", fixed=True), b)
    s2 = dict(strides=[2, 2])
    for changed in [dict(kernel_shape=[3, 3]), s2, dict(strides=[3, 1]), dict(dilations=[2, 2]), dict(dilations=[1, 3]),
                    dict(pads=[1, 1, 1, 1]), dict(pads=[1, 0, 1, 0]), dict(pads=[0, 1, 1, 0]), dict(pads=[0, 0, 1, 1], **s2),
                    dict(output_padding=[1, 1], **s2), dict(output_padding=[0, 1], **s2), dict(output_padding=[1, 1], pads=[1, 1, 1, 1], **s2),
                    dict(output_shape=[10, 12], **s2), dict(output_shape=[11, 13], **s2), dict(output_shape=[7, 8]),
                    dict(output_shape=[9, 12], **s2), dict(output_shape=[10, 12], auto_pad="SAME_LOWER", **s2),
                    dict(output_shape=[10, 12], auto_pad="SAME_UPPER", **s2),
                    dict(output_shape=[11, 13], output_padding=[1, 1], **s2), dict(output_padding=[1, 1], dilations=[2, 2])]:
        yield at.case(changed, x, w, b)
    yield at.case(dict(group=2), x, numbers(4, 3, 3, 3), b)
    yield at.case(dict(group=4), x, numbers(4, 1, 3, 3), numbers(4))
    for auto, strides, dilations in itertools.product(AUTO, [[1, 1], [2, 2], [3, 2]], [[1, 1], [2, 2]]):
        yield at.case(dict(auto_pad=auto, strides=strides, dilations=dilations), x, w, b)
    for auto in AUTO:
        yield at.case(dict(auto_pad=auto, **s2), x, numbers(4, 6, 2, 4), b)
        yield at.case(dict(auto_pad=auto, output_padding=[1, 0], **s2), x, w, b)


@maker("MaxPool", "AveragePool", "LpPool")
def pool(at):
    x, base = X((2, 3, 9, 8)), dict(kernel_shape=[3, 3])
    case = lambda changed, x=x, **more: at.case(changed, x, base={} if "kernel_shape" in changed else base, **more)
    yield case({})
    yield case(dict(kernel_shape=[3]), X((2, 3, 9)))
    yield case(dict(kernel_shape=[2, 2, 2]), X((2, 3, 5, 6, 7)))
    s2 = dict(strides=[2, 2])
    for changed in [dict(kernel_shape=[2, 3]), dict(kernel_shape=[9, 8]), dict(kernel_shape=[1, 1]), dict(kernel_shape=[1, 1], **s2),
                    s2, dict(strides=[3, 2]), dict(strides=[4, 4]), dict(pads=[1, 1, 1, 1]), dict(pads=[1, 0, 1, 0]),
                    dict(pads=[0, 0, 1, 1]), dict(pads=[1, 1, 0, 0]), dict(pads=[0, 0, 1, 1], **s2), dict(pads=[0, 1, 1, 0], **s2),
                    dict(pads=[1, 1, 1, 1], **s2), dict(pads=[2, 2, 2, 2], **s2), dict(p=1), dict(p=3), dict(storage_order=1)]:
        yield case(changed)
    yield case(dict(storage_order=1), outputs=2, given=2)
    yield at.case({}, x, base=base, outputs=2, given=2)
    for size in [(9, 8), (10, 7), (6, 5)]:
        for ceil, pads, strides in itertools.product([0, 1], [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1], [1, 0, 0, 1]], [[2, 2], [3, 2], [3, 3]]):
            changed = dict(ceil_mode=ceil, pads=pads, strides=strides)
            yield case(changed, X((2, 3, *size)))
            if at.has("count_include_pad"):
                yield case(dict(count_include_pad=1, **changed), X((2, 3, *size)))
    for dilations, ceil, strides, pads in itertools.product([[2, 2], [1, 2], [3, 1]], [0, 1], [[1, 1], [2, 2]], [[0, 0, 0, 0], [1, 1, 1, 1]]):
        yield case(dict(dilations=dilations, ceil_mode=ceil, strides=strides, pads=pads))
        yield case(dict(dilations=dilations, ceil_mode=ceil, strides=strides, pads=pads, count_include_pad=1))
    for auto, strides, size in itertools.product(AUTO, [[1, 1], [2, 2], [3, 2], [4, 4]], [(9, 8), (7, 10)]):
        yield case(dict(auto_pad=auto, strides=strides), X((2, 3, *size)))
        yield case(dict(auto_pad=auto, strides=strides, count_include_pad=1), X((2, 3, *size)))
        yield case(dict(auto_pad=auto, strides=strides, ceil_mode=1), X((2, 3, *size)))
        yield case(dict(auto_pad=auto, strides=strides, dilations=[2, 2]), X((2, 3, *size)))
        yield case(dict(auto_pad=auto, strides=strides, kernel_shape=[2, 2]), X((2, 3, *size)))


@maker("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(at):
    for dims in [(2, 3, 5, 4), (2, 3, 5), (2, 3, 4, 3, 2), (2, 3)]:
        yield at.case({}, X(dims))
    yield at.case(dict(p=1), X((2, 3, 5, 4)))
    yield at.case(dict(p=3), X((2, 3, 5, 4)))
