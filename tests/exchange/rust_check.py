"""Runs what `archc export --rust` writes, in a crate of its own, and compares with archc itself.

    python tests/exchange/rust_check.py ARCHC [--sources DIR] [--target DIR] [MODEL ...]

The models named (without names, six that hold every kind of skip) become modules of a crate that depends on candle-core and
candle-nn alone. Each is run on random inputs with archc's random weights; the table has the largest difference of the outputs
from those of `archc run`, relative to their largest number. candle is built once into the target directory. Needs numpy and
safetensors.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
from safetensors.numpy import load_file, save_file

from pytorch_check import TOLERANCE, archc, models

SIX = ["ResNet18", "DenseNet121", "UNet", "Highway50", "SEResNet50", "GoogLeNet"]
SIZES = {"UNet": "64x64"}

CARGO = """[package]
name = "exported"
version = "0.1.0"
edition = "2024"

[dependencies]
candle-core = "0.11.1"
candle-nn = "0.11.1"

[profile.dev.package."*"]
opt-level = 3

[workspace]
"""

ARM = """        "{0}" => m_{0}::{0}::new(vb)?.forward_t(&x, false)?,
"""

MAIN = """{modules}
use candle_core::{{DType, Device}};
use candle_nn::{{ModuleT, VarBuilder}};

fn main() -> candle_core::Result<()> {{
    let args: Vec<String> = std::env::args().collect();
    let weights = candle_core::safetensors::load(&args[2], &Device::Cpu)?;
    let vb = VarBuilder::from_tensors(weights, DType::F32, &Device::Cpu);
    let x = candle_core::safetensors::load(&args[3], &Device::Cpu)?["x"].clone();
    let y = match args[1].as_str() {{
{arms}        other => candle_core::bail!("no model {{other}}"),
    }};
    y.save_safetensors("y", &args[4])
}}
"""


def build(args: argparse.Namespace, chosen: list[tuple[pathlib.Path, str]], crate: pathlib.Path) -> pathlib.Path:
    (crate / "src").mkdir()
    (crate / "Cargo.toml").write_text(CARGO)
    for file, model in chosen:
        target = crate / "src" / f"m_{model}.rs"
        if args.sources:
            target.write_text((args.sources / f"{model}.rs").read_text())
        else:
            archc(args.archc, "export", file, "--model", model, "--rust", target)
    modules = "".join(f"#[allow(non_snake_case)]\nmod m_{model};\n" for _, model in chosen)
    arms = "".join(ARM.format(model) for _, model in chosen)
    (crate / "src" / "main.rs").write_text(MAIN.format(modules=modules, arms=arms))
    subprocess.run(["cargo", "build", "--target-dir", args.target], cwd=crate, check=True)
    return args.target.resolve() / "debug" / "exported"


def check(args: argparse.Namespace, program: pathlib.Path, file: pathlib.Path, model: str, folder: pathlib.Path) -> float:
    sizes = ["--size", SIZES[model]] if model in SIZES else []
    weights, image, found, wanted = (folder / name for name in ["w.safetensors", "x.safetensors", "f.safetensors", "y.safetensors"])
    archc(args.archc, "export", file, "--model", model, "--safetensors", weights, "--seed", 3)
    shape = json.loads(archc(args.archc, "summary", file, "--model", model, *sizes, "--json"))["inputs"][0]["shape"]
    x = numpy.random.default_rng(1).standard_normal((2, *shape)).astype(numpy.float32)
    save_file({"x": x}, image)
    numpy.save(folder / "x.npy", x)
    archc(args.archc, "run", file, "--model", model, *sizes, "--weights", weights, "--input", folder / "x.npy", "--output", wanted)
    subprocess.run([program, model, weights, image, found], check=True)
    expected, got = (next(iter(load_file(path).values())) for path in (wanted, found))
    return float(abs(got - expected).max() / abs(expected).max())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("archc")
    parser.add_argument("--sources", type=pathlib.Path)
    parser.add_argument("--target", type=pathlib.Path, default=pathlib.Path("target/exported"))
    parser.add_argument("--program", type=pathlib.Path, help="a program built earlier")
    parser.add_argument("models", nargs="*")
    args = parser.parse_intermixed_args()
    args.target = args.target.resolve()
    chosen = [(file, model) for file, model in models() if model in (args.models or SIX)]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        program = args.program or build(args, chosen, folder)
        print(f"{'model':<20}{'difference':>12}")
        for file, model in chosen:
            difference = check(args, program, file, model, folder)
            bad += difference > TOLERANCE
            print(f"{model:<20}{difference:>12.1e}{'  TOO LARGE' if difference > TOLERANCE else ''}", flush=True)
    sys.exit(bad and f"{bad} models differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
