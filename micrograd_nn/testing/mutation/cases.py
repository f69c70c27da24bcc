"""Small calls of every row of the table: where a wrong rule must show.

Floats and arrays, both sides of every kink and the kink itself, ties, tails in which exponentials
overflow (|x| > 355 for exp(2x), |x| > 710 for exp(x)), numbers near the largest and smallest,
repeated axes, negative axes, kept axes.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive

Array = Any


@dataclass(frozen=True, eq=False)
class Case:
    """One call of a row.

    Attributes
    ----------
    row : Primitive
    arguments : tuple
        Floats, arrays, or for a variadic row one list of them.
    params : dict
        The static parameters.
    order : int
        Up to which order the derivatives are checked there.
    """

    row: Primitive
    arguments: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    order: int = 1

    def __call__(self, *arguments: Any) -> Any:
        """Call the row, on nodes in place of the arguments."""
        return self.row(*arguments, **self.params)

    def __str__(self) -> str:
        words = [_short(x) for x in self.arguments] + [f"{k}={v}" for k, v in self.params.items()]
        return f"{self.row.name}({', '.join(words)})"


def _short(x: Any) -> str:
    if isinstance(x, (list, tuple)):
        return "[" + ", ".join(map(_short, x)) + "]"
    return f"{x:.6g}" if isinstance(x, float) else f"array of shape {np.shape(x)}"


# --------------------------------------------------------------------------------- elementwise

MODERATE = (-2.9, -1.3, -0.4, 0.3, 1.7)
TAILS = (0.0, -1e-3, 1e-3, -12.0, 12.0, -37.0, 37.0, -360.0, 360.0, -709.5, 709.5, -742.0, 742.0)
INFINITE = (-np.inf, np.inf)
POSITIVE = (0.3, 0.8, 1.0, 1.7, 2.9)
FAR = (1e-300, 1e-9, 1e9, 1e300)

#: ``row name: (moderate points, further points)``: second derivatives are checked at the former.
POINTS: dict[str, tuple[Sequence[float], Sequence[float]]] = {
    "log": (POSITIVE, FAR),
    "log1p": ((-0.6, *POSITIVE), (0.0, -1e-9, 1e-9, 1e9, 1e300)),
    "sqrt": (POSITIVE, (*FAR, 0.0)),
    "sin": (MODERATE, (0.0, 1e-9, 30.0)),
    "cos": (MODERATE, (0.0, 1e-9, 30.0)),
    "tan": (MODERATE, (0.0, 1e-9, 1.57)),
    "arctan": (MODERATE, (0.0, *FAR)),
    "gaussian": (MODERATE, (0.0, -12.0, 12.0, 26.0, -26.0, 30.0, *INFINITE)),
    "erf": (MODERATE, (0.0, -6.0, 12.0, 26.0, -26.0, 30.0, *INFINITE)),
    "normal_pdf": (MODERATE, (0.0, -12.0, 12.0, 37.0, -38.0, 40.0, *INFINITE)),
    "x_normal_pdf": (MODERATE, (0.0, -12.0, 12.0, 37.0, -38.0, 40.0, *INFINITE)),
    "normal_cdf": (MODERATE, (0.0, -12.0, 12.0, 37.0, -38.0, 40.0, *INFINITE)),
    "gelu": (MODERATE, (0.0, -12.0, 12.0, 37.0, -38.0, 40.0, *INFINITE)),
    "relu": (MODERATE, (0.0, 1e-300, 1e9, np.nan)),
    "abs": (MODERATE, (0.0, 1e-300, 1e9)),
    "sign": (MODERATE, (0.0,)),
    "step": (MODERATE, (0.0,)),
}

PAIRS = ((0.7, -1.3), (-2.1, -0.4), (1.9, 1.9), (-0.6, 2.3))

#: The same for rows of several arguments.
TUPLES: dict[str, tuple[Sequence[tuple[float, ...]], Sequence[tuple[float, ...]]]] = {
    "div": (PAIRS, ((0.0, 2.0), (1e-200, 1e-180), (1e200, 1e180), (3.0, 1e-9))),
    "power": (
        ((0.7, -1.3), (2.1, 0.4), (1.9, 3.0), (0.6, 2.0), (1.3, 0.1), (2.7, 1.0)),
        (
            *((0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, 0.5), (-1.7, 2.0), (-1.7, 3.0)),
            *((1e-300, 0.1), (0.0, 2.5), (3.0, 0.0), (-2.0, 0.0), (0.0, -1.0)),
            *((0.0, 0.1), (1e200, 2.0), (1e-200, 2.0), (1e-200, 3.0)),
        ),
    ),
    "power_derivative": (
        ((0.7, -1.3, 1.0), (2.1, 0.4, 1.0), (1.9, 3.0, 2.0), (0.6, 3.5, 2.0), (1.3, 0.1, 1.0)),
        (
            *((0.0, 2.0, 1.0), (0.0, 3.0, 2.0), (-1.7, 3.0, 1.0), (1.9, 1.0, 2.0)),
            *((0.0, 1.0, 1.0), (0.0, -1.0, 1.0), (0.0, -1.0, 2.0), (0.0, 0.1, 1.0)),
            *((1e200, 3.0, 2.0), (1e-200, 3.0, 2.0), (1e-200, 0.1, 1.0)),
        ),
    ),
    "log_of_base": (
        ((0.7, 1.3), (2.1, 0.4)),
        ((0.0, 2.0), (0.0, -1.0), (1e-300, 2.0), (1e300, -1.0)),
    ),
    "x_over": (PAIRS, ((0.0, 0.0), (0.0, 2.0), (1.5, 0.0), (0.0, np.nan), (1e200, 1e-200))),
    "xlogy": (
        ((0.7, 1.3), (2.1, 0.4), (-1.9, 3.0)),
        ((0.0, 0.0), (0.0, 2.0), (1.5, 0.0), (0.0, np.nan), (0.5, 1e-300)),
    ),
    "xlog1py": (
        ((0.7, 1.3), (2.1, -0.4), (-1.9, 3.0)),
        ((0.0, -1.0), (0.0, 2.0), (1.5, -1.0), (0.0, np.nan), (0.5, 1e-300)),
    ),
    "maximum": (PAIRS, ((0.0, 0.0), (1e9, -1e9), (np.nan, 1.0), (1.0, np.nan))),
    "minimum": (PAIRS, ((0.0, 0.0), (1e9, -1e9))),
    "dominance": (PAIRS, ((0.0, 0.0),)),
    "clip": (
        ((0.3, -1.0, 1.0), (-2.0, -1.0, 1.0), (1.7, -1.0, 1.0)),
        (
            *((-1.0, -1.0, 1.0), (1.0, -1.0, 1.0), (0.3, 1.0, -1.0), (1.7, 1.0, -1.0)),
            *((-1.0, 1.0, -1.0), (0.0, 1.0, 2.0), (np.nan, -1.0, 1.0)),
            *((-1.7, 1.0, -1.0), (0.5, 0.5, 0.5), (0.7, 0.5, 0.5), (0.3, 0.5, 0.5)),
        ),
    ),
    "inside": (((0.3, -1.0, 1.0), (-2.0, -1.0, 1.0), (1.7, -1.0, 1.0)), ()),
    "where": (((1.0, 0.7, -1.3), (0.0, 2.1, 0.4)), ((1.0, 0.5, np.inf), (0.0, np.inf, 0.5))),
    "leaky_relu": (
        ((0.7, 0.01), (-2.1, 0.3), (-1.9, 0.01)),
        ((0.0, 0.01), (0.0, 3.0), (-1.0, -0.5), (1e-300, 0.2), (-1e-300, 0.2)),
    ),
    "elu": (
        ((0.7, 1.0), (-2.1, 0.3), (-1.9, 1.7), (0.4, 0.3)),
        (
            (0.0, 1.0),
            (0.0, 0.3),
            (0.0, 3.0),
            (-1.0, -0.5),
            (-37.0, 1.0),
            (-742.0, 1.0),
            (742.0, 1.0),
        ),
    ),
    "sigmoid_minus": (
        ((0.7, 0.0), (-2.1, 1.0), (1.9, 0.3), (-0.6, 0.8)),
        ((37.0, 1.0), (-37.0, 0.0), (360.0, 1.0), (-742.0, 0.0), (742.0, 1.0), (0.0, 0.5)),
    ),
    "bce_with_logits": (
        ((0.7, 0.0), (-2.1, 1.0), (1.9, 0.3), (-0.6, 0.8)),
        ((37.0, 1.0), (-37.0, 0.0), (360.0, 1.0), (-742.0, 0.0), (742.0, 1.0), (0.0, 0.5)),
    ),
    "huber": (
        ((0.3, 1.0), (-0.7, 1.0), (2.1, 1.0), (-2.1, 0.5)),
        ((1.0, 1.0), (-1.0, 1.0), (0.0, 1.0), (1e9, 2.0)),
    ),
    "hinge": (
        ((0.3, 1.0), (0.3, 0.5), (-0.7, 1.0), (2.1, 1.0), (-2.1, -1.0)),
        ((1.0, 1.0), (-1.0, -1.0)),
    ),
}


def _elementwise(row: Primitive) -> Iterator[Case]:
    inside: list[tuple[float, ...]]
    outside: list[tuple[float, ...]]
    if row.arity == 1 and row.name not in TUPLES:
        moderate, further = POINTS.get(row.name, (MODERATE, (*TAILS, *INFINITE)))
        inside = [(x,) for x in moderate]
        outside = [(x,) for x in further]
    else:
        inside, outside = map(list, TUPLES.get(row.name, (PAIRS, ((0.0, 0.0), (1e-3, 1e9)))))
    if row.on_floats is not None:
        for point in (*inside, *outside):
            yield Case(row, point, order=2 if point in inside else 1)
    everything = [np.array(column) for column in zip(*inside, *outside, strict=True)]
    columns = [np.array(column) for column in zip(*inside, strict=True)]
    if row.name == "power_derivative":  # its last argument is a number, by contract
        for k in sorted({point[2] for point in inside}):
            some = [point[:2] for point in inside if point[2] == k]
            yield Case(row, (*map(np.array, zip(*some, strict=True)), k), order=2)
        return
    if row.name == "where":
        everything[0], columns[0] = everything[0] != 0, columns[0] != 0
    yield Case(row, tuple(everything))
    yield Case(row, tuple(columns), order=2)
    yield Case(row, tuple(c if c.dtype == bool else c.astype(np.float32) for c in columns))
    if row.name == "where":
        chosen, wide = columns[0], columns[1]
        for other in (wide.astype(np.float32), 0.5):
            yield Case(row, (chosen, wide, other))
            yield Case(row, (chosen, other, wide))
        yield Case(row, (chosen, wide.astype(np.float32), 0.5))
        yield Case(row, (chosen, 0.5, wide.astype(np.float32)))
    if row.name == "power":
        yield Case(row, (np.array([0.0, 2.0, -1.5]), np.zeros(3)))
    if row.arity > 1:
        yield Case(row, (columns[0][:, None], *(c[None, :2] for c in columns[1:])))
        yield Case(row, (columns[0][:2], *(float(c[0]) for c in columns[1:])))
        if row.name != "where":
            yield Case(row, (float(columns[0][0]), *(c[:, None] for c in columns[1:])))


# -------------------------------------------------------------------------------- along an axis

_rng = np.random.default_rng(20)
MATRIX = np.round(_rng.normal(size=(3, 4)), 3)
BLOCK = np.round(_rng.normal(size=(2, 3, 4)), 3)
TIED = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
ZEROS = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.5, 2.5, -1.0]])
STEEP = np.array([[40.0, 0.5, -3.0], [-800.0, 710.0, 1.0], [0.3, 0.2, 0.1]])
NOTHING = np.array([[-np.inf, -np.inf], [0.5, -1.0]])

AXES = (
    (MATRIX, 0),
    (MATRIX, -1),
    (BLOCK, (0, 2)),
    (BLOCK, -2),
    (BLOCK, 0),
    (MATRIX, None),
    (MATRIX[0], 0),
)


def _reductions(row: Primitive, *further: Array, **params: Any) -> Iterator[Case]:
    for (x, axis), keepdims in itertools.product(AXES, (False, True)):
        order = 2 if keepdims == (axis == 0) else 1
        yield Case(row, (x,), {"axis": axis, "keepdims": keepdims, **params}, order)
    for x in further:
        yield Case(row, (x,), {"axis": -1, "keepdims": False, **params})
        yield Case(row, (x,), {"axis": 0, "keepdims": True, **params})


def _nothing(row: Primitive) -> Iterator[Case]:
    yield Case(row, (NOTHING,), {"axis": -1, "keepdims": False}, 2)


def _spreads(row: Primitive) -> Iterator[Case]:
    for x, axis in AXES:
        yield Case(row, (x,), {"axis": axis, "ddof": 1, "keepdims": axis == 0}, 2)
    for x, ddof in itertools.product((MATRIX, 1e6 + MATRIX), (0, 1)):
        yield Case(row, (x,), {"axis": -1, "ddof": ddof, "keepdims": False})
    yield Case(row, (TIED,), {"axis": -1, "ddof": 0, "keepdims": False})
    for ddof in (1, 2):
        yield Case(row, (MATRIX[:, :1],), {"axis": -1, "ddof": ddof, "keepdims": False})


def _along(row: Primitive, *further: Array, **params: Any) -> Iterator[Case]:
    for x, axis in AXES:
        if axis is not None:
            yield Case(row, (x,), {"axis": axis, **params}, 2)
    for x in further:
        yield Case(row, (x,), {"axis": -1, **params})
    if row.name == "softmax":
        yield Case(row, (np.array(0.7),), {"axis": -1})


def _labelled(row: Primitive) -> Iterator[Case]:
    yield Case(row, (MATRIX,), {"labels": np.array([0, 3, 1])}, 2)
    yield Case(row, (STEEP,), {"labels": np.array([0, 1, 2])})
    yield Case(row, (STEEP,), {"labels": np.array([2, 0, 1])})


# -------------------------------------------------------------------------- products and shapes


def _normal(*shape: int) -> Array:
    return np.round(np.random.default_rng([7, *shape]).normal(size=shape), 3)


def _matmul(row: Primitive) -> Iterator[Case]:
    shapes = [
        *[((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((3, 3), (3, 3))],
        *[((2, 3, 4), (4, 2)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3))],
        *[((2, 1, 3, 4), (3, 4, 2)), ((2, 3, 3), (2, 3, 3))],
    ]
    for i, (left, right) in enumerate(shapes):
        yield Case(row, (_normal(*left), 0.5 + _normal(*right)), order=2 if i < 6 else 1)


def _linear(row: Primitive) -> Iterator[Case]:
    for x in (_normal(5, 4), _normal(4, 4), _normal(4), _normal(2, 5, 4)):
        outputs = 4 if x.shape == (4, 4) else 3
        yield Case(row, (x, 0.5 + _normal(outputs, 4), _normal(outputs)), order=2)


def _with(row: Primitive, *calls: tuple[Array, dict[str, Any]]) -> Iterator[Case]:
    for x, params in calls:
        yield Case(row, (x,), params, 2)


def _parts(row: Primitive, same_shape: bool) -> Iterator[Case]:
    second = (5, 3) if same_shape else (5, 4)
    for axis in (0, 1, -1):
        shapes = [(5, 3), second if axis else (5, 3), (5, 3)]
        parts = [_normal(*shape) + i for i, shape in enumerate(shapes)]
        yield Case(row, (parts,), {"axis": axis}, 2)
    if same_shape:
        for axis in (0, -1):
            yield Case(row, ([0.5, -1.5, 2.5],), {"axis": axis}, 2)
        yield Case(row, ([_normal(3), _normal(3) + 1],), {"axis": -1}, 2)


SPECIAL: dict[str, Callable[[Primitive], Iterable[Case]]] = {
    "sum": lambda row: _reductions(row),
    "mean": lambda row: _reductions(row),
    "prod": lambda row: _reductions(row, ZEROS),
    "max": lambda row: _reductions(row, TIED),
    "min": lambda row: _reductions(row, TIED),
    "norm": lambda row: _reductions(row, np.zeros((2, 3)), 1e-200 * MATRIX, 1e200 * MATRIX),
    "logsumexp": lambda row: [*_reductions(row, STEEP, NOTHING), *_nothing(row)],
    "var": _spreads,
    "std": _spreads,
    "softmax": lambda row: _along(row, STEEP),
    "log_softmax": lambda row: _along(row, STEEP),
    "product_of_others": lambda row: _along(row, ZEROS),
    "standardize": lambda row: _along(row, 1e3 + MATRIX, eps=1e-3),
    "label_cross_entropy": _labelled,
    "softmax_minus_labels": _labelled,
    "matmul": _matmul,
    "linear": _linear,
    "reshape": lambda row: _with(row, (MATRIX, {"shape": (2, 6)}), (BLOCK, {"shape": (-1,)})),
    "transpose": lambda row: _with(
        row,
        (MATRIX, {"axes": None}),
        (BLOCK, {"axes": (2, 0, 1)}),
        (BLOCK, {"axes": (1, 2, 0)}),
        (BLOCK, {"axes": (0, 2, 1)}),
    ),
    "broadcast_to": lambda row: _with(
        row, (MATRIX, {"shape": (2, 3, 4)}), (MATRIX[:, :1], {"shape": (3, 5)})
    ),
    "sum_to": lambda row: _with(
        row, (MATRIX, {"shape": (4,)}), (MATRIX, {"shape": (3, 1)}), (BLOCK, {"shape": (1, 4)})
    ),
    "flip": lambda row: _with(
        row, (MATRIX, {"axis": 0}), (MATRIX, {"axis": -1}), (BLOCK, {"axis": None})
    ),
    "cumsum": lambda row: _with(
        row, (MATRIX, {"axis": 0}), (MATRIX, {"axis": -1}), (BLOCK, {"axis": None})
    ),
    "getitem": lambda row: _with(
        row,
        (MATRIX, {"index": (slice(None), 1)}),
        (MATRIX, {"index": np.array([0, 2, 0])}),
        (MATRIX, {"index": (np.array([0, 0, 1]), np.array([3, 3, 1]))}),
        (BLOCK, {"index": (Ellipsis, slice(None, None, -2))}),
    ),
    "scatter": lambda row: _with(
        row,
        (MATRIX[0], {"shape": (4, 3), "index": (slice(None), 1)}),
        (MATRIX, {"shape": (3, 4), "index": np.array([0, 2, 0])}),
    ),
    "concatenate": lambda row: _parts(row, same_shape=False),
    "stack": lambda row: _parts(row, same_shape=True),
    "pad": lambda row: _with(
        row,
        (MATRIX, {"pad_width": ((1, 2), (0, 3))}),
        (MATRIX[0], {"pad_width": ((2, 0),)}),
    ),
}


def _units(row: Primitive) -> Iterator[Case]:
    for xs, ws in (
        ([0.5, -1.5], [2.0, 0.7, -0.3]),
        ([1.0], [-0.8, 0.2]),
        ([0.4, 0.9, -0.2], [0.3, -1.1, 0.6, 0.1]),
        ([0.5], [2.0, -1.0]),  # w·x + b = 0
    ):
        yield Case(row, (xs, ws), order=2)
    if row.name == "unit_relu":  # switched off by an infinite input
        yield Case(row, ([np.inf, 0.5], [-1.0, 0.7, 0.2]), order=2)
        yield Case(row, ([0.5, 0.3], [-np.inf, 0.7, 0.2]), order=2)
        yield Case(row, ([np.inf, 0.5], [1.0, 0.7, 0.2]))


def cases_of(row: Primitive) -> list[Case]:
    """Return the calls of a row; none for one whose arguments aren't known."""
    if row.name in SPECIAL:
        return list(SPECIAL[row.name](row))
    if row.vector:
        return list(_units(row))
    if row.elementwise and any(row.rules):
        return list(_elementwise(row))
    return []
