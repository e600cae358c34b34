"""Exports every model of `examples/*.arch` as ONNX, reads the file with `archc import`, and compares what both compute.

    python tests/exchange/roundtrip_check.py ARCHC [MODEL ...]

Weights are random; batches 1 and 2, and another size where sizes are free and the network takes it. Needs onnx, numpy and
safetensors.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOUND = 1e-5


def run(archc, *args):
    done = subprocess.run([archc, *map(str, args)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr + done.stdout)
    return done.stderr


def inputs(path, text, batch, other):
    """Numbers for each input, free sizes as the `.arch` file has them, or twice that."""
    rng = np.random.default_rng(batch)
    made, free = {}, False
    for value in onnx.load(path, load_external_data=False).graph.input:
        dims = [batch]
        for dim in value.type.tensor_type.shape.dim[1:]:
            default = dim.dim_value or int(re.search(rf"\b{dim.dim_param}=(\d+)", text).group(1))
            free |= not dim.dim_value
            dims.append(default * 2 if other and not dim.dim_value else default)
        made[value.name] = rng.standard_normal(dims, np.float32)
    return made, free


def check(archc, folder, file, name):
    text = re.split(rf"^model {name}\b", file.read_text(), flags=re.M)[1]
    path, arch = folder / "net.onnx", folder / "back.arch"
    run(archc, "export", file, "--model", name, "--onnx", path, "--safetensors", folder / "net.safetensors")
    given, free = inputs(path, text, 1, False)
    planned = ["--size", "x".join(map(str, next(iter(given.values())).shape[2:]))] if free else []
    said = run(archc, "import", path, "-o", arch, *planned)
    worst, sizes = 0.0, ""
    for batch, other in ((1, False), (2, False), (1, True)):
        given, free = inputs(path, text, batch, other)
        if other and (not free or " stays " in said):
            continue
        save_file(given, folder / "in.safetensors")
        def outputs(model, *args):
            run(archc, "run", model, *args, "--input", folder / "in.safetensors", "--output", folder / "out.safetensors")
            return list(load_file(folder / "out.safetensors").values())
        try:
            want = outputs(file, "--model", name, "--weights", folder / "net.safetensors")
        except RuntimeError:
            if not other:
                raise
            continue
        got = outputs(arch, "--weights", arch.with_suffix(".safetensors"))
        assert len(got) == len(want), "there are fewer outputs"
        worst = max(worst, *(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(got, want)))
        sizes = " free" if other else sizes
    lines = len(arch.read_text().splitlines())
    notes = [line for line in said.splitlines() if not line.startswith("wrote")]
    print(f"{name:16} {lines:4} lines  {worst:.1e}{sizes}  {' '.join(notes)}", flush=True)
    return worst <= BOUND


def main():
    archc, names = sys.argv[1], sys.argv[2:]
    failed = []
    for file in sorted((ROOT / "examples").glob("*.arch")):
        for name in re.findall(r"^model (\w+)", file.read_text(), re.M):
            if names and name not in names:
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    sound = check(archc, pathlib.Path(folder), file, name)
                except Exception as error:  # the others are tried, whatever happens to one
                    print(f"{name:16} FAILED: {str(error)[:1500]}", flush=True)
                    sound = False
            if not sound:
                failed.append(name)
    if failed:
        sys.exit("failed: " + ", ".join(failed))


main()
