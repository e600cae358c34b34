"""Builds the crate `embedded`, whose network is an .arch file, and looks at what cargo says.

    python tests/exchange/build_check.py [--target DIR] [--check]

It is built and run in a folder of its own; then its file is broken, and cargo must show the error and where it is; then an
imported file is changed, and the crate must be built again. With --check, `cargo check` stands for building and running.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent


def cargo(crate: pathlib.Path, target: pathlib.Path, *args: str) -> subprocess.CompletedProcess:
    command = ["cargo", *args, "--target-dir", str(target)]
    return subprocess.run(command, cwd=crate, capture_output=True, text=True)


def expect(holds: bool, what: str, done: subprocess.CompletedProcess) -> None:
    if not holds:
        sys.exit(f"{what}\n{done.stdout}{done.stderr}")
    print(what)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", type=pathlib.Path, default=pathlib.Path("target/embedded"))
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    target, verb = args.target.resolve(), "check" if args.check else "run"
    with tempfile.TemporaryDirectory() as folder:
        crate = pathlib.Path(folder) / "embedded"
        shutil.copytree(HERE / "embedded", crate)
        manifest = crate / "Cargo.toml"
        manifest.write_text(manifest.read_text().replace("../../..", str(HERE.parents[1].resolve())))
        done = cargo(crate, target, verb)
        expect(done.returncode == 0 and (args.check or "[2, 10]" in done.stdout), "it builds and runs", done)
        net = crate / "digits.arch"
        right = net.read_text()
        net.write_text(right.replace("linear(classes)", "linaer(classes)"))
        done = cargo(crate, target, verb)
        shown = "digits.arch:10" in done.stderr and "E0203" in done.stderr and "did you mean `linear`?" in done.stderr
        expect(done.returncode != 0 and shown, "cargo shows the error and where it is", done)
        net.write_text(right)
        blocks = crate / "blocks.arch"
        blocks.write_text(blocks.read_text().replace("-> relu\n", "-> gelu\n"))
        done = cargo(crate, target, verb)
        made = list(target.glob("**/out/digits.rs"))
        expect(done.returncode == 0 and any("gelu(" in path.read_text() for path in made), "an imported file is watched", done)


if __name__ == "__main__":
    main()
