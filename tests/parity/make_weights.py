"""Makes the small checkpoints in tests/parity/weights that the readers of weights are tested on.

Run with PyTorch: `python tests/parity/make_weights.py`. Every file holds the state dict of the same
small network (see `network` in src/lower/testing.rs) in another way; `values.json` says what must be read.
"""

import argparse
import collections
import datetime
import enum
import fractions
import json
import pathlib
import warnings

import numpy
import safetensors.torch
import torch

FOLDER = pathlib.Path(__file__).parent / "weights"


def state():
    """The state dict of `conv`, `bn`, `fc`: small numbers that every float type holds exactly."""
    numbers = lambda *dims: (torch.arange(torch.Size(dims).numel()).reshape(dims) - 4) / 8
    return collections.OrderedDict(
        [
            ("conv.weight", numbers(2, 1, 3, 3)),
            ("bn.weight", numbers(2) + 1),
            ("bn.bias", numbers(2)),
            ("bn.running_mean", numbers(2) / 2),
            ("bn.running_var", numbers(2) + 2),
            ("bn.num_batches_tracked", torch.tensor(7)),
            ("fc.weight", numbers(3, 8)),
            ("fc.bias", numbers(3)),
        ]
    )


def odd():
    """The same numbers, strided, shared, and in other types."""
    odd = state()
    wide = torch.zeros(8, 7)
    wide[:, 2:5] = odd["fc.weight"].T
    odd["fc.weight"] = wide.T[2:5]
    odd["conv.weight"] = odd["conv.weight"].half()
    shared = torch.cat([odd["bn.weight"], odd["bn.bias"]]).bfloat16()
    odd["bn.weight"], odd["bn.bias"] = shared[:2], shared[2:]
    odd["bn.running_mean"] = odd["bn.running_mean"].double()
    odd["fc.bias"] = torch.nn.Parameter(odd["fc.bias"])
    odd["extra.flags"] = torch.tensor([True, False])
    return odd


def prefixed(prefix, numbers=None):
    """The state dict with something before every name."""
    return collections.OrderedDict((prefix + k, v) for k, v in (numbers or state()).items())


def other():
    """A state dict of the same names and sizes with other numbers, so that it is seen which one was read."""
    return collections.OrderedDict((k, v + 1) for k, v in state().items())


class Net(torch.nn.Module):
    """The network itself."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(1, 2, 3, stride=2, padding=1, bias=False)
        self.bn = torch.nn.BatchNorm2d(2)
        self.fc = torch.nn.Linear(8, 3)
        self.load_state_dict(state())
        self.relu = torch.nn.ReLU()


class Phase(enum.Enum):
    """Something that a training script keeps."""

    LATE = 2


def extras():
    """What training scripts keep beside a state dict."""
    return {
        "best_acc1": torch.tensor(71.5),
        "best": numpy.float64(0.75),
        "history": numpy.arange(3.0),
        "args": argparse.Namespace(lr=0.1, layers=[1, 2]),
        "counts": collections.defaultdict(int, a=1),
        "when": datetime.datetime(2024, 1, 2),
        "phase": Phase.LATE,
        "path": pathlib.PurePosixPath("runs/1"),
        "size": torch.Size([1, 2]),
        "device": torch.device("cuda:0"),
        "dtype": torch.float16,
        "huge": 1 << 80,
        "seen": {1, 2},
        "raw": bytearray(b"abc"),
        "rng_state": torch.arange(8, dtype=torch.uint8),
        "sparse": torch.eye(2).to_sparse(),
        "complex": torch.zeros(2, dtype=torch.complex64),
        "small": torch.zeros(2, dtype=torch.uint16),
        "optimizer": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}}, "param_groups": [{"params": [0]}]},
    }


def make_containers(save):
    """State dicts in dictionaries, and behind prefixes."""
    save({"net": state(), "epoch": 1}, "net.pth")
    save({"a": {"b": {"network_weights": state()}}, "optimizer": extras()["optimizer"]}, "deep.pth")
    save({"params": other(), "params_ema": state()}, "ema.pth")
    save({"state_dict": prefixed("model."), "hyper_parameters": {"lr": 0.1}}, "lightning.ckpt")
    swa = prefixed("_orig_mod.module.")
    save({"n_averaged": torch.tensor(3), **swa}, "swa.pth")
    save({**prefixed("student."), **prefixed("teacher.", other())}, "twins.pth")
    both = {**prefixed("encoder.0.", {k: v for k, v in state().items() if not k.startswith("fc")}), "head.weight": torch.ones(4)}
    save(both, "encoder.pth")
    save({**state(), **extras()}, "extras.pth")
    save({"state_dict": state(), **extras()}, "beside.pth", pickle_protocol=4)
    inner = collections.OrderedDict((k.replace("conv.", "conv.module.").replace("bn.weight", "bn.gamma"), v) for k, v in state().items())
    save(inner, "inner.pth")
    save(Net(), "model.pth")
    for name, tensors in {
        "plain": state(),
        "orig_mod": prefixed("_orig_mod.") | {"n_averaged": torch.tensor(3)},
        "twins": prefixed("student.") | prefixed("teacher.", other()),
    }.items():
        safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()}, FOLDER / f"{name}.safetensors")


def make_refused(save):
    """What is no tensor in place of one."""
    save({"state_dict": state() | {"fc.bias": fractions.Fraction(1, 3)}}, "object.pth")
    save(state() | {"fc.bias": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)}, "quantised.pth")
    save(state() | {"fc.bias": numpy.zeros(3)}, "arrays.pth")
    split = state()
    split["fc.weight_g"], split["fc.weight_v"] = torch.ones(3, 1), split.pop("fc.weight")
    save(split, "weight_norm.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(torch.nn.ReLU(), torch.zeros(1)), FOLDER / "script.pt")


def main():
    FOLDER.mkdir(exist_ok=True)
    save = lambda value, name, **more: torch.save(value, FOLDER / name, **more)
    save(state(), "plain.pth")
    save({"epoch": 3, "state_dict": state(), "lr": 0.5, "names": ["a", None, True]}, "nested.pth")
    save(collections.OrderedDict(("module." + k, v) for k, v in state().items()), "parallel.pth")
    save(odd(), "odd.pth")
    save(state(), "legacy.pth", _use_new_zipfile_serialization=False)
    save({"model": state()}, "legacy_nested.pth", _use_new_zipfile_serialization=False)
    without = state()
    del without["bn.num_batches_tracked"]
    save(without, "old.pth")
    make_containers(save)
    make_refused(save)
    values = {k: v.flatten().tolist() for k, v in state().items()}
    (FOLDER / "values.json").write_text(json.dumps({"torch": torch.__version__, "values": values}, indent=1) + "\n")


if __name__ == "__main__":
    main()
