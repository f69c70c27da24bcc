"""Reductions, products and changes of shape, against NumPy on many-digit numbers."""

import numpy as np
import pytest
from oracles import assert_close, check, mp, normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad, hessian


def axes_of(axis, ndim):
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def m_sum(x, axis=None, keepdims=False):
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims), object)


def m_mean(x, axis=None, keepdims=False):
    return m_sum(x, axis, keepdims) / mp.mpf(
        int(np.prod([x.shape[a] for a in axes_of(axis, x.ndim)]))
    )


def m_var(x, axis=None, keepdims=False, ddof=0):
    n = int(np.prod([x.shape[a] for a in axes_of(axis, x.ndim)]))
    d = x - m_mean(x, axis, True)
    return m_sum(d * d, axis, keepdims) / mp.mpf(n - ddof)


def m_root(x):
    return np.asarray(np.frompyfunc(mp.sqrt, 1, 1)(x), object)


REDUCTIONS = {
    "sum": m_sum,
    "mean": m_mean,
    "prod": lambda x, **kw: np.asarray(np.prod(x, **kw), object),
    "max": lambda x, **kw: np.asarray(np.max(x, **kw), object),
    "min": lambda x, **kw: np.asarray(np.min(x, **kw), object),
    "var": m_var,
    "std": lambda x, **kw: m_root(m_var(x, **kw)),
    "norm": lambda x, **kw: m_root(m_sum(x * x, **kw)),
}
AXES = [
    ((3,), None),
    ((3,), 0),
    ((3,), -1),
    ((2, 3), None),
    ((2, 3), 0),
    ((2, 3), 1),
    ((2, 3), -2),
    ((2, 3), (0, 1)),
    ((2, 3), (-1,)),
    ((2, 2, 2), 1),
    ((2, 2, 2), (0, 2)),
    ((2, 2, 2), (-1, 0)),
    ((2, 1, 3), (1, -1)),
    ((1, 3), 1),
    ((3, 2, 1), (2, 0)),
]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, shape, axis, keepdims):
    f, reference = getattr(F, name), REDUCTIONS[name]
    x = normal(*shape, seed=5)
    check(
        lambda x: f(x, axis=axis, keepdims=keepdims),
        lambda x: reference(x, axis=axis, keepdims=keepdims),
        x,
        order=2 if x.size < 7 and not keepdims else 1,
    )
    if name != "norm":
        assert_close(f(x, axis, keepdims=keepdims), getattr(np, name)(x, axis, keepdims=keepdims))
    method = getattr(Tensor(x), name)
    assert_close(method(axis=axis, keepdims=keepdims).data, f(x, axis=axis, keepdims=keepdims))


@pytest.mark.parametrize("name", [n for n in REDUCTIONS if n not in ("var", "std")])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduction_of_no_axes(name, keepdims):
    x = normal(2, 3, seed=6)
    check(
        lambda x: getattr(F, name)(x, axis=(), keepdims=keepdims),
        lambda x: abs(x) if name == "norm" else x,
        x,
        order=1,
    )


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "norm"])
def test_reduction_of_a_number(name):
    f = getattr(F, name)
    for x in (Tensor(-2.5), Value(-2.5)):
        y = f(x)
        assert np.shape(y.data) == ()
        assert float(y.data) == (2.5 if name == "norm" else -2.5)
        y.backward()
        assert float(x.grad) == (-1.0 if name == "norm" else 1.0)
    assert float(f(-2.5)) == (2.5 if name == "norm" else -2.5)


@pytest.mark.parametrize("ddof", [0, 1, 2])
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((4,), None), ((4, 2), 0), ((3, 4), -1), ((2, 3), (0, 1))]
)
def test_ddof(name, shape, axis, ddof):
    x = normal(*shape, seed=8)
    check(
        lambda x: getattr(F, name)(x, axis=axis, ddof=ddof),
        lambda x: REDUCTIONS[name](x, axis=axis, ddof=ddof),
        x,
        order=2 if x.size < 9 else 1,
    )
    assert_close(
        getattr(F, name)(x, axis=axis, ddof=ddof), getattr(np, name)(x, axis=axis, ddof=ddof)
    )


ZERO_SIZE = [("sum", (0,), None), ("sum", (2, 0), 1), ("sum", (2, 0), 0), ("prod", (0,), None)]
ZERO_SIZE += [("prod", (0, 3), 0), ("norm", (0,), None), ("mean", (3, 0), 0), ("max", (3, 0), 0)]
ZERO_SIZE += [("var", (3, 0), 0), ("std", (3, 0), 0)]


@pytest.mark.parametrize(("name", "shape", "axis"), ZERO_SIZE)
def test_reductions_of_nothing(name, shape, axis):
    x = Tensor(np.zeros(shape))
    y = getattr(F, name)(x, axis=axis)
    expected = np.linalg.norm if name == "norm" else getattr(np, name)
    assert_close(y.data, expected(np.zeros(shape), axis=axis))
    y.backward(seed=np.ones(y.shape))
    assert x.grad.shape == shape


def test_an_extreme_of_nothing_is_refused():
    for f in (F.max, F.min):
        with pytest.raises(ValueError, match=r"\(0,\)|zero-size"):
            f(Tensor(np.zeros(0)))


@pytest.mark.parametrize("axis", [2, -3, (0, 2), (0, 0)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_axes_that_do_not_exist_are_refused(name, axis):
    with pytest.raises((ValueError, IndexError)):
        getattr(F, name)(Tensor(np.ones((2, 3))), axis=axis)


PRODUCTS = [
    [2.0, 3.0, 4.0],
    [0.0, 3.0, 4.0],
    [0.0, 0.0, 4.0],
    [0.0, 0.0, 0.0],
    [-0.0, 3.0, -4.0],
    [5.0],
    [0.0],
    [1e200, 1e200, 1e-300],
    [-1.0, -1.0, -1.0, 2.0],
]


@pytest.mark.parametrize("x", PRODUCTS, ids=str)
def test_products_with_zeros(x):
    reference = lambda x: np.asarray(np.prod(x), object)  # noqa: E731
    huge = max(map(abs, x)) > 1e100
    if huge:
        t = Tensor(x)
        with np.errstate(over="ignore"):
            t.prod().backward()
        assert_close(t.grad[:2] / 1e-100, [1.0, 1.0])
    else:
        check(F.prod, reference, np.array(x))
        if len(x) == 3:
            H = hessian(lambda x: x.prod())(np.array(x))
            others = [[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]]
            assert_close(H, others)


def test_products_with_zeros_along_several_axes():
    x = normal(2, 3, 2, seed=1)
    x[0, 1, 0] = x[0, 1, 1] = x[1, 0, 0] = 0
    for axis in (0, 1, 2, (0, 1), (0, 2), (1, 2), None, (2, 0), -1):
        reference = lambda x, axis=axis: np.asarray(np.prod(x, axis=axis), object)  # noqa: E731
        check(lambda x, axis=axis: F.prod(x, axis=axis), reference, x, order=1)


TIES = [
    ("max", [1.0, 3.0, 3.0], [0, 0.5, 0.5]),
    ("max", [3.0, 3.0, 3.0], [1 / 3, 1 / 3, 1 / 3]),
    ("min", [1.0, 1.0, 3.0], [0.5, 0.5, 0]),
    ("max", [0.0, -0.0], [0.5, 0.5]),
    ("max", [np.inf, 1.0, np.inf], [0.5, 0, 0.5]),
    ("min", [-np.inf, 1.0], [1, 0]),
]


@pytest.mark.parametrize(("name", "x", "expected"), TIES)
def test_ties_share(name, x, expected):
    f = getattr(F, name)
    t = Tensor(x)
    f(t).backward()
    assert_close(t.grad, expected)
    t = Tensor([x, x])
    f(t, axis=1).backward(seed=np.array([2.0, -3.0]))
    assert_close(t.grad, np.outer([2.0, -3.0], expected))
    t = Tensor(x)
    f(t).backward(create_graph=True)
    assert_close(t.grad.data, expected)
    assert not np.any(hessian(f)(np.array(x)))


def test_no_spread_has_the_gradient_zero():
    for f in (F.std, F.norm):
        x = Tensor(np.zeros(3))
        f(x).backward()
        assert list(x.grad) == [0, 0, 0]
    x = Tensor(np.full((2, 3), 0.1))
    F.std(x, axis=1).sum().backward()
    assert np.all(np.isfinite(x.grad))
    assert np.max(np.abs(x.grad)) <= 1.0
    x = Tensor([[3.0, 4.0], [0.0, 0.0]])
    F.norm(x, axis=1).sum().backward()
    assert_close(x.grad, [[0.6, 0.8], [0.0, 0.0]])


def test_norm_neither_overflows_nor_underflows():
    for scale in (1e200, 1e-200, 1e300, 1e-300):
        x = Tensor(np.array([3.0, 4.0]) * scale)
        y = F.norm(x)
        assert y.item() == pytest.approx(5.0 * scale, rel=1e-15)
        y.backward()
        assert_close(x.grad, [0.6, 0.8], 1e-15)


CUMSUMS = [
    ((4,), 0),
    ((4,), None),
    ((2, 3), 0),
    ((2, 3), 1),
    ((2, 3), -1),
    ((2, 3), None),
    ((2, 2, 2), 1),
]
CUMSUMS += [((0,), 0), ((2, 0), 1)]


@pytest.mark.parametrize(("shape", "axis"), CUMSUMS, ids=str)
def test_cumsum(shape, axis):
    check(lambda x: F.cumsum(x, axis), lambda x: np.cumsum(x, axis), normal(*shape))


MATMULS = [
    ((3,), (3,)),
    ((1,), (1,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 2)),
    ((1, 3), (3, 1)),
    ((2, 2, 3), (3, 2)),
    ((2, 3), (2, 3, 2)),
    ((2, 2, 3), (2, 3, 1)),
    ((2, 1, 2, 3), (2, 3, 2)),
    ((1, 2, 3), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((3,), (2, 3, 2)),
    ((2, 1, 1, 3), (3,)),
    ((3,), (2, 1, 3, 1)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0,), (0,)),
    ((0,), (0, 2)),
    ((2, 3), (3, 0)),
    ((0, 2, 3), (3, 2)),
    ((1, 1, 3), (0, 3, 2)),
]


def m_matmul(x, y):
    if 0 in x.shape or 0 in y.shape:
        shape = np.matmul(np.zeros(x.shape), np.zeros(y.shape)).shape
        result = np.empty(shape, object)
        result[...] = mp.mpf(0)
        return result
    return np.asarray(np.matmul(x, y), object)


@pytest.mark.parametrize("shapes", MATMULS, ids=str)
def test_matmul(shapes):
    x, y = normal(*shapes[0], seed=1), normal(*shapes[1], seed=2)
    assert (Tensor(x) @ y).op is F.matmul
    check(F.matmul, m_matmul, x, y, order=2 if x.size + y.size < 16 else 1)


@pytest.mark.parametrize(
    "shapes", [((3,), (2,)), ((2, 3), (2, 3)), ((), (3,)), ((2, 2, 2), (3, 2, 2))]
)
def test_matmul_of_shapes_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="matmul"):
        Tensor(np.ones(shapes[0]), name="A") @ Tensor(np.ones(shapes[1]))
    with pytest.raises(ValueError, match=r"W"):
        np.ones((2, 3)) @ Tensor(np.ones((2, 3)), name="W")


def test_matmul_is_not_its_own_reflection():
    A, B = normal(2, 3), normal(3, 2, seed=1)
    assert_close((A @ Tensor(B)).data, A @ B)
    assert_close((Tensor(A) @ B).data, A @ B)


DOTS = [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((), (3,)), ((2, 2), ()), ((), ())]
DOTS += [((2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 1, 3), (3, 2))]


@pytest.mark.parametrize("shapes", DOTS, ids=str)
def test_dot(shapes):
    x, y = normal(*shapes[0], seed=1), normal(*shapes[1], seed=2)
    check(F.dot, lambda x, y: np.asarray(np.dot(x, y), object), x, y, order=1)


@pytest.mark.parametrize(
    "shapes", [((3,), (2,)), ((1,), (3,)), ((2, 2), (3,)), ((), (2,)), ((0,), (2,))]
)
def test_outer(shapes):
    x, y = normal(*shapes[0], seed=1), normal(*shapes[1], seed=2)
    check(F.outer, lambda x, y: np.asarray(np.outer(x, y), object), x, y)


x23 = (2, 3)
SHAPES = {
    "reshape": (x23, lambda m, x: m.reshape(x, (3, 2))),
    "reshape -1": (x23, lambda m, x: m.reshape(x, (-1, 2))),
    "reshape int": (x23, lambda m, x: m.reshape(x, -1)),
    "reshape to ()": ((1, 1), lambda m, x: m.reshape(x, ())),
    "reshape from ()": ((), lambda m, x: m.reshape(x, (1, 1))),
    "reshape of nothing": ((0, 3), lambda m, x: m.reshape(x, (3, 0, 2))),
    "reshape of nothing -1": ((0, 3), lambda m, x: m.reshape(x, (-1, 3))),
    "ravel": (x23, lambda m, x: m.ravel(x)),
    "ravel ()": ((), lambda m, x: m.ravel(x)),
    "transpose": (x23, lambda m, x: m.transpose(x)),
    "transpose 3": ((2, 1, 3), lambda m, x: m.transpose(x, (2, 0, 1))),
    "transpose cycle": ((2, 3, 4), lambda m, x: m.transpose(x, (1, 2, 0))),
    "transpose negative": ((2, 1, 3), lambda m, x: m.transpose(x, (-1, 0, -2))),
    "transpose 1-D": ((3,), lambda m, x: m.transpose(x)),
    "transpose None": ((2, 1, 3), lambda m, x: m.transpose(x, None)),
    "swapaxes": ((2, 1, 3), lambda m, x: m.swapaxes(x, 0, 2)),
    "swapaxes negative": ((2, 1, 3), lambda m, x: m.swapaxes(x, -1, 1)),
    "swapaxes same": (x23, lambda m, x: m.swapaxes(x, 1, -1)),
    "moveaxis": ((2, 3, 4), lambda m, x: m.moveaxis(x, 0, 2)),
    "moveaxis negative": ((2, 3, 4), lambda m, x: m.moveaxis(x, -1, 0)),
    "moveaxis many": ((2, 3, 4), lambda m, x: m.moveaxis(x, (0, 1), (-1, 0))),
    "moveaxis 4-D": ((2, 1, 3, 2), lambda m, x: m.moveaxis(x, [3, 0], [0, 2])),
    "broadcast_to": ((3,), lambda m, x: m.broadcast_to(x, (2, 3))),
    "broadcast_to inner": ((2, 1), lambda m, x: m.broadcast_to(x, (2, 2, 3))),
    "broadcast_to ()": ((), lambda m, x: m.broadcast_to(x, (2, 2))),
    "broadcast_to itself": (x23, lambda m, x: m.broadcast_to(x, (2, 3))),
    "broadcast_to nothing": ((1,), lambda m, x: m.broadcast_to(x, (0,))),
    "broadcast_to int": ((1,), lambda m, x: m.broadcast_to(x, 3)),
    "squeeze": ((1, 3, 1), lambda m, x: m.squeeze(x)),
    "squeeze axis": ((1, 3, 1), lambda m, x: m.squeeze(x, axis=0)),
    "squeeze negative": ((1, 3, 1), lambda m, x: m.squeeze(x, axis=-1)),
    "squeeze many": ((1, 3, 1), lambda m, x: m.squeeze(x, axis=(0, 2))),
    "squeeze all": ((1, 1), lambda m, x: m.squeeze(x)),
    "expand_dims": (x23, lambda m, x: m.expand_dims(x, 1)),
    "expand_dims negative": (x23, lambda m, x: m.expand_dims(x, -1)),
    "expand_dims many": ((3,), lambda m, x: m.expand_dims(x, (0, 2))),
    "expand_dims ()": ((), lambda m, x: m.expand_dims(x, 0)),
    "flip": (x23, lambda m, x: m.flip(x)),
    "flip axis": (x23, lambda m, x: m.flip(x, 1)),
    "flip negative": (x23, lambda m, x: m.flip(x, axis=-2)),
    "flip many": ((2, 2, 2), lambda m, x: m.flip(x, axis=(0, 2))),
}


@pytest.mark.parametrize("name", SHAPES)
def test_changes_of_shape(name):
    shape, f = SHAPES[name]
    check(lambda x: f(F, x), lambda x: np.asarray(f(np, x), object), normal(*shape))


WRONG = {
    "reshape": lambda x: F.reshape(x, (4, 2)),
    "reshape -1 -1": lambda x: F.reshape(x, (-1, -1)),
    "reshape -1": lambda x: F.reshape(x, (-1, 4)),
    "transpose out of range": lambda x: F.transpose(x, (0, 2)),
    "transpose repeated": lambda x: F.transpose(x, (0, 0)),
    "transpose too few": lambda x: F.transpose(x, (0,)),
    "transpose too many": lambda x: F.transpose(x, (0, 1, 2)),
    "swapaxes": lambda x: F.swapaxes(x, 0, 2),
    "swapaxes negative": lambda x: F.swapaxes(x, -3, 0),
    "moveaxis source": lambda x: F.moveaxis(x, 2, 0),
    "moveaxis destination": lambda x: F.moveaxis(x, 0, 5),
    "moveaxis repeated": lambda x: F.moveaxis(x, (0, 0), (0, 1)),
    "moveaxis lengths": lambda x: F.moveaxis(x, (0, 1), (0,)),
    "broadcast_to": lambda x: F.broadcast_to(x, (2, 4)),
    "broadcast_to fewer": lambda x: F.broadcast_to(x, (3,)),
    "squeeze": lambda x: F.squeeze(x, axis=0),
    "squeeze out of range": lambda x: F.squeeze(x, axis=4),
    "expand_dims": lambda x: F.expand_dims(x, 5),
    "flip": lambda x: F.flip(x, axis=2),
    "cumsum": lambda x: F.cumsum(x, axis=2),
}


@pytest.mark.parametrize("name", WRONG)
def test_shapes_and_axes_that_do_not_exist_are_refused(name):
    for x in (Tensor(np.ones((2, 3))), np.ones((2, 3))):
        with pytest.raises((ValueError, IndexError)):
            WRONG[name](x)


def test_methods_of_shape():
    x = Tensor(normal(2, 3))
    a = x.data.copy()
    assert_close(x.T.data, a.T)
    assert_close(x.reshape(3, 2).data, a.reshape(3, 2))
    assert_close(x.reshape((3, 2)).data, a.reshape(3, 2))
    assert_close(x.reshape(-1).data, a.ravel())
    assert_close(x.transpose().data, a.T)
    assert_close(x.transpose(1, 0).data, a.T)
    assert_close(x.transpose((1, 0)).data, a.T)
    assert_close(x.swapaxes(0, 1).data, a.T)
    assert_close(x.flatten().data, a.ravel())
    assert_close(x.ravel().data, a.ravel())
    assert_close(x.reshape(1, 2, 3).squeeze().data, a)
    assert_close(x.dot(np.ones(3)).data, a.sum(1))
    assert_close(x.cumsum(axis=0).data, a.cumsum(0))
    assert_close(x.clip(-0.5, 0.5).data, a.clip(-0.5, 0.5))
    assert_close(x.take([0, 0], axis=1).data, a.take([0, 0], axis=1))


def test_values_gathered_into_a_sum():
    vs = [Value(1.0), Value(2.0), Value(4.0)]
    y = F.prod(vs)
    y.backward()
    assert [v.grad for v in vs] == [8.0, 4.0, 2.0]
    F.sum([vs, vs], axis=0).backward(seed=np.array([1.0, 10.0, 100.0]))
    assert [v.grad for v in vs] == [10.0, 24.0, 202.0]


def test_derivative_of_a_long_composition():
    def f(m, x):
        y = m.transpose(m.reshape(x, (3, 2)))
        y = m.matmul(y, m.swapaxes(y, 0, 1))
        return m.sum(m.flip(y, 0) * m.cumsum(y, 1), axis=0)

    check(lambda x: f(F, x), lambda x: np.asarray(f(np, x), object), normal(2, 3))


def test_mean_of_integers_is_a_float():
    assert F.mean(np.array([1, 2])) == 1.5
    assert F.sum(np.array([True, False, True])) == 2.0
    assert grad(lambda x: F.mean(x))(np.array([1, 2])).dtype == np.float64


@pytest.mark.parametrize("far", [1e150, 1e300, 1e-300, np.inf, np.nan])
def test_each_norm_has_its_own_scale(far):
    x = np.array([[far, 0.0], [3e-20, 4e-20], [3e-170, 4e-170], [5e-324, 0.0], [3e307, 4e307]])
    norms = [5e-20, 5e-170, 5e-324, 5e307]
    assert_close(F.norm(x, axis=1)[1:] / norms, np.ones(4), 1e-15)
    assert_close(F.norm(x.T, axis=0, keepdims=True)[0, 1:] / norms, np.ones(4), 1e-15)
    t = Tensor(x)
    F.norm(t, axis=1).backward(seed=np.array([0.0, 1.0, 1.0, 1.0, 1.0]))
    assert_close(t.grad[1:], np.array([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0], [0.6, 0.8]]), 1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_norm_of_small_floats_keeps_dtype_and_range(dtype):
    largest = float(np.finfo(dtype).max)
    x = np.array([[largest / 2, largest / 2], [3e-7, 4e-7], [0.0, 0.0]], dtype)
    result = F.norm(x, axis=1)
    assert result.dtype == dtype
    assert np.allclose(result, [largest / 2**0.5, np.hypot(*x[1].astype(float)), 0.0], rtol=0.2)
    assert F.norm(np.zeros((0, 2), dtype), axis=0).tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("f", "shape", "ddof", "slopes"),
    [
        (F.var, (1,), 1, [np.nan]),
        (F.std, (1,), 1, [np.nan]),
        (F.var, (1,), 2, [np.nan]),
        (F.var, (2,), 2, [-np.inf, np.inf]),
        (F.var, (0,), 0, []),
        (F.std, (0,), 0, []),
        (F.var, (0,), 1, []),
    ],
)
def test_without_degrees_of_freedom_the_gradient_is_ieee(f, shape, ddof, slopes, create_graph):
    t = Tensor(np.arange(float(np.prod(shape))))
    y = f(t, ddof=ddof)
    assert np.array_equal(y.data, getattr(np, f.__name__)(t.data, ddof=ddof), equal_nan=True)
    y.backward(create_graph=create_graph)
    assert np.array_equal(np.asarray(t.grad), slopes, equal_nan=True)
