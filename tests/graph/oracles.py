"""Independent oracles: differences at 60 digits and dual numbers. They know nothing of rules.

``check`` holds a function of the library against the same function written in NumPy on arrays of
mpmath numbers: its values, its first and its second derivatives, on every road that leads to them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from micrograd_nn import Tensor, Value, grad, jvp, no_grad, vjp

mp = mpmath.mp.clone()
mp.dps = 60

UNIT = 2.0**-53
Array = Any


# ------------------------------------------------------------------------- many-digit arrays


def lift(x: Any) -> Array:
    """An array of mpmath numbers, exactly equal to x."""
    x = np.asarray(x)
    lifted = np.empty(x.shape, object)
    for i in np.ndindex(x.shape):
        lifted[i] = mp.mpf(float(x[i]))
    return lifted


def lowered(x: Any) -> Array:
    """An array of mpmath numbers rounded to float64."""
    x = np.asarray(x, object)
    result = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        result[i] = float(x[i])
    return result


def each(f: Callable[..., Any]) -> Callable[..., Array]:
    """f of mpmath numbers, applied to each element, with broadcasting."""

    def on_arrays(*args: Any) -> Array:
        args = tuple(np.asarray(a, object) for a in args)
        return np.asarray(np.frompyfunc(f, len(args), 1)(*args), object)

    return on_arrays


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def positive(*shape: int, seed: int = 0) -> Array:
    return np.exp(normal(*shape, seed=seed))


def _nudged(xs: Sequence[Array], i: int, index: tuple[int, ...], step: Any) -> list[Array]:
    moved = list(xs)
    moved[i] = xs[i].copy()
    moved[i][index] = moved[i][index] + step
    return moved


def jacobians(reference: Callable[..., Array], arrays: Sequence[Any]) -> list[Array]:
    """One matrix (output size, input size) per input, right to about 35 digits."""
    xs, h = [lift(a) for a in arrays], mp.mpf(10) ** -20
    result = []
    for i, x in enumerate(xs):
        columns = []
        for index in np.ndindex(x.shape):
            up = np.asarray(reference(*_nudged(xs, i, index, h)), object)
            down = np.asarray(reference(*_nudged(xs, i, index, -h)), object)
            columns.append(np.asarray((up - down) / (2 * h), object).reshape(-1))
        rows = np.asarray(reference(*xs), object).size
        matrix = np.empty((rows, len(columns)), object)
        for j, column in enumerate(columns):
            matrix[:, j] = column
        result.append(matrix)
    return result


def second_products(
    reference: Callable[..., Array], arrays: Sequence[Any], g: Array, tangents: Sequence[Array]
) -> list[Array]:
    """The derivative along ``tangents`` of the gradient of <g, reference>, one array per input."""
    xs, vs, h = [lift(a) for a in arrays], [lift(t) for t in tangents], mp.mpf(10) ** -14
    g = lift(g).reshape(-1)

    def product(points: Sequence[Array]) -> Any:
        return np.dot(g, np.asarray(reference(*points), object).reshape(-1))

    result = []
    for i, x in enumerate(xs):
        out = np.empty(x.shape, object)
        for index in np.ndindex(x.shape):
            total = 0
            for side in (1, -1):
                for along in (1, -1):
                    moved = _nudged(xs, i, index, side * h)
                    moved = [m + along * h * v for m, v in zip(moved, vs, strict=True)]
                    total += side * along * product(moved)
            out[index] = total / (4 * h * h)
        result.append(lowered(out))
    return result


# ------------------------------------------------------------------------------- comparisons


def assert_close(
    actual: Any, expected: Any, rtol: float = 1e-12, what: str = "", floor: float = 0.0
) -> None:
    """Equal in shape, and in values to ``rtol`` of the largest of them (``floor`` at least)."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape} for {expected.shape}"
    finite = np.abs(expected[np.isfinite(expected)])
    scale = np.max(finite, initial=floor)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale, err_msg=what)


def ulps(actual: float, exact: Any) -> float:
    """How many units in the last place ``actual`` is from an mpmath number."""
    if abs(exact) >= mp.mpf(2) ** 1024:
        return 0.0 if actual == (np.inf if exact > 0 else -np.inf) else np.inf
    if not np.isfinite(actual):
        return np.inf
    return float(abs(mp.mpf(float(actual)) - exact) / mp.mpf(float(np.spacing(abs(float(exact))))))


def gradient(node: Any) -> Array:
    return np.asarray(node.grad, float)


def plain(x: Any) -> Array:
    return np.asarray(x.data if isinstance(x, (Tensor, Value)) else x)


def inner(x: Any, g: Any) -> Any:
    """<g, x> as a scalar node or number."""
    return (x * g).sum()


# ------------------------------------------------------------------------------ the big check


def check(
    f: Callable[..., Any],
    reference: Callable[..., Array],
    *arrays: Any,
    order: int = 2,
    rtol: float = 1e-12,
    float32: bool = True,
) -> None:
    """Hold ``f`` against ``reference`` in every way that the contract promises."""
    arrays = tuple(np.asarray(a, float) for a in arrays)
    before = copy.deepcopy(arrays)
    rng = np.random.default_rng(7)
    expected = lowered(reference(*map(lift, arrays)))
    g = np.asarray(rng.normal(size=expected.shape))
    tangents = [np.asarray(rng.normal(size=a.shape)) for a in arrays]
    J = jacobians(reference, arrays)
    pulled = [
        lowered(np.dot(lift(g).reshape(-1), j).reshape(a.shape)) if a.size else np.zeros(a.shape)
        for a, j in zip(arrays, J, strict=True)
    ]
    pushed = np.zeros(expected.shape)
    for j, t in zip(J, tangents, strict=True):
        if t.size:
            pushed = pushed + lowered(np.dot(j, lift(t).reshape(-1)).reshape(expected.shape))

    assert_close(f(*arrays), expected, rtol, "on arrays")
    _check_backward(f, arrays, g, expected, pulled, rtol)
    _check_functional(f, arrays, g, expected, pulled, pushed, tangents, rtol)
    if len(arrays) > 1:
        _check_constants(f, arrays, g, pulled, rtol)
    _check_layouts(f, arrays, g, expected, pulled, rtol)
    if float32:
        _check_float32(f, arrays, g, expected, pulled)
    if order > 1:
        _check_second(f, reference, arrays, g, tangents)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b, "an input was modified")


def _check_backward(
    f: Any, arrays: Any, g: Array, expected: Array, pulled: Sequence[Array], rtol: float
) -> None:
    xs = [Tensor(a) for a in arrays]
    y = f(*xs)
    assert_close(y.data, expected, rtol, "forward on tensors")
    y.backward(seed=g)
    for i, (x, p) in enumerate(zip(xs, pulled, strict=True)):
        assert_close(x.grad, p, rtol, f"gradient of argument {i}", floor=1e-2)
    y.backward(seed=2 * g)
    for i, (x, p) in enumerate(zip(xs, pulled, strict=True)):
        assert_close(x.grad, 3 * p, rtol, f"accumulated gradient of argument {i}", floor=1e-2)
        x.zero_grad()
        assert not np.any(x.grad)
    y.backward(seed=g, create_graph=True)
    for i, (x, p) in enumerate(zip(xs, pulled, strict=True)):
        assert_close(plain(x.grad), p, rtol, f"recorded gradient of argument {i}", floor=1e-2)
    with no_grad():
        z = f(*xs)
    assert_close(plain(z), expected, rtol, "forward under no_grad")
    assert z.op is None


def _check_functional(
    f: Any,
    arrays: Any,
    g: Array,
    expected: Array,
    pulled: Any,
    pushed: Array,
    tangents: Any,
    rtol: float,
) -> None:
    value, pullback = vjp(f, *arrays)
    assert_close(value, expected, rtol, "value of vjp")
    for i, (a, p) in enumerate(zip(pullback(g), pulled, strict=True)):
        assert_close(a, p, rtol, f"vjp of argument {i}", floor=1e-2)
    value, tangent = jvp(f, arrays, tuple(tangents))
    assert_close(value, expected, rtol, "value of jvp")
    assert_close(tangent, pushed, rtol * 4, "jvp", floor=1e-2)


def _check_constants(f: Any, arrays: Any, g: Array, pulled: Any, rtol: float) -> None:
    for i in range(len(arrays)):
        x = Tensor(arrays[i])
        f(*(x if k == i else a for k, a in enumerate(arrays))).backward(seed=g)
        assert_close(x.grad, pulled[i], rtol, f"argument {i}, the others plain", floor=1e-2)
        xs = [Tensor(a, requires_grad=k == i) for k, a in enumerate(arrays)]
        f(*xs).backward(seed=g)
        assert_close(xs[i].grad, pulled[i], rtol, f"argument {i}, the others constant", floor=1e-2)
        for k, x in enumerate(xs):
            assert k == i or not np.any(x.grad), "a constant got a gradient"


def _strange(a: Array) -> Array:
    """The same numbers, laid out backwards with gaps."""
    wide = np.full(tuple(2 * n for n in a.shape), np.nan)
    view = wide[(..., *(slice(None, None, -2) for _ in a.shape))]
    view[...] = a
    return view


def _check_layouts(
    f: Any, arrays: Any, g: Array, expected: Array, pulled: Any, rtol: float
) -> None:
    for layout in (_strange, lambda a: np.array(a, order="F")):
        laid = [layout(a) for a in arrays]
        assert_close(f(*laid), expected, rtol, "on a strange layout")
        xs = [Tensor(a) for a in laid]
        f(*xs).backward(seed=layout(g))
        for i, (x, p) in enumerate(zip(xs, pulled, strict=True)):
            assert_close(x.grad, p, rtol, f"argument {i} in a strange layout", floor=1e-2)


def _check_float32(f: Any, arrays: Any, g: Array, expected: Array, pulled: Any) -> None:
    small = [a.astype(np.float32) for a in arrays]
    assert np.asarray(f(*small)).dtype == np.float32, "float32 arrays"
    xs = [Tensor(a) for a in small]
    y = f(*xs)
    assert y.dtype == np.float32 == y.data.dtype, "float32 tensors"
    assert_close(y.data, expected, 3e-5, "float32", floor=1e-2)
    y.backward(seed=g)
    for x, p in zip(xs, pulled, strict=True):
        assert x.grad.dtype == np.float32, "float32 gradient"
        assert_close(x.grad, p, 1e-4, "float32 gradient", floor=1e-2)


def _check_second(f: Any, reference: Any, arrays: Any, g: Array, tangents: Any) -> None:
    every = tuple(range(len(arrays)))
    expected = second_products(reference, arrays, g, tangents)
    first = grad(lambda *xs: inner(f(*xs), g), every)

    def along(*xs: Any) -> Any:
        return sum(inner(d, t) for d, t in zip(first(*xs), tangents, strict=True))

    for i, (a, e) in enumerate(zip(grad(along, every)(*arrays), expected, strict=True)):
        assert_close(a, e, 1e-11, f"second derivative, argument {i}", floor=1e-2)
    for i, e in enumerate(expected):
        _, tangent = jvp(lambda *xs, i=i: first(*xs)[i], arrays, tuple(tangents))
        assert_close(tangent, e, 1e-11, f"jvp of the gradient, argument {i}", floor=1e-2)


# ------------------------------------------------------------------------------- dual numbers


class Dual:
    """a + b ε with ε² = 0. The parts may be duals themselves, which gives second derivatives."""

    def __init__(self, real: Any, slope: Any) -> None:
        self.real, self.slope = real, slope

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.real + other.real, self.slope + other.slope)

    def __sub__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.real - other.real, self.slope - other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.real * other.real, self.real * other.slope + self.slope * other.real)

    def __truediv__(self, other: Any) -> Dual:
        other = _dual(other)
        quotient = self.real / other.real
        return Dual(quotient, (self.slope - quotient * other.slope) / other.real)

    def __rsub__(self, other: Any) -> Dual:
        return _dual(other) - self

    def __rtruediv__(self, other: Any) -> Dual:
        return _dual(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Dual:
        return Dual(-self.real, -self.slope)


def _dual(x: Any) -> Dual:
    return x if isinstance(x, Dual) else Dual(x, 0)


def base(x: Any) -> Any:
    """The number at the bottom of a dual, or of a dual of duals."""
    while isinstance(x, Dual):
        x = x.real
    return x


def _chain(name: str, slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        if not isinstance(x, Dual):
            return getattr(mp, name)(x)
        return Dual(function(x.real), slope(x.real) * x.slope)

    return function


dual_exp = _chain("exp", lambda x: dual_exp(x))
dual_sin = _chain("sin", lambda x: dual_cos(x))
dual_cos = _chain("cos", lambda x: -dual_sin(x))
dual_log = _chain("log", lambda x: 1 / x)
dual_sqrt = _chain("sqrt", lambda x: 1 / (2 * dual_sqrt(x)))


def dual_tanh(x: Any) -> Any:
    e = dual_exp(2 * x)
    return (e - 1) / (e + 1)


def dual_sigmoid(x: Any) -> Any:
    return 1 / (1 + dual_exp(-x))


def dual_relu(x: Any) -> Any:
    return x if base(x) > 0 else x * 0


def dual_abs(x: Any) -> Any:
    return x if base(x) > 0 else -x if base(x) < 0 else x * 0


def dual_maximum(x: Any, y: Any) -> Any:
    if base(x) == base(y):
        return (x + y) / 2
    return x if base(x) > base(y) else y


def dual_minimum(x: Any, y: Any) -> Any:
    return -dual_maximum(-x, -y)
