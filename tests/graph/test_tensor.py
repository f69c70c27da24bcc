"""Tensor: an array that remembers where it came from."""

import numpy as np
import pytest

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, no_grad


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1, 2], np.float64),
        ([1.5, 2], np.float64),
        ([[True, False]], np.float64),
        (3, np.float64),
        (2.5, np.float64),
        (np.arange(3), np.float64),
        (np.arange(3, dtype=np.uint8), np.float64),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.float16), np.float16),
        (np.float32(1.5), np.float32),
        (np.zeros((0, 3)), np.float64),
        ([], np.float64),
        (range(3), np.float64),
        (((1, 2), (3, 4)), np.float64),
        (Tensor([1.0]), np.float64),
        (Value(2.0), np.float64),
    ],
    ids=str,
)
def test_what_a_tensor_takes(data, dtype):
    t = Tensor(data)
    assert t.dtype == dtype
    raw = data.data if isinstance(data, (Tensor, Value)) else data
    assert t.shape == np.shape(raw)
    np.testing.assert_array_equal(t.data, np.asarray(raw, dtype))
    assert isinstance(t.data, np.ndarray)


@pytest.mark.parametrize(
    "data",
    [
        [1j],
        "abc",
        ["a"],
        None,
        [None],
        np.array([1j]),
        pytest.param(object(), id="object"),
        np.array(["2020"], "M8[D]"),
    ],
    ids=str,
)
def test_what_a_tensor_refuses(data):
    with pytest.raises((TypeError, ValueError)):
        Tensor(data)


def test_a_ragged_list_is_refused():
    with pytest.raises(ValueError, match=r"inhomogeneous|shape"):
        Tensor([[1.0], [1.0, 2.0]])


def test_dtype():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert Tensor([1, 2], dtype="float32").data.dtype == np.float32
    assert Tensor(np.ones(2, np.float32), dtype=np.float64).dtype == np.float64
    for dtype in (int, complex, bool, str):
        with pytest.raises(TypeError):
            Tensor([1, 2], dtype=dtype)


def test_the_array_is_copied():
    a = np.ones(3)
    t = Tensor(a)
    a[...] = 5
    assert list(t.data) == [1, 1, 1]
    u = Tensor(t)
    u.data[...] = 7
    assert list(t.data) == [1, 1, 1]
    b = np.ones(3)
    t.data = b
    b[...] = 9
    assert list(t.data) == [1, 1, 1]


def test_data_of_a_leaf_can_be_written():
    t = Tensor([1.0, 2.0])
    t.data[0] = 5
    assert list(t.data) == [5, 2]
    t.data -= 1
    assert list(t.data) == [4, 1]
    d = t.data
    d *= 2
    assert list(t.data) == [8, 2]
    t.data = [3, 4]
    assert list(t.data) == [3, 4]
    assert t.dtype == np.float64
    y = t * t
    assert list(y.data) == [9, 16]


def test_data_of_another_shape_or_kind_are_refused():
    t = Tensor([1.0, 2.0])
    for wrong in (np.ones(3), 1.0, [[1.0, 2.0]], [1j, 2j], ["a", "b"], None):
        with pytest.raises((ValueError, TypeError)):
            t.data = wrong
    assert list(t.data) == [1, 2]


def test_data_of_an_inner_node_are_read_only():
    t = Tensor([1.0, 2.0])
    for y in (t * 2, t.reshape(2, 1), t[0:1], t.T, t.sum(), +(t + 0)):
        with pytest.raises(ValueError, match="read-only"):
            y.data[...] = 5
    assert list(t.data) == [1, 2]


def test_float32_parameters_stay_float32():
    t = Tensor(np.ones(2, np.float32))
    t.data = np.array([0.1, 0.2])
    assert t.dtype == np.float32
    t.data -= 0.1 * np.ones(2)
    assert t.dtype == np.float32


def test_grad_is_an_array_of_the_tensors_shape_and_dtype():
    for data in (2.0, [1.0, 2.0], np.ones((2, 3), np.float32), np.zeros((0, 2))):
        t = Tensor(data)
        for _ in range(2):
            assert isinstance(t.grad, np.ndarray)
            assert t.grad.shape == t.shape
            assert t.grad.dtype == t.dtype
            (t * 3).sum().backward()
        np.testing.assert_array_equal(t.grad, np.full(t.shape, 6.0))
        t.zero_grad()
        assert not np.any(t.grad)
        y = t * 2
        z = y.sum()
        z.backward()
        assert isinstance(y.grad, np.ndarray)
        assert isinstance(z.grad, np.ndarray)
        assert z.grad.shape == ()


def test_grad_can_be_set_and_written():
    t = Tensor([1.0, 2.0])
    (t * 3).sum().backward()
    t.grad *= 2
    assert list(t.grad) == [6, 6]
    t.grad[0] = 1
    assert list(t.grad) == [1, 6]
    t.grad += np.ones(2)
    (t * 3).sum().backward()
    assert list(t.grad) == [5, 10]
    t.grad = None
    assert list(t.grad) == [0, 0]
    g = np.ones(2)
    t.grad = g
    g[...] = 7
    assert list(t.grad) == [1, 1]
    with pytest.raises(ValueError, match=r"shape|broadcast"):
        t.grad = np.ones(3)
    t.grad = 0
    assert list(t.grad) == [0, 0]


def test_a_constant_tensor_gets_no_gradient():
    x, w = Tensor([1.0, 2.0], requires_grad=False), Tensor([3.0, 4.0])
    y = (x * w).sum()
    y.backward()
    assert list(x.grad) == [0, 0]
    assert list(w.grad) == [1, 2]
    assert (x.requires_grad, w.requires_grad, (x * w).requires_grad, (x * x).requires_grad) == (
        False, True, True, False,
    )  # fmt: skip
    assert not w.detach().requires_grad


def test_shape_size_and_length():
    t = Tensor(np.ones((2, 3)))
    assert (t.shape, t.ndim, t.size, len(t)) == ((2, 3), 2, 6, 2)
    assert Tensor(3.0).shape == ()


def test_item():
    assert Tensor([[2.5]]).item() == 2.5
    assert type(Tensor(2.5).item()) is float
    assert float(Tensor(2.5)) == 2.5
    for shape in ((2,), (0,)):
        with pytest.raises(ValueError, match=r"one element|size"):
            Tensor(np.ones(shape)).item()


def test_arrays_from_tensors():
    t = Tensor([1.0, 2.0])
    for a in (np.asarray(t), np.array(t), t.numpy()):
        assert type(a) is np.ndarray
        a[...] = 9
        assert list(t.data) == [1, 2]
    assert np.asarray(t, np.float32).dtype == np.float32
    assert np.array(t * 2).tolist() == [2, 4]


def test_a_tensor_of_nodes_does_not_lose_their_graph_silently():
    """Either the graph goes on, or it is refused: F.stack is what is meant."""
    v = Value(2.0)
    try:
        t = Tensor([v * 3, 1.0])
    except TypeError:
        return
    assert t.op is not None or t.data[0] == 6.0


def test_methods_have_names_and_documentation():
    for name in ["sum", "mean", "exp", "reshape", "softmax", "relu"]:
        method = getattr(Tensor, name)
        assert method.__name__ == name
        assert method.__doc__


def test_unsupported_operators():
    t = Tensor([5.0])
    for f in (lambda: t // 2, lambda: t % 2, lambda: t & t, lambda: ~t, lambda: 2 // t):
        with pytest.raises((TypeError, ValueError)):
            f()


@pytest.mark.parametrize("make", [lambda v: [v, 1.0], lambda v: ([v], [2.0])])
def test_a_leaf_of_nodes_is_refused(make):
    with pytest.raises(TypeError, match="stack"):
        Tensor(make(Value(2.0)))
    with no_grad():
        constant = Value(2.0) * 1.0
    assert Tensor(make(constant)).data.ravel()[0] == 2.0
    assert Tensor(make(Value(2.0).detach())).data.ravel()[0] == 2.0


@pytest.mark.parametrize("make", [Value, Tensor])
def test_a_leaf_of_a_recorded_result_is_refused(make):
    v = Value(2.0)
    with pytest.raises(TypeError, match=r"recorded result \(mul named 'y'\).*detach\(\)"):
        make((v * 3).named("y"))
    assert make((v * 3).detach()).data == 6.0
    assert make(v).data == 2.0
    with no_grad():
        assert make(v * 3).data == 6.0
    assert Tensor(Tensor([1.0]) * 2, requires_grad=False).data == 2.0
    v.data = v * 3  # a number is taken over
    assert v.data == 6.0


@pytest.mark.parametrize(
    "beside", [lambda t, m: t * m, lambda t, m: F.add(m, t), lambda t, m: Tensor(m)]
)
def test_masked_elements_are_refused(beside):
    t = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="1 of 2 elements are masked"):
        beside(t, np.ma.array([1.0, 2.0], mask=[False, True]))
    assert beside(t, np.ma.array([1.0, 2.0], mask=[False, False])).shape == (2,)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_long_doubles_beside_a_tensor_become_float64(dtype):
    t = Tensor([1.0, 2.0], dtype=dtype)
    for other in (np.longdouble(2), np.array([1, 2], np.longdouble)):
        for y in (t * other, other + t, F.maximum(other, t)):
            assert y.dtype == np.float64
        (t * other).sum().backward()
        assert t.grad.dtype == dtype


def test_a_gradient_that_is_not_there_yet_cannot_be_written_to():
    """What is written would be lost without a word."""
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        t.grad[...] = 5.0
    t.grad = np.full(2, 5.0)
    t.grad[0] += 1.0
    (t * t).sum().backward()
    assert list(t.grad) == [8.0, 9.0]
    t.zero_grad()
    assert list(t.grad * 2) == [0.0, 0.0]
