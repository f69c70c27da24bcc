"""The passes as a table."""

import numpy as np
import pytest

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import MLP, Tensor, Value, trace
from micrograd_nn.graph.node import UNREACHED, GraphError
from micrograd_nn.readers.passes import Contribution, Forward, Seed


def lines(root, width=100, **options):
    return trace(root).table(width, **options).splitlines()


def test_one_line_for_each_event_with_the_numbers_of_the_chain_rule():
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    table = trace(a * b + a)
    kinds = [type(event) for event in table.events]
    assert kinds == [Forward] * 2 + [Seed] + [Contribution] * 4
    shown = table.table(100).splitlines()
    assert len(shown) == len(kinds) + 3  # two heads, and an empty line between
    assert " ".join(shown[1].split()) == "1 v1 = a × b 2 × (−3) −6"
    assert " ".join(shown[-1].split()) == "7 ∂L/∂b += ∂L/∂v1 · ∂v1/∂b 1 · 2 = 2 2"
    assert "∂L/∂a += ∂L/∂v1 · ∂v1/∂a" in shown[-2]
    assert shown[-2].split()[-1] == "−2"  # 1 along the sum, −3 along the product


def test_the_top_level_name_prints_itself(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    table = mg.trace(Value(2.0, name="x") ** 2)
    assert str(table) == repr(table) == table.table(90)
    assert "L = x²" in str(table)
    assert "∂L/∂x" in str(table)


def test_columns_line_up(scalar_network):
    for width in (120, 80, 60):
        shown = lines(scalar_network, width)
        assert max(map(len, shown)) <= width
        forward, backward = shown[: shown.index("")], shown[shown.index("") + 1 :]
        numbers, local = forward[0].index("in numbers"), backward[0].index("upstream")
        assert numbers == local
        assert all(line[numbers - 2 : numbers] == "  " for line in forward if "⋮" not in line)
        assert len({len(line) for line in shown if line and "⋮" not in line}) == 1


def test_narrow_terminals_get_every_number_still():
    model = MLP(2, [2, 1], activation="tanh", seed=1)
    root = model([1.0, -2.0]) ** 2
    shown = lines(root, 66)
    assert max(map(len, shown)) <= 66
    assert any("∂L/∂b[0.1] from a[0.1]" in line for line in shown)
    total = [line.split()[-1] for line in shown if "∂L/∂a[1.0]" in line]
    assert total == [f"{2 * root.inputs[0].data:.4g}".replace("-", "−")]


def test_long_graphs_are_shortened_in_the_middle():
    y = x = Value(1.0, name="x")
    for _ in range(1000):
        y = y + x
    shown = lines(y)
    assert len(shown) < 100
    assert any("⋮ 960 more, steps 21 … 980" in line for line in shown)
    assert any("⋮ 1,961 more, steps 1,021 … 2,981" in line for line in shown)
    assert shown[-1].split()[-1] == "1001"
    assert len(lines(y, most=4)) == 3 + 2 * 5


def test_tensors_show_shapes_and_the_textbook_form(tensor_network):
    shown = "\n".join(lines(tensor_network))
    assert "V1 = X W1ᵀ + b1" in shown
    assert "(10×2), (6×2), (6) → 10×6" in shown
    assert "∂loss/∂W1 += (∂loss/∂V1)ᵀ X" in shown
    assert "∂loss/∂b1 += Σ ∂loss/∂V1" in shown


def test_seeds_and_leaves_and_constants():
    x = Tensor([1.0, 2.0], name="x")
    with pytest.raises(GraphError, match="seed"):
        trace(x * 2)
    assert "∂L/∂x" in str(trace(x * 2, seed=np.array([1.0, 3.0])))
    assert "the seed" in str(trace(Value(1.0)))
    constant = Tensor([1.0], requires_grad=False)
    assert "no events" in str(trace(constant))
    assert "backward" not in str(trace(constant * 2))
    with pytest.raises(TypeError, match="got float"):
        trace(1.0)


def test_nothing_is_written():
    x = Value(2.0, name="x")
    y = x.exp()
    str(trace(y))
    assert x._grad is UNREACHED
    assert y._grad is UNREACHED


def test_names_are_told_apart():
    x, other = Value(2.0, name="x"), Value(3.0, name="x")
    table = trace(F.tanh(x * other).named("v1") * 2)
    assert len(set(table.labels.values())) == len(table.labels)
    assert "v2 = x × x·2" in str(table)
    assert "L = v1 × 2" in str(table)


def test_every_operation_has_a_line():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    y = F.concatenate([x[:, 1:], x.reshape((2, 2)), F.softmax(x, axis=1)], axis=1)
    z = F.stack([F.max(y), Value(2.0) ** Value(0.5), F.clip(Value(2.0), 0.0, 1.0), Value(1.0)])
    shown = str(trace(F.sum(z[np.array([0, 1])])))
    assert "x[:, 1:None]" in shown or "x[:, 1:]" in shown
    assert "concatenate(" in shown
    assert "{" not in shown
