"""Writes the files of `tests/exchange/onnx/operators`: ONNX graphs of one or a few operators, with what ONNX Runtime computes of
them. Graphs of `READ` must come in and compute the same; those of `REFUSED` must be refused.

    python tests/exchange/make_operators.py

`numbers.safetensors` holds `NAME.in.0`, … and, of those that are read, `NAME.out.0`, …. Needs numpy, onnx, onnxruntime and
safetensors.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "onnx" / "operators"
RNG = np.random.default_rng(11)


def some(*dims):
    return RNG.standard_normal(dims).astype(np.float32)


def whole(*numbers):
    return np.array(numbers, np.int64)


def floats(*numbers):
    return np.array(numbers, np.float32)


def node(op, inputs, output="y", **attributes):
    outputs = [output] if isinstance(output, str) else output
    return helper.make_node(op, inputs.split(",") if isinstance(inputs, str) else inputs, outputs, name=f"{outputs[0]}/{op}", **attributes)


def graph(nodes, constants=None, opset=13, x=(2, 4, 6, 6), outputs=("y",), inputs=("x",)):
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x) for name in inputs]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    stored = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    made = helper.make_graph(nodes, "g", values, given, stored)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def one(op, inputs="x", constants=None, opset=13, x=(2, 4, 6, 6), output="y", **attributes):
    return graph([node(op, inputs, output, **attributes)], constants, opset, x)


def resize(opset=13, scales=None, sizes=None, **attributes):
    if opset < 11:
        return one("Resize", "x,s", {"s": floats(*scales)}, opset, **attributes)
    if scales is not None:
        return one("Resize", "x,,s", {"s": floats(*scales)}, opset, **attributes)
    return one("Resize", "x,,,s", {"s": whole(*sizes)}, opset, **attributes)


def nearest(size, to):
    return whole(*[i * size // to for i in range(to)])


NORM = {"w": some(4), "b": some(4), "m": some(4), "v": np.abs(some(4)) + 0.5}
TO_LAST = node("Transpose", "x", "t", perm=[0, 2, 3, 1])
SPELLED = [
    TO_LAST,
    node("ReduceMean", "t", "m", axes=[-1]),
    node("Sub", "t,m", "d"),
    node("Pow", "d,two", "p"),
    node("ReduceMean", "p", "v", axes=[-1]),
    node("Add", "v,eps", "ve"),
    node("Sqrt", "ve", "r"),
    node("Div", "d,r", "n"),
    node("Mul", "n,w", "nw"),
    node("Add", "nw,b", "nb"),
    node("Transpose", "nb", perm=[0, 3, 1, 2]),
]
READ = {
    "average_same": one("AveragePool", auto_pad="SAME_UPPER", kernel_shape=[2, 2], strides=[2, 2], x=(2, 4, 7, 7)),
    "average_uneven_counted": one("AveragePool", kernel_shape=[3, 3], pads=[0, 1, 1, 2], count_include_pad=1),
    "batch_norm_7": one("BatchNormalization", "x,w,b,m,v", NORM, 7, epsilon=1e-3, momentum=0.8),
    "cast_float": graph([node("Cast", "x", "a", to=11), node("Cast", "a", to=1)]),
    "channels_last_block": graph([
        TO_LAST, node("LayerNormalization", "t,w,b", "n"), node("MatMul", "n,u", "h"), node("Add", "h,c", "hc"),
        node("Relu", "hc", "a"), node("MatMul", "a,d", "l"), node("Transpose", "l", "e", perm=[0, 3, 1, 2]), node("Add", "x,e"),
    ], {"w": NORM["w"], "b": NORM["b"], "u": some(4, 8), "c": some(8), "d": some(8, 4)}, 17),
    "channels_last_flatten": graph([TO_LAST, node("Reshape", "t,s", "f"), node("Gemm", "f,w")],
                                   {"s": whole(-1, 144), "w": some(144, 3)}),
    "clip_6": one("Clip", opset=7, min=0.0, max=6.0),
    "clip_11_open": one("Clip", "x,low", {"low": np.float32(0)}),
    "concat_from_the_end": graph([node("Relu", "x", "a"), node("Concat", "a,x", axis=-3)]),
    "conv_empty_bias": one("Conv", ["x", "w", ""], {"w": some(3, 4, 3, 3)}),
    "conv_same_lower": one("Conv", "x,w,b", {"w": some(3, 4, 2, 2), "b": some(3)}, auto_pad="SAME_LOWER"),
    "conv_transpose_lower": one("ConvTranspose", "x,w", {"w": some(4, 3, 3, 3)}, auto_pad="SAME_LOWER", strides=[2, 2]),
    "conv_transpose_shape": one("ConvTranspose", "x,w", {"w": some(4, 3, 3, 3)}, output_shape=[12, 12], strides=[2, 2]),
    "conv_transpose_upper": one("ConvTranspose", "x,w", {"w": some(4, 3, 3, 3)}, auto_pad="SAME_UPPER", strides=[2, 2]),
    "dead_nodes": graph([node("Sin", "x", "z"), node("Relu", "x")]),
    "dequantised": graph([node("DequantizeLinear", "q,s,z", "w", axis=0), node("Conv", "x,w")], {
        "q": RNG.integers(-99, 99, (3, 4, 3, 3)).astype(np.int8), "s": np.abs(some(3)) / 50,
        "z": RNG.integers(-5, 5, 3).astype(np.int8)}),
    "dropout_ratio": one("Dropout", "x,r", {"r": np.float32(0.3)}),
    "flatten_ones": one("Flatten", x=(2, 1, 1, 6), axis=3),
    "gather_nearest": graph([node("Gather", "x,r", "a", axis=2), node("Gather", "a,c", axis=-1)],
                            {"r": nearest(14, 16), "c": nearest(6, 9)}, x=(2, 2, 14, 6)),
    "gemm_scaled": one("Gemm", "x,w,b", {"w": some(3, 5), "b": np.float32(0.7)}, x=(2, 5), alpha=0.5, beta=2.0, transB=1),
    "group_norm_18": one("GroupNormalization", "x,w,b", {"w": some(2), "b": some(2)}, 18, num_groups=2),
    "group_norm_21": one("GroupNormalization", "x,w,b", {"w": some(4), "b": some(4)}, 21, num_groups=2),
    "layer_norm_spelled": graph(SPELLED, {"two": np.float32(2), "eps": np.float32(1e-3), "w": some(4), "b": some(4)}),
    "max_of_zero": one("Max", "z,x", {"z": np.float32(0)}),
    "max_same": one("MaxPool", auto_pad="SAME_UPPER", kernel_shape=[2, 2]),
    "max_same_lower": one("MaxPool", auto_pad="SAME_LOWER", kernel_shape=[2, 2]),
    "max_uneven": one("MaxPool", kernel_shape=[3, 3], pads=[2, 0, 1, 2]),
    "mean_of_three": graph([node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Mean", "a,b,x")]),
    "mean_of_vectors_kept": one("ReduceMean", "x,a", {"a": whole(-1, -2)}, 18, keepdims=0),
    "mean_of_nothing": graph([node("Relu", "x", "a"), node("ReduceMean", "a", noop_with_empty_axes=1)], opset=18),
    "pad_18_axes": one("Pad", ["x", "p", "", "a"], {"p": whole(1, 2, 0, 1), "a": whole(-1, 2)}, 18),
    "pad_less": one("Pad", "x,p", {"p": whole(0, 0, -1, 2, 0, 0, -2, 0)}),
    "prelu_channels": one("PRelu", "x,s", {"s": np.abs(some(4, 1, 1))}),
    "reduce_one_axis": one("ReduceMax", axes=[3], keepdims=0),
    "resize_axes": one("Resize", ["x", "", "", "s"], {"s": whole(9, 7)}, 18, axes=[3, 2], mode="linear"),
    "resize_half_pixel_ceil": resize(scales=[1, 1, 2, 3], coordinate_transformation_mode="half_pixel"),
    "resize_linear_1.5": resize(scales=[1, 1, 1.5, 0.5], mode="linear"),
    "resize_linear_far": one("Resize", "x,,s", {"s": floats(1, 1, 4 / 3)}, x=(1, 1, 384), mode="linear"),
    "resize_sizes": resize(sizes=[2, 4, 9, 7], mode="linear"),
    "scale_read_twice": graph([node("Mul", "x,c", "m"), node("Relu", "m", "r"), node("Add", "r,m")],
                              {"c": floats(2, -1, 3, 0.5).reshape(4, 1, 1)}),
    "selu": one("Selu"),
    "several_outputs": graph([node("Relu", "x", "y"), node("Tanh", "x", "z")], outputs=("z", "y")),
    "slice_every_second": one("Slice", "x,st,en,ax,by", {"st": whole(0, 0), "en": whole(99, 99), "ax": whole(-1, 2), "by": whole(2, 3)}),
    "softmax_11_rest": one("Softmax", opset=11, x=(2, 5, 1, 1), axis=1),
    "sum_of_three": graph([node("Relu", "x", "a"), node("Tanh", "x", "b"), node("Sum", "a,b,x")]),
    "thresholded": one("ThresholdedRelu", alpha=0.0),
    "unused_constants": one("Relu", constants={"words": np.array(["a"], object), "long": np.array([1], np.uint64)}),
    "upsample_7": one("Upsample", opset=7, scales=[1.0, 1.0, 2.0, 3.0], mode="nearest"),
}
ONES = {"w": some(4, 3, 3, 3)}
REFUSED = {
    "average_dilated": one("AveragePool", opset=19, kernel_shape=[2, 2], dilations=[2, 2]),
    "average_uneven": one("AveragePool", kernel_shape=[3, 3], pads=[0, 0, 1, 1]),
    "batch_in_numbers": graph([node("Shape", "x", "s"), node("Gather", "s,i", "n"), node("Cast", "n", "f", to=1), node("Mul", "x,f")],
                              {"i": np.int64(0)}),
    "batch_norm_14_training": one("BatchNormalization", "x,w,b,m,v", NORM, 14, output=["y", "a", "c"], training_mode=1),
    "batch_norm_9_training": one("BatchNormalization", "x,w,b,m,v", NORM, 9, output=["y", "a", "c", "d", "e"]),
    "cast_whole": graph([node("Cast", "x", "a", to=7), node("Cast", "a", to=1)]),
    "celu": one("Celu", alpha=2.0),
    "channel_split": graph([node("Split", "x", ["a", "b"], axis=1), node("Add", "a,b")]),
    "channel_slice": one("Slice", "x,st,en,ax", {"st": whole(0), "en": whole(2), "ax": whole(1)}),
    "clip_bounds": one("Clip", "x,l,h", {"l": np.float32(-1), "h": np.float32(1)}),
    "conv_kernel_shape": one("Conv", "x,w", {"w": some(3, 4, 3, 3)}, kernel_shape=[2, 2]),
    "conv_transpose_far": one("ConvTranspose", "x,w", ONES, pads=[0, 0, 2, 2], strides=[2, 2]),
    "custom_domain": graph([helper.make_node("FusedConv", ["x"], ["y"], name="the FusedConv", domain="com.microsoft")]),
    "depth_to_space": one("DepthToSpace", blocksize=2),
    "dropout_training": one("Dropout", "x,r,t", {"r": np.float32(0.3), "t": np.bool_(True)}),
    "gather_channels": one("Gather", "x,i", {"i": whole(0, 1)}, axis=1),
    "gather_turned": one("Gather", "x,i", {"i": whole(5, 4, 3, 2, 1, 0)}, axis=2),
    "gelu_tanh": one("Gelu", opset=20, approximate="tanh"),
    "gemm_bias_of_samples": one("Gemm", "x,w,b", {"w": some(5, 3), "b": some(2, 1)}, x=(2, 5)),
    "gemm_turned": one("Gemm", "x,w", {"w": some(2, 3)}, x=(2, 5), transA=1),
    "hard_sigmoid": one("HardSigmoid"),
    "local_response": one("LRN", size=3),
    "log_softmax": one("LogSoftmax"),
    "max_ceil_and_same": one("MaxPool", auto_pad="SAME_UPPER", ceil_mode=1, kernel_shape=[2, 2]),
    "max_dilated_uneven": one("MaxPool", dilations=[2, 2], kernel_shape=[2, 2], pads=[0, 0, 1, 1]),
    "max_dilated_of_relu": graph([node("Relu", "x", "a"), node("MaxPool", "a", dilations=[4, 4], kernel_shape=[2, 2], pads=[0, 0, 1, 1])]),
    "max_unpool": graph([node("MaxPool", "x", ["a", "i"], kernel_shape=[2, 2], strides=[2, 2]),
                         node("MaxUnpool", "a,i", kernel_shape=[2, 2], strides=[2, 2])]),
    "means_almost": one("MatMul", "x,m", {"m": np.kron(np.eye(2), np.full((3, 1), 1 / 3 + 8e-6)).astype(np.float32)}, x=(2, 4, 6)),
    "operand_unknown": one("Relu", "x,z", {"z": some(1)}),
    "pad_value": one("Pad", "x,p,v", {"p": whole(0, 0, 1, 1, 0, 0, 1, 1), "v": np.float32(1)}),
    "pad_wrap": one("Pad", "x,p", {"p": whole(0, 0, 1, 1, 0, 0, 1, 1)}, 19, mode="wrap"),
    "prelu_along_width": one("PRelu", "x,s", {"s": some(6)}),
    "quantised_values": graph([node("QuantizeLinear", "x,s", "q"), node("DequantizeLinear", "q,s")], {"s": np.float32(0.1)}),
    "reduce_channels": one("ReduceMean", axes=[1]),
    "resize_10_linear": resize(10, scales=[1, 1, 2, 2], mode="linear"),
    "resize_align_corners": resize(scales=[1, 1, 2, 2], mode="linear", coordinate_transformation_mode="align_corners"),
    "resize_antialias": resize(18, sizes=[2, 4, 3, 3], mode="linear", antialias=1),
    "resize_batch": graph([node("Resize", "x,,,s", mode="linear")], {"s": whole(2, 4, 12, 12)}, x=(1, 4, 6, 6)),
    "resize_cubic": resize(scales=[1, 1, 2, 2], mode="cubic"),
    "resize_policy": resize(18, sizes=[2, 4, 9, 7], mode="linear", keep_aspect_ratio_policy="not_larger"),
    "resize_scale": resize(scales=[1, 1, 1.4, 1.4], mode="linear"),
    "slice_cut_and_steps": one("Slice", "x,st,en,ax,by", {"st": whole(1, 0), "en": whole(5, 6), "ax": whole(2, 3), "by": whole(1, 2)}),
    "softmax_11_map": one("Softmax", opset=11, axis=1),
    "split_unnamed": one("Split", axis=1, output=["y", ""]),
    "squeeze_of_a_batch": one("Squeeze", x=(1, 4, 1, 1)),
    "opset_of_tomorrow": one("Relu", opset=99),
    "operator_of_yesterday": one("Add", "x,x", opset=6),
    "upsample_gone": one("Upsample", "x,s", {"s": floats(1, 1, 2, 2)}, 13),
    "version_without_it": one("Relu", alpha=0.5),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.onnx"):
        file.unlink()
    numbers = {}
    for name, model in (READ | REFUSED).items():
        onnx.save(model, FOLDER / f"{name}.onnx")
        if name in REFUSED:
            continue
        dims = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
        x = 2 * np.random.default_rng(3).standard_normal(dims).astype(np.float32)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        numbers[f"{name}.in.0"] = x
        for i, value in enumerate(session.run(None, {"x": x})):
            numbers[f"{name}.out.{i}"] = value
    save_file(numbers, FOLDER / "numbers.safetensors")
    print(f"{len(READ)} read, {len(REFUSED)} refused, onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}")


main()
