"""The examples of a recorded batch."""

import numpy as np
import pytest
from rolling import assert_whole

from micrograd_nn import MLP, Value
from micrograd_nn.readers.compile.rolled import rolled
from micrograd_nn.readers.compile.tape import tape_of

RNG = np.random.default_rng(11)


def data(m):
    return RNG.normal(size=(m, 2)).tolist(), RNG.choice([-1.0, 1.0], size=m).tolist()


def hinge(model, X, y, wrap=float):
    scores = [model([wrap(v) for v in row]) for row in X]
    return [(1 + -wrap(t) * s).relu() for t, s in zip(y, scores, strict=True)]


def l2(model):
    return 1e-4 * sum(p * p for p in model.parameters())


@pytest.mark.parametrize("wrap", [float, Value])
@pytest.mark.parametrize("m", [1, 2, 100])
def test_the_examples_of_a_batch_are_computed_at_once(m, wrap):
    model = MLP(2, [6, 5, 1], seed=1)
    losses = hinge(model, *data(m), wrap)
    form = assert_whole(sum(losses) * (1.0 / m) + l2(model))
    assert form.names().count("matmul") == 3
    assert len(form.operations) <= 20


def test_inputs_may_be_given_as_numbers():
    model = MLP(2, [6, 1], seed=1)
    X, y = data(8)
    inputs = [[Value(v) for v in row] for row in X]
    loss = sum((model(x) - t) ** 2 for x, t in zip(inputs, y, strict=True))
    form = assert_whole(loss, [v for row in inputs for v in row])
    assert form.names().count("matmul") == 2
    assert all(not isinstance(part.index, np.ndarray) for o in form.operations for part in o.parts)


def test_each_example_may_have_several_outputs():
    model = MLP(2, [4, 3], seed=1)
    X, _ = data(9)
    losses = [sum((o - t) ** 2 for o, t in zip(model(x), (0.1, 0.2, 0.3), strict=True)) for x in X]
    form = assert_whole(sum(losses))
    assert form.names().count("matmul") == 2
    assert len(form.operations) < 15


@pytest.mark.parametrize("wrap", [float, Value])
def test_examples_may_have_weights(wrap):
    model = MLP(2, [4, 1], seed=1)
    losses = hinge(model, *data(12))
    weights = [wrap(v) for v in RNG.uniform(size=12)]
    assert_whole(sum(w * loss for w, loss in zip(weights, losses, strict=True)) / 12.0 + l2(model))


def test_an_example_that_is_built_otherwise_is_added_on_its_own():
    model = MLP(2, [3, 1], seed=1)
    X, y = data(10)
    losses = hinge(model, X, y)
    losses[4] = (model(X[4]) * 2.0).tanh()
    form = assert_whole(sum(losses) / 10.0)
    assert form.names().count("tanh") == 1


def test_an_example_that_counts_twice_counts_twice():
    model = MLP(2, [3, 1], seed=1)
    losses = hinge(model, *data(6))
    assert_whole(sum([*losses, losses[2]]))


def test_what_examples_exchange_is_right():
    model = MLP(2, [3, 1], seed=1)
    scores = [model(x) for x in data(5)[0]]
    mean = sum(scores) / 5.0
    root = sum((s - mean) ** 2 for s in scores)
    if not isinstance(rolled(tape_of(root), batched=False), str):
        assert_whole(root)


def test_each_example_may_look_up_its_parameters():
    table, w = [Value(v) for v in RNG.normal(size=4)], Value(0.5)
    root = sum((table[i % 3] * w + table[3]).tanh() * (i + 1.0) for i in range(20))
    form = assert_whole(root)
    assert len(form.operations) < 12


def test_a_loss_may_be_accumulated_from_either_side():
    model = MLP(2, [3, 1], seed=1)
    left = right = Value(0.0)
    for loss in hinge(model, *data(7)):
        left, right = left + loss, loss + right
    for root in (left, right):
        assert assert_whole(root).names().count("matmul") == 2


def test_two_batches_are_right():
    model = MLP(2, [3, 1], seed=1)
    real, fake = hinge(model, *data(4)), hinge(model, *data(3))
    root = sum(real) / 4.0 + sum(loss.tanh() for loss in fake) / 3.0
    if not isinstance(rolled(tape_of(root), batched=False), str):
        assert_whole(root)


def test_a_leaf_may_be_a_parameter_of_all_and_an_input_of_one():
    w = Value(0.3)
    xs = [w, Value(0.5), Value(-0.25)]
    assert_whole(sum((w * x).tanh() for x in xs))
