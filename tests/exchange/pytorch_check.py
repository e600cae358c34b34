"""Runs what `archc export --pytorch` writes, and compares with archc itself.

    python tests/exchange/pytorch_check.py ARCHC [--sources DIR] [MODEL ...]

Every model of every example (or those named) is exported, made with archc's random weights by `load_state_dict(strict=True)`,
and run on random inputs at a small size. The table has the largest difference of the outputs, relative to their largest
number. With --sources, DIR/MODEL.py is taken instead of exporting. Needs torch, numpy and safetensors.
"""

import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.numpy import load_file

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
TOLERANCE = 1e-4


def archc(program: str, *args: object) -> str:
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"archc {' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
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
    net = getattr(module, model)()
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
    parser.add_argument("models", nargs="*")
    args = parser.parse_intermixed_args()
    bad = 0
    print(f"{'model':<20}{'difference':>12}")
    for file, model in models():
        if args.models and model not in args.models:
            continue
        with tempfile.TemporaryDirectory() as folder:
            source = args.sources / f"{model}.py" if args.sources else None
            difference = check(args.archc, file, model, source, pathlib.Path(folder))
        bad += difference > TOLERANCE
        print(f"{model:<20}{difference:>12.1e}{'  TOO LARGE' if difference > TOLERANCE else ''}", flush=True)
    sys.exit(bad and f"{bad} models differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
