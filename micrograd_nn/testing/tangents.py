"""The oracle of a recorded graph: derivatives that share no rule with the table of operations.

``Local`` is one recorded operation as a linear map J, from the derivatives in ``slopes`` and
``jacobians`` and from the operation's kernel, never from its rules: ``tangent`` applies J (dual
numbers), ``cotangents`` applies Jᵀ, and both apply |J| where an error is to be bounded. It
computes in float64, whatever the graph does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive, table
from micrograd_nn.testing.jacobians import CONSTANT, JACOBIANS, LINEAR, SIZES
from micrograd_nn.testing.slopes import SLOPES, TERMS

Array = Any


class UnknownOperationError(LookupError):
    """The oracle knows no derivative of an operation, such as one that a user has made."""


class Local:
    """One recorded operation as a linear map.

    Attributes
    ----------
    children : list of (Node or None)
        Its inputs, None for a constant.
    data : list
        Their data when it was recorded, in float64.
    value : array or float
        Its result.
    differentiable : list of bool
        Whether there is a derivative by each argument.
    terms : list of int
        How many products are summed for one number of each argument's cotangent.
    """

    exact = False  # whether the forward pass rounds nothing

    def __init__(self, node: Node) -> None:
        op = node._op
        assert op is not None
        self.op: Primitive = op.row
        self.params = node.params
        arguments = node._saved_arguments()
        self.children = [child for child, _, _ in arguments]
        self.data = [_wide(saved) for _, saved, _ in arguments]
        self.value = _wide(node._data)
        rules = self.op.rules
        count = len(arguments)
        several = self.op.variadic or self.op.vector
        self.differentiable = (
            [rules[0] is not None] * count if several else [rule is not None for rule in rules]
        )
        self.terms = [1] * count

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        """Return J t, for a tangent of each argument; with |J| if ``absolute``."""
        raise NotImplementedError  # each kind of operation in its own way

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        """Return Jᵀ g for each argument, in the shape that broadcasting gave it."""
        raise NotImplementedError  # each kind of operation in its own way

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        """Return how much |J|ᵀ|g| changes, to first order, if the arguments are off by ``es``."""
        raise NotImplementedError  # each kind of operation in its own way

    def size(self) -> Array:
        """Return the size of what is rounded in the forward pass."""
        return np.abs(self.value)


def local(node: Node) -> Local:
    """Return a recorded operation as a linear map.

    Raises
    ------
    UnknownOperationError
        If the oracle knows no derivative of it.
    """
    op = node._op
    assert op is not None
    kind = _kind_of(op.row)
    if kind is None:
        raise UnknownOperationError(f"the oracle knows no derivative of {op.name}")
    return kind(node)


def is_known(op: Primitive) -> bool:
    """Tell whether the oracle knows the derivatives of a row."""
    return _kind_of(op.row) is not None


@lru_cache(maxsize=1000)
def _kind_of(op: Primitive) -> Callable[[Node], Local] | None:
    if op.vector:
        return Unit if _activation(op) in SLOPES else None
    if table.get(op.name) is not op:
        return None
    if op.name in SLOPES:
        return Elementwise
    if op.name in LINEAR:
        return Linear
    if op.name in JACOBIANS:
        return Along
    return {"matmul": Matmul, "linear": Affine}.get(op.name) or (
        Constant if op.name in CONSTANT else None
    )


# --------------------------------------------------------------------------------- elementwise


class Elementwise(Local):
    """Each element of the result depends on the same element of each argument."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._slopes = self._at(self.data)
        terms = TERMS.get(self.op.name)
        self._sizes: list[Array | None] = [None if d is None else np.abs(d) for d in self._slopes]
        if terms is not None:
            a, b = terms(*self.data)
            self._sizes[0] = np.abs(a) + np.abs(b)

    def _at(self, data: Sequence[Array]) -> tuple[Array | None, ...]:
        return SLOPES[self.op.name](*data, self.value)

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        slopes = self._sizes if absolute else self._slopes
        total: Array = np.zeros(np.shape(self.value))
        for d, t in zip(slopes, ts, strict=True):
            if d is not None and t is not None:
                total = total + vanishing(t, d)
        return total

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        slopes = self._sizes if absolute else self._slopes
        return [None if d is None else vanishing(g, d) for d in slopes]

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        total: list[Array | None] = [None if d is None else 0.0 for d in self._slopes]
        if all(d is None or type(d) is float for d in self._slopes):
            return total  # the derivatives are constant
        for b, e in enumerate(es):
            if e is None or not np.any(e):
                continue
            step = 1e-6 * np.maximum(1.0, np.abs(self.data[b]))
            shifted = [list(self.data), list(self.data)]
            shifted[0][b], shifted[1][b] = self.data[b] - step, self.data[b] + step
            low, high = (self._at(data) for data in shifted)
            for i, (before, after) in enumerate(zip(low, high, strict=True)):
                if before is not None and after is not None:
                    change = np.abs(after - before) / (2.0 * step)
                    total[i] = total[i] + np.nan_to_num(change * e * g, nan=0.0, posinf=0.0)
        return total


class Unit(Elementwise):
    """A unit of a layer, g(w·x + b): its arguments are the inputs, the weights and the bias."""

    def _at(self, data: Sequence[Array]) -> tuple[Array | None, ...]:
        count = len(data) // 2
        xs, ws = data[:count], data[count:]
        z = float(np.dot(xs, ws[:-1]) + ws[-1])
        (slope,) = SLOPES[_activation(self.op)](np.float64(z), np.float64(self.value))
        d = 0.0 if slope is None else float(slope)
        return (*(vanishing(d, w) for w in ws[:-1]), *(vanishing(d, x) for x in xs), d)

    def size(self) -> Array:
        count = len(self.data) // 2
        z = np.dot(np.abs(self.data[:count]), np.abs(self.data[count:-1])) + abs(self.data[-1])
        slope = self._sizes[-1]
        return (count + 1) * (np.abs(self.value) + z * (0.0 if slope is None else slope))


def _activation(op: Primitive) -> str:
    return "identity" if op.name == "affine" else op.name.removeprefix("unit_")


# -------------------------------------------------------------------------------------- linear


class Linear(Local):
    """A sum or selection of the elements of its argument, or of its sequence of arguments."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.exact = self.op.name not in ("sum", "mean", "sum_to", "cumsum", "scatter")
        if self.op.name == "cumsum":
            self.terms = [int(np.size(self.value))]

    def _apply(self, arrays: Sequence[Array]) -> Array:
        kernel = self.op.on_arrays
        result = (
            kernel(list(arrays), **self.params)
            if self.op.variadic
            else kernel(arrays[0], **self.params)
        )
        return _wide(result)

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        shapes = [np.shape(x) for x in self.data]
        full = [
            np.zeros(shape) if t is None else np.broadcast_to(_wide(t), shape)
            for t, shape in zip(ts, shapes, strict=True)
        ]
        return self._apply(full)

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        g = np.broadcast_to(g, np.shape(self.value))
        name, shape = self.op.name, np.shape(self.data[0])
        if name in ("sum", "mean"):
            axes = _axes(self.params["axis"], len(shape))
            kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
            count = int(np.prod([shape[a] for a in axes])) if name == "mean" else 1
            return [np.broadcast_to(np.reshape(g, kept) / count, shape)]
        if name == "sum_to":
            return [np.broadcast_to(g, shape)]
        if name == "cumsum":
            axis = self.params["axis"]
            flat = np.reshape(g, -1) if axis is None else g
            back = np.flip(np.cumsum(np.flip(flat, axis or 0), axis or 0), axis or 0)
            return [np.reshape(back, shape)]
        if name == "scatter":
            return [np.asarray(g)[self.params["index"]]]
        return self._gathered(g)

    def _gathered(self, g: Array) -> list[Array | None]:
        """Carry each element of g to the element that was selected for it."""
        sizes = [int(np.size(x)) for x in self.data]
        ends = np.cumsum([1, *sizes])  # 0 stands for what no element was selected for
        numbers = [
            np.arange(start, stop, dtype=np.float64).reshape(np.shape(x))
            for start, stop, x in zip(ends[:-1], ends[1:], self.data, strict=True)
        ]
        selected = np.asarray(self._apply(numbers)).astype(np.intp).reshape(-1)
        sums = np.bincount(selected, weights=np.reshape(g, -1), minlength=int(ends[-1]))
        return [
            sums[start:stop].reshape(np.shape(x))
            for start, stop, x in zip(ends[:-1], ends[1:], self.data, strict=True)
        ]

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        return [None] * len(es)

    def size(self) -> Array:
        if self.exact:
            return np.abs(self.value)
        terms = np.size(self.data[0]) / max(np.size(self.value), 1)
        return (1.0 + terms) * self._apply([np.abs(x) for x in self.data])


class Constant(Local):
    """A function without a derivative."""

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        return np.zeros(np.shape(self.value))

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        return [None] * len(self.data)

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        return [None] * len(es)


# ---------------------------------------------------------------------------- matrix products


class Matmul(Local):
    """x @ y, in all of NumPy's cases."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        _, y = self._matrices(self.data)
        rows = int(np.size(self.value)) // max(y.shape[-1], 1)
        self.terms = [y.shape[-1], rows]

    def _matrices(self, data: Sequence[Array]) -> tuple[Array, Array]:
        x, y = data
        return (x[None, :] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        data = [np.abs(d) for d in self.data] if absolute else self.data
        total: Array = np.zeros(np.shape(self.value))
        for i, t in enumerate(ts):
            if t is not None:
                factors = list(data)
                factors[i] = t
                total = total + _product(*factors)
        return total

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        return list(self._pulled([np.abs(d) for d in self.data] if absolute else self.data, g))

    def _pulled(self, data: Sequence[Array], g: Array) -> tuple[Array, Array]:
        X, Y = self._matrices(data)
        batch = np.broadcast_shapes(X.shape[:-2], Y.shape[:-2])
        G = np.reshape(np.broadcast_to(g, np.shape(self.value)), (*batch, X.shape[-2], Y.shape[-1]))
        by_x = summed_to(_product(G, np.swapaxes(Y, -1, -2)), X.shape)
        by_y = summed_to(_product(np.swapaxes(X, -1, -2), G), Y.shape)
        return np.reshape(by_x, data[0].shape), np.reshape(by_y, data[1].shape)

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        errors = [np.zeros(d.shape) if e is None else e for e, d in zip(es, self.data, strict=True)]
        return list(self._pulled(errors, g))

    def size(self) -> Array:
        return (1.0 + self.data[0].shape[-1]) * _product(*(np.abs(d) for d in self.data))


class Affine(Local):
    """x Wᵀ + b."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        x, W, _ = self.data
        examples = int(np.size(x)) // max(x.shape[-1], 1)
        self.terms = [W.shape[0], examples, 1]

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        x, W, _ = [np.abs(d) for d in self.data] if absolute else self.data
        total: Array = np.zeros(np.shape(self.value))
        tx, tW, tb = ts
        if tx is not None:
            total = total + _product(np.broadcast_to(tx, x.shape), W.T)
        if tW is not None:
            total = total + _product(x, np.broadcast_to(tW, W.shape).T)
        return total if tb is None else total + tb

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        return self._pulled([np.abs(d) for d in self.data] if absolute else self.data, g)

    def _pulled(self, data: Sequence[Array], g: Array) -> list[Array | None]:
        x, W, _ = data
        g = np.broadcast_to(g, np.shape(self.value))
        rows, examples = np.reshape(g, (-1, g.shape[-1])), np.reshape(x, (-1, x.shape[-1]))
        return [_product(g, W), _product(rows.T, examples), g]

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        errors = [np.zeros(d.shape) if e is None else e for e, d in zip(es, self.data, strict=True)]
        by_x, by_W, _ = self._pulled(errors, g)
        return [by_x, by_W, None]

    def size(self) -> Array:
        x, W, b = (np.abs(d) for d in self.data)
        return (2.0 + x.shape[-1]) * (_product(x, W.T) + b)


def _product(x: Array, y: Array) -> Array:
    """Return x @ y, in which a factor of exactly 0 makes a product 0."""
    with np.errstate(all="ignore"):
        z = np.matmul(x, y)
        if np.isfinite(z).all():
            return z
        X, Y = (x[None, :] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)
        terms = vanishing(X[..., :, :, None], Y[..., None, :, :])
        terms = np.where(Y[..., None, :, :] == 0, 0.0, terms)
        return np.reshape(np.sum(terms, axis=-2), np.shape(z))


# ------------------------------------------------------------------------------ along an axis


class Along(Local):
    """A function of the vectors along some axes of an array."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        (x,) = self.data
        axes = _axes(self.params.get("axis", -1), x.ndim)
        self._order = tuple(i for i in range(x.ndim) if i not in axes) + axes
        self._full = tuple(x.shape[i] for i in self._order)
        self._length = int(np.prod(self._full[x.ndim - len(axes) :]))
        self._jacobian = self._at(x)
        size = SIZES.get(self.op.name)
        self._sizes = (
            np.abs(self._jacobian) if size is None else size(self._lined(x), **self.params)
        )
        self.terms = [self._jacobian.shape[-2] + self._length]
        self._reduces = self._jacobian.shape[-2] == 1 and not (
            self._length == 1 and np.shape(self.value) == x.shape and "keepdims" not in self.params
        )

    def _at(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            return JACOBIANS[self.op.name](self._lined(x), **self.params)

    def _lined(self, x: Array) -> Array:
        moved = np.transpose(x, self._order)
        return np.reshape(moved, (*self._full[: self._outer], self._length))

    @property
    def _outer(self) -> int:
        return len(self._full) - len(_axes(self.params.get("axis", -1), len(self._full)))

    def _unlined(self, lined: Array) -> Array:
        return np.transpose(np.reshape(lined, self._full), np.argsort(self._order))

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        (t,) = ts
        if t is None:
            return np.zeros(np.shape(self.value))
        jacobian = self._sizes if absolute else self._jacobian
        lined = self._lined(np.broadcast_to(t, self.data[0].shape))
        result = np.sum(vanishing(lined[..., None, :], jacobian), axis=-1)
        return np.reshape(result, np.shape(self.value)) if self._reduces else self._unlined(result)

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        return [self._pulled(self._sizes if absolute else self._jacobian, g)]

    def _pulled(self, jacobian: Array, g: Array) -> Array:
        g = np.broadcast_to(g, np.shape(self.value))
        outer = self._full[: self._outer]
        lined = np.reshape(g, (*outer, 1)) if self._reduces else self._lined(g)
        return self._unlined(np.sum(vanishing(lined[..., :, None], jacobian), axis=-2))

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        (e,) = es
        (x,) = self.data
        if e is None or not np.any(e):
            return [None]
        total = 0.0
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(4, *x.shape))
        step = 1e-6 * np.maximum(1.0, np.abs(x)) / max(float(np.max(e)), 1e-300) * e
        scale = max(float(np.max(e)), 1e-300) / (1e-6 * max(1.0, float(np.max(np.abs(x)))))
        for sign in signs:
            change = np.abs(self._at(x + sign * step) - self._at(x - sign * step)) / 2.0
            total = np.maximum(total, np.nan_to_num(change, posinf=0.0))
        return [2.0 * scale * self._pulled(np.asarray(total), g)]

    def size(self) -> Array:
        (x,) = self.data
        finite = np.where(np.isfinite(x), x, 0.0)
        return (1.0 + self._length) * (np.abs(self.value) + self.tangent([np.abs(finite)], True))


# ------------------------------------------------------------------------------------- helpers


def vanishing(t: Array, d: Array) -> Array:
    """Return t · d, 0 where t is exactly 0, whatever d is."""
    with np.errstate(all="ignore"):
        product = t * d
        return np.where(np.equal(t, 0), 0.0, product) if np.isnan(product).any() else product


def summed_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Sum an array over the axes along which an array of that shape was repeated."""
    if np.shape(x) == shape:
        return x
    x = np.asarray(x)
    if x.ndim < len(shape):
        return np.broadcast_to(x, shape)
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and x.shape[i] != 1)
    return np.broadcast_to(x.sum(axis=axes, keepdims=True), shape)


def _wide(x: Any) -> Any:
    """Return numbers as float64; conditions and labels are left as they are."""
    if isinstance(x, float):
        return np.float64(x)
    array = np.asarray(x)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None or ndim == 0:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))
