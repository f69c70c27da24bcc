"""Copies and pickles of graphs, however deep, share what was shared and nothing else."""

import copy
import os
import pickle

import numpy as np
import pytest
from oracles import normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value
from micrograd_nn.graph.order import toposort


def pickled(node, protocol=pickle.HIGHEST_PROTOCOL):
    return pickle.loads(pickle.dumps(node, protocol))  # noqa: S301


WAYS = pytest.mark.parametrize("way", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])


def leaves(node):
    return [n for n in toposort(node) if n.op is None]


@WAYS
@pytest.mark.parametrize(
    "leaf",
    [
        Value(2.5, name="v"),
        Tensor([1.0, 2.0], name="t"),
        Tensor(np.ones((2, 3), np.float32)),
        Tensor(2.0),
        Tensor([1.0], requires_grad=False),
        Tensor(np.zeros((0, 2))),
    ],
    ids=repr,
)
def test_leaves(leaf, way):
    other = way(leaf)
    assert type(other) is type(leaf)
    assert other is not leaf
    assert np.array_equal(other.data, leaf.data)
    assert (other.name, other.dtype, other.shape) == (leaf.name, leaf.dtype, leaf.shape)
    assert other.requires_grad == leaf.requires_grad
    (other * 2).sum().backward() if isinstance(other, Tensor) else (other * 2).backward()
    assert not np.any(leaf.grad)


@WAYS
def test_gradients_travel_and_are_apart(way):
    t, v = Tensor([1.0, 2.0]), Value(3.0)
    (t * t * v).sum().backward()
    a, b = way(t), way(v)
    assert np.array_equal(a.grad, t.grad)
    assert b.grad == v.grad
    a.grad[...] = 0.0
    a.data[...] = 0.0
    assert list(t.grad) == [6.0, 12.0]
    assert list(t.data) == [1.0, 2.0]
    (a * 2).sum().backward()
    assert list(a.grad) == [2.0, 2.0]


def build(kind):
    x, w = kind(0.5, name="x"), kind(1.5, name="w")
    h = F.tanh(x * w + 0.25).named("h")
    y = F.where(h > 0, h * w, -h) + F.clip(h, 0.0, 1.0) ** 2 - F.maximum(x, w)
    return x, w, (y / (F.exp(h) + 1)).named("y")


@WAYS
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_whole_graphs(kind, way):
    x, w, y = build(kind)
    z = way(y)
    for mine, theirs in zip(toposort(y), toposort(z), strict=True):
        assert len(mine.inputs) == len(theirs.inputs)
        assert mine is not theirs
        assert (mine.name, mine.op, mine.params) == (theirs.name, theirs.op, theirs.params)
        assert np.array_equal(mine.data, theirs.data)
    y.backward()
    assert not any(np.any(leaf.grad) for leaf in leaves(z))
    z.backward()
    found = {leaf.name: float(leaf.grad) for leaf in leaves(z) if leaf.name}
    assert found == {"x": float(x.grad), "w": float(w.grad)}
    z.backward(create_graph=True)


@WAYS
def test_graphs_of_every_kind_of_operation(way):
    x = Tensor(normal(2, 3), name="x")
    for f in (
        lambda x: x[[0, 0, 1]] @ x.T,
        lambda x: F.concatenate([x, x], axis=1).reshape(3, 4),
        lambda x: F.stack([x, x])[:, 0],
        lambda x: F.softmax(x, axis=0) + F.logsumexp(x, axis=1, keepdims=True),
        lambda x: F.linear(x, x, np.ones(2)),
        lambda x: F.var(x, axis=(0, 1), ddof=1, keepdims=True) + F.pad(x, 1)[1:3, 1:4],
        lambda x: x[x.data > 0],
        lambda x: F.layer_norm(x) * F.cumsum(x, axis=0),
        lambda x: F.broadcast_to(x, (2, 2, 3)).transpose(2, 0, 1),
    ):
        x.zero_grad()
        y = f(x)
        z = way(y)
        g = normal(*y.shape)
        y.backward(seed=g)
        z.backward(seed=g)
        (leaf,) = [n for n in leaves(z) if n.name == "x"]
        assert np.array_equal(leaf.grad, x.grad)


@WAYS
def test_what_is_shared_stays_shared(way):
    a = Value(2.0)
    y, z = a * 3, a * 5
    leaf, b, c = way((a, y, z))
    (b + c).backward()
    assert leaf.grad == 8.0
    assert a.grad == 0.0
    inner = a * a
    twice = way(inner + inner)
    assert twice.inputs[0] is twice.inputs[1]
    t = Tensor([1.0])
    parts = way([F.stack([t, t]), t])
    parts[0].sum().backward()
    assert list(parts[1].grad) == [2.0]


@WAYS
def test_a_model_made_of_nodes(way):
    class Model:
        def __init__(self):
            self.w = Value(2.0)
            self.W = Tensor([[1.0, 2.0]])
            self.all = [self.w, self.W]

    model = Model()
    other = way(model) if way is copy.deepcopy else None
    if other is not None:
        assert other.all[0] is other.w
        assert other.all[1] is other.W
        other.w.data = 7.0
        assert model.w.data == 2.0


@WAYS
def test_a_gradient_that_is_a_graph(way):
    for x in (Value(3.0), Tensor([3.0])):
        (x**3).backward(create_graph=True)
        other = way(x)
        assert float(np.asarray(getattr(other.grad, "data", other.grad)).item()) == 27.0


def test_shallow_copies():
    x = Value(3.0, name="x")
    y = x * x
    z = copy.copy(y)
    assert z is not y
    assert z.inputs == (x, x)
    z.backward()
    assert x.grad == 6.0
    a = copy.copy(x)
    a.name = "a"
    a.data = 5.0
    assert (x.name, x.data) == ("x", 3.0)
    t = Tensor([3.0])
    u = copy.copy(t)
    u.data = [5.0]
    (u * u).backward()
    assert list(t.data) == [3.0]
    assert list(t.grad) == [0.0]
    w = copy.copy(t * t)
    w.backward()
    assert list(t.grad) == [6.0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol(protocol):
    x, _, y = build(Value)
    z = pickled(y, protocol)
    z.backward()
    y.backward()
    assert {leaf.grad for leaf in leaves(z) if leaf.name == "x"} == {x.grad}


@WAYS
def test_after_a_transfer_gradients_accumulate_and_clear(way):
    x = Value(3.0)
    y = way(x * x)
    (leaf,) = leaves(y)
    for i in (1, 2, 3):
        y.backward()
        assert leaf.grad == 6.0 * i
    leaf.zero_grad()
    assert leaf.grad == 0.0
    y.backward(create_graph=True)
    assert float(leaf.grad) == 6.0


def chain(length, kind=Value):
    y = x = kind(1.0)
    for _ in range(length):
        y = y * x if length < 100 else y + x
    return x, y


@WAYS
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_chain_of_a_hundred_thousand(kind, way):
    length = 100_000 if kind is Value else 10_000
    x, y = chain(length, kind)
    z = way(y)
    z.backward()
    y.backward()
    assert float(x.grad) == length + 1
    (leaf,) = [n for n in toposort(z, constants=False) if n.op is None]
    assert float(leaf.grad) == length + 1


def test_a_chain_of_a_million_is_built_pulled_and_freed():
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad == 1_000_001.0
    del y
    assert x.data == 1.0


@pytest.mark.slow
@pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE") != "nightly",
    reason="takes more than 30 s: HYPOTHESIS_PROFILE=nightly runs it",
)
@WAYS
def test_a_chain_of_a_million(way):
    _, y = chain(1_000_000)
    z = way(y)
    z.backward()
    assert z.data == 1_000_001.0
    del z, y


def test_an_unknown_operation_in_a_pickle_is_named():
    from micrograd_nn.graph.primitive import primitive, table

    row = primitive("test_transfer_gone", lambda x: x * 2, lambda g, z, x: g * 2)
    data = pickle.dumps(row(Value(1.0)))
    del table["test_transfer_gone"]
    with pytest.raises(LookupError, match="test_transfer_gone"):
        pickle.loads(data)  # noqa: S301
