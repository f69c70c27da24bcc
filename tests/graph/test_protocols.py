"""NumPy's own functions and operators on nodes: right, or refused; never something else."""

import numpy as np
import pytest
from oracles import assert_close, normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad

X = np.array([[0.5, 1.5, 2.0], [3.0, 0.25, 1.0]])

UFUNCS = "exp expm1 log log1p sqrt sin cos tan arctan sinh cosh tanh sign absolute fabs"
UFUNCS += " negative positive square reciprocal"


@pytest.mark.parametrize("name", UFUNCS.split())
def test_functions_of_one_argument(name):
    f = getattr(np, name)
    t, v = Tensor(X), Value(0.5)
    y, z = f(t), f(v)
    assert type(y) is Tensor
    assert type(z) is Value
    assert_close(y.data, f(X))
    assert_close(z.data, f(0.5))
    y.backward(seed=np.ones((2, 3)))
    z.backward()
    h = 1e-6
    assert_close(t.grad, (f(X + h) - f(X - h)) / (2 * h), 1e-8)
    assert v.grad == pytest.approx(float((f(0.5 + h) - f(0.5 - h)) / (2 * h)), rel=1e-8)


BINARY = "add subtract multiply divide true_divide power float_power maximum minimum"


@pytest.mark.parametrize("name", BINARY.split())
def test_functions_of_two_arguments(name):
    f = getattr(np, name)
    other = np.array([1.25, 0.75, 2.5])
    for a, b in [
        (Tensor(X), other),
        (other, Tensor(X)),
        (Tensor(X), Tensor(other)),
        (Tensor(X), 2.5),
    ]:
        y = f(a, b)
        assert type(y) is Tensor
        assert_close(y.data, f(getattr(a, "data", a) if isinstance(a, Tensor) else a,
                               getattr(b, "data", b) if isinstance(b, Tensor) else b))  # fmt: skip
    assert type(f(Value(2.0), 3.0)) is Value
    assert type(f(np.float64(2.0), Value(3.0))) is Value
    assert f(np.float64(2.0), Value(3.0)).data == float(f(2.0, 3.0))


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "**"])
def test_operators_with_arrays_on_the_left(op):
    f = eval(f"lambda a, b: a {op} b")  # noqa: S307 (five known texts)
    a = np.array([[1.25], [2.0]])
    t = Tensor(X)
    y = f(a, t)
    assert type(y) is Tensor
    assert y.shape == (2, 3)
    assert_close(y.data, f(a, X))
    for scalar in (np.float64(2.0), np.float32(2.0), np.int64(2), np.array(2.0)):
        assert type(f(scalar, t)) is Tensor
        assert_close(f(scalar, t).data, f(2.0, X))
        assert_close(f(scalar, Value(3.0)).data, f(2.0, 3.0))


def test_matmul_with_arrays_on_either_side():
    W = Tensor(normal(3, 2))
    assert type(X @ W) is Tensor
    assert_close((X @ W).data, X @ W.data)
    assert_close((W.T @ X.T).data, W.data.T @ X.T)
    assert_close(np.matmul(X, W).data, X @ W.data)
    assert_close(np.dot(X, W).data, X @ W.data)


#: Calls that NumPy takes; on tensors they must give the same, with a gradient, or raise TypeError.
CALLS = {
    "sum": lambda x: np.sum(x),
    "sum axis": lambda x: np.sum(x, axis=0),
    "sum positional": lambda x: np.sum(x, 1),
    "sum keepdims": lambda x: np.sum(x, axis=1, keepdims=True),
    "sum axes": lambda x: np.sum(x, axis=(0, 1)),
    "mean": lambda x: np.mean(x, axis=-1),
    "prod": lambda x: np.prod(x, axis=0),
    "max": lambda x: np.max(x, axis=1),
    "amax": lambda x: np.amax(x, axis=1),
    "min": lambda x: np.min(x),
    "amin": lambda x: np.amin(x),
    "var": lambda x: np.var(x, axis=0),
    "var ddof": lambda x: np.var(x, axis=1, ddof=1),
    "std": lambda x: np.std(x),
    "std keepdims": lambda x: np.std(x, axis=0, ddof=1, keepdims=True),
    "cumsum": lambda x: np.cumsum(x),
    "cumsum axis": lambda x: np.cumsum(x, axis=1),
    "norm": lambda x: np.linalg.norm(x),
    "norm axis": lambda x: np.linalg.norm(x, axis=1),
    "norm axis keepdims": lambda x: np.linalg.norm(x, axis=1, keepdims=True),
    "dot": lambda x: np.dot(x, np.ones(3)),
    "outer": lambda x: np.outer(x, [1.0, 2.0]),
    "transpose": lambda x: np.transpose(x),
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "reshape -1": lambda x: np.reshape(x, -1),
    "ravel": lambda x: np.ravel(x),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 0)),
    "squeeze axis": lambda x: np.squeeze(np.expand_dims(x, 0), axis=0),
    "expand_dims": lambda x: np.expand_dims(x, axis=(0, 2)),
    "flip": lambda x: np.flip(x),
    "flip axis": lambda x: np.flip(x, axis=1),
    "take": lambda x: np.take(x, [0, 0, 5]),
    "take axis": lambda x: np.take(x, [2, 0], axis=1),
    "concatenate": lambda x: np.concatenate([x, X, x], axis=0),
    "concatenate kw": lambda x: np.concatenate((x, x), axis=1),
    "stack": lambda x: np.stack([x, X], axis=-1),
    "split": lambda x: np.split(x, 2)[1],
    "split axis": lambda x: np.split(x, [1], axis=1)[1],
    "pad": lambda x: np.pad(x, 1),
    "pad pairs": lambda x: np.pad(x, ((1, 0), (0, 2))),
    "where": lambda x: np.where(X > 1, x, -x),
    "where scalar": lambda x: np.where(X > 1, x, 0),
    "clip": lambda x: np.clip(x, 0.4, 1.7),
    "clip None": lambda x: np.clip(x, None, 1.7),
}


@pytest.mark.parametrize("name", CALLS)
def test_array_functions(name):
    f = CALLS[name]
    t = Tensor(X)
    y = f(t)
    assert type(y) is Tensor
    expected = f(X)
    assert_close(y.data, expected)
    g = normal(*np.shape(expected))
    y.backward(seed=g)
    h = 1e-6
    for i in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[i] = h
        slope = np.sum(g * (f(X + step) - f(X - step))) / (2 * h)
        assert t.grad[i] == pytest.approx(slope, abs=1e-7)


#: NumPy's other arguments: honoured or refused with TypeError, not dropped, not misread.
OTHER_ARGUMENTS = {
    "norm ord": lambda x: np.linalg.norm(x, 1),
    "norm ord 2 of a matrix": lambda x: np.linalg.norm(x, 2),
    "norm ord kw": lambda x: np.linalg.norm(x, ord=np.inf, axis=1),
    "norm ord 1 axis": lambda x: np.linalg.norm(x, 1, 0),
    "norm fro": lambda x: np.linalg.norm(x, "fro"),
    "norm None axis": lambda x: np.linalg.norm(x, None, 1),
    "sum dtype": lambda x: np.sum(x, 0, np.float64),
    "sum dtype kw": lambda x: np.sum(x, dtype=np.float64),
    "sum all positional": lambda x: np.sum(x, 0, None, None, True),
    "sum initial": lambda x: np.sum(x, initial=10.0),
    "sum where": lambda x: np.sum(x, where=X > 1),
    "mean dtype": lambda x: np.mean(x, 0, np.float64),
    "mean positional": lambda x: np.mean(x, 0, None, None, True),
    "mean where": lambda x: np.mean(x, where=X > 1),
    "max initial": lambda x: np.max(x, initial=100.0),
    "max positional": lambda x: np.max(x, 0, None, True),
    "max where": lambda x: np.max(x, initial=0.0, where=X < 1),
    "prod initial": lambda x: np.prod(x, initial=2.0),
    "prod dtype": lambda x: np.prod(x, 0, np.float64),
    "var positional": lambda x: np.var(x, 0, None, None, 1),
    "var dtype": lambda x: np.var(x, 0, np.float64),
    "std positional": lambda x: np.std(x, 0, None, None, 1, True),
    "std where": lambda x: np.std(x, where=X > 0.4),
    "cumsum dtype": lambda x: np.cumsum(x, 0, np.float64),
    "add.reduce": lambda x: np.add.reduce(x),
    "add.reduce axis": lambda x: np.add.reduce(x, axis=1),
    "add.reduce all": lambda x: np.add.reduce(x, axis=None),
    "add.reduce positional": lambda x: np.add.reduce(x, 1),
    "add.reduce keepdims": lambda x: np.add.reduce(x, axis=1, keepdims=True),
    "add.reduce initial": lambda x: np.add.reduce(x, initial=10.0),
    "add.reduce where": lambda x: np.add.reduce(x, where=X > 1),
    "add.reduce dtype": lambda x: np.add.reduce(x, dtype=np.float64),
    "add.reduce positional dtype": lambda x: np.add.reduce(x, 0, np.float64),
    "multiply.reduce": lambda x: np.multiply.reduce(x),
    "maximum.reduce": lambda x: np.maximum.reduce(x, axis=1),
    "add.accumulate": lambda x: np.add.accumulate(x),
    "multiply.outer": lambda x: np.multiply.outer(x, [1.0, 2.0]),
    "add.at": lambda x: np.add.reduceat(x, [0, 1]),
    "add where": lambda x: np.add(x, 1.0, where=True),
    "add dtype": lambda x: np.add(x, 1.0, dtype=np.float64),
    "exp dtype": lambda x: np.exp(x, dtype=np.float64),
    "reshape shape": lambda x: np.reshape(x, shape=(3, 2)),
    "reshape order": lambda x: np.reshape(x, (3, 2), order="F"),
    "reshape order positional": lambda x: np.reshape(x, (3, 2), "F"),
    "ravel order": lambda x: np.ravel(x, order="F"),
    "ravel order positional": lambda x: np.ravel(x, "F"),
    "transpose axes": lambda x: np.transpose(x, axes=(1, 0)),
    "pad mode": lambda x: np.pad(x, 1, "edge"),
    "pad mode kw": lambda x: np.pad(x, 1, mode="reflect"),
    "pad constant": lambda x: np.pad(x, 1, mode="constant"),
    "pad values": lambda x: np.pad(x, 1, constant_values=5.0),
    "take mode": lambda x: np.take(x, [0, 7], mode="wrap"),
    "take mode positional": lambda x: np.take(x, [0, 7], None, None, "wrap"),
    "clip a_min": lambda x: np.clip(x, a_min=0.4, a_max=1.7),
    "clip min": lambda x: np.clip(x, 0.4, 1.7, dtype=np.float64),
    "split kw": lambda x: np.split(x, indices_or_sections=2)[0],
    "concatenate dtype": lambda x: np.concatenate([x, x], dtype=np.float64),
    "stack dtype": lambda x: np.stack([x, x], dtype=np.float64),
    "moveaxis kw": lambda x: np.moveaxis(x, source=0, destination=1),
    "swapaxes kw": lambda x: np.swapaxes(x, axis1=0, axis2=1),
    "where one": lambda x: np.where(x)[0],
    "log2": lambda x: np.log2(x),
    "hypot": lambda x: np.hypot(x, x),
    "arctan2": lambda x: np.arctan2(x, 2.0),
    "logaddexp": lambda x: np.logaddexp(x, 1.0),
    "mod": lambda x: np.mod(x, 2.0),
    "floor": lambda x: np.floor(x),
    "rint": lambda x: np.rint(x),
    "median": lambda x: np.median(x),
    "sort": lambda x: np.sort(x),
    "einsum": lambda x: np.einsum("ij->i", x),
    "tensordot": lambda x: np.tensordot(x, X.T, 1),
    "inner": lambda x: np.inner(x, X),
    "vstack": lambda x: np.vstack([x, x]),
    "trace": lambda x: np.trace(x),
    "diag": lambda x: np.diag(x),
    "tile": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2),
    "roll": lambda x: np.roll(x, 1),
    "copy": lambda x: np.copy(x),
    "diff": lambda x: np.diff(x),
    "average": lambda x: np.average(x, axis=0),
    "nansum": lambda x: np.nansum(x),
    "inv": lambda x: np.linalg.inv(x @ x.T),
    "det": lambda x: np.linalg.det(x @ x.T),
    "interp": lambda x: np.interp(X.ravel(), [0.0, 4.0], [0.0, 4.0]).sum() * x,
}
PREDICATES = {"floor", "rint", "where one"}


@pytest.mark.parametrize("name", OTHER_ARGUMENTS)
def test_other_arguments_and_functions_are_right_or_refused(name):
    f = OTHER_ARGUMENTS[name]
    expected = f(X)
    t = Tensor(X)
    try:
        y = f(t)
    except (TypeError, NotImplementedError):
        return
    assert_close(np.asarray(y), expected)
    if name in PREDICATES:
        return
    assert type(y) is Tensor, "the graph was lost silently"
    g = normal(*np.shape(expected))
    y.backward(seed=g)
    h = 1e-6
    step = normal(2, 3, seed=4)
    slope = np.sum(g * (f(X + h * step) - f(X - h * step))) / (2 * h)
    assert np.sum(t.grad * step) == pytest.approx(slope, abs=1e-6)


#: NumPy's own names of arguments that our functions know by other names: they must work.
NAMED = [
    "transpose axes",
    "reshape shape",
    "pad constant",
    "clip a_min",
    "split kw",
    "moveaxis kw",
    "swapaxes kw",
]


@pytest.mark.parametrize("name", NAMED)
def test_numpys_names_of_arguments_work(name):
    f = OTHER_ARGUMENTS[name]
    assert_close(f(Tensor(X)).data, f(X))


def test_results_cannot_be_written_into_arrays():
    out = np.zeros((2, 3))
    t = Tensor(X)
    for f in (
        lambda: np.add(t, 1.0, out=out),
        lambda: np.exp(t, out=out),
        lambda: np.sum(t, axis=0, out=out[0]),
        lambda: np.matmul(t, np.ones((3, 3)), out=out),
        lambda: np.concatenate([t[:1], t[1:]], out=out),
        lambda: np.add(X, 1.0, out=t),
    ):
        with pytest.raises(TypeError):
            f()
    a = X.copy()
    with pytest.raises(TypeError):
        a += t
    assert not np.any(out)


def test_augmented_assignment_makes_a_new_node():
    t = u = Tensor(X)
    u += 1.0
    u *= X
    assert_close(t.data, X)
    assert_close(u.data, (X + 1) * X)
    u.sum().backward()
    assert_close(t.grad, X)


PREDICATE_CALLS = [np.isnan, np.isinf, np.isfinite, np.signbit]


@pytest.mark.parametrize("f", PREDICATE_CALLS)
def test_predicates_look_at_the_data(f):
    x = np.array([1.0, -np.inf, np.nan])
    assert np.array_equal(np.asarray(f(Tensor(x))), f(x))
    assert bool(f(Value(1.0))) == bool(f(1.0))


def test_comparisons_through_numpy():
    t = Tensor(X)
    assert np.array_equal(np.greater(t, 1.0), X > 1)
    assert np.array_equal(np.less_equal(X, t), X <= X)
    assert np.allclose(t, X)
    assert np.array_equal(t, X)
    assert np.argmax(t) == np.argmax(X)
    assert np.array_equal(np.argsort(t, axis=1), np.argsort(X, axis=1))
    assert np.shape(t) == (2, 3)
    assert np.ndim(t) == 2
    assert np.size(t) == 6
    np.testing.assert_allclose(t.data, X)


def test_zeros_like_is_an_array():
    z = np.zeros_like(Tensor(np.ones(2, np.float32)))
    assert type(z) is np.ndarray
    assert z.dtype == np.float32


def test_python_functions_written_for_numpy_are_differentiable():
    def mlp(x, W1, b1, W2):
        h = np.maximum(x @ W1.T + b1, 0.0)
        logits = h @ W2.T
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[:, 0])

    x, W1, b1, W2 = normal(4, 2), normal(3, 2, seed=1), normal(3, seed=2), normal(2, 3, seed=3)
    tensors = [Tensor(a) for a in (W1, b1, W2)]
    loss = mlp(x, *tensors)
    loss.backward()
    assert loss.item() == pytest.approx(float(mlp(x, W1, b1, W2)), rel=1e-14)
    h = 1e-6
    for k, (t, a) in enumerate(zip(tensors, (W1, b1, W2), strict=True)):
        step = normal(*a.shape, seed=9)
        moved = [
            [w + s * h * step if i == k else w for i, w in enumerate((W1, b1, W2))] for s in (1, -1)
        ]
        slope = (mlp(x, *moved[0]) - mlp(x, *moved[1])) / (2 * h)
        assert np.sum(t.grad * step) == pytest.approx(float(slope), rel=1e-6)


def test_second_derivatives_through_numpys_names():
    f = lambda x: np.sum(np.exp(x) * x)  # noqa: E731
    assert_close(grad(lambda x: np.sum(grad(f)(x)))(X), np.exp(X) * (X + 2))


def test_values_in_numpy_functions():
    v = Value(2.0)
    y = np.exp(v) * np.array([1.0, 2.0])
    assert type(y) is Tensor
    y.sum().backward()
    assert v.grad == pytest.approx(3 * np.exp(2.0))
    total = np.sum([Value(1.0), Value(2.0)])
    assert float(total.data) == 3.0
    assert F.sum([v, v]).item() == 4.0
