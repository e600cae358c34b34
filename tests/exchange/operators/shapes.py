"""Operators that move numbers: reshapes, transposes, slices, padding, joining and parting."""

import itertools

import numpy as np

from .graph import X, ints, maker, numbers

RANKS = [(2, 6, 4, 5), (2, 6, 5), (2, 6)]


@maker("Flatten")
def flatten(at):
    for dims in RANKS + [(2, 6, 1, 1), (2, 3, 2, 2, 2)]:
        yield at.case({}, X(dims))
        for axis in range(-len(dims), len(dims) + 1):
            yield at.case(dict(axis=axis), X(dims))
    yield at.case(dict(axis=2), X((1, 6, 4, 5), fixed=True))


@maker("Reshape")
def reshape(at):
    shapes = [(2, 120), (-1, 120), (0, -1), (0, 0, -1), (0, 0, 0, 0), (0, -1, 5), (2, 6, 20), (-1, 6, 4, 5), (0, 6, 5, 4), (0, 2, 3, 4, 5),
              (2, 3, -1, 5), (0, 20, 6, 1), (-1, 20), (12, 20), (-1,), (240,), (1, -1), (1, 240), (4, 60), (0, 12, 4, -1), (6, 2, -1), (0, 30, 2, 2)]
    for shape in shapes:
        yield at.case({}, X((2, 6, 4, 5)), ints(*shape))
        yield at.case({}, X((2, 6, 4, 5), fixed=True), ints(*shape))
        yield at.case(dict(allowzero=1), X((2, 6, 4, 5)), ints(*shape))
    for shape in [(0, 6, 1, 1), (2, -1, 1), (0, 2, 3), (-1, 6)]:
        yield at.case({}, X((2, 6)), ints(*shape))
    yield at.case({}, X((1, 6, 4, 5), fixed=True), ints(6, 20))
    yield at.case({}, X((1, 6, 4, 5), fixed=True), ints(1, 1, 6, -1))


@maker("Squeeze", "Unsqueeze")
def squeeze(at):
    squeezes = at.op == "Squeeze"
    dims = [(2, 6, 1, 1), (2, 6, 1), (2, 1, 5), (2, 6, 1, 4), (2, 1, 4, 4), (2, 6, 4, 1), (2, 1, 1, 1)] if squeezes else RANKS
    sets = [[1], [2], [3], [-1], [-2], [2, 3], [3, 2], [-1, -2], [1, 2], [0], [-3], [1, -1]]
    if squeezes:
        for size in dims:
            yield at.case({}, X(size))
            yield at.case({}, X(size), None)
        yield at.case({}, X((1, 6, 1, 1), fixed=True))
        yield at.case({}, X((1, 6, 4, 1), fixed=True), *([] if at.has("axes") else [ints(0)]), base=dict(axes=[0]) if at.has("axes") else {})
    for size, axes in itertools.product(dims, sets):
        yield at.case(dict(axes=axes), X(size)) if at.has("axes") else at.case({}, X(size), ints(*axes))


@maker("Transpose")
def transpose(at):
    yield at.case(dict(perm=[0, 1, 2, 3]), X(RANKS[0]))
    for dims in RANKS:
        yield at.case({}, X(dims))
        yield at.case({}, X(dims, fixed=True))
        for perm in itertools.permutations(range(len(dims))):
            yield at.case(dict(perm=list(perm)), X(dims))
    yield at.case(dict(perm=[0, 2, 1]), X((2, 4, 4)))
    yield at.case(dict(perm=[0, 3, 1, 2]), X((2, 4, 4, 4)))


@maker("Pad")
def pad(at):
    x = X((2, 3, 5, 4))
    sets = [[0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 2, 0, 0, 0, 3], [0, 0, 0, 0, 0, 0, 2, 0], [0, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 1, 0, 0],
            [0, 1, 0, 0, 0, 2, 0, 0], [0, 2, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, -1, -1, 0, 0, -1, -1], [0, 0, -1, 1, 0, 0, 1, 0], [0, 0, -1, 0, 0, 0, 0, 0], [0, -1, 0, 0, 0, 0, 0, 0], [0, 0, 3, 3, 0, 0, 3, 3]]
    modes = ["constant", "reflect", "edge", "wrap"]
    if at.has("pads"):
        for pads, mode, value in itertools.product(sets, modes[:3], [0.0, 1.5]):
            yield at.case(dict(pads=pads, mode=mode, value=value), x)
        yield at.case(dict(pads=[0, 0, 1, 0, 0, 2]), X((2, 3, 5)))
        yield at.case(dict(pads=[0, 1, 0, 1]), X((2, 3)))
        return
    yield at.case({}, x, ints(*sets[0]))
    for pads, mode, value in itertools.product(sets, modes, [(), (None,), (numbers() * 0,), (numbers() * 0 + 1.5,), (numbers(1) * 0 + 2,)]):
        yield at.case(dict(mode=mode), x, ints(*pads), *value)
    for mode in modes:
        yield at.case(dict(mode=mode), X((2, 3, 5)), ints(0, 0, 1, 0, 0, 2))
        yield at.case(dict(mode=mode), X((2, 3)), ints(0, 1, 0, 1))
        for axes, pads in [([2, 3], [1, 2, 3, 1]), ([3, 2], [1, 2, 3, 1]), ([-1], [1, 2]), ([-2, -1], [1, 1, 0, 2]), ([1], [1, 1]), ([1], [0, 2]),
                           ([2], [1, 0]), ([0], [0, 0])]:
            yield at.case(dict(mode=mode), x, ints(*pads), None, ints(*axes))
            yield at.case(dict(mode=mode), x, ints(*pads), numbers() * 0 + 1.5, ints(*axes))
        yield at.case(dict(mode=mode), x, ints(*sets[1]), None, None)
    yield at.case({}, x, ints(*sets[0]), X((), "value", fixed=True))


@maker("Slice")
def cut(at):
    far = 2**31
    sets = [([1, 1], [3, 4], [2, 3], None), ([1, 1], [4, 4], [2, 3], None), ([0, 0], [2, 3], [2, 3], None), ([1, 2], [-1, far], [-2, -1], None),
            ([1, 1], [3, 4], [3, 2], None), ([0], [3], [1], None), ([3], [6], [1], None), ([0], [far], [1], [2]), ([1], [far], [1], [2]),
            ([0, 0], [far, far], [2, 3], [2, 2]), ([1, 0], [far, far], [2, 3], [2, 2]), ([0], [far], [2], [3]), ([-1], [-far], [2], [-1]),
            ([-1], [-far], [1], [-1]), ([0], [1], [0], None), ([0, 0, 1, 1], [far, far, 3, 4], None, None), ([0, 0], [far, 3], None, None),
            ([1], [3], [2], None), ([0], [4], [2], None), ([-3], [-1], [3], None), ([2], [2], [2], None), ([1], [-1], [1], None), ([0], [4], [2], [2]),
            ([0], [3], [3], [2]), ([1, 0], [5, far], [2, 3], [1, 2]), ([-100], [100], [2], None), ([2], [3], [2], None)]
    for dims, (starts, ends, axes, steps) in itertools.product([(2, 6, 4, 5), (2, 6, 5, 5)], sets):
        if at.has("starts"):
            changed = dict(starts=starts, ends=ends)
            yield None if steps else at.case({**changed, **(dict(axes=axes) if axes else {})}, X(dims))
        else:
            extra = [None if axes is None else ints(*axes), None if steps is None else ints(*steps)]
            while extra and extra[-1] is None:
                extra.pop()
            yield at.case({}, X(dims), ints(*starts), ints(*ends), *extra)
    if at.has("starts"):
        yield at.case(dict(starts=[1], ends=[3], axes=[2]), X((2, 6, 5)))
        yield at.case(dict(starts=[1], ends=[3], axes=[1]), X((2, 6)))
    else:
        for dims, axis in itertools.product(RANKS[1:], [1, 2, -1]):
            yield at.case({}, X(dims), ints(1), ints(4), ints(axis))
            yield at.case({}, X(dims), ints(1), ints(4), ints(axis), None)
        yield at.case({}, X(RANKS[0]), ints(1).astype(np.int32), ints(3).astype(np.int32), ints(2).astype(np.int32))
        yield at.case({}, X(RANKS[0]), ints(0, 0, 1, 1), ints(far, far, 3, 4), None, ints(1, 1, 1, 2))


@maker("Concat")
def concat(at):
    a, b = X((2, 3, 4, 5), "a"), X((2, 3, 4, 5), "b")
    yield at.case(dict(axis=1), a, b)
    for axis in range(-4, 4):
        yield at.case(dict(axis=axis), a, b)
        yield at.case(dict(axis=axis), a)
        yield at.case(dict(axis=axis), a, a)
    yield at.case(dict(axis=1), a, X((2, 2, 4, 5), "b"), X((2, 5, 4, 5), "c"))
    yield at.case(dict(axis=2), a, X((2, 3, 2, 5), "b"))
    for dims in [(2, 3, 4), (2, 3)]:
        for axis in range(-len(dims), len(dims)):
            yield at.case(dict(axis=axis), X(dims, "a"), X(dims, "b"))
    yield at.case(dict(axis=1), X((2, 3, 4, 5), "a", fixed=True), numbers(2, 3, 4, 5))
    yield at.case(dict(axis=0), X((1, 3, 4, 5), "a", fixed=True), X((1, 3, 4, 5), "b", fixed=True))


@maker("Split")
def split(at):
    x = X((2, 6, 4, 5))
    yield at.case(dict(axis=1), x, outputs=2, given=2, base=dict(num_outputs=2) if at.has("num_outputs") else {})
    yield at.case({}, X((2, 6), fixed=True), outputs=2, given=2, base=dict(num_outputs=2) if at.has("num_outputs") else {})
    for axis, parts in [(1, [2, 4]), (1, [4, 2]), (1, [3, 3]), (1, [1, 2, 3]), (-3, [2, 4]), (2, [1, 3]), (-1, [2, 3]), (3, [2, 3])]:
        for given in (1, len(parts)):
            more = dict(outputs=len(parts), given=given)
            if at.has("split"):
                yield at.case(dict(axis=axis, split=parts), x, **more)
            else:
                yield at.case(dict(axis=axis), x, ints(*parts), **more)
    for axis, count in [(1, 2), (1, 3), (2, 2), (3, 2), (1, 4), (-1, 5)]:
        for given in (1, count):
            yield at.case(dict(axis=axis, num_outputs=count), x, outputs=count, given=given)
            yield None if at.has("num_outputs") else at.case(dict(axis=axis), x, outputs=count, given=given)
    yield at.case(dict(axis=1), x, None, outputs=3, given=3)


@maker("DepthToSpace", "SpaceToDepth")
def blocks(at):
    for dims in [(2, 8, 4, 6), (2, 4, 2, 4)]:
        yield at.case(dict(blocksize=2), X(dims))
        for mode in ["DCR", "CRD"]:
            yield at.case(dict(blocksize=2, mode=mode), X(dims))
    yield at.case(dict(blocksize=3), X((2, 18, 6, 9)))
    yield at.case(dict(blocksize=3, mode="CRD"), X((2, 18, 6, 9)))
    yield at.case(dict(blocksize=1), X((2, 8, 4, 6)))


@maker("Gather")
def gather(at):
    for axis, places in itertools.product([None, 1, 2, -1, 0], [ints(0), ints(1, 0), ints(-1), np.int64(0), np.int64(1), ints(0, 1)]):
        yield at.case({} if axis is None else dict(axis=axis), X((2, 3, 4, 5)), places)
    yield at.case(dict(axis=1), X((2, 6)), ints(5, 4, 3, 2, 1, 0))
    for axis, size, to in [(2, 14, 16), (-1, 6, 9), (3, 6, 12), (2, 14, 5)]:
        yield at.case(dict(axis=axis), X((2, 3, 14, 6)), ints(*[i * size // to for i in range(to)]))


@maker("Expand", "Tile")
def expand(at):
    for shape in [(1, 1, 1, 1), (1, 1, 2, 2), (1, 3, 1, 1), (2, 1, 1, 1)]:
        yield at.case({}, X((2, 1, 1, 1)), ints(*shape))
    yield at.case({}, X((2, 3, 4, 4)), ints(1, 1, 2, 1) if at.op == "Tile" else ints(2, 3, 4, 4))


@maker("Shape")
def sizes(at):
    from onnx import TensorProto, helper
    from .graph import Case
    x = X((2, 6, 4, 5))

    for changed in [{}, dict(start=0), dict(start=1), dict(start=2), dict(start=-2), dict(start=-9), dict(end=1), dict(end=2), dict(end=-1), dict(end=9),
                    dict(start=1, end=3), dict(start=-3, end=-1), dict(start=3, end=1)]:
        if not at.knows(changed):
            continue
        # The sizes, less the batch, summed and added to the values.
        node = helper.make_node("Shape", ["x"], ["dims"], name=at.node(), **changed)
        after = [helper.make_node("Cast", ["dims"], ["number"], name="cast", to=TensorProto.FLOAT),
                 helper.make_node("ReduceProd", ["number"], ["product"], name="product", keepdims=1),
                 helper.make_node("Mul", ["x", "product"], ["y"], name="scaled")]
        yield Case("Shape", at.opset, at.title(changed, [x], "product"), changed, [node, *after], [x], {}, ["y"], base=not changed)
        if changed.get("start") in (2, -2) or changed.get("start", 0) == 0 and changed.get("end") == 2:
            joined = ["dims", "rest"] if changed.get("end") == 2 else ["rest", "dims"]
            after = [helper.make_node("Concat", joined, ["target"], name="target", axis=0),
                     helper.make_node("Reshape", ["x", "target"], ["y"], name="reshaped")]
            rest = ints(-1) if changed.get("end") == 2 else ints(0, -1)
            yield Case("Shape", at.opset, at.title(changed, [x], "reshape"), changed, [node, *after], [x], dict(rest=rest), ["y"])
