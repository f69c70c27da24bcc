"""What the strategies draw runs, prints, keeps away from kinks, and shrinks to something simple."""

from __future__ import annotations

import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, Value, equations, primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.testing import profiles, strategies
from micrograd_nn.testing.programs.assembly import (
    LARGEST,
    MARGIN,
    MOST_ELEMENTS,
    SMALLEST,
    Draw,
    applies,
    assembled,
)
from micrograd_nn.testing.programs.linearised import Linearised
from micrograd_nn.testing.strategies import OPERATIONS, Expression, Program, Step

KINDS = pytest.mark.parametrize("kind", ["value", "tensor"])
FEW = settings(max_examples=25)
QUIET = settings(
    max_examples=300,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)

log_like = primitive(
    "log_like_test", lambda x: np.log(x), lambda g, z, x: g / x, domain="x > 2", notation="log {}"
)


def pasted(code):
    names = {"F": F, "np": np, "table": table, "Expression": Expression}
    exec(code, names)
    return names


def all_values(expression):
    return expression.program.run(expression.inputs)


# ------------------------------------------------------------------------------- expressions


@KINDS
def test_an_expression_prints_as_code_that_does_the_same(kind):
    @FEW
    @given(strategies.expressions(kind))
    def holds(expression):
        names = pasted(expression.code())
        np.testing.assert_array_equal(names["f"](*names["inputs"]), expression())
        again = pasted(f"again = {expression!r}")["again"]
        np.testing.assert_array_equal(again(), expression())
        for x, y in zip(again.inputs, expression.inputs, strict=True):
            assert type(x) is type(y)
            np.testing.assert_array_equal(x, y)

    holds()


@KINDS
def test_an_expression_records_what_it_computes(kind):
    @FEW
    @given(strategies.expressions(kind))
    def holds(expression):
        leaves, root = expression.record()
        assert all(isinstance(leaf, Value if kind == "value" else Tensor) for leaf in leaves)
        np.testing.assert_allclose(root.data, expression(), rtol=1e-12, atol=1e-9)
        assert root.shape == np.shape(expression())

    holds()


@KINDS
def test_values_are_moderate_and_away_from_kinks(kind):
    @FEW
    @given(strategies.expressions(kind))
    def holds(expression):
        values = all_values(expression)
        for value in map(np.abs, values[len(expression.inputs) :]):
            assert np.all((value <= LARGEST) & ((value >= SMALLEST) | (value == 0)))
            assert np.size(value) <= MOST_ELEMENTS
        for step in expression.steps:
            operands = [values[place] for place in step.operands]
            if step.operation.name in ("relu", "abs"):
                assert np.all(np.abs(operands[0]) > MARGIN)
            if step.operation.name == "maximum":
                assert np.all(np.abs(operands[0] - operands[1]) > MARGIN)
            if step.operation.name in ("log", "sqrt"):
                assert np.all(operands[0] > MARGIN)
        assert applies(expression.program, [expression.inputs], MARGIN)

    holds()


def test_kinks_are_met_where_they_are_welcome():
    def at_zero(expression):
        values = all_values(expression)
        return any(
            step.operation.name == "relu" and np.any(values[step.operands[0]] == 0)
            for step in expression.steps
        )

    drawn = strategies.expressions("value", operations=["add", "relu"], kinks=True)
    assert str(find(drawn, at_zero, settings=QUIET)) == ("Expression(lambda x: F.relu(x), 0.0)")


def forced(name, seeds=40):
    """Assemble one step of an operation on inputs of many shapes, with many choices."""
    rng = np.random.default_rng(0)
    shapes = [(2, 3), (3,), (3, 2), (2,), ()]
    pool = [OPERATIONS[name]]
    for choices in range(seeds):
        inputs = [
            np.asarray(rng.uniform(0.3, 1.4, shape) * rng.choice([-1, 1], shape))
            if choices % 2
            else np.asarray(rng.uniform(0.3, 1.4, shape))
            for shape in shapes
        ]
        distances = (choices % 5, (choices // 5) % 5)
        draw = Draw(pool[0], distances, choices)
        program = assembled([draw], pool, [inputs], MARGIN)
        if program.steps:
            yield Expression(program, *inputs)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_the_table_is_drawn_and_printed(name):
    found = list(forced(name))
    assert found
    for expression in found:
        assert [step.operation.name for step in expression.steps] == [name]
        names = pasted(expression.code())
        np.testing.assert_array_equal(names["f"](*names["inputs"]), expression())


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_measured_derivative_of_every_operation_is_that_of_the_rules(name):
    for expression in forced(name, seeds=12):
        at = Linearised(expression.program, expression.inputs)
        g = np.random.default_rng(1).normal(size=at.result.shape)
        leaves, root = expression.record()
        root.backward(g)
        pairs = zip(leaves, at.pulled(g), at.tolerance(g), strict=True)
        for leaf, expected, allowed in pairs:
            assert np.all(np.abs(leaf.grad - expected) <= 0.1 * allowed), expression


def test_the_public_table_is_covered():
    composed_in_nn = set(dir(__import__("micrograd_nn.nn.losses", fromlist=["mse"])))
    missing = set(F.__all__) - set(OPERATIONS) - composed_in_nn
    assert missing == {"flatten"}  # another name of ravel


def test_an_expression_of_ones_own_operation_stays_in_its_domain():
    @FEW
    @given(strategies.expressions("value", operations=[log_like, "mul"]))
    def holds(expression):
        values = all_values(expression)
        for step in expression.steps:
            if step.operation.name == "log_like_test":
                assert values[step.operands[0]] > 2 + MARGIN
        assert "F.mul" in expression.code() or "table['log_like_test']" in expression.code()

    holds()


def test_arrays_may_be_of_single_precision():
    @FEW
    @given(strategies.expressions(operations=["add", "exp"], dtypes=[np.float32]))
    def holds(expression):
        assert all(x.dtype == np.float32 for x in expression.inputs)
        assert expression().dtype == np.float32
        assert "dtype=np.float32" in repr(expression)
        leaves, _ = expression.record()
        assert all(leaf.dtype == np.float32 for leaf in leaves)

    holds()


def test_sizes_are_kept_and_reached():
    sizes, inputs = set(), set()

    @settings(max_examples=80)
    @given(strategies.expressions("value", max_size=5, max_inputs=2))
    def draw(expression):
        sizes.add(len(expression.steps))
        inputs.add(len(expression.inputs))

    draw()
    assert sizes == {1, 2, 3, 4, 5}
    assert inputs == {1, 2}


@KINDS
def test_a_failure_shrinks_to_add_x_x(kind):
    def uses_a_value_twice(expression):
        return any(len(set(step.operands)) < len(step.operands) for step in expression.steps)

    found = find(strategies.expressions(kind), uses_a_value_twice, settings=QUIET)
    assert repr(found) == (
        f"Expression(lambda x: F.add(x, x), {'1.0' if kind == 'value' else 'np.array(1.0)'})"
    )


@pytest.mark.parametrize("name", ["matmul", "getitem"])
def test_a_failure_of_one_operation_shrinks_to_it(name):
    def has_it(expression):
        return any(step.operation.name == name for step in expression.steps)

    operations = ["add", "mul", "exp", "matmul", "sum", "getitem", "stack", "tanh"]
    found = find(strategies.expressions(operations=operations), has_it, settings=QUIET)
    assert found.steps[-1].operation.name == name
    assert len(found.steps) <= 2
    assert np.all(found.inputs[0] == 1.0)


def test_expressions_refuse_what_they_cannot_draw():
    with pytest.raises(ValueError, match="no operation 'nosuch'"):
        strategies.expressions(operations=["nosuch"])
    with pytest.raises(ValueError, match="use kind='tensor'"):
        strategies.expressions("value", operations=["matmul"])
    with pytest.raises(ValueError, match="no operation to draw"):
        strategies.expressions(operations=[])
    with pytest.raises(ValueError, match="kind must be"):
        strategies.expressions("scalar")


def test_an_expression_of_a_function_has_no_steps():
    expression = Expression(lambda x: x * x, 3.0)
    assert expression() == 9.0
    with pytest.raises(TypeError, match="its steps are unknown"):
        _ = expression.steps
    doubled = Program(1, (Step(OPERATIONS["add"], (0, 0), {}),))
    with pytest.raises(TypeError, match="takes 1 inputs, got 2"):
        doubled(1.0, 2.0)
    assert Program(2, ())(1.0, 2.0) == 2.0
    assert repr(Program(2, ())) == "lambda x, y: y"


def test_a_step_may_be_left_out():
    add, exp = OPERATIONS["add"], OPERATIONS["exp"]
    steps = (Step(exp, (0,), {}), Step(add, (1, 2), {}), Step(exp, (3,), {}))
    program = Program(2, steps)
    assert repr(program) == "lambda x, y: (a := F.exp(x), b := F.add(y, a), F.exp(b))[-1]"
    assert repr(program.without(0)) == "lambda x, y: (a := F.add(y, x), F.exp(a))[-1]"
    assert repr(program.without(1)) == "lambda x, y: (a := F.exp(x), F.exp(y))[-1]"
    assert repr(program.without(2)) == "lambda x, y: (a := F.exp(x), F.add(y, a))[-1]"
    assert program.live() == [True] * 5
    assert program.without(1).live() == [False, True, False, True]


# -------------------------------------------------------------- values, tensors and cotangents


@given(strategies.values(-1.0, 2.0))
def test_values_are_within_bounds_and_off_zero(x):
    assert isinstance(x, Value)
    assert x.op is None
    assert -1.0 <= x.data <= 2.0
    assert abs(x.data) >= MARGIN


@KINDS
def test_tails_and_kinks_are_drawn_on_request(kind):
    def drawn(**options):
        return getattr(strategies, f"{kind}s")(**options)

    found = find(drawn(tails=True), lambda x: np.any(np.abs(x.data) > 355), settings=QUIET)
    assert np.max(np.abs(found.data)) in (360.0, 800.0)
    assert np.any(find(drawn(kinks=True), lambda x: np.any(x.data == 0), settings=QUIET).data == 0)


@given(st.data())
def test_tensors_are_as_asked(data):
    shape = data.draw(strategies.shapes(max_ndim=2))
    assert len(shape) <= 2
    x = data.draw(strategies.tensors(shape, dtype=st.sampled_from([np.float32, np.float64])))
    assert isinstance(x, Tensor)
    assert x.shape == shape
    assert x.dtype in (np.float32, np.float64)
    assert data.draw(strategies.tensors(strategies.shapes(0))).shape == ()


def test_bounds_must_be_in_order():
    with pytest.raises(ValueError, match="min_value must be less than max_value"):
        strategies.values(2.0, 1.0)


LIKE = [1.0, Value(2.0), np.zeros(()), np.zeros(1), np.zeros((2, 3)), Tensor([1.0, 2.0]), 3]


@pytest.mark.parametrize("like", LIKE, ids=str)
def test_cotangents_are_never_constant(like):
    seen = []

    @given(strategies.cotangents(like))
    def draw(g):
        seen.append(g)
        assert np.shape(g) == np.shape(getattr(like, "data", like))
        assert isinstance(g, float) == isinstance(like, (float, int, Value))
        assert not np.all(g == 1.0)
        assert np.any(g != 0.0)
        assert np.size(g) == 1 or np.ptp(g) > 0

    draw()
    numbers = np.concatenate([np.ravel(g) for g in seen])
    assert np.any(np.frexp(np.abs(numbers[numbers != 0]))[0] == 0.5)  # powers of two
    if np.size(seen[0]) > 1:
        assert np.any(numbers == 0)


def test_cotangents_have_the_dtype():
    @FEW
    @given(strategies.cotangents(np.zeros(3, np.float32)))
    def holds(g):
        assert g.dtype == np.float32

    holds()


# ------------------------------------------------------------------------------------- networks


def stacked(model):
    """Return the parameters of an MLP as the articles have them."""
    parameters = {}
    for k, layer in enumerate(model.layers, start=1):
        parameters[f"W{k}"] = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        parameters[f"b{k}"] = np.array([[neuron.b.data] for neuron in layer.neurons])
    return parameters


def gradients(model):
    found = {}
    for k, layer in enumerate(model.layers, start=1):
        found[f"dW{k}"] = np.array([[w.grad for w in neuron.w] for neuron in layer.neurons])
        found[f"db{k}"] = np.array([[neuron.b.grad] for neuron in layer.neurons])
    for parameter in model.parameters():
        parameter.zero_grad()
    return found


@FEW
@given(strategies.mlps(), st.data())
def test_value_tensor_and_equations_agree_on_networks(model, data):
    assert isinstance(model, MLP)
    sizes = [model.layers[0].neurons[0].nin, *(len(layer.neurons) for layer in model.layers)]
    names = [layer.neurons[0].activation for layer in model.layers]
    elements = st.lists(st.floats(0.1, 2.0), min_size=4 * sizes[0], max_size=4 * sizes[0])
    X = np.array(data.draw(elements)).reshape(4, sizes[0])
    V = data.draw(strategies.cotangents(np.zeros((4, sizes[-1]))))  # of the outputs, by example

    model(X).backward(V)
    by_tensor = gradients(model)
    total = 0.0
    for x, v in zip(X.tolist(), V.tolist(), strict=True):
        outputs = model(x)
        for output, g in zip(outputs if isinstance(outputs, list) else [outputs], v, strict=True):
            total = total + output * g
    total.backward()
    by_value = gradients(model)

    # ½ (A − Y)² / m has the gradient V of A for Y = A − m V
    parameters = stacked(model)
    cache = equations.forward(parameters, X.T, names)
    Y = cache[f"A{len(names)}"] - 4 * V.T
    derived = equations.backward(parameters, cache, Y, names, "half_mse")
    for name, expected in by_tensor.items():
        scale = 1e-9 * (1.0 + np.max(np.abs(expected)))
        np.testing.assert_allclose(by_value[name], expected, rtol=0, atol=scale)
        np.testing.assert_allclose(derived[name], expected, rtol=0, atol=scale)


def test_a_network_prints_the_call_that_makes_it():
    @QUIET
    @given(strategies.mlps())
    def fails(model):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError) as caught:
        fails()
    printed = "".join(caught.value.__notes__).replace("\n", "").replace(" ", "")
    assert "MLP(nin=1,nouts=[1],activation=[],output_activation='relu',seed=0" in printed


# ----------------------------------------------------------------------- Hypothesis, if installed


def test_importing_needs_no_hypothesis():
    code = (
        "import sys, micrograd_nn, micrograd_nn.testing\n"
        "import micrograd_nn.testing.strategies, micrograd_nn.testing.profiles\n"
        "assert 'hypothesis' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_extra_is_named_where_hypothesis_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    for draw in (strategies.values, strategies.tensors, strategies.expressions, strategies.mlps):
        with pytest.raises(ImportError, match=r'pip install "micrograd-nn\[test\]"'):
            draw()
    with pytest.raises(ImportError, match=r'pip install "micrograd-nn\[test\]"'):
        strategies.cotangents(1.0)


def test_profiles_are_registered():
    profiles.register()
    quick, nightly = map(hypothesis.settings.get_profile, ("quick", "nightly"))
    assert quick.derandomize
    assert nightly.max_examples == 5000
    assert not nightly.derandomize
    assert quick.deadline is nightly.deadline is None
