"""Norms, softmaxes and activations."""

from .graph import X, ints, maker, numbers

RANKS = [(2, 6, 5, 4), (2, 6, 5), (2, 6)]


@maker("BatchNormalization")
def batch_norm(at):
    x, params = X((2, 6, 5, 4)), [numbers(6), numbers(6, seed=1), numbers(6, seed=2), numbers(6, low=0.5)]
    yield at.case({}, x, *params)
    for dims in RANKS[1:] + [(2, 6, 3, 2, 4)]:
        yield at.case({}, X(dims), *params)
    yield at.case(dict(epsilon=0.1), x, *params)
    yield at.case(dict(epsilon=1.5), x, *params)
    yield at.case(dict(momentum=0.3), x, *params)
    yield at.case({}, x, *params, outputs=5, given=1)
    yield at.case({}, x, *params, outputs=3, given=1)
    yield at.case({}, x, *params, outputs=5, given=3)
    for outputs in [1, 3]:
        yield at.case(dict(training_mode=1), x, *params, outputs=outputs, given=1)
        yield at.case(dict(training_mode=1), x, *params, outputs=outputs, given=outputs)
    yield at.case(dict(training_mode=1, momentum=0.1), x, *params)
    spread = [numbers(6, 5, 4), numbers(6, 5, 4, seed=1), numbers(6, 5, 4, seed=2), numbers(6, 5, 4, low=0.5)]
    yield at.case(dict(spatial=0), x, *spread)
    yield at.case(dict(spatial=0), X((2, 6)), *params)
    yield at.case({}, x, X((6,), "scale", fixed=True), *params[1:])
    yield at.case({}, x, *params[:3], X((6,), "var", fixed=True, low=0.5))


@maker("InstanceNormalization")
def instance_norm(at):
    for dims in RANKS[:2] + [(2, 6, 3, 2, 4)]:
        yield at.case({}, X(dims), numbers(6), numbers(6, seed=1))
    yield at.case(dict(epsilon=0.1), X(RANKS[0]), numbers(6), numbers(6, seed=1))
    yield at.case({}, X(RANKS[0]), X((6,), "scale", fixed=True), numbers(6, seed=1))


@maker("LayerNormalization", "RMSNormalization")
def layer_norm(at):
    biased = at.op == "LayerNormalization"
    params = lambda *dims: [numbers(*dims), numbers(*dims, seed=1)][: 1 + biased]
    yield at.case({}, X((2, 6)), *params(6))
    for dims in [(2, 5, 6), (2, 4, 5, 6)]:
        yield at.case({}, X(dims), *params(6))
        for axis in range(1, len(dims)):
            yield at.case(dict(axis=axis), X(dims), *params(*dims[axis:]))
            yield at.case(dict(axis=axis - len(dims)), X(dims), *params(*dims[axis:]))
        yield at.case(dict(axis=1), X(dims), *params(6), note="broadcast")
    yield at.case(dict(axis=0), X((2, 6), fixed=True), *params(2, 6))
    for changed in [dict(axis=1), dict(axis=-1), dict(epsilon=0.1), dict(stash_type=10), dict(stash_type=16), dict(stash_type=11)]:
        yield at.case(changed, X((2, 6)), *params(6))
    yield at.case({}, X((2, 6)), numbers(6))
    yield at.case({}, X((2, 6)), numbers(6), None)
    yield at.case({}, X((2, 6)), *params(6), outputs=3, given=1)
    yield at.case({}, X((2, 6)), *params(6), outputs=3, given=3)
    yield at.case({}, X((2, 6)), *params(6), outputs=2, given=2)
    yield at.case({}, X((2, 6)), numbers(1), *([numbers(1, seed=1)] * biased))
    yield at.case({}, X((2, 6)), numbers(1, 6), *([numbers(1, 6, seed=1)] * biased))


@maker("GroupNormalization")
def group_norm(at):
    n = 6 if at.opset >= 21 else 3
    params = [numbers(n), numbers(n, seed=1)]
    for dims in RANKS[:2] + [(2, 6, 3, 2, 4)]:
        yield at.case(dict(num_groups=3), X(dims), *params)
    for groups in [1, 2, 6]:
        n = 6 if at.opset >= 21 else groups
        yield at.case(dict(num_groups=groups), X(RANKS[0]), numbers(n), numbers(n, seed=1))
    for changed in [dict(epsilon=0.1), dict(stash_type=10), dict(stash_type=16)]:
        yield at.case(changed, X(RANKS[0]), *params, base=dict(num_groups=3))


@maker("LRN")
def lrn(at):
    x, base = X(RANKS[0]), dict(size=3)
    yield at.case({}, x, base=base)
    yield at.case({}, X(RANKS[1]), base=base)
    for changed in [dict(alpha=0.5), dict(alpha=0.5, beta=0.2), dict(alpha=0.5, bias=2.0), dict(alpha=0.5, beta=1.5, bias=0.3)]:
        yield at.case(changed, x, base=base)
    for size in [1, 2, 4, 5, 11]:
        yield at.case(dict(size=size), x, base=dict(alpha=0.9))


@maker("LpNormalization", "MeanVarianceNormalization")
def lp_norm(at):
    for dims in RANKS:
        yield at.case({}, X(dims))
        yield at.case(dict(axis=1), X(dims))
    yield at.case(dict(p=1), X(RANKS[0]))
    yield at.case(dict(axis=1, p=1), X(RANKS[0]))
    for axes in [[1], [2, 3], [0, 1, 2, 3], [-1, -2]]:
        yield at.case(dict(axes=axes), X(RANKS[0]))


@maker("Softmax", "LogSoftmax", "Hardmax")
def softmax(at):
    for dims in [(2, 6), (2, 6, 5, 4), (2, 6, 5), (2, 6, 1, 1), (2, 1, 1, 6)]:
        yield at.case({}, X(dims))
        for axis in range(-len(dims), len(dims)):
            yield at.case(dict(axis=axis), X(dims))


@maker("LeakyRelu", "Elu", "Celu", "ThresholdedRelu", "Swish")
def slope(at):
    for dims in RANKS + [(2, 6, 3, 2, 2)]:
        yield at.case({}, X(dims))
    for alpha in [0.3, 1.0, 2.5, 0.0, -0.5] if at.op in ("LeakyRelu", "Elu", "ThresholdedRelu") else [0.3, 2.5]:
        yield at.case(dict(alpha=alpha), X(RANKS[0]))


@maker("HardSigmoid", "Selu")
def two_numbers(at):
    names = ("alpha", "beta") if at.op == "HardSigmoid" else ("alpha", "gamma")
    for dims in RANKS:
        yield at.case({}, X(dims))
    for pair in [(1 / 6, 0.5), (0.3, 0.5), (1 / 6, 0.4), (0.2, 0.6), (1.0, 0.0), (2.0, 1.0)]:
        yield at.case(dict(zip(names, pair)), X(RANKS[0]))
    yield at.case({names[0]: 0.4}, X(RANKS[0]))
    yield at.case({names[1]: 0.7}, X(RANKS[0]))


@maker("Gelu")
def gelu(at):
    for dims in RANKS:
        yield at.case({}, X(dims))
    yield at.case(dict(approximate="tanh"), X(RANKS[0]))
    yield at.case(dict(approximate="none"), X(RANKS[0]))


@maker("Relu", "Sigmoid", "Tanh", "HardSwish", "Mish", "Softplus", "Softsign", "Identity", "Erf", "Exp", "Abs", "Neg", "Floor", "Ceil",
       "Round", "Sign", "Sin", "Cos", "Reciprocal", "Sqrt", "Log")
def plain(at):
    low = 0.3 if at.op in ("Sqrt", "Log", "Reciprocal") else 0.0
    for dims in RANKS + [(2, 6, 3, 2, 2)]:
        yield at.case({}, X(dims, low=low))
    yield at.case({}, X(RANKS[0], fixed=True, low=low))


@maker("PRelu")
def prelu(at):
    for dims in [(2, 6, 5, 4), (2, 4, 5, 4), (2, 4, 4, 4)]:
        c, h, w = dims[1:]
        for slope in [(), (1,), (1, 1, 1), (c, 1, 1), (1, c, 1, 1), (w,), (h, 1), (h, w), (c, h, w), (c, 1, w), (1, h, w)]:
            yield at.case({}, X(dims), numbers(*slope))
    for dims in [(2, 6, 5), (2, 5, 5)]:
        for slope in [(1,), (dims[1], 1), (1, dims[1], 1), (dims[2],), dims[1:]]:
            yield at.case({}, X(dims), numbers(*slope))
    for slope in [(1,), (6,), (1, 6)]:
        yield at.case({}, X((2, 6)), numbers(*slope))
    yield at.case({}, X((2, 6, 5, 4)), X((6, 1, 1), "slope", fixed=True))


@maker("Clip")
def clip(at):
    number = lambda value: None if value is None else numbers() * 0 + value
    bounds = [(0.0, 6.0), (0.0, None), (None, 6.0), (0.0, 1.0), (-1.0, 1.0), (None, 0.0), (-0.5, None), (0.1, 6.0), (0.0, 0.0), (1.0, -1.0), (0.2, 0.9)]
    if at.has("min"):
        yield at.case({}, X(RANKS[0]))
        for low, high in bounds:
            pair = {name: value for name, value in [("min", low), ("max", high)] if value is not None}
            yield at.case(pair, X(RANKS[0]))
        return
    yield at.case({}, X(RANKS[0]))
    yield at.case({}, X(RANKS[0]), None)
    for low, high in bounds:
        yield at.case({}, X(RANKS[0]), number(low), number(high))
        yield at.case({}, X(RANKS[2]), number(low), *([] if high is None else [number(high)]))
    yield at.case({}, X(RANKS[0]), X((), "low", fixed=True), number(2.0))
    yield at.case({}, X(RANKS[0]), numbers(1) * 0, numbers(1) * 0 + 1)


@maker("Dropout")
def dropout(at):
    x, truth = X(RANKS[0]), ints(1)[0] == 1
    yield at.case({}, x)
    for dims in RANKS[1:]:
        yield at.case({}, X(dims))
    for ratio in [0.0, 0.3, 0.9]:
        yield at.case(dict(ratio=ratio), x)
        yield at.case({}, x, numbers() * 0 + ratio)
        yield at.case({}, x, numbers() * 0 + ratio, ~truth)
        yield at.case({}, x, numbers() * 0 + ratio, truth)
    yield at.case({}, x, None, truth)
    yield at.case({}, x, None, None)
    yield at.case({}, x, outputs=2, given=1)
    yield at.case({}, x, outputs=2, given=2)
    yield at.case(dict(seed=7), x)
    yield at.case(dict(seed=7), x, None, truth)
    yield at.case({}, x, X((), "ratio", fixed=True))
