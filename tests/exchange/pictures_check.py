"""Compares what `archc run` answers about pictures with PyTorch.

    python tests/exchange/pictures_check.py ARCHC

A U-Net is made by `archc new --template unet`, exported as Python with random weights, and asked by both about pictures of 1280×800, 333×217 and
others, in colour. PyTorch gets what the page docs/running.md says: grey by ITU-R BT.601 as Pillow has it, scaled to 0–1, normalised as the recipe
says, padded by reflection to the next multiple of 8. Its answer is cut to the picture. The table has the largest difference of the logits, how many
pixels of the mask differ, and of the same in tiles. Needs torch, numpy, pillow and safetensors.
"""

import argparse
import importlib.util
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.numpy import load_file

TOLERANCE = 1e-4
SIZES = [(1280, 800), (333, 217), (64, 64), (5, 3), (801, 97)]
MEAN, STD, STEP = 0.1, 0.25, 8


def archc(program: str, folder: pathlib.Path, *args: object) -> str:
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        sys.exit(f"archc {' '.join(map(str, args))}\n{done.stdout}{done.stderr}")
    return done.stderr


def picture(width: int, height: int) -> Image.Image:
    """Colours that change slowly, with noise."""
    y, x = numpy.mgrid[:height, :width]
    waves = [127 + 90 * numpy.sin(x / 37 + c) * numpy.cos(y / 23 - c) for c in range(3)]
    noise = numpy.random.default_rng(width).normal(0, 20, (height, width, 3))
    return Image.fromarray((numpy.stack(waves, 2) + noise).clip(0, 255).astype(numpy.uint8))


def network(program: str, folder: pathlib.Path) -> torch.nn.Module:
    archc(program, folder, "new", "net", "--template", "unet")
    archc(program, folder, "export", "net.arch", "--pytorch", "net.py", "--safetensors", "net.safetensors", "--seed", 5)
    spec = importlib.util.spec_from_file_location("net", folder / "net.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net = module.Net()
    net.load_state_dict({k: torch.from_numpy(v) for k, v in load_file(folder / "net.safetensors").items()}, strict=True)
    return net.eval()


def expected(net: torch.nn.Module, image: Image.Image) -> numpy.ndarray:
    grey = (numpy.asarray(image.convert("L"), dtype=numpy.float32) / 255 - MEAN) / STD
    height, width = grey.shape
    padded = numpy.pad(grey, [(0, -height % STEP), (0, -width % STEP)], mode="reflect")
    with torch.no_grad():
        scores = net(torch.from_numpy(padded.astype(numpy.float32))[None, None]).numpy()
    return scores[:, :, :height, :width]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("archc")
    program = str(pathlib.Path(parser.parse_args().archc).resolve())
    bad = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        net = network(program, folder)
        common = ["run", "net.arch", "--weights", "net.safetensors"]
        print(f"{'picture':<12}{'logits':>10}{'largest':>10}{'mask':>8}{'tiles':>10}  as archc says")
        for width, height in SIZES:
            image = picture(width, height)
            image.save(folder / "photo.png")
            want = expected(net, image)
            said = archc(program, folder, *common, "photo.png", "--output", "y.npy")
            archc(program, folder, *common, "photo.png", "--output", "mask.png")
            archc(program, folder, *common, "photo.png", "--output", "tiled.npy", "--fit", "tile", "--size", "256x256")
            found, tiled = (numpy.load(folder / file) for file in ("y.npy", "tiled.npy"))
            mask = numpy.asarray(Image.open(folder / "mask.png"))
            assert found.shape == want.shape == tiled.shape and mask.shape == (height, width), (found.shape, want.shape, mask.shape)
            logits, seams = abs(found - want).max(), abs(tiled - found).max()
            # Where two classes are as good as equal, either is right.
            second, first = numpy.sort(want[0], axis=0)[-2:]
            differ = int(((mask != want[0].argmax(0)) & (first - second > 2 * TOLERANCE)).sum())
            line = next(line for line in said.splitlines() if line.startswith("photo.png"))
            print(f"{width}×{height:<8}{logits:>10.1e}{abs(want).max():>10.2f}{differ:>8}{seams:>10.1e}  {line}", flush=True)
            if logits > TOLERANCE or differ or seams > TOLERANCE:
                bad.append(f"{width}×{height}")
    sys.exit(f"too far apart: {', '.join(bad)}" if bad else 0)


if __name__ == "__main__":
    main()
