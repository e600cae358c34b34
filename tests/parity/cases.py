"""What is compared with PyTorch: every layer, every argument, every way in which edges meet.

A case is the steps of a model and the same network in PyTorch. `layer` has one labelled layer, `function` one without parameters,
`network` any steps, with modules under the labels' paths. Sizes are odd on purpose: strides that do not divide, windows that
hang over the edge, more channels out than in.
"""

import torch
from torch import nn
from torch.nn import functional as F

MAP, LINE, VECTOR = [2, 3, 7, 9], [2, 3, 11], [3, 6]
CASES = {}


def network(name, steps, inputs, modules, run, values=None, train=True):
    """Steps on one line are parted by newlines; `inputs` maps names to sizes; `values` changes the random inputs; `train=False`
    leaves out the comparison in training, where the network draws random numbers."""
    assert name not in CASES, name
    CASES[name] = dict(steps=steps, inputs=inputs, modules=modules, run=run, values=values, train=train)


def layer(name, text, dims, module, **more):
    network(name, f"l: {text}", {"x": dims}, {"l": module}, lambda m, x: m["l"](x), **more)


def function(name, text, dims, f, **more):
    network(name, text, {"x": dims}, {}, lambda m, x: f(x), **more)


def ties(x):
    """Few different values, so that many windows have several maxima."""
    return (x * 1.5).round()


def edges(x):
    """The points at which a piecewise function has its corners."""
    corners = torch.tensor([0.0, -0.0, 3.0, -3.0, 6.0, 1.0, -1.0, 20.0, -20.0, 7.5], dtype=x.dtype)
    x = x * 3
    x.view(-1)[: len(corners)] = corners
    return x


class Channels(nn.Module):
    """A norm over the channels at each position."""

    def __init__(self, channels, eps=1e-5, affine=True):
        super().__init__()
        self.channels, self.eps = channels, eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x):
        return F.layer_norm(x.movedim(1, -1), [self.channels], self.weight, self.bias, self.eps).movedim(-1, 1)


class Factor(nn.Module):
    """A learned factor for each channel, or one for all."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        return x * self.weight.view(1, -1, *[1] * (x.dim() - 2))


def convolutions():
    conv = nn.Conv2d
    layer("conv", "conv(4, 3)", MAP, conv(3, 4, 3, padding=1))
    layer("conv_1x1", "conv(5, 1)", MAP, conv(3, 5, 1))
    layer("conv_1x1_stride", "conv(5, 1, stride=2)", MAP, conv(3, 5, 1, stride=2))
    layer("conv_unpadded", "conv(4, 3, pad=0)", MAP, conv(3, 4, 3))
    layer("conv_wide_pad", "conv(2, 3, pad=[2, 3])", MAP, conv(3, 2, 3, padding=(2, 3)))
    layer("conv_kernel", "conv(4, [3, 5])", MAP, conv(3, 4, (3, 5), padding=(1, 2)))
    layer("conv_even", "conv(4, 2, stride=3, pad=0)", MAP, conv(3, 4, 2, stride=3))
    layer("conv_stride", "conv(4, 3, stride=2)", MAP, conv(3, 4, 3, stride=2, padding=1))
    layer("conv_strides", "conv(4, 3, stride=[2, 3])", MAP, conv(3, 4, 3, stride=(2, 3), padding=1))
    layer("conv_stem", "conv(4, 7, stride=2)", [2, 3, 11, 10], conv(3, 4, 7, stride=2, padding=3))
    layer("conv_dilation", "conv(4, 3, dilation=2)", MAP, conv(3, 4, 3, padding=2, dilation=2))
    layer("conv_dilations", "conv(2, 3, stride=2, dilation=[1, 2])", MAP, conv(3, 2, 3, stride=2, padding=(1, 2), dilation=(1, 2)))
    layer("conv_groups", "conv(6, 3, groups=2)", [2, 4, 5, 6], conv(4, 6, 3, padding=1, groups=2))
    layer("conv_groups_stride", "conv(6, 3, stride=2, groups=3, bias=false)", [2, 6, 6, 7], conv(6, 6, 3, stride=2, padding=1, groups=3, bias=False))
    layer("conv_depthwise", "conv(4, 3, groups=4)", [2, 4, 6, 7], conv(4, 4, 3, padding=1, groups=4))
    layer("conv_depthwise_stride", "conv(4, 3, stride=2, groups=4)", [2, 4, 6, 7], conv(4, 4, 3, stride=2, padding=1, groups=4))
    layer("conv_depthwise_twice", "conv(8, 5, groups=4, bias=false)", [1, 4, 5, 6], conv(4, 8, 5, padding=2, groups=4, bias=False))
    layer("conv_no_bias", "conv(4, 3, bias=false)", MAP, conv(3, 4, 3, padding=1, bias=False))
    layer("conv_whole", "conv(4, [7, 9], pad=0)", MAP, conv(3, 4, (7, 9)))
    layer("conv_blocks", "conv(20, 3)", [1, 17, 12, 13], conv(17, 20, 3, padding=1))
    layer("conv_pixel", "conv(4, 3)", [2, 3, 1, 1], conv(3, 4, 3, padding=1))
    line = nn.Conv1d
    layer("conv1d", "conv(4, 3)", LINE, line(3, 4, 3, padding=1))
    layer("conv1d_stride", "conv(4, 5, stride=2, dilation=2)", LINE, line(3, 4, 5, stride=2, padding=4, dilation=2))
    layer("conv1d_groups", "conv(6, 4, stride=3, pad=1, groups=3, bias=false)", LINE, line(3, 6, 4, stride=3, padding=1, groups=3, bias=False))


def transposed():
    up = nn.ConvTranspose2d
    layer("up", "conv_transpose(4, 2, stride=2)", MAP, up(3, 4, 2, stride=2))
    layer("up_plain", "conv_transpose(4, 3)", MAP, up(3, 4, 3))
    layer("up_pad", "conv_transpose(4, 3, stride=2, pad=1)", MAP, up(3, 4, 3, stride=2, padding=1))
    layer("up_out_pad", "conv_transpose(4, 3, stride=2, pad=1, out_pad=1)", MAP, up(3, 4, 3, stride=2, padding=1, output_padding=1))
    layer("up_strides", "conv_transpose(2, [3, 4], stride=[3, 2], pad=[0, 1], out_pad=[2, 1])", [2, 3, 4, 5], up(3, 2, (3, 4), stride=(3, 2), padding=(0, 1), output_padding=(2, 1)))
    layer("up_dilation", "conv_transpose(2, 3, stride=2, pad=1, dilation=2)", [2, 3, 4, 5], up(3, 2, 3, stride=2, padding=1, dilation=2))
    layer("up_groups", "conv_transpose(6, 3, stride=2, groups=2)", [2, 4, 4, 5], up(4, 6, 3, stride=2, groups=2))
    layer("up_no_bias", "conv_transpose(4, 4, stride=2, pad=1, bias=false)", [2, 3, 4, 5], up(3, 4, 4, stride=2, padding=1, bias=False))
    line = nn.ConvTranspose1d
    layer("up1d", "conv_transpose(4, 2, stride=2)", LINE, line(3, 4, 2, stride=2))
    layer("up1d_all", "conv_transpose(6, 3, stride=3, pad=1, out_pad=1, dilation=2, groups=3, bias=false)", LINE, line(3, 6, 3, stride=3, padding=1, output_padding=1, dilation=2, groups=3, bias=False))


def vectors():
    layer("linear", "linear(4)", VECTOR, nn.Linear(6, 4))
    layer("linear_no_bias", "linear(5, bias=false)", [1, 6], nn.Linear(6, 5, bias=False))
    layer("linear_one", "linear(1)", VECTOR, nn.Linear(6, 1))
    layer("scale", "scale", MAP, Factor(3))
    layer("scale_channel", "scale(per=\"channel\")", VECTOR, Factor(6))
    layer("scale_tensor", "scale(per=\"tensor\")", LINE, Factor(1))


def norms():
    layer("batch_norm", "batch_norm", MAP, nn.BatchNorm2d(3))
    layer("batch_norm_set", "batch_norm(eps=0.01, momentum=0.3)", MAP, nn.BatchNorm2d(3, eps=0.01, momentum=0.3))
    layer("batch_norm_plain", "batch_norm(affine=false)", MAP, nn.BatchNorm2d(3, affine=False))
    layer("batch_norm_line", "batch_norm", LINE, nn.BatchNorm1d(3))
    layer("batch_norm_vector", "batch_norm", VECTOR, nn.BatchNorm1d(6))
    layer("batch_norm_pixel", "batch_norm", [5, 3, 1, 1], nn.BatchNorm2d(3))
    layer("group_norm", "group_norm(2)", [2, 4, 5, 3], nn.GroupNorm(2, 4))
    layer("group_norm_set", "group_norm(3, eps=0.01, affine=false)", [2, 6, 7], nn.GroupNorm(3, 6, eps=0.01, affine=False))
    layer("group_norm_vector", "group_norm(2)", VECTOR, nn.GroupNorm(2, 6))
    layer("layer_norm", "layer_norm", MAP, Channels(3))
    layer("layer_norm_line", "layer_norm(eps=0.01)", LINE, Channels(3, eps=0.01))
    layer("layer_norm_vector", "layer_norm", VECTOR, Channels(6))
    layer("layer_norm_plain", "layer_norm(affine=false)", MAP, Channels(3, affine=False))
    layer("instance_norm", "instance_norm", MAP, nn.InstanceNorm2d(3))
    layer("instance_norm_affine", "instance_norm(eps=0.01, affine=true)", LINE, nn.InstanceNorm1d(3, eps=0.01, affine=True))


def activations():
    plain = {
        "relu": F.relu, "relu6": F.relu6, "gelu": F.gelu, "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
        "leaky_relu": F.leaky_relu, "elu": F.elu, "hard_swish": F.hardswish,
        # F.hardsigmoid divides its gradient by 6 in single precision, whatever it is given.
        "hard_sigmoid": lambda x: F.relu6(x + 3) / 6,
    }  # fmt: skip
    for name, f in plain.items():
        function(name, name, MAP, f, values=edges)
        function(f"{name}_vector", name, VECTOR, f, values=edges)
    function("leaky_relu_slope", "leaky_relu(slope=0.2)", LINE, lambda x: F.leaky_relu(x, 0.2), values=edges)
    function("leaky_relu_up", "leaky_relu(slope=-0.5)", LINE, lambda x: F.leaky_relu(x, -0.5), values=edges)
    function("elu_alpha", "elu(alpha=0.5)", LINE, lambda x: F.elu(x, 0.5), values=edges)
    layer("prelu", "prelu", MAP, nn.PReLU(), values=edges)
    layer("prelu_channels", "prelu(shared=false)", MAP, nn.PReLU(3), values=edges)
    layer("prelu_vector", "prelu(shared=false)", VECTOR, nn.PReLU(6), values=edges)
    for name, dims in [("softmax", MAP), ("softmax_line", LINE), ("softmax_vector", VECTOR)]:
        function(name, "softmax", dims, lambda x: F.softmax(x, 1), values=edges)


def pools():
    high, mean = F.max_pool2d, F.avg_pool2d
    function("maxpool", "maxpool(2)", MAP, lambda x: high(x, 2))
    function("maxpool_stem", "maxpool(3, stride=2, pad=1)", MAP, lambda x: high(x, 3, 2, 1))
    function("maxpool_overlap", "maxpool(3, stride=1, pad=1)", MAP, lambda x: high(x, 3, 1, 1))
    function("maxpool_gaps", "maxpool(2, stride=3)", MAP, lambda x: high(x, 2, 3))
    function("maxpool_ceil", "maxpool(3, stride=2, ceil=true)", [2, 3, 8, 10], lambda x: high(x, 3, 2, ceil_mode=True))
    function("maxpool_ceil_pad", "maxpool(2, stride=2, pad=1, ceil=true)", MAP, lambda x: high(x, 2, 2, 1, ceil_mode=True))
    function("maxpool_dilation", "maxpool(3, stride=1, pad=1, dilation=2)", MAP, lambda x: high(x, 3, 1, 1, 2))
    function("maxpool_sizes", "maxpool([2, 3], stride=[3, 2], pad=[1, 0], dilation=[1, 2])", MAP, lambda x: high(x, (2, 3), (3, 2), (1, 0), (1, 2)))
    function("maxpool_ties", "maxpool(3, stride=2, pad=1)", MAP, lambda x: high(x, 3, 2, 1), values=ties)
    function("maxpool_global", "maxpool(global)", MAP, lambda x: F.adaptive_max_pool2d(x, 1), values=ties)
    function("maxpool_line", "maxpool(3, stride=2, pad=1, ceil=true)", LINE, lambda x: F.max_pool1d(x, 3, 2, 1, ceil_mode=True), values=ties)
    function("maxpool_line_global", "maxpool(global)", LINE, lambda x: F.adaptive_max_pool1d(x, 1))
    function("avgpool", "avgpool(2)", MAP, lambda x: mean(x, 2))
    function("avgpool_pad", "avgpool(3, stride=2, pad=1)", MAP, lambda x: mean(x, 3, 2, 1))
    function("avgpool_inside", "avgpool(3, stride=2, pad=1, count_pad=false)", MAP, lambda x: mean(x, 3, 2, 1, count_include_pad=False))
    function("avgpool_overlap", "avgpool(3, stride=1)", MAP, lambda x: mean(x, 3, 1))
    function("avgpool_ceil", "avgpool(2, ceil=true)", MAP, lambda x: mean(x, 2, ceil_mode=True))
    function("avgpool_ceil_pad", "avgpool(3, stride=2, pad=1, ceil=true)", [2, 3, 8, 6], lambda x: mean(x, 3, 2, 1, ceil_mode=True))
    function("avgpool_ceil_inside", "avgpool([2, 3], stride=[3, 2], pad=[1, 1], ceil=true, count_pad=false)", [2, 3, 8, 6], lambda x: mean(x, (2, 3), (3, 2), (1, 1), True, False))
    function("avgpool_global", "avgpool(global)", MAP, lambda x: F.adaptive_avg_pool2d(x, 1))
    function("avgpool_line", "avgpool(3, stride=2, pad=1)", LINE, lambda x: F.avg_pool1d(x, 3, 2, 1))
    function("avgpool_line_global", "avgpool(global)", LINE, lambda x: F.adaptive_avg_pool1d(x, 1))
    function("adaptive", "adaptive_avgpool(3)", MAP, lambda x: F.adaptive_avg_pool2d(x, 3))
    function("adaptive_sizes", "adaptive_avgpool([2, 4])", MAP, lambda x: F.adaptive_avg_pool2d(x, (2, 4)))
    function("adaptive_larger", "adaptive_avgpool([10, 9])", MAP, lambda x: F.adaptive_avg_pool2d(x, (10, 9)))
    function("adaptive_line", "adaptive_avgpool(4)", LINE, lambda x: F.adaptive_avg_pool1d(x, 4))


def sizes():
    def resize(mode, linear="bilinear", **to):
        more = dict(align_corners=False) if mode == "bilinear" else {}
        return lambda x: F.interpolate(x, mode=linear if mode == "bilinear" else mode, **to, **more)

    small = [2, 3, 4, 5]
    for mode in ["nearest", "bilinear"]:
        said = f', mode="{mode}"'
        function(f"{mode}", f"upsample(2{said})", small, resize(mode, scale_factor=2))
        function(f"{mode}_factors", f"upsample([3, 2]{said})", small, resize(mode, scale_factor=(3, 2)))
        function(f"{mode}_size", f"upsample(size=[7, 8]{said})", small, resize(mode, size=(7, 8)))
        function(f"{mode}_smaller", f"upsample(size=[4, 4]{said})", MAP, resize(mode, size=(4, 4)))
        function(f"{mode}_line", f"upsample(3{said})", LINE, resize(mode, "linear", scale_factor=3))
        function(f"{mode}_line_size", f"upsample(size=7{said})", LINE, resize(mode, "linear", size=7))
    twice = lambda m, x: F.interpolate(F.max_pool2d(x, 2), x.shape[2:], mode="bilinear") + x
    network("upsample_like", "skip_end: identity\nlong skip add {\nmaxpool(2)\nupsample(like=skip_end, mode=\"bilinear\")\n}", {"x": MAP}, {}, twice)
    function("pad", "pad(1)", MAP, lambda x: F.pad(x, (1, 1, 1, 1)))
    function("pad_axes", "pad([1, 2])", MAP, lambda x: F.pad(x, (2, 2, 1, 1)))
    function("pad_sides", "pad([[0, 1], [2, 0]], mode=\"zero\")", MAP, lambda x: F.pad(x, (2, 0, 0, 1)))
    function("pad_reflect", "pad([[6, 1], [2, 3]], mode=\"reflect\")", MAP, lambda x: F.pad(x, (2, 3, 6, 1), mode="reflect"))
    function("pad_replicate", "pad([[0, 9], [2, 3]], mode=\"replicate\")", MAP, lambda x: F.pad(x, (2, 3, 0, 9), mode="replicate"))
    function("pad_line", "pad([[2, 1]], mode=\"reflect\")", LINE, lambda x: F.pad(x, (2, 1), mode="reflect"))
    function("crop", "crop([4, 4])", MAP, lambda x: x[:, :, 1:5, 2:6])
    function("crop_line", "crop(6)", LINE, lambda x: x[:, :, 2:8])


def structure():
    function("flatten", "flatten", MAP, lambda x: x.flatten(1))
    function("flatten_line", "relu -> flatten", LINE, lambda x: F.relu(x).flatten(1))
    function("reshape", "reshape([9, -1])", MAP, lambda x: x.reshape(2, 9, -1))
    function("reshape_vector", "reshape([2, 3, 1])", VECTOR, lambda x: x.reshape(3, 2, 3, 1))
    function("identity", "identity", MAP, lambda x: x * 1)
    function("dropout_none", "dropout(p=0.0)", MAP, lambda x: x * 1)
    function("dropout", "dropout(p=0.3)", MAP, lambda x: x * 1, train=False)
    function("dropout_default", "dropout", MAP, lambda x: x * 1, train=False)


def crop(x, like):
    at = [(x.shape[a] - like.shape[a]) // 2 for a in (2, 3)]
    return x[:, :, at[0] : at[0] + like.shape[2], at[1] : at[1] + like.shape[3]]


def pad(x, like):
    more = [like.shape[a] - x.shape[a] for a in (2, 3)]
    return F.pad(x, (more[1] // 2, more[1] - more[1] // 2, more[0] // 2, more[0] - more[0] // 2))


def option_a(x, width, stride):
    x = x[:, :, ::stride, ::stride]
    before = (width - x.shape[1]) // 2
    return F.pad(x, (0, 0, 0, 0, before, width - x.shape[1] - before))


def project(c_in, c_out, stride):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


def skips():
    same = lambda: nn.Conv2d(3, 3, 3, padding=1)
    half = lambda width=5: nn.Conv2d(3, width, 3, stride=2, padding=1)
    x = {"x": MAP}
    network("add", "skip add { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x + m["c"](x))
    network("add_scale", "skip add(scale=0.3) { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x + 0.3 * m["c"](x))
    network("add_drop_none", "skip add(drop_path=0.0) { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x + m["c"](x))
    network("add_drop", "skip add(scale=2, drop_path=0.3) { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x + 2 * m["c"](x), train=False)
    network("add_from", "a: relu\nc: conv(3, 3)\nskip add from a\nskip add from x", x, {"c": same()}, lambda m, x: m["c"](F.relu(x)) + F.relu(x) + x)
    network("add_project", "skip add via s: project { c: conv(5, 3, stride=2) }", x, {"c": half(), "s": project(3, 5, 2)}, lambda m, x: m["s"](x) + m["c"](x))
    network("add_project_none", "skip add via s: project { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x + m["c"](x))
    network("add_via", "skip add via s: conv(5, 1, stride=2) { c: conv(5, 3, stride=2) }", x, {"c": half(), "s": nn.Conv2d(3, 5, 1, 2)}, lambda m, x: m["s"](x) + m["c"](x))
    network("add_zero_pad", "skip add via zero_pad { c: conv(6, 3, stride=2) }", x, {"c": half(6)}, lambda m, x: option_a(x, 6, 2) + m["c"](x))
    network("add_crop", "skip add fit crop { c: conv(3, [3, 4], pad=0) }", x, {"c": nn.Conv2d(3, 3, (3, 4))}, lambda m, x: crop(x, m["c"](x)) + m["c"](x))
    network("add_pad", "skip add fit pad { c: conv(3, [3, 4], pad=0) }", x, {"c": nn.Conv2d(3, 3, (3, 4))}, lambda m, x: x + pad(m["c"](x), x))
    network("concat", "skip concat { c: conv(5, 3) }", x, {"c": nn.Conv2d(3, 5, 3, padding=1)}, lambda m, x: torch.cat([x, m["c"](x)], 1))
    network("concat_last", "skip concat(order=last) { c: conv(5, 3) }", x, {"c": nn.Conv2d(3, 5, 3, padding=1)}, lambda m, x: torch.cat([m["c"](x), x], 1))
    network("concat_crop", "c: conv(5, 3, pad=0)\nskip concat from x fit crop", x, {"c": nn.Conv2d(3, 5, 3)}, lambda m, x: torch.cat([crop(x, m["c"](x)), m["c"](x)], 1))
    network("concat_line", "skip concat { relu }", {"x": LINE}, {}, lambda m, x: torch.cat([x, F.relu(x)], 1))
    network("concat_vector", "skip concat { c: linear(4) }", {"x": VECTOR}, {"c": nn.Linear(6, 4)}, lambda m, x: torch.cat([x, m["c"](x)], 1))
    network("mul", "skip mul { c: conv(3, 3) }", x, {"c": same()}, lambda m, x: x * m["c"](x))
    squeeze = "skip mul {\navgpool(global) -> a: conv(2, 1) -> relu -> b: conv(3, 1) -> sigmoid\n}"
    excite = lambda m, x: x * torch.sigmoid(m["b"](F.relu(m["a"](x.mean((2, 3), keepdim=True)))))
    network("mul_channels", squeeze, x, {"a": nn.Conv2d(3, 2, 1), "b": nn.Conv2d(2, 3, 1)}, excite)
    network("mul_positions", "skip mul { a: conv(1, 3) -> sigmoid }", x, {"a": nn.Conv2d(3, 1, 3, padding=1)}, lambda m, x: x * torch.sigmoid(m["a"](x)))

    def gated(m, x, result):
        t = torch.sigmoid(m["t"](x))
        return t * result + (1 - t) * x

    network("gate", "skip gate by t: linear(6) { c: linear(6) -> relu }", {"x": VECTOR}, {"t": nn.Linear(6, 6), "c": nn.Linear(6, 6)}, lambda m, x: gated(m, x, F.relu(m["c"](x))))
    network("gate_map", "skip gate by t: conv(3, 1) { c: conv(3, 3) }", x, {"t": nn.Conv2d(3, 3, 1), "c": same()}, lambda m, x: gated(m, x, m["c"](x)))


def shapes_of_networks():
    x = {"x": MAP}
    a, b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, padding=1)
    paths = "{\na: conv(4, 1)\nb: conv(4, 3)\n}"
    network("parallel_add", f"parallel add {paths}", x, {"a": a, "b": b}, lambda m, x: m["a"](x) + m["b"](x))
    network("parallel_mul", f"parallel mul {paths}", x, {"a": a, "b": b}, lambda m, x: m["a"](x) * m["b"](x))
    network("parallel_concat", f"parallel concat {paths}", x, {"a": a, "b": b}, lambda m, x: torch.cat([m["a"](x), m["b"](x)], 1))
    network("parallel_three", "parallel add {\nrelu\nsigmoid\nidentity\n}", x, {}, lambda m, x: F.relu(x) + torch.sigmoid(x) + x)
    network("two_inputs", "skip add from y", {"y": MAP, "x": MAP}, {}, lambda m, y, x: y + x)
    two = lambda m, x: {"low": F.relu(m["a"](x)), "high": torch.tanh(F.relu(m["a"](x)))}
    network("two_outputs", "a: conv(2, 1) -> relu\noutput low\ntanh\noutput high", x, {"a": nn.Conv2d(3, 2, 1)}, two)
    unet = "a: conv(3, 3, bias=false) -> n: batch_norm -> relu\nlong skip concat {\nmaxpool(2)\nb: conv(4, 3) -> relu\nu: conv_transpose(3, 2, stride=2)\n}\nh: conv(2, 1)"

    def run_unet(m, x):
        top = F.relu(m["n"](m["a"](x)))
        return m["h"](torch.cat([top, m["u"](F.relu(m["b"](F.max_pool2d(top, 2))))], 1))

    parts = {
        "a": nn.Conv2d(3, 3, 3, padding=1, bias=False), "n": nn.BatchNorm2d(3), "b": nn.Conv2d(3, 4, 3, padding=1),
        "u": nn.ConvTranspose2d(4, 3, 2, 2), "h": nn.Conv2d(6, 2, 1),
    }  # fmt: skip
    network("unet", unet, {"x": [2, 3, 6, 8]}, parts, run_unet)
    near = "a: relu\nlong skip concat {\nmaxpool(2)\nupsample(2)\n}\nlong skip add from a via v: conv(6, 1)"
    run_near = lambda m, x: m["v"](F.relu(x)) + torch.cat([F.relu(x), F.interpolate(F.max_pool2d(F.relu(x), 2), scale_factor=2)], 1)
    network("read_thrice", near, {"x": [2, 3, 6, 8]}, {"v": nn.Conv2d(3, 6, 1)}, run_near)


for family in [convolutions, transposed, vectors, norms, activations, pools, sizes, structure, skips, shapes_of_networks]:
    family()
