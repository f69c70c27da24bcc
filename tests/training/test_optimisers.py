"""Each optimiser, step by step, against its formula written out as a literal loop."""

import math

import numpy as np
import pytest

from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.training import SGD, Adam, AdamW, RMSProp
from micrograd_nn.training import blocks as blocks_module

STEPS = 7


# ------------------------------------------------- the formulas of EQUATIONS.md, for one parameter


def descent(theta, grads, lr=0.1, decay=0.0):
    for g in grads:
        theta = theta - lr * (g + decay * theta)
    return theta


def momentum(theta, grads, lr=0.1, beta=0.9):
    v = 0 * theta
    for g in grads:
        v = beta * v + lr * g
        theta = theta - v
    return theta


def nesterov(theta, grads, lr=0.1, beta=0.9, decay=0.01):
    v = 0 * theta
    for g in grads:
        g = g + decay * theta
        v = beta * v + lr * g
        theta = theta - (beta * v + lr * g)
    return theta


def rmsprop(theta, grads, lr=0.01, rho=0.8, eps=1e-6):
    v = 0 * theta
    for g in grads:
        v = rho * v + (1 - rho) * g**2
        theta = theta - lr * g / (np.sqrt(v) + eps)
    return theta


def adam(theta, grads, lr=0.01, b1=0.8, b2=0.95, eps=1e-6, decay=0.0):
    m = v = 0 * theta
    for t, g in enumerate(grads, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat = m / (1 - b1**t)
        v_hat = v / (1 - b2**t)
        theta = theta - lr * decay * theta
        theta = theta - lr * m_hat / (np.sqrt(v_hat) + eps)
    return theta


def adamw(theta, grads):
    return adam(theta, grads, decay=0.1)


RULES = {
    "sgd": (lambda p: SGD(p, lr=0.1), descent),
    "decay": (
        lambda p: SGD(p, lr=0.1, weight_decay=0.5),
        lambda theta, grads: descent(theta, grads, decay=0.5),
    ),
    "momentum": (lambda p: SGD(p, 0.1, momentum=0.9), momentum),
    "nesterov": (
        lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        nesterov,
    ),
    "rmsprop": (lambda p: RMSProp(p, lr=0.01, rho=0.8, eps=1e-6), rmsprop),
    "adam": (lambda p: Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6), adam),
    "adamw": (lambda p: AdamW(p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.1), adamw),
}

SHAPES = {
    "float64": [(3, 2), (3,), (), (1, 3)],
    "float32": [(3, 2), (3,), (), (1, 3)],
    "values": ["value"] * 5,
    "mixed": ["value", (3, 2), "value", (3,), (2, 2, 2)],
    "large": [(3,), (300, 250), (64, 80), (5000,)],
}


def make(kind, rng):
    dtypes = {"float32": ["float32"], "mixed": ["float64", "float32"]}.get(kind, ["float64"])
    nodes = []
    for i, shape in enumerate(SHAPES[kind]):
        if shape == "value":
            nodes.append(Value(rng.normal()))
        else:
            nodes.append(Tensor(rng.normal(size=shape), dtype=dtypes[i % len(dtypes)]))
    return nodes


def gradient(node, rng):
    """A random gradient as a number or array of the parameter's dtype, with a few zeros."""
    g = rng.normal(size=node.shape) * (rng.random(node.shape) > 0.1)
    return float(g) if isinstance(node, Value) else np.asarray(g, node.dtype)


def data_of(node):
    return np.array(node.data)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("rule", RULES)
def test_steps_follow_the_formula(rule, kind):
    make_optimiser, formula = RULES[rule]
    rng = np.random.default_rng(3)
    nodes = make(kind, rng)
    start = [data_of(node) for node in nodes]
    optimiser = make_optimiser(nodes)
    grads = [[gradient(node, rng) for node in nodes] for _ in range(STEPS)]
    for t in range(STEPS):
        for node, g in zip(nodes, grads[t], strict=True):
            node.grad = g
        optimiser.step()
        for i, node in enumerate(nodes):
            expected = formula(start[i], [grads[s][i] for s in range(t + 1)])
            tolerance = 2e-6 if node.dtype == np.float32 else 1e-13
            np.testing.assert_allclose(data_of(node), expected, rtol=tolerance, atol=tolerance)
            assert isinstance(node, Value) or node.data.dtype == start[i].dtype
            assert np.shape(node.data) == start[i].shape


def adam_as_computed(theta, grads, lr=0.01, b1=0.8, b2=0.95, eps=1e-6):
    m = v = 0 * theta
    for t, g in enumerate(grads, start=1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * (g * g)
        root = np.sqrt(1 - b2**t)
        theta = theta - m / (np.sqrt(v) + eps * root) * (lr * root / (1 - b1**t))
    return theta


@pytest.mark.parametrize("rule", ["adam", "momentum"])
def test_the_first_steps_are_the_formula_bit_for_bit(rule):
    make_optimiser, formula = RULES[rule]
    formula = adam_as_computed if rule == "adam" else formula
    rng = np.random.default_rng(4)
    node = Tensor(rng.normal(size=(4, 3)))
    start, grads = node.data.copy(), []
    optimiser = make_optimiser([node])
    for _ in range(3):
        grads.append(rng.normal(size=(4, 3)))
        node.grad = grads[-1]
        optimiser.step()
        np.testing.assert_array_equal(node.data, formula(start, grads))


# -------------------------------------------------------------------------------- the graph


def test_a_graph_recorded_before_the_step_keeps_its_derivative():
    w, v = Tensor([2.0, 3.0]), Value(5.0)
    y = (w * w).sum() * v
    w.grad, v.grad = np.ones(2), 1.0
    SGD([w, v], lr=0.5).step()
    w.zero_grad()
    v.zero_grad()
    y.backward()
    np.testing.assert_array_equal(w.grad, [20.0, 30.0])
    assert v.grad == 13.0


def test_data_set_between_two_steps_are_the_ones_moved():
    w, u, v = Tensor([1.0, 2.0]), Tensor([3.0]), Value(1.0)
    optimiser = SGD([w, u, v], lr=1.0)
    for node in (w, u, v):
        node.grad = np.ones(node.shape)
    optimiser.step()
    w.data = [10.0, 20.0]
    u.data[...] = 7.0
    v.data = 5.0
    optimiser.step()
    assert w.data.tolist() == [9.0, 19.0]
    assert u.data.tolist() == [6.0]
    assert v.data == 4.0


def test_a_copy_kept_from_before_a_step_is_not_written_to():
    w, u = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    optimiser = Adam([w, u], lr=0.1)
    w.grad = u.grad = np.ones(2)
    optimiser.step()
    held, before = w.data, w.data.copy()
    optimiser.step()
    np.testing.assert_array_equal(held, before)
    w.data[0] = 100.0
    assert u.data[0] < 4.0
    assert w.data[0] == 100.0


def test_a_parameter_that_no_backward_reached_moves_by_its_momentum():
    w, v = Tensor([1.0]), Value(1.0)
    optimiser = SGD([w, v], lr=0.1, momentum=0.5)
    w.grad, v.grad = np.ones(1), 1.0
    optimiser.step()
    optimiser.zero_grad()
    assert w.grad.tolist() == [0.0]
    assert v.grad == 0.0
    optimiser.step()
    assert w.data[0] == v.data == 1.0 - 0.1 - 0.05


def test_gradients_that_are_nodes_are_read():
    w, v = Tensor([2.0]), Value(3.0)
    (w * w * v).sum().backward(create_graph=True)
    SGD([w, v], lr=0.5).step()
    assert w.data.tolist() == [2.0 - 0.5 * 12.0]
    assert v.data == 3.0 - 0.5 * 4.0


def test_a_nan_gradient_is_applied_as_it_is():
    w, v = Tensor([1.0, 1.0]), Value(1.0)
    w.grad, v.grad = [np.nan, 1.0], math.nan
    SGD([w, v], lr=0.5).step()
    assert math.isnan(w.data[0])
    assert w.data[1] == 0.5
    assert math.isnan(v.data)


def test_float16_is_kept_and_adam_is_finite_on_it():
    w = Tensor(np.ones(3), dtype=np.float16)
    w.grad = [0.0, 1.0, -1.0]
    optimiser = Adam([w], lr=0.25)
    optimiser.step()
    assert w.dtype == np.float16
    assert w.data.tolist() == [1.0, 0.75, 1.25]


def test_order_and_layout_of_the_array_do_not_matter():
    array = np.arange(6.0).reshape(2, 3)
    w, u = Tensor(np.asfortranarray(array)), Tensor(array)
    for node in (w, u):
        node.grad = array * 10
        SGD([node], lr=0.5).step()
    np.testing.assert_array_equal(w.data, u.data)


def test_large_arrays_are_updated_in_pieces_as_if_in_one(monkeypatch):
    results = []
    for piece in (1000, 10**9):
        monkeypatch.setattr(blocks_module, "PIECE", piece)
        rng = np.random.default_rng(0)
        nodes = [Tensor(rng.normal(size=s)) for s in ((70, 71), (9,), (4000,))]
        optimiser = Adam(nodes, lr=0.1)
        for _ in range(3):
            for node in nodes:
                node.grad = rng.normal(size=node.shape)
            optimiser.step()
        results.append([node.data for node in nodes])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_learning_rate_may_be_set():
    v = Value(1.0)
    optimiser = SGD([v], lr=0.5)
    optimiser.lr = 0.25
    v.grad = 1.0
    optimiser.step()
    assert v.data == 0.75
    optimiser.lr = 0.0
    optimiser.step()
    assert v.data == 0.75
    with pytest.raises(ValueError, match="finite and 0 or more"):
        optimiser.lr = -1.0


def test_it_shows_itself():
    optimiser = SGD([Tensor(np.zeros((30, 40))), Value(1.0)], lr=0.1, momentum=0.9)
    text = "SGD(1,201 parameters, lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)"
    assert repr(optimiser) == text


# ---------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "the list is empty"),
        (Value(1.0), TypeError, "an iterable of nodes, got a Value: pass a list"),
        ({"w": Value(1.0)}, TypeError, "got a dict"),
        (3, TypeError, "got a int"),
        ([("w", Value(1.0))], TypeError, "parameter 0 is a tuple.*model.parameters()"),
        ([Value(1.0), 2.0], TypeError, "parameter 1 is a float"),
        ([Value(1.0, name="z") * 2], ValueError, "result of mul, and only leaves"),
        ([Tensor([1.0], requires_grad=False, name="x")], ValueError, "0 \\(x\\) is a constant"),
    ],
)
def test_parameters_that_cannot_be_moved_are_refused(parameters, error, message):
    with pytest.raises(error, match=message):
        SGD(parameters, lr=0.1)


def test_a_parameter_given_twice_is_refused():
    w = Tensor([1.0], name="w")
    with pytest.raises(ValueError, match="parameter 2 \\(w\\) is parameter 0 again"):
        Adam([w, Value(1.0), w])


def test_a_model_instead_of_its_parameters_is_refused_with_a_hint():
    class Model:
        def parameters(self):
            return [Value(1.0)]

    with pytest.raises(TypeError, match=r"got a Model: pass model.parameters\(\)"):
        SGD(Model(), lr=0.1)


@pytest.mark.parametrize(
    ("make_optimiser", "message"),
    [
        (lambda p: SGD(p, lr=0), "lr must be finite and above 0, got 0"),
        (lambda p: SGD(p, lr=-0.1), "above 0, got -0.1"),
        (lambda p: SGD(p, lr=math.nan), "finite and above 0, got nan"),
        (lambda p: Adam(p, lr=math.inf), "finite and above 0, got inf"),
        (lambda p: SGD(p, lr=0.1, momentum=1.0), r"momentum must be in \[0, 1\)"),
        (lambda p: SGD(p, lr=0.1, momentum=-0.1), r"momentum must be in \[0, 1\)"),
        (lambda p: SGD(p, lr=0.1, nesterov=True), "nesterov=True needs a momentum"),
        (lambda p: SGD(p, lr=0.1, weight_decay=-1), "weight_decay must be finite and 0 or more"),
        (lambda p: RMSProp(p, rho=1.0), "rho must be in"),
        (lambda p: RMSProp(p, eps=0.0), "eps must be finite and above 0"),
        (lambda p: Adam(p, betas=(0.9, 1.0)), r"betas\[1\] must be in \[0, 1\), got 1.0"),
        (lambda p: Adam(p, betas=(-0.1, 0.9)), r"betas\[0\] must be in"),
        (lambda p: Adam(p, betas=0.9), "betas must be two numbers"),
        (lambda p: Adam(p, betas=(0.9,)), "betas must be two numbers"),
        (lambda p: AdamW(p, weight_decay=math.nan), "weight_decay must be"),
    ],
)
def test_settings_out_of_range_are_refused(make_optimiser, message):
    with pytest.raises(ValueError, match=message):
        make_optimiser([Value(1.0)])


def test_a_learning_rate_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="must be a number, got 'fast'"):
        SGD([Value(1.0)], lr="fast")


# ------------------------------------------------------------------------------------- state


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", ["mixed", "large"])
def test_a_restored_optimiser_goes_on_bit_for_bit(rule, kind):
    make_optimiser, _ = RULES[rule]

    def run(interrupted):
        rng = np.random.default_rng(8)
        nodes = make(kind, rng)
        optimiser = make_optimiser(nodes)
        for t in range(6):
            if interrupted and t == 3:
                state = optimiser.state_dict()
                assert all(
                    isinstance(a, np.ndarray) and a.dtype.kind != "O" for a in state.values()
                )
                optimiser = type(optimiser)(nodes, lr=9.0)
                optimiser.load_state_dict(state)
            for node in nodes:
                node.grad = gradient(node, rng)
            optimiser.step()
        return nodes, optimiser

    straight, first = run(interrupted=False)
    resumed, second = run(interrupted=True)
    for one, other in zip(straight, resumed, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
    assert first.state_dict().keys() == second.state_dict().keys()
    assert repr(first) == repr(second)


def test_the_state_is_a_copy():
    v = Tensor([1.0, 2.0])
    optimiser = Adam([v])
    v.grad = [1.0, 1.0]
    optimiser.step()
    state = optimiser.state_dict()
    kept = state["m.0"].copy()
    optimiser.step()
    np.testing.assert_array_equal(state["m.0"], kept)
    optimiser.load_state_dict(state)
    optimiser.step()
    np.testing.assert_array_equal(state["m.0"], kept)


def stepped(nodes):
    optimiser = Adam(nodes, lr=0.1)
    for node in nodes:
        node.grad = np.ones(node.shape)
    optimiser.step()
    return optimiser


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(kind=np.array("SGD")), "that of SGD, not of Adam"),
        (lambda s: s.pop("lr"), "lacks lr"),
        (lambda s: s.update(betas=np.array([2.0, 0.9])), "betas"),
        (lambda s: s.update(lr=np.array(-1.0)), "lr must be"),
        (lambda s: s.update({"m.0": np.zeros((3, 3))}), "m.0 of shape \\(3, 3\\)"),
        (lambda s: s.update({"m.7": np.zeros(2)}), "m.7 .*there is none"),
        (lambda s: s.pop("v.1"), "v for 2 parameters, but here are 3"),
        (lambda s: s.clear(), "that of nothing"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    optimiser = stepped([Tensor(np.ones((2, 2))), Tensor(np.ones(2)), Value(1.0)])
    before = optimiser.state_dict()
    state = optimiser.state_dict()
    change(state)
    with pytest.raises(ValueError, match=message):
        optimiser.load_state_dict(state)
    after = optimiser.state_dict()
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
