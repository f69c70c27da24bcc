"""Arrays joined of parts: each part is computed in its place, and read from there."""

import itertools

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, compile
from micrograd_nn.graph.table import indexing
from micrograd_nn.readers.compile.joined import overwritable
from micrograd_nn.readers.compile.source import Source
from micrograd_nn.readers.compile.steps import CONSTANT, JOINED, LEAF
from micrograd_nn.readers.compile.tracing import Tracer


def joined(parts, axis=0):
    return indexing.concatenate(parts, axis=axis)


def source_of(tracer, *outputs, given=None):
    leaves = [step for step in tracer.steps if step.kind == LEAF]
    return Source(tracer.steps, leaves, [out.whole() for out in outputs], {}, given)


def replayed(tracer, data, outputs):
    """Compute each step anew, in memory of its own."""
    leaves = iter(data)
    found = {}

    def filled(arg):
        if isinstance(arg, (list, tuple)):
            return type(arg)(map(filled, arg))
        return found.get(arg, arg) if type(arg) is type(tracer.steps[0]) else arg

    for step in tracer.steps:
        if step.kind == LEAF:
            found[step] = next(leaves)
        elif step.kind == CONSTANT:
            found[step] = step.sample
        else:
            found[step] = np.array(step.function(*filled(step.args), **step.kwargs))
    return [found[out.whole()] for out in outputs]


def a_random_program(rng, length=30):
    """Return the stand-ins of a program in which arrays are joined, cut, and computed with."""
    tracer = Tracer()
    pool = [tracer.leaf(np.ones((3, 4)), "x"), tracer.leaf(np.ones((2, 4)), "y")]
    for _ in range(length):
        a, b = (pool[-rng.integers(1, min(6, len(pool)) + 1)] for _ in range(2))
        kind = rng.integers(8)
        if kind == 0:
            made = np.tanh(a)
        elif kind == 1:
            made = np.multiply(a, a if a.shape != b.shape else b)
        elif kind == 2:
            made = np.add(a[: max(1, len(a) - 1)], 1.0)
        elif kind == 3 and len(a) + len(b) < 12:
            made = joined([a, rng.normal(size=(1, 4)), b])
        elif kind == 4 and len(a) + len(b) < 12:
            made = joined([np.tanh(a), b, np.exp(np.tanh(a))])
        elif kind == 5:
            made = joined([np.tanh(a[:, :2]), np.negative(a[:, 2:])], axis=1)
        elif kind == 6:
            made = np.matmul(joined([a, np.ones((1, 4))]), np.eye(4) + 0.1)
        else:
            made = np.maximum(np.matmul(rng.normal(size=(3, len(a))), a), 0.0)
        pool.append(made)
    return tracer, pool


@pytest.mark.parametrize("seed", range(120))
def test_programs_of_joined_arrays_compute_what_their_steps_do(seed):
    rng = np.random.default_rng(seed)
    tracer, pool = a_random_program(rng)
    outputs = [pool[-1], pool[-rng.integers(2, 9)]]
    function = source_of(tracer, *outputs).function()
    for _ in range(3):
        data = [rng.normal(size=(3, 4)), rng.normal(size=(2, 4))]
        for found, expected in zip(function(*data), replayed(tracer, data, outputs), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_parts_are_computed_where_they_are_wanted():
    tracer = Tracer()
    x = tracer.leaf(np.ones((2, 3)), "x")
    whole = joined([np.exp(x), np.tanh(np.exp(x + 1.0))])
    source = source_of(tracer, np.sum(whole))
    assert "copyto" not in source.text()
    assert source.memory.nbytes == whole.step.sample.nbytes


def test_what_is_known_is_written_once():
    tracer = Tracer()
    x = tracer.leaf(np.ones((2, 3)), "x")
    whole = joined([np.exp(x), np.full((1, 3), 7.0)])
    source = source_of(tracer, np.add.reduce(np.exp(whole) - 1.0, axis=0))
    assert not any("copyto" in line for line in source.body)
    program = source.function()
    for _ in range(2):
        expected = np.exp(np.vstack([np.e * np.ones((2, 3)), np.full((1, 3), 7.0)])) - 1.0
        np.testing.assert_allclose(program(np.ones((2, 3)))[0], expected.sum(axis=0), rtol=1e-14)


def test_what_is_known_is_written_anew_to_memory_that_others_write_to():
    tracer = Tracer()
    x = tracer.leaf(np.ones((2, 3)), "x")
    whole = joined([np.exp(x), np.full((1, 3), 7.0)])
    place = np.empty((3, 3))
    program = source_of(tracer, np.add(x, 1.0), whole, given={whole.step: place}).function()
    for _ in range(2):
        program(np.zeros((2, 3)))
        assert place.tolist() == [[1.0] * 3, [1.0] * 3, [7.0] * 3]
        place[...] = -1.0


def test_a_part_that_stands_twice_is_copied_to_its_second_place():
    tracer = Tracer()
    x = tracer.leaf(np.ones(2), "x")
    part = np.exp(x)
    source = source_of(tracer, np.multiply(joined([part, part, x]), 2.0))
    assert sum("copyto" in line for line in source.body) == 2
    np.testing.assert_array_equal(source.function()(np.zeros(2))[0], [2, 2, 2, 2, 0, 0])


def test_a_part_that_is_returned_keeps_memory_of_its_own():
    tracer = Tracer()
    x = tracer.leaf(np.ones(2), "x")
    part = np.exp(x)
    program = source_of(tracer, part, np.negative(joined([part, x]))).function()
    first, _ = program(np.zeros(2))
    program(np.ones(2))
    np.testing.assert_array_equal(first, [1, 1])


def test_a_part_of_another_dtype_is_converted():
    tracer = Tracer()
    x, n = tracer.leaf(np.ones(2, np.float32), "x"), tracer.leaf(np.ones(1), "n")
    part = np.exp(x)
    program = source_of(tracer, np.negative(joined([part, n])), np.negative(part)).function()
    whole, alone = program(np.zeros(2, np.float32), np.array([3.0]))
    assert whole.dtype == np.float64
    assert whole.tolist() == [-1.0, -1.0, -3.0]
    assert alone.dtype == np.float32


@pytest.mark.parametrize("axis", [0, 1])
def test_a_part_in_another_shape_is_computed_in_its_place_if_that_is_one_piece(axis):
    tracer = Tracer()
    x = tracer.leaf(np.ones((2, 2)), "x")
    column = np.matmul(x, x)._reshape((4, 1) if axis else (1, 4))
    source = source_of(tracer, np.negative(joined([column, np.exp(column)], axis)))
    assert any("copyto" in line for line in source.body) == (axis == 1)
    (found,) = source.function()(np.array([[1.0, 2.0], [3.0, 4.0]]))
    product = np.array([7.0, 10.0, 15.0, 22.0])
    expected = np.stack([product, np.exp(product)], axis)
    np.testing.assert_array_equal(found, -expected)


def test_a_result_may_overwrite_the_first_rows_of_what_is_not_read_any_more():
    tracer = Tracer()
    x = tracer.leaf(np.ones((4, 3)), "x")
    big = np.exp(x)
    first, last = np.negative(big[:3]), np.negative(big[1:])
    assert overwritable(first.step) == [big.step]
    assert overwritable(last.step) == []
    assert overwritable(np.multiply(big[:3], big[1:]).step) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_gradients_of_rows_lie_side_by_side(order):
    theta, x = Tensor(np.arange(6.0), name="theta"), Tensor(np.ones(2), name="x")
    rows = [slice(0, 2), slice(2, 4), slice(4, 6)]
    terms = [(F.exp(theta[rows[i]]) * x * (i + 1.0)).sum() for i in order]
    root = terms[0] + terms[1] + terms[2] + (theta * theta).sum()
    program = compile(root, inputs=[x], wrt=[theta])
    assert "+=" not in program.source
    for _ in range(2):
        x_now = np.array([0.5, -2.0])
        _, (found,) = program(x_now)
        weights = np.repeat([1.0, 2.0, 3.0], 2) * np.tile(x_now, 3)
        np.testing.assert_allclose(found, np.exp(theta.data) * weights + 2 * theta.data, rtol=1e-15)


def test_rows_and_single_elements_are_put_together():
    theta, x = Tensor(np.array([1.0, 2.0, 3.0, 4.0])), Tensor(2.0, name="x")
    root = (theta[1:3] * theta[0]).sum() * x + theta[-1] ** 2
    program = compile(root, inputs=[x], wrt=[theta])
    assert program(3.0)[1][0].tolist() == [15.0, 3.0, 3.0, 8.0]


def test_the_kind_of_a_joined_array():
    tracer = Tracer()
    x = tracer.leaf(np.ones((2, 3)), "x")
    assert joined([x, x], axis=-1).step.kind == JOINED
    assert joined([x, x], axis=-1).shape == (2, 6)
    assert joined([x, x], axis=None).shape == (12,)
