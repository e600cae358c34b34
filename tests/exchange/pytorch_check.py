"""Runs what `archc export --pytorch` writes, and compares with archc itself.

    python tests/exchange/pytorch_check.py ARCHC [--sources DIR] [--names] [MODEL ...]

Every model of every example (or those named) is exported, made with archc's random weights by `load_state_dict(strict=True)`,
and run on random inputs at a small size. The table has the largest difference of the outputs, relative to their largest
number. With --sources, DIR/MODEL.py is taken instead of exporting. With --names, models are taken whose labels, arguments, blocks,
inputs and names are every word that `nn.Module`, Python or the file uses itself. Needs torch, numpy and safetensors.
"""

import argparse
import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.numpy import load_file

import names

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
TOLERANCE = 1e-4


def archc(program: str, *args: object) -> str:
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"archc {' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return done.stdout


def models() -> list[tuple[pathlib.Path, str]]:
    found = []
    for file in sorted(EXAMPLES.glob("*.arch")):
        lines = file.read_text().splitlines()
        found += [(file, line.split()[1].split("(")[0]) for line in lines if line.startswith("model ")]
    return found


def check(program: str, file: pathlib.Path, model: str, source: pathlib.Path | None, folder: pathlib.Path) -> float:
    sizes = ["--size", "64x64"] if model in SMALL else []
    code, weights, image = folder / "net.py", folder / "w.safetensors", folder / "x.npy"
    if source is None:
        archc(program, "export", file, "--model", model, *sizes, "--pytorch", code)
    else:
        code.write_text(source.read_text())
    archc(program, "export", file, "--model", model, "--safetensors", weights, "--seed", 3)
    spec = importlib.util.spec_from_file_location(f"net_{model}", code)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # A model that cannot give its class its name says so in the docstring.
    renamed = re.search(r"class is `(\w+)`", module.__doc__)
    net = getattr(module, renamed.group(1) if renamed else model)()
    net.load_state_dict({k: torch.from_numpy(v) for k, v in load_file(weights).items()}, strict=True)
    shape = json.loads(archc(program, "summary", file, "--model", model, *sizes, "--json"))["inputs"][0]["shape"]
    x = numpy.random.default_rng(1).standard_normal((2, *shape)).astype(numpy.float32)
    numpy.save(image, x)
    out = folder / "y.safetensors"
    archc(program, "run", file, "--model", model, *sizes, "--weights", weights, "--input", image, "--output", out)
    expected = next(iter(load_file(out).values()))
    with torch.no_grad():
        found = net.eval()(torch.from_numpy(x))
    found = (next(iter(found.values())) if isinstance(found, dict) else found).numpy()
    return float(abs(found - expected).max() / abs(expected).max())


# Models of 224×224 whose size is free: smaller pictures show as much.
SMALL = {"ResNet101", "ResNet152", "DenseNet161", "DenseNet169", "DenseNet201", "UNet"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("archc")
    parser.add_argument("--sources", type=pathlib.Path)
    parser.add_argument("--names", action="store_true")
    parser.add_argument("models", nargs="*")
    args = parser.parse_intermixed_args()
    bad = 0
    print(f"{'model':<20}{'difference':>12}")
    with tempfile.TemporaryDirectory() as programs:
        for file, model in named(pathlib.Path(programs)) if args.names else models():
            if args.models and model not in args.models:
                continue
            with tempfile.TemporaryDirectory() as folder:
                source = args.sources / f"{model}.py" if args.sources else None
                try:
                    difference = check(args.archc, file, model, source, pathlib.Path(folder))
                except Exception as error:  # the others are tried, whatever happens to one
                    print(f"{model:<20}  FAILED: {error}", flush=True)
                    difference = float("nan")
            bad += not difference <= TOLERANCE
            print(f"{model:<20}{difference:>12.1e}{'' if difference <= TOLERANCE else '  TOO LARGE'}", flush=True)
    print(f"torch {torch.__version__}")
    sys.exit(bad and f"{bad} models differ by more than {TOLERANCE}")


def named(folder: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    found = []
    for model, text in names.texts():
        file = folder / f"{len(found)}.arch"
        file.write_text(text)
        found.append((file, model))
    return found


if __name__ == "__main__":
    main()
