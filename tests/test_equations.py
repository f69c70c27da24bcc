"""The hand-derived equations, held against finite and complex differences, and one another."""

import ast
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from micrograd_nn import equations as eq

NAMES = sorted(eq.ACTIVATIONS)
SMOOTH = ["identity", "sigmoid", "tanh", "softplus", "silu"]
KINKED = ["relu", "leaky_relu"]
LOSSES = ["binary_cross_entropy", "half_mse"]


def assert_same(actual, expected, rtol=1e-12, scale=None):
    """Equal to ``rtol`` of the largest entry (sums in another order lose digits of it)."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    size = scale if scale is not None else np.max(np.abs(expected), initial=0.0)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * size)


def central_difference(f: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    """The gradient of f at x to about 1e-9: central differences, extrapolated once."""

    def slope(index: tuple[int, ...], step: float) -> float:
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        return (f(up) - f(down)) / (2 * step)

    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        gradient[index] = (4 * slope(index, 5e-4) - slope(index, 1e-3)) / 3
    return gradient


@st.composite
def problems(draw, losses=tuple(LOSSES), hidden=tuple(NAMES), max_layers=4):
    """Parameters, examples, targets, activations and loss of any network."""
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=max_layers + 1))
    m = draw(st.integers(1, 5))
    loss = draw(st.sampled_from(list(losses)))
    activations = [draw(st.sampled_from(list(hidden))) for _ in widths[1:]]
    if loss == "binary_cross_entropy":
        activations[-1] = "sigmoid"
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameters = {
        name: random.standard_normal(theta.shape)
        for name, theta in eq.initialise(widths, seed=0).items()
    }
    X = random.standard_normal((widths[0], m))
    Y = random.integers(0, 2, (widths[-1], m)).astype(float)
    return parameters, X, Y, activations, loss


# --- Activations --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_derivative_is_the_limit_of_differences(name):
    g, g_prime = eq.ACTIVATIONS[name]
    z = np.array([-5.0, -2.0, -0.7, -0.1, 0.1, 0.5, 1.5, 4.0])
    numeric = central_difference(lambda v: float(np.sum(g(v))), z)
    np.testing.assert_allclose(g_prime(z), numeric, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "textbook"),
    [
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("tanh", lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))),
        ("softplus", lambda z: np.log(1 + np.exp(z))),
        ("silu", lambda z: z / (1 + np.exp(-z))),
    ],
)
def test_complex_step_through_the_textbook_form(name, textbook):
    z = np.linspace(-4, 4, 41)
    g, g_prime = eq.ACTIVATIONS[name]
    np.testing.assert_allclose(g(z), textbook(z), rtol=1e-13, atol=1e-15)
    derivative = np.imag(textbook(z + 1e-30j)) / 1e-30
    np.testing.assert_allclose(g_prime(z), derivative, rtol=1e-13, atol=1e-15)


def test_textbook_forms_of_the_derivatives():
    z = np.linspace(-3, 3, 31)
    np.testing.assert_allclose(eq.sigmoid_prime(z), eq.sigmoid(z) * (1 - eq.sigmoid(z)), rtol=1e-14)
    np.testing.assert_allclose(eq.tanh_prime(z), 1 - np.tanh(z) ** 2, rtol=1e-13)


@pytest.mark.parametrize("z", [-700.0, -40.0, 40.0, 700.0])
def test_tails_keep_their_digits(z):
    at = np.array([z])
    np.testing.assert_allclose(eq.sigmoid_prime(at), math.exp(-abs(z)), rtol=1e-15)
    np.testing.assert_allclose(eq.tanh_prime(at / 2), 4 * math.exp(-abs(z)), rtol=1e-15)
    np.testing.assert_allclose(eq.softplus(-np.abs(at)), math.exp(-abs(z)), rtol=1e-15)
    np.testing.assert_allclose(eq.softplus(np.abs(at)), abs(z), rtol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_overflows(name):
    z = np.array([-1e4, -800.0, 800.0, 1e4])
    g, g_prime = eq.ACTIVATIONS[name]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.all(np.isfinite(g(z)))
        assert np.all(np.isfinite(g_prime(z)))


def test_conventions_at_the_kinks():
    zero = np.array([0.0])
    assert eq.relu_prime(zero) == 0.0
    assert eq.leaky_relu_prime(zero) == 0.01
    assert eq.leaky_relu_prime(zero, slope=0.2) == 0.2


def test_known_values():
    one = np.array([1.0])
    assert eq.gelu(one)[0] == pytest.approx(0.8413447460685429, rel=1e-15)
    assert eq.gelu_prime(one)[0] == pytest.approx(1.0833154705876864, rel=1e-14)
    assert eq.elu(-one)[0] == pytest.approx(math.exp(-1) - 1, rel=1e-15)
    assert eq.leaky_relu(-one)[0] == -0.01


def test_unknown_activation_lists_those_there_are():
    with pytest.raises(ValueError, match="no activation 'rellu'; there are identity, sigmoid"):
        eq.activation_named("rellu")


# --- S1: one neuron, one layer, all examples at once --------------------------------------------


@given(
    n_in=st.integers(1, 6),
    n_out=st.integers(1, 6),
    m=st.integers(1, 6),
    name=st.sampled_from(NAMES),
    seed=st.integers(0, 2**32 - 1),
)
def test_three_forms_of_a_layer_agree(n_in, n_out, m, name, seed):
    random = np.random.default_rng(seed)
    W, b = random.standard_normal((n_out, n_in)), random.standard_normal((n_out, 1))
    A_prev, dA = random.standard_normal((n_in, m)), random.standard_normal((n_out, m))
    # Where z is a rounding error from a kink, the forms may stand on either side of it.
    assume(np.all(np.abs(W @ A_prev + b) > 1e-9))
    layers = [eq.layer_by_neurons, eq.layer_by_examples, eq.layer_by_matrices]
    forms = [layer(W, b, A_prev, name) for layer in layers]
    backwards = [
        eq.layer_gradients_by_neurons,
        eq.layer_gradients_by_examples,
        eq.layer_gradients_by_matrices,
    ]
    gradients = [layer_gradients(W, b, A_prev, dA, name) for layer_gradients in backwards]
    for form in forms[:2] + gradients[:2]:
        reference = forms[2] if len(form) == 2 else gradients[2]
        for one, other in zip(form, reference, strict=True):
            assert_same(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_layer_gradients_against_differences(name):
    random = np.random.default_rng(7)
    W, b = random.standard_normal((3, 2)), random.standard_normal((3, 1))
    A_prev, cotangent = random.standard_normal((2, 4)), random.standard_normal((3, 4))
    assert np.min(np.abs(W @ A_prev + b)) > 0.01

    def loss(W, b, A_prev):
        return float(np.sum(cotangent * eq.layer_by_matrices(W, b, A_prev, name)[1])) / 4

    dW, db, dA_prev = eq.layer_gradients_by_matrices(W, b, A_prev, cotangent, name)
    assert_same(dW, central_difference(lambda v: loss(v, b, A_prev), W), 1e-8)
    assert_same(db, central_difference(lambda v: loss(W, v, A_prev), b), 1e-8)
    assert_same(dA_prev / 4, central_difference(lambda v: loss(W, b, v), A_prev), 1e-8)


def test_neuron_by_hand():
    w, x = np.array([0.5, -1.0]), np.array([2.0, 3.0])
    z, a = eq.neuron(w, 1.0, x, "tanh")
    assert z == -1.0
    assert a == math.tanh(-1.0)
    dw, db, dx = eq.neuron_gradients(w, 1.0, x, "tanh", da=2.0)
    slope = 2.0 * (1 - math.tanh(1.0) ** 2)
    assert db == pytest.approx(slope, rel=1e-14)
    np.testing.assert_allclose(dw, slope * x, rtol=1e-14)
    np.testing.assert_allclose(dx, slope * w, rtol=1e-14)


# --- S2: the two-layer network ------------------------------------------------------------------


def two_layer_problem(m=6, seed=0):
    random = np.random.default_rng(seed)
    parameters = eq.initialise([2, 4, 1], seed=seed, scheme="xavier")
    X = random.standard_normal((2, m))
    return parameters, X, (X[:1] * X[1:] > 0).astype(float)


@pytest.mark.parametrize("m", [1, 6])
def test_two_layers_are_the_l_layer_network_with_l_2(m):
    parameters, X, Y = two_layer_problem(m)
    names = ["tanh", "sigmoid"]
    cache, general_cache = eq.two_layer_forward(parameters, X), eq.forward(parameters, X, names)
    assert cache.keys() == general_cache.keys()
    for name, array in cache.items():
        assert_same(array, general_cache[name])
    grads = eq.two_layer_gradients(parameters, cache, Y)
    general = eq.backward(parameters, general_cache, Y, names)
    for name, array in grads.items():
        assert_same(array, general[name])


def test_two_layer_gradients_of_one_example_line_by_line():
    parameters, X, Y = two_layer_problem(1)
    cache = eq.two_layer_forward(parameters, X)
    grads = eq.two_layer_gradients(parameters, cache, Y)
    dz2 = cache["A2"] - Y
    dz1 = parameters["W2"].T @ dz2 * (1 - cache["A1"] ** 2)
    assert_same(grads["dW2"], dz2 @ cache["A1"].T)
    assert_same(grads["db2"], dz2)
    assert_same(grads["dW1"], dz1 @ X.T)
    assert_same(grads["db1"], dz1)


def test_two_layer_loss_falls_at_every_step():
    parameters, X, Y = two_layer_problem(40)
    costs = []
    for _ in range(200):
        cache = eq.two_layer_forward(parameters, X)
        costs.append(eq.binary_cross_entropy(cache["A2"], Y))
        grads = eq.two_layer_gradients(parameters, cache, Y)
        parameters = eq.update(parameters, grads, learning_rate=0.3)
    assert np.all(np.diff(costs) < 0)


def test_two_layer_prediction_is_one_above_a_half_only():
    zero = eq.initialise([2, 4, 1], scheme="zeros")
    assert eq.two_layer_predict(zero, np.ones((2, 3))).tolist() == [[0, 0, 0]]
    zero["b2"] += 1e-9
    assert eq.two_layer_predict(zero, np.ones((2, 3))).tolist() == [[1, 1, 1]]


# --- Costs --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-20, 20), st.sampled_from([0.0, 0.3, 1.0])), min_size=1))
def test_cross_entropy_of_probabilities_is_that_of_logits(pairs):
    Z, Y = np.array(pairs).T[:, np.newaxis]
    from_probabilities = eq.binary_cross_entropy(eq.sigmoid(Z), Y)
    assert from_probabilities == pytest.approx(eq.binary_cross_entropy_from_logits(Z, Y), rel=1e-7)


def test_cross_entropy_at_certainty():
    certain = np.array([[0.0, 1.0]])
    assert eq.binary_cross_entropy(certain, certain) == 0.0
    assert eq.binary_cross_entropy(certain, 1 - certain) == math.inf
    assert eq.binary_cross_entropy_from_logits(np.array([[-700.0]]), np.array([[0.0]])) == (
        pytest.approx(math.exp(-700), rel=1e-13)
    )
    assert eq.cross_entropy(certain, certain) == 0.0


def test_half_mse_is_half_the_mse():
    A, Y = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    assert eq.half_mse(A, Y) == eq.mse(A, Y) / 2 == pytest.approx(31 / 6)


# --- S3: the L-layer network --------------------------------------------------------------------


@given(problems(hidden=[*SMOOTH, "gelu"]))
def test_gradients_against_differences(problem):
    parameters, X, Y, names, loss = problem
    grads = eq.backward(parameters, eq.forward(parameters, X, names), Y, names, loss)

    def cost_with(name: str) -> Callable[[np.ndarray], float]:
        def cost(theta: np.ndarray) -> float:
            if name == "A0":
                return eq.cost(eq.forward(parameters, theta, names), Y, loss)
            return eq.cost(eq.forward({**parameters, name: theta}, X, names), Y, loss)

        return cost

    for name, theta in parameters.items():
        assert_same(grads[f"d{name}"], central_difference(cost_with(name), theta), 1e-6, scale=1e-2)
    numeric = central_difference(cost_with("A0"), X) * X.shape[1]
    assert_same(grads["dA0"], numeric, 1e-6, scale=1e-2)


COMPLEX = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky_relu": lambda z: np.where(z.real > 0, z, 0.01 * z),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(np.where(z.real > 0, 0, z)) - 1),
}


@given(problems(hidden=sorted(COMPLEX), max_layers=3))
def test_gradients_to_the_last_digits_by_complex_steps(problem):
    parameters, X, Y, names, loss = problem
    grads = eq.backward(parameters, eq.forward(parameters, X, names), Y, names, loss)

    def complex_cost(changed):
        A = X
        for layer, name in enumerate(names, start=1):
            Z = changed[f"W{layer}"] @ A + changed[f"b{layer}"]
            A = COMPLEX[name](Z)
        if loss == "half_mse":
            return np.sum((A - Y) ** 2) / (2 * X.shape[1])
        # −log a and −log(1 − a) of a = σ(z); 1 − a itself would lose the digits looked for here.
        losses = Y * np.log(1 + np.exp(-Z)) + (1 - Y) * np.log(1 + np.exp(Z))
        return np.sum(losses) / X.shape[1]

    for name, theta in parameters.items():
        for index in np.ndindex(theta.shape):
            shifted = theta.astype(complex)
            shifted[index] += 1e-30j
            derivative = complex_cost({**parameters, name: shifted}).imag / 1e-30
            assert grads[f"d{name}"][index] == pytest.approx(derivative, rel=1e-9, abs=1e-11)


@given(problems())
def test_costs_of_a_forward_pass_are_those_of_its_output(problem):
    parameters, X, Y, names, loss = problem
    cache = eq.forward(parameters, X, names)
    L = eq.number_of_layers(parameters)
    # Further out the probabilities have lost the digits that the logits still have.
    assume(np.all(np.abs(cache[f"Z{L}"]) < 15))
    by_output = {"binary_cross_entropy": eq.binary_cross_entropy, "half_mse": eq.half_mse}[loss]
    assert eq.cost(cache, Y, loss) == pytest.approx(by_output(cache[f"A{L}"], Y), rel=1e-6)


@given(problems())
def test_each_gradient_has_the_shape_of_its_array(problem):
    parameters, X, Y, names, loss = problem
    cache = eq.forward(parameters, X, names)
    grads = eq.backward(parameters, cache, Y, names, loss)
    arrays = {**parameters, **cache}
    assert grads.keys() == {f"d{name}" for name in arrays}
    for name, array in arrays.items():
        assert grads[f"d{name}"].shape == array.shape


def test_output_gradients_far_out_keep_their_digits():
    Z, Y = np.array([[40.0, -40.0, 700.0]]), np.array([[1.0, 0.0, 1.0]])
    dA, dZ = eq.output_gradients(Z, Y, "sigmoid", "binary_cross_entropy")
    expected = [[-math.exp(-40), math.exp(-40), -math.exp(-700)]]
    np.testing.assert_allclose(dZ, expected, rtol=1e-13)
    np.testing.assert_allclose(dA, [[-1.0, 1.0, -1.0]], rtol=1e-15)


@given(problems(losses=["binary_cross_entropy"]))
def test_output_delta_is_the_chain_rule_of_the_cross_entropy(problem):
    parameters, X, Y, names, loss = problem
    cache = eq.forward(parameters, X, names)
    L = eq.number_of_layers(parameters)
    grads = eq.backward(parameters, cache, Y, names, loss)
    assert_same(grads[f"dZ{L}"], cache[f"A{L}"] - Y, scale=1.0)
    by_chain_rule = grads[f"dA{L}"] * eq.sigmoid_prime(cache[f"Z{L}"])
    assert_same(grads[f"dZ{L}"], by_chain_rule)


def test_zero_weights_keep_the_units_of_a_layer_equal():
    X = np.random.default_rng(0).standard_normal((2, 20))
    Y = (X[:1] > 0).astype(float)
    zeros = eq.initialise([2, 3, 1], scheme="zeros")
    names = ["sigmoid", "sigmoid"]
    trained, costs = eq.train(zeros, X, Y, names, learning_rate=1.0, iterations=500)
    assert costs[-1] < costs[0]
    # Not bit for bit: a matrix product may sum the rows of a block and the last ones differently.
    for name, axis in [("W1", 0), ("b1", 0), ("W2", 1)]:
        assert np.all(np.ptp(trained[name], axis=axis) < 1e-12)
        assert np.all(np.abs(trained[name]) > 1e-3)


def test_defaults_are_the_articles():
    parameters = eq.initialise([3, 4, 2, 1], seed=5)
    X, Y = np.ones((3, 2)), np.array([[0.0, 1.0]])
    names = ["relu", "relu", "sigmoid"]
    grads = eq.backward(parameters, eq.forward(parameters, X), Y)
    explicit = eq.backward(parameters, eq.forward(parameters, X, names), Y, names)
    for name in grads:
        assert np.array_equal(grads[name], explicit[name])


@pytest.mark.parametrize("activations", [["relu"], "sigmoid", ["relu", "relu", "sigmoid"]])
def test_activations_must_match_the_layers(activations):
    parameters = eq.initialise([2, 3, 1], seed=0)
    with pytest.raises(ValueError, match="2 layers need a sequence of 2 activations"):
        eq.forward(parameters, np.ones((2, 1)), activations)


def test_losses_that_do_not_exist_or_do_not_fit():
    parameters, Y = eq.initialise([2, 1], seed=0), np.ones((1, 1))
    cache = eq.forward(parameters, np.ones((2, 1)))
    with pytest.raises(ValueError, match="no loss 'mae'; there are binary_cross_entropy, half_mse"):
        eq.cost(cache, Y, "mae")
    with pytest.raises(ValueError, match="no loss 'mae'"):
        eq.backward(parameters, cache, Y, loss="mae")
    with pytest.raises(ValueError, match="needs a sigmoid output layer, not 'tanh'"):
        eq.backward(parameters, cache, Y, ["tanh"])
    with pytest.raises(ValueError, match="no scheme 'ones'; there are he, xavier, zeros"):
        eq.initialise([2, 1], scheme="ones")


def test_initialise_draws_the_variances_it_names():
    he = eq.initialise([200, 400], seed=0)["W1"]
    xavier = eq.initialise([200, 400], seed=0, scheme="xavier")["W1"]
    assert np.var(he) == pytest.approx(2 / 200, rel=0.05)
    assert np.var(xavier) == pytest.approx(2 / 600, rel=0.05)
    assert np.array_equal(he, eq.initialise([200, 400], seed=0)["W1"])


# --- S4: training -------------------------------------------------------------------------------


def test_circle_classifier_learns():
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 200)
    Y = (np.arange(200) % 2).astype(float)[np.newaxis]
    X = np.where(Y == 1, 0.3, 1.0) * np.vstack([np.cos(angle), np.sin(angle)])
    X += 0.1 * random.standard_normal(X.shape)
    start = eq.initialise([2, 4, 6, 6, 4, 1], seed=0)
    trained, costs = eq.train(start, X, Y, learning_rate=0.3, iterations=1500)
    assert costs[-1] < 0.05 < costs[0]
    assert np.mean(eq.predict(trained, X) == Y) >= 0.99
    assert np.array_equal(start["W1"], eq.initialise([2, 4, 6, 6, 4, 1], seed=0)["W1"])


def test_linear_regression_reaches_the_least_squares_solution():
    random = np.random.default_rng(1)
    X = random.standard_normal((3, 50))
    Y = random.standard_normal((1, 50))
    line, costs = eq.train(
        eq.initialise([3, 1], seed=0),
        X,
        Y,
        ["identity"],
        loss="half_mse",
        learning_rate=0.5,
        iterations=5000,
        tolerance=1e-16,
    )
    solution = np.linalg.lstsq(np.vstack([X, np.ones(50)]).T, Y[0], rcond=None)[0]
    np.testing.assert_allclose(np.append(line["W1"], line["b1"]), solution, atol=1e-6)
    assert len(costs) < 5000


def test_too_large_a_learning_rate_diverges():
    X, Y = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])
    start = {"W1": np.array([[0.0]]), "b1": np.array([[0.0]])}
    options = {"loss": "half_mse", "iterations": 50}
    _, crawling = eq.train(start, X, Y, ["identity"], learning_rate=1e-4, **options)
    _, diverging = eq.train(start, X, Y, ["identity"], learning_rate=1.0, **options)
    assert crawling[-1] > 0.9 * crawling[0]
    assert diverging[-1] > 1e6


def test_identity_layers_stay_linear():
    parameters, X, _ = two_layer_problem()
    cache = eq.forward(parameters, X, ["identity", "identity"])
    W = parameters["W2"] @ parameters["W1"]
    b = parameters["W2"] @ parameters["b1"] + parameters["b2"]
    assert_same(cache["A2"], W @ X + b)


# --- S5: losses, deltas, optimisers -------------------------------------------------------------


@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(0.1, 20))
def test_softmax_and_its_delta(classes, m, seed, spread):
    random = np.random.default_rng(seed)
    Z = spread * random.standard_normal((classes, m))
    Y = np.eye(classes)[random.integers(0, classes, m)].T
    A = eq.softmax(Z)
    np.testing.assert_allclose(A, np.exp(Z) / np.exp(Z).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.exp(eq.log_softmax(Z)), A, rtol=1e-12)
    cost = eq.cross_entropy_from_logits(Z, Y)
    assert cost == pytest.approx(eq.cross_entropy(A, Y), rel=1e-9, abs=1e-14)
    numeric = central_difference(lambda v: eq.cross_entropy_from_logits(v, Y), Z)
    assert_same(eq.cross_entropy_delta(Z, Y), numeric, 1e-7, scale=0.1)


def test_cross_entropy_far_out():
    Z = np.array([[50.0, 2000.0], [0.0, 0.0], [-1.0, 0.0]])
    Y = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    rest = math.exp(-50) + math.exp(-51)
    assert eq.cross_entropy_from_logits(Z[:, :1], Y[:, :1]) == pytest.approx(rest, rel=1e-14)
    assert eq.cross_entropy_from_logits(Z[:, 1:], Y[:, 1:]) == 2000.0


@pytest.mark.parametrize("name", NAMES)
def test_mse_delta_and_weight_gradient(name):
    random = np.random.default_rng(3)
    W, A_prev = random.standard_normal((2, 3)), random.standard_normal((3, 4))
    Y = random.standard_normal((2, 4))
    g = eq.ACTIVATIONS[name].g
    numeric = central_difference(lambda v: eq.mse(g(v @ A_prev), Y), W)
    delta = eq.mse_delta(W @ A_prev, Y, name)
    assert_same(eq.weight_gradient(delta, A_prev), numeric, 1e-8)


GRADIENTS = [0.5, -2.0, 0.0, 1e-3]


def test_gradient_descent_and_momentum_step_by_step():
    theta, v = 1.0, 0.0
    plain = array = np.array([1.0])
    velocity = np.array([0.0])
    for t, gradient in enumerate(GRADIENTS):
        v = 0.9 * v + 0.1 * gradient
        theta = theta - v
        array, velocity = eq.momentum_step(array, np.array([gradient]), velocity, 0.1, 0.9)
        plain = eq.gradient_descent_step(plain, np.array([gradient]), 0.1)
        assert array.item() == theta
        assert velocity.item() == v
        assert plain.item() == pytest.approx(1.0 - 0.1 * sum(GRADIENTS[: t + 1]), rel=1e-15)


def test_nesterov_looks_ahead():
    # The other way to write it: the gradient is taken at θ − βv. On J = ½θ² both can be followed.
    theta, v = np.array([1.0]), np.array([0.0])
    ahead, velocity = 1.0, 0.0
    for _ in range(5):
        theta, v = eq.nesterov_step(theta, theta, v, 0.1, 0.9)
        velocity = 0.9 * velocity + 0.1 * (ahead - 0.9 * velocity)
        ahead = ahead - velocity
        assert theta.item() == pytest.approx(ahead - 0.9 * velocity, rel=1e-14)


def test_rmsprop_step_by_step():
    theta, v = 1.0, 0.0
    array, square = np.array([1.0]), np.array([0.0])
    for gradient in GRADIENTS:
        v = 0.9 * v + (1 - 0.9) * gradient**2
        theta = theta - 0.01 * gradient / (math.sqrt(v) + 1e-8)
        array, square = eq.rmsprop_step(array, np.array([gradient]), square, 0.01)
        assert array.item() == theta
        assert square.item() == v


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_and_adamw_step_by_step(decay):
    theta, m, v = 1.0, 0.0, 0.0
    array, first, second = np.array([1.0]), np.array([0.0]), np.array([0.0])
    for t, gradient in enumerate(GRADIENTS, start=1):
        m = 0.9 * m + (1 - 0.9) * gradient
        v = 0.999 * v + (1 - 0.999) * gradient**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        theta = theta - 0.01 * decay * theta
        theta = theta - 0.01 * m_hat / (math.sqrt(v_hat) + 1e-8)
        array, first, second = eq.adamw_step(
            array, np.array([gradient]), first, second, t, 0.01, weight_decay=decay
        )
        assert array.item() == pytest.approx(theta, rel=1e-15)
        assert (first.item(), second.item()) == (m, v)


def test_adam_is_adamw_without_decay():
    arrays = [np.array([x]) for x in (1.0, -0.5, 0.2, 0.3)]
    assert eq.adam_step(*arrays, 3, 0.1) == eq.adamw_step(*arrays, 3, 0.1, weight_decay=0.0)


def test_steps_leave_their_arguments_alone():
    theta, gradient, m, v = (np.array([x]) for x in (1.0, 2.0, 3.0, 4.0))
    eq.gradient_descent_step(theta, gradient, 0.1)
    eq.momentum_step(theta, gradient, v, 0.1)
    eq.nesterov_step(theta, gradient, v, 0.1)
    eq.rmsprop_step(theta, gradient, v, 0.1)
    eq.adamw_step(theta, gradient, m, v, 1, 0.1)
    assert (theta.item(), gradient.item(), m.item(), v.item()) == (1.0, 2.0, 3.0, 4.0)


# --- S6: the index formulas, and intersection over union ----------------------------------------


@given(problems())
def test_loops_over_indices_are_the_matrix_form(problem):
    parameters, X, Y, names, loss = problem
    cache = eq.forward(parameters, X, names)
    # At a kink the two orders of summation may round to different sides.
    assume(all(np.all(np.abs(cache[f"Z{k}"]) > 1e-9) for k in range(1, len(names) + 1)))
    by_matrices = eq.backward(parameters, cache, Y, names, loss)
    by_indices = eq.gradients_by_indices(parameters, X, Y, names, loss)
    assert by_indices.keys() == {name for name in by_matrices if not name.startswith("dA")}
    for name, array in by_indices.items():
        assert_same(array, by_matrices[name], 1e-11, scale=1e-2 + np.max(np.abs(array)))


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_soft_iou_gradient_against_differences(n, m, seed):
    random = np.random.default_rng(seed)
    A, Y = random.uniform(0.05, 0.95, (n, m)), random.integers(0, 2, (n, m)).astype(float)
    numeric = central_difference(lambda v: eq.soft_iou(v, Y), A)
    assert_same(eq.soft_iou_gradient(A, Y), numeric, 1e-6, scale=1e-2)


def test_soft_iou_of_masks():
    mask, empty = np.array([[1.0, 0.0, 1.0]]), np.zeros((1, 3))
    assert eq.soft_iou(mask, mask) == 0.0
    assert eq.soft_iou(mask, 1 - mask) == 1.0
    assert eq.soft_iou(mask, empty) == 1.0
    assert eq.soft_iou(empty, empty) == 0.0
    assert eq.soft_iou_gradient(empty, empty).tolist() == [[0.0, 0.0, 0.0]]


# --- The errata of the articles, and the independence of this file ------------------------------


def test_the_misprinted_tanh_is_coth():
    z = np.array([0.5, 2.0])
    misprint = (np.exp(z) + np.exp(-z)) / (np.exp(z) - np.exp(-z))
    np.testing.assert_allclose(misprint, 1 / eq.tanh(z), rtol=1e-15)


def test_imports_nothing_but_numpy_and_the_standard_library():
    files = Path(eq.__file__).parent.glob("*.py")
    imported = {
        ".".join(name.split(".")[:2]) if name.startswith("micrograd_nn") else name.split(".")[0]
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    own = "micrograd_nn.equations"
    assert imported == {"__future__", "collections", "itertools", "math", "numpy", "typing", own}


def test_zeros_are_all_the_same_zero():
    """Units can be equal bit for bit only if no weight is −0."""
    parameters = eq.initialise([3, 40, 2], seed=0, scheme="zeros")
    assert not any(np.signbit(array).any() for array in parameters.values())
