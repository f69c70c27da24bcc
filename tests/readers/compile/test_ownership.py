"""What a program returns is the caller's own, numbers without axes too."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, compile
from micrograd_nn.training import SGD


def spoiled(results):
    for result in results:
        if isinstance(result, np.ndarray):
            result[...] = 77.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x, b: x * 4.0,
        lambda x, b: x * b,
        lambda x, b: x + b,
        lambda x, b: x * b + F.exp(b),
        lambda x, b: F.maximum(x, b) * 2.0 + x - x,
    ],
)
def test_gradients_of_numbers_may_be_written_to(f):
    x, b = Tensor(2.0), Tensor(3.0)
    root = f(x, b)
    root.backward()
    wrt = [leaf for leaf in (x, b) if leaf in _leaves(root)]
    program = compile(root, wrt=wrt)
    for _ in range(3):
        value, grads = program()
        assert value == root.data
        assert [float(g) for g in grads] == [float(leaf.grad) for leaf in wrt]
        assert (x.data, b.data) == (2.0, 3.0)
        assert not any(a is c for i, a in enumerate(grads) for c in grads[:i] if np.ndim(a))
        spoiled(grads)


def _leaves(root):
    stack, found = [root], set()
    while stack:
        node = stack.pop()
        found.add(node)
        stack += node.inputs
    return found


def test_a_gradient_that_is_the_input_is_a_copy_of_it():
    x, b = Tensor(2.0), Tensor(3.0)
    program = compile(x * b, inputs=[x], wrt=[b])
    given = np.array(5.0)
    _, (g,) = program(given)
    assert g == 5.0
    assert g is not given


def test_a_gradient_does_not_move_with_a_parameter():
    x, b = Tensor(0.5), Tensor(2.0)
    program = compile(x * b, wrt=[b])
    moving = compile(x * 1.0, optimizer=SGD([x], lr=1.0))
    _, (g,) = program()
    moving()
    assert g == 0.5
    assert x.data == -0.5
