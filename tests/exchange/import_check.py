"""Exports torchvision's networks by both of PyTorch's exporters and reads them with `archc import`.

    python tests/exchange/import_check.py ARCHC [NAME ...]

The imported file is run by `archc run` with the weights written beside it, and compared with PyTorch. Weights are random.
Needs torch, torchvision, onnx, onnxscript, numpy and safetensors.
"""

import logging
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
import torchvision
from safetensors.numpy import load_file

NETWORKS = ["resnet50", "densenet121", "vgg16", "squeezenet1_1", "mobilenet_v2"]
BOUND = 1e-4


def network(name):
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)(weights=None).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.1, 0.1)
    return model


def export(model, image, path, form):
    if form == "dynamo":
        torch.onnx.export(model, (image.repeat(2, 1, 1, 1),), str(path), dynamo=True,
                          dynamic_shapes=({0: torch.export.Dim("N")},), verbose=False)
        return
    script = dict(dynamo=False, input_names=["image"], output_names=["logits"])
    if form == "folded":
        torch.onnx.export(model, (image,), str(path), opset_version=17, dynamic_axes={"image": {0: "N"}}, **script)
    else:
        torch.onnx.export(model, (image,), str(path), opset_version=20, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE, **script)


def check(archc, folder, name, form):
    model, image = network(name), torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    path, arch = folder / f"{name}.onnx", folder / f"{name}.arch"
    export(model, image, path, form)
    def run(*args):
        done = subprocess.run([archc, *map(str, args)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr + done.stdout)
        return done.stderr
    said = run("import", path, "-o", arch)
    worst = 0.0
    for batch in (1, 2):
        images = image.repeat(batch, 1, 1, 1) * torch.linspace(1, 2, batch).view(-1, 1, 1, 1)
        np.save(folder / "in.npy", images.numpy())
        run("run", arch, "--weights", arch.with_suffix(".safetensors"), "--input", folder / "in.npy",
            "--output", folder / "out.safetensors")
        got = next(iter(load_file(folder / "out.safetensors").values()))
        with torch.no_grad():
            want = model(images).numpy()
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    lines = len(arch.read_text().splitlines())
    notes = [line for line in said.splitlines() if not line.startswith("wrote")]
    print(f"{name:14} {form:8} {lines:4} lines  {worst:.1e}  {' '.join(notes)}", flush=True)
    return worst <= BOUND and (name != "resnet50" or lines < 80)


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    archc, names = sys.argv[1], sys.argv[2:] or NETWORKS
    failed = []
    for name in names:
        for form in ("folded", "kept", "dynamo"):
            with tempfile.TemporaryDirectory() as folder:
                try:
                    sound = check(archc, pathlib.Path(folder), name, form)
                except Exception as error:  # the others are tried, whatever happens to one
                    print(f"{name:14} {form:8} FAILED: {str(error)[:1500]}", flush=True)
                    sound = False
                if not sound:
                    failed.append(f"{name} ({form})")
    print(f"torch {torch.__version__}, torchvision {torchvision.__version__}")
    if failed:
        sys.exit("failed: " + ", ".join(failed))


main()
