#!/usr/bin/env python3
"""Times inference on the CPU: archc beside PyTorch, ONNX Runtime, OpenVINO and ncnn, in one run.

    python bench/peers.py --archc target/release/archc --threads 2 --json peers.json

Prints a table in Markdown (the one in README.md). How to set it up: bench/README.md.

Every contender lives in a process of its own, so that no one's thread pool stands in another's way, and computes
the same network with the same weights in f32. A round lets each of them in turn warm up and run a few times; rounds
begin with another contender each time. A round gives the median of its runs, and the table the median of the rounds.

Before anything is timed, the answers are compared with PyTorch's: whoever computes something else is not timed. That
first answer also tells how long a process takes to it from its start, and how much memory it had resident.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM_UP = 2
# The largest difference from PyTorch's answer, over its largest value: f32 with Winograd stays far below.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Row:
    """A network at one size and batch; `name` is torchvision's, or `unet`."""

    name: str
    file: str
    model: str
    batch: int
    size: int
    channels: int = 3

    @property
    def title(self):
        return f"{self.model}, {self.size}²" + (f", batch {self.batch}" if self.batch > 1 else "")

    @property
    def key(self):
        return f"{self.name}-b{self.batch}"


ROWS = [
    Row("resnet18", "resnet.arch", "ResNet18", 1, 224),
    Row("resnet34", "resnet.arch", "ResNet34", 1, 224),
    Row("resnet50", "resnet.arch", "ResNet50", 1, 224),
    Row("densenet121", "densenet.arch", "DenseNet121", 1, 224),
    Row("unet", "unet.arch", "UNet", 1, 256, channels=1),
    Row("resnet18", "resnet.arch", "ResNet18", 16, 224),
]


# --- What is computed -------------------------------------------------------------------------------------------------


def unet():
    """The U-Net of `examples/unet.arch`, level within level as it is there."""
    import torch
    from torch import nn

    def double(channels, width):
        def unit(c):
            return [nn.Conv2d(c, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]

        return nn.Sequential(*unit(channels), *unit(width))

    class Level(nn.Module):
        def __init__(self, channels, width, depth):
            super().__init__()
            self.first = double(channels, width)
            self.below = None
            if depth:
                inner, up = Level(width, 2 * width, depth - 1), nn.ConvTranspose2d(2 * width, width, 2, stride=2)
                self.below = nn.Sequential(nn.MaxPool2d(2), inner, up)
                self.merge = double(2 * width, width)

        def forward(self, x):
            x = self.first(x)
            return x if self.below is None else self.merge(torch.cat([x, self.below(x)], 1))

    return nn.Sequential(Level(1, 64, 4), nn.Conv2d(64, 2, 1))


def network(row):
    """The network of a row in PyTorch."""
    import torchvision

    return (unet() if row.name == "unet" else getattr(torchvision.models, row.name)(weights=None)).eval()


def export(row, folder):
    """Writes what the contenders read: the network for ONNX and ncnn, its weights, an input and PyTorch's answer.

    In a process of its own: what a process has resident counts for those that it starts.
    """
    import warnings

    import numpy
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = network(row)
    x = torch.randn(row.batch, row.channels, row.size, row.size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        numpy.save(folder / "y.npy", model(x).numpy())
    numpy.save(folder / "x.npy", x.numpy())
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "weights.safetensors")
    with warnings.catch_warnings():
        # The older exporter needs no more than `onnx`, and every reader knows what it writes.
        warnings.simplefilter("ignore", DeprecationWarning)
        names = {"input_names": ["x"], "output_names": ["y"]}
        torch.onnx.export(model, x, folder / "net.onnx", opset_version=17, dynamo=False, **names)
    pnnx, shape = Path(sys.executable).parent / "pnnx", ",".join(map(str, x.shape))
    if pnnx.exists():
        command = [pnnx, "net.onnx", f"inputshape=[{shape}]", "fp16=0"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# --- Who computes it: each prepares, and gives a function that runs once and returns the answer -----------------------


def pytorch(row, folder, threads, x):
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(threads)
    with torch.device("meta"):
        # Nothing is drawn that the file has.
        model = network(row)
    model.load_state_dict(load_file(folder / "weights.safetensors"), assign=True)
    x = torch.from_numpy(x)

    def run():
        with torch.inference_mode():
            return model(x).numpy()

    return run


def onnxruntime(row, folder, threads, x):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(folder / "net.onnx", options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})[0]


def openvino(row, folder, threads, x):
    import openvino as ov

    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    request = ov.Core().compile_model(folder / "net.onnx", "CPU", settings).create_infer_request()
    return lambda: request.infer([x])[0]


def ncnn(row, folder, threads, x):
    import ncnn
    import numpy

    if row.batch > 1:
        raise LookupError("ncnn runs one sample at a time")
    if not (folder / "net.ncnn.param").exists():
        raise LookupError("pnnx is not installed")
    net = ncnn.Net()
    net.opt.num_threads = threads
    for half in ["fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"]:
        setattr(net.opt, f"use_{half}", False)
    net.load_param(str(folder / "net.ncnn.param"))
    net.load_model(str(folder / "net.ncnn.bin"))
    # The mat only looks at the array, which has to stay.
    image = numpy.ascontiguousarray(x[0])
    mat = ncnn.Mat(image)

    def run():
        extractor = net.create_extractor()
        extractor.input("in0", mat)
        return numpy.array(extractor.extract("out0")[1])[None]

    return run


PEERS = {"openvino": openvino, "onnxruntime": onnxruntime, "ncnn": ncnn, "pytorch": pytorch}
NAMES = {"archc": "archc", "openvino": "OpenVINO", "onnxruntime": "ONNX Runtime", "ncnn": "ncnn", "pytorch": "PyTorch"}


def off(got, want):
    """The largest difference over the largest value."""
    import numpy

    if got.size != want.size:
        return float("inf")
    return float(numpy.abs(numpy.ravel(got) - numpy.ravel(want)).max() / numpy.abs(want).max())


def peak_resident():
    """The most bytes this process had resident."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def serve(peer, row, folder, threads):
    """The life of a peer's process: says how far off its answer is, then answers a number of runs with their times."""
    import numpy

    def say(what):
        print(json.dumps(what), file=answers, flush=True)

    # Libraries that print do so on standard error; the answers keep standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    x = numpy.load(folder / "x.npy")
    try:
        run = PEERS[peer](row, folder, threads, x)
    except (ImportError, LookupError, OSError) as why:
        return say({"missing": f"{type(why).__name__}: {why}"})
    say({"off": off(run(), numpy.load(folder / "y.npy")), "resident_bytes": peak_resident()})
    for line in sys.stdin:
        times = []
        for turn in range(WARM_UP + int(line)):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1e3)
        say(times[WARM_UP:])


# --- How it is timed --------------------------------------------------------------------------------------------------


class Peer:
    """A peer in its process."""

    def __init__(self, name, row, folder, threads):
        self.name = name
        command = [sys.executable, __file__, "--serve", name, row.key, str(folder), "--threads", str(threads)]
        quiet, start = subprocess.DEVNULL, time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True
        )
        first = self.answer()
        self.first = time.perf_counter() - start
        self.missing, self.off, self.resident = first.get("missing"), first.get("off"), first.get("resident_bytes")

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"missing": f"ended with {self.process.wait()}"}

    def round(self, repeat):
        print(repeat, file=self.process.stdin, flush=True)
        return statistics.median(self.answer())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Archc:
    """archc, started anew each round: `archc bench` warms up and times by itself."""

    name, missing = "archc", None

    def __init__(self, program, row, folder, threads):
        file = str(ROOT / "examples" / row.file)
        self.network = [file, "--model", row.model, "--threads", str(threads)]
        self.program, self.row = program, row
        self.off = self.first = self.resident = None
        if row.name != "unet":
            self.check(folder)

    def check(self, folder):
        """What `archc run` does with PyTorch's weights; the U-Net's have other names in PyTorch."""
        import numpy

        files = ["--weights", folder / "weights.safetensors", "--input", folder / "x.npy", "--output", folder / "a.npy"]
        start = time.perf_counter()
        process = subprocess.Popen([self.program, "run", *self.network, *files, "-q"], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"archc run ended with {process.returncode}")
        self.first, self.resident = time.perf_counter() - start, used.ru_maxrss * 1024
        self.off = off(numpy.load(folder / "a.npy"), numpy.load(folder / "y.npy"))

    def round(self, repeat):
        sizes = ["--batch", self.row.batch, "--size", f"{self.row.size}x{self.row.size}", "--repeat", repeat]
        command = [self.program, "bench", *self.network, *map(str, sizes), "--json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["median_ms"]

    def close(self):
        pass


def contest(row, options, folder):
    """All contenders on one row: what each needed, and what kept those away who are not in it."""
    subprocess.run([sys.executable, __file__, "--serve", "export", row.key, str(folder)], check=True)
    contenders = [Archc(options.archc, row, folder, options.threads)]
    contenders += [Peer(name, row, folder, options.threads) for name in PEERS]
    away = {c.name: c.missing for c in contenders if c.missing}
    away |= {c.name: f"is {c.off:.1e} off" for c in contenders if c.off is not None and not c.off < TOLERANCE}
    present = [c for c in contenders if c.name not in away]
    rounds = {c.name: [] for c in present}
    for turn in range(options.rounds):
        for c in present[turn % len(present) :] + present[: turn % len(present)]:
            time.sleep(options.pause)
            rounds[c.name].append(c.round(options.repeat))
    for c in contenders:
        c.close()
    measured = {
        c.name: {
            "median_ms": statistics.median(rounds[c.name]),
            "min_ms": min(rounds[c.name]),
            "max_ms": max(rounds[c.name]),
            "off": c.off,
            "first_answer_s": c.first,
            "resident_bytes": c.resident,
        }
        for c in present
    }
    others = {name: it["median_ms"] for name, it in measured.items() if name != "archc"}
    best = min(others, key=others.get, default=None)
    ratio = measured["archc"]["median_ms"] / others[best] if best and "archc" in measured else None
    return {**asdict(row), "contenders": measured, "away": away, "best_peer": best, "ratio": ratio}


# --- What is said -----------------------------------------------------------------------------------------------------


def versions(options):
    """Versions of everything that was timed, and of what it ran on."""

    def package(name):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    def command(*words):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() or None

    with open("/proc/cpuinfo") as cpus:
        named = (line.split(":", 1)[1].strip() for line in cpus if line.startswith("model name"))
        cpu = next(named, platform.machine())
    packages = {name: package(name) for name in ["torch", "torchvision", "onnxruntime", "openvino", "ncnn", "pnnx"]}
    archc = {"archc": command(options.archc, "--version"), "commit": command("git", "rev-parse", "--short", "HEAD")}
    machine = {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    return {**archc, **packages, **machine}


def markdown(rows, about, options):
    names = [name for name in NAMES if any(name in row["contenders"] for row in rows)]
    head = ["ms"] + [NAMES[name] for name in names] + ["archc over the best"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for row in rows:
        it = row["contenders"]
        cells = [f"{it[name]['median_ms']:.1f}" if name in it else "–" for name in names]
        if row["best_peer"]:
            at = names.index(row["best_peer"])
            cells[at] = f"**{cells[at]}**"
        lines.append([Row(**{k: row[k] for k in Row.__annotations__}).title, *cells, f"{row['ratio'] or 0:.2f}"])
    text = table(lines)
    # The largest of the classifiers: memory and start grow with weights.
    for row in sorted(rows, key=lambda row: row["name"] != "resnet50"):
        it = row["contenders"]
        if row["batch"] == 1 and all(it[name][key] for name in it for key in ["first_answer_s", "resident_bytes"]):
            text += "\n\n" + table(of_a_process(row, [name for name in names if name in it]))
            break
    packages = ", ".join(
        f"{NAMES.get(name, name)} {about[key]}"
        for name, key in [("pytorch", "torch"), ("onnxruntime",) * 2, ("openvino",) * 2, ("ncnn",) * 2]
        if about[key]
    )
    return (
        f"{text}\n\n{options.threads} threads on {about['cpu']}; medians of {options.rounds} interleaved rounds of "
        f"{options.repeat} runs; f32. {about['archc']} ({about['commit']}), {packages}."
    )


def table(lines):
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def of_a_process(row, names):
    """What a process needs that loads a network and runs it once."""
    it = row["contenders"]
    return [
        [f"a process that runs {row['model']} once"] + [NAMES[name] for name in names],
        ["---"] + ["---:"] * len(names),
        ["s from its start to the answer"] + [f"{it[name]['first_answer_s']:.2f}" for name in names],
        ["MiB resident at most"] + [f"{it[name]['resident_bytes'] / 2**20:.0f}" for name in names],
    ]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archc", default=str(ROOT / "target/release/archc"), help="the program, built for release")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--repeat", type=int, default=5, help="timed runs of a contender in a round")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds before each, in which the others fall asleep")
    parser.add_argument("--rows", default="", help=f"some of {', '.join(row.key for row in ROWS)}; all by default")
    parser.add_argument("--json", help="write everything that was measured into this file")
    parser.add_argument("--serve", nargs=3, metavar=("PEER", "ROW", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    by_key = {row.key: row for row in ROWS}
    if options.serve:
        peer, key, folder = options.serve
        if peer == "export":
            return export(by_key[key], Path(folder))
        return serve(peer, by_key[key], Path(folder), options.threads)
    options.archc = str(Path(options.archc).resolve())
    wanted = [key for key in options.rows.split(",") if key] or list(by_key)
    if strangers := [key for key in wanted if key not in by_key]:
        sys.exit(f"there is no row {', '.join(strangers)}; the rows are {', '.join(by_key)}")
    about, rows = versions(options), []
    for key in wanted:
        with tempfile.TemporaryDirectory() as folder:
            row = contest(by_key[key], options, Path(folder))
        rows.append(row)
        times = ", ".join(f"{name} {it['median_ms']:.2f}" for name, it in row["contenders"].items())
        print(f"{key}: {times}", *(f"({name}: {why})" for name, why in row["away"].items()), file=sys.stderr)
    print(markdown(rows, about, options))
    if options.json:
        settings = {name: getattr(options, name) for name in ["threads", "rounds", "repeat", "pause"]}
        Path(options.json).write_text(json.dumps({"about": about, "settings": settings, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
