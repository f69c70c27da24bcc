"""Comparisons of nodes: a branch on data is refused by compile, a mask is compared anew."""

import copy
import pickle

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, compile
from micrograd_nn.graph.node import GraphError


def tensor(*numbers):
    return Tensor(np.array(numbers or (1.0, -2.0, 3.0)))


BRANCHES = {
    "if of an element's sum": lambda t: t * 2 if t.sum() > 0 else t,
    "if not": lambda t: t if not t.sum() > 0 else t * 2,
    "and": lambda t: t * 2 if t[0] > 0 and t[1] < 0 else t,
    "bool": lambda t: t * 2.0 * bool(t[0] > 0),
    "any": lambda t: t * 2 if (t > 0).any() else t,
    "all": lambda t: t * 2 if (t > -9).all() else t,
    "np.any": lambda t: t * 2 if np.any(t > 0) else t,
    "count": lambda t: t * float(np.count_nonzero(t > 0)),
    "sum of a mask, as a number": lambda t: t * float((t > 0).sum()),
    "int": lambda t: t * int(t[0] > 0),
    "float": lambda t: t * float(t[0] > 0),
    "asarray": lambda t: t * np.asarray(t > 0),
    "asarray of an and": lambda t: t * np.asarray((t > 0) & (t < 9)),
    "tolist": lambda t: t * np.array((t > 0).tolist()),
    "item": lambda t: t * (t[0] > 0).item(),
    "np.where of one argument": lambda t: t[np.where(t > 0)[0]],
    "nonzero": lambda t: t[(t > 0).nonzero()[0]],
    "iteration": lambda t: t * next(2.0 if yes else 1.0 for yes in (t > 0)),
    "an element of a mask": lambda t: t * 2 if (t > 0)[0] else t,
    "argmax of a mask": lambda t: t * float((t > 0).argmax()),
    "astype of a mask, then a branch": lambda t: t * 2 if (t > 0).astype(float)[0] else t,
    "a copy of a mask": lambda t: t * 2 if (t > 0).copy()[0] else t,
    "a reshaped mask": lambda t: t * 2 if (t > 0).reshape(3, 1)[0, 0] else t,
    "a mask's buffer": lambda t: t * np.frombuffer((t > 0).tobytes(), bool),
    "np.array of a mask": lambda t: t * np.array(t > 0),
    "a mask inverted": lambda t: t * np.asarray(~(t > 0)),
    "equality of masks": lambda t: t * 2 if np.array_equal(t > 0, t < 9) else t,
    "np.greater": lambda t: t * 2 if np.greater(t, 0).any() else t,
    "np.where on data of a mask": lambda t: t * np.where(np.asarray(t > 0), 2.0, 1.0),
    "sorted elements": lambda t: sorted([t[0], t[1], t[2]])[0] * t,
    "max of elements": lambda t: max(t[0], t[1]) * t,
    "a branch in a branch": lambda t: (t * 2 if t[1] > 0 else t * 3) if t[0] > 0 else t,
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branches_on_the_data_of_tensors_are_refused(name):
    t = tensor()
    root = BRANCHES[name](t).sum() * t.sum()
    with pytest.raises(GraphError, match=r"compared|where"):
        compile(root, inputs=[t])(t.data)


VALUE_BRANCHES = {
    "if": lambda x, y: x * y if x > 0 else x,
    "if after arithmetic": lambda x, y: y * (x * y) if (x * y) < 0 else x + y,
    "sorted": lambda x, y: sorted([x, y])[0] * x + y,
    "max": lambda x, y: max(x, y) * 2 + y * x,
    "min of a key": lambda x, y: min((x, y), key=lambda v: v > 0) * 3 + x * y,
    "abs by hand": lambda x, y: (x if x >= 0 else -x) * y,
    "while": lambda x, y: _halved(x) * y,
    "chain": lambda x, y: x * y if -9 < x < 9 else y,
    "mixed with a number on the left": lambda x, y: x * y if x > 0 else y,
}


def _halved(x):
    while x > 0.5:
        x = x / 2
    return x


@pytest.mark.parametrize("name", VALUE_BRANCHES)
def test_branches_on_values_are_refused(name):
    x, y = Value(2.0), Value(-1.0)
    root = VALUE_BRANCHES[name](x, y)
    with pytest.raises(GraphError, match=r"compared|where"):
        compile(root, inputs=[x, y], wrt=[x, y])(1.0, 1.0)


@pytest.mark.parametrize("wrap", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])  # noqa: S301
def test_branches_are_refused_in_copies_of_graphs(wrap):
    t = tensor()
    root = (t * 2 if t.sum() > 0 else t).sum()
    t, root = wrap((t, root))
    with pytest.raises(GraphError, match="compared"):
        compile(root, inputs=[t])(t.data)
    x = Value(2.0)
    y = x * x if x > 0 else x * 3
    x, y = wrap((x, y))
    with pytest.raises(GraphError, match="compared"):
        compile(y, inputs=[x], wrt=[x])(1.0)


MASKS = {
    "where": lambda t, u: F.where(t > 0, t * u, u),
    "where of two nodes": lambda t, u: F.where(t > u, t, u * 2),
    "where of a result": lambda t, u: F.where(t * u > 0.1, t, u * 2),
    "greater or equal": lambda t, u: F.where(t >= u, t, u * 2),
    "less": lambda t, u: F.where(t < u, t, u * 2),
    "less or equal": lambda t, u: F.where(t >= 0, t, u * 2),
    "and": lambda t, u: F.where((t > 0) & (u > 0), t, u * 2),
    "or": lambda t, u: F.where((t > 0) | (u > 0), t, u * 2),
    "xor": lambda t, u: F.where((t > 0) ^ (u > 0), t, u * 2),
    "not": lambda t, u: F.where(~(t > 0), t, u * 2),
    "logical functions": lambda t, u: F.where(
        np.logical_and(t > 0, np.logical_not(u > 0)), t, u * 2
    ),
    "a known mask and another": lambda t, u: F.where((t > 0) & np.array([True, True, False]), t, u),
    "np.where": lambda t, u: np.where(t > 0, t, u * 2),
    "np.greater": lambda t, u: F.where(np.greater(t, u), t, u * 2),
    "product with a mask": lambda t, u: t * (t > 0) + u * (t <= 0),
    "a mask used twice": lambda t, u: F.where(t > 0, t, u) + F.where(t > 0, u, t * 3),
    "one mask kept and used twice": lambda t, u: (lambda m: F.where(m, t, u) + t * m)(t > 0),
    "of a mean": lambda t, u: F.where(t > t.mean(), t, u),
    "masks of masks": lambda t, u: F.where(~((t > 0) & ~((u > 0) | (t > u))), t, u * 2),
}


@pytest.mark.parametrize("kind", ["plain", "deepcopy", "pickle"])
@pytest.mark.parametrize("name", MASKS)
def test_masks_follow_the_data(name, kind):
    def loss(t, u):
        return (MASKS[name](t, u) * np.array([1.0, -2.0, 0.5])).sum()

    rng = np.random.default_rng(0)
    t, u = Tensor(rng.normal(size=3)), Tensor(rng.normal(size=3))
    graph = t, u, loss(t, u)
    if kind == "deepcopy":
        graph = copy.deepcopy(graph)
    elif kind == "pickle":
        graph = pickle.loads(pickle.dumps(graph))  # noqa: S301
    t, u, root = graph
    try:
        program = compile(root, inputs=[t, u], wrt=[t, u])
    except GraphError:
        assert kind != "plain"  # a copy may be refused, and never be wrong
        return
    for _ in range(4):
        a, b = Tensor(rng.normal(size=3)), Tensor(rng.normal(size=3))
        expected = loss(a, b)
        expected.backward()
        value, (da, db) = program(a.data, b.data)
        assert value == expected.data
        assert np.array_equal(da, a.grad)
        assert np.array_equal(db, b.grad)


@pytest.mark.parametrize("name", ["where", "and", "masks of masks"])
def test_copies_of_graphs_with_masks_compile(name):
    t, u = tensor(), tensor(0.5, 0.5, -1.0)
    root = MASKS[name](t, u).sum()
    for wrap in (copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))):  # noqa: S301
        t2, u2, root2 = wrap((t, u, root))
        value, _ = compile(root2, inputs=[t2, u2])(-t.data, u.data)
        assert value == MASKS[name](Tensor(-t.data), u).sum().data


def test_the_mask_of_new_data_has_their_shape():
    t = Tensor(np.arange(6.0).reshape(3, 2) - 2)
    program = compile(F.where(t > 0, t * t, -t).sum(), inputs=[t])
    for rows in (1, 3, 7, 0):
        data = np.random.default_rng(rows).normal(size=(rows, 2))
        assert program(data)[0] == np.where(data > 0, data * data, -data).sum()


def test_a_mask_of_an_input_alone_counts_as_using_it():
    t, u = tensor(), tensor()
    program = compile(F.where(t > 0, u, 2 * u).sum(), inputs=[t, u], wrt=[u])
    _, (du,) = program(np.array([-1.0, 1.0, 1.0]), u.data)
    assert du.tolist() == [2.0, 1.0, 1.0]


def test_comparing_data_is_no_branch_on_nodes():
    t = tensor()
    root = (t * 2 if t.data.sum() > 0 else t).sum()
    assert compile(root, inputs=[t])(t.data)[0] == root.data
    x = Value(2.0)
    y = x * x if x.data > 0 else x
    assert compile(y, inputs=[x], wrt=[x])(3.0) == (9.0, [6.0])


def test_comparing_before_the_inputs_exist_or_after_recording_is_no_branch():
    a, b = Value(1.0), Value(2.0)
    assert a < b
    x = Value(2.0)
    y = x * x + 1
    assert y > 0
    assert compile(y, inputs=[x], wrt=[x])(3.0) == (10.0, [6.0])
    t = tensor()
    root = (t * t).sum()
    assert root > 0
    assert compile(root, inputs=[t])(t.data)[0] == root.data


def test_identity_and_membership_are_no_comparison():
    x, y = Value(2.0), Value(3.0)
    assert x == x
    assert x != y
    assert x in [x, y]
    assert {x: 1}[x] == 1
    z = x * y
    assert z not in (x, y)
    assert compile(z * z, inputs=[x], wrt=[y])(2.0) == (36.0, [24.0])


def test_the_librarys_own_functions_make_no_branch():
    t = Tensor(np.random.default_rng(0).normal(size=(4, 3)))
    made = [
        F.relu(t), F.clip(t, -1, 1), F.maximum(t, 0.5), F.abs(t), F.elu(t), F.leaky_relu(t),
        F.max(t, axis=0) + t, F.norm(t) + t, F.logsumexp(t) * t, F.softmax(t), F.gelu(t),
        F.sign(t) * t, F.huber(t, 0 * t) + t, F.hinge(t, np.ones((4, 3))) * t,
    ]  # fmt: skip
    root = sum((m * m).sum() for m in made)
    value, _ = compile(root, inputs=[t])(t.data)
    assert value == root.data
    x, y = Value(2.0), Value(-3.0)
    scalar = x.relu() * y + F.maximum(x, y) + F.abs(y) + F.clip(x, 0.0, 1.0)
    assert compile(scalar, inputs=[x, y], wrt=[x])(2.0, -3.0)[0] == scalar.data


def test_a_branch_recorded_in_another_graph_between_is_refused_or_not_but_never_wrong():
    x = Value(2.0)
    y = x * 3
    other = Value(1.0)
    if other > 0:
        other = other * 2
    root = y * y
    try:
        found = compile(root, inputs=[x], wrt=[x])(3.0)
    except GraphError:
        return
    assert found == (81.0, [54.0])
