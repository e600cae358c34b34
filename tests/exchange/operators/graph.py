"""What a graph is made of, and the list of what makes graphs."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper

OPSETS = range(7, 23)
IR_VERSION = 10
MAKERS, FOLDS, PITFALLS = {}, {}, []


@dataclass(eq=False)
class X:
    """An input of the graph; its first size is the batch, which the file leaves free."""

    dims: tuple
    name: str = "x"
    fixed: bool = False
    low: float = 0.0  # added to the absolute values where it is not 0, for what divides or takes roots


@dataclass
class Case:
    """A graph, and what in it is not the default."""

    op: str
    opset: int
    title: str
    changed: dict
    nodes: list
    inputs: list
    consts: dict
    outputs: list
    domains: dict = field(default_factory=dict)
    base: bool = False
    bound: float = 1e-4
    # Words of which a refusal must have one, besides the operator and its node.
    words: tuple = ()

    def model(self):
        info = lambda x: helper.make_tensor_value_info(
            x.name, TensorProto.FLOAT, [d if i or x.fixed else "N" for i, d in enumerate(x.dims)])
        out = [helper.make_empty_tensor_value_info(name) for name in self.outputs]
        consts = [v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), k) for k, v in self.consts.items()]
        graph = helper.make_graph(self.nodes, "graph", [info(x) for x in self.inputs], out, consts)
        opsets = [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(*pair) for pair in self.domains.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="operators_check")

    def values(self):
        rng = np.random.default_rng(zlib.crc32(self.title.encode()))
        made = {}
        for x in self.inputs:
            value = rng.standard_normal(x.dims).astype(np.float32)
            made[x.name] = np.abs(value) + np.float32(x.low) if x.low else value
        return made


def numbers(*dims, seed=5, low=0.0):
    """Constant numbers of these sizes; at least `low` where that is given."""
    value = np.random.default_rng(seed + sum(dims)).standard_normal(dims).astype(np.float32)
    return np.abs(value) + np.float32(low) if low else value


def ints(*values):
    return np.array(values, np.int64)


def shown(value):
    if isinstance(value, TensorProto):
        return f"tensor of type {value.data_type}"
    if isinstance(value, onnx.SparseTensorProto):
        return "sparse"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value).replace(" ", "")


def said(value):
    """An operand, in a title."""
    if value is None:
        return '""'
    if isinstance(value, X):
        return f"{value.name}{list(value.dims)}".replace(" ", "") + (" fixed" if value.fixed else "")
    value = np.asarray(value)
    kind = {"f": "", "i": "int", "b": "bool", "u": "uint"}[value.dtype.kind]
    if value.ndim <= 1 and value.size <= (2 if value.dtype.kind == "f" else 8):
        value = np.array([f"{v:.3g}" for v in value.ravel()]).reshape(value.shape) if value.dtype.kind == "f" else value
        return f"{kind}{value.tolist()}".replace(" ", "").replace("'", "")
    return f"{kind}{list(value.shape)}".replace(" ", "")


class At:
    """An operator at an opset; its makers ask it for cases."""

    def __init__(self, op, opset):
        self.op, self.opset = op, opset
        self.schema = defs.get_schema(op, opset, "")

    def has(self, attribute):
        return attribute in self.schema.attributes

    def takes(self, name):
        return name in [i.name for i in self.schema.inputs]

    def knows(self, attributes):
        return all(self.has(name) for name in attributes)

    def case(self, changed, *operands, base=None, outputs=1, given=1, note="", **more):
        """One node of the operator. Nothing where this version has not the attributes or inputs.

        `outputs` are requested, the first `given` of them are outputs of the graph.
        """
        attributes = {**(base or {}), **changed}
        if not self.knows(attributes) or len(operands) > self.schema.max_input or outputs > self.schema.max_output:
            return None
        inputs, consts, names = [], {}, []
        for i, operand in enumerate(operands):
            if operand is None:
                names.append("")
            elif isinstance(operand, X):
                if operand not in inputs:
                    inputs.append(operand)
                names.append(operand.name)
            else:
                names.append(f"c{i}")
                consts[f"c{i}"] = operand
        outs = ["y"] + [f"extra{i}" for i in range(1, outputs)]
        node = helper.make_node(self.op, names, outs, name=self.node(), **attributes)
        title = self.title(attributes, operands, note + (f" {outputs} outputs, {given} given" if outputs > 1 else ""))
        return Case(self.op, self.opset, title, changed, [node], inputs, consts, outs[:given], **more)

    def node(self):
        return f"the{self.op}"

    def title(self, attributes, operands, note=""):
        words = [f"{name}={shown(value)}" for name, value in attributes.items()]
        return " ".join([f"{self.op}-{self.opset}", *words, "of", ", ".join(map(said, operands)), note]).strip()

    def fold(self, changed, *operands, base=None, note=""):
        """The operator over constants; what it gives is the weight of a linear layer."""
        attributes = {**(base or {}), **changed}
        if not self.knows(attributes) or len(operands) > self.schema.max_input:
            return None
        names = ["" if operand is None else f"c{i}" for i, operand in enumerate(operands)]
        consts = {f"c{i}": operand for i, operand in enumerate(operands) if operand is not None}
        node = helper.make_node(self.op, names, ["folded"], name=self.node(), **attributes)
        size = self.size_of(node, consts)
        if size is None:
            return None
        consts["column"] = ints(-1, 1)
        nodes = [node, helper.make_node("Cast", ["folded"], ["number"], name="cast", to=TensorProto.FLOAT),
                 helper.make_node("Reshape", ["number", "column"], ["weight"], name="column_of"),
                 helper.make_node("MatMul", ["x", "weight"], ["y"], name="product")]
        title = self.title(attributes, operands, f"folded {note}".strip())
        return Case(self.op, self.opset, title, changed, nodes, [X((2, size))], consts, ["y"])

    def size_of(self, node, consts):
        """How many numbers a node over constants gives; None where ONNX Runtime refuses it."""
        import onnxruntime
        case = Case(self.op, self.opset, "", {}, [node], [], consts, ["folded"])
        try:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 4
            session = onnxruntime.InferenceSession(case.model().SerializeToString(), options)
            return int(session.run(None, {})[0].size) or None
        except Exception:  # what it raises has no common type
            return None


def maker(*ops):
    """A function that gives cases of these operators; the first is of the defaults."""
    def keep(function):
        for op in ops:
            MAKERS.setdefault(op, []).append(function)
        return function
    return keep


def folder(*ops):
    """A function that gives cases of these operators over constants."""
    def keep(function):
        for op in ops:
            FOLDS.setdefault(op, []).append(function)
        return function
    return keep


def pitfall(function):
    PITFALLS.append(function)
    return function
