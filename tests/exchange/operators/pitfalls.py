"""Small graphs of several operators that are easily read as something else."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .graph import Case, X, ints, numbers, pitfall

IMAGE = (2, 4, 6, 8)


SAME = object()


class Net:
    """A graph that grows node by node; every node is named by its operator and its place."""

    def __init__(self, title, *inputs, opset=17, **more):
        self.title, self.inputs, self.opset, self.more = title, list(inputs) or [X(IMAGE)], opset, more
        self.nodes, self.consts = [], {}

    def const(self, value):
        name = f"k{len(self.consts)}"
        self.consts[name] = value
        return name

    def __call__(self, op, *operands, outputs=1, domain="", **attributes):
        names = [o if isinstance(o, str) else self.const(o) for o in operands]
        place = len(self.nodes)
        outs = [f"v{place}"] + [f"v{place}_{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, names, outs, name=f"{op}_{place}", domain=domain, **attributes))
        return outs[0] if outputs == 1 else outs

    def case(self, *outputs):
        return Case("graph", self.opset, f"graph: {self.title}", {}, self.nodes, self.inputs, self.consts, list(outputs), **self.more)


@pitfall
def training():
    for outputs in [1, 3]:
        net = Net(f"batch norm in training, {outputs} outputs")
        x = net("Conv", "x", numbers(4, 4, 1, 1))
        y = net("BatchNormalization", x, numbers(4), numbers(4), numbers(4), numbers(4, low=0.5), training_mode=1, outputs=outputs)
        yield net.case(net("Relu", y if outputs == 1 else y[0]))
    net = Net("dropout whose mask is used")
    y, mask = net("Dropout", "x", outputs=2)
    yield net.case(net("Mul", y, net("Cast", mask, to=TensorProto.FLOAT)))
    net = Net("dropout whose mask is given")
    y, mask = net("Dropout", "x", outputs=2)
    yield net.case(y, net("Cast", mask, to=TensorProto.FLOAT))
    net = Net("dropout in training", opset=13)
    yield net.case(net("Relu", net("Dropout", "x", np.float32(0.5), np.bool_(True))))


@pitfall
def shared():
    net = Net("one weight of two convolutions")
    w = net.const(numbers(4, 4, 3, 3))
    yield net.case(net("Conv", net("Relu", net("Conv", "x", w, pads=[1] * 4)), w, pads=[1] * 4))
    net = Net("one weight of a convolution and a product")
    w = net.const(numbers(4, 4, 1, 1))
    yield net.case(net("Mul", net("Conv", "x", w), net("Reshape", net("Slice", w, ints(0), ints(1), ints(0)), ints(4, 1, 1))))
    net = Net("one weight there and back", X((2, 6)))
    w = net.const(numbers(6, 6))
    yield net.case(net("Gemm", net("Gemm", "x", w), w, transB=1))
    net = Net("one vector as four of a norm")
    v = net.const(numbers(4, low=0.5))
    yield net.case(net("BatchNormalization", "x", v, v, v, v))
    net = Net("one bias of two layers", X((2, 6)))
    b = net.const(numbers(6))
    yield net.case(net("Gemm", net("Gemm", "x", numbers(6, 6), b), numbers(6, 6, seed=9), b))


@pitfall
def casts():
    for name, bound in [("FLOAT16", 2e-3), ("DOUBLE", 1e-4)]:
        net = Net(f"cast to {name} and back", bound=bound)
        y = net("Relu", net("Cast", "x", to=getattr(TensorProto, name)))
        yield net.case(net("Cast", y, to=TensorProto.FLOAT))
    for name in ["INT32", "INT64", "BOOL", "UINT8"]:
        net = Net(f"cast to {name} and back between layers")
        y = net("Cast", net("Conv", "x", numbers(4, 4, 1, 1)), to=getattr(TensorProto, name))
        yield net.case(net("Relu", net("Cast", y, to=TensorProto.FLOAT)))
    for kind in [np.float16, np.float64]:
        net = Net(f"weight of {kind.__name__} cast to single")
        yield net.case(net("Conv", "x", net("Cast", numbers(3, 4, 3, 3).astype(kind), to=TensorProto.FLOAT)))
    net = Net("weight cast to whole numbers and back")
    w = net("Cast", net("Cast", numbers(3, 4, 3, 3) * 3, to=TensorProto.INT32), to=TensorProto.FLOAT)
    yield net.case(net("Conv", "x", w))


def layer_norm(net, x, axes, root="Sqrt", eps=1e-5, double=2.0):
    mean = net("ReduceMean", x, axes=axes)
    centred = net("Sub", x, mean)
    variance = net("ReduceMean", net("Pow", centred, np.float32(double)), axes=axes)
    return net("Div", centred, net(root, net("Add", variance, np.float32(eps))))


@pitfall
def written_norms():
    for dims, axes, shape in [((2, 6), [-1], (6,)), (IMAGE, [-1], (8,)), (IMAGE, [1], (4, 1, 1)), (IMAGE, [2, 3], (4, 1, 1)), (IMAGE, [1, 2, 3], (4, 6, 8)),
                              ((2, 6, 5), [-1], (5,)), (IMAGE, [-1], (4, 1, 1))]:
        net = Net(f"layer norm of {dims} over {axes} written out, weight {shape}", X(dims))
        y = layer_norm(net, "x", axes)
        yield net.case(net("Add", net("Mul", y, numbers(*shape)), numbers(*shape, seed=3)))
    for note, more in [("eps 0.3", dict(eps=0.3)), ("cubed", dict(double=3.0)), ("exp for root", dict(root="Exp"))]:
        net = Net(f"layer norm written out, {note}", X((2, 6)))
        yield net.case(net("Mul", layer_norm(net, "x", [-1], **more), numbers(6)))
    net = Net("layer norm of moved channels")
    y = net("LayerNormalization", net("Transpose", "x", perm=[0, 2, 3, 1]), numbers(4), numbers(4))
    yield net.case(net("Transpose", y, perm=[0, 3, 1, 2]))
    net = Net("layer norm of turned axes")
    y = net("LayerNormalization", net("Transpose", "x", perm=[0, 3, 2, 1]), numbers(4), numbers(4))
    yield net.case(net("Transpose", y, perm=[0, 3, 2, 1]))
    net = Net("layer norm of moved channels, moved elsewhere", X((2, 4, 4, 4)))
    y = net("LayerNormalization", net("Transpose", "x", perm=[0, 2, 3, 1]), numbers(4), numbers(4))
    yield net.case(net("Transpose", y, perm=[0, 2, 3, 1]))
    for weight, target in [(np.ones(2, np.float32), IMAGE), (numbers(2), IMAGE), (np.ones(2, np.float32), (2, 4, 8, 6))]:
        net = Net(f"group norm written out, weight {weight}, to {target}")
        y = net("InstanceNormalization", net("Reshape", "x", ints(0, 2, -1)), weight, weight * 0)
        yield net.case(net("Add", net("Mul", net("Reshape", y, ints(0, *target[1:])), numbers(4, 1, 1)), numbers(4, 1, 1, seed=2)))


@pitfall
def channels_last():
    w, last = numbers(4, 4, 3, 3), (2, 6, 8, 4)
    there, back = dict(perm=[0, 3, 1, 2]), dict(perm=[0, 2, 3, 1])
    net = Net("channels last, between doors", X(last))
    yield net.case(net("Transpose", net("Relu", net("Conv", net("Transpose", "x", **there), w)), **back))
    net = Net("channels last, transposes between layers", X(last))
    y = net("Transpose", net("Conv", net("Transpose", "x", **there), w), **back)
    y = net("Transpose", net("Relu", y), **there)
    yield net.case(net("Transpose", net("Conv", y, w), **back))
    net = Net("channels last, flattened, then a linear layer", X(last))
    y = net("Transpose", net("Conv", net("Transpose", "x", **there), w), **back)
    yield net.case(net("Gemm", net("Flatten", y), numbers(96, 5)))
    net = Net("channels last, reshaped, then a linear layer", X(last))
    y = net("Transpose", net("Conv", net("Transpose", "x", **there), w), **back)
    yield net.case(net("MatMul", net("Reshape", y, ints(-1, 96)), numbers(96, 5)))
    for op in ["Mul", "Add"]:
        net = Net(f"channels last, {op} of a vector", X(last))
        y = net("Transpose", net("Conv", net("Transpose", "x", **there), w, pads=[1] * 4), **back)
        yield net.case(net("Transpose", net("Relu", net("Transpose", net(op, y, numbers(4)), **there)), **back))
    for op, attributes, operands in [("Concat", dict(axis=3), [SAME]), ("Concat", dict(axis=1), [SAME]), ("Softmax", dict(axis=-1), []), ("Softmax", dict(axis=1), []),
                                     ("ReduceMean", dict(axes=[1, 2]), []), ("ReduceMean", dict(axes=[2, 3]), []),
                                     ("Pad", {}, [ints(0, 1, 1, 0, 0, 1, 1, 0)]), ("Slice", {}, [ints(1, 1), ints(5, 7), ints(1, 2)])]:
        net = Net(f"channels last, {op} {attributes}", X(last))
        y = net("Transpose", net("Conv", net("Transpose", "x", **there), w, pads=[1] * 4), **back)
        y = net(op, y, *[y if o is SAME else o for o in operands], **attributes)
        yield net.case(net("Transpose", net("Relu", net("Transpose", y, **there)), **back))
    net = Net("channels last, one side of a sum not", X((2, 6, 6, 6)))
    t = net("Transpose", "x", **there)
    yield net.case(net("Add", net("Conv", t, numbers(6, 6, 1, 1)), "x"))
    net = Net("channels moved once, and given", X(last))
    yield net.case(net("Conv", net("Transpose", "x", **there), w))
    net = Net("rows and columns turned")
    yield net.case(net("Relu", net("Transpose", "x", perm=[0, 1, 3, 2])))
    net = Net("moved twice, not back", X((2, 4, 4, 4)))
    yield net.case(net("Conv", net("Transpose", net("Transpose", "x", **there), **there), w))


@pitfall
def parts():
    net = Net("gated halves")
    a, b = net("Split", "x", ints(2, 2), axis=1, outputs=2)
    yield net.case(net("Mul", a, net("Sigmoid", b)))
    net = Net("halves changed over")
    a, b = net("Split", "x", ints(2, 2), axis=1, outputs=2)
    yield net.case(net("Concat", b, a, axis=1))
    net = Net("halves of the height")
    a, b = net("Split", "x", ints(3, 3), axis=2, outputs=2)
    yield net.case(net("Add", a, b))
    net = Net("the last third only")
    yield net.case(net("Relu", net("Split", "x", ints(1, 1, 2), axis=1, outputs=3)[2]))
    net = Net("every second row and column, four times")
    ends = ints(2**31, 2**31)
    cuts = [net("Slice", "x", ints(a, b), ends, ints(2, 3), ints(2, 2)) for b in (0, 1) for a in (0, 1)]
    yield net.case(net("Concat", *cuts, axis=1))
    net = Net("every second row and column of a stride")
    yield net.case(net("Conv", net("Slice", "x", ints(0, 0), ends, ints(2, 3), ints(2, 2)), numbers(4, 4, 1, 1)))
    for perm, note in [([0, 2, 1, 3, 4], "channels shuffled"), ([0, 1, 2, 4, 3], "turned under two groups"), ([0, 2, 1, 4, 3], "shuffled and turned")]:
        net = Net(note, X((2, 4, 6, 6)))
        y = net("Transpose", net("Reshape", "x", ints(0, 2, 2, 6, 6)), perm=perm)
        yield net.case(net("Conv", net("Reshape", y, ints(0, 4, 6, 6)), numbers(3, 4, 1, 1)))
    for mode in ["DCR", "CRD"]:
        net = Net(f"depth to space {mode} after a convolution")
        yield net.case(net("Relu", net("DepthToSpace", net("Conv", "x", numbers(8, 4, 1, 1)), blocksize=2, mode=mode)))
    for perm in [[0, 1, 4, 2, 5, 3], [0, 3, 4, 1, 5, 2]]:
        net = Net(f"depth to space written out {perm}")
        shape = ints(0, 1, 2, 2, 6, 8) if perm[1] == 1 else ints(0, 2, 2, 1, 6, 8)
        yield net.case(net("Reshape", net("Transpose", net("Reshape", "x", shape), perm=perm), ints(0, 1, 12, 16)))


@pitfall
def quantised():
    small = np.arange(-54, 54, dtype=np.int8).reshape(3, 4, 3, 3)
    for note, more, attributes in [("one scale", [np.float32(0.02)], {}), ("one scale and zero", [np.float32(0.02), np.int8(5)], {}),
                                   ("scales of outputs", [numbers(3, low=0.01), np.array([1, -2, 3], np.int8)], dict(axis=0)),
                                   ("scales of inputs", [numbers(4, low=0.01), np.array([1, -2, 3, 0], np.int8)], dict(axis=1)),
                                   ("scales of columns", [numbers(3, low=0.01), np.array([1, -2, 3], np.int8)], dict(axis=-1))]:
        net = Net(f"weights dequantised, {note}")
        yield net.case(net("Conv", "x", net("DequantizeLinear", small, *more, **attributes)))
    net = Net("values quantised and dequantised")
    q = net("QuantizeLinear", "x", np.float32(0.05), np.uint8(128))
    yield net.case(net("Conv", net("DequantizeLinear", q, np.float32(0.05), np.uint8(128)), numbers(3, 4, 1, 1)))
    net = Net("weights quantised and dequantised")
    q = net("QuantizeLinear", numbers(3, 4, 1, 1), np.float32(0.05), np.int8(0))
    yield net.case(net("Conv", "x", net("DequantizeLinear", q, np.float32(0.05), np.int8(0))))


@pitfall
def domains():
    net = Net("Gelu of another domain", domains={"com.microsoft": 1})
    yield net.case(net("Gelu", net("Conv", "x", numbers(4, 4, 1, 1)), domain="com.microsoft"))
    net = Net("FusedConv", domains={"com.microsoft": 1})
    yield net.case(net("FusedConv", "x", numbers(4, 4, 1, 1), numbers(4), activation="Relu", domain="com.microsoft"))
    net = Net("Relu named as of ai.onnx", domains={"ai.onnx": 17})
    yield net.case(net("Relu", "x", domain="ai.onnx"))
    for condition in ["known", "computed"]:
        net = Net(f"If of a condition that is {condition}")
        branch = lambda op: helper.make_graph([helper.make_node(op, ["x"], [f"{op}_out"], name=f"{op}_in")], op, [],
                                              [helper.make_empty_tensor_value_info(f"{op}_out")])
        test = np.bool_(True) if condition == "known" else net("Greater", net("ReduceMax", "x", keepdims=0), np.float32(0))
        yield net.case(net("If", test, then_branch=branch("Relu"), else_branch=branch("Tanh")))
    net = Net("a recurrent layer", X((5, 2, 4)))
    yield net.case(net("LSTM", "x", numbers(1, 12, 4), numbers(1, 12, 3), hidden_size=3))
    net = Net("a node that nobody reads")
    net("Det", net("Reshape", "x", ints(-1, 2, 2)))
    yield net.case(net("Relu", "x"))
    net = Net("attention")
    q, k = net("Conv", "x", numbers(4, 4, 1, 1)), net("Conv", "x", numbers(4, 4, 1, 1, seed=9))
    scores = net("Softmax", net("MatMul", net("Reshape", q, ints(0, 4, -1)), net("Transpose", net("Reshape", k, ints(0, 4, -1)), perm=[0, 2, 1])), axis=-1)
    yield net.case(scores)


@pitfall
def stored():
    """Initializers as they may be stored."""
    value = numbers(3, 4, 1, 1)
    for kind in [np.float16, np.float64]:
        net = Net(f"weights of {kind.__name__}, cast")
        yield net.case(net("Conv", "x", net("Cast", value.astype(kind), to=TensorProto.FLOAT)))
    lists = helper.make_tensor("k0", TensorProto.FLOAT, value.shape, value.ravel().tolist())
    net = Net("weights as a list of numbers")
    yield net.case(net("Conv", "x", lists))
    net = Net("weights of a Constant node")
    yield net.case(net("Conv", "x", net("Constant", value=numpy_helper.from_array(value))))
    net = Net("bfloat16 weights, cast")
    half = helper.make_tensor("k0", TensorProto.BFLOAT16, value.shape, value.ravel().tolist())
    yield net.case(net("Conv", "x", net("Cast", half, to=TensorProto.FLOAT)))
    net = Net("half weights as a list, cast")
    half = helper.make_tensor("k0", TensorProto.FLOAT16, value.shape, value.ravel().tolist())
    yield net.case(net("Conv", "x", net("Cast", half, to=TensorProto.FLOAT)))
    net = Net("weights by way of Identity")
    yield net.case(net("Conv", "x", net("Identity", value)))
    net = Net("a sparse weight")
    sparse = helper.make_sparse_tensor(numpy_helper.from_array(numbers(3), "v"), numpy_helper.from_array(ints(0, 5, 11), "i"), [3, 4, 1, 1])
    yield net.case(net("Conv", "x", net("Constant", sparse_value=sparse)))
