"""Every elementary derivative to 4 units in the last place; products and sums to 8 u |J|ᵀ|g|."""

import math

import numpy as np
import pytest
from oracles import UNIT, each, jacobians, lift, mp, normal, positive, ulps

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, grad
from micrograd_nn.graph.table import fused

LIMIT = 4.0
rng = np.random.default_rng(2024)

TINY = [5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e-200, 1e-100, 1e-50, 1e-20, 1e-9, 1e-5]
MIDDLE = [
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    1.2784645,
    2.0,
    3.0,
    5.0,
    8.0,
    13.0,
    19.0,
    20.5,
    26.0,
    27.2,
    37.0,
    40.0,
]
FAR = [88.0, 100.0, 300.0, 354.0, 356.0, 372.0, 400.0, 699.0, 700.0]
HUGE = [1e4, 1e5, 1e16, 1e100, 1e154, 1e155, 1e160, 1e200, 1e300, 1.7e308]


def both_signs(points):
    return [0.0] + [s * p for p in points for s in (1.0, -1.0)]


SPREAD = [float(x) for x in np.concatenate([rng.uniform(-5, 5, 60), rng.uniform(-700, 700, 60)])]
LOGS = [float(x) for x in np.exp(rng.uniform(-690, 690, 60))]
REAL = both_signs(TINY + MIDDLE + FAR) + SPREAD
EVERYWHERE = REAL + both_signs(HUGE)
UP_TO_SQUARES = [x for x in EVERYWHERE if abs(x) < 1e153]  # beyond, 1 + x² overflows
POSITIVE = TINY + MIDDLE + FAR + HUGE + LOGS
ABOVE_MINUS_ONE = POSITIVE + [-p for p in [*TINY, 0.1, 0.5, 0.75, 0.999, 1 - 2**-53]]
NEAR_POLES = [
    math.pi / 2,
    -math.pi / 2,
    3 * math.pi / 2,
    math.nextafter(math.pi / 2, 0),
    11.0,
    344.0,
    710.0,
]


def m_sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def m_phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2 if abs(x) < 1e5 else mp.mpf(x > 0)


def m_pdf(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def m_gelu_slope(x):
    return m_phi(x) + x * m_pdf(x)


def m_silu_slope(x):
    return m_sigmoid(x) * (1 + x * m_sigmoid(-x))


#: name: (f, its exact derivative, points, what the error is measured by where it isn't the result)
DERIVATIVES = {
    "exp": (F.exp, mp.exp, [*EVERYWHERE, 709.0, -745.0], None),
    "expm1": (F.expm1, mp.exp, [*EVERYWHERE, 709.0, -745.0], None),
    "log": (F.log, lambda x: 1 / x, POSITIVE, None),
    "log1p": (F.log1p, lambda x: 1 / (1 + x), ABOVE_MINUS_ONE, None),
    "sqrt": (F.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), POSITIVE, None),
    "sin": (F.sin, mp.cos, REAL + NEAR_POLES + [1e5, -1e5], None),
    "cos": (F.cos, lambda x: -mp.sin(x), REAL + NEAR_POLES + [1e5, -1e5], None),
    "tan": (F.tan, lambda x: 1 / mp.cos(x) ** 2, REAL + NEAR_POLES + [1e5, -1e5], None),
    "arctan": (F.arctan, lambda x: 1 / (1 + x * x), UP_TO_SQUARES, None),
    "sinh": (F.sinh, mp.cosh, [*EVERYWHERE, 710.0], None),
    "cosh": (F.cosh, mp.sinh, [*EVERYWHERE, 710.0], None),
    "tanh": (F.tanh, lambda x: 4 / (mp.exp(x) + mp.exp(-x)) ** 2, EVERYWHERE, None),
    "sigmoid": (F.sigmoid, lambda x: m_sigmoid(x) * m_sigmoid(-x), EVERYWHERE, None),
    "softplus": (F.softplus, m_sigmoid, EVERYWHERE, None),
    "erf": (F.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), EVERYWHERE, None),
    "gelu": (F.gelu, m_gelu_slope, EVERYWHERE, None),
    "silu": (F.silu, m_silu_slope, EVERYWHERE, None),
    "elu": (F.elu, lambda x: mp.exp(x) if x < 0 else mp.mpf(1), EVERYWHERE, None),
    "elu(alpha=0.3)": (
        lambda x: F.elu(x, 0.3),
        lambda x: mp.mpf(0.3) * mp.exp(x) if x < 0 else mp.mpf(1),
        [x for x in EVERYWHERE if x],
        None,
    ),
    "bce(y=1)": (
        lambda x: fused.bce_with_logits(x, 1.0),
        lambda x: -m_sigmoid(-x),
        EVERYWHERE,
        None,
    ),
    "bce(y=0)": (lambda x: fused.bce_with_logits(x, 0.0), m_sigmoid, EVERYWHERE, None),
    "bce(y=0.3)": (
        lambda x: fused.bce_with_logits(x, 0.3),
        lambda x: m_sigmoid(x) - mp.mpf(0.3),
        EVERYWHERE,
        lambda x: m_sigmoid(x) * mp.mpf(0.7) + m_sigmoid(-x) * mp.mpf(0.3),
    ),
    "1 / x": (
        lambda x: 1 / x,
        lambda x: -1 / (x * x),
        both_signs(TINY[3:] + MIDDLE + FAR + HUGE)[1:],
        None,
    ),
    "1e300 / x": (lambda x: 1e300 / x, lambda x: -mp.mpf(1e300) / (x * x), POSITIVE[4:], None),
    "1e-300 / x": (lambda x: 1e-300 / x, lambda x: -mp.mpf(1e-300) / (x * x), POSITIVE, None),
    "x / 3": (lambda x: x / 3, lambda x: 1 / mp.mpf(3), REAL, None),
    "2 ** x": (lambda x: 2.0**x, lambda x: mp.mpf(2) ** x * mp.log(2), REAL, None),
    "0.7 ** x": (lambda x: 0.7**x, lambda x: mp.mpf(0.7) ** x * mp.log(mp.mpf(0.7)), REAL, None),
}
for _n in (-3, -2, -1, -0.5, 0.1, 0.3, 0.5, 1, 1.5, 2, 2.7, 3, 10, 1e-10):
    DERIVATIVES[f"x ** {_n}"] = (
        lambda x, n=_n: x**n,
        lambda x, n=_n: (
            mp.mpf(n) * x ** mp.mpf(n - 1) if n == int(n) else mp.mpf(n) * x ** (mp.mpf(n) - 1)
        ),
        POSITIVE,
        None,
    )


def off(actual, exact, scale):
    if scale is None or not math.isfinite(actual):
        return ulps(actual, exact)
    return float(abs(mp.mpf(actual) - exact) / max(scale * UNIT * 2, mp.mpf(5e-324)))


def exact_derivatives(name):
    _, slope, points, scale = DERIVATIVES[name]
    return [(x, slope(mp.mpf(x)), scale and scale(mp.mpf(x))) for x in points]


@pytest.mark.parametrize("name", DERIVATIVES)
def test_within_four_ulps_on_floats_and_on_arrays(name):
    f = DERIVATIVES[name][0]
    exact = exact_derivatives(name)
    x = np.array([p for p, _, _ in exact])
    t = Tensor(x)
    with np.errstate(all="ignore"):
        f(t).backward(seed=np.ones(len(x)))
        recorded = grad(lambda x: f(x).sum())(x)
        wrong = []
        for i, (p, slope, scale) in enumerate(exact):
            v = Value(p)
            f(v).backward()
            for road, got in (
                ("Value", v.grad),
                ("grad of float", grad(f)(p)),
                ("Tensor", float(t.grad[i])),
                ("grad of array", float(recorded[i])),
            ):
                error = off(got, slope, scale)
                if not error <= LIMIT:
                    wrong.append((road, p, got, mp.nstr(slope, 17), error))
    assert not wrong, f"{len(wrong)} beyond {LIMIT} ULP, such as {wrong[:6]}"


#: name: (f, its exact derivative, where that is 0, where it underflows)
WITH_ROOTS = {
    "gelu": (F.gelu, m_gelu_slope, -0.7517915246935645, -38.75),
    "silu": (F.silu, m_silu_slope, -1.2784645427610737, -752.0),
}


def around(root, end, dtype):
    """Points ever closer to the root, its neighbours, the whole range, and the tail."""
    near = root + np.outer([-1.0, 1.0], 10.0 ** np.linspace(-17, 0.5, 350)).ravel()
    neighbours = root + np.spacing(dtype(-root)).astype(float) * np.arange(-25, 26)
    spread = np.concatenate([np.linspace(-6.0, 3.0, 500), np.linspace(end, -end, 300)])
    tail = np.linspace(end, 0.92 * end, 150)
    return np.concatenate([near, neighbours, spread, tail]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", WITH_ROOTS)
def test_slopes_with_a_root_within_four_ulps_everywhere(name, dtype):
    f, slope, root, end = WITH_ROOTS[name]
    if dtype == np.float32:
        end = -14.5 if name == "gelu" else -108.0
    x = around(root, end, dtype)
    t = Tensor(x)
    f(t).backward(seed=np.ones(x.shape))
    worst = (0.0, None, None)
    with mp.workdps(400 if name == "silu" else 60):
        for p, got in zip(x.tolist(), t.grad, strict=True):
            exact = slope(mp.mpf(p))
            unit = mp.mpf(float(np.spacing(abs(dtype(float(exact))))))
            worst = max(worst, (float(abs(mp.mpf(float(got)) - exact) / unit), p, got))
            if dtype == np.float64:
                v = Value(p)
                f(v).backward()
                worst = max(worst, (float(abs(mp.mpf(v.grad) - exact) / unit), p, v.grad))
    assert worst[0] <= LIMIT, worst


@pytest.mark.parametrize("name", ["erf", "gelu", "silu", "tanh", "sigmoid", "softplus"])
def test_derivatives_of_any_order_at_infinity_are_their_limits(name):
    f = getattr(F, name)
    first = {"gelu": (0.0, 1.0), "silu": (0.0, 1.0), "softplus": (0.0, 1.0)}.get(name, (0.0, 0.0))
    for x, limit in zip((-math.inf, math.inf), first, strict=True):
        derivative = on_arrays = f
        for order in range(1, 5):
            derivative = grad(derivative)
            on_arrays = grad(lambda x, g=on_arrays: F.sum(g(x)))
            expected = limit if order == 1 else 0.0
            assert derivative(x) == expected, (x, order)
            assert on_arrays(np.array([x, 1e3 * math.copysign(1, x)])).tolist() == [expected] * 2


SECOND = {
    "exp": (F.exp, mp.exp),
    "tanh": (F.tanh, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2),
    "sigmoid": (F.sigmoid, lambda x: m_sigmoid(x) * m_sigmoid(-x) * (-mp.tanh(x / 2))),
    "softplus": (F.softplus, lambda x: m_sigmoid(x) * m_sigmoid(-x)),
    "log": (F.log, lambda x: -1 / x**2 if x > 0 else mp.mpf(0)),
    "arctan": (F.arctan, lambda x: -2 * x / (1 + x * x) ** 2),
    "bce(y=1)": (lambda x: fused.bce_with_logits(x, 1.0), lambda x: m_sigmoid(x) * m_sigmoid(-x)),
    "erf": (F.erf, lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "gelu": (F.gelu, lambda x: m_pdf(x) * (2 - x * x)),
    "silu": (
        F.silu,
        lambda x: m_sigmoid(x) * m_sigmoid(-x) * (2 - x * mp.tanh(x / 2)),
    ),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives_are_as_good_in_the_tails(name):
    """Where they cross 0 they are as good as their scale, which is about 1, allows."""
    f, second = SECOND[name]
    points = [1e-300, 1e-9, 0.3, 3.0, 20.0, 40.0, 100.0, 300.0]
    points += [] if name == "log" else [-p for p in points]
    on_arrays = grad(lambda x: grad(lambda y: f(y).sum())(x).sum())
    with np.errstate(all="ignore"):
        arrays = on_arrays(np.array(points))
        for p, a in zip(points, arrays, strict=True):
            exact = second(mp.mpf(p))
            if abs(exact) < 1e300:
                for got in (grad(grad(f))(p), float(a)):
                    small = abs(p) < 1 and abs(got - exact) < 4 * UNIT
                    assert small or ulps(got, exact) <= 16, p


FORWARD = {
    "exp": (F.exp, mp.exp, REAL),
    "log": (F.log, mp.log, POSITIVE),
    "log1p": (
        F.log1p,
        lambda x: mp.log1p(x) if hasattr(mp, "log1p") else mp.log(1 + x),
        ABOVE_MINUS_ONE[:40],
    ),
    "expm1": (F.expm1, mp.expm1, REAL),
    "tanh": (F.tanh, mp.tanh, EVERYWHERE),
    "sigmoid": (F.sigmoid, m_sigmoid, EVERYWHERE),
    "softplus": (F.softplus, lambda x: mp.log1p(mp.exp(x)), [x for x in REAL if x > -600]),
    "erf": (F.erf, mp.erf, EVERYWHERE),
    "gelu": (F.gelu, lambda x: x * m_phi(x), [x for x in EVERYWHERE if x > -37]),
    "silu": (F.silu, lambda x: x * m_sigmoid(x), [x for x in EVERYWHERE if x > -700]),
}


@pytest.mark.parametrize("name", FORWARD)
def test_values_within_four_ulps(name):
    f, exact, points = FORWARD[name]
    with mp.workdps(400 if name in ("softplus", "log1p") else 60), np.errstate(all="ignore"):
        arrays = f(np.array(points))
        wrong = []
        for p, a in zip(points, arrays, strict=True):
            e = exact(mp.mpf(p))
            wrong += [
                (p, got, mp.nstr(e, 17), ulps(got, e))
                for got in (f(p), f(Value(p)).data, float(a))
                if not ulps(got, e) <= LIMIT
            ]
    assert not wrong, f"{len(wrong)} beyond {LIMIT} ULP, such as {wrong[:6]}"


def test_what_others_round_to_zero():
    """tanh'(20), σ'(40) and the loss on logits at 40: PyTorch and JAX return 0."""
    assert grad(F.tanh)(20.0) == pytest.approx(float(mp.sech(20) ** 2), rel=1e-15)
    assert grad(F.sigmoid)(40.0) == pytest.approx(float(m_sigmoid(40) * m_sigmoid(-40)), rel=1e-15)
    slope = grad(lambda x: fused.bce_with_logits(x, 1.0))(40.0)
    assert slope == pytest.approx(float(-m_sigmoid(mp.mpf(-40))), rel=1e-15)


# --------------------------------------------------------------------- products and reductions


def m_softmax(x, axis=-1):
    e = each(mp.exp)(x)
    return e / np.sum(e, axis=axis, keepdims=True)


def m_standard(x):
    n = mp.mpf(x.shape[-1])
    d = x - np.sum(x, axis=-1, keepdims=True) / n
    return d / each(mp.sqrt)(np.sum(d * d, axis=-1, keepdims=True) / n + mp.mpf(1e-5))


def m_var(x):
    d = x - np.sum(x) / mp.mpf(x.size)
    return np.asarray(np.sum(d * d) / mp.mpf(x.size), object)


LINEAR = {
    "sum": (F.sum, lambda x: np.asarray(np.sum(x), object), [(40,)]),
    "sum of rows": (lambda x: F.sum(x, axis=0), lambda x: np.sum(x, axis=0), [(12, 3)]),
    "mean": (F.mean, lambda x: np.asarray(np.sum(x) / mp.mpf(x.size), object), [(30,)]),
    "prod": (F.prod, lambda x: np.asarray(np.prod(x), object), [(6,)]),
    "var": (F.var, m_var, [(12,)]),
    "std": (F.std, lambda x: each(mp.sqrt)(m_var(x)), [(12,)]),
    "norm": (F.norm, lambda x: each(mp.sqrt)(np.sum(x * x)), [(20,)]),
    "cumsum": (F.cumsum, np.cumsum, [(20,)]),
    "matmul": (F.matmul, lambda x, y: np.asarray(x @ y, object), [(3, 10), (10, 3)]),
    "matmul of vectors": (F.matmul, lambda x, y: np.asarray(x @ y, object), [(30,), (30,)]),
    "linear": (F.linear, lambda x, W, b: x @ W.T + b, [(4, 6), (3, 6), (3,)]),
    "outer": (F.outer, np.outer, [(4,), (5,)]),
    "mul, broadcast": (F.mul, np.multiply, [(6, 1), (1, 5)]),
    "div, broadcast": (F.div, np.divide, [(6, 1), (1, 5)]),
    "softmax": (F.softmax, m_softmax, [(3, 8)]),
    "log_softmax": (F.log_softmax, lambda x: each(mp.log)(m_softmax(x)), [(3, 8)]),
    "logsumexp": (F.logsumexp, lambda x: each(mp.log)(np.sum(each(mp.exp)(x))), [(20,)]),
    "layer_norm": (F.layer_norm, m_standard, [(3, 8)]),
    "repeated index": (lambda x: x[[0, 1, 1, 2, 0] * 8], lambda x: x[[0, 1, 1, 2, 0] * 8], [(3,)]),
}


NORMWISE = ("var", "std")  # x − mean cancels, however it is computed


@pytest.mark.parametrize("spread", [1.0, 6.0])
@pytest.mark.parametrize("name", LINEAR)
def test_products_and_reductions_within_eight_units(name, spread):
    """Each element to its own scale; where arguments are far apart, to the largest of them."""
    f, reference, shapes = LINEAR[name]
    for seed in range(4):
        arrays = [spread * normal(*s, seed=seed + 10 * i) for i, s in enumerate(shapes)]
        if name == "div, broadcast":
            arrays = [a if i == 0 else positive(*a.shape, seed=seed) for i, a in enumerate(arrays)]
        xs = [Tensor(a) for a in arrays]
        y = f(*xs)
        g = np.asarray(normal(*y.shape, seed=seed))
        y.backward(seed=g)
        g = lift(g).reshape(-1)
        for i, (x, J) in enumerate(zip(xs, jacobians(reference, arrays), strict=True)):
            exact, scale = np.dot(g, J), np.dot(abs(g), abs(J))
            if spread > 1 or name in NORMWISE:
                scale = [max(scale)] * len(scale)
            for got, e, s in zip(x.grad.ravel(), exact, scale, strict=True):
                units = (
                    float(abs(mp.mpf(float(got)) - e) / (s * UNIT))
                    if s
                    else float(abs(got)) * 1e300
                )
                assert units <= 8, f"argument {i}: {got} for {mp.nstr(e, 17)}, {units:.1f} units"


SATURATED = [[40.0, 0.0], [0.0, 30.0, -2.0], [100.0, 0.0, 50.0, -100.0], [700.0, 0.0]]


@pytest.mark.parametrize("row", SATURATED, ids=str)
def test_saturated_softmax_keeps_its_digits(row):
    """As the sigmoid does: it is the softmax of two."""
    x = np.array(row)
    for f, reference in ((F.softmax, m_softmax), (F.log_softmax, None)):
        for i in range(len(row)):
            t, seed = Tensor(x), np.eye(len(row))[i]
            f(t).backward(seed=seed)
            with mp.workdps(700):
                p = m_softmax(lift(x))
                if reference is None:
                    exact = [(j == i) - p[j] for j in range(len(row))]
                else:
                    exact = [p[j] * ((j == i) - p[i]) for j in range(len(row))]
                for got, e in zip(t.grad, exact, strict=True):
                    assert ulps(float(got), e) <= 256, (f, i, t.grad, exact)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(
    "name", ["exp", "tanh", "sigmoid", "softplus", "log", "sqrt", "silu", "gelu", "erf"]
)
def test_small_floats_are_as_exact_in_their_own_units(name, dtype):
    f, slope, points, scale = DERIVATIVES[name]
    limit = 80.0 if dtype == np.float32 else 9.0
    points = [p for p in points if abs(p) < limit and (p == 0 or abs(p) > 1e-4)]
    x = np.array(points, dtype)
    t = Tensor(x)
    with np.errstate(all="ignore"):
        f(t).backward(seed=np.ones(len(x)))
    eps = float(np.finfo(dtype).eps)
    least = float(np.finfo(dtype).smallest_subnormal)
    for p, got in zip(x.astype(float), t.grad.astype(float), strict=True):
        exact = slope(mp.mpf(float(p)))
        size = scale(mp.mpf(float(p))) if scale else abs(exact)
        if size < float(np.finfo(dtype).max):
            assert float(abs(mp.mpf(float(got)) - exact) / (size * eps + least)) <= LIMIT, (p, got)
