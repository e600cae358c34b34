"""Exports networks with `archc export --onnx` and runs them elsewhere.

    python tests/exchange/onnx_check.py ARCHC [--tract] [--sizes] [NAME ...]

NAME is a part of what a line is titled by: `resnet/ResNet50`, `unet/`, `free.arch`. All of them take some twenty minutes.
For every example and every file of `tests/exchange/layers/`: onnx's checker with shape inference, ONNX Runtime at two
batch sizes and, where sizes are free, at two sizes, and with --tract the crate beside this script; outputs are compared
with those of `archc run`. With --sizes, networks of free sizes are run at some thirty sizes instead, odd and neighbouring ones: where
archc takes a size, ONNX Runtime gives the same numbers; a size that archc refuses is counted where ONNX Runtime gives some. Needs onnx, onnxruntime, numpy and safetensors; --tract needs cargo and its registry.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file, save_file

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BOUND = 1e-4

# file, model, sizes (the second of two is tried where the network's sizes are free), settings
EXAMPLES = [
    ("resnet", "ResNet18", ["224x224", "160x192"]),
    ("densenet", "DenseNet121", ["224x224", "128x160"]),
    ("unet", "UNet", ["128x128", "96x64"]),
    ("highway", "Highway50", [None]),
    ("senet", "SEResNet50", ["96x96", "64x128"]),
    ("inception", "GoogLeNet", ["224x224", "128x96"]),
    ("unet", "UNet2015", ["572x572", "220x236"]),
]


def archc(*args):
    done = subprocess.run([sys.argv[1], *map(str, args)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"archc {' '.join(map(str, args))}\n{done.stderr}{done.stdout}")
    return done.stdout + done.stderr


def models(path):
    text = path.read_text()
    return re.findall(r"^model (\w+)", text, re.M)


def inputs_of(model, batch, size):
    """Random inputs for a model; free sizes are taken from `size`, in order of height and width."""
    rng = np.random.default_rng(7)
    values, free = {}, False
    for value in model.graph.input:
        dims, spatial = [], 0
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if axis == 0:
                dims.append(batch)
            elif dim.dim_param:
                free = True
                dims.append(size[spatial])
            else:
                dims.append(dim.dim_value)
            spatial += axis >= 2
        values[value.name] = rng.standard_normal(dims).astype(np.float32)
    return values, free


def around(size):
    """Sizes near these: every remainder of 16, rows and columns apart and together."""
    rows, columns = size if len(size) == 2 else (size[0], size[0])
    together = [[rows + i, columns + i] for i in range(-8, 9)]
    apart = [[rows + i, columns] for i in (1, 3, 7)] + [[rows, columns + i] for i in (1, 2, 5)]
    small = [[n, n] for n in (1, 2, 3, 5, 8)]
    return [pair for pair in together + apart + small + [[2 * rows - 1, columns + 6], [rows - 1, 2 * columns + 1]] if min(pair) > 0]


def relative(got, want):
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-12)) if want.size else 0.0


class Check:
    def __init__(self, folder, tract):
        self.folder, self.tract, self.worst, self.failed = folder, tract, {}, []

    def run(self, title, path, name, sizes, many=False):
        figures, verdict = {}, ""
        try:
            verdict = self.many(figures, path, name, sizes) if many else self.measure(figures, path, name, sizes) or ""
        except Exception as error:  # every network is tried, whatever happens to the others
            verdict = f"FAILED: {str(error).strip()[:900]}"
        for key, value in figures.items():
            self.worst[key] = max(self.worst.get(key, 0.0), value)
        if not all(value <= BOUND for value in figures.values()):
            verdict = f"TOO FAR {verdict}"
        if verdict and not verdict.endswith("sizes"):
            self.failed.append(title)
        text = "  ".join(f"{key} {value:.1e}" for key, value in figures.items())
        print(f"{title:44} {text}  {verdict}".rstrip(), flush=True)

    def measure(self, figures, path, name, sizes):
        out = self.folder / "net.onnx"
        model_args = ["--model", name]
        archc("export", path, *model_args, "--onnx", out, "--seed", 3)
        onnx.checker.check_model(str(out), full_check=True)
        inferred = onnx.shape_inference.infer_shapes(onnx.load(str(out)), strict_mode=True, data_prop=True)
        session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
        for batch, text in [(1, sizes[0]), (2, sizes[-1])]:
            size = [int(n) for n in text.split("x")] if text else []
            values, free = inputs_of(inferred, batch, size)
            want = self.by_archc(path, model_args, values, text if free else None)
            got = dict(zip([o.name for o in session.get_outputs()], session.run(None, values)))
            figures[f"ort{batch}"] = max(relative(got[key], want[key]) for key in want)
            if self.tract:
                got = self.by_tract(out, values)
                figures[f"tract{batch}"] = max(relative(got[key], want[key]) for key in want)

    def many(self, figures, path, name, sizes):
        """Numbers at sizes around the planned ones; gives how many sizes were compared."""
        out, model_args = self.folder / "net.onnx", ["--model", name]
        said = archc("export", path, *model_args, "--onnx", out, "--seed", 3)
        model = onnx.load(str(out))
        free = {d.dim_param for i in model.graph.input for d in i.type.tensor_type.shape.dim[1:] if d.dim_param}
        session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
        equal, alone, refused = 0, [], 0
        for size in around([int(n) for n in (sizes[0] or "16x16").split("x")]) if free else []:
            values, _ = inputs_of(model, 1, size)
            try:
                want = self.by_archc(path, model_args, values, "x".join(map(str, size)))
            except RuntimeError:
                want = None
                refused += 1
                if min(size) < 8:  # ONNX Runtime itself ends at sizes of none
                    continue
            try:
                got = dict(zip([o.name for o in session.get_outputs()], session.run(None, values)))
            except Exception:  # what it raises has no common type
                got = None
            if want is None:
                alone += [size] if got else []
                continue
            if got is None or any(got[key].shape != want[key].shape for key in want):
                raise RuntimeError(f"at {size} ONNX Runtime gives {'nothing' if got is None else 'other sizes'}")
            equal += 1
            figures["ort"] = max(figures.get("ort", 0.0), max(relative(got[key], want[key]) for key in want))
        notes = " ".join(line.split("note: ")[-1] for line in said.splitlines() if ("takes" in line or "is fixed" in line) and "warning" not in line)
        alone = f", ONNX Runtime computes {alone[:3]}… of those" if alone else ""
        return f"free: {' '.join(sorted(free)) or 'none'} ({notes}): equal at {equal}, refused at {refused}{alone} sizes"

    def by_archc(self, path, model_args, values, size):
        args = []
        for name, value in values.items():
            file = self.folder / f"{name}.npy"
            np.save(file, value)
            args += ["--input", f"{name}={file}"]
        if size and len(values) == 1:
            args += ["--size", size] if next(iter(values.values())).ndim == 4 else []
        out = self.folder / "out.safetensors"
        archc("run", path, *model_args, *args, "--seed", 3, "--output", out)
        return load_file(out)

    def by_tract(self, model, values):
        save_file(values, self.folder / "in.safetensors")
        out = self.folder / "tract.safetensors"
        done = subprocess.run([self.tract, model, self.folder / "in.safetensors", out], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("tract: " + done.stderr)
        return load_file(out)


def tract_program():
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=HERE / "tract", check=True)
    target = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=HERE / "tract",
                            capture_output=True, text=True, check=True).stdout
    folder = re.search(r'"target_directory":"([^"]+)"', target).group(1)
    return pathlib.Path(folder) / "release" / "archc-tract"


def tract_version():
    lock = (HERE / "tract" / "Cargo.lock").read_text()
    return re.search(r'name = "tract-onnx"\nversion = "([^"]+)"', lock).group(1)


def main():
    onnxruntime.set_default_logger_severity(4)
    words = sys.argv[2:]
    tract = tract_program() if "--tract" in words else None
    names, many = [word for word in words if not word.startswith("--")], "--sizes" in words
    with tempfile.TemporaryDirectory() as folder:
        check = Check(pathlib.Path(folder), tract)
        wanted = lambda title: not names or any(name in title for name in names)
        for file, model, sizes in EXAMPLES:
            if wanted(f"{file}/{model}"):
                check.run(f"{file}/{model}", ROOT / "examples" / f"{file}.arch", model, sizes, many)
        for path in sorted((ROOT / "examples").glob("*.arch")):
            for model in models(path):
                title = f"{path.stem}/{model}"
                if (path.stem, model) not in [(f, m) for f, m, _ in EXAMPLES] and wanted(title):
                    check.run(title, path, model, ["64x64", "96x64"], many)
        for path in sorted((HERE / "layers").glob("*.arch")):
            for model in models(path):
                if wanted(f"{path.name}/{model}"):
                    check.run(f"{path.name}/{model}", path, model, ["16x16", "24x20"], many)
        versions = f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}"
        versions += f", tract {tract_version()}" if tract else ""
        print(f"{versions}; largest relative differences: "
              + ", ".join(f"{key} {value:.1e}" for key, value in sorted(check.worst.items())))
        if check.failed:
            sys.exit(f"{len(check.failed)} failed: " + ", ".join(check.failed))


main()
