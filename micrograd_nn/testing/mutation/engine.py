"""Faults of the engine: each must be found by a check of a small graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph import backward, cotangents, pull
from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table.arithmetic import div, power, where
from micrograd_nn.graph.table.arrays import matmul, mean, sum_
from micrograd_nn.graph.table.elementary import exp, log, sin, sqrt, tanh
from micrograd_nn.graph.table.fused import linear, softmax
from micrograd_nn.graph.table.indexing import concatenate, stack
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.units import Parameters, Units, record_units, unit
from micrograd_nn.graph.value import Value
from micrograd_nn.testing.gradcheck import gradcheck
from micrograd_nn.testing.mutation.battery import Check, first_to_fail
from micrograd_nn.testing.mutation.edits import Edit
from micrograd_nn.testing.mutation.report import Mutant

_HERE = "from micrograd_nn.testing.mutation import engine as faulty"


# ---------------------------------------------------------------------------------- the faults


def breadth_first(root: Node) -> list[Node]:
    """Return the nodes below a root, level by level, the root last: no topological order."""
    found, seen = [root], {root}
    for node in found:
        for child in node._recorded_inputs():
            if child not in seen:
                seen.add(child)
                found.append(child)
    return [node for node in found if node._op is not None][::-1]


def inner_gradients(root: Node) -> list[tuple[Node, Any]]:
    """Return the gradients that an earlier pass left in inner nodes."""
    return [(n, n._grad) for n in breadth_first(root) if n is not root and n._grad is not UNREACHED]


def clipped(x: Any) -> Any:
    """Return a cotangent with its numbers clipped to −1 ... 1."""
    return float(np.clip(x, -1.0, 1.0)) if type(x) is float else np.clip(x, -1.0, 1.0)


def _faults() -> list[Edit]:
    deliver, passed = backward._deliver, backward._passed
    pulled: Any = Units.pull_array
    parameters: Any = Parameters.pull_array
    return [
        Edit("overwrite for accumulate", deliver, "child._grad = before + cotangent", "child._grad = cotangent"),
        Edit("overwrite for accumulate", deliver, "child._grad += cotangent if", "child._grad = cotangent if"),
        Edit("overwrite for accumulate", pull.float_pull, "{slot}._grad += {source}", "{slot}._grad = {source}"),
        Edit("overwrite for accumulate", pull.pull_tuple, "node._grad += call", "node._grad = call"),
        Edit("overwrite for accumulate", pull.pull_vectors, "for node, cotangent in zip(v._a, xs, strict=True):\n        node._grad += cotangent", "for node, cotangent in zip(v._a, xs, strict=True):\n        node._grad = cotangent"),
        Edit("overwrite for accumulate", cotangents.cotangents, "fitted if child not in found else found[child] + fitted", "fitted"),
        Edit("overwrite for accumulate", pulled, "else before + cotangents", "else cotangents"),
        Edit("overwrite for accumulate", pulled, "node._grad += cotangent", "node._grad = cotangent"),
        Edit("overwrite for accumulate", parameters, "parameter._grad += cotangent", "parameter._grad = cotangent"),
        Edit("an example of a layer is lost", pulled, "parameters._grad.append((delta, self._x))", "parameters._grad = [(delta, self._x)]"),
        Edit("in place on a shared array", deliver, "child._grad = before + cotangent", "before += cotangent"),
        Edit("a leaf shares its memory", backward._is_new, "return False", "return True"),
        Edit("wrong order: breadth first", passed, "order, leaves = _reachable(root)", f"order, leaves = _reachable(root)\n    {_HERE}\n    order = faulty.breadth_first(root)"),
        Edit("wrong order: inputs first", passed, "reversed(order)", "order"),
        Edit("wrong order: the last two swapped", passed, "reversed(order)", "[*order[-1:], *order[-3:-1], *order[-4::-1]]"),
        Edit("wrong order: breadth first", cotangents.cotangents, "reversed(order)", "__import__('micrograd_nn.testing.mutation.engine', fromlist=['_']).breadth_first(root)[::-1]"),
        Edit("x * x loses an operand", pull.float_pull, 'f"    if {slot} is not None:"', 'f"    if {slot} is not None and ({slot} is not v._a or {slot!r} == \'a\'):"'),
        Edit("x * x loses an operand", backward.pull_arrays, "zip(node._a, op.rules, strict=True)", "dict(zip(node._a, op.rules)).items()"),
        Edit("un-broadcast by mean", backward._summed, "np.add.reduce(cotangent", "np.mean(cotangent"),
        Edit("un-broadcast by mean", backward._summed, ".dot(cotangent).reshape(shape)", ".dot(cotangent).reshape(shape) / len(cotangent)"),
        Edit("un-broadcast over one axis", backward._summed, "axes = unbroadcast_axes(cotangent.shape, shape)", "axes = unbroadcast_axes(cotangent.shape, shape)[:1]"),
        Edit("un-broadcast over the wrong axis", backward._summed, "axis=axes", "axis=tuple(cotangent.ndim - 1 - a for a in axes)"),
        Edit("un-broadcast by mean", deliver, "float(np.sum(cotangent))", "float(np.mean(cotangent))"),
        Edit("un-broadcast by the first element", deliver, "float(np.sum(cotangent))", "float(np.ravel(cotangent)[0])"),
        Edit("stale second backward: inner nodes keep their gradient", passed, "order, leaves = _reachable(root)", f"{_HERE}\n    stale = faulty.inner_gradients(root)\n    order, leaves = _reachable(root)\n    for node, grad in stale:\n        node._grad = grad"),
        Edit("stale second backward: leaves are overwritten", backward._accumulate, "before if type(new) is float and new == 0.0 else before + new", "before if type(new) is float and new == 0.0 else new"),
        Edit("stale second backward: leaves count double", backward._accumulate, "before + new", "before + before + new"),
        Edit("clipped cotangent", passed, "g = node._grad", f"{_HERE}\n                g = faulty.clipped(node._grad)"),
        Edit("clipped cotangent", cotangents.cotangents, "found[node]", "np.clip(found[node], -1.0, 1.0) if not create_graph else found[node]"),
        Edit("the seed is ignored", backward.checked_seed, "return float(seed)", "return 1.0"),
        Edit("the seed is ignored", backward.checked_seed, "np.broadcast_to(seed, shape)", "np.ones(shape)"),
        Edit("the seed in single precision", backward.checked_seed, "return float(seed)", "return float(np.float32(seed))"),
        Edit("the seed in single precision", backward.checked_seed, "np.broadcast_to(seed, shape)", "np.float32(np.broadcast_to(seed, shape))"),
        Edit("small cotangents are dropped", passed, "elif g:", "elif abs(g) > 1e-12:"),
        Edit("0 times infinity", passed, "elif g:", "else:"),
        Edit("0 times infinity", backward.pull_arrays, "masked and np.any", "False and np.any"),
        Edit("0 times infinity, found late", backward.backward, "if has_nan:", "if False:"),
        Edit("0 times infinity", cotangents._masked, "vanishing = np.equal(data_of(g), 0)", "return cotangent"),
        Edit("all is masked where one is", backward._without_zero_times_infinity, "zero = np.equal(g, 0)", "zero = np.full(np.shape(g), True)"),
        Edit("un-broadcast not recorded", cotangents._fitted, "sum_to(cotangent, shape=shape)", "sum_to(cotangent, shape=shape) * 0.5"),
        Edit("the gradient of a constant argument", cotangents.cotangents, "if node in wanted or any(", "if all("),
        Edit("an input of a sequence is lost", backward.pull_arrays, "rule(g, z, saved, **params), strict=True)", "rule(g, z, saved, **params)[:-1], strict=False)"),
        Edit("the rules of two arguments are swapped", backward.pull_arrays, "zip(node._a, op.rules, strict=True)", "zip(node._a, op.rules[::-1], strict=True)"),
    ]


@contextmanager
def _installed(fault: Edit) -> Iterator[None]:
    """Let the engine be faulty; what was made by a faulty ``float_pull`` is made again."""
    try:
        with fault.made():
            _make_pulls(fault)
            yield
    finally:
        _make_pulls(fault)


def _make_pulls(fault: Edit) -> None:
    if fault.function is pull.float_pull:
        for row in table.values():
            row.rules = row.rules


def engine_mutants() -> Iterator[Mutant]:
    """Yield each faulty engine, found or not."""
    checks = engine_checks()
    found = first_to_fail(checks)
    if found is not None:
        raise AssertionError(f"the engine fails as it is, before it is changed: {found}")
    for fault in _faults():
        with _installed(fault):
            killed_by = first_to_fail(checks)
        yield Mutant("engine", fault.name, fault.change, killed_by or "")


# ---------------------------------------------------------------------------------- the checks


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
        inner = [n for n in breadth_first(root) if n is not root]
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
        together = cotangents.cotangents(root, seed, leaves)
        for leaf in leaves:
            alone = cotangents.cotangents(root, seed, [leaf])
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
        Graph(_large, 2.0),
        Graph(_large, np.array([2.0, -1.5])),
    ]
    return [*graphs]
