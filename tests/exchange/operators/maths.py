"""Arithmetic, matrix products, means, casts and constants."""

import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .graph import Case, X, folder, ints, maker, numbers

TYPES = ["FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16", "INT32", "INT64", "INT8", "UINT8", "BOOL"]
# What rounding to a type of fewer bits may change, relative to the largest number.
ROUNDED = {"FLOAT16": 1e-3, "BFLOAT16": 1e-2}


@maker("Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Mean")
def two(at):
    low = 0.4 if at.op in ("Div", "Pow") else 0.0
    for dims in [(2, 4, 5, 4), (2, 4, 4), (2, 4)]:
        x = X(dims, low=low)
        yield at.case({}, x, X(dims, "b", low=low))
        yield at.case({}, x, x)
        shapes = [(), (1,), (dims[-1],), (1,) * (len(dims) - 1), (dims[1], *[1] * (len(dims) - 2)), (1, dims[1], *[1] * (len(dims) - 2)), dims[1:],
                  (1, *dims[1:]), dims[2:], (1,) * len(dims), dims, (1,) * 5]
        for shape in dict.fromkeys(shapes):
            yield at.case({}, x, numbers(*shape, low=low))
            yield at.case({}, numbers(*shape, low=low), x)
        for value in [0.0, 1.0, 2.0, -1.0]:
            yield at.case({}, x, np.float32(value)) if value or at.op != "Div" else None
            yield at.case({}, np.float32(value), x)
    a = X((2, 4, 5, 4), low=low)
    for other in [(2, 4, 1, 1), (2, 1, 5, 4), (2, 1, 1, 1), (2, 4, 5, 1), (2, 4, 1, 4)]:
        yield at.case({}, a, X(other, "b", low=low))
        yield at.case({}, X(other, "b", low=low), a)
    yield at.case({}, X((2, 4), low=low), X((2, 1), "b", low=low))
    yield at.case({}, X((2, 4, 2, 2), low=low), X((2, 2), "b", low=low))


@maker("Sum", "Mean", "Min", "Max")
def many(at):
    names = "abcd"
    for count in [1, 2, 3, 4]:
        yield at.case({}, *[X((2, 4, 5, 4), name) for name in names[:count]])
    yield at.case({}, X((2, 4, 5, 4)), numbers(4, 1, 1), X((2, 4, 5, 4), "b"))
    yield at.case({}, X((2, 4, 5, 4)), X((2, 4, 1, 1), "b"), X((2, 4, 5, 4), "c"))
    x = X((2, 4, 5, 4))
    yield at.case({}, x, x)
    yield at.case({}, x, x, x)


@maker("Gemm")
def gemm(at):
    x, w, c = X((2, 6)), numbers(6, 5), numbers(5)
    yield at.case({}, x, w, c)
    yield at.case({}, x, w)
    yield at.case({}, x, w, None)
    for shape in [(), (1,), (5,), (1, 5), (1, 1)]:
        yield at.case({}, x, w, numbers(*shape))
        yield at.case(dict(beta=0.5), x, w, numbers(*shape))
    for shape in [(2, 5), (2, 1)]:
        yield at.case({}, X((2, 6), fixed=True), w, numbers(*shape))
    for alpha, beta, turned in itertools.product([0.5, 1.0, 0.0], [2.0, 1.0, 0.0], [0, 1]):
        yield at.case(dict(alpha=alpha, beta=beta, transB=turned), x, numbers(5, 6) if turned else w, c)
    yield at.case(dict(alpha=0.5), x, w)
    yield at.case(dict(beta=0.5), x, w)
    yield at.case(dict(transA=1), X((6, 2), fixed=True), w, c)
    yield at.case(dict(transA=1), X((6, 6), fixed=True), w, c)
    yield at.case(dict(transB=1), x, numbers(6, 6), numbers(6))
    yield at.case({}, x, X((6, 5), "w", fixed=True), c)
    yield at.case({}, x, w, X((5,), "c", fixed=True))
    yield at.case({}, x, w, X((2, 5), "c"))
    yield at.case({}, numbers(4, 2), X((2, 6), fixed=True))


@maker("MatMul")
def matmul(at):
    for dims in [(2, 6), (2, 4, 6), (2, 3, 4, 6)]:
        yield at.case({}, X(dims), numbers(6, 5))
        yield at.case({}, X(dims), numbers(6, 6))
        yield at.case({}, X(dims), numbers(6))
    yield at.case({}, X((2, 3, 4, 6)), numbers(3, 6, 5))
    yield at.case({}, X((2, 3, 4, 6)), numbers(1, 1, 6, 5))
    yield at.case({}, numbers(5, 4), X((2, 3, 4, 6)))
    yield at.case({}, numbers(5, 2), X((2, 6), fixed=True))
    yield at.case({}, X((2, 3, 4, 6), "a"), X((2, 3, 6, 5), "b"))
    yield at.case({}, X((2, 6), "a", fixed=True), X((6, 5), "b", fixed=True))


@maker("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
def reduce(at):
    low = 0.5 if at.op in ("ReduceLogSum",) else 0.0
    for dims in [(2, 3, 4, 5), (2, 3, 5), (2, 3)]:
        x = X(dims, low=low)
        for keep in [1, 0]:
            for noop in [0, 1]:
                flags = {**(dict(keepdims=0) if not keep else {}), **(dict(noop_with_empty_axes=1) if noop else {})}
                yield at.case(flags, x)
                yield at.case(flags, x, None)
                yield at.case(flags, x, ints())
                for axes in [[2, 3], [3, 2], [-1, -2], [1], [-1], [2], [1, 2, 3], [0], [0, 1, 2, 3], [1, -1]]:
                    if len(axes) <= len(dims) and not (noop and len(axes) != 2):
                        yield at.case({**flags, **dict(axes=axes)}, x) if at.has("axes") else at.case(flags, x, ints(*axes))


@maker("ArgMax")
def arg_max(at):
    for changed in [{}, dict(axis=1), dict(axis=1, keepdims=0), dict(axis=-1, select_last_index=1)]:
        yield at.case(changed, X((2, 3, 4, 5)))


@maker("Cast")
def cast(at):
    for name in TYPES:
        kind = getattr(TensorProto, name)
        for saturate in [None, 0]:
            changed = {**dict(to=kind), **({} if saturate is None else dict(saturate=saturate))}
            if not at.knows(changed):
                continue
            x = X((2, 3, 4, 5))
            nodes = [helper.make_node("Cast", ["x"], ["whole"], name=at.node(), **changed),
                     helper.make_node("Cast", ["whole"], ["y"], name="back", to=TensorProto.FLOAT)]
            yield Case("Cast", at.opset, at.title(changed, [x], f"{name} and back"), changed, nodes, [x], {}, ["y"], base=name == "FLOAT",
                       bound=ROUNDED.get(name, 1e-4))
    for to in range(17, 24):  # 8 bits and fewer
        x = X((2, 3, 4, 5))
        nodes = [helper.make_node("Cast", ["x"], ["whole"], name=at.node(), to=to), helper.make_node("Cast", ["whole"], ["y"], name="back", to=1)]
        yield Case("Cast", at.opset, at.title(dict(to=to), [x], "and back"), dict(to=to), nodes, [x], {}, ["y"])


@maker("CastLike")
def cast_like(at):
    for like, changed in [(np.float32(0), {}), (np.float64(0), {}), (np.int64(0), {}), (np.float32(0), dict(saturate=0))]:
        made = at.case(changed, X((2, 3, 4)), np.array([like]))
        if made is None:
            continue
        made.nodes.append(helper.make_node("Cast", ["y"], ["z"], name="back", to=TensorProto.FLOAT))
        made.outputs, made.title = ["z"], made.title + f" {like.dtype}"
        yield made


@maker("Constant")
def constant(at):
    x, v = X((2, 3, 4, 5)), numpy_helper.from_array
    sparse = helper.make_sparse_tensor(v(numbers(2), "values"), v(ints(0, 2), "indices"), [3])
    kinds = [("value", v(np.float32(1.5))), ("value", v(numbers(3, 1, 1))), ("value", v(numbers(3, 1, 1).astype(np.float64))),
             ("value", v(numbers(3, 1, 1).astype(np.float16))), ("value", v(ints(2, 3, 4).reshape(3, 1, 1))), ("value_float", 1.5), ("value_float", 0.0),
             ("value_int", 3), ("value_int", 0), ("value_floats", [1.5]), ("value_floats", [1.5, 2.0, 0.5, 4.0, 1.0]), ("value_ints", [2]),
             ("value_ints", [1, 2, 3, 4, 5]), ("sparse_value", sparse), ("value_string", b"a"), ("value_strings", [b"a", b"b"])]
    for i, (name, value) in enumerate(kinds):
        if not at.has(name):
            continue
        for op in ["Mul", "Add"]:
            nodes = [helper.make_node("Constant", [], ["raw"], name=at.node(), **{name: value}),
                     helper.make_node("Cast", ["raw"], ["c"], name="cast", to=TensorProto.FLOAT), helper.make_node(op, ["x", "c"], ["y"], name="used")]
            yield Case("Constant", at.opset, at.title({name: value}, [x], f"{op} {i}"), {name: value}, nodes, [x], {}, ["y"], base=i == 0)


@maker("Where", "Less", "Greater", "Equal", "And", "Not", "Mod", "Range", "ConstantOfShape")
def never(at):
    """Only over constants."""
    return iter(())


@folder("Add", "Sub", "Mul", "Div", "Min", "Max", "Pow")
def folded_two(at):
    for a, b in [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 4), (3, 1)), ((3, 1), (1, 4)), ((3, 4), ()), ((1,), (2, 3))]:
        yield at.fold({}, numbers(*a, low=0.3), numbers(*b, seed=1, low=0.3))
    for a, b in [((7, -7, 8), (2,)), ((7, 9), (-2,)), ((5, 3), (3, 5))]:
        yield at.fold({}, ints(*a), ints(*b))


@folder("Mod", "Less", "Greater", "Equal", "And", "LessOrEqual", "GreaterOrEqual", "Or")
def folded_truth(at):
    if at.op in ("And", "Or"):
        yield at.fold({}, np.array([True, False, True]), np.array([True, True, False]))
        return
    for a, b in [((7, -7, 8, 2), (2,)), ((7, 9, -5), (-2,)), ((5, 3), (3, 5)), ((4, 4), (4,))]:
        yield at.fold({}, ints(*a), ints(*b))
        yield at.fold(dict(fmod=1), ints(*a), ints(*b))
    yield at.fold(dict(fmod=1), numbers(4), numbers(4, seed=2))
    yield at.fold({}, numbers(4), numbers(4, seed=2))


@folder("Floor", "Ceil", "Neg", "Sqrt", "Abs", "Exp", "Log", "Round", "Sign", "Erf", "Relu", "Sigmoid", "Tanh", "Identity", "Reciprocal")
def folded_one(at):
    low = 0.2 if at.op in ("Sqrt", "Log", "Reciprocal") else 0.0
    yield at.fold({}, numbers(3, 4, low=low))
    yield at.fold({}, numbers(low=low))


@folder("Size")
def folded_size(at):
    yield at.fold({}, numbers(3, 4))
    yield at.fold({}, numbers())


@folder("Not")
def folded_not(at):
    yield at.fold({}, np.array([True, False]))


@folder("Where")
def folded_where(at):
    yield at.fold({}, np.array([True, False, True]), numbers(3), numbers(3, seed=1))
    yield at.fold({}, np.array([[True], [False]]), numbers(3), numbers(2, 3))
    yield at.fold({}, np.array([True, False]), ints(1, 2), ints(3, 4))


@folder("Range")
def folded_range(at):
    for three in [(0, 5, 1), (5, 0, -2), (1, 8, 3)]:
        yield at.fold({}, *[np.int64(n) for n in three])
    yield at.fold({}, np.float32(0.5), np.float32(2.2), np.float32(0.5))


@folder("ConstantOfShape")
def folded_fill(at):
    yield at.fold({}, ints(2, 3))
    for value in [np.array([1.5], np.float32), ints(7), np.array([True]), np.array([2.5], np.float64), np.array([3], np.int32)]:
        yield at.fold(dict(value=numpy_helper.from_array(value)), ints(2, 3), note=str(value))
    yield at.fold({}, ints())


@folder("Gather")
def folded_gather(at):
    table = numbers(3, 4)
    for places in [ints(0), ints(2, 1), ints(-1), np.int64(1), ints(0, 1, 2).reshape(3, 1)]:
        yield at.fold({}, table, places)
        yield at.fold(dict(axis=1), table, places)
        yield at.fold(dict(axis=-1), table, places)
    yield at.fold({}, ints(4, 5, 6), np.int64(1))


@folder("Concat")
def folded_concat(at):
    for axis in [0, 1, -1]:
        yield at.fold(dict(axis=axis), numbers(2, 3), numbers(2, 3, seed=1))
    yield at.fold(dict(axis=0), ints(1), ints(2, 3))


@folder("Slice")
def folded_slice(at):
    table = numbers(4, 6)
    for starts, ends, axes in [([1], [3], [0]), ([1], [3], [1]), ([-3], [-1], [-1]), ([0, 2], [2, 5], [0, 1]), ([1, 1], [3, 9], None)]:
        if at.has("starts"):
            yield at.fold({**dict(starts=starts, ends=ends), **(dict(axes=axes) if axes else {})}, table)
        else:
            yield at.fold({}, table, ints(*starts), ints(*ends), *([ints(*axes)] if axes else []))
            for step in [2, -1]:
                if axes:
                    yield at.fold({}, table, ints(*starts), ints(*ends), ints(*axes), ints(*[step] * len(axes)))
                    yield at.fold({}, table, ints(*ends), ints(*starts), ints(*axes), ints(*[-1] * len(axes)))


@folder("Squeeze", "Unsqueeze")
def folded_squeeze(at):
    table = numbers(1, 3, 1, 2) if at.op == "Squeeze" else numbers(3, 2)
    if at.op == "Squeeze":
        yield at.fold({}, table)
    for axes in [[0], [2], [-2], [0, 2]]:
        yield at.fold(dict(axes=axes), table) if at.has("axes") else at.fold({}, table, ints(*axes))


@folder("Reshape", "Expand")
def folded_reshape(at):
    for target in [(6, 4), (4, -1), (0, -1), (2, 2, 6)] if at.op == "Reshape" else [(4, 6), (2, 4, 6), (1, 1), (2, 1, 1)]:
        yield at.fold({}, numbers(4, 6), ints(*target))
        yield at.fold(dict(allowzero=1), numbers(4, 6), ints(*target))
    yield None if at.op == "Reshape" else at.fold({}, numbers(4, 1), ints(1, 3))


@folder("Tile")
def folded_tile(at):
    yield at.fold({}, numbers(2, 3), ints(2, 1))
    yield at.fold({}, numbers(2, 3), ints(1, 2))


@folder("Flatten")
def folded_flatten(at):
    for axis in [0, 1, 2, -1]:
        yield at.fold(dict(axis=axis), numbers(2, 3, 4))


@folder("Transpose")
def folded_transpose(at):
    yield at.fold({}, numbers(2, 3))
    for perm in [(0, 2, 1), (2, 0, 1), (2, 1, 0)]:
        yield at.fold(dict(perm=list(perm)), numbers(2, 3, 4))
    yield at.fold({}, numbers(2, 3, 4))


@folder("ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean")
def folded_reduce(at):
    for changed in [{}, dict(keepdims=0), dict(noop_with_empty_axes=1)]:
        yield at.fold(changed, numbers(2, 3))
        yield at.fold(changed, ints(2, 3))
        for axes in [[0], [1], [-1]]:
            yield at.fold({**changed, **dict(axes=axes)}, numbers(2, 3)) if at.has("axes") else at.fold(changed, numbers(2, 3), ints(*axes))


@folder("Cast")
def folded_cast(at):
    for name in TYPES:
        changed = dict(to=getattr(TensorProto, name))
        made = at.fold(changed, numbers(3, 4) * 3, note=name)
        if made:
            made.bound = ROUNDED.get(name, 1e-4)
        yield made
        yield at.fold(dict(saturate=0, **changed), numbers(3, 4) * 3, note=name)


@folder("CastLike")
def folded_cast_like(at):
    yield at.fold({}, numbers(3, 4) * 3, ints(1))
    yield at.fold({}, numbers(3, 4) * 3, numbers(1))


@folder("Dropout")
def folded_dropout(at):
    yield at.fold({}, numbers(3, 4))
    yield at.fold(dict(ratio=0.5), numbers(3, 4))
    yield at.fold({}, numbers(3, 4), np.float32(0.5), np.bool_(False))


@folder("Constant")
def folded_constant(at):
    return iter(())


@folder("DequantizeLinear")
def folded_dequantize(at):
    table = np.arange(-6, 6, dtype=np.int8).reshape(3, 4)
    yield at.fold({}, table, np.float32(0.1))
    yield at.fold({}, table, np.float32(0.1), np.int8(3))
    for axis, size in [(0, 3), (1, 4), (-1, 4)]:
        yield at.fold(dict(axis=axis), table, numbers(size, low=0.1), np.arange(size, dtype=np.int8))
    yield at.fold(dict(axis=1, block_size=2), table, numbers(3, 2, low=0.1))
    yield at.fold(dict(axis=0), table.astype(np.int32), numbers(3, low=0.1))
    yield at.fold({}, table.view(np.uint8), np.float32(0.1), np.uint8(128))
    yield at.fold(dict(output_dtype=10), table, np.float32(0.1))


@maker("DequantizeLinear", "QuantizeLinear")
def quantize(at):
    if at.op == "QuantizeLinear":
        yield at.case({}, X((2, 3, 4, 5)), np.float32(0.1), np.uint8(128))
