"""The leaves of a scalar program: read when they were overwritten, moved by an optimiser."""

import numpy as np
import pytest

from micrograd_nn import Value
from micrograd_nn.readers.compile.leaves import Leaves
from micrograd_nn.training import SGD


def values(*numbers):
    return [Value(number) for number in numbers]


def test_numbers_are_read_again_only_when_a_leaf_was_overwritten():
    a, b = values(1.0, 2.0)
    leaves = Leaves([b, a])
    first = leaves.data()
    assert first.tolist() == [2.0, 1.0]
    assert leaves.data() is first
    a.data = 5.0
    assert leaves.data().tolist() == [2.0, 5.0]
    assert first.tolist() == [2.0, 1.0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_an_optimiser_moves_the_leaves_in_whatever_order_they_stand(order):
    parameters = values(1.0, 2.0, 3.0)
    optimizer = SGD(parameters, lr=0.5)
    leaves = Leaves([parameters[i] for i in order], optimizer, optimizer.settle())
    leaves.data()
    gradient = np.array([10.0, 20.0, 40.0])
    leaves.step(gradient[list(order)])
    moved = [-4.0, -8.0, -17.0]
    assert [p.data for p in parameters] == moved
    assert leaves.data().tolist() == [moved[i] for i in order]


def test_leaves_that_no_optimiser_moves_stay_and_parameters_outside_do_not_move():
    a, b, c, outside = values(1.0, 2.0, 3.0, 4.0)
    optimizer = SGD([c, outside, a], lr=1.0)
    places = optimizer.settle()
    leaves = Leaves([a, b, c], optimizer, places)
    leaves.data()
    for _ in range(2):
        leaves.step(np.array([0.25, 7.0, 0.5]))
    assert [v.data for v in (a, b, c, outside)] == [0.5, 2.0, 2.0, 4.0]
    assert leaves.data().tolist() == [0.5, 2.0, 2.0]


def test_a_step_is_seen_by_the_leaves_of_another_program():
    a, b = values(1.0, 2.0)
    optimizer = SGD([a, b], lr=1.0)
    one, other = (Leaves(nodes, optimizer, optimizer.settle()) for nodes in ([a, b], [b, a]))
    one.data(), other.data()
    one.step(np.array([1.0, 1.0]))
    assert other.data().tolist() == [1.0, 0.0]
