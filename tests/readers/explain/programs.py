"""Networks to explain, and the comparison of what an explanation computes with the engine."""

import importlib
import pkgutil

import numpy as np

import micrograd_nn.functional as F
import micrograd_nn.graph.table as tables
from micrograd_nn import Tensor, Value, explain
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import Primitive, table


def run(explanation, inputs=None, parameters=None):
    """Run the NumPy source of an explanation; return the loss and the gradients by name."""
    found = {}
    exec(compile(explanation.numpy(), "<explained>", "exec"), found)  # noqa: S102
    return found["forward_backward"](
        explanation.inputs if inputs is None else inputs,
        explanation.parameters if parameters is None else parameters,
    )


def leaves_of(root):
    return [n for n in toposort(root, constants=False) if n.op is None and n.requires_grad]


def check(root, wrt=None, tolerance=1e-14, textbook=1e-12, floor=1e-300):
    """Explain a graph, and compare the source and the printed formulas with the engine.

    The leaves need names, each its own. Errors are relative to the largest number of a gradient,
    or to ``floor``: what vanishes because it cancels is only rounding. Returns the explanation.
    """
    leaves = leaves_of(root) if wrt is None else wrt
    for leaf in leaves_of(root):
        leaf.zero_grad()
    root.backward()
    explanation = explain(root, wrt)
    loss, gradients = run(explanation)
    assert_close(loss, root.data, 100 * tolerance, floor, "the loss")
    assert set(gradients) == {leaf.name for leaf in leaves}
    evaluated = {e.of: e.data for e in explanation.backward}
    for leaf in leaves:
        assert_close(gradients[leaf.name], leaf.grad, tolerance, floor, leaf.name)
        assert_close(
            evaluated[leaf.name], leaf.grad, textbook, floor, f"{leaf.name} by the textbook"
        )
    return explanation


def assert_close(got, expected, tolerance, floor, what):
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape, what
    largest = max(float(np.max(np.abs(expected), initial=0.0)), floor)
    error = float(np.max(np.abs(got - expected), initial=0.0)) / largest
    assert error <= tolerance, f"{what} is off by {error:.1e}:\n{got}\n{expected}"


def lines(explanation):
    """Return the equations as lines without the spaces that align them."""
    return [line.strip() for line in str(explanation).split("\n")]


def backward(explanation):
    """Return the equations of the backward pass as lines."""
    written = lines(explanation)
    return written[written.index("") + 1 :][: len(explanation.backward)]


def array(*shape, seed=0):
    return np.random.default_rng(seed + sum(shape)).standard_normal(shape)


def given(data, name):
    return Tensor(np.asarray(data, float), requires_grad=False, name=name)


def two_layers(m=5, rows=False, seed=0):
    """The articles' network: 2 inputs, 4 units of tanh, 1 of sigmoid, binary cross-entropy."""
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((2, m)), (rng.random((1, m)) > 0.5).astype(float)
    W1 = Tensor(rng.standard_normal((4, 2)), name="W1")
    W2 = Tensor(rng.standard_normal((1, 4)), name="W2")
    b1, b2 = rng.standard_normal((4, 1)), rng.standard_normal((1, 1))
    if rows:
        X, Y, b1, b2 = given(X.T, "X"), given(Y.T, "Y"), b1[:, 0], b2[:, 0]
        b1, b2 = Tensor(b1, name="b1"), Tensor(b2, name="b2")
        A1 = np.tanh((X @ W1.T + b1).named("Z1")).named("A1")
        Z2 = (A1 @ W2.T + b2).named("Z2")
    else:
        X, Y = given(X, "X"), given(Y, "Y")
        b1, b2 = Tensor(b1, name="b1"), Tensor(b2, name="b2")
        A1 = np.tanh((W1 @ X + b1).named("Z1")).named("A1")
        Z2 = (W2 @ A1 + b2).named("Z2")
    A2 = F.sigmoid(Z2).named("A2")
    return (-np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))).named("J")


def l_layers(sizes=(2, 4, 6, 3, 1), g=F.relu, m=5):
    """[linear → g] × (L−1) → linear → sigmoid, binary cross-entropy, examples as columns."""
    A = given(array(sizes[0], m), "X")
    Y = given(array(1, m, seed=1) > 0, "Y")
    for k in range(1, len(sizes)):
        W = Tensor(array(sizes[k], sizes[k - 1], seed=k), name=f"W[{k}]")
        b = Tensor(array(sizes[k], 1, seed=k), name=f"b[{k}]")
        Z = (W @ A + b).named(f"Z[{k}]")
        A = (g(Z) if k < len(sizes) - 1 else F.sigmoid(Z)).named(f"A[{k}]")
    return (-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))).named("J")


def linear_model(m=6, n_out=1, seed=0):
    """X Wᵀ + b, named Z, and its leaves."""
    X = given(array(m, 2, seed=seed), "X")
    W, b = Tensor(array(n_out, 2, seed=seed), name="W"), Tensor(array(n_out, seed=seed), name="b")
    return (X @ W.T + b).named("Z"), W, b


def library_rows():
    """Return the rows of the package's own table, without those of other tests."""
    modules = [f"{tables.__name__}.{m.name}" for m in pkgutil.iter_modules(tables.__path__)]
    found = {
        row.name: row
        for module in map(importlib.import_module, modules)
        for row in vars(module).values()
        if isinstance(row, Primitive)
    }
    return found | {"identity": table["identity"]}


def scalars(**numbers):
    return [Value(float(number), name) for name, number in numbers.items()]
