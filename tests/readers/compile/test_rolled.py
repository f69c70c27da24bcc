"""Scalar graphs of one example as programs on arrays."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given
from rolling import assert_rolled, recorded

import micrograd_nn.functional as F
from micrograd_nn import MLP, Neuron, Tensor, Value
from micrograd_nn.readers.compile.rolled import rolled
from micrograd_nn.readers.compile.tape import tape_of
from micrograd_nn.testing import strategies

RNG = np.random.default_rng(7)


def values(count, scale=1.0):
    return [Value(v) for v in (scale * RNG.normal(size=count)).tolist()]


def dense(xs, weights, biases, activation=None):
    """A layer written by a user; ``weights`` are its rows."""
    zs = [
        sum((w * x for w, x in zip(row, xs, strict=True)), b)
        for row, b in zip(weights, biases, strict=True)
    ]
    return [activation(z) for z in zs] if activation else zs


def matrix(rows, columns):
    return [values(columns) for _ in range(rows)]


def users_network(sizes, activation):
    layers = [(matrix(k, n), values(k)) for n, k in itertools.pairwise(sizes)]

    def network(xs):
        for W, b in layers[:-1]:
            xs = dense(xs, W, b, activation)
        return dense(xs, *layers[-1])

    parameters = [p for W, b in layers for p in [*(w for row in W for w in row), *b]]
    return network, parameters


def demo_loss(network):
    def build(parameters, inputs):
        *xs, y = inputs
        loss = (1 + -y * network(xs)[0]).relu()
        return loss + 1e-4 * sum(p * p for p in parameters)

    return build


def test_the_demo_is_three_matrix_products_two_activations_and_its_loss():
    network, parameters = users_network([2, 16, 16, 1], lambda z: z.relu())
    x = np.vstack([RNG.normal(size=(2, 9)), RNG.choice([-1.0, 1.0], size=9)])
    form = assert_rolled(demo_loss(network), parameters, x)
    names = form.names()
    assert names.count("matmul") == 3
    assert names.count("concatenate") == 3  # a row of ones, below which the biases are multiplied
    assert names.count("relu") == 3
    assert names.count("sum") == 1  # of squares
    assert len(names) == 16


def test_every_weight_matrix_of_the_demo_is_one_slice_of_theta():
    network, parameters = users_network([2, 16, 16, 1], lambda z: z.relu())
    inputs = values(3)
    form = rolled(tape_of(demo_loss(network)(parameters, inputs), inputs))
    for operation in form.operations:
        for part in operation.parts:
            assert part.index is None or isinstance(part.index, (int, slice))


def test_biases_are_a_column_of_the_matrix():
    W, b = matrix(3, 2), values(3)
    form = assert_rolled(
        lambda _, xs: sum(dense(xs, W, b, lambda z: z.tanh())), [], RNG.normal(size=(2, 5))
    )
    assert form.names()[:4] == ["concatenate", "matmul", "tanh", "sum"]
    assert form.theta == [p for row, bias in zip(W, b, strict=True) for p in [*row, bias]]


def test_biases_are_added_where_to_copy_the_inputs_is_more_work():
    W, b = matrix(2, 5), values(2)
    form = assert_rolled(
        lambda _, xs: sum(dense(xs, W, b, lambda z: z.tanh())), [], RNG.normal(size=(5, 4))
    )
    assert "concatenate" not in form.names()


def test_a_bias_that_several_units_have_is_added():
    W, b = matrix(3, 2), values(1)
    form = assert_rolled(
        lambda _, xs: sum(dense(xs, W, b * 3, lambda z: z.tanh())), [], RNG.normal(size=(2, 4))
    )
    assert "concatenate" not in form.names()


def test_a_layer_of_which_some_units_have_no_bias_adds_the_others():
    W, b = matrix(3, 2), [*values(2), 0.0]
    form = assert_rolled(
        lambda _, xs: sum(dense(xs, W, b, lambda z: z.tanh())), [], RNG.normal(size=(2, 4))
    )
    assert "concatenate" not in form.names()


def test_biases_beside_computed_weights_are_added():
    W, b = matrix(3, 2), values(3)

    def build(_, xs):
        squares = [[w * w for w in row] for row in W]
        return sum(dense(xs, squares, b, lambda z: z.tanh()))

    form = assert_rolled(build, [], RNG.normal(size=(2, 4)))
    assert "concatenate" not in form.names()


def test_a_unit_may_have_two_biases_and_a_number():
    W, b, c = matrix(3, 2), values(3), values(3)

    def build(_, xs):
        zs = [z + one + 0.25 for z, one in zip(dense(xs, W, b), c, strict=True)]
        return sum(z.tanh() for z in zs)

    form = assert_rolled(build, [], RNG.normal(size=(2, 4)))
    assert form.names().count("concatenate") == 1
    assert form.names().count("add") >= 1


def test_layers_of_the_same_inputs_share_the_row_of_ones():
    layers = [(matrix(3, 2), values(3)) for _ in range(2)]

    def build(_, xs):
        one, other = (dense(xs, *layer) for layer in layers)
        return sum(p.tanh() * q.sigmoid() for p, q in zip(one, other, strict=True))

    form = assert_rolled(build, [], RNG.normal(size=(2, 4)))
    assert form.names().count("concatenate") == 1


def test_an_infinite_bias_gives_what_it_gives_in_the_scalar_graph():
    W, b = matrix(2, 1), [Value(math.inf), Value(0.5)]
    assert_rolled(
        lambda _, xs: sum(dense(xs, W, b, lambda z: z.sigmoid())), [], [[0.0, 1.0]], exact=False
    )


def test_a_sum_of_squares_is_no_matrix_product():
    ws = values(5)
    form = assert_rolled(
        lambda p, xs: xs[0].tanh() + 0.5 * sum(w * w for w in p), ws, RNG.normal(size=(1, 3))
    )
    assert "matmul" not in form.names()
    assert form.names().count("sum") == 1
    assert len(form.names()) == 5


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", "softplus"])
def test_networks_of_the_library_are_rolled(activation):
    model = MLP(3, [5, 4, 1], activation=activation, seed=1)
    form = assert_rolled(lambda _, x: model(x), model.parameters(), RNG.normal(size=(3, 6)))
    assert form.names().count("matmul") == 3
    assert form.names().count(activation) == 2


def test_a_single_neuron_is_rolled():
    neuron = Neuron(4, seed=2)
    form = assert_rolled(lambda _, x: neuron(x), neuron.parameters(), RNG.normal(size=(4, 5)))
    assert form.names() == ["matmul", "add", "relu"]


@pytest.mark.parametrize("bias", ["first", "last", "none"])
def test_a_bias_may_stand_anywhere_in_the_sum(bias):
    ws, b = values(3), Value(0.3)

    def build(_, xs):
        products = [w * x for w, x in zip(ws, xs, strict=True)]
        if bias == "first":
            return (b + products[0] + products[1] + products[2]).tanh()
        return (sum(products) + b if bias == "last" else sum(products)).tanh()

    form = assert_rolled(build, [*ws, b], RNG.normal(size=(3, 4)))
    assert "mul" not in form.names()


def test_skip_connections_multiply_each_array_on_its_own():
    W1, b1, W2, b2 = matrix(3, 2), values(3), matrix(1, 5), values(1)

    def build(_, xs):
        return dense([*xs, *dense(xs, W1, b1, lambda z: z.tanh())], W2, b2)[0]

    form = assert_rolled(build, [], RNG.normal(size=(2, 7)))
    assert form.names().count("matmul") == 3
    joined = [operation for operation in form.operations if operation.row.name == "concatenate"]
    assert all([part.ones for part in operation.parts] == [False, True] for operation in joined)


def test_a_residual_layer_adds_what_it_was_given():
    W, b = matrix(3, 3), values(3)

    def build(_, xs):
        hidden = [x + a for x, a in zip(xs, dense(xs, W, b, lambda z: z.tanh()), strict=True)]
        return sum(h * h for h in hidden)

    assert_rolled(build, [], RNG.normal(size=(3, 4)))


def test_weights_may_be_shared_by_layers_and_transposed():
    W, b = matrix(3, 3), values(3)

    def build(_, xs):
        hidden = dense(xs, W, b, lambda z: z.tanh())
        hidden = dense(hidden, W, b, lambda z: z.sigmoid())
        return sum(dense(hidden, list(zip(*W, strict=True)), b))

    assert_rolled(build, [], RNG.normal(size=(3, 4)))


def test_weights_may_be_computed():
    ws = values(4)

    def build(_, xs):
        return sum((w.exp() * x for w, x in zip(ws, xs, strict=True)), ws[0] * ws[1]).sin()

    assert_rolled(build, ws, RNG.normal(size=(4, 3)))


@pytest.mark.parametrize(
    "build",
    [
        lambda p, x: x[0] + x[0],
        lambda p, x: x[0] * x[0],
        lambda p, x: x[0] + x[0] + x[0] + x[0],
        lambda p, x: p[0] * x[0] + p[1] * x[0] + p[0] * x[0],
        lambda p, x: x[0] - x[1] - p[0] * x[0],
        lambda p, x: 2.0 - x[0] - p[0] - x[1],
        lambda p, x: -(p[0] + p[1]) - x[0],
        lambda p, x: (p[0] - x[0]) * (x[1] - p[1]) - 3.0,
        lambda p, x: p[0] * 2.0 + 1.0,
        lambda p, x: p[0],
        lambda p, x: x[0],
        lambda p, x: Value(3.0).detach() * 2.0 + x[0],
        lambda p, x: F.where(p[0] > 0, x[0], x[1] * p[1]),
        lambda p, x: F.maximum(x[0], p[0]) + F.minimum(x[1], p[1]),
        lambda p, x: F.clip(x[0], -0.5, 0.5) + F.clip(x[1], p[0], 4.0),
        lambda p, x: F.leaky_relu(x[0], 0.1) + F.leaky_relu(x[1], 0.2),
        lambda p, x: F.elu(x[0], 0.7) / (x[1] ** 2 + 1.5) + x[1] ** 3,
        lambda p, x: 0.5 * x[0] + 0.25 * x[1],
        lambda p, x: sum(abs(q) for q in p) + x[0],
        lambda p, x: sum(x) / 2.0 + sum(q * q for q in p).sqrt(),
    ],
)
def test_small_graphs_are_computed_as_they_were_recorded(build):
    assert_rolled(build, [Value(0.7), Value(-1.3)], RNG.normal(size=(3, 4)), exact=False)


def test_a_result_of_constants_alone_is_an_array():
    form = rolled(tape_of(Value(1.0).detach() * 7.0, [Value(2.0)]))
    assert form.record(Tensor(np.zeros((1, 3))), Tensor(np.zeros(0))).tolist() == [7.0] * 3


def test_no_example_gives_no_number():
    w, x = Value(2.0), Value(3.0)
    form = rolled(tape_of((w * x).tanh(), [x]))
    X, theta, root = recorded(form, np.zeros((1, 0)))
    root.backward(np.zeros(0))
    assert root.shape == (0,)
    assert X.grad.shape == (1, 0)
    assert theta.grad.tolist() == [0.0]


def test_float32_stays_float32():
    model = MLP(2, [3, 1], seed=1)
    x = values(2)
    form = rolled(tape_of(model(x) * 0.5, x))
    theta = Tensor(np.array([p.data for p in form.theta], np.float32))
    assert form.record(Tensor(np.ones((2, 3), np.float32)), theta).dtype == np.float32


def test_many_products_that_share_nothing_are_a_few_operations():
    ws = values(60)

    def build(_, xs):
        pairs = [ws[i] * xs[i] + ws[i + 30] * xs[(i + 1) % 30] for i in range(30)]
        return sum(pair.tanh() for pair in pairs)

    form = assert_rolled(build, ws, RNG.normal(size=(30, 3)))
    assert len(form.operations) < 10


def test_a_graph_without_likeness_is_refused_in_words():
    random.seed(3)
    x = Value(0.5)
    node = x
    for _ in range(80):
        node = random.choice([F.tanh, F.sin, F.exp, F.sigmoid])(node) * 0.5
    assert "alike" in rolled(tape_of(node, [x]))


@given(strategies.expressions("value"))
def test_random_graphs_are_computed_as_they_were_recorded(expression):
    data = np.array(expression.inputs, float)
    if not np.isfinite(data).all():
        return
    leaves, root = expression.record()
    if not isinstance(root, Value):
        return
    for count in range(len(leaves) + 1):
        inputs = leaves[:count]
        form = rolled(tape_of(root, list(inputs)))
        assert not isinstance(form, str)
        x = np.repeat(data[:count, None], 2, axis=1)
        X, theta, result = recorded(form, x)
        np.testing.assert_allclose(result.numpy(), [root.data] * 2, rtol=1e-9, atol=1e-12)
        for leaf in leaves:
            leaf.zero_grad()
        root.backward(1.0)
        seed = np.array([0.75, -2.0])
        result.backward(seed)
        scale = max((abs(leaf.grad) for leaf in leaves), default=0.0)
        near = {"rtol": 1e-9, "atol": 1e-10 * (1.0 + scale)}
        given_grad = np.array([leaf.grad for leaf in inputs]).reshape(-1, 1) * seed
        np.testing.assert_allclose(X.grad, given_grad, **near)
        wanted = np.array([leaf.grad for leaf in form.theta]) * seed.sum()
        np.testing.assert_allclose(theta.grad, wanted, **near)


SPECIAL = np.array([[0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, 2.0]])


@pytest.mark.parametrize(
    "build",
    [
        lambda p, x: p[0] * x[0] + p[1],
        lambda p, x: (p[0] * x[0] + p[1]).relu(),
        lambda p, x: F.where(p[0] > 0, x[0] * p[0], x[0] / 0.0),
        lambda p, x: x[0] * x[0] - x[0],
        lambda p, x: 1.0 / (0.0 + x[0]),
        lambda p, x: 1.0 / (x[0] + -0.0),
        lambda p, x: x[0].sigmoid() + F.maximum(x[0], p[0]),
    ],
)
def test_zeros_infinities_and_nan_go_through_as_in_the_scalar_graph(build):
    parameters = [Value(0.5), Value(-2.0)]
    assert_rolled_one_by_one(build, parameters, SPECIAL)


def assert_rolled_one_by_one(build, parameters, x):
    for column in x.T:
        assert_rolled(build, parameters, column[:, None], exact=True)


def test_a_cotangent_of_zero_meets_no_infinity():
    w = [Value(math.inf), Value(1.0)]

    def build(p, x):
        hidden = [(p[0] * x[0]).relu(), (p[1] * x[0]).relu()]
        return F.where(False, hidden[0], hidden[1])

    assert_rolled_one_by_one(build, w, np.array([[2.0, -1.0]]))
