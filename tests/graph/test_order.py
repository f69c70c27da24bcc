"""One order for every reader: inputs first, each node once, however deep or tangled the graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value
from micrograd_nn.graph.backward import _reachable
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.units import identity, unit


def graph(root):
    """The nodes below a root, inputs first, and an edge for each argument."""
    nodes = toposort(root)
    return nodes, [(source, node) for node in nodes for source in node.inputs]


def test_inputs_come_before_the_nodes_that_use_them():
    a, b = Value(1.0), Value(2.0)
    c = a * b
    d = c + a
    e = d * c
    nodes, edges = graph(e)
    assert len(nodes) == len(set(nodes)) == 5
    assert set(nodes) == {a, b, c, d, e}
    place = {node: i for i, node in enumerate(nodes)}
    assert all(place[source] < place[target] for source, target in edges)
    assert nodes[-1] is e


def test_an_input_used_twice_has_two_edges():
    a = Value(2.0)
    nodes, edges = graph(a + a)
    assert len(nodes) == 2
    assert len(edges) == 2
    assert [s for s, _ in edges] == [a, a]


def test_a_leaf_is_its_own_graph():
    for leaf in (Value(1.0), Tensor([1.0])):
        assert graph(leaf) == ([leaf], [])


def test_constants_are_shown_once_each_and_stay_the_same():
    x = Value(3.0)
    y = x * 2 + 1
    nodes, _ = graph(y)
    assert [n.data for n in nodes] == [3.0, 2.0, 6.0, 1.0, 7.0]
    assert graph(y)[0] == nodes
    assert y.inputs == y.inputs


def test_arguments_keep_their_order():
    a, b = Value(5.0), Value(2.0)
    for y in (a - b, F.power(a, b), a / b):
        assert y.inputs == (a, b)
        assert toposort(y) == [a, b, y]
    assert (b - a).inputs == (b, a)
    assert [n.data for n in (1 - a).inputs] == [1.0, 5.0]


def test_inputs_of_every_kind_of_operation():
    x, y, z = Tensor([1.0, 2.0]), Tensor([3.0, 4.0]), Value(2.0)
    c = np.array([True, False])
    assert F.stack([x, y]).inputs == (x, y)
    assert F.concatenate([x, y, x]).inputs == (x, y, x)
    where = F.where(c, x, y)
    assert where.inputs[-2:] == (x, y)
    clipped = F.clip(z, 0.0, 1.0)
    assert clipped.inputs[0] is z
    assert [i.data for i in clipped.inputs[1:]] == [0.0, 1.0]


def test_a_chain_of_a_hundred_thousand():
    y = x = Value(1.0)
    for _ in range(100_000):
        y = y + 0.0
    nodes, edges = graph(y)
    assert len(edges) == 200_000
    assert nodes[0] is x
    assert len(toposort(y, constants=False)) == 100_001


def test_twenty_doublings_visit_each_node_once():
    """Over paths instead of nodes, forty doublings would take years."""
    y = x = Value(1.0)
    t = u = Tensor([1.0])
    for _ in range(40):
        y = y + y
        u = u * 1.0 + u
    assert len(toposort(y)) == 41
    y.backward()
    assert x.grad == 2.0**40
    u.sum().backward()
    assert t.grad[0] == 2.0**40
    y.backward(create_graph=True)
    assert float(mg.grad(lambda x: doubled(x))(3.0)) == 2.0**40


def doubled(x):
    for _ in range(40):
        x = x + x
    return x


def test_several_roots():
    a = Value(1.0)
    b, c = a * 2, a * 3
    order = toposort(b, c, constants=False)
    assert set(order) == {a, b, c}
    assert order[0] is a


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40))
def test_any_graph(program):
    nodes = [Value(1.0), Value(2.0)]
    for i, j in program:
        nodes.append(nodes[i % len(nodes)] + nodes[j % len(nodes)])
    order, edges = graph(nodes[-1])
    reached, todo = set(), [nodes[-1]]
    while todo:
        node = todo.pop()
        if node not in reached:
            reached.add(node)
            todo.extend(node.inputs)
    assert len(order) == len(set(order))
    assert set(order) == reached
    place = {node: i for i, node in enumerate(order)}
    assert all(place[s] < place[t] for s, t in edges)
    assert len(edges) == 2 * sum(node.op is not None for node in order)


@pytest.mark.parametrize("kind", [Value, lambda v: Tensor([v])])
def test_backward_follows_the_same_order_for_wide_and_deep(kind):
    x = kind(0.5)
    deep = x
    for _ in range(50):
        deep = deep * 1.0
    y = deep * x + deep  # reached by a long way and by a short one
    y.backward(seed=np.ones(y.shape) if y.shape else None)
    assert float(np.sum(x.grad)) == 2.0


def stacked(*nodes):
    return F.sum(F.stack(list(nodes)))


def weighted(*nodes):
    """A unit, which has two sequences of inputs, where that is possible."""
    if not all(isinstance(node, Value) for node in nodes):
        return stacked(*nodes)
    return unit(identity)(nodes, (*reversed(nodes), nodes[0]))


OPERATIONS = [
    lambda x, *_: -x,
    lambda x, y, *_: x + y,
    lambda x, *_: x * 2.0,
    lambda x, *_: 2.0 - x,
    lambda x, y, *_: F.where(True, x, y),
    lambda *nodes: stacked(*nodes[:3]),
    stacked,
    weighted,
]


@given(
    st.lists(
        st.tuples(st.sampled_from(OPERATIONS), *[st.integers(0, 60)] * 6), min_size=1, max_size=25
    )
)
def test_the_backward_pass_walks_in_that_order(program):
    nodes = [Value(1.0), Value(2.0)]
    for operation, *places in program:
        nodes.append(operation(*(nodes[place % len(nodes)] for place in places)))
    root = nodes[-1]
    order, leaves = _reachable(root)
    expected = toposort(root, constants=False)
    assert order == [node for node in expected if node.op is not None]
    assert [leaf for leaf, _ in leaves] == [node for node in expected if node.op is None]
