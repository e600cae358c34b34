"""Makes the small checkpoints in tests/parity/weights that the readers of weights are tested on.

Run with PyTorch: `python tests/parity/make_weights.py`. Every file holds the state dict of the same
small network (see `network` in src/lower/testing.rs) in another way; `values.json` says what must be read.
"""

import collections
import fractions
import json
import pathlib

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


def main():
    FOLDER.mkdir(exist_ok=True)
    save = lambda value, name, **more: torch.save(value, FOLDER / name, **more)
    save(state(), "plain.pth")
    save({"epoch": 3, "state_dict": state(), "lr": 0.5, "names": ["a", None, True]}, "nested.pth")
    save(collections.OrderedDict(("module." + k, v) for k, v in state().items()), "parallel.pth")
    save(odd(), "odd.pth")
    save(state(), "legacy.pth", _use_new_zipfile_serialization=False)
    save({"state_dict": state(), "config": fractions.Fraction(1, 3)}, "object.pth")
    without = state()
    del without["bn.num_batches_tracked"]
    save(without, "old.pth")
    values = {k: v.flatten().tolist() for k, v in state().items()}
    (FOLDER / "values.json").write_text(json.dumps({"torch": torch.__version__, "values": values}, indent=1) + "\n")


if __name__ == "__main__":
    main()
