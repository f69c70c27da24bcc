"""What doesn't influence the result leaves no trace in the gradient, not even where it is NaN."""

import numpy as np
import pytest
from oracles import normal

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, Value, grad, jacobian, jvp, primitive, vjp
from micrograd_nn.graph.units import unit
from micrograd_nn.testing.oracle import Oracle

NAN, INF = np.nan, np.inf

#: Functions of an array whose first row has no influence on the result.
OF_ROWS = {
    "sum": lambda x: F.sum(x, axis=1)[1],
    "mean": lambda x: F.mean(x, axis=1)[1],
    "prod": lambda x: F.prod(x, axis=1)[1],
    "prod, kept": lambda x: F.prod(x, axis=1, keepdims=True)[1, 0],
    "max": lambda x: F.max(x, axis=1)[1],
    "min": lambda x: F.min(x, axis=-1)[1],
    "var": lambda x: F.var(x, axis=1)[1],
    "std": lambda x: F.std(x, axis=1, ddof=1)[1],
    "norm": lambda x: F.norm(x, axis=1)[1],
    "norm, kept": lambda x: F.norm(x, axis=(1,), keepdims=True)[1, 0],
    "cumsum": lambda x: F.cumsum(x, axis=1)[1, 1],
    "softmax": lambda x: F.softmax(x)[1, 0],
    "softmax of rows": lambda x: (F.softmax(x)[1] ** 2).sum(),
    "log_softmax": lambda x: F.log_softmax(x, axis=1)[1, 1],
    "logsumexp": lambda x: F.logsumexp(x, axis=1)[1],
    "layer_norm": lambda x: (F.layer_norm(x)[1] ** 3).sum(),
    "cross_entropy": lambda x: F.cross_entropy(x, [0, 1], "none")[1],
    "a row of a product": lambda x: (x @ np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 1.0]]))[1].sum(),
    "linear": lambda x: F.linear(x, np.ones((2, 3)), np.ones(2))[1].sum(),
    "a square": lambda x: (x @ F.transpose(x))[1, 1],
    "where": lambda x: F.where(np.array([[False], [True]]), F.exp(x) / x, 0.0).sum(),
    "transposed": lambda x: F.prod(F.transpose(x), axis=0)[1],
    "reshaped": lambda x: F.norm(F.reshape(x, 2, 1, 3), axis=(1, 2))[1],
    "concatenated": lambda x: F.softmax(F.concatenate([x, x * x], axis=1))[1, 0],
}
ROWS = {
    "inf": [INF, 2.0, 3.0],
    "-inf": [1.0, -INF, 3.0],
    "nan": [1.0, NAN, 3.0],
    "all": [INF, -INF, NAN],
    "zeros": [0.0, 0.0, 0.0],
}
SECOND_ROW = [0.5, -1.5, 2.0]


def roads(f, x):
    """The gradient of a scalar function of an array, by all that compute it."""
    t = Tensor(x)
    f(t).backward()
    yield "backward", t.grad
    t = Tensor(x)
    f(t).backward(create_graph=True)
    yield "create_graph", t.grad.data
    yield "grad", grad(f)(x)
    yield "vjp", vjp(f, x)[1](1.0)[0]
    yield "grad of nodes", grad(f)(Tensor(x)).data
    yield "jacobian", jacobian(f)(x)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", OF_ROWS)
def test_a_row_without_influence(name, row):
    f, x = OF_ROWS[name], np.array([ROWS[row], SECOND_ROW])
    harmless = np.array([[1.0, 2.0, 4.0], SECOND_ROW])
    expected = dict(roads(f, harmless))
    for road, found in roads(f, x):
        assert np.array_equal(found, expected[road]), (road, found, expected[road])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", OF_ROWS)
def test_second_derivatives_and_directions(name, row):
    f, x = OF_ROWS[name], np.array([ROWS[row], SECOND_ROW])
    harmless = np.array([[1.0, 2.0, 4.0], SECOND_ROW])
    direction = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, -1.0]])

    def along(x):
        return (grad(f)(x) * direction).sum()

    assert np.allclose(grad(along)(x)[1], grad(along)(harmless)[1], rtol=1e-14, atol=1e-14)
    assert np.allclose(jvp(f, (x,), (direction,))[1], jvp(f, (harmless,), (direction,))[1])


#: Functions of a vector in which an infinite factor meets what has no influence.
OF_FACTORS = {
    "matrix @ x": (lambda x: (np.array([[INF, 1.0], [2.0, 3.0]]) @ x)[1], [2.0, 3.0]),
    "x @ matrix": (lambda x: (x @ np.array([[NAN, 2.0], [1.0, 3.0]]))[1], [2.0, 3.0]),
    "linear": (
        lambda x: F.linear(x.reshape(1, 2), np.array([[INF, -INF], [2.0, 3.0]]), np.ones(2))[0, 1],
        [2.0, 3.0],
    ),
    "relu": (lambda x: (F.relu(x - 5) @ np.array([INF, 1.0])) * 0.0 + x[0], [1.0, 0.0]),
    "outer": (lambda x: F.outer(x, np.array([INF, 2.0]))[:, 1].sum(), [2.0, 2.0]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OF_FACTORS)
def test_an_infinite_factor_without_influence(name):
    f, expected = OF_FACTORS[name]
    for road, found in roads(f, np.ones(2)):
        assert np.array_equal(found, expected), (road, found)


def test_it_is_the_oracles_gradient():
    W = Tensor(np.array([[INF, 1.0], [2.0, 3.0]]))
    x = Tensor(np.ones(2))
    root = (W @ x)[1]
    root.backward()
    for leaf, expected in Oracle(root, [W, x]).gradient(np.ones(())).items():
        assert np.array_equal(leaf.grad, expected.value)


def test_what_does_have_influence_is_still_nan():
    x = np.array([[NAN, 2.0], [1.0, 3.0]])
    for f in (lambda x: F.softmax(x)[0, 1], lambda x: F.prod(x, axis=1).sum()):
        for road, found in roads(f, x):
            assert np.any(np.isnan(found[0])), road


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_batch_through_a_network_with_an_infinite_weight():
    model = MLP(2, [3, 2], seed=1)
    X = normal(4, 2)
    expected = grad(lambda X: model(X)[:, 1].sum())(X)
    model.layers[-1].neurons[0].parameters()[0].data = INF
    assert np.array_equal(grad(lambda X: model(X)[:, 1].sum())(X), expected)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_unit_that_is_off_meets_an_infinite_weight(create_graph):
    from micrograd_nn.graph.table.activations import relu

    x, w, b = Value(-1.0), Value(INF), Value(0.0)
    unit(relu)([x], [w, b]).backward(create_graph=create_graph)
    assert [float(v.grad) for v in (x, w, b)] == [0.0, 0.0, 0.0]


def test_an_own_row_that_mixes_along_the_last_axis():
    own = primitive(
        "cube_of_sum",
        lambda x: np.sum(x, axis=-1) ** 3,
        lambda g, z, x: F.expand_dims(g * 3 * F.sum(x, axis=-1) ** 2, -1) * F.exp(0 * x),
        elementwise=False,
        along=(-1,),
    )
    for road, found in roads(lambda x: own(x)[1], np.array([[INF, 1.0], [1.0, 2.0]])):
        assert np.array_equal(found, [[0.0, 0.0], [27.0, 27.0]]), road


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("axis", [0, -1, (0,), None], ids=str)
def test_a_single_result_without_influence(axis):
    for road, found in roads(lambda x: F.prod(x, axis=axis) * 0.0, np.array([INF, 0.0, 2.0])):
        assert np.array_equal(found, [0.0, 0.0, 0.0]), road


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype):
    t = Tensor(np.array([[NAN, 2.0], [1.0, 3.0]]), dtype=dtype)
    F.softmax(t)[1, 0].backward()
    assert t.grad.dtype == dtype
    assert np.array_equal(t.grad[0], [0.0, 0.0])
