"""Records what PyTorch makes of every loss, optimizer and schedule in the language.

    python tests/parity/make_training.py

writes tests/parity/training/{losses,optimizers}.safetensors, whose metadata hold the torch version and the
cases: each is a line of a recipe, and the tensors that belong to it start with its number.
"""

import json
import pathlib
import struct

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent / "training"
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


def save(path, tensors, cases):
    """A safetensors file: an 8-byte length, a JSON header, the bytes."""
    header = {"__metadata__": {"torch": torch.__version__, "cases": json.dumps(cases)}}
    data = b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    print(path.name, len(data) // 1024, "KiB")


def dice(x, y, smooth):
    """1 - (2 sum(py) + s) / (sum p + sum y + s) over the batch, mean over classes."""
    if x.shape[1] == 1:
        p, t = torch.sigmoid(x), y.reshape(x.shape).to(x.dtype)
    else:
        p = torch.softmax(x, 1)
        t = F.one_hot(y, x.shape[1]).movedim(-1, 1).to(x.dtype)
    axes = [0, *range(2, x.dim())]
    return (1 - (2 * (p * t).sum(axes) + smooth) / (p.sum(axes) + t.sum(axes) + smooth)).mean()


def loss_cases():
    """(recipe text, loss of (output, target), output, target)."""
    rows = lambda *s: torch.randn(*s, dtype=torch.float64) * 3
    classes = lambda c, *s: torch.randint(c, s)
    weights, w = "class_weights=[0.5, 1.0, 2.5, 0.25, 1.5]", torch.tensor([0.5, 1.0, 2.5, 0.25, 1.5])
    ce = lambda **k: lambda x, y: F.cross_entropy(
        x, y, **{n: v.to(x.dtype) if n == "weight" else v for n, v in k.items()})
    for x, y in [(rows(7, 5), classes(5, 7)), (rows(2, 5, 3, 4), classes(5, 2, 3, 4))]:
        ignoring = y.clone()
        ignoring.view(-1)[::3] = 2
        yield "cross_entropy()", ce(), x, y
        yield "cross_entropy(label_smoothing=0.1)", ce(label_smoothing=0.1), x, y
        yield "cross_entropy(ignore_index=2)", ce(ignore_index=2), x, ignoring
        yield f"cross_entropy({weights})", ce(weight=w), x, y
        yield (f"cross_entropy(label_smoothing=0.2, ignore_index=2, {weights})",
               ce(label_smoothing=0.2, ignore_index=2, weight=w), x, ignoring)
        yield ("cross_entropy(label_smoothing=0.2, ignore_index=2)",
               ce(label_smoothing=0.2, ignore_index=2), x, ignoring)
        yield f"cross_entropy(label_smoothing=0.2, {weights})", ce(label_smoothing=0.2, weight=w), x, y
    unmarked = classes(5, 7)
    unmarked[[1, 4]] = -100
    yield "cross_entropy()", ce(), rows(7, 5), unmarked
    soft = torch.softmax(rows(6, 5), 1)
    yield "cross_entropy()", ce(), rows(6, 5), soft
    yield f"cross_entropy(label_smoothing=0.1, {weights})", ce(label_smoothing=0.1, weight=w), rows(6, 5), soft
    yield "cross_entropy()", ce(), rows(3, 4) * 100, classes(4, 3)
    bce_x = rows(3, 1, 4, 4)
    bce_x.view(-1)[:4] = torch.tensor([0.0, 50.0, -50.0, 0.0])
    bce = lambda x, y: F.binary_cross_entropy_with_logits(x, y.to(x.dtype).reshape(x.shape))
    yield "bce_with_logits()", bce, bce_x, classes(2, 3, 4, 4)
    yield "bce_with_logits()", bce, rows(5, 6), torch.rand(5, 6, dtype=torch.float64)
    for smooth in [1.0, 0.25]:
        yield f"dice(smooth={smooth})", lambda x, y, s=smooth: dice(x, y, s), rows(2, 4, 3, 3), classes(4, 2, 3, 3)
        yield f"dice(smooth={smooth})", lambda x, y, s=smooth: dice(x, y, s), rows(2, 1, 3, 3), classes(2, 2, 3, 3)
    target = rows(4, 3)
    near = rows(4, 3)
    near[0, 0] = target[0, 0]
    to = lambda f: lambda x, y: f(x, y.to(x.dtype).reshape(x.shape))
    yield "mse()", to(F.mse_loss), near, target
    yield "l1()", to(F.l1_loss), near, target
    yield "mse()", to(F.mse_loss), rows(6, 1), rows(6)
    x, y = rows(2, 5, 3, 4), classes(5, 2, 3, 4)
    yield ("cross_entropy() + 0.5 * dice(smooth=1.0)",
           lambda x, y: F.cross_entropy(x, y) + 0.5 * dice(x, y, 1.0), x, y)


def make_losses():
    torch.manual_seed(1)
    tensors, cases = {}, []
    for number, (text, loss, x, y) in enumerate(loss_cases()):
        x = x.float().double()
        if y.is_floating_point():
            y = y.float().double()
        x.requires_grad_()
        value = loss(x, y)
        value.backward()
        cases.append(text)
        tensors |= {f"{number}.output": x, f"{number}.target": y, f"{number}.value": value, f"{number}.grad": x.grad}
    save(HERE / "losses.safetensors", tensors, cases)


class Net(torch.nn.Module):
    """The network of `tests/parity/training/net.arch`. No bias stands before a norm: its gradient would be rounding
    noise, which Adam makes steps of full size from."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(6)
        self.fc = torch.nn.Linear(6, 3)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return self.fc(x.mean((2, 3)))


def optimizer_cases():
    """(optimizer, schedule, arguments of the recipe) as the language writes them."""
    o = torch.optim
    yield "sgd(lr=0.1)", "constant", o.SGD, dict(lr=0.1)
    yield "sgd(lr=0.1, momentum=0.9)", "constant", o.SGD, dict(lr=0.1, momentum=0.9)
    yield ("sgd(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01)", "constant",
           o.SGD, dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.01))
    yield ("sgd(lr=0.05, momentum=0.9, weight_decay=0.001, nesterov=true)", "step(at=[3, 7], factor=0.1)",
           o.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.001, nesterov=True))
    yield "adam(lr=0.01)", "constant", o.Adam, dict(lr=0.01)
    yield ("adam(lr=0.01, betas=[0.8, 0.95], eps=0.001, weight_decay=0.01)", "cosine(warmup=3)",
           o.Adam, dict(lr=0.01, betas=(0.8, 0.95), eps=0.001, weight_decay=0.01))
    yield "adam(lr=0.01, amsgrad=true)", "constant", o.Adam, dict(lr=0.01, amsgrad=True)
    yield "adamw(lr=0.01, weight_decay=0.1)", "cosine(floor=0.1)", o.AdamW, dict(lr=0.01, weight_decay=0.1)
    yield ("adamw(lr=0.01, weight_decay=0.1, amsgrad=true)", "constant(warmup=4)",
           o.AdamW, dict(lr=0.01, weight_decay=0.1, amsgrad=True))
    yield "rmsprop(lr=0.001)", "constant", o.RMSprop, dict(lr=0.001)
    yield ("rmsprop(lr=0.001, alpha=0.9, eps=0.001, weight_decay=0.01, momentum=0.9, centered=true)", "constant",
           o.RMSprop, dict(lr=0.001, alpha=0.9, eps=0.001, weight_decay=0.01, momentum=0.9, centered=True))
    yield ("rmsprop(lr=0.001, centered=true, eps=0.001)", "constant",
           o.RMSprop, dict(lr=0.001, centered=True, eps=0.001))


def schedule_of(optimizer, text, steps):
    """PyTorch's schedulers for what the language says."""
    s = torch.optim.lr_scheduler
    warm = lambda n: s.LinearLR(optimizer, start_factor=1 / n, total_iters=n - 1)
    if text == "constant":
        return s.ConstantLR(optimizer, factor=1.0)
    if text == "constant(warmup=4)":
        return warm(4)
    if text == "step(at=[3, 7], factor=0.1)":
        return s.MultiStepLR(optimizer, [3, 7], 0.1)
    if text == "cosine(floor=0.1)":
        return s.CosineAnnealingLR(optimizer, steps, eta_min=0.1 * optimizer.param_groups[0]["lr"])
    assert text == "cosine(warmup=3)"
    return s.SequentialLR(optimizer, [warm(3), s.CosineAnnealingLR(optimizer, steps - 3)], [3])


def make_optimizers(steps=10):
    torch.manual_seed(2)
    start = Net()
    x, y = torch.randn(steps, 8, 2, 6, 6), torch.randint(3, (steps, 8))
    tensors = {"x": x, "y": y, **{f"start.{n}": t for n, t in start.state_dict().items()}}
    tensors = {n: t.clone() for n, t in tensors.items()}
    cases = []
    for number, (text, schedule, kind, arguments) in enumerate(optimizer_cases()):
        cases.append({"optimizer": text, "schedule": schedule})
        for dtype in [torch.float32, torch.float64]:
            net = Net()
            net.load_state_dict({n[6:]: t for n, t in tensors.items() if n.startswith("start.")})
            net.to(dtype)
            optimizer = kind(net.parameters(), **arguments)
            scheduler = schedule_of(optimizer, schedule, steps)
            for step in range(steps):
                optimizer.zero_grad()
                F.cross_entropy(net(x[step].to(dtype)), y[step]).backward()
                optimizer.step()
                scheduler.step()
            prefix = f"{number}.{TYPES[dtype].lower()}."
            tensors |= {prefix + n: t.clone() for n, t in net.state_dict().items()}
    save(HERE / "optimizers.safetensors", tensors, cases)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.use_deterministic_algorithms(True)
    make_losses()
    make_optimizers()
