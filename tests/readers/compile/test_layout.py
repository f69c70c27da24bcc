"""Programs on arrays that lie in memory in another order than row by row."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Dropout, Tensor, compile
from micrograd_nn.readers.compile.memory import laid_out

RNG = np.random.default_rng(5)


def checked(f, *shapes, recorded=np.zeros):
    """Hold the program against the engine on new data, twice, bit for bit."""
    inputs = [Tensor(recorded(shape)) for shape in shapes]
    program = compile(f(*inputs), inputs=inputs, wrt=inputs)
    for _ in range(2):
        data = [RNG.normal(size=shape) for shape in shapes]
        value, grads = program(*data)
        leaves = [Tensor(x) for x in data]
        root = f(*leaves)
        root.backward()
        assert value == root.data
        for leaf, g in zip(leaves, grads, strict=True):
            assert g.shape == leaf.shape
            np.testing.assert_array_equal(g, leaf.grad)
    return program


CASES = {
    "a reshaped part of columns": lambda X: (
        (F.concatenate([F.tanh(X), F.sin(X)], axis=1) ** 2).sum()
        + (F.reshape(F.tanh(X), (-1,)) ** 2).sum()
    ),
    "a view of a transposed result": lambda X: (
        (F.reshape(F.tanh(X.T).T, (-1,)) * np.arange(6.0)).sum() + (F.tanh(X.T) ** 2).sum()
    ),
    "a copy of a transposed result": lambda X: (F.reshape(F.tanh(X.T), (6,)) ** 2).sum(),
    "a copy of joined transposes": lambda X: (
        F.reshape(F.concatenate([X.T, X.T], axis=0), (-1,)) ** 2
    ).sum(),
    "sums of transposes": lambda X: (X.T * X.T).sum(),
    "three axes": lambda X: (
        F.exp(F.moveaxis(F.stack([X, 2 * X, 3 * X]), 0, 1)).reshape(-1) * np.arange(18.0)
    ).sum(),
    "results in place of operands in another order": lambda X: (
        F.exp(F.tanh(X.T) + F.reshape(F.sin(X), (3, 2))) * F.cos(X.T)
    ).sum(),
}


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_the_engine(name):
    checked(CASES[name], (2, 3))


def test_sums_over_large_parts_and_transposes():
    checked(
        lambda X: (
            F.tanh(X).sum() * 2 + F.concatenate([F.tanh(X), X], axis=1).sum() + (X.T * X.T).sum()
        ),
        (100, 100),
    )


@pytest.mark.parametrize("cut", [np.s_[:, ::2], np.s_[:, 3:7], np.s_[::-1], np.s_[:, :4]])
def test_products_of_parts_of_matrices(cut):
    W = Tensor(RNG.normal(size=(np.empty((6, 8))[cut].shape[1], 5)))
    checked(lambda X: ((X[cut] @ W) ** 2).sum(), (6, 8))


def test_zero_times_infinity_in_products_of_single_numbers():
    A = np.full((6, 1), -np.inf)
    X = Tensor(np.ones((1, 1)))
    program = compile((A @ X).sum(), inputs=[X])
    with np.errstate(invalid="ignore"):
        assert np.isnan(program(np.zeros((1, 1)))[0])
    assert program(np.ones((1, 1)))[0] == -np.inf


def test_gradients_of_a_reshaped_input_are_the_callers_own():
    X = Tensor(np.asfortranarray(RNG.normal(size=(4, 6))))
    W = Tensor(RNG.normal(size=24))
    program = compile((F.reshape(X, (24,)) * W).sum(), inputs=[X], wrt=[W])
    for order in "FC":
        given = np.array(RNG.normal(size=(4, 6)), order=order)
        before = given.copy()
        _, (g,) = program(given)
        np.testing.assert_array_equal(g, before.ravel())
        g[...] = 0
        np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_memory_is_laid_out_as_the_sample_is(axes):
    sample = np.empty((2, 3, 4), np.float32).transpose(axes).copy(order="K")
    buffer = np.empty(sample.nbytes + 8, np.uint8)
    place = laid_out(buffer, sample)
    assert place.shape == sample.shape
    assert place.strides == sample.strides
    assert np.shares_memory(place, buffer)


def test_the_source_makes_transposed_buffers():
    X = Tensor(np.ones((2, 3)), name="X")
    program = compile((F.tanh(X.T) + 1.0).sum(), inputs=[X])
    assert ".transpose((1, 0))" in program.source
    space = {}
    exec(program.source, space)  # noqa: S102 (it is what is tested)
    assert space["program"](np.zeros((2, 3)))[0] == 6.0


def test_two_orders_of_one_shape_in_one_buffer():
    c = RNG.normal(size=(3, 3, 3))

    def f(W):
        P = F.transpose(F.tanh(W), (2, 1, 0))
        return (P * P).sum() + (F.transpose(P, (0, 2, 1)) * c).sum()

    W = Tensor(RNG.normal(size=(3, 3, 3)))
    root = f(W)
    root.backward()
    _, (g,) = compile(root, wrt=[W])()
    np.testing.assert_array_equal(g, W.grad)


def test_numbers_beside_arrays_in_another_order():
    a = np.asfortranarray(RNG.normal(size=(6, 16)))
    c = np.asfortranarray(RNG.normal(size=(2, 10, 3)))
    for f in (
        lambda s, Z: (s * Z).sum(),
        lambda s, Z: (s * Z).mean(),
        lambda s, Z: (F.broadcast_to(s * 2.0, (2, 10, 3)) * c).sum() * Z.sum(),
    ):
        s, Z = Tensor(np.array(1.5)), Tensor(a)
        root = f(s, Z)
        root.backward()
        value, (g, h) = compile(root, wrt=[s, Z])()
        assert value == root.data
        assert g == s.grad
        np.testing.assert_array_equal(h, Z.grad)


def test_products_of_two_dtypes():
    A, B = Tensor(RNG.normal(size=(1, 6))), Tensor(RNG.normal(size=(6, 4)).astype(np.float32))
    root = ((A @ B) ** 2).sum()
    root.backward()
    value, grads = compile(root, wrt=[A, B])()
    assert value == root.data
    for g, leaf in zip(grads, (A, B), strict=True):
        np.testing.assert_array_equal(g, leaf.grad)


def test_random_numbers_of_other_shapes_are_drawn_for_the_engine_too():
    X = Tensor(np.ones((3, 2)))
    program = compile(Dropout(0.5, seed=0)(X).sum(), inputs=[X])
    x = np.ones((40, 2))
    x[0, 0] = np.nan
    _, (g,) = program(x)
    assert set(g.ravel()) == {0.0, 2.0}
