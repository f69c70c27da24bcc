"""A program's value and gradients are those of backward(), bit for bit, on any data.

Each root is a sum weighted by random numbers, which are an input themselves: so the cotangent
that enters a function is random, and new on each call.
"""

import copy
import itertools
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import SGD, Adam, Tensor, Value, compile, explain, primitive
from micrograd_nn.graph.node import GraphError
from micrograd_nn.graph.order import toposort
from micrograd_nn.testing import strategies


def equal(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return (
        found.shape == expected.shape
        and found.dtype == expected.dtype
        and np.array_equal(found, expected, equal_nan=True)
    )


def weighted(result, R):
    return (result * R).sum()


def eager(function, arrays, requires_grad=True):
    """Return the value and the gradients of function(*tensors), by backward()."""
    leaves = [Tensor(a, requires_grad=requires_grad) for a in arrays]
    root = function(*leaves)
    root.backward()
    return root.data, [leaf.grad for leaf in leaves]


def assert_same(program, function, arrays):
    with np.errstate(all="ignore"):
        value, grads = program(*arrays)
        expected, slopes = eager(function, arrays)
    assert equal(value, expected), (value, expected)
    assert len(grads) == len(slopes)
    for i, (found, slope) in enumerate(zip(grads, slopes, strict=True)):
        assert equal(found, slope), (i, found, slope)


def programmed(function, arrays):
    leaves = [Tensor(a) for a in arrays]
    with np.errstate(all="ignore"):
        return compile(function(*leaves), inputs=leaves, wrt=leaves)


def arrays_for(function, shapes, seed, dtype=np.float64, low=-1.0):
    """Draw arrays of these shapes, and the weights for what the function makes of them."""
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(low, 2.0, shape).astype(dtype) for shape in shapes]
    shape = np.shape(function(*map(Tensor, arrays)).data)
    return [*arrays, rng.normal(size=shape).astype(dtype)]


UNARY = (
    "abs arctan cos cosh elu erf exp expm1 flatten flip gelu layer_norm leaky_relu log_softmax "
    "logsumexp max mean min neg norm prod ravel relu sigmoid sign silu sin sinh softmax softplus "
    "standardize std sum tan tanh transpose var cumsum squeeze"
)
POSITIVE = "log log1p sqrt"
BINARY = "add sub mul div maximum minimum matmul dot power"

#: name -> (function, shapes with M for the number of rows)
M = "m"
CASES = {name: (getattr(F, name), [(M, 4)]) for name in UNARY.split()}
CASES |= {name: (getattr(F, name), [(M, 4)]) for name in POSITIVE.split()}
CASES |= {
    f"{name} of {a} and {b}": (getattr(F, name), [a, b])
    for name in ("add", "sub", "mul", "div", "maximum", "minimum", "power")
    for a, b in [((M, 4), (M, 4)), ((M, 4), (4,)), ((M, 1), (1, 4)), ((), (M, 4)), ((M, 4), ())]
}
CASES |= {
    f"{name} over {axis}": (lambda x, f=getattr(F, name), axis=axis: f(x, axis=axis), [(M, 3, 2)])  # noqa: B008
    for name in [
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "std",
        "var",
        "norm",
        "logsumexp",
        "cumsum",
        "flip",
    ]
    for axis in (0, -1)
}
CASES |= {
    f"{name} keeps dims": (
        lambda x, f=getattr(F, name): x + f(x, axis=(0, 2), keepdims=True),  # noqa: B008
        [(M, 3, 2)],
    )
    for name in ["sum", "mean", "max", "min", "std", "var", "norm", "logsumexp"]
}
CASES |= {
    "softmax over 0": (lambda x: F.softmax(x, axis=0), [(M, 3)]),
    "log_softmax over 0": (lambda x: F.log_softmax(x, axis=0), [(M, 3)]),
    "std with ddof": (lambda x: F.std(x, axis=0, ddof=1), [(M, 3)]),
    "var with ddof": (lambda x: F.var(x, ddof=1, axis=1), [(M, 3)]),
    "matmul": (F.matmul, [(M, 4), (4, 2)]),
    "matmul, transposed": (lambda x, W: x @ W.T, [(M, 4), (2, 4)]),
    "matmul of columns": (lambda W, x: W @ x.T, [(2, 4), (M, 4)]),
    "matmul with itself": (lambda x: x @ x.T, [(M, 4)]),
    "matmul, stacked": (F.matmul, [(M, 3, 4), (4, 2)]),
    "matmul, stacks broadcast": (F.matmul, [(M, 1, 3, 4), (2, 4, 2)]),
    "matmul with a vector": (F.matmul, [(M, 4), (4,)]),
    "matmul of a vector": (F.matmul, [(4,), (4, M)]),
    "dot": (F.dot, [(M,), (M,)]),
    "outer": (F.outer, [(M,), (3,)]),
    "linear": (F.linear, [(M, 4), (3, 4), (3,)]),
    "linear without b": (F.linear, [(M, 4), (3, 4)]),
    "layer_norm with w and b": (F.layer_norm, [(M, 4), (4,), (4,)]),
    "standardize over 0": (lambda x: F.standardize(x, axis=0), [(M, 4)]),
    "clip": (lambda x: F.clip(x, 0.0, 1.0), [(M, 4)]),
    "clip below": (lambda x: F.clip(x, 0.1), [(M, 4)]),
    "elu, alpha": (lambda x: F.elu(x, alpha=1.7), [(M, 4)]),
    "leaky_relu, slope": (lambda x: F.leaky_relu(x, slope=0.3), [(M, 4)]),
    "where": (lambda x, y: F.where(x > y, x * y, y), [(M, 4), (M, 4)]),
    "where, one branch broadcast": (lambda x, y: F.where(x > 0, y, -1.0), [(M, 4), (4,)]),
    "where with masks": (
        lambda x, y: F.where(((x > 0) & (y < 1)) | ~(x * y >= 0.2), x, y * y),
        [(M, 4), (4,)],
    ),
    "where guards log": (lambda x: F.where(x > 0, F.log(x), 0.0), [(M, 4)]),
    "concatenate": (lambda x, y: F.concatenate([x, y, x], axis=1), [(M, 4), (M, 2)]),
    "concatenate along the rows": (lambda x, y: F.concatenate([x, y]), [(M, 4), (2, 4)]),
    "concatenate flat": (lambda x, y: F.concatenate([x, y], axis=None), [(M, 4), (2,)]),
    "stack": (lambda x, y: F.stack([x, y], axis=1), [(M, 4), (M, 4)]),
    "split": (lambda x: F.split(x, 2, axis=1)[1] * F.split(x, 2, axis=1)[0], [(M, 4)]),
    "getitem of a column": (lambda x: x[:, 1], [(M, 4)]),
    "getitem of slices": (lambda x: x[:, ::2] * x[:, 1::2], [(M, 4)]),
    "getitem backwards": (lambda x: x[::-1], [(M, 4)]),
    "getitem by list, twice the same": (lambda x: x[:, [0, 1, 1, 3]], [(M, 4)]),
    "getitem by places": (lambda x: x[[0, 1, 0], [1, 2, 1]], [(M, 4)]),
    "getitem of a new axis": (lambda x: x[:, None] * x[None], [(M, 3)]),
    "take": (lambda x: F.take(x, [3, 0, 3], axis=1), [(M, 4)]),
    "pad": (lambda x: F.pad(x, ((1, 1), (0, 2))), [(M, 4)]),
    "reshape": (lambda x: x.reshape(-1, 2), [(M, 4)]),
    "moveaxis": (lambda x: F.moveaxis(x, 0, -1), [(M, 3, 2)]),
    "swapaxes": (lambda x: F.swapaxes(x, 0, 1), [(M, 3, 2)]),
    "transpose, axes": (lambda x: F.transpose(x, 2, 0, 1), [(M, 3, 2)]),
    "expand_dims": (lambda x: F.expand_dims(x, 1) * 2, [(M, 3)]),
    "broadcast_to": (lambda b: F.broadcast_to(b, (5, 4)), [(4,)]),
    "squeeze an axis": (lambda x: F.squeeze(x, 1), [(M, 1, 3)]),
    "powers": (lambda x: x**2 + x**3 + x**0 + x**1 + 2.0**x, [(M, 4)]),
    "negative powers": (lambda x: x**-1 + x**-2.0, [(M, 4)]),
    "a column plus its row": (lambda x: x[:, :1] + x[:, :1].T, [(M, 4)]),
    "x + x.T": (lambda x: x + x.T, [(4, 4)]),
    "x - x": (lambda x: x - x, [(M, 4)]),
    "x * x": (lambda x: x * x * x, [(M, 4)]),
    "numbers meet it": (lambda x: 1 - 2 / (3 + x * x) + (4 - x) / 5, [(M, 4)]),
    "relu of relu": (lambda x: F.relu(F.relu(x) - 0.3), [(M, 4)]),
    "the root is a leaf's sum": (lambda x: x, [(M, 4)]),
    "attention": (
        lambda x, Q, K, V: F.softmax((x @ Q) @ (x @ K).T / 2.0) @ (x @ V),
        [(M, 4), (4, 3), (4, 3), (4, 2)],
    ),
    "layers that share": (
        lambda x, W, b: F.tanh(F.tanh(x @ W + b) @ W + b) @ W.T,
        [(M, 3), (3, 3), (3,)],
    ),
}


def sized(shapes, rows):
    return [tuple(rows if n == M else n for n in shape) for shape in shapes]


@pytest.mark.parametrize("name", CASES)
def test_functions_give_the_numbers_of_backward_on_any_number_of_rows(name):
    function, shapes = CASES[name]
    low = 0.1 if name in POSITIVE.split() or name.startswith("power of") else -1.0

    def root(*leaves):
        return weighted(function(*leaves[:-1]), leaves[-1])

    program = None
    for seed, rows in enumerate((3, 3, 5, 2, 3)):
        with np.errstate(all="ignore"):
            arrays = arrays_for(function, sized(shapes, rows), seed, low=low)
        program = program or programmed(root, arrays)
        assert_same(program, root, arrays)


LOSSES = {
    name: (getattr(F, name), "real")
    for name in ["mse", "half_mse", "mae", "huber", "binary_cross_entropy_with_logits", "soft_iou"]
} | {
    "hinge": (F.hinge, "signs"),
    "binary_cross_entropy": (F.binary_cross_entropy, "probabilities"),
    "categorical_cross_entropy": (
        lambda p, y, **k: F.categorical_cross_entropy(F.softmax(p), y, **k),
        "one hot",
    ),
    "cross_entropy": (F.cross_entropy, "one hot"),
    "cross_entropy of labels": (F.cross_entropy, "labels"),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses_give_the_numbers_of_backward(name, reduction):
    loss, kind = LOSSES[name]

    def drawn(seed, rows):
        rng = np.random.default_rng(seed)
        p, y = rng.normal(size=(rows, 3)), rng.normal(size=(rows, 3))
        if kind == "probabilities" or name in ("soft_iou", "binary_cross_entropy_with_logits"):
            y = rng.integers(0, 2, (rows, 3)) * 1.0
        if kind == "probabilities" or name == "soft_iou":
            p = rng.uniform(0.01, 0.99, (rows, 3))
        if kind == "signs":
            y = rng.choice([-1.0, 1.0], (rows, 3))
        if kind == "one hot":
            y = np.eye(3)[rng.integers(0, 3, rows)]
        if kind == "labels":
            y = rng.integers(0, 3, rows)
        return p, y

    def recorded(p, y):
        p, y = Tensor(p), Tensor(y, requires_grad=False)
        return p, y, loss(p, y, reduction=reduction) * 1.7

    p, y, root = recorded(*drawn(0, 4))
    program = compile(root, inputs=[p, y], wrt=[p])
    for seed, rows in enumerate((4, 4, 7, 1, 4)):
        data = drawn(seed, rows)
        p, _, root = recorded(*data)
        root.backward()
        value, (dp,) = program(*data)
        assert equal(value, root.data)
        assert equal(dp, p.grad)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_a_captured_target_keep_it(name):
    loss, kind = LOSSES[name]
    rng = np.random.default_rng(1)
    y = {"labels": np.array([0, 2, 1]), "one hot": np.eye(3), "signs": -np.ones((3, 3))}.get(
        kind, rng.integers(0, 2, (3, 3)) * 1.0
    )
    p = Tensor(rng.uniform(0.1, 0.9, (3, 3)))
    program = compile(loss(p, y), inputs=[p], wrt=[p])
    kept = y.copy()
    y[...] = 0
    for seed in (1, 2):
        data = np.random.default_rng(seed).uniform(0.1, 0.9, (3, 3))
        node = Tensor(data)
        root = loss(node, kept)
        root.backward()
        value, (dp,) = program(data)
        assert equal(value, root.data)
        assert equal(dp, node.grad)


@given(st.data())
def test_random_graphs_give_the_numbers_of_backward(data):
    expression = data.draw(strategies.expressions(kind="tensor"))
    leaves, root = expression.record()
    weights = data.draw(strategies.cotangents(root))
    R = Tensor(weights, requires_grad=False)
    total = (root * R).sum()
    needed = set(toposort(total))
    given = [leaf for leaf in leaves if leaf in needed]
    program = compile(total, inputs=[*given, R], wrt=leaves)
    total.backward()
    value, grads = program(*(leaf.data for leaf in given), weights)
    assert equal(value, total.data)
    for leaf, found in zip(leaves, grads, strict=True):
        assert equal(found, leaf.grad)


ELEMENTWISE = [
    F.tanh, F.sigmoid, F.relu, F.neg, F.abs, F.sin, F.softplus, F.gelu, F.silu, F.elu,
    lambda x: x * 0.5, lambda x: x - 1.0, lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::-1],
    lambda x: x.reshape(16).reshape(4, 4), lambda x: x.T.reshape(4, 4), lambda x: x + x.T,
    lambda x: x - x.sum(axis=0), lambda x: x * x.mean(axis=1, keepdims=True),
    lambda x: F.where(x > 0, x, 0.1 * x), lambda x: F.clip(x, -2.0, 2.0),
]  # fmt: skip
PAIRS = [F.add, F.sub, F.mul, F.maximum, F.minimum, lambda x, y: F.where(x > y, y, x)]


def tangle(seed, operations=30):
    """Return a function that makes a graph of many small operations, whose order is random."""

    def function(x, y, R):
        rng = np.random.default_rng(seed)
        pool = [x, y]
        for _ in range(operations):
            if rng.random() < 0.6:
                row = ELEMENTWISE[rng.integers(len(ELEMENTWISE))]
                pool.append(row(pool[-rng.integers(1, min(7, len(pool) + 1))]))
            else:
                row = PAIRS[rng.integers(len(PAIRS))]
                a, b = (pool[-rng.integers(1, min(7, len(pool) + 1))] for _ in range(2))
                pool.append(F.tanh(row(a, b)))
        return weighted(sum(pool), R)

    return function


@pytest.mark.parametrize("seed", range(60))
def test_tangles_of_small_operations_and_views_give_the_numbers_of_backward(seed):
    function = tangle(seed)
    drawn = [np.random.default_rng(s).normal(size=(3, 4, 4)) for s in range(3)]
    program = programmed(function, drawn[0])
    for arrays in (*drawn, drawn[0]):
        assert_same(program, function, arrays)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_program_keeps_the_dtype(dtype):
    def function(x, W, b, R):
        hidden = F.gelu(x @ W.T + b)
        return weighted(F.log_softmax(hidden * 0.5 + 1.0 / (2.0 + hidden * hidden)), R)

    shapes = [(5, 4), (3, 4), (3,), (5, 3)]
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    program = programmed(function, arrays)
    assert_same(program, function, arrays)
    value, grads = program(*arrays)
    assert value.dtype == dtype
    assert {grad.dtype for grad in grads} == {np.dtype(dtype)}


def test_recorded_in_float32_and_given_float64_is_either_refused_or_right():
    x = Tensor(np.ones(3, np.float32), requires_grad=False)
    w = Tensor(np.full(3, 0.1, np.float32))
    program = compile(F.exp(x * w).sum(), inputs=[x], wrt=[w])
    given = np.array([0.1, 0.2, 0.3])
    y = Tensor(given.astype(np.float32), requires_grad=False)
    expected = F.exp(y * w).sum()
    w.zero_grad()
    expected.backward()
    value, (dw,) = program(given)
    assert equal(value, expected.data)
    assert equal(dw, w.grad)


def mlp_graph(seed=0, rows=5):
    rng = np.random.default_rng(seed)
    X = Tensor(rng.normal(size=(rows, 3)), requires_grad=False, name="X")
    y = Tensor(rng.normal(size=(rows, 1)), requires_grad=False, name="y")
    W1, b1 = Tensor(rng.normal(size=(4, 3)), name="W1"), Tensor(np.zeros(4), name="b1")
    W2 = Tensor(rng.normal(size=(1, 4)), name="W2")
    return X, y, [W1, b1, W2]


def mlp_loss(X, y, parameters):
    W1, b1, W2 = parameters
    return F.mse(F.tanh(F.linear(X, W1, b1)) @ W2.T, y)


def test_wrt_is_any_choice_of_the_leaves_in_any_order():
    X, y, parameters = mlp_graph()
    root = mlp_loss(X, y, parameters)
    root.backward()
    for r in range(4):
        for chosen in itertools.permutations(parameters, r):
            program = compile(root, inputs=[X, y], wrt=chosen)
            value, grads = program(X.data, y.data)
            assert equal(value, root.data)
            assert len(grads) == r
            assert all(equal(g, p.grad) for g, p in zip(grads, chosen, strict=True))


def test_wrt_defaults_to_every_leaf_that_requires_a_gradient():
    X, y, parameters = mlp_graph()
    parameters[1] = Tensor(np.zeros(4), requires_grad=False)
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y])
    assert set(program.wrt) == {parameters[0], parameters[2]}


def test_an_unused_leaf_has_the_gradient_zero():
    X, y, parameters = mlp_graph()
    other = Tensor(np.ones((2, 2), np.float32))
    root = mlp_loss(X, y, parameters)
    _, (found, dW) = compile(root, inputs=[X, y], wrt=[other, parameters[0]])(X.data, y.data)
    assert equal(found, np.zeros((2, 2), np.float32))
    root.backward()
    assert equal(dW, parameters[0].grad)


def test_the_same_gradient_may_be_asked_for_twice():
    X, y, (W1, b1, W2) = mlp_graph()
    root = mlp_loss(X, y, [W1, b1, W2])
    root.backward()
    _, grads = compile(root, inputs=[X, y], wrt=[W1, b1, W1])(X.data, y.data)
    assert equal(grads[0], W1.grad)
    assert equal(grads[2], W1.grad)
    grads[0][...] = 7.0
    assert equal(grads[2], W1.grad)


def test_inputs_may_be_differentiated():
    X, y, parameters = mlp_graph()
    X = Tensor(X.data)
    root = mlp_loss(X, y, parameters)
    root.backward()
    _, (dX,) = compile(root, inputs=[X, y], wrt=[X])(X.data, y.data)
    assert equal(dX, X.grad)


def test_an_input_without_requires_grad_in_wrt_is_refused_or_right():
    X, y, parameters = mlp_graph()
    root = mlp_loss(X, y, parameters)
    twin = Tensor(X.data)
    mlp_loss(twin, y, parameters).backward()
    try:
        _, (dX,) = compile(root, inputs=[X, y], wrt=[X])(X.data, y.data)
    except GraphError as error:
        assert "X" in str(error)  # noqa: PT017
    else:
        assert equal(dX, twin.grad)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, R: weighted(x, R),
        lambda x, R: weighted(x.T.reshape(4, 3).T, R.T.reshape(3, 4) if False else R),
        lambda x, R: weighted(F.exp(x), R),
        lambda x, R: x.sum() + R.sum(),
        lambda x, R: (x + R).mean(),
    ],
)
def test_what_a_program_returns_is_the_callers_own(function):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 4)), rng.normal(size=(3, 4))]
    program = programmed(function, arrays)
    kept = [a.copy() for a in arrays]
    first = program(*arrays)
    expected = copy.deepcopy(first)
    second = program(*(rng.normal(size=(3, 4)) for _ in range(2)))
    assert all(equal(a, b) for a, b in zip(first[1], expected[1], strict=True))
    for grad in (*first[1], *second[1]):
        grad[...] = 99.0
    assert all(equal(a, b) for a, b in zip(arrays, kept, strict=True))
    assert_same(program, function, arrays)
    again = program(*arrays)
    for array in arrays:
        array[...] = -1.0
    assert all(equal(a, b) for a, b in zip(again[1], expected[1], strict=True))


def test_the_value_returned_is_the_callers_own_and_keeps_its_number():
    x = Tensor([1.0, 2.0])
    program = compile((x * x).sum(), inputs=[x], wrt=[])
    values = [program([float(k), 0.0])[0] for k in range(5)]
    assert [float(v) for v in values] == [0.0, 1.0, 4.0, 9.0, 16.0]


def overwritten(p):
    p.data = p.data * 0.5 + 0.25


def overwritten_in_place(p):
    p.data[...] = p.data * -1.5


def moved(p):
    p.data -= 0.125


def stepped(p):
    p.grad = np.full(p.shape, 0.3)
    Adam([p], lr=0.1).step()


@pytest.mark.parametrize("change", [overwritten, overwritten_in_place, moved, stepped])
def test_parameters_are_read_at_each_call(change):
    X, y, parameters = mlp_graph()
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], wrt=parameters)
    for _ in range(3):
        for p in parameters:
            p.zero_grad()
        root = mlp_loss(X, y, parameters)
        root.backward()
        expected = [p.grad.copy() for p in parameters]
        value, grads = program(X.data, y.data)
        assert equal(value, root.data)
        assert all(equal(g, e) for g, e in zip(grads, expected, strict=True))
        for p in parameters:
            change(p)


def test_a_view_of_a_parameter_taken_before_writes_into_what_a_program_reads():
    X, y, parameters = mlp_graph()
    handle = parameters[0].data
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], wrt=parameters)
    program(X.data, y.data)
    handle[...] *= 3.0
    value, _ = program(X.data, y.data)
    assert equal(value, mlp_loss(X, y, parameters).data)


def test_a_program_leaves_the_nodes_alone():
    X, y, parameters = mlp_graph()
    root = mlp_loss(X, y, parameters)
    program = compile(root, inputs=[X, y], wrt=parameters)
    before = [copy.deepcopy(n.data) for n in (X, y, *parameters, root)]
    program(X.data * 2, y.data * 3)
    after = [n.data for n in (X, y, *parameters, root)]
    assert all(equal(a, b) for a, b in zip(after, before, strict=True))
    assert all(not np.any(p.grad) for p in parameters)
    root.backward()
    fresh = mlp_loss(X, y, [Tensor(p.data) for p in parameters])
    assert equal(root.data, fresh.data)


@pytest.mark.parametrize(
    "make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.1)]
)
def test_a_program_with_an_optimizer_takes_its_steps(make):
    X, y, parameters = mlp_graph()
    _, _, twins = mlp_graph()
    optimizer, other = make(parameters), make(twins)
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], optimizer=optimizer)
    for seed, rows in enumerate((5, 5, 3, 6, 5)):
        given, target, _ = mlp_graph(seed, rows)
        root = mlp_loss(given, target, twins)
        other.zero_grad()
        root.backward()
        other.step()
        value = program(given.data, target.data)
        assert equal(value, root.data)
        assert all(equal(p.data, q.data) for p, q in zip(parameters, twins, strict=True))
    other.lr = optimizer.lr = 0.01
    root = mlp_loss(X, y, twins)
    other.zero_grad()
    root.backward()
    other.step()
    program(X.data, y.data)
    assert all(equal(p.data, q.data) for p, q in zip(parameters, twins, strict=True))


def _r(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


#: name -> (arrays or numbers of the parameters, loss of X (6, 3) and them)
MOVED = {
    "a transposed matrix": ([_r(2, 3), _r(2)], lambda X, P: F.tanh(X @ P[0].T + P[1]).sum()),
    "a product of a matrix and itself": ([_r(3, 3)], lambda X, P: F.tanh(X @ P[0] @ P[0].T).sum()),
    "reshaped": (
        [_r(6), _r(1, 3)],
        lambda X, P: F.tanh(X @ P[0].reshape(3, 2)).sum() + (X * P[1].reshape(3)).sum(),
    ),
    "axes swapped": ([_r(3, 2, 1)], lambda X, P: F.swapaxes(P[0] ** 2, 0, 1).sum() + X.sum()),
    "two with one gradient": ([_r(3), _r(3)], lambda X, P: F.tanh(X * (P[0] + P[1])).sum()),
    "no axes": ([_r(), _r(3)], lambda X, P: F.tanh(X * P[0] + P[1]).sum()),
    "a gradient that is known": ([_r(3), _r(3)], lambda X, P: P[0].sum() + (X * P[1]).sum()),
    "a gradient that is the input": ([_r(6, 3)], lambda X, P: (P[0] * X).sum()),
    "one that is not used": ([_r(3), _r(3)], lambda X, P: (P[0] * X).sum()),
    "parts": ([_r(6)], lambda X, P: F.tanh(X * P[0][:3] + P[0][3:]).sum()),
    "backwards": ([_r(3)], lambda X, P: F.tanh(X * P[0][::-1]).sum()),
    "put together": (
        [_r(3, 2), _r(3, 1)],
        lambda X, P: F.tanh(X @ F.concatenate(P, axis=1)).sum(),
    ),
    "a number": ([_r(2, 3), 0.5], lambda X, P: (F.tanh(X @ P[0].T * P[1]) * P[1]).sum()),
    "numbers as a vector": ([0.5, -1.0, 2.0], lambda X, P: F.tanh(X @ F.stack(P)).sum()),
    "half precision": ([_r(3).astype(np.float16)], lambda X, P: F.tanh(X * P[0]).mean()),
    "single precision": ([_r(3).astype(np.float32)], lambda X, P: F.tanh(X * P[0]).mean()),
    "large": ([_r(3, 20000)], lambda X, P: F.tanh(X @ P[0] * 0.01).mean()),
}


@pytest.mark.parametrize(
    "make", [lambda p: SGD(p, lr=0.1, momentum=0.9), lambda p: Adam(p, lr=0.1)]
)
@pytest.mark.parametrize("name", MOVED)
def test_parameters_are_moved_as_by_eager_steps_wherever_their_gradient_comes_from(name, make):
    data, loss = MOVED[name]

    def parameters():
        return [Value(d) if isinstance(d, float) else Tensor(np.copy(d)) for d in data]

    dtype = getattr(data[0], "dtype", np.float64)
    ones, twins = parameters(), parameters()
    optimizer, other = make(ones), make(twins)
    X = Tensor(_r(6, 3).astype(dtype), requires_grad=False)
    program = compile(loss(X, ones), inputs=[X], optimizer=optimizer)
    for seed in range(4):
        given = _r(6, 3, seed=seed).astype(dtype)
        root = loss(Tensor(given, requires_grad=False), twins)
        other.zero_grad()
        root.backward()
        other.step()
        assert equal(program(given), root.data)
        for p, q in zip(ones, twins, strict=True):
            assert type(p.data) is type(q.data)
            assert equal(p.data, q.data)


@pytest.mark.parametrize("how", ["program first", "eager first", "an eager step between"])
def test_a_graph_recorded_while_a_program_moves_its_parameters_is_never_silently_wrong(how):
    X, y, parameters = mlp_graph()
    optimizer = SGD(parameters, lr=0.5)
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], optimizer=optimizer)
    if how != "eager first":
        program(X.data, y.data)
    twins = [Tensor(p.data.copy()) for p in parameters]
    mine, other = mlp_loss(X, y, parameters), mlp_loss(X, y, twins)
    if how == "an eager step between":
        for p in parameters:
            p.grad = np.ones(p.shape)
        optimizer.step()
        optimizer.zero_grad()
    program(X.data, y.data)
    other.backward()
    try:
        mine.backward()
    except GraphError:
        return
    assert equal(mine.data, other.data)
    assert all(equal(p.grad, q.grad) for p, q in zip(parameters, twins, strict=True))


def test_data_taken_from_a_parameter_is_not_wrong_after_a_programs_step():
    X, y, parameters = mlp_graph()
    optimizer = SGD(parameters, lr=0.5)
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], optimizer=optimizer)
    program(X.data, y.data)
    parameters[0].data = np.zeros((4, 3))
    program(X.data, y.data)
    assert equal(parameters[0].data[0, 0], parameters[0].data.copy()[0, 0])
    parameters[0].data[...] = 0.25
    twins = [Tensor(p.data.copy()) for p in parameters]
    assert equal(program(X.data, y.data), mlp_loss(X, y, twins).data)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])  # noqa: S301
@pytest.mark.parametrize("called", [False, True])
def test_copies_of_programs_go_on_with_their_own_parameters(copied, called):
    X, y, parameters = mlp_graph()
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], wrt=parameters)
    if called:
        program(X.data, y.data)
    other = copied(program)
    expected = program(X.data, y.data)
    found = other(X.data, y.data)
    assert equal(found[0], expected[0])
    assert all(equal(a, b) for a, b in zip(found[1], expected[1], strict=True))
    other.wrt[0].data = np.zeros((4, 3))
    assert equal(program(X.data, y.data)[0], expected[0])
    assert not equal(other(X.data, y.data)[0], expected[0])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])  # noqa: S301
@pytest.mark.parametrize("steps", [0, 2])
def test_copies_of_programs_with_an_optimizer_go_on_with_its_state(copied, steps):
    X, y, parameters = mlp_graph()
    optimizer = Adam(parameters, lr=0.1)
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], optimizer=optimizer)
    for _ in range(steps):
        program(X.data, y.data)
    other = copied(program)
    found = [other(X.data, y.data) for _ in range(3)]
    expected = [program(X.data, y.data) for _ in range(3)]
    assert equal(found, expected)
    assert not set(map(id, other.wrt)) & set(map(id, parameters))


def test_no_example_and_one_example():
    def function(x, W, R):
        return weighted(F.tanh(x @ W), R)

    arrays = arrays_for(lambda x, W: x @ W, [(4, 3), (3, 2)], 0)
    program = programmed(function, arrays)
    for rows in (0, 1, 4, 0):
        new = arrays_for(lambda x, W: x @ W, [(rows, 3), (3, 2)], rows)
        assert_same(program, function, new)


@pytest.mark.parametrize("loss", [F.mse, F.binary_cross_entropy_with_logits])
def test_a_mean_of_no_examples_is_what_eager_gives(loss):
    x, y = Tensor(np.ones((2, 1))), Tensor(np.ones((2, 1)), requires_grad=False)
    program = compile(loss(x, y), inputs=[x, y], wrt=[x])
    none = np.empty((0, 1))

    def outcome(call):
        try:
            with np.errstate(all="ignore"):
                return "number", repr(float(call()))
        except Exception as error:  # noqa: BLE001
            return "error", type(error).__name__

    found = outcome(lambda: program(none, none)[0])
    assert found == outcome(lambda: loss(Tensor(none), none).data)


def test_tensors_without_axes():
    def function(x, y):
        return F.tanh(x * y) + F.exp(x) / y

    arrays = [np.array(0.5), np.array(1.5)]
    program = programmed(function, arrays)
    assert_same(program, function, arrays)
    value, grads = program(0.7, 1.1)
    expected, slopes = eager(function, [np.array(0.7), np.array(1.1)])
    assert equal(value, expected)
    assert all(equal(a, b) for a, b in zip(grads, slopes, strict=True))


EDGES = np.array(
    [[np.nan, np.inf, -np.inf, 0.0], [1.0, -1.0, 800.0, -800.0], [-0.0, 0.5, 2.0, 3.0]]
)


OPPOSITE = ("matmul with itself", "powers", "negative powers")
ALONE = [name for name in CASES if CASES[name][1] == [(M, 4)]]


@pytest.mark.parametrize("name", [name for name in ALONE if name not in OPPOSITE])
def test_nan_and_infinities_give_what_backward_gives(name):
    function, _ = CASES[name]

    def root(x, R):
        return weighted(function(x), R)

    arrays = arrays_for(function, [(3, 4)], 0, low=0.1)
    program = programmed(root, arrays)
    for zeros in (False, True):
        weights = arrays[1].copy()
        if zeros:
            weights[np.arange(weights.size).reshape(weights.shape) % 2 == 0] = 0.0
        assert_same(program, root, [EDGES, weights])


@pytest.mark.parametrize("name", OPPOSITE)
def test_infinities_of_both_signs_give_what_backward_gives(name):
    test_nan_and_infinities_give_what_backward_gives(name)


def test_backward_adds_infinities_of_both_signs():
    x = Tensor([-np.inf, 1.0])
    with np.errstate(all="ignore"):
        (x**2 + x**3).sum().backward()
    assert np.isnan(x.grad[0])
    assert x.grad[1] == 5.0


def test_a_cotangent_of_zero_contributes_nothing():
    x, R = Tensor([1.0, 2.0]), Tensor([1.0, 1.0], requires_grad=False)
    program = compile(weighted(F.log(x) + F.sqrt(x), R), inputs=[x, R], wrt=[x])
    with np.errstate(all="ignore"):
        _, (dx,) = program([0.0, 4.0], [0.0, 1.0])
    assert equal(dx, [0.0, 0.5])
    x = Tensor([1.0, 2.0])
    program = compile(F.where(x > 0, F.log(x), 0.0).sum(), inputs=[x], wrt=[x])
    with np.errstate(all="ignore"):
        _value, (dx,) = program([0.0, 4.0])
    assert equal(dx, [0.0, 0.25])


def test_threads_may_call_one_program():
    X, y, parameters = mlp_graph()
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y], wrt=parameters)
    data = [[n.data for n in mlp_graph(seed, 40 + seed % 3)[:2]] for seed in range(8)]
    expected = [program(*pair) for pair in data]
    wrong = []

    def work(k):
        for _ in range(40):
            value, grads = program(*data[k])
            if not equal(value, expected[k][0]) or not all(map(equal, grads, expected[k][1])):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_programs_that_share_parameters_or_inputs_do_not_disturb_one_another():
    X, y, parameters = mlp_graph()
    root = mlp_loss(X, y, parameters)
    one = compile(root, inputs=[X, y], wrt=parameters)
    two = compile(root * root, inputs=[X, y], wrt=parameters)
    first, second = one(X.data, y.data), two(X.data, y.data)
    again = one(X.data, y.data)
    assert all(map(equal, first[1], again[1]))
    assert equal(second[0], first[0] * first[0])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((), TypeError, r"takes 2 inputs \(X, y\), got 0"),
        ((np.ones((5, 3)),), TypeError, r"takes 2 inputs \(X, y\), got 1"),
        ((np.ones((5, 3)),) * 3, TypeError, r"takes 2 inputs \(X, y\), got 3"),
        ((np.full((5, 3), "a"), np.ones((5, 1))), TypeError, r"X.*"),
        ((np.ones((5, 3)) * 1j, np.ones((5, 1))), TypeError, r"X.*complex"),
        ((None, np.ones((5, 1))), TypeError, r"X"),
        ((np.ones((5, 2)), np.ones((5, 1))), ValueError, r"\(5, 2\)"),
        ((np.ones((5, 3)), np.ones((4, 1))), ValueError, r"\(4, 1\)"),
        ((np.ones(5), np.ones((5, 1))), ValueError, r"\(5,\)"),
        pytest.param(
            ([[1.0, 2.0], [1.0]], np.ones((5, 1))),
            (TypeError, ValueError),
            r"X",
        ),
    ],
)
def test_wrong_inputs_are_refused_with_their_names(given, error, message):
    X, y, parameters = mlp_graph()
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y])
    with pytest.raises(error, match=message):
        program(*given)
    value, _ = program(X.data, y.data)
    assert equal(value, mlp_loss(X, y, parameters).data)


def test_a_target_of_another_rank_never_broadcasts_silently():
    X, y, parameters = mlp_graph()
    program = compile(mlp_loss(X, y, parameters), inputs=[X, y])
    for target in (np.ones(5), np.ones((1, 1)), np.array(1.0)):
        try:
            expected = mlp_loss(X, Tensor(target, requires_grad=False), parameters).data
        except ValueError:  # noqa: PERF203
            with pytest.raises(ValueError):  # noqa: PT011
                program(X.data, target)
        else:
            try:
                found = program(X.data, target)[0]
            except ValueError:
                continue
            assert equal(found, expected)


def test_wrong_arguments_of_compile_are_refused():
    X, y, parameters = mlp_graph()
    hidden = X @ parameters[0].T
    root = hidden.sum() + (y * 2).sum()
    with pytest.raises(TypeError, match=r"node.*got float"):
        compile(3.0, inputs=[X])
    with pytest.raises(TypeError, match="input 1 is a ndarray"):
        compile(root, inputs=[X, X.data])
    with pytest.raises(GraphError, match=r"result of an operation.*detach"):
        compile(root, inputs=[hidden])
    with pytest.raises(GraphError, match=r"input 1 \(X\).*twice"):
        compile(root, inputs=[X, X])
    with pytest.raises(GraphError, match=r"stranger.*part"):
        compile(root, inputs=[X, Tensor(np.ones(2), name="stranger")])
    with pytest.raises(ValueError, match=r"backend 'cuda'.*numpy"):
        compile(root, inputs=[X], backend="cuda")
    with pytest.raises(ValueError, match="backend"):
        compile(root, inputs=[X], backend="numba")
    with pytest.raises(GraphError, match="leaves"):
        compile(root, inputs=[X], wrt=[hidden])
    with pytest.raises(GraphError, match=r"scalar|sum"):
        compile(hidden, inputs=[X])(X.data)


@pytest.mark.parametrize("labels", [[0, 1, -1], [0.7, 1.2, 1.9]])
def test_labels_that_the_loss_refuses_are_refused(labels):
    p, y = Tensor(np.eye(3)), Tensor(np.array([0, 1, 2]), requires_grad=False)
    program = compile(F.cross_entropy(p, y), inputs=[p, y], wrt=[p])
    with pytest.raises(ValueError, match="labels"):
        F.cross_entropy(p, Tensor(np.array(labels), requires_grad=False))
    with pytest.raises((ValueError, TypeError)):
        program(p.data, np.array(labels))


def test_a_reshape_to_a_fixed_number_of_rows_is_refused_or_right():
    def function(x):
        return x.reshape(2, -1).max(axis=1).sum()

    program = programmed(function, [np.arange(8.0).reshape(2, 4)])
    more = [np.random.default_rng(0).normal(size=(4, 4))]
    try:
        found = program(*more)
    except ValueError:
        return
    assert equal(found[0], eager(function, more)[0])


@pytest.mark.parametrize("function", [lambda x: x, lambda x: x * 3.0, lambda x: x + 1.0, F.sum])
def test_a_gradient_of_no_axes_that_is_the_same_on_any_data(function):
    x = Tensor(2.0)
    value, (dx,) = compile(function(x), inputs=[x], wrt=[x])(3.0)
    expected, (slope,) = eager(function, [np.array(3.0)])
    assert equal(value, expected)
    assert equal(dx, slope)


def test_a_root_of_a_leaf_alone():
    v = Value(2.0)
    assert compile(v, inputs=[v], wrt=[v])(3.0) == (3.0, [1.0])


def test_overwritten_data_of_a_recorded_constant_is_refused_or_not_felt():
    c = np.array([1.0, 2.0])
    x = Tensor([1.0, 1.0])
    program = compile((x * c).sum(), inputs=[x], wrt=[x])
    c[...] = 100.0
    assert float(program([1.0, 1.0])[0]) == 3.0
    X, y, parameters = mlp_graph()
    root = mlp_loss(X, y, parameters)
    parameters[0].data = parameters[0].data * 2
    try:
        value, _ = compile(root, inputs=[X, y])(X.data, y.data)
    except GraphError:
        return
    assert equal(value, mlp_loss(X, y, parameters).data)


def test_values_and_tensors_mixed():
    def function(x, w, b):
        return (F.tanh(x * w + b) * x).sum()

    def recorded(data, w, b):
        x, w, b = Tensor(data), Value(w), Value(b)
        return x, w, b, function(x, w, b)

    rng = np.random.default_rng(0)
    x, w, b, root = recorded(rng.normal(size=(3, 2)), 0.5, -0.25)
    program = compile(root, inputs=[x, w], wrt=[x, w, b])
    for rows in (3, 5):
        data, number = rng.normal(size=(rows, 2)), rng.normal()
        other, v, c, expected = recorded(data, number, -0.25)
        expected.backward()
        value, (dx, dw, db) = program(data, number)
        assert equal(value, expected.data)
        assert equal(dx, other.grad)
        assert (float(dw), float(db)) == (v.grad, c.grad)


def values_graph():
    w = [Value(0.5, name="w0"), Value(-1.5, name="w1")]
    x = [Value(1.0, name="x0"), Value(2.0, name="x1")]
    return x, w, values_loss(x, w)


def values_loss(x, w):
    return ((w[0] * x[0] + w[1] * x[1]).tanh() - 0.3) ** 2 + (w[0] * x[1]).exp() * 0.01


@pytest.mark.parametrize("backend", [None, "numpy", "python"])
def test_a_graph_of_values_gives_the_numbers_of_backward(backend):
    x, w, root = values_graph()
    program = compile(root, inputs=x, wrt=[*w, *x], backend=backend)
    data = np.random.default_rng(0).normal(size=(2, 50))
    values, sums = [], np.zeros(2)
    for k in range(50):
        column, v = [Value(c) for c in data[:, k]], [Value(p.data) for p in w]
        expected = values_loss(column, v)
        expected.backward()
        values.append(expected.data)
        sums += [p.grad for p in v]
        value, grads = program(*data[:, k])
        assert value == pytest.approx(expected.data, rel=1e-13)
        assert grads == pytest.approx([n.grad for n in (*v, *column)], rel=1e-12)
    value, grads = program(*data)
    assert np.allclose(value, values, rtol=1e-13, atol=0)
    assert np.allclose(grads[:2], sums, rtol=1e-11)


@pytest.mark.parametrize("backend", [None, "numpy", "python"])
def test_a_batch_of_values_may_mix_numbers_and_arrays_and_change_its_size(backend):
    x, w, root = values_graph()
    program = compile(root, inputs=x, wrt=w, backend=backend)
    for m in (1, 3, 0, 700, 2):
        column = np.random.default_rng(m).normal(size=m)
        value, grads = program(column, np.full(m, 2.0))
        assert value.shape == (m,)
        mixed, same = program(column, 2.0)
        assert np.array_equal(mixed, value)
        assert np.allclose(same, grads, rtol=1e-13)
    with pytest.raises(ValueError, match=r"shapes \(3,\), \(4,\)"):
        program(np.ones(3), np.ones(4))


@pytest.mark.parametrize("backend", [None, "numpy", "python"])
@pytest.mark.parametrize("batch", [False, True])
def test_values_step_with_an_optimizer(backend, batch):
    x, w, root = values_graph()
    _, v, _ = values_graph()
    optimizer, other = Adam(w, lr=0.1), Adam(v, lr=0.1)
    program = compile(root, inputs=x, optimizer=optimizer, backend=backend)
    for seed in range(4):
        columns = np.random.default_rng(seed).normal(size=(2, 6 if batch else 1))
        other.zero_grad()
        for column in columns.T:
            values_loss([Value(c) for c in column], v).backward()
        other.step()
        program(*(columns if batch else columns[:, 0]))
        assert [p.data for p in w] == pytest.approx([p.data for p in v], rel=1e-11)
        assert all(isinstance(p.data, float) for p in w)


def test_an_optimizer_whose_step_is_the_users_is_refused():
    class Own(SGD):
        def step(self):
            super().step()

    w = Tensor([1.0, 2.0])
    root = (w * w).sum()
    with pytest.raises(TypeError, match=r"Own has a step\(\) of its own"):
        compile(root, optimizer=Own([w], lr=0.1))
    with pytest.raises(TypeError, match="the optimizer must be"):
        compile(root, optimizer="adam")


def test_parameters_of_values_that_are_not_in_the_graph_only_decay():
    w, unused, x = Value(2.0), Value(3.0), Value(1.0)
    program = compile((w * x) ** 2, inputs=[x], optimizer=SGD([unused, w], lr=0.125))
    assert program(1.0) == 4.0
    assert (w.data, unused.data) == (1.5, 3.0)
    unused.data = 5.0
    assert program(np.array([1.0, 2.0])).tolist() == [2.25, 9.0]
    assert (w.data, unused.data) == (1.5 - 0.125 * (3.0 + 12.0), 5.0)


def test_what_a_reader_compares_is_no_branch():
    """A rule may compare; explain runs it between the leaf's and the graph's recording."""
    bend = primitive(
        "bend", lambda r: np.where(r > 0, r, r / 2), lambda g, z, r: F.where(r > 0, g, g / 2)
    )
    r = Tensor([1.0, -2.0], name="r")
    explain(bend(r).mean()).numpy()
    value, (gradient,) = compile(bend(r).mean(), inputs=[r])(np.array([-1.0, 4.0]))
    assert value == 1.75
    np.testing.assert_array_equal(gradient, [0.25, 0.5])


def test_what_the_leaves_are_is_said():
    x = Tensor(1.0)
    with pytest.raises(TypeError, match="wrt takes leaves of the graph, got int"):
        compile(x * 2, wrt=3)


def test_an_input_of_numbers_is_called_by_its_name():
    w, x = Value(2.0, name="w"), Value(1.0, name="x")
    program = compile(w * x, inputs=[x])
    with pytest.raises(TypeError, match=r"input 0 \(x\) holds real numbers"):
        program(np.array([1j]))
    with pytest.raises(TypeError, match=r"input 0 \(x\): 1 of 2 elements are masked"):
        program(np.ma.array([1.0, 2.0], mask=[False, True]))
    y = Tensor(np.ones(2), name="y")
    with pytest.raises(TypeError, match=r"input 0 \(y\): 1 of 2 elements are masked"):
        compile(y.sum(), inputs=[y])(np.ma.array([1.0, 2.0], mask=[False, True]))


def test_what_cannot_be_computed_as_it_was_recorded_is_not_blamed_on_the_shape():
    x = Tensor(np.zeros((0, 3)))
    with np.errstate(invalid="ignore"):
        root = F.mean(x)
    with pytest.raises(ValueError, match=r"^the graph can't be compiled: there is nothing to take"):
        compile(root, inputs=[x])
