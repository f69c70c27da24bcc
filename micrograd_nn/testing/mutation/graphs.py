"""Small graphs that tell a faulty engine from a sound one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table.arithmetic import div, power, where
from micrograd_nn.graph.table.arrays import matmul, max_, mean, sum_
from micrograd_nn.graph.table.elementary import exp, log, sin, sqrt, tanh
from micrograd_nn.graph.table.fused import linear, softmax
from micrograd_nn.graph.table.indexing import concatenate, stack
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.units import Parameters, Units, record_units, unit
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.gradcheck import gradcheck
from micrograd_nn.testing.mutation.battery import Check


def _square(x: Any) -> Any:
    return x * x


def _diamond(x: Any, y: Any) -> Any:
    a = sin(x * y)
    b = a * y + a
    return tanh(a) * b + x * b


def _ladder(x: Any, y: Any) -> Any:
    for _ in range(4):
        x, y = x * y + x, sin(x) - y * 0.5
    return x * y


def _broadcast(x: Any, y: Any, b: Any) -> Any:
    return tanh(x * y + b) * b + y


def _mixed(x: Any, w: Any) -> Any:
    return (x * w + w * w) * x


def _layer(x: Any, W: Any, b: Any) -> Any:
    return softmax(linear(tanh(linear(x, W, b)), W, b), axis=-1)


def _columns(X: Any, W: Any, b: Any) -> Any:
    A = tanh(matmul(W, X) + b)
    return mean(A * A, axis=None, keepdims=False) + sum_(A, axis=0, keepdims=False) * A


def _clipped(x: Any, slope: Any) -> Any:
    clip = table["clip"]
    return clip(x * 3.0, slope, 2.0) * clip(x, -1.0, slope * x)


def _units(a: Any, b: Any, w: Any, c: Any) -> Any:
    hidden = unit(table["tanh"])([a, b], [w, c, 0.5])
    return unit(table["tanh"])([hidden, a], [c, w, b])


def _parts(x: Any, y: Any) -> Any:
    both = concatenate([x, y, x], axis=0)
    return stack([both, both * both], axis=1) * sum_(both, axis=None, keepdims=False)


def _guarded(x: Any) -> Any:
    return where(x > 0.0, log(x), 0.0) + where(x > 0.5, 1.0 / x, x) + sqrt(x) * 0.0


def _guarded_array(x: Any) -> Any:
    positive = np.asarray(x._data if isinstance(x, Node) else x) > 0
    root = where(positive, sqrt(x), x * x)
    return where(positive, log(x), 0.0) + where(positive, div(1.0, x), x) * root


def _unused_infinity(x: Any, W: Any) -> Any:
    """Infinite weights of outputs that don't count, in the first and the second product."""
    W = where(np.array([[False, False], [True, False]]), np.inf, W)
    z = matmul(x, W)
    return where(np.array([False, True]), z, 0.0)


def _row_of_infinities(x: Any) -> Any:
    rows = where(np.array([[False] * 3, [True] * 3]), -np.inf, x)
    tops = max_(rows / 0.5, axis=-1, keepdims=False) + table["norm"](rows, axis=-1, keepdims=False)
    return where(np.array([True, False]), tops, 1.0)


def _switched_off(x: Any) -> Any:
    return sqrt(x) * np.array([0.0, 1.0])


def _partly_used(x: Any) -> Any:
    """The NaN of one element of a softmax reaches all that the other depends on."""
    rows = x * np.array([[1.0, 1.0], [np.inf, 1.0]])
    return where(np.array([True, False]), softmax(rows, axis=-1), 0.5)


def _normal(*shape: int) -> Any:
    return np.random.default_rng([11, *shape]).normal(size=shape)


def _two(x: Any, y: Any) -> Any:
    return x + y


def _small(x: Any) -> Any:
    return 1e-20 * sin(x * x)


def _large(x: Any) -> Any:
    return 30.0 * exp(x) * power(x, 3.0)


def _network(*values: Any) -> Any:
    """Return the sum over two examples of a network of units that is recorded by layers."""
    weights, x = values[:9], values[9:]
    tan_h, identity = table["tanh"], table["identity"]
    first = Parameters(unit(tan_h), tan_h, [weights[:3], weights[3:6]])
    second = Parameters(unit(identity), identity, [weights[6:]])
    total: Any = 0.0
    for example in (x, (x[1], x[0])):
        hidden = record_units(example, np.array([v._data for v in example]), first)
        assert isinstance(hidden, Units)
        once, again = (record_units(hidden, hidden._data, second) for _ in range(2))
        assert isinstance(once, Units)
        assert isinstance(again, Units)
        total = total + once.members()[0] * again.members()[0]
    return total


class Graph:
    """A check of one function: its gradient, its second derivatives and a second pass."""

    def __init__(self, case: Callable[..., Any], *inputs: Any, order: int = 2) -> None:
        self.case, self.inputs, self.order = case, inputs, order

    def __call__(self) -> None:
        """Raise where something is wrong."""
        gradcheck(self.case, *self.inputs, order=self.order, blame=False)
        self._twice()
        self._apart()
        self._beside()

    def __str__(self) -> str:
        return f"the graph {self.case.__name__.strip('_')}"

    def _leaves(self) -> list[Any]:
        return [Value(x) if isinstance(x, float) else Tensor(x) for x in self.inputs]

    def _seed(self, node: Any) -> Any:
        rng = np.random.default_rng(5)
        return rng.normal() if type(node._data) is float else rng.normal(size=node.shape)

    def _twice(self) -> None:
        """A second pass gives the same again: leaves have it twice, inner nodes once."""
        leaves = self._leaves()
        root = self.case(*leaves)
        seed = self._seed(root)
        inner = [n for n in toposort(root, constants=False) if n.op is not None and n is not root]
        root.backward(seed)
        first = [np.array(leaf.grad) for leaf in leaves]
        within = [np.array(n.grad) for n in inner]  # type: ignore[attr-defined]
        root.backward(seed)
        for leaf, once in zip(leaves, first, strict=True):
            np.testing.assert_array_equal(leaf.grad, 2.0 * once)
        for node, once in zip(inner, within, strict=True):
            np.testing.assert_array_equal(node.grad, once)  # type: ignore[attr-defined]

    def _apart(self) -> None:
        """The gradient of a leaf is its own: writing to one changes no other."""
        leaves = self._leaves()
        root = self.case(*leaves)
        seed = self._seed(root)
        before = np.array(seed)
        root.backward(seed)
        grads = [np.array(leaf.grad) for leaf in leaves]
        for leaf, grad in zip(leaves, grads, strict=True):
            np.testing.assert_array_equal(leaf.grad, grad)
            if isinstance(leaf.grad, np.ndarray):
                leaf.grad[...] = np.nan
        np.testing.assert_array_equal(seed, before)

    def _beside(self) -> None:
        """The cotangents beside the graph are those in it, whatever else is asked for."""
        leaves = self._leaves()
        root = self.case(*leaves)
        seed = self._seed(root)
        root.backward(seed)
        together = cotangents(root, seed, leaves)
        for leaf in leaves:
            alone = cotangents(root, seed, [leaf])
            np.testing.assert_allclose(alone[leaf], leaf.grad, 1e-12)
            np.testing.assert_allclose(together[leaf], leaf.grad, 1e-12)


def engine_checks() -> list[Check]:
    """Return the checks that tell a faulty engine from a sound one."""
    x, y = 0.7, -1.3
    X, W, b = _normal(5, 3), _normal(3, 3), _normal(3)
    graphs = [
        Graph(_square, x),
        Graph(_square, X),
        Graph(_diamond, x, y),
        Graph(_diamond, X, _normal(5, 1)),
        Graph(_ladder, x, y),
        Graph(_ladder, X, _normal(1, 3)),
        Graph(_broadcast, _normal(2, 1, 4), _normal(3, 1), _normal(4)),
        Graph(_broadcast, X, x, b),
        Graph(_mixed, X, y),
        Graph(_layer, X, W, b),
        Graph(_columns, X.T, W, _normal(3, 1)),
        Graph(_clipped, x, 0.5),
        Graph(_units, x, y, 0.3, -0.6),
        Graph(_network, *_normal(11).tolist()),
        Graph(_parts, _normal(3), _normal(2)),
        Graph(_guarded, 0.0, order=1),
        Graph(_guarded_array, np.array([0.0, 0.5, -2.0, 0.0])),
        Graph(_two, X, _normal(5, 3) + 1.0),
        Graph(_small, x),
        Graph(_small, X),
        Graph(_unused_infinity, _normal(3, 2), _normal(2, 2), order=1),
        Graph(_guarded_array, np.array([0.5, -2.0, 3.0])),
        Graph(_switched_off, np.array([-2.0, 3.0]), order=1),
        Graph(_partly_used, np.array([[1.0, 2.0], [0.5, 0.3]]), order=1),
        Graph(_row_of_infinities, _normal(2, 3), order=1),
        Graph(_large, 2.0),
        Graph(_large, np.array([2.0, -1.5])),
    ]
    return [*graphs]
