"""The passes as events: the chain rule that the engine applies, told step by step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import MLP, Neuron, StaleGraphError, Tensor, Value
from micrograd_nn.graph.node import UNREACHED, GraphError
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.passes import (
    Contribution,
    Forward,
    Seed,
    local_derivatives,
    passes,
)


def contributions(root, seed=None):
    return [event for event in passes(root, seed) if isinstance(event, Contribution)]


def accumulated(root, seed=None):
    found = {event.node: event.value for event in passes(root, seed) if isinstance(event, Seed)}
    found.update({event.input: event.accumulated for event in contributions(root, seed)})
    return found


def agrees_with_the_engine(root, seed=None):
    """The gradients told agree with the engine's, and what isn't told of is zero there."""
    told = accumulated(root, seed)
    order = toposort(root)
    for node in order:
        node._grad = UNREACHED
    root.backward(seed)
    for node in order:
        if not node.requires_grad:
            assert node not in told
            continue
        expected = node.grad
        np.testing.assert_allclose(told.get(node, 0.0), expected, rtol=1e-12, atol=1e-300)
        if node in told and isinstance(node, Tensor):
            assert told[node].shape == node.shape
            assert told[node].dtype == node.dtype
        elif node in told:
            assert type(told[node]) is float


def test_the_order_of_events():
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    L = (a * b + c).tanh()
    events = list(passes(L))
    kinds = [type(event) for event in events]
    assert kinds == [Forward] * 3 + [Seed] + [Contribution] * 5
    assert [e.value for e in events[:2]] == [-6.0, 4.0]
    assert events[0].arguments == (2.0, -3.0)
    assert events[3].value == 1.0
    last = events[-1]
    assert (last.input, last.argument, last.local) == (b, 1, 2.0)
    assert last.value == last.upstream * last.local == last.accumulated


def test_a_value_used_twice_receives_two_contributions():
    a = Value(3.0)
    first, second = contributions(a + a)
    assert (first.argument, second.argument) == (0, 1)
    assert (first.accumulated, second.accumulated) == (1.0, 2.0)
    agrees_with_the_engine(a * a + a)


def test_constants_receive_nothing():
    x = Value(3.0)
    y = x * 2 + 1
    assert {event.input for event in contributions(y)} == {x, y.inputs[0]}
    agrees_with_the_engine(y)
    data = Tensor([1.0, 2.0], requires_grad=False)
    W = Tensor([1.0, -1.0])
    assert [event.input for event in contributions(F.sum(W * data))][-1] is W
    agrees_with_the_engine(F.sum(W * data))


def test_a_constant_root_has_no_backward_pass():
    data = Tensor([1.0], requires_grad=False)
    assert [type(event) for event in passes(data * 2)] == [Forward]
    assert [type(event) for event in passes(Value(1.0))] == [Seed]


def test_no_gradient_is_written():
    x = Value(3.0)
    x.grad = 7.0
    y = x.exp() * x
    list(passes(y))
    assert x.grad == 7.0
    assert all(n._grad is UNREACHED for n in toposort(y) if n is not x)


def test_a_cotangent_of_zero_contributes_zero():
    x = Value(0.0)
    y = F.where(x > 0, x.log(), 0.0)
    told = contributions(y)
    assert told[-1].input is x
    assert told[-1].local == np.inf
    assert told[-1].value == 0.0
    agrees_with_the_engine(y)
    t = Tensor([0.0, 1.0])
    with np.errstate(divide="ignore"):
        logarithm = F.log(t)
    agrees_with_the_engine(F.sum(F.where(np.array([False, True]), logarithm, 0.0)))
    m = Tensor([[0.0, 1.0], [np.inf, 2.0]])
    agrees_with_the_engine(F.where(np.array([False, True]), F.norm(m, axis=1), 0.0).sum())


def test_seeds():
    x = Tensor([[1.0, 2.0]])
    y = x * x
    with pytest.raises(GraphError, match="seed"):
        next(passes(y))
    agrees_with_the_engine(y, seed=np.array([[3.0, -1.0]]))
    agrees_with_the_engine(Value(2.0) ** 2, seed=5.0)


def test_units_and_their_hidden_layers():
    model = MLP(3, [4, 3, 1], activation="tanh", seed=1)
    agrees_with_the_engine((model([1.0, -2.0, 0.5]) - 1) ** 2)
    total = sum((model([Value(v), 0.3, v]) for v in (0.1, -0.7)), Value(0.0))
    agrees_with_the_engine(total)
    relu = MLP(2, [5, 1], seed=3)
    agrees_with_the_engine(relu([1.0, 2.0]))


def test_local_derivatives_of_a_unit():
    neuron = Neuron(2, activation="tanh", seed=0)
    out = neuron([Value(0.5), Value(-1.0)])
    slope = 1 - out.data**2
    expected = [slope * w.data for w in neuron.w] + [slope * 0.5, -slope, slope]
    assert local_derivatives(out) == pytest.approx(expected)


def test_local_derivatives_of_tensors():
    x, W = Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0], [5.0, 6.0]])
    assert local_derivatives(x @ W) == (None, None)
    (local,) = local_derivatives(F.tanh(x))
    np.testing.assert_allclose(local, 1 - np.tanh([[1.0, 2.0]]) ** 2)
    (local,) = local_derivatives(F.mean(W))
    np.testing.assert_array_equal(local, np.full((2, 2), 0.25))


def test_broadcasting_is_undone():
    X = Tensor(np.arange(6.0).reshape(3, 2))
    b, s = Tensor([1.0, -1.0]), Value(0.5)
    loss = F.mean(F.tanh(X * s + b) / Tensor([[2.0], [3.0], [4.0]]))
    agrees_with_the_engine(loss)
    assert {e.value.shape for e in contributions(loss) if e.input is b} == {(2,)}
    assert [type(e.value) for e in contributions(loss) if e.input is s] == [float]


def test_tensors_of_single_precision_and_sequences_of_them():
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
    y = F.concatenate([x, x * 2, F.stack([x.sum(), x.mean()]).reshape((1, 2))], axis=0)
    agrees_with_the_engine(F.mean(F.softmax(y, axis=1) * y))
    logits = F.linear(x, Tensor(np.ones((3, 2), np.float32)), Tensor(np.zeros(3, np.float32)))
    agrees_with_the_engine(F.cross_entropy(logits, np.array([0, 2])))


def test_overwritten_data_are_caught_or_harmless():
    a, b = Value(2.0), Value(3.0)
    y = a * b
    z = y * y
    a.data = 100.0
    agrees_with_the_engine(z)
    assert contributions(z)[-1].value == 2.0 * 6.0 * 2.0
    y.data = 5.0
    with pytest.raises(StaleGraphError):
        list(passes(z))


def test_long_chains():
    x = y = Value(1.0)
    for _ in range(5_000):
        y = y + 0.0
    assert accumulated(y)[x] == 1.0


UNARY = [F.tanh, F.sigmoid, F.relu, F.exp, F.sin, lambda x: x * 0.5, lambda x: 1 - x, F.softplus]
BINARY = [F.add, F.sub, F.mul, F.maximum, lambda x, y: x / (y * y + 1), lambda x, y: F.where(
    True, x, y)]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(1, 6), st.integers(1, 6)
        ),
        min_size=1,
        max_size=15,
    ),
    st.lists(st.sampled_from([-1.5, -0.25, 0.0, 0.5, 2.0]), min_size=2, max_size=2),
    st.booleans(),
)
def test_random_graphs(program, xs, on_tensors):
    kind = (lambda x: Tensor([x, -x, 0.5])) if on_tensors else Value
    nodes = [kind(x) for x in xs]
    for op, i, j in program:
        x, y = nodes[-min(i, len(nodes))], nodes[-min(j, len(nodes))]
        nodes.append(F.tanh(UNARY[op](x) if op < len(UNARY) else BINARY[op - len(UNARY)](x, y)))
    agrees_with_the_engine(nodes[-1].sum() if on_tensors else nodes[-1])
