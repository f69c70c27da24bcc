"""softmax and its logarithm, layers and losses that are kept as one operation."""

import numpy as np
import pytest
from oracles import assert_close, check, each, mp, normal

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value, hessian, jacobian
from micrograd_nn.graph.table import fused

m_exp, m_log, m_sqrt = each(mp.exp), each(mp.log), each(mp.sqrt)


def m_sum(x, axis, keepdims=True):
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims), object)


def m_softmax(x, axis=-1):
    return m_exp(x) / m_sum(m_exp(x), axis)


def m_logsumexp(x, axis=None, keepdims=False):
    return m_log(m_sum(m_exp(x), axis, keepdims))


AXES = [
    ((4,), -1),
    ((4,), 0),
    ((2, 3), -1),
    ((2, 3), 0),
    ((2, 3), (0, 1)),
    ((2, 3), None),
    ((2, 2, 2), 1),
]
AXES += [((2, 2, 2), (0, -1)), ((1,), 0), ((2, 1), 1)]


@pytest.mark.parametrize(("shape", "axis"), AXES, ids=str)
@pytest.mark.parametrize("offset", [0.0, 400.0])
def test_softmax_and_its_logarithm(shape, axis, offset):
    x = 2 * normal(*shape) + offset
    order = 2 if x.size < 7 else 1
    check(
        lambda x: F.softmax(x, axis=axis),
        lambda x: m_softmax(x, axis),
        x,
        order=order,
        float32=not offset,
    )
    check(
        lambda x: F.log_softmax(x, axis=axis),
        lambda x: m_log(m_softmax(x, axis)),
        x,
        order=order,
        float32=not offset,
    )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("shape", "axis"), AXES, ids=str)
def test_logsumexp(shape, axis, keepdims):
    x = 2 * normal(*shape)
    check(
        lambda x: F.logsumexp(x, axis=axis, keepdims=keepdims),
        lambda x: m_logsumexp(x, axis, keepdims),
        x,
        order=2 if x.size < 7 else 1,
    )


def test_defaults():
    x = normal(2, 3)
    assert F.logsumexp(x).shape == ()
    assert_close(F.softmax(x), F.softmax(x, axis=1))
    assert_close(F.log_softmax(x), F.log_softmax(x, axis=1))
    assert_close(Tensor(x).softmax().data, F.softmax(x))
    assert_close(Tensor(x).log_softmax(axis=0).data, F.log_softmax(x, axis=0))
    assert_close(Tensor(x).logsumexp(axis=0).data, F.logsumexp(x, axis=0))


EXTREMES = [
    [709.0, -709.0],
    [1e4, 0.0, 1e4],
    [-1e4, -1e4],
    [1e308, -1e308],
    [-745.0, 0.0],
    [0.0, -1e300],
]


@pytest.mark.parametrize("row", EXTREMES, ids=str)
def test_extreme_logits(row):
    with np.errstate(over="ignore"):
        _check_extreme_logits(row)


def _check_extreme_logits(row):
    x = np.array(row)
    exact = m_softmax(np.array([mp.mpf(v) for v in row], object))
    p = np.array([float(v) for v in exact])
    assert_close(F.softmax(x), p, 1e-15)
    expected = np.array([float(mp.log(v)) if mp.log(v) > -1e308 else -np.inf for v in exact])
    if np.all(np.isfinite(expected)):
        assert_close(F.log_softmax(x), expected, 1e-15)
    for f in (F.softmax, F.log_softmax):
        assert np.all(np.isfinite(jacobian(f)(x)))
    t = Tensor(x)
    F.logsumexp(t).backward()
    assert_close(t.grad, p, 1e-15)
    F.log_softmax(t).backward(seed=np.eye(len(row))[0])
    others = np.array([float(sum(exact) - exact[0])] + [-v for v in p[1:]])
    assert_close(t.grad - p, others, 1e-15)


def test_masked_logits():
    x = Tensor([[0.0, -np.inf, 1.0], [-np.inf, 2.0, -np.inf]])
    y = F.softmax(x)
    y.backward(seed=normal(2, 3))
    assert y.data[0, 1] == 0.0
    assert list(y.data[1]) == [0.0, 1.0, 0.0]
    assert np.all(np.isfinite(x.grad))
    x.zero_grad()
    F.logsumexp(x, axis=1).backward(seed=np.ones(2))
    assert x.grad[0, 1] == 0.0
    assert np.all(np.isfinite(x.grad))


def test_logsumexp_of_infinity():
    x = Tensor([np.inf, 0.0])
    with np.errstate(all="ignore"):
        assert F.logsumexp(x).data == np.inf


LINEAR = [
    ((3,), (2, 3), (2,)),
    ((4, 3), (2, 3), (2,)),
    ((2, 2, 3), (2, 3), (2,)),
    ((1, 1), (1, 1), (1,)),
]
LINEAR += [((0, 3), (2, 3), (2,)), ((4, 3), (2, 3), (1,)), ((4, 3), (2, 3), ())]


def m_linear(x, W, b=0):
    if x.size == 0:
        return np.empty((*x.shape[:-1], W.shape[0]), object)
    return np.asarray(np.matmul(x, W.T) + b, object)


@pytest.mark.parametrize("shapes", LINEAR, ids=str)
def test_linear(shapes):
    x, W, b = (normal(*s, seed=i) for i, s in enumerate(shapes))
    check(F.linear, m_linear, x, W, b)
    check(lambda x, W: F.linear(x, W), m_linear, x, W)


def test_linear_with_arguments_of_other_kinds():
    x, W, b = normal(2, 3), normal(4, 3, seed=1), normal(4, seed=2)
    expected = x @ W.T + b
    for args in [(Tensor(x), W, b), (x, Tensor(W), b), (x, W, Tensor(b)), (x, W, b)]:
        y = F.linear(*args)
        assert_close(getattr(y, "data", y), expected)
    assert_close(F.linear(Tensor(x.astype(np.float32)), W, b).data, expected, 1e-6)
    assert_close(F.linear(x.tolist(), Tensor(W), b.tolist()).data, expected)
    integers = np.array([[1, 2, 3]])
    assert_close(F.linear(integers, Tensor(W), Tensor(b)).data, integers @ W.T + b)
    b = Value(0.5)
    y = F.linear(x, W, b)
    assert_close(y.data, x @ W.T + 0.5)
    y.sum().backward()
    assert b.grad == 8.0


def test_linear_of_shapes_that_do_not_fit():
    for shapes in [((2, 3), (4, 2), (4,)), ((2, 3), (4, 3), (3,)), ((2, 3), (3,), (3,))]:
        with pytest.raises(ValueError, match=r"linear|matmul|add"):
            F.linear(*(Tensor(np.ones(s)) for s in shapes))


def m_layer_norm(x, w=1, b=0, eps=1e-5):
    n = mp.mpf(x.shape[-1])
    d = x - m_sum(x, -1) / n
    return d / m_sqrt(m_sum(d * d, -1) / n + mp.mpf(eps)) * w + b


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 2, 3), (3, 1)], ids=str)
def test_layer_norm(shape):
    x, w, b = normal(*shape), normal(shape[-1], seed=1), normal(shape[-1], seed=2)
    check(F.layer_norm, m_layer_norm, x, w, b, order=2 if x.size < 7 else 1, rtol=1e-11)
    check(lambda x: F.layer_norm(x, eps=0.1), lambda x: m_layer_norm(x, eps=0.1), x)
    check(lambda x, w: F.layer_norm(x, w), m_layer_norm, x, w, order=1, rtol=1e-11)


def test_layer_norm_of_equals():
    x = Tensor(np.full((1, 3), 2.0))
    y = F.layer_norm(x)
    assert list(y.data[0]) == [0, 0, 0]
    y.backward(seed=np.array([[1.0, 0.0, 0.0]]))
    assert_close(x.grad, np.array([[2, -1, -1]]) / 3 / np.sqrt(1e-5))


def m_bce(x, y):
    return m_log(1 + m_exp(x)) - x * y


@pytest.mark.parametrize(
    "shapes", [((4,), (4,)), ((2, 3), (3,)), ((), ()), ((0,), (0,)), ((2, 1), (1, 3))]
)
def test_binary_cross_entropy_with_logits(shapes):
    x, y = 3 * normal(*shapes[0]), 1 / (1 + np.exp(normal(*shapes[1], seed=1)))
    check(fused.bce_with_logits, m_bce, x, y)


@pytest.mark.parametrize("x", [-800.0, -40.0, 0.0, 40.0, 800.0, 1e308, -1e308])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
def test_binary_cross_entropy_far_out(x, y):
    f = fused.bce_with_logits
    expected = max(x, 0.0) - x * y + float(mp.log(1 + mp.exp(-abs(mp.mpf(x)))))
    if abs(x) == 1e308 and y == 0.25:
        expected = 0.75 * x if x > 0 else -0.25 * x
    v, t = Value(x), Tensor([x])
    for z in (f(v, y), f(t, y)):
        assert float(np.asarray(z.data).item()) == pytest.approx(expected, rel=1e-15, abs=0)
        z.backward()
    s = 1 / (1 + mp.exp(-mp.mpf(x))) if abs(x) < 1e5 else mp.mpf(x > 0)
    slope = float((1 - s) * -y + (1 - y) * s) if y == 0.25 else float(s)
    if y == 1.0:
        slope = float(-1 / (1 + mp.exp(mp.mpf(x)))) if abs(x) < 1e5 else (-1.0 if x < 0 else 0.0)
    assert v.grad == pytest.approx(slope, rel=1e-15, abs=0)
    assert t.grad[0] == pytest.approx(slope, rel=1e-15, abs=0)


LABELS = np.array([2, 0, 1])


def m_label_cross_entropy(x):
    return m_logsumexp(x, -1) - x[np.arange(3), LABELS]


def test_cross_entropy_on_labels():
    check(
        lambda x: (
            fused.label_cross_entropy(x, labels=LABELS)
            if isinstance(x, Tensor)
            else fused.label_cross_entropy(np.asarray(x), labels=LABELS)
        ),
        m_label_cross_entropy,
        2 * normal(3, 4),
        order=1,
    )
    check(
        lambda x: fused.label_cross_entropy(x, labels=LABELS),
        m_label_cross_entropy,
        2 * normal(3, 3),
    )


def test_cross_entropy_on_labels_is_exact_far_out():
    x = Tensor([[50.0, 0.0], [0.0, 800.0], [700.0, 0.0]])
    y = fused.label_cross_entropy(x, labels=np.array([0, 1, 1]))
    exact = [mp.log(1 + mp.exp(-50)), mp.log(1 + mp.exp(-800)), mp.log(1 + mp.exp(700))]
    assert_close(y.data / [float(exact[0]) or 1, 1, 700], [1, float(exact[1]), 1], 1e-15)
    y.sum().backward()
    assert x.grad[0, 0] == pytest.approx(float(-1 / (1 + mp.exp(50))), rel=1e-15)
    assert x.grad[0, 1] == pytest.approx(float(1 / (1 + mp.exp(50))), rel=1e-15)


@pytest.mark.parametrize(
    ("row", "losses"),
    [
        ([np.inf, 0.0], [np.nan, np.inf]),
        ([0.0, np.inf, 1.0], [np.inf, np.nan, np.inf]),
        ([np.inf, -np.inf], [np.nan, np.inf]),
        ([np.inf, np.inf], [np.nan, np.nan]),
        ([-np.inf, -np.inf], [np.nan, np.nan]),
        ([np.nan, 0.0], [np.nan, np.nan]),
        ([0.0, np.nan, 1.0], [np.nan, np.nan, np.nan]),
        ([-np.inf, 0.0], [np.inf, 0.0]),
    ],
)
@pytest.mark.filterwarnings("ignore:(invalid value|divide by zero):RuntimeWarning")
def test_infinite_scores_and_nan_give_no_finite_loss(row, losses):
    for label, expected in enumerate(losses):
        x = Tensor([row, np.arange(len(row), dtype=float)])
        y = fused.label_cross_entropy(x, labels=np.array([label, 0]))
        np.testing.assert_array_equal(y.data[0], expected)
        assert np.isfinite(y.data[1])
        of_log_softmax = -fused.log_softmax(np.array([row]), axis=-1)[0, label]
        np.testing.assert_array_equal(of_log_softmax, expected)
        y.sum().backward()
        assert np.isfinite(x.grad[0]).all() == (row == [-np.inf, 0.0])
        assert np.isfinite(x.grad[1]).all()


def test_row_numbers_that_calls_share_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        fused._rows(3)[0] = 1
    assert fused._rows(3).tolist() == [0, 1, 2]


def test_hessian_of_logsumexp_is_symmetric_and_singular():
    H = hessian(F.logsumexp)(normal(4))
    assert_close(H, H.T, 1e-15)
    assert_close(H @ np.ones(4) + 1, np.ones(4))


def test_softmax_of_values():
    vs = [Value(0.5), Value(-1.0), Value(2.0)]
    y = F.softmax(vs)
    y.backward(seed=np.array([1.0, -2.0, 0.5]))
    t = Tensor([0.5, -1.0, 2.0])
    F.softmax(t).backward(seed=np.array([1.0, -2.0, 0.5]))
    assert_close([v.grad for v in vs], t.grad, 1e-15)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_of_a_single_number(kind, axis, create_graph):
    for f, value, slope in (
        (F.softmax, 1.0, 0.0),
        (F.log_softmax, 0.0, 0.0),
        (F.logsumexp, 2.0, 1.0),
    ):
        assert f(2.0, axis=axis) == value
        x = kind(2.0)
        y = f(x, axis=axis)
        y.backward(create_graph=create_graph)
        assert (float(y.data), float(x.grad)) == (value, slope)
