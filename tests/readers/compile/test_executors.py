"""Three ways of running an irregular scalar graph; each gives the numbers of the engine."""

import importlib.util
import math
import pickle

import numpy as np
import pytest
from graphs import ROWS, is_close, random_function, recorded, same_bits, summed, tape_from
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import MLP, Value, primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.compile import blocks
from micrograd_nn.readers.compile.adjoint import Refused
from micrograd_nn.readers.compile.blocks import Blocks
from micrograd_nn.readers.compile.interpreter import Interpreter
from micrograd_nn.readers.compile.machine import OPCODES
from micrograd_nn.readers.compile.straight import Straight
from micrograd_nn.readers.compile.tape import tape_of
from micrograd_nn.testing import strategies

EXECUTORS = [
    Straight,
    Blocks,
    pytest.param(
        Interpreter,
        marks=pytest.mark.skipif(
            importlib.util.find_spec("numba") is None, reason="numba isn't installed"
        ),
    ),
]
#: The rows for which the interpreter has an instruction.
KNOWN = [row for row in ROWS if row.name in OPCODES]
each = pytest.mark.parametrize("executor", EXECUTORS)


def agrees(executor, function, X, theta, rtol=1e-9, signed=True):
    """The executor gives the numbers of ``backward()`` on each example, and their sum.

    ``signed`` tells whether infinities must have the same sign.
    """
    X = np.asarray(X, float)
    values, of_leaves, of_inputs = recorded(function, X, theta)
    tape, places = tape_from(function, X, theta)
    try:
        run = executor(tape)
    except Refused:
        assert executor is Interpreter
        return
    found = run(X, np.asarray(theta, float)[places])
    expected = values, summed(of_leaves)[places], of_inputs
    if executor is Straight:
        assert all(map(same_bits, found, expected))
    else:
        for one, other in zip(found, expected, strict=True):
            if not signed:
                one, other = (np.where(np.isinf(n), math.inf, n) for n in (one, other))
            assert is_close(one, other, rtol), (one, other)


@each
@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_agree_with_the_engine(executor, seed):
    numbers = np.random.default_rng(seed)
    X, theta = numbers.normal(size=(3, 5)), numbers.normal(size=4)
    rows = KNOWN if executor is Interpreter else ROWS
    agrees(executor, random_function(seed, (5, 40, 150)[seed % 3], rows), X, theta)


@each
@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_agree_at_kinks_and_zeros(executor, seed):
    numbers = np.random.default_rng(seed)
    simple = [-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0]
    X, theta = numbers.choice(simple, (3, 7)), numbers.choice(simple, 4)
    rows = KNOWN if executor is Interpreter else ROWS
    # NumPy's maximum of two zeros and that of Python may differ in sign, and so may 1/0
    agrees(executor, random_function(seed, 30, rows), X, theta, signed=False)


@each
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.filterwarnings("ignore")
def test_each_row_of_the_table_agrees(executor, row):
    def function(x, w):
        args = [x[0], x[1], w[0]][: row.arity]
        if row.name == "power_derivative":
            args[1:] = [w[0], 1.0]
        return row(*args) * w[1]

    simple = [0.0, 1.0, -1.0, 0.5, -2.5, 30.0, math.inf, -math.inf, math.nan]
    X = np.array([(a, b) for a in simple for b in simple]).T
    for c in (0.5, 0.0, 2.0):
        agrees(executor, function, X, [c, 1.7])


@given(strategies.expressions(kind="value"), st.integers(1, 3))
def test_any_expression_agrees(expression, copies):
    leaves, root = expression.record()
    root.backward()
    for executor in (Straight, Blocks):
        tape = tape_of(root, leaves[:1])
        X = [[leaf.data] * copies for leaf in tape.inputs]
        values, of_leaves, of_inputs = executor(tape)(X, [leaf.data for leaf in tape.leaves])
        expected = [leaf.grad for leaf in tape.leaves]
        if executor is Straight and copies == 1:
            assert same_bits(values, [root.data])
            assert same_bits(of_leaves, expected)
        assert is_close(values, root.data, 1e-8)
        assert is_close(of_leaves, np.array(expected) * copies, 1e-8)
        assert is_close(of_inputs, [[leaf.grad] * copies for leaf in tape.inputs], 1e-8)


@each
def test_a_cotangent_of_zero_contributes_zero_whatever_the_local_derivative(executor):
    def function(x, w):
        return F.where(0.0, F.log(x[0] * w[0]) / x[0], w[1] * x[1]) + 0.0 * F.sqrt(x[0]) * w[0]

    agrees(executor, function, [[0.0, 1.0, 0.0], [2.0, 3.0, 4.0]], [1.5, -0.5])


@each
def test_infinite_and_nan_numbers_are_those_of_the_engine(executor):
    def function(x, w):
        return F.exp(x[0] * w[0]) - w[1] / x[1] + F.relu(x[0]) * x[1]

    X = [[1000.0, 0.0, math.inf, math.nan, -math.inf], [0.0, -0.0, 1.0, 2.0, math.inf]]
    for i in range(5):
        agrees(executor, function, [row[i : i + 1] for row in X], [1.0, 2.0])
    agrees(executor, function, X, [1.0, 2.0])


@each
@pytest.mark.parametrize("m", [0, 1, 2, 63, 64, 65, 130])
def test_any_number_of_examples(executor, m, monkeypatch):
    monkeypatch.setattr(blocks, "_WIDEST", 50)
    function = random_function(3, operations=20, rows=KNOWN)
    X = np.random.default_rng(m).normal(size=(3, m))
    theta = [0.5, -1.0, 2.0, 0.25]
    tape, places = tape_from(function, np.ones((3, 1)), theta)
    run = executor(tape)
    values, of_leaves, of_inputs = run(X, np.array(theta)[places])
    assert values.shape == (m,)
    assert of_inputs.shape == (3, m)
    if m:
        expected = recorded(function, X, theta)
        assert is_close(values, expected[0])
        assert is_close(of_leaves, expected[1].sum(0)[places])
        assert is_close(of_inputs, expected[2])
    else:
        assert not of_leaves.any()


@each
def test_roots_that_are_inputs_or_leaves_or_depend_on_no_input(executor):
    theta = [0.5, 3.0]
    X = [[1.0, 2.0, -4.0]]
    for function in (
        lambda x, w: x[0],
        lambda x, w: w[0],
        lambda x, w: F.exp(w[0]) * w[1],
        lambda x, w: w[0] * w[0] + F.relu(w[1]),
    ):
        agrees(executor, function, X, theta, 1e-12)


@each
def test_inputs_that_are_not_used_have_the_gradient_zero(executor):
    agrees(executor, lambda x, w: x[2] * w[0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0.5])


@each
def test_a_leaf_that_is_read_a_hundred_times(executor):
    def function(x, w):
        total = x[0]
        for i in range(100):
            total = total * w[0] + (w[0] if i % 3 else x[1] * w[0])
        return total

    agrees(executor, function, [[0.3, -0.4], [1.5, 0.1]], [0.9])


@each
def test_what_does_not_depend_on_inputs_is_differentiated_once(executor):
    def function(x, w):
        penalty = w[0] * w[0] + F.exp(w[1] * w[0])
        return (x[0] * F.tanh(w[0]) - w[1]) * penalty + penalty

    agrees(executor, function, [[0.3, -0.4, 2.0]], [0.9, -0.7])


@each
def test_the_gradient_of_the_inputs_may_be_left_out(executor):
    function = random_function(5, operations=40, rows=[table[n] for n in ("add", "mul", "tanh")])
    X, theta = np.random.default_rng(0).normal(size=(3, 4)), [0.5, -1.0, 2.0, 0.25]
    tape, places = tape_from(function, X, theta)
    full = executor(tape)(X, np.array(theta)[places])
    part = executor(tape, wrt_inputs=False)(X, np.array(theta)[places])
    assert np.array_equal(full[0], part[0])
    assert is_close(full[1], part[1], 1e-13)
    assert full[2].any()
    assert not part[2].any()


@each
def test_executors_pickle_and_can_be_called_again(executor):
    function = random_function(7, operations=10, rows=[table[n] for n in ("add", "mul", "neg")])
    X, theta = np.random.default_rng(0).normal(size=(3, 4)), np.array([0.5, -1.0, 2.0, 0.25])
    tape, places = tape_from(function, X, theta)
    run = executor(tape)
    first = run(X, theta[places])
    run(2.0 * X[:, :2], theta[places])
    for again in (run(X, theta[places]), pickle.loads(pickle.dumps(run))(X, theta[places])):  # noqa: S301
        assert all(map(same_bits, again, first))


@each
def test_wrong_shapes_are_refused(executor):
    x, w = Value(1.0), Value(2.0)
    run = executor(tape_of(x * w, [x]))
    for X, theta in (([1.0], [1.0]), ([[1.0], [2.0]], [1.0]), ([[1.0]], [1.0, 2.0])):
        with pytest.raises(ValueError, match=r"takes inputs of shape|has 1 leaves"):
            run(X, theta)


@each
def test_a_network_of_neurons_agrees_within_rounding(executor):
    model = MLP(2, [5, 3, 1], activation="tanh", seed=0)
    x = [Value(0.3), Value(-0.7)]
    root = (model(x) - 1.0) ** 2
    root.backward()
    tape = tape_of(root, x)
    values, of_leaves, of_inputs = executor(tape)([[0.3], [-0.7]], [p.data for p in tape.leaves])
    assert is_close(values, [root.data], 1e-13)
    assert is_close(of_leaves, [p.grad for p in tape.leaves], 1e-12)
    assert is_close(of_inputs[:, 0], [v.grad for v in x], 1e-12)


def _own_rule(g, z, x):
    return g * (3.0 if x > 1.0 else 1.0)


def test_an_own_operation_whose_rule_branches_on_data_is_called_whole():
    own = primitive("executors_branch", lambda x: np.where(x > 1.0, 3.0 * x, x), _own_rule)
    agrees(Straight, lambda x, w: own(x[0]) * w[0], [[0.5, 2.0]], [1.5])
    tape, _ = tape_from(lambda x, w: own(x[0]) * w[0], [[0.5, 2.0]], [1.5])
    with pytest.raises(Refused, match="the rule 0 of executors_branch"):
        Blocks(tape)


def test_an_own_operation_in_numpy_runs_on_blocks():
    own = primitive("executors_cube", lambda x: x * x * x, lambda g, z, x: g * np.square(x) * 3.0)
    for executor in (Straight, Blocks):
        agrees(executor, lambda x, w: own(x[0] * w[0]), [[0.5, 2.0, 0.0]], [1.5])


def test_an_operation_that_mixes_examples_is_refused_by_all_but_straight():
    own = primitive(
        "executors_mix",
        lambda x: x - np.mean(x),
        lambda g, z, x: g * 0.0,
        on_floats=lambda x: 0.0 * x,
        elementwise=False,
    )
    tape, _ = tape_from(lambda x, w: own(x[0]) * w[0], [[0.5]], [1.5])
    with pytest.raises(Refused, match="executors_mix isn't elementwise"):
        Blocks(tape)
    Straight(tape)


def test_memory_does_not_grow_with_the_number_of_examples():
    function = random_function(1, operations=400, rows=[table[n] for n in ("sub", "mul", "tanh")])
    tape, places = tape_from(function, np.ones((3, 1)), np.ones(4))
    run = Blocks(tape)
    run(np.ones((3, 200_000)), np.ones(4)[places])
    (bound,) = run._bound.values()
    assert bound.arena.base.nbytes < 2**24
    assert bound.width <= blocks._WIDEST


def test_a_large_graph_gets_narrow_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "_BYTES", 2**20)
    function = random_function(2, operations=2000, rows=[table[n] for n in ("sub", "mul", "tanh")])
    tape, places = tape_from(function, np.ones((3, 1)), np.ones(4))
    run = Blocks(tape)
    run(np.ones((3, 5000)), np.ones(4)[places])
    (bound,) = run._bound.values()
    assert bound.arena.base.nbytes < 2**20 * 1.3
