"""Writes the ONNX files of `tests/exchange/onnx`, which the tests import: small networks of the usual families, by both of
PyTorch's exporters and several opsets, with inputs and PyTorch's outputs beside them.

    python tests/exchange/make_fixtures.py [NAME ...]

Each network has a `.safetensors` file with `in.0`, … and `out.0`, …, in the order of the inputs and outputs, which all of its
exports share; `versions.txt` says what wrote them. What nobody reads is dropped from the files to keep them small: stack traces, documentation and the sizes of inner
values. Needs torch, onnx, onnxscript, numpy and safetensors.
"""

import logging
import pathlib
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxscript
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = pathlib.Path(__file__).parent / "onnx"


def conv_norm(before, width, kernel=3, stride=1, groups=1, act=nn.ReLU):
    pad = (kernel - 1) // 2
    parts = [nn.Conv2d(before, width, kernel, stride, pad, groups=groups, bias=False), nn.BatchNorm2d(width)]
    return nn.Sequential(*parts, *([act()] if act else []))


class BasicBlock(nn.Module):
    def __init__(self, before, width, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        same = stride == 1 and before == width
        self.downsample = None if same else conv_norm(before, width, 1, stride, act=None)

    def forward(self, x):
        short = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + short)


class Residual(nn.Module):
    """Two stages of residual blocks."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 4)
        self.layer1 = nn.Sequential(*[BasicBlock(4, 4) for _ in range(3)])
        self.layer2 = nn.Sequential(BasicBlock(4, 6, 2), BasicBlock(6, 6), BasicBlock(6, 6))
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class DenseLayer(nn.Module):
    def __init__(self, before, growth):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, 2 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        return self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))


class DenseBlock(nn.ModuleDict):
    def __init__(self, depth, before, growth):
        super().__init__({f"denselayer{i + 1}": DenseLayer(before + i * growth, growth) for i in range(depth)})

    def forward(self, x):
        found = [x]
        for layer in self.values():
            found.append(layer(torch.cat(found, 1)))
        return torch.cat(found, 1)


class Dense(nn.Module):
    """Two dense blocks with a transition, each layer joining all that came before, as torchvision writes it."""

    def __init__(self):
        super().__init__()
        self.conv0 = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.block1 = DenseBlock(3, 4, 2)
        self.transition = nn.Sequential(nn.BatchNorm2d(10), nn.ReLU(), nn.Conv2d(10, 6, 1, bias=False), nn.AvgPool2d(2))
        self.block2 = DenseBlock(2, 6, 2)
        self.norm = nn.BatchNorm2d(10)
        self.classifier = nn.Linear(10, 5)

    def forward(self, x):
        x = F.relu(self.norm(self.block2(self.transition(self.block1(self.conv0(x))))))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


class Fire(nn.Module):
    def __init__(self, before, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class Squeeze(nn.Sequential):
    """Fire modules and pools that round up, as in SqueezeNet."""

    def __init__(self):
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        features = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), pool, Fire(8, 2, 4), Fire(8, 2, 4), pool, Fire(8, 4, 6))
        classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(12, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        super().__init__()
        self.features, self.classifier = features, classifier

    def forward(self, x):
        return torch.flatten(self.classifier(self.features(x)), 1)


class Inverted(nn.Module):
    def __init__(self, before, width, stride, expand):
        super().__init__()
        hidden = before * expand
        grow = [conv_norm(before, hidden, 1, act=nn.ReLU6)] if expand > 1 else []
        parts = [conv_norm(hidden, hidden, 3, stride, hidden, nn.ReLU6), nn.Conv2d(hidden, width, 1, bias=False)]
        self.conv = nn.Sequential(*grow, *parts, nn.BatchNorm2d(width))
        self.skips = stride == 1 and before == width

    def forward(self, x):
        return x + self.conv(x) if self.skips else self.conv(x)


class Mobile(nn.Module):
    """Inverted residuals with depthwise convolutions, as in MobileNetV2."""

    def __init__(self):
        super().__init__()
        blocks = [Inverted(4, 4, 1, 1), Inverted(4, 5, 2, 2), Inverted(5, 5, 1, 2), Inverted(5, 5, 1, 2)]
        self.features = nn.Sequential(conv_norm(3, 4, 3, 2, act=nn.ReLU6), *blocks)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(5, 5))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class Double(nn.Sequential):
    def __init__(self, before, width):
        super().__init__(nn.Conv2d(before, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU())


class UNet(nn.Module):
    """Two levels down and up again, each joined with what left it."""

    def __init__(self):
        super().__init__()
        self.enc1, self.enc2, self.mid = Double(1, 2), Double(2, 4), Double(4, 6)
        self.up2, self.dec2 = nn.ConvTranspose2d(6, 4, 2, 2), Double(8, 4)
        self.up1, self.dec1 = nn.ConvTranspose2d(4, 2, 2, 2), Double(4, 2)
        self.head = nn.Conv2d(2, 2, 1)

    def forward(self, x):
        one = self.enc1(x)
        two = self.enc2(F.max_pool2d(one, 2))
        x = self.mid(F.max_pool2d(two, 2))
        x = self.dec2(torch.cat([two, self.up2(x)], 1))
        return self.head(self.dec1(torch.cat([one, self.up1(x)], 1)))


class Gate(nn.Module):
    def __init__(self, width, ratio=2):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, width // ratio, 1), nn.Conv2d(width // ratio, width, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class SENet(nn.Module):
    """Residual blocks whose channels are weighed by squeeze and excitation, and a few activations."""

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 4, 3, 2, act=nn.Hardswish)
        body = lambda: nn.Sequential(conv_norm(4, 4, act=nn.GELU), conv_norm(4, 4, act=None), Gate(4))
        self.blocks = nn.ModuleList(body() for _ in range(3))
        self.head = nn.Linear(4, 5)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = F.leaky_relu(x + block(x), 0.1)
        return self.head(x.mean((2, 3)))


class VGG(nn.Module):
    """Convolutions, pools and linear layers one after another."""

    def __init__(self):
        super().__init__()
        conv = lambda a, b: [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(inplace=True)]
        pool = nn.MaxPool2d(2, 2)
        self.features = nn.Sequential(*conv(3, 3), *conv(3, 3), pool, *conv(3, 4), *conv(4, 4), pool)
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        linear = [nn.Linear(16, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 5)]
        self.classifier = nn.Sequential(*linear)

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Two(nn.Module):
    """Two inputs, two outputs, and paths that cross."""

    def __init__(self):
        super().__init__()
        self.image, self.table = nn.Sequential(conv_norm(3, 6), conv_norm(6, 6, 3, 2)), nn.Linear(4, 6)
        self.shared = nn.Linear(12, 8)
        self.kind, self.age = nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, image, table):
        seen = self.image(image).mean((2, 3))
        told = F.relu(self.table(table))
        both = F.relu(self.shared(torch.cat([seen, told], 1)))
        return self.kind(both), self.age(both * torch.sigmoid(both))


class Crossing(nn.Module):
    """A feature pyramid: what each level gives is read by the next level up and by the one beside it."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = conv_norm(3, 4), conv_norm(4, 6, 3, 2), conv_norm(6, 8, 3, 2)
        self.l1, self.l2, self.l3 = nn.Conv2d(4, 4, 1), nn.Conv2d(6, 4, 1), nn.Conv2d(8, 4, 1)
        self.s1, self.s2, self.s3 = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))

    def forward(self, x):
        c1 = self.c1(x)
        c2 = self.c2(c1)
        p3 = self.l3(self.c3(c2))
        p2 = self.l2(c2) + F.interpolate(p3, scale_factor=2, mode="nearest")
        p1 = self.l1(c1) + F.interpolate(p2, scale_factor=2, mode="nearest")
        return self.s1(p1), self.s2(p2), self.s3(p3)


class Highway(nn.Module):
    """Gates between a path and what it leaves out, and a shortcut that pads channels with zeros, beside a second output."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.hidden, self.open = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.body = conv_norm(4, 8, 3, 2, act=None)
        self.near, self.far = nn.Linear(4, 2), nn.Linear(8, 2)

    def forward(self, x):
        x = F.relu(self.stem(x))
        gate = torch.sigmoid(self.open(x))
        x = gate * F.relu(self.hidden(x)) + (1 - gate) * x
        short = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
        y = F.relu(self.body(x) + short)
        return self.far(y.mean((2, 3))), self.near(x.mean((2, 3)))


IMAGE = (2, 3, 8, 8)
FREE = {"H": 2, "W": 3}
# Name, network, sizes of the inputs, exporter, opset, free spatial axes.
FIXTURES = [
    ("residual_folded", Residual, [IMAGE], "folded", 17, {}),
    ("residual_kept", Residual, [IMAGE], "kept", 18, {}),
    ("residual_dynamo", Residual, [IMAGE], "dynamo", 18, {}),
    ("dense_kept", Dense, [IMAGE], "kept", 19, {}),
    ("dense_dynamo", Dense, [IMAGE], "dynamo", 20, {}),
    ("squeeze_folded", Squeeze, [(2, 3, 17, 17)], "folded", 17, {}),
    ("squeeze_dynamo", Squeeze, [(2, 3, 17, 17)], "dynamo", 24, {}),
    ("mobile_folded", Mobile, [IMAGE], "folded", 18, {}),
    ("mobile_kept", Mobile, [IMAGE], "kept", 20, {}),
    ("unet_free", UNet, [(2, 1, 8, 12)], "folded", 17, FREE),
    ("unet_dynamo_free", UNet, [(2, 1, 8, 12)], "dynamo", 18, FREE),
    ("se_folded", SENet, [IMAGE], "folded", 19, {}),
    ("se_dynamo", SENet, [IMAGE], "dynamo", 21, {}),
    ("vgg_folded", VGG, [IMAGE], "folded", 17, {}),
    ("vgg_dynamo", VGG, [IMAGE], "dynamo", 25, {}),
    ("two", Two, [IMAGE, (2, 4)], "kept", 17, {}),
    ("crossing", Crossing, [IMAGE], "folded", 17, {}),
    ("crossing_free", Crossing, [IMAGE], "dynamo", 20, FREE),
    ("highway", Highway, [IMAGE], "folded", 17, {}),
    ("stripped", Residual, [IMAGE], "folded", 17, {}),
]


def made(kind):
    torch.manual_seed(7)
    model = kind().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.1, 0.1)
    return model


def export(model, inputs, path, form, opset, free):
    spatial = lambda x: {axis: name for name, axis in free.items()} if x.dim() == 4 else {}
    if form == "dynamo":
        dims = {name: torch.export.Dim(name, min=1, max=1 << 10) * 4 for name in free}
        shapes = tuple({0: torch.export.Dim("N"), **{a: dims[n] for a, n in spatial(x).items()}} for x in inputs)
        torch.onnx.export(model, inputs, str(path), dynamo=True, dynamic_shapes=shapes, opset_version=opset, verbose=False,
                          external_data=False)
        return
    names = ["image", "table"][: len(inputs)]
    axes = {name: {0: "N", **spatial(x)} for name, x in zip(names, inputs)}
    rest = {} if form == "folded" else dict(do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    torch.onnx.export(model, inputs, str(path), dynamo=False, opset_version=opset, input_names=names, dynamic_axes=axes, **rest)


def slimmed(model):
    """Without what only people read, but for the modules' names."""
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    model.doc_string = model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        kept = [(p.key, p.value) for p in node.metadata_props if p.key == "namespace"]
        del node.metadata_props[:]
        for key, value in kept:
            node.metadata_props.add(key=key, value=value)
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    return model


def stripped(model):
    """Under numbers for names, as tools leave files behind."""
    names = {}
    new = lambda name: names.setdefault(name, str(len(names))) if name else ""
    for tensor in model.graph.initializer:
        tensor.name = new(tensor.name)
    for node in model.graph.node:
        node.name = ""
        node.input[:], node.output[:] = map(new, node.input), map(new, node.output)
    for value in [*model.graph.input, *model.graph.output]:
        value.name = new(value.name)
    return model


def write(name, kind, sizes, form, opset, free):
    model = made(kind)
    generator = torch.Generator().manual_seed(11)
    inputs = tuple(torch.randn(*size, generator=generator) for size in sizes)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "net.onnx"
        export(model, inputs, path, form, opset, free)
        proto = slimmed(onnx.load(path))
    if name == "stripped":
        proto = stripped(proto)
    onnx.checker.check_model(proto)
    with torch.no_grad():
        outputs = model(*inputs)
    outputs = [outputs] if torch.is_tensor(outputs) else outputs
    (FOLDER / f"{name}.onnx").write_bytes(proto.SerializeToString())
    tensors = {f"in.{i}": x.numpy() for i, x in enumerate(inputs)}
    tensors |= {f"out.{i}": np.ascontiguousarray(y.numpy()) for i, y in enumerate(outputs)}
    save_file(tensors, FOLDER / f"{kind.__name__.lower()}.safetensors")
    opsets = [f"{o.domain or 'onnx'} {o.version}" for o in proto.opset_import]
    print(f"{name:18} {len(proto.SerializeToString()) // 1024:3} KiB  {', '.join(opsets)}", flush=True)


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    FOLDER.mkdir(exist_ok=True)
    names = sys.argv[1:]
    for fixture in FIXTURES:
        if not names or fixture[0] in names:
            write(*fixture)
    versions = f"torch {torch.__version__}, onnx {onnx.__version__}, onnxscript {onnxscript.__version__}"
    (FOLDER / "versions.txt").write_text(versions + "\n")


main()
