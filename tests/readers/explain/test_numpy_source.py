"""The source computes what the engine computes, to 1e-14 of the largest number of a gradient."""

import re

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from programs import array, check, given, l_layers, library_rows, linear_model, run, two_layers

import micrograd_nn.functional as F
from micrograd_nn import Tensor, explain, primitive
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table import arrays, fused


def test_a_student_could_have_written_it():
    assert (
        explain(two_layers()).numpy()
        == """\
import numpy as np


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def forward_backward(inputs, parameters):
    X = inputs["X"]
    Y = inputs["Y"]
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]

    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    m = X.shape[1]
    J = -1 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    dZ2 = A2 - Y
    dW2 = 1 / m * dZ2 @ A1.T
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    dZ1 = 4 * dA1 * sigmoid(2 * Z1) * sigmoid(-2 * Z1)  # dA1 ∘ (1 − A1²)
    dW1 = 1 / m * dZ1 @ X.T
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)

    return J, {"W2": dW2, "b2": db2, "W1": dW1, "b1": db1}
"""
    )


@pytest.mark.parametrize("rows", [False, True])
def test_it_runs_on_other_examples(rows):
    explanation, other = explain(two_layers(5, rows)), explain(two_layers(9, rows, seed=3))
    loss, gradients = run(explanation, other.inputs, other.parameters)
    expected_loss, expected = run(other)
    assert loss == expected_loss
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, expected[name])


def test_the_number_of_examples_is_not_read_from_weights_of_that_length():
    explanation = explain(two_layers(4))  # as many as the hidden layer has units
    assert "m = X.shape[1]" in explanation.numpy()
    other = explain(two_layers(7))
    assert run(explanation, other.inputs, other.parameters)[0] == run(other)[0]


def test_saturated_units_keep_their_gradient():
    x, y = given([[30.0], [-30.0]], "x"), given([[0.0], [1.0]], "y")
    w = Tensor([[1.0]], name="w")
    check(F.mse(np.tanh(x @ w), y).named("L"), textbook=1.0)


def test_float32():
    W = Tensor(array(1, 2), dtype=np.float32, name="W")
    X = Tensor(array(5, 2), dtype=np.float32, requires_grad=False, name="X")
    check(np.mean(np.tanh(X @ W.T) ** 2).named("J"), tolerance=1e-6, textbook=1e-5)


# ------------------------------------------------------------------------------- every row

POSITIVE = {
    "log", "sqrt", "log1p", "power", "log_of_base", "power_derivative", "xlogy", "xlog1py",
}  # fmt: skip
CONSTANT = {  # the arguments that are numbers
    "power_derivative": (3.0, 1.0), "log_of_base": (2.0,), "clip": (-0.5, 0.5), "huber": (0.7,),
    "inside": (-0.5, 0.5), "leaky_relu": (0.1,), "elu": (0.7,),
}  # fmt: skip


def x(name="x", shape=(3, 4), seed=0):
    return Tensor(array(*shape, seed=seed), name=name)


def elementwise(name):
    row = table[name]
    shape = (3, 4)
    constants = CONSTANT.get(name, ())
    args = [x(n, shape, i) for i, n in enumerate("xyz"[: row.arity - len(constants)])]
    if name in POSITIVE:
        args = [Tensor(np.abs(a.data) + 0.2, name=a.name) for a in args]
    if name == "where":
        args[0] = given(array(*shape) > 0, "c")
    if name in ("hinge", "bce_with_logits"):
        args[1] = given(np.sign(args[1].data), "y")
    value = row(*args, *constants)
    if not any(row.rules):  # a step has no derivative: its factor has
        args = [given(a.data, a.name) for a in args]
        value = row(*args, *constants)
    return value * x("w", seed=9)


def weighted(value, seed=9):
    return value * x("w", value.shape, seed) if value.shape else value


OTHERS = {
    "reshape": lambda: F.reshape(x(), (4, 3)),
    "transpose": lambda: x().T,
    "transpose_3d": lambda: np.transpose(x(shape=(2, 3, 4)), (2, 0, 1)),
    "broadcast_to_of_a_number": lambda: np.broadcast_to(x(shape=()), (3, 4)),
    "broadcast_to": lambda: np.broadcast_to(x(shape=(4,)), (3, 4)),
    "sum_to": lambda: arrays.sum_to(x(), shape=(1, 4)),
    "flip": lambda: np.flip(x(), 0),
    "sum": lambda: np.sum(x(), axis=1),
    "mean": lambda: np.mean(x(), axis=0, keepdims=True),
    "prod": lambda: np.prod(x(), axis=1),
    "prod_of_all": lambda: np.prod(x()),
    "product_of_others": lambda: table["product_of_others"](x(), axis=1),
    "max": lambda: np.max(x(), axis=1),
    "max_of_all": lambda: np.max(x()),
    "min": lambda: np.min(x(), axis=0, keepdims=True),
    "var": lambda: np.var(x(), axis=1, ddof=1),
    "std": lambda: np.std(x(), axis=1),
    "norm": lambda: np.linalg.norm(x(), axis=1),
    "norm_of_all": lambda: np.linalg.norm(x()),
    "cumsum": lambda: np.cumsum(x(), axis=1),
    "cumsum_of_all": lambda: np.cumsum(x()),
    "matmul": lambda: x() @ x("y", (4, 2)),
    "matmul_of_vectors": lambda: x(shape=(4,)) @ x("y", (4,), 1),
    "matmul_by_a_vector": lambda: x() @ x("y", (4,)),
    "matmul_of_a_vector": lambda: x("y", (3,)) @ x(),
    "matmul_of_a_row": lambda: x(shape=(3,)).reshape(1, 3) @ x("y", (3, 2)),
    "matmul_by_a_column": lambda: x() @ x("y", (4,)).reshape(4, 1),
    "matmul_of_a_column_and_a_row": lambda: (
        x(shape=(3,)).reshape(3, 1) @ x("y", (4,), 1).reshape(1, 4)
    ),
    "outer": lambda: np.outer(x(shape=(3,)), x("y", (4,), 1)),
    "matmul_batched_by_a_vector": lambda: x(shape=(2, 3, 4)) @ x("y", (4,)),
    "matmul_batched_of_a_vector": lambda: x("y", (3,)) @ x(shape=(2, 3, 4)),
    "matmul_batched": lambda: x(shape=(2, 3, 4)) @ x("y", (2, 4, 3)),
    "matmul_batched_by_one": lambda: x(shape=(2, 3, 4)) @ x("y", (4, 3)),
    "softmax": lambda: F.softmax(x(), axis=0),
    "log_softmax": lambda: F.log_softmax(x()),
    "logsumexp": lambda: F.logsumexp(x(), axis=1),
    "logsumexp_of_all": lambda: F.logsumexp(x()),
    "linear": lambda: F.linear(x(), x("W", (2, 4)), x("b", (2,))),
    "linear_of_a_vector": lambda: F.linear(x(shape=(4,)), x("W", (2, 4)), x("b", (2,))),
    "standardize": lambda: fused.standardize(x(), axis=1, eps=1e-5),
    "layer_norm": lambda: F.layer_norm(x(), x("g", (4,)), x("b", (4,), 3)),
    "label_cross_entropy": lambda: F.cross_entropy(x(), [0, 1, 3], reduction="none"),
    "softmax_minus_labels": lambda: fused.softmax_minus_labels(x(), labels=np.array([0, 1, 3])),
    "getitem": lambda: x()[1:, 2],
    "getitem_of_a_row": lambda: x()[1],
    "getitem_by_a_list": lambda: x()[[0, 0, 2]],
    "getitem_by_arrays": lambda: x()[np.array([0, 1]), np.array([1, 1])],
    "getitem_with_dots": lambda: x()[..., None, ::2],
    "getitem_by_a_mask": lambda: x()[array(3, 4) > 0],
    "scatter": lambda: table["scatter"](x(shape=(2, 4)), index=(slice(1, 3),), shape=(3, 4)),
    "concatenate": lambda: np.concatenate([x(), x("y", seed=2)], axis=1),
    "stack": lambda: np.stack([x(), x("y", seed=2)], axis=1),
    "pad": lambda: np.pad(x(), ((1, 0), (0, 2))),
    "share_of_extremum": lambda: np.max(x("y", seed=4), axis=0) * np.max(x(), axis=0),
}
ROWS = library_rows()
ELEMENTWISE = [n for n, r in ROWS.items() if r.elementwise and not r.variadic]


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_rows_that_work_on_each_element(name):
    check(np.sum(elementwise(name)).named("L"))


@pytest.mark.parametrize("name", OTHERS)
def test_other_rows(name):
    value = weighted(OTHERS[name]())
    check((np.sum(value) if value.shape else value).named("L"))


def test_no_row_was_forgotten():
    assert set(ROWS) <= {*ELEMENTWISE, *OTHERS}


@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if table[n].rules[0] is not None])
def test_second_derivatives_of_rows(name):
    value = elementwise(name)
    X = next(n for n in value.inputs[0].inputs if n.name == "x") if name != "where" else None
    if X is None or not X.requires_grad:
        return
    np.sum(value).backward(create_graph=True)
    first = np.sum(X.grad * X.grad)
    if X in toposort(first):
        check(first.named("L"), [X], tolerance=1e-12, textbook=1e-9)


def test_only_operations_that_numpy_lacks_are_taken_from_the_table():
    for root in (two_layers(), l_layers(g=F.gelu), l_layers(g=F.silu)):
        assert "micrograd" not in explain(root).numpy()


def test_an_operation_of_ones_own():
    row = primitive("tripled", lambda x: 3 * x, lambda g, z, x: 3 * g, notation="3·{}")
    try:
        source = check(np.sum(row(x())).named("L")).numpy()
        assert 'table["tripled"](x)' in source
    finally:
        del table["tripled"]


# ------------------------------------------------------------------------- random networks

ACTIVATIONS = [
    F.tanh, F.sigmoid, F.relu, F.gelu, F.silu, F.softplus, F.elu, F.leaky_relu, F.softmax, np.sin,
]  # fmt: skip


@hypothesis_given(
    st.lists(st.integers(1, 4), min_size=2, max_size=5),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(["mse", "half_mse", "huber", "bce", "ce", "mae"]),
    st.sampled_from(["mean", "sum"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 6),
)
def test_random_networks(sizes, g, loss, reduction, columns, named, m):
    A = given(array(sizes[0], m) if columns else array(m, sizes[0]), "X")
    for k in range(1, len(sizes)):
        n = sizes[k]
        W = Tensor(array(n, sizes[k - 1], seed=k), name=f"W{k}")
        b = Tensor(array(n, 1, seed=k) if columns else array(n, seed=k), name=f"b{k}")
        Z = W @ A + b if columns else A @ W.T + b
        Z = Z.named(f"Z{k}") if named else Z
        A = g(Z) if k < len(sizes) - 1 else Z
    out = A.T if columns else A
    Y = array(m, sizes[-1], seed=7)
    if loss in ("bce", "ce"):  # far out the engine, which divides by 1 − A, loses digits
        out = np.tanh(out)
    if loss == "bce":
        J = F.binary_cross_entropy(F.sigmoid(out), Y > 0, reduction)
    elif loss == "ce":
        labels = np.arange(m) % sizes[-1]
        J = F.categorical_cross_entropy(F.softmax(out), np.eye(sizes[-1])[labels], reduction)
    else:
        J = getattr(F, loss)(out, Y, reduction)
    check(J.named("J"), tolerance=2e-14, textbook=1e-9, floor=0.1)


UNARY = [np.sin, np.cos, np.exp, np.tanh, F.sigmoid, F.softplus, np.square, np.abs, np.negative]
BINARY = [np.add, np.subtract, np.multiply, np.maximum]


@st.composite
def expressions(draw):
    """Expressions of three arrays whose shapes broadcast."""
    leaves = [
        Tensor(array(*s, seed=i), name="abc"[i]) for i, s in enumerate([(3, 4), (4,), (3, 1)])
    ]
    pool = list(leaves)
    for _ in range(draw(st.integers(1, 8))):
        if draw(st.booleans()):
            made = draw(st.sampled_from(UNARY))(np.tanh(draw(st.sampled_from(pool))))
        else:
            one, other = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
            made = draw(st.sampled_from(BINARY))(one, other)
        if draw(st.integers(0, 4)) == 0:
            made = made.named(f"v{len(pool)}")
        pool.append(made)
    whole = pool[-1] + 0.5 * pool[draw(st.integers(0, len(pool) - 1))]
    return draw(st.sampled_from([np.sum, np.mean]))(whole)


@hypothesis_given(expressions())
def test_random_expressions(root):
    check(root.named("L"), tolerance=2e-14, textbook=1e-9, floor=0.1)


def test_a_name_that_is_no_name_of_python():
    Z, _, _ = linear_model()
    source = explain(np.mean((Z * Z).named("my squares")).named("J*")).numpy()
    assert re.search(r"my_squares = Z\*\*2", source)
    compile(source, "<source>", "exec")


@pytest.mark.parametrize("name", ["x²", "½", "ﬁ", "2x", "class"])
def test_any_name_makes_a_source_that_runs(name):
    x = Tensor([1.0, 2.0], name=name)
    space = {}
    exec(explain((x * x).sum()).numpy(), space)  # noqa: S102 (it is what is tested)
    value, grads = space["forward_backward"]({}, {name: x.data})
    assert value == 5.0
    assert np.array_equal(grads[name], [2.0, 4.0])
