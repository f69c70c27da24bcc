"""The straight-line source: readable, with the names of the nodes, and safe."""

import pytest
from graphs import same_bits

import micrograd_nn.functional as F
from micrograd_nn import Value
from micrograd_nn.readers.compile.straight import Straight
from micrograd_nn.readers.compile.tape import tape_of


def test_names_of_nodes_are_names_in_the_source():
    x, w = Value(2.0, name="x"), Value(3.0, name="W1[0, 1]")
    h = (x * w).named("h")
    source = Straight(tape_of(F.relu(h).named("a"), [x])).source
    assert "    h = x * W1_0_1\n    a = relu(h)\n" in source
    assert "dW1_0_1 += dh * x" in source


@pytest.mark.parametrize(
    "name", ["sigmoid", "tanh", "inputs", "float", "None", "2 x", "", "α", "t0", "da", "\n", "x"]
)
def test_no_name_can_break_the_program(name):
    x, w, a = Value(0.5, name=name), Value(0.7, name=name), Value(0.2, name="a")
    root = F.tanh(x * w + a).named(name) * F.sigmoid(a - w).named("dx")
    root.backward()
    values, of_leaves, of_inputs = Straight(tape_of(root, [x]))([[0.5]], [0.7, 0.2])
    assert same_bits(values, [root.data])
    assert same_bits(of_leaves, [w.grad, a.grad])
    assert same_bits(of_inputs, [[x.grad]])


def test_a_name_that_is_code_is_only_a_name():
    x = Value(1.0, name="x); import os; os.abort(")
    source = Straight(tape_of(x * x, [x])).source
    assert "x_import_os_os_abort * x_import_os_os_abort" in source


def test_constants_that_are_no_literals():
    for constant in (float("inf"), float("nan"), -float("inf"), -0.5, 1e-300):
        x = Value(2.0)
        root = x * constant + constant
        root.backward()
        values, _, of_inputs = Straight(tape_of(root, [x]))([[2.0]], [])
        assert same_bits(values, [root.data])
        assert same_bits(of_inputs, [[x.grad]])


def test_a_long_chain_compiles():
    x = Value(1.0)
    root = x
    for _ in range(20_000):
        root = root * 0.9999 + x
    root.backward()
    values, _, of_inputs = Straight(tape_of(root, [x]))([[1.0]], [])
    assert same_bits(values, [root.data])
    assert same_bits(of_inputs, [[x.grad]])
