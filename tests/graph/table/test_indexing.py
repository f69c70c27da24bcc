"""Indexing, joining, splitting and padding: gradients go back where the data came from."""

import numpy as np
import pytest
from oracles import assert_close, check, normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad

I = np.array
S = np.s_
INDICES = [
    ((4,), S[1]),
    ((4,), S[-1]),
    ((4,), S[np.int64(2)]),
    ((4,), S[1:3]),
    ((4,), S[::-1]),
    ((4,), S[::2]),
    ((4,), S[3:0:-2]),
    ((4,), S[4:]),
    ((4,), S[...]),
    ((4,), S[:]),
    ((4,), S[()]),
    ((4,), S[None]),
    ((4,), S[:, None]),
    ((4,), S[None, ..., None]),
    ((), S[...]),
    ((), S[()]),
    ((), S[None]),
    ((2, 3), S[1]),
    ((2, 3), S[1, 2]),
    ((2, 3), S[:, 1]),
    ((2, 3), S[..., 0]),
    ((2, 3), S[1, None, ::2]),
    ((2, 3), S[0, ...]),
    ((4,), S[[0, 2]]),
    ((4,), S[[0, 0, 0]]),
    ((4,), S[[-1, 3, 0]]),
    ((4,), S[[]]),
    ((4,), S[I([], int)]),
    ((4,), S[I([[0, 1], [1, 1]])]),
    ((4,), S[I([1, 1], np.uint8)]),
    ((4,), S[I(2)]),
    ((2, 3), S[[1, 1, 0]]),
    ((2, 3), S[:, [0, 2, 2]]),
    ((2, 3), S[[0, 1, 1], [2, 0, 0]]),
    ((2, 3), S[1, [0, 0]]),
    ((2, 3), S[[1, 0], 1:]),
    ((2, 3), S[[[0], [1]], [0, 0, 2]]),
    ((2, 3), S[None, [1, 1]]),
    ((2, 3), S[..., [1, 1]]),
    ((2, 2, 3), S[[0, 1], :, [2, 2]]),
    ((2, 2, 3), S[:, [0, 1, 1], [2, 0, 0]]),
    ((2, 2, 3), S[[1, 1], ..., ::-1]),
    ((2, 2, 3), S[0, :, [1, 1]]),
    ((4,), S[I([True, False, True, True])]),
    ((4,), S[[False, True, False, True]]),
    ((4,), S[I([False] * 4)]),
    ((2, 3), S[I([[True, False, True], [False, False, True]])]),
    ((2, 3), S[I([False, True])]),
    ((2, 3), S[:, I([True, False, True])]),
    ((2, 3), S[I([True, True]), [0, 2]]),
    ((2, 2, 3), S[I([[True, False], [True, True]])]),
    ((2, 2, 3), S[I([[True, False], [True, True]]), 1:]),
    ((2, 2, 3), S[:, I([[True, False, True], [False, True, True]])]),
    ((4,), S[I(True)]),
    ((4,), S[False]),
    ((0, 3), S[:, 1]),
    ((0,), S[I([], bool)]),
    ((2, 0), S[1]),
]


@pytest.mark.parametrize(("shape", "index"), INDICES, ids=lambda p: repr(p).replace("\n", ""))
def test_every_kind_of_index(shape, index):
    x = normal(*shape)
    check(
        lambda x: F.getitem(x, index), lambda x: np.asarray(np.asarray(x, object)[index], object), x
    )
    assert_close(Tensor(x)[index].data, x[index])


def test_repeats_accumulate():
    x = Tensor([1.0, 2.0, 3.0])
    y = x[[0, 0, 2, 0]]
    y.backward(seed=np.array([1.0, 10.0, 100.0, 1000.0]))
    assert list(x.grad) == [1011.0, 0.0, 100.0]
    second = grad(lambda x: grad(lambda x: (x[[0, 0]] ** 3).sum())(x).sum())(np.array([2.0, 5.0]))
    assert list(second) == [24.0, 0.0]


@pytest.mark.parametrize("index", [5, -5, (0, 0), [7], "a", 1.5, [0.5], None.__class__])
def test_indices_that_do_not_exist_are_refused(index):
    with pytest.raises((IndexError, TypeError)):
        Tensor(np.ones(4))[index]


def test_a_tensor_is_a_sequence():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    rows = list(x)
    assert [type(r) for r in rows] == [Tensor, Tensor]
    (rows[1] * rows[1]).sum().backward()
    assert_close(x.grad, [[0, 0], [6, 8]])
    with pytest.raises(TypeError):
        iter(Tensor(1.0))
    with pytest.raises(TypeError):
        len(Tensor(1.0))


def test_items_of_a_tensor_cannot_be_assigned():
    with pytest.raises(TypeError):
        Tensor([1.0, 2.0])[0] = 5.0


TAKES = [((4,), [0, 0, 3], None), ((2, 3), [5, 0, 5], None), ((2, 3), [0, 0], 1), ((2, 3), 1, 0)]
TAKES += [((2, 3), [[0, 1], [1, 1]], -1), ((2, 3), [], 0), ((2, 3, 2), [-1, 0], 1)]


@pytest.mark.parametrize(("shape", "indices", "axis"), TAKES)
def test_take(shape, indices, axis):
    indices = np.array(indices, int)
    check(
        lambda x: F.take(x, indices, axis=axis),
        lambda x: np.asarray(np.take(x, indices, axis=axis), object),
        normal(*shape),
    )


@pytest.mark.parametrize("axis", [2, -3])
def test_take_along_no_axis(axis):
    with pytest.raises((ValueError, IndexError)):
        F.take(Tensor(np.ones((2, 3))), [0], axis=axis)


JOINS = [
    ("concatenate", [(2,), (3,)], 0),
    ("concatenate", [(2,), (3,)], -1),
    ("concatenate", [(2, 3), (1, 3)], 0),
    ("concatenate", [(2, 1), (2, 3)], 1),
    ("concatenate", [(2, 1), (2, 3), (2, 0)], -1),
    ("concatenate", [(2, 1), (3,)], None),
    ("concatenate", [(2,)], 0),
    ("concatenate", [(0,), (2,)], 0),
    ("stack", [(2,), (2,)], 0),
    ("stack", [(2,), (2,)], 1),
    ("stack", [(2,), (2,)], -1),
    ("stack", [(2, 3), (2, 3), (2, 3)], 1),
    ("stack", [(2, 3), (2, 3)], -2),
    ("stack", [(), (), ()], 0),
    ("stack", [(0,), (0,)], 1),
]


@pytest.mark.parametrize(("name", "shapes", "axis"), JOINS)
def test_joining(name, shapes, axis):
    parts = [normal(*s, seed=i) for i, s in enumerate(shapes)]
    check(
        lambda *xs: getattr(F, name)(list(xs), axis=axis),
        lambda *xs: np.asarray(getattr(np, name)(list(xs), axis=axis), object),
        *parts,
    )
    x = parts[0]
    if name == "stack" or (x.ndim == 1 and axis == 0):
        check(
            lambda x: getattr(F, name)((x, x * x, x), axis=axis),
            lambda x: np.asarray(getattr(np, name)((x, x * x, x), axis=axis), object),
            x,
        )


@pytest.mark.parametrize(
    "join",
    [
        lambda: F.concatenate([Tensor(np.ones(2)), Tensor(np.ones((2, 2)))]),
        lambda: F.concatenate([Tensor(np.ones((2, 2))), np.ones((3, 2))], axis=1),
        lambda: F.stack([Tensor(np.ones(2)), Tensor(np.ones(3))]),
        lambda: F.stack([Tensor(np.ones(2))], axis=3),
        lambda: F.concatenate([Tensor(np.ones(2))], axis=1),
        lambda: F.concatenate([]),
        lambda: F.stack([]),
        lambda: F.concatenate([Tensor(1.0), Tensor(2.0)]),
    ],
)
def test_parts_that_do_not_fit_are_refused(join):
    with pytest.raises((ValueError, IndexError)):
        join()


def test_values_numbers_and_tensors_are_stacked_together():
    a, b = Value(2.0), Tensor(3.0)
    y = F.stack([a, 5.0, b, a, np.float64(7.0)])
    assert type(y) is Tensor
    assert_close(y.data, [2, 5, 3, 2, 7])
    y.backward(seed=np.array([1.0, 10.0, 100.0, 1000.0, 1e4]))
    assert a.grad == 1001.0
    assert float(b.grad) == 100.0


def test_joining_many():
    parts = [Tensor([float(i)]) for i in range(3000)]
    F.concatenate(parts).sum().backward()
    assert all(p.grad[0] == 1.0 for p in parts)
    values = [Value(i) for i in range(3000)]
    (F.stack(values) ** 2).sum().backward()
    assert values[2999].grad == 5998.0


SPLITS = [
    ((6,), 3, 0),
    ((6,), [2, 3], 0),
    ((2, 4), 2, 1),
    ((2, 4), [1, 1], -1),
    ((4, 2), [0, 9], 0),
]
SPLITS += [((6,), [4, 2], 0), ((6,), [-2], 0)]


@pytest.mark.parametrize(("shape", "sections", "axis"), SPLITS)
def test_split(shape, sections, axis):
    x = normal(*shape)
    pieces = np.split(x, sections, axis=axis)
    got = F.split(Tensor(x), sections, axis=axis)
    assert [p.shape for p in got] == [p.shape for p in pieces]
    for i in range(len(pieces)):
        check(
            lambda x, i=i: F.split(x, sections, axis=axis)[i],
            lambda x, i=i: np.split(x, sections, axis=axis)[i],
            x,
            order=1,
        )


def test_a_split_that_is_not_equal_is_refused():
    with pytest.raises(ValueError, match=r"split|divi"):
        F.split(Tensor(np.ones(5)), 2)


PADS = [((3,), 1), ((3,), (1, 2)), ((3,), ((0, 2),)), ((2, 3), 1), ((2, 3), (1, 0))]
PADS += [((2, 3), ((1, 2), (0, 1))), ((2, 0), 1), ((), 0), ((2, 3), ((1,), (2,)))]


@pytest.mark.parametrize(("shape", "width"), PADS)
def test_pad(shape, width):
    x = normal(*shape)
    check(lambda x: F.pad(x, width), lambda x: np.pad(x, width), x)


def test_pads_that_are_no_pads_are_refused():
    for width in (-1, ((1, 2), (3, 4), (5, 6)), 1.5, (1, 2, 3)):
        with pytest.raises((ValueError, TypeError)):
            F.pad(Tensor(np.ones((2, 3))), width)


def test_an_index_that_is_a_node_is_refused():
    with pytest.raises(TypeError):
        Tensor([1.0, 2.0])[Tensor([0.0])]
    with pytest.raises((TypeError, IndexError)):
        Tensor([1.0, 2.0])[Value(0.0)]


def test_a_gradient_from_an_index_is_the_leafs_own():
    x = Tensor([1.0, 2.0, 3.0])
    y = x[:2]
    z = y * 1.0
    z.sum().backward()
    x.grad[...] = 50.0
    assert list(z.grad) == [1.0, 1.0]
    assert list(y.grad) == [1.0, 1.0]


def test_stacks_of_tensors_without_axes_have_cotangents_of_their_kind():
    def f(x):
        return F.stack([F.mean(x.sum()), x.sum(), x[0]]).sum()

    np.testing.assert_array_equal(grad(f)(np.ones(2)), [3.0, 2.0])
    x = Tensor(np.ones(2, np.float32))
    f(x).backward()
    assert x.grad.dtype == np.float32
    v, t = Value(2.0), Tensor(3.0)
    (F.stack([v, t]) * np.array([5.0, 7.0])).sum().backward()
    assert (v.grad, float(t.grad)) == (5.0, 7.0)
    assert type(v.grad) is float
