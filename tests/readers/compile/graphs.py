"""Scalar graphs to compile, and what the recorded graphs give."""

import random

import numpy as np

from micrograd_nn import Value
from micrograd_nn.graph.node import UNREACHED
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.compile.tape import tape_of

#: The rows that a graph of scalars may hold.
ROWS = [
    row
    for row in table.values()
    if row.on_floats is not None and row.elementwise and not row.vector and not row.variadic
    if row.rules[0] is None or row.rules[0].__module__.startswith("micrograd_nn")  # not a test's
]


def random_function(seed, operations=60, rows=ROWS, inputs=3, leaves=4):
    """Return a function of inputs and leaves that makes the same random graph on each call."""

    def function(x, w):
        draw = random.Random(seed)
        pool = [*x, *w]
        for _ in range(operations):
            row = draw.choice(rows)
            args = [draw.choice(pool[-12:] + pool[: inputs + leaves]) for _ in range(row.arity)]
            if row.name == "power_derivative":
                args[1:] = [draw.choice([2.0, 3.0]), 1.0]
            elif draw.random() < 0.2:
                args[draw.randrange(row.arity)] = draw.choice([0.5, -1.5, 2.0])
            if not any(isinstance(a, Value) for a in args):
                args[0] = pool[-1]
            pool.append(row(*args))
        root = pool[-1]
        for node in pool[-5:-1]:
            root = root + node
        return root

    return function


def recorded(function, X, theta):
    """Return values, gradients of the leaves and of the inputs for each example, by the engine."""
    results = []
    for column in np.asarray(X, float).T:
        x, w = [Value(v) for v in column], [Value(v) for v in theta]
        root = function(x, w)
        root.backward()
        results.append((root.data, [v.grad for v in w], [v.grad for v in x]))
    values, of_leaves, of_inputs = zip(*results, strict=True)
    return np.array(values), np.array(of_leaves), np.array(of_inputs).T


def tape_from(function, X, theta):
    """Return the tape of a function, recorded on the first example, and its leaves' data in order.

    Second come the places of the tape's leaves among ``theta``.
    """
    x = [Value(v, name=f"x{i}") for i, v in enumerate(np.asarray(X, float)[:, 0])]
    w = [Value(v) for v in theta]
    tape = tape_of(function(x, w), x)
    return tape, [w.index(leaf) for leaf in tape.leaves]


def same_bits(found, expected):
    """Tell whether all numbers are the same, signs of zeros included; NaN is NaN."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    same = (found.view(np.int64) == expected.view(np.int64)) | (
        np.isnan(found) & np.isnan(expected)
    )
    return found.shape == expected.shape and bool(same.all())


def forget(root):
    for node in toposort(root):
        node._grad = UNREACHED


def summed(of_leaves):
    """Return the sum over the examples, added one by one as several passes do."""
    total, *rest = np.asarray(of_leaves).tolist()
    for row in rest:
        total = [a + b for a, b in zip(total, row, strict=True)]
    return np.array(total)


def is_close(found, expected, rtol=1e-9):
    """Tell whether numbers agree but for rounding; infinities and NaN must be the same."""
    return np.allclose(found, expected, rtol=rtol, atol=1e-12, equal_nan=True)


__all__ = [name for name in dir() if not name.startswith("_") and name not in ("math",)]
