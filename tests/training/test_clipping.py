import math

import numpy as np
import pytest

from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.training import clip_gradients, gradient_norm


def nodes_with(*grads):
    nodes = []
    for grad in grads:
        node = Value(0.0) if isinstance(grad, float) else Tensor(np.zeros_like(grad))
        node.grad = grad
        nodes.append(node)
    return nodes


def test_the_norm_is_that_of_all_gradients_together():
    nodes = nodes_with(3.0, np.array([[4.0, 0.0]]), np.array([12.0]))
    assert gradient_norm(nodes) == 13.0
    assert nodes[0].grad == 3.0


def test_max_norm_scales_all_alike():
    nodes = nodes_with(3.0, np.array([[4.0, 0.0]]), np.array([12.0]))
    assert clip_gradients(nodes, max_norm=6.5) == 13.0
    assert nodes[0].grad == 1.5
    np.testing.assert_array_equal(nodes[1].grad, [[2.0, 0.0]])
    np.testing.assert_array_equal(nodes[2].grad, [6.0])


def test_a_norm_below_the_limit_changes_no_bit():
    nodes = nodes_with(0.1, np.array([0.7, 0.3]))
    clip_gradients(nodes, max_norm=1.0)
    assert nodes[0].grad == 0.1
    assert nodes[1].grad.tolist() == [0.7, 0.3]


def test_max_value_limits_each_number():
    nodes = nodes_with(-3.0, np.array([0.5, 4.0], dtype=np.float32))
    clip_gradients(nodes, max_value=1.0)
    assert nodes[0].grad == -1.0
    assert nodes[1].grad.tolist() == [0.5, 1.0]
    assert nodes[1].grad.dtype == np.float32


def test_with_both_the_norm_is_limited_first():
    nodes = nodes_with(np.array([3.0, 4.0]))
    clip_gradients(nodes, max_norm=1.0, max_value=0.7)
    np.testing.assert_allclose(nodes[0].grad, [0.6, 0.7])


def test_a_parameter_that_was_not_reached_counts_as_zero():
    assert clip_gradients([Value(1.0), Tensor([1.0])], max_norm=1.0) == 0.0


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_the_norm_neither_overflows_nor_underflows(size):
    nodes = nodes_with(3.0 * size, np.array([4.0 * size]))
    assert math.isclose(clip_gradients(nodes, max_norm=1.0), 5.0 * size)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_is_returned_and_nothing_is_scaled(bad):
    nodes = nodes_with(2.0, np.array([bad, 1.0]))
    assert not math.isfinite(clip_gradients(nodes, max_norm=1.0, max_value=0.1))
    assert nodes[0].grad == 2.0
    assert nodes[1].grad[1] == 1.0


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="max_norm must be finite and above 0"):
        clip_gradients([Value(1.0)], max_norm=0.0)
    with pytest.raises(ValueError, match="max_value"):
        clip_gradients([Value(1.0)], max_value=-1.0)
    with pytest.raises(TypeError, match="got one node"):
        clip_gradients(Value(1.0), max_norm=1.0)
    with pytest.raises(TypeError, match="parameter 0 is a float"):
        clip_gradients([1.0], max_norm=1.0)
