"""The function on an activation's card: its curve, where on it the node stands, the tangent.

Curve and slope are computed by the row's own kernel and rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.pull import call
from micrograd_nn.readers.miniature import FloatArray, Mark, Miniature

#: The curve is drawn from −4 to 4 at the least.
_REACH = 4.0
#: Beyond that, floats are too few, or too large, to draw a curve by.
_FARTHEST = 1e100
_SAMPLES = 41
_WIDTH, _HEIGHT = 84.0, 30.0
#: Half the length of a tangent, and how far from the border the curve keeps.
_TANGENT, _MARGIN = 15.0, 3.0
#: So many operating points are drawn at the most.
_DOTS = 32


class Function:
    """A node as a function of one number, the others being constant.

    Attributes
    ----------
    row : Primitive
    arguments : list
        Its arguments as recorded; that at ``place`` is the number (or array) it is a function of.
    place : int
    params : dict
    """

    def __init__(
        self, row: Primitive, arguments: Sequence[Any], place: int, params: dict[str, Any]
    ) -> None:
        self.row = row
        self.arguments = list(arguments)
        self.place = place
        self.params = params

    @property
    def points(self) -> FloatArray:
        """The numbers that the function was applied to."""
        return np.ravel(np.asarray(self.arguments[self.place], np.float64))

    def is_like(self, other: Function) -> bool:
        """Tell whether both have one curve."""
        return (self.row, self.place, self.params, self._constants()) == (
            other.row, other.place, other.params, other._constants(),
        )  # fmt: skip

    def _constants(self) -> list[Any]:
        return [a for k, a in enumerate(self.arguments) if k != self.place]

    def __call__(self, x: FloatArray) -> FloatArray:
        """Compute it by the row's kernel on arrays."""
        with np.errstate(all="ignore"):
            return np.asarray(self.row.on_arrays(*self._with(x), **self.params), np.float64)

    def slope(self, x: float) -> float:
        """Compute its derivative at a point by the row's rule."""
        rule = self.row.rules[self.place]
        assert rule is not None
        with np.errstate(all="ignore"):
            z = float(self(np.array([x]))[0])
            return call(rule, 1.0, z, *self._with(x), **self.params)

    def _with(self, x: Any) -> list[Any]:
        arguments = list(self.arguments)
        arguments[self.place] = x
        return arguments


def function_of(node: Node) -> Function | None:
    """Return a node as a function of one number, None where it isn't one.

    A unit g(w·x + b) is the function g of its weighted sum.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> f = function_of(Value(0.5).tanh())
    >>> f.row.name, f.points, round(f.slope(0.0), 3)
    ('tanh', array([0.5]), 1.0)
    >>> function_of(Value(0.5) * Value(2.0)) is None
    True
    """
    op = node.op
    if op is None:
        return None
    if op.vector:
        return _of_unit(node, op)
    if not op.elementwise or op.variadic:
        return None
    saved = [data for _, data, _ in node._saved_arguments()]
    inputs = node.inputs
    varying = [k for k, i in enumerate(inputs) if i.op is not None or i.requires_grad]
    if not varying:
        varying = [0]
    if len(varying) > 1 or op.rules[varying[0]] is None:
        return None
    constants = [_one_number(data) for k, data in enumerate(saved) if k != varying[0]]
    if None in constants:
        return None
    constants.insert(varying[0], saved[varying[0]])
    return Function(op, constants, varying[0], node.params)


def _of_unit(node: Node, op: Primitive) -> Function | None:
    if op.activation is None:
        return None
    saved = [data for _, data, _ in node._saved_arguments()]
    width = len(saved) // 2
    total = sum((x * w for x, w in zip(saved[:width], saved[width:], strict=False)), saved[-1])
    return Function(op.activation, [total], 0, {})


def _one_number(data: Any) -> float | None:
    """Return the number that an array consists of, if it is only one."""
    flat = np.ravel(data)
    return float(flat[0]) if flat.size and np.all(flat == flat[0]) else None


def sparkline(nodes: Sequence[Node]) -> Miniature | None:
    """Return the curve that all these nodes have in common, and where on it they stand.

    One node stands on it as a dot with the tangent, several as a row of dots. None where they
    aren't applications of one function, or where it is a straight line.
    """
    functions = [function_of(node) for node in _spread(nodes, _DOTS)]
    first = functions[0] if functions else None
    if first is None or not all(f is not None and f.is_like(first) for f in functions):
        return None
    points = np.concatenate([f.points for f in functions if f is not None])
    points = points[np.isfinite(points)]
    if not len(points):
        return None
    reach = max(_REACH, 1.15 * float(np.max(np.abs(points))))
    if reach > _FARTHEST:
        return None
    xs = np.linspace(-reach, reach, _SAMPLES)
    ys = first(xs)
    if ys.shape != xs.shape or _is_straight(ys):
        return None
    if len(points) > 1:
        points = np.unique(np.quantile(points, np.linspace(0, 1, min(len(points), _DOTS))))
    heights = first(points)
    scale = _Scale(reach, _range(ys, heights))
    marks = [*_axes(scale), Mark("curve", "line", scale.path(xs, ys))]
    if len(points) == 1 and math.isfinite(heights[0]):
        x, y = float(points[0]), float(heights[0])
        marks += [*_tangent(scale, first.slope, x, y), Mark("point", "dots", (scale(x, y),))]
    else:
        dots = [scale(x, y) for x, y in zip(points, heights, strict=True) if math.isfinite(y)]
        marks.append(Mark("point many", "dots", tuple(dots)))
    return Miniature(_WIDTH, _HEIGHT, tuple(marks))


class _Scale:
    """From the function's coordinates to those of the drawing, which keep off its border."""

    def __init__(self, reach: float, heights: tuple[float, float]) -> None:
        self.reach = reach
        self.low, self.high = heights

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        margin_x, margin_y = _MARGIN / _WIDTH, _MARGIN / _HEIGHT
        across = 0.5 + 0.5 * x / self.reach * (1 - 2 * margin_x)
        down = (self.high - y) / (self.high - self.low) * (1 - 2 * margin_y) + margin_y
        return across, down

    def path(self, xs: FloatArray, ys: FloatArray) -> tuple[tuple[float, float], ...]:
        """Return a line, with NaN where it leaves the drawing."""
        points = [self(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
        return tuple(p if 0 <= p[1] <= 1 else (math.nan, math.nan) for p in points)


def _range(ys: FloatArray, heights: FloatArray) -> tuple[float, float]:
    """Return the least and the largest height to draw: a pole is cut off."""
    finite = ys[np.isfinite(ys)]
    low, high = np.quantile(finite, [0.0, 1.0]) if len(finite) else (0.0, 1.0)
    inner = np.quantile(finite, [0.1, 0.9]) if len(finite) else (0.0, 1.0)
    if high - low > 20 * (inner[1] - inner[0]) > 0:
        low, high = inner
    shown = heights[np.isfinite(heights)]
    low, high = min([low, *shown]), max([high, *shown])
    return (float(low), float(high)) if high > low else (float(low) - 1, float(high) + 1)


def _axes(scale: _Scale) -> list[Mark]:
    axes = [Mark("axis", "line", ((0.5, 0.0), (0.5, 1.0)))]
    if scale.low <= 0 <= scale.high:
        _, y = scale(0.0, 0.0)
        axes.append(Mark("axis", "line", ((0.0, y), (1.0, y))))
    return axes


def _tangent(scale: _Scale, slope: Callable[[float], float], x: float, y: float) -> list[Mark]:
    """Return the tangent at a point, as long as any other and inside the drawing."""
    steep = slope(x)
    if not math.isfinite(steep):
        return []
    step = scale.reach / 100
    (u, v), (w, t) = scale(x, y), scale(x + step, y + steep * step)
    length = math.hypot((w - u) * _WIDTH, (t - v) * _HEIGHT)
    if not math.isfinite(length):
        return []
    along, down = (w - u) / length * _TANGENT, (t - v) / length * _TANGENT
    ends = []
    for way in (-1.0, 1.0):
        part = 1.0
        for at, step in ((u, way * along), (v, way * down)):
            if step:
                part = min(part, max((1.0 - at) / step, -at / step))
        ends.append((u + way * along * part, v + way * down * part))
    return [Mark("tangent", "line", tuple(ends))]


def _is_straight(ys: FloatArray) -> bool:
    if not np.all(np.isfinite(ys)):
        return False
    bend = np.max(np.abs(np.diff(ys, 2)))
    return bool(bend <= 1e-9 * max(np.max(np.abs(ys)), 1e-300))


def _spread(nodes: Sequence[Node], most: int) -> Sequence[Node]:
    """Return some of many nodes, evenly."""
    step = max(1, -(-len(nodes) // most))
    return nodes[::step]
