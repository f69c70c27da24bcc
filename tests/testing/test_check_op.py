"""check_op finds every mistake it promises to find, and passes what is right."""

import contextlib
import functools
import io
import re
import textwrap
import warnings

import numpy as np
import pytest

from micrograd_nn import functional as F
from micrograd_nn import primitive
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table.elementary import cos
from micrograd_nn.testing.check_op import check_op
from micrograd_nn.testing.errors import GradientError

X = np.array([[-1.5, 0.3, 2.0], [0.7, -0.2, 1.1]])


def failure(*args, **kwargs):
    with pytest.raises(GradientError) as caught:
        check_op(*args, **kwargs)
    return caught.value


@pytest.fixture
def own():
    """A maker of rows that are in the table during the test only."""
    before = set(table)
    yield primitive
    for name in set(table) - before:
        del table[name]


def unbroadcast(g, x):
    g = np.sum(g, tuple(range(np.ndim(g) - np.ndim(x))))
    axes = tuple(i for i, n in enumerate(np.shape(x)) if n == 1)
    return np.sum(g, axes, keepdims=True) if axes else g


def tanh(x):
    return np.tanh(x)


def tanh_vjp(g, x):
    return g * (1 - np.tanh(x) ** 2)


def product(x, y):
    return x * y


def product_vjp(g, x, y):
    return unbroadcast(g * y, x), unbroadcast(g * x, y)


def matmul_vjp(g, x, y):
    return g @ y.T, x.T @ g


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# ----------------------------------------------------------------------- rows of the own table


def of_the_package(row):  # other tests add rows of their own
    return any(rule and rule.__module__.startswith("micrograd_nn.") for rule in row.rules)


ELEMENTWISE = [row.name for row in table.values() if row.elementwise and of_the_package(row)]
# Arguments that aren't any real number.
FITTED = {
    "where": lambda c, x, y: (c > 0, x, y),
    "power": lambda x, y: (np.abs(x), y),
    "log_of_base": lambda x, y: (np.abs(x), y),
    "power_derivative": lambda x, y, k: (np.abs(x), y, 1.0),
    "log": np.abs,
    "sqrt": np.abs,
    "log1p": lambda x: np.abs(x) - 0.9,
    "huber": lambda e, delta: (e, 1.0),
    "clip": lambda x, lo, hi: (x, np.minimum(lo, hi), np.maximum(lo, hi)),
}
TAILS = np.array([-720.0, -360.0, -40.0, -1e-6, -1e-300, 1e-300, 1e-6, 30.0, 360.0, 720.0])


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_rows_of_the_table_are_right(name):
    row = table[name]
    fit = FITTED.get(name, lambda *inputs: inputs)
    random = fit(*(2 * normal(6, seed=i) for i in range(row.arity)))
    samples = [random]
    if row.arity == 1:
        samples.append(fit(TAILS))
        samples.append(fit(0.5))
    report = check_op(row, samples=samples)
    assert report.worst < 0.5
    assert report.aspects["derivative"].numbers >= 6
    assert report.aspects["second order"].numbers >= 6
    if row.kinks:
        assert report.aspects["kinks"].numbers >= 3
        assert report.aspects["kinks"].worst == 0
        assert "documented" in str(report)


@pytest.mark.parametrize(
    ("name", "params", "shapes"),
    [
        ("sum", {"axis": (0,), "keepdims": False}, [(4, 3)]),
        ("mean", {"axis": (1,), "keepdims": True}, [(4, 3)]),
        ("matmul", {}, [(4, 3), (3, 2)]),
        ("softmax", {"axis": -1}, [(4, 3)]),
        ("log_softmax", {"axis": -1}, [(4, 3)]),
        ("linear", {}, [(5, 3), (2, 3), (2,)]),
        ("cumsum", {"axis": 1}, [(2, 4)]),
        ("concatenate", {"axis": 0}, [(2, 3), (1, 3)]),
    ],
)
def test_rows_that_are_not_elementwise(name, params, shapes):
    row = functools.partial(table[name], **params)
    report = check_op(row, samples=[tuple(normal(*s, seed=i) for i, s in enumerate(shapes))])
    assert report.worst < 0.5
    assert report.aspects["second order"].numbers >= 6


# ---------------------------------------------------------------------------- what must be found


def test_five_times_too_large_at_a_small_scale():
    small = 1e-6 * normal(5)
    error = failure(tanh, lambda g, x: 5 * tanh_vjp(g, x), [small])
    assert "5 times the right gradient" in str(error)
    tiny = failure(lambda x: 1e-6 * x, lambda g, x: g * 5e-6, [normal(5)])
    assert "5 times" in str(tiny)


def test_zero_at_many_elements():
    x = normal(300_000)
    error = failure(lambda x: np.sum(np.tanh(x)), lambda g, x: np.zeros_like(x), [x])
    assert "0 everywhere" in str(error)


def test_half_too_much_at_many_elements():
    x = normal(100_000)
    error = failure(lambda x: np.mean(x * x), lambda g, x: 1.5 * g * 2 * x / x.size, [x])
    assert "1.5 times" in str(error)


def test_one_wrong_element_among_many():
    def vjp(g, x):
        result = g * np.cos(x)
        result[7_777] *= 1.5
        return result

    error = failure(lambda x: np.sum(np.sin(x)), vjp, [normal(20_000)])
    assert "x[7777]" in str(error)


@pytest.mark.parametrize("factor", [1.000001, 1 - 1e-9])
def test_a_little_off(factor):
    error = failure(np.exp, lambda g, x: g * np.exp(x) * factor, [X])
    assert f"{factor:.12g} times" in str(error)
    error = failure(
        np.matmul, lambda g, x, y: (g @ y.T, factor * x.T @ g), [(normal(4, 3), normal(3, 2))]
    )
    assert "the gradient of y is wrong" in str(error)
    assert "the gradient of x is wrong" not in str(error)


def test_what_dies_far_out():
    def vjp(g, x):
        e = np.exp(+2 * np.abs(x))
        return g * 4 * e / (1 + e) ** 2

    close = np.array([0.5, -3.0, 20.0])
    assert "float32" not in str(failure(tanh, vjp, [np.array([360.0, 0.5])], ()))[:40]
    assert "NaN where the derivative is finite" in str(failure(tanh, vjp, [np.array([-356.0])]))
    assert check_op(tanh, vjp, [close]).aspects["derivative"].worst < 1


MISTAKES = {
    "sign": (lambda g, x: -tanh_vjp(g, x), "a sign is wrong"),
    "twice": (lambda g, x: 2 * tanh_vjp(g, x), "counted twice"),
    "zero": (lambda g, x: 0 * x, "missing"),
    "g ignored": (lambda g, x: 1 - np.tanh(x) ** 2, "the cotangent g is ignored"),
    "g squared": (lambda g, x: g * tanh_vjp(g, x), "g twice"),
    "g clipped": (lambda g, x: tanh_vjp(np.clip(g, -1, 1), x), "linear in g"),
    "g thresholded": (lambda g, x: tanh_vjp(np.where(np.abs(g) < 1e-1, 0, g), x), "linear in g"),
    "offset": (lambda g, x: tanh_vjp(g, x) + 1e-12, "zero cotangent"),
    "textbook": (lambda g, x: g * (1 - np.tanh(x)), "derivative: the gradient of x is wrong"),
    "shape": (lambda g, x: tanh_vjp(g, x).ravel()[None], "(1, 6) for (2, 3) in samples[0]"),
    "dtype": (lambda g, x: tanh_vjp(g, x).astype(np.float32), "has dtype float32"),
    "widened": (lambda g, x: tanh_vjp(g, x).astype(np.float64), "has dtype float64"),
    "two": (lambda g, x: (tanh_vjp(g, x), g), "2 gradients for 1 argument"),
    "raises": (lambda g, x: tanh_vjp(g, x) + 1 // 0, "raises ZeroDivisionError"),
    "nan raises": (
        lambda g, x: tanh_vjp(g, x) if np.all(np.isfinite(x)) else 1 // 0,
        "makes the vjp raise ZeroDivisionError",
    ),
    "nan spreads": (
        lambda g, x: tanh_vjp(g, x) + 0 * np.sum(x),
        "nan in x changes other elements",
    ),
    "empty raises": (lambda g, x: tanh_vjp(g, x) + 0 * np.max(x), "zero size"),
    "order of memory": (
        lambda g, x: tanh_vjp(g.ravel("K"), x.ravel("K")).reshape(x.shape),
        "fortran arrays give another gradient",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    vjp, words = MISTAKES[name]
    assert words in str(failure(tanh, vjp, [X]))


def test_memory():
    def writes_into_g(g, x):
        g *= 1 - np.tanh(x) ** 2
        return g.copy()

    def writes_into_x(g, x):
        np.tanh(x, out=x)
        return g * (1 - x**2)

    def forward_writes(x):
        x += 1
        return x

    assert "modifies g" in str(failure(tanh, writes_into_g, [X]))
    assert "modifies x" in str(failure(tanh, writes_into_x, [X]))
    assert "the forward modifies x" in str(failure(forward_writes, lambda g, x: g * 1, [X]))
    shares = failure(lambda x, y: x + y, lambda g, x, y: (g, g.copy()), [(X, X)])
    assert "shares its memory with g" in str(shares)
    both = failure(lambda x, y: x + y, lambda g, x, y: (h := g.copy(), h), [(X, X)])
    assert "with the gradient of x" in str(both)
    view = failure(lambda x: x.T, lambda g, x: g.T, [X])
    assert "shares its memory with g" in str(view)


def test_not_repeatable():
    calls = []

    def vjp(g, x):
        calls.append(1)
        return tanh_vjp(g, x) * (1 + 1e-15 * len(calls))

    assert "a second call gives another gradient" in str(failure(tanh, vjp, [X]))


def test_broadcasting():
    # To sum over repeated axes is the engine's task: a vjp may leave it to the engine.
    left = check_op(product, lambda g, x, y: (g * y, g * x), [(X, X + 1), (X[:, None], X)])
    assert left.aspects["broadcasting"].numbers > 20
    wrong = failure(product, lambda g, x, y: (g * y, g * y), [(X[:, None], X)])
    assert "the gradient of y is wrong" in str(wrong)
    mean = failure(
        product,
        lambda g, x, y: (
            unbroadcast(g * y, x) * np.size(x) / np.size(g),
            unbroadcast(g * x, y),
        ),
        [(X, X + 1)],
    )
    assert "another than that of repeated elements" in str(mean)
    assert check_op(product, product_vjp, [(X, X + 1)]).aspects["broadcasting"].numbers > 20


def test_an_input_used_twice():
    error = failure(lambda x: x * x, lambda g, x: g * x, [X])
    assert "overwrites (=) what must accumulate (+=)" in str(error)


def test_sum_and_mean():
    assert "a mean where a sum is meant" in str(
        failure(np.sum, lambda g, x: np.full_like(x, g / x.size), [X])
    )
    assert "a sum where a mean is meant" in str(
        failure(np.mean, lambda g, x: np.full_like(x, g), [X])
    )


def test_transposed():
    square = normal(3, 3)
    error = failure(
        lambda x: x * square, lambda g, x: (g * square).T.copy(), [normal(3, 3, seed=1)]
    )
    assert "transposed" in str(error)


def test_everything_wrong_is_told_at_once():
    def vjp(g, x, y):
        return g, 2 * g * x

    error = failure(product, vjp, [(X, X + 1)])
    text = str(error)
    assert re.search(r"is wrong in \d+ respects", text)
    for words in ("the gradient of x is wrong", "the gradient of y is wrong", "shares its memory"):
        assert words in text
    assert error.blamed == ["product"]
    assert {d.what for d in error.disagreements} >= {"x", "y"}
    assert all(d.error > d.allowed for d in error.disagreements)


def test_the_program_reproduces():
    def vjp(g, x, y):
        return 3 * g * y, g * x

    text = str(failure(product, vjp, [(X, X + 1)]))
    program = text.split("to reproduce:")[1].split("print(vjp(g, x, y))")[0]
    names = {}
    exec("\n".join(line.strip() for line in program.splitlines()), names)
    expected = float(re.search(r"# \[0\]\[0\] should be (\S+)", text).group(1))
    assert vjp(names["g"], names["x"], names["y"])[0] == pytest.approx(3 * expected)


# ---------------------------------------------------------------------------------------- kinks


def relu(x):
    return np.maximum(x, 0)


def relu_vjp(g, x):
    return g * (x > 0)


@pytest.mark.parametrize(
    "kinks",
    [
        [(0.0, 0.0)],
        {0.0: 0.0},
        [((0.0,), (0.0,))],
        [("x == 0", 0.0)],
        [(lambda x: x == 0, lambda x: np.zeros_like(x))],
    ],
)
def test_a_declared_kink_passes_and_is_labelled(kinks):
    report = check_op(relu, relu_vjp, [np.array([-1.0, 0.0, 2.0])], kinks=kinks)
    assert report.aspects["kinks"].numbers >= 1
    assert "the documented derivative by x, 0" in str(report)
    assert report.aspects["derivative"].numbers == 2 + 0


def test_only_the_documented_value_passes():
    half = failure(relu, lambda g, x: g * np.heaviside(x, 0.5), [X], kinks=[(0.0, 0.0)])
    assert "at the declared kink x == 0 the derivative by x must be 0, bit for bit" in str(half)
    ulp = np.nextafter(0.5, 1)
    assert check_op(relu, lambda g, x: g * np.heaviside(x, 0.5), [X], kinks=[(0.0, 0.5)])
    assert "must be 0.5" in str(
        failure(relu, lambda g, x: g * np.heaviside(x, ulp), [X], kinks=[(0.0, 0.5)])
    )


def test_differences_are_never_asked_at_a_declared_kink():
    asked = []

    def forward(x):
        asked.extend(np.ravel(x).tolist())
        return np.abs(x)

    check_op(forward, lambda g, x: g * np.sign(x), [np.array([0.0])], kinks=[(0.0, 0.0)])
    assert all(x == 0 for x in asked if np.isfinite(x))


def test_kinks_of_several_arguments():
    def vjp(g, x, y):
        first = np.heaviside(x - y, 0.5)
        return unbroadcast(g * first, x), unbroadcast(g * (1 - first), y)

    def unfair(g, x, y):
        return unbroadcast(g * (x >= y), x), unbroadcast(g * (x < y), y)

    for point in ("x == y", lambda x, y: x == y):
        kinks = [(point, (0.5, 0.5))]
        tie = (np.array([1.0, 2.0]), np.array([1.0, 1.0]))
        assert check_op(np.maximum, vjp, [tie], kinks).aspects["kinks"].numbers >= 2
        assert "must be 0.5" in str(failure(np.maximum, unfair, [tie], kinks))
    one = [("x == y", (1.0, None))]
    assert check_op(np.maximum, unfair, [tie], one)


def hypot_x(g, z, x, y):
    return g * (x / F.where(z, z, 1.0))


def hypot_y(g, z, x, y):
    return g * (y / F.where(z, z, 1.0))


@pytest.mark.parametrize("value", ["0", "0 each (of least norm)", "0 by x, 0 by y"])
def test_the_kink_of_a_row_is_that_of_each_argument_that_it_names(own, value):
    kinks = {"x == 0 and y == 0": value}
    row = own("distance", np.hypot, (hypot_x, hypot_y), kinks=kinks)
    text = str(check_op(row, samples=[(3.0, 4.0)]))
    assert "the documented derivative by x, 0" in text
    assert "the documented derivative by y, 0" in text
    with row.replaced(hypot_x, lambda g, z, x, y: g * F.where(z, hypot_y(1.0, z, x, y), 1.0)):
        assert "the derivative by y must be 0, bit" in str(failure(row, samples=[(3.0, 4.0)]))


@pytest.mark.parametrize("value", ["0", "0 by x", "0 by x (by convention)"])
def test_the_kink_of_one_argument_says_nothing_of_the_others(own, value):
    def size_plus_x(g, z, x, y):
        return g * F.sign(x)

    row = own(
        "size_plus",
        lambda x, y: np.abs(x) + y,
        (size_plus_x, lambda g, z, x, y: g),
        kinks={"x == 0": value},
    )
    text = str(check_op(row, samples=[(3.0, 4.0), (np.array([0.0, 1.0]), 2.0)]))
    assert "the documented derivative by x, 0" in text
    assert "the documented derivative by y" not in text


def test_a_kink_of_the_whole_sample():
    def vjp(g, x):
        norm = np.linalg.norm(x)
        return g * x / norm if norm else np.zeros_like(x)

    kinks = [(lambda x: np.all(x == 0), 0.0)]
    report = check_op(np.linalg.norm, vjp, [np.zeros(3), np.array([3.0, 4.0])], kinks)
    assert report.aspects["kinks"].numbers == 3 + 3  # in float64 and in float32
    wrong = failure(np.linalg.norm, lambda g, x: g * np.ones_like(x), [np.zeros(3)], kinks)
    assert "bit for bit" in str(wrong)


def test_an_undeclared_kink_is_not_compared_and_the_report_says_so():
    report = check_op(relu, relu_vjp, [np.array([-1.0, 0.0, 2.0])])
    assert "not compared, x in samples[0]: near a kink" in str(report)
    assert report.aspects["derivative"].numbers == 2


def test_a_check_that_compares_nothing_fails():
    error = failure(np.abs, lambda g, x: g * np.sign(x), [0.0])
    assert "nothing of x could be compared" in str(error)


# ------------------------------------------------------------------------------------ what passes


def test_the_report():
    report = check_op(tanh, tanh_vjp, [X, 0.5])
    text = str(report)
    assert text.startswith("tanh: right in all respects on 2 samples")
    for aspect in (
        "derivative",
        "linear in g",
        "zero cotangent",
        "layouts",
        "float32",
        "zero size",
        "0-d arrays",
        "no shared memory",
        "NaN and infinity",
    ):
        assert aspect in text
    assert report.numbers == sum(a.numbers for a in report.aspects.values()) > 100
    assert 0 < report.worst < 1
    assert str(check_op(tanh, tanh_vjp, [X, 0.5])) == text


def test_domain():
    def log(x):
        assert not np.any(x <= 0)
        return np.log(x)

    for domain in ("x > 0", lambda x: x > 0):
        report = check_op(log, lambda g, x: g / x, [np.array([1e-9, 1.0, 5.0])], domain=domain)
        assert report.aspects["derivative"].numbers == 3
    with pytest.raises(ValueError, match=r"samples\[0\] lies outside"):
        check_op(log, lambda g, x: g / x, [-1.0], domain="x > 0")


def test_inputs_without_a_derivative():
    def pick(x, labels):
        return x[np.arange(len(labels)), labels]

    def vjp(g, x, labels):
        result = np.zeros_like(x)
        result[np.arange(len(labels)), labels] = g
        return result, None

    report = check_op(pick, vjp, [(normal(3, 4), np.array([0, 3, 1]))])
    assert report.aspects["derivative"].numbers == 12


def test_a_scalar_only_operation():
    import math

    report = check_op(math.sin, lambda g, x: g * math.cos(x), [0.3, 2.0, -5.0])
    assert report.aspects["derivative"].numbers == 3
    assert "layouts" not in report.aspects


def test_matmul_and_softmax():
    def softmax(x):
        e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
        return e / e.sum(-1, keepdims=True)

    def softmax_vjp(g, x):
        z = softmax(x)
        return z * (g - (g * z).sum(-1, keepdims=True))

    assert check_op(softmax, softmax_vjp, [normal(4, 3), normal(5)]).worst < 1
    sample = (normal(4, 3), normal(3, 5))
    assert check_op(np.matmul, matmul_vjp, [sample]).worst < 1
    assert check_op(np.sum, lambda g, x: np.full_like(x, g), [normal(100_000)]).worst < 1


def naive_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_sigmoid_vjp(g, x):
    s = naive_sigmoid(x)
    return g * s * (1 - s)


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def layer_norm_vjp(g, x):
    z = layer_norm(x)
    rest = g - g.mean(-1, keepdims=True) - z * (g * z).mean(-1, keepdims=True)
    return rest / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def convolve_vjp(g, x, w):
    return np.convolve(g, w[::-1], "full"), np.convolve(x, g[::-1], "valid")[::-1].copy()


HONEST = {
    "sigmoid": (naive_sigmoid, naive_sigmoid_vjp, [10 * normal(20), np.array([-800.0, 36.0])]),
    "layer norm": (layer_norm, layer_norm_vjp, [normal(4, 6)]),
    "convolution": (
        lambda x, w: np.convolve(x, w, "valid"),
        convolve_vjp,
        [(normal(9), normal(3))],
    ),
    "sort": (np.sort, lambda g, x: g[np.argsort(np.argsort(x))], [normal(8)]),
    "max": (np.max, lambda g, x: g * (x == x.max()), [normal(8), normal(20_000)]),
    "product": (np.prod, lambda g, x: g * np.prod(x) / x, [normal(8)]),
    "std": (np.std, lambda g, x: g * (x - x.mean()) / x.size / np.std(x), [normal(8)]),
    "relu of many": (
        lambda x: np.sum(np.maximum(x, 0)),
        lambda g, x: g * (x > 0),
        [normal(20_000)],
    ),
    "cumulated": (np.cumsum, lambda g, x: np.cumsum(g[::-1])[::-1].copy(), [normal(3000)]),
    "huge": (np.sin, lambda g, x: g * np.cos(x), [np.array([1e6, 1e8, 1e10, -1e5])]),
    "cancelling": (
        lambda x: (1 - np.cos(x)) / x**2,
        lambda g, x: g * (np.sin(x) / x**2 - 2 * (1 - np.cos(x)) / x**3),
        [np.array([0.1, 1.0, 5.0, -0.01])],
    ),
    "numbers": (
        lambda x, y: x / y,
        lambda g, x, y: (g / y, -g * x / y**2),
        [(1.0, 2.0), (-3, 1e-4)],
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_right_if_not_careful_code_passes(name):
    forward, vjp, samples = HONEST[name]
    assert check_op(forward, vjp, samples).worst < 0.5


@pytest.mark.parametrize("x", [1e200, -1e308, 1e-200, 5e-324, np.inf, np.nan])
def test_numbers_of_any_size_leak_no_warnings(x):
    for samples in ([np.array([x, 1.0]), x], [np.full(200, x), np.array([1.0])]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                check_op(lambda x: x * x, lambda g, x: g * x * 2, samples)
            except GradientError as error:  # of NaN there is no derivative to compare with
                assert "nothing of x could be compared" in str(error)  # noqa: PT017


def test_float32_is_not_asked_of_code_that_widens():
    def forward(x):
        return np.sin(np.asarray(x, np.float64))

    report = check_op(forward, lambda g, x: g * np.cos(np.asarray(x, np.float64)), [X])
    assert "the forward makes float64 of float32" in str(report)


def test_a_row_of_ones_own():
    def right(g, z, x):
        return g * 3 * x * x

    def cut(g, z, x):
        return g * cos(getattr(x, "_data", x))

    cube = primitive("cube_for_check_op", lambda x: x * x * x, right)
    assert check_op(cube, samples=[X, 0.5]).aspects["second order"].numbers > 6
    sine = primitive("sine_for_check_op", np.sin, cut)
    assert "second order: the gradient of x is wrong" in str(failure(sine, samples=[X]))


def test_a_wrong_row_of_the_table():
    row = table["tanh"]
    with row.replaced(lambda g, z, x: g * (1.0 - z)):
        assert "tanh is wrong" in str(failure(row, samples=[X]))


# --------------------------------------------------------------------- what a row says of itself


def centred(x):
    return x - np.mean(x)


def centred_x(g, z, x):
    return g - F.mean(g)


def cumsum_x(g, z, x):
    return F.flip(F.cumsum(F.flip(g, axis=-1), axis=-1), axis=-1)


@pytest.mark.parametrize(
    ("forward", "rule", "sample"),
    [
        (np.cumsum, cumsum_x, normal(3)),
        (lambda x: np.cumsum(x, -1), cumsum_x, X),
        (centred, centred_x, X),
        (centred, centred_x, 0.5),  # an array of several numbers is made of it
        (np.sum, lambda g, z, x: g, 0.5),
        (lambda x: np.sum(x, 0), lambda g, z, x: g, X),
        (lambda x: x[::-1], lambda g, z, x: g[::-1], normal(3)),
    ],
)
def test_a_row_that_is_not_elementwise_must_say_so(own, forward, rule, sample):
    row = own("mixes", forward, rule)
    text = str(failure(row, samples=[sample]))
    assert "declaration: it is declared elementwise, but" in text
    assert "declare elementwise=False" in text
    if np.ndim(sample):
        assert text.startswith("mixes is wrong\n")  # and the rule is right
        row = own("mixes too", forward, rule, elementwise=False)
        assert check_op(row, samples=[sample]).worst < 1


@pytest.mark.parametrize(
    ("along", "words"),
    [
        ((-1,), None),
        ((0, 1), None),
        ("axis", None),
        (None, None),
        ((0,), "along=(0,) is declared, but the result depends on elements of x that lie else"),
        ("axes", "along='axes' is declared, but it is given no parameter of this name"),
    ],
)
def test_along_must_name_the_axes_that_are_mixed(own, along, words):
    def normalised(x, axis):
        return x / np.sum(x * x, axis=axis, keepdims=True)

    def normalised_x(g, z, x, *, axis):
        size = F.sum(x * x, axis=axis, keepdims=True)
        return g / size - 2 * x * F.sum(g * x, axis=axis, keepdims=True) / size**2

    row = own("normalised", normalised, normalised_x, elementwise=False, along=along)
    given = functools.partial(row, axis=-1)
    if words is None:
        report = check_op(given, samples=[X])
        assert ("declaration" in report.aspects) == (along is not None)
    else:
        assert words in str(failure(given, samples=[X]))


def test_along_of_a_row_that_reduces(own):
    def total(x, axis, keepdims=False):
        return np.sum(x, axis=axis, keepdims=keepdims)

    def total_x(g, z, x, *, axis, keepdims=False):
        return (g if keepdims else F.expand_dims(g, axis)) * F.exp(0 * x)

    right = own("total", total, total_x, elementwise=False, along="axis")
    wrong = own("total too", total, total_x, elementwise=False, along=(1,))
    for params in ({"axis": 0}, {"axis": 0, "keepdims": True}, {"axis": (0, 1)}):
        assert check_op(functools.partial(right, **params), samples=[X]).worst < 1
    square = X[:, :2]
    assert "lie elsewhere" in str(failure(functools.partial(wrong, axis=0), samples=[square]))


def printed(text):
    """Run the programs of a message, alone, and return what they print."""
    found = []
    for program in re.findall(r"to reproduce:\n((?: {8}.*\n?)+)", text):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(textwrap.dedent(program), {})
        found.append(out.getvalue())
    return found


def test_the_program_of_a_row_shows_what_is_wrong(own):
    row = own("cube to check", lambda x: x * x * x, lambda g, z, x: g * 3 * x)
    text = str(failure(row, samples=[1.5]))
    assert re.findall(r"got (.*), should", text) == [out.strip() for out in printed(text)]
    assert "print(x.grad)  # should be" in text


def test_the_program_of_a_row_runs_as_it_stands(own):
    def scaled(x, y, c, factor):
        return np.where(c > 0, x * y, 0.0) * factor

    def scaled_x(g, z, x, y, c, *, factor):
        return 3 * F.where(c > 0, g * y, 0.0) * factor

    def scaled_y(g, z, x, y, c, *, factor):
        return F.where(c > 0, g * getattr(x, "_data", x), 0.0) * factor  # no second derivative

    row = own("scaled by", scaled, (scaled_x, scaled_y, None))
    row = functools.partial(row, factor=np.array([2.0, 0.5]))
    text = str(failure(row, samples=[(normal(2), normal(2, seed=1), np.array([1, 0]))]))
    assert "derivative: the gradient of x is wrong" in text
    assert "second order: the gradient of" in text
    assert len(printed(text)) == 2

    def fussy(g, z, c, x):
        if np.any(np.isnan(getattr(g, "_data", g))):
            raise ValueError("NaN")
        return F.where(c, g, 0.0)

    row = own("where to check", lambda c, x: np.where(c, x, 0.0), (None, fussy))
    text = str(failure(row, samples=[(np.array([True, False]), normal(2))]))
    assert "nan in g makes the vjp raise ValueError" in text
    assert printed(text) == ["[-2.01795229  0.        ]\n"]

    def both(g, z, xs):
        return [g[0], g[0]]

    row = own("stacked", lambda xs: np.stack(xs), both, variadic=True, elementwise=False)
    assert len(printed(str(failure(row, samples=[(normal(2), normal(2, seed=1))])))) == 1


def test_what_is_too_large_is_not_printed(own):
    row = own("wrong sum", lambda x: np.sum(x), lambda g, z, x: 2 * g, elementwise=False)
    text = str(failure(row, samples=[normal(100)]))
    assert "the gradient of x is wrong" in text
    assert "to reproduce" not in text


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ((np.exp, lambda g, x: g), ValueError, "needs samples"),
        ((np.exp, None, [1.0]), TypeError, "needs two functions"),
        ((product, product_vjp, [(1.0, 2.0), (1.0,)]), ValueError, "2 inputs"),
        ((table["mul"], None, [1.0]), TypeError, "takes 2 arguments"),
        ((np.exp, lambda g, x: g, ["a"]), TypeError, "real numbers"),
        ((np.exp, lambda g, x: g, [1.0], [0.0]), TypeError, "pairs"),
        ((lambda x: 1 // 0, lambda g, x: g, [1.0]), ValueError, "forward fails on samples"),
        ((np.exp, lambda g, x: g, [1.0], (), "q > 0"), ValueError, "no condition on x"),
    ],
)
def test_misuse(args, error, words):
    with pytest.raises(error, match=words):
        check_op(*args)
