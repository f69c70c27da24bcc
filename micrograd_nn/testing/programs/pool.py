"""The pool that random graphs draw from: the public table, with the parameters to choose.

All else that is to be known of an operation (domain, kinks) stands in its row of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd_nn.graph import functions as F
from micrograd_nn.graph.primitive import Primitive, table
from micrograd_nn.graph.table.arrays import lined_up
from micrograd_nn.testing.programs.operations import (
    Choices,
    Operation,
    Parameters,
    literal,
    no_parameters,
    of_row,
)

Array = Any


# ------------------------------------------------------------------- what there is to choose


def _axis_or_none(pick: Choices, x: Array) -> Any:
    pairs = [(0, x.ndim - 1)] if x.ndim > 1 else []
    return pick([None, *range(x.ndim), *([-1] if x.ndim else []), *pairs])


def _axis(pick: Choices, x: Array) -> int | None:
    return pick([-1, *range(x.ndim)]) if x.ndim else None


def _count(x: Array, axis: Any) -> int:
    return int(x.size / max(1, np.sum(x, axis=axis).size))


def _reduced(pick: Choices, x: Array) -> Parameters:
    return {"axis": _axis_or_none(pick, x), "keepdims": pick([False, True])}


def _spread(pick: Choices, x: Array) -> Parameters | None:
    axis = _axis_or_none(pick, x)
    if _count(x, axis) < 2:
        return None
    return {"axis": axis, "ddof": pick([0, 1]), "keepdims": pick([False, True])}


def _along(pick: Choices, x: Array) -> Parameters | None:
    axis = _axis(pick, x)
    return None if axis is None else {"axis": axis}


def _along_axes(pick: Choices, x: Array) -> Parameters | None:
    if not x.ndim:
        return None
    return {"axis": pick([-1, *range(x.ndim), *([(0, x.ndim - 1)] if x.ndim > 1 else [])])}


def _running(pick: Choices, x: Array) -> Parameters | None:
    return {"axis": pick([0, None, *range(1, x.ndim)])} if x.ndim else None


def _shape(pick: Choices, x: Array) -> Parameters:
    size, shape = x.size, x.shape
    folded = [(n, size // n) for n in (2, 3) if size % n == 0]
    return {"shape": pick([(size,), shape[::-1], (1, *shape), (*shape, 1), *folded])}


def _order(pick: Choices, x: Array) -> Parameters:
    n = x.ndim
    orders = [None, tuple(range(n))[::-1]]
    if n > 1:
        orders += [(*range(1, n), 0), (1, 0, *range(2, n))]
    return {"axes": pick(orders)}


def _two_axes(first: str, second: str) -> Any:
    def choose(pick: Choices, x: Array) -> Parameters | None:
        return {first: pick([0, -1]), second: pick([-1, 0])} if x.ndim else None

    return choose


def _wider(pick: Choices, x: Array) -> Parameters:
    repeated = tuple(3 if n == 1 else n for n in x.shape)
    return {"shape": pick([(2, *x.shape), repeated, (2, 1, *repeated)])}


def _new_axis(pick: Choices, x: Array) -> Parameters:
    return {"axis": pick([0, -1, (0, 1)])}


def _short_axis(pick: Choices, x: Array) -> Parameters:
    return {"axis": pick([None, *(i for i, n in enumerate(x.shape) if n == 1)])}


def _chosen_index(pick: Choices, x: Array) -> Parameters:
    if not x.ndim:
        return {"index": pick([None, Ellipsis])}
    last = x.shape[0] - 1
    indices: list[Any] = [
        0,
        slice(None, None, -1),
        np.array([0, 0]),
        np.arange(x.size).reshape(x.shape) % 2 == 0,
        slice(last, None),
        np.array([[last, 0], [0, last]]),
        (Ellipsis, -1),
        (Ellipsis, None, slice(None, None, 2)),
    ]
    if x.ndim > 1:
        end = x.shape[1] - 1
        indices += [
            (np.array([0, last, 0]), np.array([0, end, 0])),
            (slice(None), np.array([end, 0, end])),
            (0, slice(None, None, -1)),
            (np.array([last, last]), slice(0, 1)),
        ]
    return {"index": pick(indices)}


def _taken(pick: Choices, x: Array) -> Parameters | None:
    if not x.ndim:
        return None
    axis = pick([None, *range(x.ndim)])
    last = (x.size if axis is None else x.shape[axis]) - 1
    return {"indices": pick([np.array([0, 0]), np.array([last, 0, last])]), "axis": axis}


def _cut(pick: Choices, x: Array) -> Parameters | None:
    cuts = [(axis, n) for axis, n in enumerate(x.shape) if n > 1]
    if not cuts:
        return None
    axis, n = pick(cuts)
    return {"sections": n, "axis": axis, "part": pick(range(n))}


def _joined(pick: Choices, x: Array, y: Array) -> Parameters | None:
    axis = _axis(pick, x)
    return None if axis is None else {"axis": axis}


def _stacked(pick: Choices, x: Array, y: Array) -> Parameters:
    return {"axis": pick([0, -1])}


def _padding(pick: Choices, x: Array) -> Parameters | None:
    uneven = tuple((i % 2, 1 - i % 2) for i in range(x.ndim))
    return {"pad_width": pick([1, (0, 1), uneven])} if x.ndim else None


def _condition(pick: Choices, x: Array, y: Array) -> Parameters:
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    if shape == ():
        return {"condition": pick([True, False])}
    pattern = np.arange(int(np.prod(shape))).reshape(shape) % 2 == 0
    return {"condition": pick([pattern, ~pattern, pattern[..., :1]])}


def _one_of(**options: Sequence[Any]) -> Any:
    """Return a choice of one combination of parameters: the first of each, the second ..."""
    rows = [dict(zip(options, row, strict=True)) for row in zip(*options.values(), strict=True)]
    return lambda pick, *operands: pick(rows)


def _rows_and_weights(pick: Choices, x: Array, W: Array, b: Array) -> Parameters | None:
    fits = x.ndim and W.ndim == 2 and x.shape[-1] == W.shape[1] and b.shape == W.shape[:1]
    return {} if fits else None


def _scale_and_shift(pick: Choices, x: Array, w: Array, b: Array) -> Parameters | None:
    return {} if x.ndim and w.shape == b.shape == x.shape[-1:] else None


def _labels(pick: Choices, x: Array) -> Parameters | None:
    if x.ndim != 2:
        return None
    classes = x.shape[1]
    return {"labels": (np.arange(len(x)) + pick(range(classes))) % classes}


# ----------------------------------------------------------------------- where it may be applied


def _distinct(largest: bool) -> Any:
    """Return the guard against ties for the extremum."""

    def guard(margin: float, x: Array, axis: Any, keepdims: bool) -> bool:
        ordered = np.sort(lined_up(x, axis)[0] * (-1.0 if largest else 1.0), axis=-1)
        return not margin or bool(np.all(np.diff(ordered, axis=-1)[..., :1] > margin))

    return guard


def _not_constant(margin: float, x: Array, axis: Any = -1, **_: Any) -> bool:
    return not margin or bool(np.all(np.std(x, axis=axis) > margin))


def _not_zero(margin: float, x: Array, axis: Any, keepdims: bool) -> bool:
    return not margin or bool(np.all(np.sum(x * x, axis=axis) > margin * margin))


def _base_fits(margin: float, x: Array, exponent: float) -> bool:
    if exponent == int(exponent):
        return exponent >= 0 or bool(np.all(np.abs(x) > margin))
    return bool(np.all(x > margin))


def _off_the_corners(margin: float, e: Array, delta: float) -> bool:
    # The derivative is continuous there, but too bent to be measured by differences.
    return bool(np.all(np.abs(np.abs(e) - delta) > margin)) or not margin


# ------------------------------------------------------------------------------------ the pool


def _parts(name: str) -> Any:
    """Return how a function of a list of parts is written."""
    return lambda names, given: f"F.{name}([{', '.join(names)}], axis={given['axis']})"


def _index(names: Sequence[str], parameters: Parameters) -> str:
    index = parameters["index"]
    parts = index if isinstance(index, tuple) else (index,)
    return f"{names[0]}[{', '.join(map(_index_part, parts))}]"


def _index_part(part: Any) -> str:
    if not isinstance(part, slice):
        return literal(part)
    start, stop, step = ("" if p is None else str(p) for p in (part.start, part.stop, part.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _elementwise(names: str, arity: int) -> list[Operation]:
    rows = [(name, getattr(F, name)) for name in names.split()]
    return [Operation(name, row, arity, row=row, scalar=True) for name, row in rows]


def _shaped(name: str, choose: Any, guard: Any = None, arity: int = 1) -> Operation:
    return Operation(name, getattr(F, name), arity, choose, guard=guard)


def _positional(name: str, parameter: str, choose: Any) -> Operation:
    """Return an operation whose parameter may not be given by name."""
    function = getattr(F, name)

    def writing(names: Sequence[str], given: Parameters) -> str:
        value = given[parameter]
        return f"F.{name}({names[0]}{'' if value is None else f', {literal(value)}'})"

    return Operation(
        name, lambda x, **given: function(x, given[parameter]), 1, choose, writing=writing
    )


def _with_parameters(name: str, choose: Any) -> Operation:
    return Operation(name, getattr(F, name), 1, choose, row=table[name], scalar=True)


def _public() -> list[Operation]:
    """Return the operations, those with the simplest derivatives first."""
    return [
        *_elementwise("add mul sub", 2),
        *_elementwise("neg", 1),
        _shaped("sum", _reduced),
        _shaped("mean", _reduced),
        _positional("reshape", "shape", _shape),
        _positional("transpose", "axes", _order),
        Operation("getitem", F.getitem, 1, _chosen_index, writing=_index),
        _shaped("broadcast_to", _wider),
        Operation("matmul", F.matmul, 2),
        Operation(
            "constant_power",
            lambda x, exponent: F.power(x, exponent),
            1,
            _one_of(exponent=[2.0, 3.0, -1.0, 0.5, 1.0, 0.0, -2.0, 1.5]),
            guard=_base_fits,
            scalar=True,
            writing=lambda names, given: f"F.power({names[0]}, {given['exponent']})",
        ),
        *_elementwise("div", 2),
        *_elementwise("exp tanh relu sigmoid log sqrt abs sin cos", 1),
        *_elementwise("maximum minimum power", 2),
        Operation(
            "where",
            lambda x, y, condition: F.where(condition, x, y),
            2,
            _condition,
            scalar=True,
            writing=lambda names, given: (
                f"F.where({literal(given['condition'])}, {names[0]}, {names[1]})"
            ),
        ),
        *_elementwise("softplus gelu silu erf expm1 log1p tan arctan sinh cosh sign", 1),
        _with_parameters("leaky_relu", _one_of(slope=[0.01, 0.25])),
        _with_parameters("elu", _one_of(alpha=[1.0, 0.5])),
        _with_parameters("clip", _one_of(lo=[-1.0, 0.5, -2.5], hi=[1.0, 2.0, 0.25])),
        Operation(
            "concatenate",
            lambda *parts, axis: F.concatenate(parts, axis=axis),
            2,
            _joined,
            writing=_parts("concatenate"),
        ),
        Operation(
            "stack",
            lambda *parts, axis: F.stack(parts, axis=axis),
            2,
            _stacked,
            writing=_parts("stack"),
        ),
        _shaped("softmax", _along_axes),
        _shaped("log_softmax", _along_axes),
        _shaped("logsumexp", _reduced),
        _shaped("max", _reduced, _distinct(largest=True)),
        _shaped("min", _reduced, _distinct(largest=False)),
        _shaped("prod", _reduced),
        _shaped("var", _spread),
        _shaped("std", _spread, _not_constant),
        _shaped("norm", _reduced, _not_zero),
        _shaped("cumsum", _running),
        _shaped("flip", _along_axes),
        _shaped("ravel", no_parameters),
        _shaped("squeeze", _short_axis),
        _shaped("expand_dims", _new_axis),
        _shaped("swapaxes", _two_axes("axis1", "axis2")),
        _shaped("moveaxis", _two_axes("source", "destination")),
        _shaped("take", _taken),
        Operation(
            "split",
            lambda x, sections, axis, part: F.split(x, sections, axis)[part],
            1,
            _cut,
            writing=lambda names, given: (
                f"F.split({names[0]}, {given['sections']}, axis={given['axis']})[{given['part']}]"
            ),
        ),
        _shaped("pad", _padding),
        Operation("dot", F.dot, 2),
        Operation("outer", F.outer, 2),
        _shaped("linear", _rows_and_weights, arity=3),
        _shaped("standardize", _along_axes, _not_constant),
        _shaped("layer_norm", _scale_and_shift, lambda m, x, w, b: _not_constant(m, x), arity=3),
        of_row(table["bce_with_logits"]),
        of_row(table["hinge"]),
        Operation(
            "huber",
            lambda e, delta: table["huber"](e, delta),
            1,
            _one_of(delta=[1.0, 0.5]),
            guard=_off_the_corners,
            scalar=True,
            writing=lambda names, given: f"table['huber']({names[0]}, {given['delta']})",
        ),
        replace(of_row(table["label_cross_entropy"]), choose=_labels),
    ]


#: The public table by name, simplest first: what ``expressions`` draws from by default.
OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _public()}


def chosen(wanted: Iterable[str | Primitive | Operation] | None, scalar: bool) -> list[Operation]:
    """Return the operations to draw from: all of the public table by default.

    Raises
    ------
    ValueError
        If a name is unknown, or nothing is left to draw from.
    """
    found = list(OPERATIONS.values()) if wanted is None else [_operation(item) for item in wanted]
    kept = [operation for operation in found if operation.scalar or not scalar]
    if not kept:
        raise ValueError(
            "there is no operation to draw from"
            + (": those given make arrays, so use kind='tensor'" if found else "")
        )
    return kept


def _operation(item: str | Primitive | Operation) -> Operation:
    if isinstance(item, Operation):
        return item
    if isinstance(item, Primitive):
        return OPERATIONS.get(item.name) or of_row(item)
    if item in OPERATIONS:
        return OPERATIONS[item]
    if item in table:
        return of_row(table[item])
    raise ValueError(
        f"no operation {item!r}: give a name from strategies.OPERATIONS, a row made by "
        "primitive(...), or an Operation"
    )
