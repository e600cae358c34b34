"""Changes every attribute of every ONNX operator that `archc import` reads, and asks whether the numbers change as ONNX Runtime's.

    python tests/exchange/operators_check.py ARCHC [WORD ...] [--opset N ...] [--list] [--keep DIR]

For every operator that the importer names, at every opset from 7 to 22 where its schema is another: graphs of that operator alone,
with each attribute at other values, optional inputs and outputs given and not, several ranks and sizes; and small graphs of several
operators that are easily misread. A graph is imported and run by archc, and compared with ONNX Runtime: sizes equal, numbers within
1e-4 of the largest. Or the import is refused, with the operator and the node named, and the attribute where it is the reason. All else
is a failure, and so is an attribute that no graph changes. What ONNX Runtime refuses is skipped.

WORD is a part of a title: `Resize-19`, `auto_pad`, `graph:`. --list prints the titles, --keep saves what fails. Needs onnx, onnxruntime,
numpy and safetensors.
"""

import argparse
import concurrent.futures
import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict

import numpy as np
import onnx
import onnxruntime
from onnx import defs
from safetensors.numpy import load_file

from operators import activations, maths, norms, pitfalls, resizing, shapes, windows  # noqa: F401 (they fill the lists below)
from operators.graph import FOLDS, MAKERS, OPSETS, PITFALLS, At

IMPORTER = pathlib.Path(__file__).resolve().parents[2] / "src" / "exchange" / "onnx" / "import"
REFUSED = IMPORTER / "refused.rs"
# What is read without attributes of its own, or in graphs that another list has.
ELSEWHERE = {"If", "Loop", "Scan"}
SECONDS = 10


def read_operators():
    """The operators that the importer's source reads, and those that it only knows to refuse and that graphs are made of."""
    known = {schema.name for schema in defs.get_all_schemas_with_history() if schema.domain == ""}
    words = {True: set(), False: set()}
    for file in IMPORTER.rglob("*.rs"):
        words[file == REFUSED].update(re.findall(r'"([A-Z][A-Za-z0-9]+)"', file.read_text()))
    read = words[False] & known - ELSEWHERE
    return sorted(read), sorted(words[True] & MAKERS.keys() & known - read)


def opsets_of(op):
    """The opsets within those checked at which an operator's schema is another than at the one before."""
    found = {}
    for opset in OPSETS:
        try:
            schema = defs.get_schema(op, opset, "")
        except defs.SchemaError:
            continue
        if not schema.deprecated:
            found.setdefault(schema.since_version, opset)
    return list(found.values())


def cases(op):
    """Every graph of an operator, and what no graph changes."""
    made, missing, seen = [], [], []
    for opset in opsets_of(op):
        at, here = At(op, opset), []
        for make in MAKERS.get(op, []):
            own = [case for case in make(at) if case]
            if own and make is MAKERS[op][0]:
                own[0].base = True
            here += own
        for make in FOLDS.get(op, []):
            here += [case for case in make(at) if case]
        changed = {name for case in here for name, value in case.changed.items() if not is_default(at.schema, name, value)}
        missing += [f"{op}-{opset}: no graph changes `{name}`" for name in sorted(set(at.schema.attributes) - changed)]
        missing += [f"{op}-{opset}: {text}" for text in optional(at.schema, [node_of(case) for case in here])]
        made += here if signature(at.schema) not in seen else thinned(here)
        seen.append(signature(at.schema))
    if not made and opsets_of(op):
        missing.append(f"{op}: no graphs")
    return made, missing


def node_of(case):
    return next(node for node in case.nodes if node.op_type == case.op)


def optional(schema, nodes):
    """What of optional inputs and outputs no graph gives, leaves out, or asks for."""
    optionals = lambda formals: [(i, f.name) for i, f in enumerate(formals) if f.option == defs.OpSchema.FormalParameterOption.Optional]
    for i, name in optionals(schema.inputs):
        given = {bool(list(node.input)[i:i + 1] not in ([], [""])) for node in nodes}
        if given != {True, False}:
            yield f"no graph {'leaves out' if given == {True} else 'gives'} the input `{name}`"
    for i, name in optionals(schema.outputs):
        if not any(len(node.output) > i for node in nodes):
            yield f"no graph asks for the output `{name}`"


def signature(schema):
    """What a version takes, apart from types."""
    attributes = [(name, str(a.default_value)) for name, a in sorted(schema.attributes.items())]
    return attributes, [(i.name, str(i.option)) for i in [*schema.inputs, *schema.outputs]]


def thinned(made):
    """The first graph of each set of attributes, and of the others every fifth."""
    seen, kept = set(), []
    for i, case in enumerate(made):
        key = tuple(sorted(case.changed))
        if case.base or key not in seen or i % 5 == 0:
            kept.append(case)
        seen.add(key)
    return kept


def is_default(schema, name, value):
    default = schema.attributes[name].default_value
    if not default.name:
        return False
    default = onnx.helper.get_attribute_value(default)
    return (default.decode() if isinstance(default, bytes) else default) == value


def by_runtime(case, values):
    """What ONNX Runtime gives; None where it refuses the graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # Nodes are computed as they stand, not as what they are fused to.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(case.model().SerializeToString(), options, providers=["CPUExecutionProvider"])
        read = {i.name for i in session.get_inputs()}
        return dict(zip(case.outputs, session.run(None, {k: v for k, v in values.items() if k in read})))
    except Exception:  # what it raises has no common type
        return None


class Archc:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def call(self, *args):
        for _ in range(2):  # a machine may be busy; twice is a hang
            try:
                return subprocess.run([self.program, *map(str, args)], capture_output=True, text=True, timeout=SECONDS)
            except subprocess.TimeoutExpired as error:
                late = error
        return subprocess.CompletedProcess(late.cmd, 124, "", f"no answer in {SECONDS} s")

    def saved(self, case, folder):
        here = self.folder / folder
        here.mkdir()
        onnx.save(case.model(), here / "net.onnx")
        return here / "net.onnx"

    def outputs(self, case, number, values):
        """What archc gives, or the text of its refusal."""
        path = self.saved(case, str(number))
        here = path.parent
        arch, out = here / "net.arch", here / "out.safetensors"
        came = self.call("import", path, "-o", arch)
        if came.returncode:
            return came
        args, turned = [], orders(came.stderr)
        for name, value in zip(re.findall(r"^ +input (\w+)", arch.read_text(), re.M), values.values()):
            np.save(here / f"{len(args)}.npy", value.transpose(turned.get(("input", name), range(value.ndim))))
            args += ["--input", f"{name}={here / f'{len(args)}.npy'}"]
        weights = ["--weights", arch.with_suffix(".safetensors")] if arch.with_suffix(".safetensors").exists() else []
        ran = self.call("run", arch, *weights, *args, "--output", out)
        if ran.returncode:
            raise RuntimeError(f"imported, and does not run: {shortened(ran.stderr)}")
        outputs = load_file(out)
        alone = [order for (door, _), order in turned.items() if door == "output" and len(outputs) == 1]
        order = lambda name, value: turned.get(("output", name), alone[0] if alone else range(value.ndim))
        return {name: value.transpose(order(name, value)) for name, value in outputs.items()}


def orders(said):
    """How the axes of inputs and outputs are to be turned, as the notes of an import say."""
    notes = re.findall(r"the (input|output) `([^`]*)` is .*? in the file: \w\.transpose\(([\d, ]*)\)", " ".join(said.split()))
    return {(door, re.sub(r"\W", "_", name)): [int(axis) for axis in order.split(",")] for door, name, order in notes}


def shortened(text):
    return " ".join(re.sub(r"[│╭╰─┬╯·▶]", " ", text).split())[:400]


def compared(case, got, want):
    """What is wrong with numbers, if anything."""
    if len(got) != len(want):
        return f"gives {len(got)} outputs, not {len(want)}"
    if len(got) == 1:
        got = dict(zip(want, got.values()))
    for name, right in want.items():
        value = got.get(name)
        if value is None:
            return f"gives {sorted(got)}, not {name}"
        if value.shape != right.shape:
            return f"gives sizes {list(value.shape)}, not {list(right.shape)}"
        if right.size and not relative(value, right) <= case.bound:
            return f"other numbers: {relative(value, right):.1e}"
    return ""


def relative(got, want):
    got, want = got.astype(np.float64), want.astype(np.float64)
    return float(np.abs(got - want).max() / max(np.abs(want).max(), 1e-12))


def names_place(case, text):
    """Whether a refusal names an operator and its node, or the input or output that no node is to blame for."""
    doors = [x.name for x in case.inputs] + case.outputs
    if "E0832" in text and any(f"`{name}`" in text for name in doors):
        return True
    return any(f"`{node.op_type}`" in text and node.name in text for node in case.nodes)


def plainer(case):
    """The same graph with the attributes left out that are not the default."""
    nodes = []
    for node in case.nodes:
        nodes.append(onnx.NodeProto.FromString(node.SerializeToString()))
        if node.op_type == case.op:
            kept = [attribute for attribute in node.attribute if attribute.name not in case.changed]
            del nodes[-1].attribute[:]
            nodes[-1].attribute.extend(kept)
    return dataclasses.replace(case, nodes=nodes, changed={})


class Check:
    def __init__(self, archc, keep):
        self.archc, self.keep = archc, keep
        self.figures, self.plain, self.alive = Counter(), {}, defaultdict(bool)

    def one(self, numbered):
        number, case = numbered
        values = case.values()
        want = by_runtime(case, values)
        if want is None:
            return case, "skipped", ""
        try:
            got = self.archc.outputs(case, number, values)
        except Exception as error:  # whatever comes of one graph, the others are tried
            return case, "failures", str(error)
        if isinstance(got, dict):
            wrong = compared(case, got, want)
            return case, "failures" if wrong else "equal", wrong
        if got.returncode != 1 or not re.search(r"E083\d", got.stderr):
            return case, "failures", f"exit status {got.returncode}: {shortened(got.stderr)}"
        why = self.unnamed(case, number, " ".join(re.sub(r"[│╭╰─┬╯]", " ", got.stderr).split()))
        return case, "failures" if why else "refused", why and f"{why}: {shortened(got.stderr)}"

    def unnamed(self, case, number, text):
        """What a refusal fails to name, if anything: the attribute too, where the graph is taken without it."""
        if not names_place(case, text):
            return "the refusal names no operator with its node"
        if not case.changed or any(re.search(rf"\b{name}\b", text) for name in case.changed):
            return ""
        other = plainer(case)
        if by_runtime(other, case.values()) is None or self.archc.call("import", self.archc.saved(other, f"{number}-plain"), "-o", self.archc.folder / f"{number}-plain" / "net.arch").returncode:
            return ""
        return f"the refusal names none of {sorted(case.changed)}"

    def judge(self, case, verdict, why):
        if case.base:
            self.plain[(case.op, case.opset)] = verdict
        for name in case.changed:
            self.alive[(case.op, case.opset, name)] |= verdict != "skipped"
        self.figures[verdict] += 1
        if verdict == "failures":
            kept = ""
            if self.keep:
                kept = str(self.keep / (re.sub(r"[^\w.=-]+", "_", case.title)[:150] + ".onnx"))
                onnx.save(case.model(), kept)
            print(f"{case.title}: {why} {kept}".rstrip(), flush=True)

    def all(self, graphs):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for result in pool.map(self.one, enumerate(graphs)):
                self.judge(*result)


def wanted(words):
    said = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    said.add_argument("archc")
    said.add_argument("words", nargs="*")
    said.add_argument("--opset", type=int, nargs="*", default=[])
    said.add_argument("--list", action="store_true")
    said.add_argument("--keep", type=pathlib.Path)
    return said.parse_args(words)


def main():
    onnxruntime.set_default_logger_severity(4)
    args, graphs, missing = wanted(sys.argv[1:]), [], []
    operators, only_refused = read_operators()
    for op in operators:
        made, without = cases(op)
        graphs += made
        missing += without
    graphs += [case for op in only_refused for case in cases(op)[0]]
    graphs += [case for make in PITFALLS for case in make()]
    graphs = list({case.title: case for case in graphs}.values())
    graphs = [case for case in graphs if (not args.words or any(word in case.title for word in args.words))
              and (not args.opset or case.opset in args.opset)]
    if args.list:
        print("\n".join(case.title for case in graphs))
        return
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        check = Check(Archc(args.archc, pathlib.Path(folder)), args.keep)
        check.all(graphs)
    report(check, operators, missing, len(graphs))


def report(check, operators, missing, count):
    refused = [f"{op}-{opset}" for (op, opset), verdict in check.plain.items() if verdict == "refused"]
    never = [f"{op}-{opset} {name}" for (op, opset, name), alive in check.alive.items() if not alive]
    print(f"\n{len(operators)} operators: {' '.join(operators)}")
    print(f"refused even with defaults: {' '.join(refused) or 'none'}")
    print(f"changed only where ONNX Runtime refuses: {', '.join(never) or 'none'}")
    for text in missing:
        print(text)
    kinds = ["equal", "refused", "skipped"]
    figures = ", ".join(f"{check.figures[kind]} {kind}" for kind in kinds)
    failures = check.figures["failures"] + len(missing)
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: {count} graphs, {figures}, {failures} failures")
    sys.exit(1 if failures else 0)


main()
