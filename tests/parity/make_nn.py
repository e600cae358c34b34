"""Records what PyTorch makes of every layer, values and gradients.

    python tests/parity/make_nn.py

writes tests/parity/nn/layers.safetensors, whose metadata hold the torch version and the cases. A case is a
layer with its arguments; its tensors start with its number: `in0`, `in1`, … (arguments, in order),
`weights` (what the output is multiplied by before it is summed), `out`, and `grad0`, `grad1`, ….
"""

import json
import pathlib

import torch
import torch.nn.functional as F

from make_training import save

HERE = pathlib.Path(__file__).parent / "nn"


def randn(*sizes):
    return torch.randn(*sizes, dtype=torch.float64)


def conv(x, width, kernel, stride, pad, dilation, groups, bias):
    f = F.conv1d if x.dim() == 3 else F.conv2d
    inputs = [x, randn(width, x.shape[1] // groups, *kernel)] + ([randn(width)] if bias else [])
    case = dict(op="conv", width=width, kernel=kernel, stride=stride, pad=pad, dilation=dilation, groups=groups)
    return case, lambda x, w, b=None: f(x, w, b, stride, pad, dilation, groups), inputs


def conv_transpose(x, width, kernel, stride, pad, out_pad, dilation, groups, bias):
    f = F.conv_transpose1d if x.dim() == 3 else F.conv_transpose2d
    inputs = [x, randn(x.shape[1], width // groups, *kernel)] + ([randn(width)] if bias else [])
    case = dict(op="conv_transpose", width=width, kernel=kernel, stride=stride, pad=pad, out_pad=out_pad,
                dilation=dilation, groups=groups)
    return case, lambda x, w, b=None: f(x, w, b, stride, pad, out_pad, groups, dilation), inputs


def convolutions():
    for width, kernel, stride, pad, dilation, groups, bias in [
        (6, [3, 3], [1, 1], [1, 1], [1, 1], 1, True),
        (6, [3, 2], [2, 1], [0, 1], [1, 2], 2, True),
        (8, [1, 1], [1, 1], [0, 0], [1, 1], 1, False),
        (3, [1, 1], [2, 2], [0, 0], [1, 1], 1, False),
        (4, [3, 3], [1, 1], [2, 2], [2, 2], 4, True),
        (8, [3, 3], [2, 2], [1, 1], [1, 1], 4, False),
        (2, [2, 2], [1, 1], [3, 3], [1, 1], 1, True),
    ]:
        yield conv(randn(2, 4, 7, 9), width, kernel, stride, pad, dilation, groups, bias)
    yield conv(randn(2, 4, 11), 6, [3], [2], [1], [1], 2, True)
    yield conv(randn(3, 2, 9), 2, [4], [1], [2], [2], 1, False)
    for width, kernel, stride, pad, out_pad, dilation, groups, bias in [
        (3, [2, 2], [2, 2], [0, 0], [0, 0], [1, 1], 1, True),
        (6, [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], 2, True),
        (4, [3, 2], [1, 3], [1, 0], [0, 2], [2, 1], 4, False),
        (2, [4, 4], [1, 1], [1, 1], [0, 0], [1, 1], 1, False),
    ]:
        yield conv_transpose(randn(2, 4, 5, 6), width, kernel, stride, pad, out_pad, dilation, groups, bias)
    yield conv_transpose(randn(2, 4, 5), 6, [3], [2], [1], [1], [1], 2, True)
    yield dict(op="linear"), F.linear, [randn(5, 7), randn(4, 7), randn(4)]
    yield dict(op="linear"), F.linear, [randn(1, 3), randn(2, 3)]


def norms():
    for x in [randn(3, 4, 5, 6) * 2 + 1, randn(3, 4, 7), randn(6, 4)]:
        mean, var = randn(4), torch.rand(4, dtype=torch.float64) + 0.5
        for train in [True, False]:
            yield (dict(op="batch_norm", train=train, eps=1e-5, mean=mean.tolist(), var=var.tolist()),
                   lambda x, w=None, b=None, t=train, m=mean, v=var: F.batch_norm(x, m.clone(), v.clone(), w, b, t),
                   [x, randn(4), randn(4)] if x.dim() != 3 else [x])
        # Two values normalised are ±1 whatever they were: their gradient would be rounding only.
        for groups in [1, 2] if x.dim() > 2 else [1]:
            yield (dict(op="group_norm", groups=groups, eps=1e-5),
                   lambda x, w, b, g=groups: F.group_norm(x, g, w, b), [x, randn(4), randn(4)])
        yield (dict(op="layer_norm", eps=1e-5),
               lambda x, w, b: F.layer_norm(x.movedim(1, -1), [4], w, b).movedim(-1, 1), [x, randn(4), randn(4)])
        if x.dim() > 2:
            yield dict(op="instance_norm", eps=1e-5), lambda x: F.instance_norm(x), [x]
            yield dict(op="instance_norm", eps=1e-5), lambda x, w, b: F.instance_norm(x, None, None, w, b), [
                x, randn(4), randn(4)]


def activations():
    x = torch.cat([randn(40) * 3, torch.tensor([0.0, 3.0, -3.0, 6.0, 100.0, -100.0], dtype=torch.float64)]).reshape(2, 23)
    for case, f in [
        (dict(f="relu"), F.relu), (dict(f="relu6"), F.relu6), (dict(f="leaky_relu", a=0.1), lambda x: F.leaky_relu(x, 0.1)),
        (dict(f="elu", a=1.5), lambda x: F.elu(x, 1.5)), (dict(f="gelu"), F.gelu), (dict(f="silu"), F.silu),
        (dict(f="sigmoid"), torch.sigmoid), (dict(f="tanh"), torch.tanh), (dict(f="hard_swish"), F.hardswish),
        # The same as F.hardsigmoid, whose gradient is 1/6 rounded to single precision.
        (dict(f="hard_sigmoid"), lambda x: F.relu6(x + 3) / 6),
    ]:
        yield dict(op="activation", **case), f, [x]
    yield dict(op="prelu"), F.prelu, [randn(2, 3, 4, 5), randn(3)]
    yield dict(op="prelu"), F.prelu, [randn(2, 3), randn(1)]
    for x in [randn(3, 5), randn(2, 4, 3, 2) * 5]:
        yield dict(op="softmax"), lambda x: F.softmax(x, 1), [x]
        yield dict(op="log_softmax"), lambda x: F.log_softmax(x, 1), [x]


def pools():
    ties = randn(2, 3, 9, 8).round()
    for kernel, stride, pad, dilation, ceil in [
        ([2, 2], [2, 2], [0, 0], [1, 1], False), ([3, 3], [2, 2], [1, 1], [1, 1], False),
        ([3, 3], [2, 2], [1, 1], [1, 1], True), ([3, 2], [1, 3], [1, 0], [2, 1], False),
        ([2, 3], [3, 2], [1, 1], [1, 2], True),
    ]:
        yield (dict(op="max_pool", kernel=kernel, stride=stride, pad=pad, dilation=dilation, ceil=ceil),
               lambda x, k=kernel, s=stride, p=pad, d=dilation, c=ceil: F.max_pool2d(x, k, s, p, d, c), [ties])
    yield (dict(op="max_pool", kernel=[3], stride=[2], pad=[1], dilation=[1], ceil=True),
           lambda x: F.max_pool1d(x, 3, 2, 1, 1, True), [randn(2, 3, 10)])
    for kernel, stride, pad, ceil, count in [
        ([2, 2], [2, 2], [0, 0], False, True), ([3, 3], [2, 2], [1, 1], False, True),
        ([3, 3], [2, 2], [1, 1], True, True), ([3, 3], [2, 2], [1, 1], True, False),
        ([2, 3], [3, 2], [1, 1], True, True), ([3, 2], [1, 1], [0, 1], False, False),
    ]:
        yield (dict(op="avg_pool", kernel=kernel, stride=stride, pad=pad, ceil=ceil, count_pad=count),
               lambda x, k=kernel, s=stride, p=pad, c=ceil, n=count: F.avg_pool2d(x, k, s, p, c, n), [randn(2, 3, 9, 8)])
    yield (dict(op="avg_pool", kernel=[3], stride=[2], pad=[1], ceil=True, count_pad=False),
           lambda x: F.avg_pool1d(x, 3, 2, 1, True, False), [randn(2, 3, 10)])
    yield dict(op="global_pool", max=False), lambda x: x.mean([2, 3], keepdim=True), [randn(2, 3, 4, 5)]
    yield dict(op="global_pool", max=True), lambda x: F.adaptive_max_pool2d(x, 1), [ties]
    yield dict(op="global_pool", max=True), lambda x: F.adaptive_max_pool1d(x, 1), [randn(2, 3, 5)]
    for size in [[3, 2], [1, 1], [7, 5], [9, 11]]:
        yield dict(op="adaptive_avg_pool", size=size), lambda x, s=size: F.adaptive_avg_pool2d(x, s), [randn(2, 3, 7, 5)]
    yield dict(op="adaptive_avg_pool", size=[4]), lambda x: F.adaptive_avg_pool1d(x, 4), [randn(2, 3, 9)]


def resizes():
    for size in [[8, 10], [6, 3], [4, 5], [3, 7]]:
        for mode in ["nearest", "bilinear"]:
            yield dict(op="upsample", size=size, mode=mode), lambda x, s=size, m=mode: F.interpolate(x, s, mode=m), [
                randn(2, 3, 4, 5)]
    yield dict(op="upsample", size=[9], mode="nearest"), lambda x: F.interpolate(x, 9), [randn(2, 3, 4)]
    yield dict(op="upsample", size=[9], mode="bilinear"), lambda x: F.interpolate(x, 9, mode="linear"), [randn(2, 3, 4)]
    for mode in ["zero", "reflect", "replicate"]:
        name = "constant" if mode == "zero" else mode
        yield (dict(op="pad", mode=mode, amount=[[1, 2], [3, 0]]),
               lambda x, m=name: F.pad(x, [3, 0, 1, 2], m), [randn(2, 3, 4, 5)])
        yield dict(op="pad", mode=mode, amount=[[2, 3]]), lambda x, m=name: F.pad(x, [2, 3], m), [randn(2, 3, 4)]
    yield dict(op="crop", offset=[1, 0], size=[2, 4]), lambda x: x[:, :, 1:3, :4], [randn(2, 3, 4, 5)]
    yield (dict(op="zero_pad", width=8, stride=[2, 2]), lambda x: F.pad(x[:, :, ::2, ::2], [0, 0, 0, 0, 2, 3]),
           [randn(2, 3, 4, 5)])


def merges():
    yield dict(op="add", scale=0.3), lambda s, r: s + 0.3 * r, [randn(2, 3, 4), randn(2, 3, 4)]
    yield dict(op="concat"), lambda *x: torch.cat(x, 1), [randn(2, c, 3, 4) for c in (1, 3, 2, 2, 1)]
    yield dict(op="mul"), torch.mul, [randn(2, 3, 4, 5), randn(2, 3, 1, 1)]
    yield dict(op="mul"), torch.mul, [randn(2, 1, 4, 1), randn(2, 3, 1, 5)]
    yield dict(op="scale"), lambda x, w: x * w.reshape(1, 3, 1, 1), [randn(2, 3, 4, 5), randn(3)]
    yield dict(op="scale"), lambda x, w: x * w, [randn(2, 3), randn(1)]
    gate = lambda s, r, t: torch.sigmoid(t) * r + (1 - torch.sigmoid(t)) * s
    yield dict(op="gate"), gate, [randn(2, 3, 4), randn(2, 3, 4), randn(2, 3, 4)]
    yield dict(op="gate"), gate, [randn(2, 3, 4, 5), randn(2, 3, 4, 5), randn(2, 1, 4, 1)]


def main():
    torch.manual_seed(0)
    tensors, cases = {}, []
    for family in [convolutions, norms, activations, pools, resizes, merges]:
        for case, f, inputs in family():
            inputs = [x.clone().requires_grad_() for x in inputs]
            out = f(*inputs)
            weights = torch.randn_like(out)
            (out * weights).sum().backward()
            named = {f"in{i}": x for i, x in enumerate(inputs)} | {"weights": weights, "out": out}
            named |= {f"grad{i}": x.grad for i, x in enumerate(inputs)}
            tensors |= {f"{len(cases)}.{name}": value for name, value in named.items()}
            cases.append(case | {"inputs": len(inputs)})
    HERE.mkdir(exist_ok=True)
    save(HERE / "layers.safetensors", tensors, cases)


if __name__ == "__main__":
    main()
