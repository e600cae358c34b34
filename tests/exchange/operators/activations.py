"""Activations and merges that are written out, right and almost right; doors of networks."""

import numpy as np

from .graph import X, ints, numbers, pitfall
from .pitfalls import IMAGE, Net


def f(value):
    return np.float32(value)


@pitfall
def gelus():
    for note, root, one, half in [("as it is", 2**0.5, 1.0, 0.5), ("another root", 2.0, 1.0, 0.5), ("another one", 2**0.5, 2.0, 0.5), ("another half", 2**0.5, 1.0, 0.4)]:
        for order in ["x·(…)·½", "½x·(…)", "x·(½·…)"]:
            net = Net(f"gelu written out, {note}, {order}")
            inner = net("Add", net("Erf", net("Div", "x", f(root))), f(one))
            if order == "x·(…)·½":
                y = net("Mul", net("Mul", "x", inner), f(half))
            elif order == "½x·(…)":
                y = net("Mul", net("Mul", "x", f(half)), inner)
            else:
                y = net("Mul", "x", net("Mul", inner, f(half)))
            yield net.case(y)
    net = Net("gelu written out, of two values", X(IMAGE, "x"), X(IMAGE, "b"))
    yield net.case(net("Mul", net("Mul", "b", net("Add", net("Erf", net("Div", "x", f(2**0.5))), f(1))), f(0.5)))
    net = Net("gelu by tanh written out")
    cubic = net("Mul", net("Pow", "x", f(3)), f(0.044715))
    inner = net("Tanh", net("Mul", net("Add", "x", cubic), f(0.7978846)))
    yield net.case(net("Mul", net("Mul", "x", net("Add", inner, f(1))), f(0.5)))


@pitfall
def gates():
    net = Net("silu")
    yield net.case(net("Mul", "x", net("Sigmoid", "x")))
    net = Net("silu with a factor")
    yield net.case(net("Mul", "x", net("Sigmoid", net("Mul", "x", f(1.702)))))
    net = Net("sigmoid of something else", X(IMAGE, "x"), X(IMAGE, "b"))
    yield net.case(net("Mul", "x", net("Sigmoid", "b")))
    net = Net("mish written out")
    yield net.case(net("Mul", "x", net("Tanh", net("Softplus", "x"))))
    for three, six, sixth, limit in [(3, 6, 6, 0), (3, 6, 6, -1), (3, 5, 6, 0), (2, 6, 6, 0), (3, 6, 5, 0)]:
        net = Net(f"hard swish written out, {three} {limit}…{six} {sixth}")
        yield net.case(net("Div", net("Mul", "x", net("Clip", net("Add", "x", f(three)), f(limit), f(six))), f(sixth)))
        net = Net(f"hard sigmoid written out, {three} {limit}…{six} {sixth}")
        yield net.case(net("Div", net("Clip", net("Add", "x", f(three)), f(limit), f(six)), f(sixth)))
    net = Net("hard swish of HardSigmoid")
    yield net.case(net("Mul", "x", net("HardSigmoid", "x", alpha=1 / 6)))
    net = Net("HardSigmoid of slope 1/5 times x")
    yield net.case(net("Mul", "x", net("HardSigmoid", "x")))
    net = Net("the greater of x and 0")
    yield net.case(net("Max", "x", f(0)))
    net = Net("leaky, as the greater of two")
    yield net.case(net("Max", "x", net("Mul", "x", f(0.1))))
    for swap in [False, True]:
        net = Net(f"highway gate{' changed over' if swap else ''}")
        t = net("Sigmoid", net("Conv", "x", numbers(4, 4, 1, 1)))
        h = net("Relu", net("Conv", "x", numbers(4, 4, 1, 1, seed=8)))
        shut = net("Sub", f(1), t)
        first, second = (shut, t) if swap else (t, shut)
        yield net.case(net("Add", net("Mul", first, h), net("Mul", second, "x")))
    for one in [2.0]:
        net = Net("highway gate of 2 − t")
        t = net("Sigmoid", net("Conv", "x", numbers(4, 4, 1, 1)))
        yield net.case(net("Add", net("Mul", t, net("Relu", "x")), net("Mul", net("Sub", f(one), t), "x")))


@pitfall
def merges():
    net = Net("squeeze and excitation")
    gate = net("Sigmoid", net("Conv", net("GlobalAveragePool", "x"), numbers(4, 4, 1, 1)))
    yield net.case(net("Mul", "x", gate))
    net = Net("squeeze and excitation by a reduced mean and linear layers")
    gate = net("Sigmoid", net("Gemm", net("ReduceMean", "x", axes=[2, 3], keepdims=0), numbers(4, 4)))
    yield net.case(net("Mul", "x", net("Unsqueeze", gate, ints(2, 3))))
    net = Net("a mask of one channel")
    yield net.case(net("Mul", "x", net("Sigmoid", net("Conv", "x", numbers(1, 4, 1, 1)))))
    net = Net("a mask of the channels' mean and maximum")
    both = net("Concat", net("ReduceMean", "x", axes=[1]), net("ReduceMax", "x", axes=[1]), axis=1)
    yield net.case(net("Mul", "x", net("Sigmoid", net("Conv", both, numbers(1, 2, 3, 3), pads=[1] * 4))))
    net = Net("a sum with what is broadcast")
    yield net.case(net("Add", "x", net("GlobalAveragePool", "x")))
    net = Net("a difference of paths")
    yield net.case(net("Sub", net("Conv", "x", numbers(4, 4, 1, 1)), "x"))
    net = Net("a quotient of paths")
    yield net.case(net("Div", "x", net("Exp", "x")))
    net = Net("a path scaled before the sum")
    yield net.case(net("Add", "x", net("Mul", net("Conv", "x", numbers(4, 4, 1, 1)), f(0.3))))
    net = Net("both paths scaled before the sum")
    yield net.case(net("Add", net("Mul", "x", f(0.5)), net("Mul", net("Conv", "x", numbers(4, 4, 1, 1)), f(0.3))))
    for shape in [(4, 1, 1), (1, 4, 1, 1), (8,), (6, 1), (), (4, 6, 8), (1, 4, 6, 8)]:
        net = Net(f"a convolution, then a constant {shape} is added")
        yield net.case(net("Relu", net("Add", net("Conv", "x", numbers(4, 4, 1, 1)), numbers(*shape))))
        net = Net(f"a convolution, then it is multiplied by a constant {shape}")
        yield net.case(net("Relu", net("Mul", net("Conv", "x", numbers(4, 4, 1, 1)), numbers(*shape))))
    net = Net("a linear layer of a product and a sum", X((2, 6)))
    yield net.case(net("Add", net("MatMul", "x", numbers(6, 5)), numbers(5)))
    net = Net("a linear layer of the last axis", X((2, 4, 6)))
    yield net.case(net("Add", net("MatMul", "x", numbers(6, 5)), numbers(5)))
    net = Net("a product with a constant for each of the batch", X((2, 6), fixed=True))
    yield net.case(net("Mul", net("Gemm", "x", numbers(6, 6)), numbers(2, 1)))
    net = Net("normalised pictures", X((2, 3, 6, 8)))
    y = net("Div", net("Sub", "x", numbers(1, 3, 1, 1)), numbers(1, 3, 1, 1, low=0.3))
    yield net.case(net("Conv", y, numbers(4, 3, 3, 3)))
    net = Net("pictures of 0…255", X((2, 3, 6, 8)))
    yield net.case(net("Conv", net("Div", "x", f(255)), numbers(4, 3, 3, 3)))


@pitfall
def sizes():
    net = Net("flattened by Shape, Gather, Concat")
    batch = net("Unsqueeze", net("Gather", net("Shape", "x"), np.int64(0), axis=0), ints(0))
    yield net.case(net("Gemm", net("Reshape", "x", net("Concat", batch, ints(-1), axis=0)), numbers(192, 5)))
    net = Net("flattened by the wrong axis of Shape", X((4, 4, 6, 8)))
    channels = net("Unsqueeze", net("Gather", net("Shape", "x"), np.int64(1), axis=0), ints(0))
    yield net.case(net("Reshape", "x", net("Concat", channels, ints(-1), axis=0)))
    net = Net("twice as large by Shape")
    dims = net("Shape", "x")
    target = net("Concat", net("Slice", dims, ints(0), ints(2), ints(0)), net("Mul", net("Slice", dims, ints(2), ints(4), ints(0)), ints(2, 2)), axis=0)
    yield net.case(net("Resize", "x", "", "", target, mode="linear"))
    net = Net("as large as another", X(IMAGE, "x"), X((2, 3, 9, 12), "b"))
    target = net("Concat", net("Slice", net("Shape", "x"), ints(0), ints(2), ints(0)), net("Slice", net("Shape", "b"), ints(2), ints(4), ints(0)), axis=0)
    yield net.case(net("Concat", net("Resize", "x", "", "", target, mode="linear"), "b", axis=1))
    net = Net("rows joined with the batch")
    yield net.case(net("Reshape", net("Softmax", net("Reshape", "x", ints(-1, 8)), axis=1), ints(-1, 4, 6, 8)))
    net = Net("softmax of all places")
    yield net.case(net("Reshape", net("Softmax", net("Reshape", "x", ints(0, 4, -1)), axis=-1), ints(0, 4, 6, 8)))
    net = Net("the mean of the batch")
    yield net.case(net("Sub", "x", net("ReduceMean", "x", axes=[0])))
    net = Net("a weight turned before it is used", X((2, 6)))
    yield net.case(net("MatMul", "x", net("Transpose", numbers(5, 6), perm=[1, 0])))
    net = Net("padded unevenly, then a convolution of stride 2")
    yield net.case(net("Conv", net("Pad", "x", ints(0, 0, 0, 0, 0, 0, 1, 1)), numbers(4, 4, 3, 3), strides=[2, 2]))
    net = Net("a transposed convolution, cropped")
    y = net("ConvTranspose", "x", numbers(4, 4, 3, 3), strides=[2, 2])
    yield net.case(net("Slice", y, ints(0, 0), ints(-1, -1), ints(2, 3)))
    net = Net("a pool and its indices")
    y, places = net("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2], outputs=2)
    yield net.case(net("MaxUnpool", y, places, kernel_shape=[2, 2], strides=[2, 2]))
    net = Net("pooled to sizes that do not divide, by a window")
    yield net.case(net("AveragePool", "x", kernel_shape=[3, 3], strides=[3, 5]))
    net = Net("squeezed after a global pool", X((2, 4, 6, 8)))
    yield net.case(net("Gemm", net("Squeeze", net("GlobalAveragePool", "x"), ints(2, 3)), numbers(4, 5)))
    net = Net("squeezed without axes", X((1, 4, 6, 8), fixed=True))
    yield net.case(net("Squeeze", net("GlobalAveragePool", "x")))


@pitfall
def doors():
    net = Net("two outputs")
    y = net("Relu", net("Conv", "x", numbers(4, 4, 1, 1)))
    yield net.case(y, net("GlobalAveragePool", y))
    net = Net("an output that is read on")
    y = net("Conv", "x", numbers(4, 4, 1, 1))
    yield net.case(net("Relu", y), y)
    net = Net("one value given twice")
    y = net("Relu", "x")
    yield net.case(net("Identity", y), net("Identity", y))
    net = Net("the input given back")
    yield net.case(net("Identity", "x"), net("Relu", "x"))
    net = Net("a constant output")
    yield net.case(net("Relu", "x"), net("Add", numbers(3), numbers(3, seed=1)))
    net = Net("a size as an output")
    yield net.case(net("Relu", "x"), net("Cast", net("Shape", "x"), to=1))
    for name in ["input", "model", "x.1", "0", "onnx::Conv_1", "self", "N", "block", "été"]:
        net = Net(f"an input called {name}", X(IMAGE, name))
        yield net.case(net("Relu", net("Conv", name, numbers(4, 4, 1, 1))))
    net = Net("an input that nobody reads", X(IMAGE, "x"), X((2, 3), "b"))
    yield net.case(net("Relu", "x"))
    for dims in [(2,), (2, 3, 4, 5, 6)]:
        net = Net(f"an input of sizes {dims}", X(dims))
        yield net.case(net("Relu", "x"))
    net = Net("inputs of other batches", X((2, 4), "x", fixed=True), X((1, 4), "b", fixed=True))
    yield net.case(net("Add", "x", "b"))
