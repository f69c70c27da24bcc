"""Every loss against formulas evaluated by mpmath, in every form that it takes."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn.functional as F
from micrograd_nn import Tensor, Value
from micrograd_nn import equations as eq
from micrograd_nn.nn import losses

mp.mp.dps = 60
INF, NAN = math.inf, math.nan


def xlogy(x, y):
    return mp.mpf(0) if x == 0 else x * (mp.log(y) if y else -mp.inf)


def xlog1py(x, y):
    return mp.mpf(0) if x == 0 else x * (mp.log1p(y) if y != -1 else -mp.inf)


def over(x, y):
    return mp.mpf(0) if x == 0 else (x / y if y else mp.sign(x) * mp.inf)


def huber(delta):
    def value(p, y):
        e = abs(p - y)
        return e * e / 2 if e <= delta else delta * (e - delta / 2)

    return value, lambda p, y: max(-delta, min(delta, p - y))


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


# loss -> (value, derivative by the prediction) of one number, in exact arithmetic
FORMULAS = {
    "mse": (lambda p, y: (p - y) ** 2, lambda p, y: 2 * (p - y)),
    "half_mse": (lambda p, y: (p - y) ** 2 / 2, lambda p, y: p - y),
    "mae": (lambda p, y: abs(p - y), lambda p, y: mp.sign(p - y)),
    "huber": huber(1),
    "hinge": (lambda p, y: max(0, 1 - y * p), lambda p, y: -y if y * p < 1 else mp.mpf(0)),
    "binary_cross_entropy": (
        lambda p, y: -xlogy(y, p) - xlog1py(1 - y, -p),
        lambda p, y: over(1 - y, 1 - p) - over(y, p),
    ),
    "binary_cross_entropy_with_logits": (
        lambda z, y: y * mp.log1p(mp.exp(-z)) + (1 - y) * mp.log1p(mp.exp(z)),
        lambda z, y: (1 - y) * sigmoid(z) - y * sigmoid(-z),
    ),
}
GRADIENT_FIRST = {"hinge", "binary_cross_entropy", "binary_cross_entropy_with_logits"}


def exact(name, p, y):
    """Return values and derivatives of the single losses, as floats."""
    value, slope = FORMULAS[name]
    pairs = [
        (mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(np.ravel(p), np.ravel(y), strict=True)
    ]
    values, slopes = ([float(f(a, b)) for a, b in pairs] for f in (value, slope))
    return np.reshape(values, np.shape(p)), np.reshape(slopes, np.shape(p))


def samples(name, shape, seed=0):
    random = np.random.default_rng(seed)
    if name == "hinge":
        return 2 * random.standard_normal(shape), random.choice([-1.0, 1.0], shape)
    if name == "binary_cross_entropy":
        return random.random(shape), random.random(shape).round(1)
    if name == "binary_cross_entropy_with_logits":
        return 10 * random.standard_normal(shape), random.random(shape).round(1)
    return 2 * random.standard_normal(shape), random.standard_normal(shape)


def close(got, known, rel=4e-15):
    np.testing.assert_allclose(got, known, rtol=rel, atol=1e-300)


def test_every_loss_has_its_name():
    assert set(losses.LOSSES) == {
        *FORMULAS, "cross_entropy", "categorical_cross_entropy", "soft_iou"
    }  # fmt: skip
    for name, loss in losses.LOSSES.items():
        assert losses.by_name(name) is loss is getattr(F, name)
    assert losses.by_name(len) is len
    with pytest.raises(ValueError, match="Did you mean 'mse'"):
        losses.by_name("msee")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(4,), (4, 1), (3, 2), (2, 3, 2), (1,)])
@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_gradients(name, shape, reduction):
    p, y = samples(name, shape)
    values, slopes = exact(name, p, y)
    random = np.random.default_rng(1)
    if reduction == "none":
        known, g = values, random.standard_normal(shape)
    else:
        known, g = getattr(np, reduction)(values), random.standard_normal()
        slopes = slopes / (values.size if reduction == "mean" else 1)
    node = Tensor(p)
    J = getattr(F, name)(node, y, reduction)
    J.backward(seed=g)
    rel = 1e-13 if name == "binary_cross_entropy_with_logits" else 4e-15
    close(J.data, known, rel)
    np.testing.assert_allclose(node.grad, g * slopes, rtol=rel, atol=1e-15)
    plain = getattr(F, name)(p, y, reduction=reduction)
    assert not isinstance(plain, (Tensor, Value))
    close(plain, known, rel)


@pytest.mark.parametrize("name", FORMULAS)
def test_forms_of_prediction_and_target(name):
    loss = getattr(F, name)
    p, y = samples(name, 4, seed=3)
    values, slopes = exact(name, p, y)
    forms = {
        "values": lambda: list(map(Value, p)),
        "tuple": lambda: tuple(map(Value, p)),
        "column of values": lambda: [[Value(v)] for v in p],
        "vector": lambda: Tensor(p),
        "column": lambda: Tensor(p[:, None]),
    }
    targets = [y, y[:, None], y.tolist(), tuple(y), Tensor(y), Tensor(y[:, None])]
    for make in forms.values():
        for target in targets:
            prediction = make()
            J = loss(prediction, target)
            J.backward()
            close(np.asarray(J.data).item(), values.mean(), 1e-13)
            if isinstance(prediction, Tensor):
                got = prediction.grad.ravel()
            else:
                got = [v[0].grad if isinstance(v, list) else v.grad for v in prediction]
            np.testing.assert_allclose(got, slopes / 4, rtol=1e-13, atol=1e-15)
    close(loss(p.tolist(), y.tolist()), values.mean(), 1e-13)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", FORMULAS)
def test_single_numbers(name, reduction):
    p, y = (float(a[0]) for a in samples(name, 1, seed=5))
    value, slope = (float(a) for a in exact(name, p, y))
    for target in (y, np.float64(y), Value(y)):
        node = Value(p)
        J = getattr(F, name)(node, target, reduction)
        assert isinstance(J, Value)
        J.backward(seed=-0.3)
        close(J.data, value, 1e-13)
        np.testing.assert_allclose(node.grad, -0.3 * slope, rtol=1e-13)
    close(getattr(F, name)(p, y, reduction), value, 1e-13)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool, np.float32])
@pytest.mark.parametrize("name", ["mse", "half_mse", "mae", "huber"])
def test_integers_are_promoted(name, dtype):
    p, y = np.array([0, 1, 1, 0]), np.array([1, 1, 0, 0])
    if dtype not in (bool, np.float32):
        p, y = p * 120, y * 120
    known = exact(name, p, y)[0].mean()
    close(getattr(F, name)(p.astype(dtype), y.astype(dtype)), known, 1e-6)
    close(getattr(F, name)(Tensor(p.astype(float)), y.astype(dtype)).data, known, 1e-6)


@pytest.mark.parametrize("name", FORMULAS)
def test_float32_is_kept(name):
    p, y = (a.astype(np.float32) for a in samples(name, (5, 1)))
    node = Tensor(p)
    J = getattr(F, name)(node, y)
    J.backward()
    assert J.dtype == node.grad.dtype == np.float32
    close(J.data, exact(name, p, y)[0].mean(), 1e-5)


LABELS = {
    "list": lambda y: y.tolist(),
    "integers": lambda y: y.astype(np.int64),
    "booleans": lambda y: y.astype(bool),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("name", losses.LOSSES)
def test_labels_that_are_integers_leave_the_prediction_its_dtype(name, kind):
    if name == "hinge":
        kind, y = ("integers" if kind == "booleans" else kind), np.array([[1], [-1]])
    elif "cross_entropy" in name and not name.startswith("binary"):
        y = np.array([[0, 1], [1, 1]])  # no one-hot rows, which would count as labels
    else:
        y = np.array([[0], [1]])
    p = np.broadcast_to([[0.25], [0.75]], y.shape).astype(np.float32)
    node, target = Tensor(p), LABELS[kind](y)
    J = getattr(F, name)(node, target)
    J.backward()
    assert J.dtype == node.grad.dtype == np.float32
    assert getattr(F, name)(p, target).dtype == np.float32


@pytest.mark.parametrize("name", ["cross_entropy", "categorical_cross_entropy"])
def test_class_labels_leave_the_prediction_its_dtype(name):
    p = np.array([[0.25, 0.75]], np.float32)
    assert getattr(F, name)(Tensor(p), [1]).dtype == getattr(F, name)(p, [1]).dtype == np.float32


@pytest.mark.parametrize("name", ["mse", "half_mse", "mae", "huber", "binary_cross_entropy"])
def test_gradients_by_the_target(name):
    p, y = samples(name, 5, seed=8)
    y = np.clip(y, 0.1, 0.9)
    target = Tensor(y)
    getattr(F, name)(p, target, "sum").backward(seed=1.7)
    h = 1e-6
    ends = [getattr(F, name)(p, y + s, "none") for s in (h, -h)]
    np.testing.assert_allclose(target.grad, 1.7 * (ends[0] - ends[1]) / (2 * h), rtol=1e-7)


# --------------------------------------------------------------------------- kinks and extremes

KINKS = [
    ("mae", 1.5, 1.5, 0.0, 0.0),
    ("huber", 2.0, 1.0, 0.5, 1.0),
    ("huber", 0.0, 1.0, 0.5, -1.0),
    ("huber", 3.0, 1.0, 1.5, 1.0),
    ("huber", 1.0, 1.0, 0.0, 0.0),
    ("huber", INF, 1.0, INF, 1.0),
    ("huber", -INF, 1.0, INF, -1.0),
    ("huber", 1e308, -1e308, INF, 1.0),
    ("hinge", 1.0, 1.0, 0.0, 0.0),
    ("hinge", -1.0, -1.0, 0.0, 0.0),
    ("hinge", 0.0, 1.0, 1.0, -1.0),
    ("hinge", -INF, 1.0, INF, -1.0),
    ("binary_cross_entropy", 0.0, 0.0, 0.0, 1.0),
    ("binary_cross_entropy", 1.0, 1.0, 0.0, -1.0),
    ("binary_cross_entropy", 0.0, 1.0, INF, -INF),
    ("binary_cross_entropy", 1.0, 0.0, INF, INF),
    ("binary_cross_entropy", 0.0, 0.25, INF, -INF),
    ("binary_cross_entropy", 1.0, 0.25, INF, INF),
    ("binary_cross_entropy", 1e-20, 0.0, 1e-20, 1.0),
    ("binary_cross_entropy", 5e-324, 0.0, 5e-324, 1.0),
    ("binary_cross_entropy_with_logits", INF, 1.0, 0.0, 0.0),
    ("binary_cross_entropy_with_logits", -INF, 0.0, 0.0, 0.0),
    ("binary_cross_entropy_with_logits", INF, 0.0, INF, 1.0),
    ("binary_cross_entropy_with_logits", -INF, 1.0, INF, -1.0),
    ("binary_cross_entropy_with_logits", 0.0, 0.5, math.log(2), 0.0),
]


@pytest.mark.parametrize(("name", "p", "y", "value", "slope"), KINKS)
def test_kinks_and_bounds(name, p, y, value, slope):
    for make in (Value, lambda v: Tensor([v]), lambda v: Tensor([[v], [v]])):
        node = make(p)
        target = y if isinstance(node, Value) else np.full(node.shape, y)
        with np.errstate(all="ignore"):
            J = getattr(F, name)(node, target, "none")
            J.backward(seed=np.full(node.shape, 0.5) if node.shape else 0.5)
        close(J.data, np.full(node.shape, value), 1e-15)
        close(node.grad, np.full(node.shape, 0.5 * slope), 1e-15)


LOGITS = [-745.0, -700.0, -40.0, -20.0, -1.0, -1e-3, 0.0, 1e-9, 3.0, 20.0, 37.0, 40.0, 700.0]


@pytest.mark.parametrize("y", [0.0, 1.0, 0.3, 0.5, 1e-3])
def test_extreme_logits_of_the_binary_cross_entropy(y):
    z, name = np.array(LOGITS), "binary_cross_entropy_with_logits"
    target = np.full(z.shape, y)
    values, slopes = exact(name, z, target)
    node = Tensor(z)
    J = F.binary_cross_entropy_with_logits(node, target, "none")
    J.backward(seed=np.linspace(1, 2, z.size))
    # of the two terms the smaller is lost beside the larger one, as on any paper
    tolerance = 4e-16 * np.abs(z) * min(y, 1 - y) if 0 < y < 1 else 0
    assert np.all(np.abs(J.data - values) <= 4e-15 * np.abs(values) + tolerance)
    got = node.grad / np.linspace(1, 2, z.size)
    assert np.all(np.abs(got - slopes) <= 8e-16 * (np.abs(slopes) + min(y, 1 - y)))
    for number, value, slope in zip(z, values, slopes, strict=True):
        single = Value(number)
        J = F.binary_cross_entropy_with_logits(single, y)
        J.backward()
        close(J.data, value, 4e-15)
        assert abs(single.grad - slope) <= 8e-16 * (abs(slope) + min(y, 1 - y))
        one = F.binary_cross_entropy_with_logits(np.array([number]), np.array([y]))
        assert one == pytest.approx(
            eq.binary_cross_entropy_from_logits(*np.array([[[number]], [[y]]]))
        )


@given(st.floats(-700, 700), st.sampled_from([0.0, 1.0]))
def test_logits_of_a_hard_label_are_exact(z, y):
    value, slope = exact("binary_cross_entropy_with_logits", z, y)
    node = Value(z)
    J = F.binary_cross_entropy_with_logits(node, y)
    J.backward()
    close(J.data, value, 2e-15)
    close(node.grad, slope, 2e-15)


@given(st.floats(1e-300, 1 - 2**-53), st.sampled_from([0.0, 1.0, 0.25]))
def test_probabilities_are_exact(p, y):
    value, slope = exact("binary_cross_entropy", p, y)
    node = Value(p)
    J = F.binary_cross_entropy(node, y)
    J.backward()
    close(J.data, value, 4e-15)
    size = y / p + (1 - y) / (1 - p)
    assert abs(node.grad - slope) <= 1e-15 * size


# --------------------------------------------------------------------------- classes


def softmax_reference(z, y, logits):
    """Return −Σ y log ŷ and its gradient for one row, in exact arithmetic."""
    with mp.workdps(700):  # 1 − ŷ may be as small as e⁻¹⁴⁰⁰
        z, y = [mp.mpf(float(v)) for v in z], [mp.mpf(float(v)) for v in y]
        if not logits:
            slopes = [float(-over(b, a)) for a, b in zip(z, y, strict=True)]
            return float(-sum(xlogy(b, a) for a, b in zip(z, y, strict=True))), slopes
        e = [mp.exp(v) for v in z]
        p = [v / sum(e) for v in e]
        value = -sum(b * mp.log(a) for a, b in zip(p, y, strict=True) if b)
        return float(value), [float(a * sum(y) - b) for a, b in zip(p, y, strict=True)]


def class_samples(logits, kind, m=5, classes=4, seed=0):
    random = np.random.default_rng(seed)
    z = 3 * random.standard_normal((m, classes))
    labels = random.integers(0, classes, m)
    hard = np.eye(classes)[labels]
    soft = random.dirichlet(np.ones(classes), m)
    target, y = {
        "labels": (labels, hard),
        "column of labels": (labels[:, None], hard),
        "float labels": (labels.astype(float), hard),
        "list of labels": (labels.tolist(), hard),
        "tensor of labels": (Tensor(labels), hard),
        "one-hot": (hard, hard),
        "integer one-hot": (hard.astype(int), hard),
        "boolean one-hot": (hard.astype(bool), hard),
        "list of rows": (hard.tolist(), hard),
        "list of integer rows": (hard.astype(int).tolist(), hard),
        "tensor": (Tensor(hard), hard),
        "soft": (soft, soft),
        "soft lists": (soft.tolist(), soft),
        "soft values": ([[Value(v) for v in row] for row in soft], soft),
    }[kind]
    return (z if logits else eq.softmax(z.T).T), target, y


KINDS = [
    "labels", "column of labels", "float labels", "list of labels", "tensor of labels", "one-hot",
    "integer one-hot", "boolean one-hot", "list of rows", "list of integer rows", "tensor", "soft",
    "soft lists", "soft values",
]  # fmt: skip
CLASS_LOSSES = {F.cross_entropy: True, F.categorical_cross_entropy: False}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", CLASS_LOSSES)
def test_cross_entropies(loss, kind, reduction):
    z, target, y = class_samples(CLASS_LOSSES[loss], kind)
    rows = [softmax_reference(a, b, CLASS_LOSSES[loss]) for a, b in zip(z, y, strict=True)]
    values, slopes = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    g = np.random.default_rng(3).standard_normal(5 if reduction == "none" else ())
    known = values if reduction == "none" else getattr(np, reduction)(values)
    scale = np.reshape(g, (-1, 1)) / (5 if reduction == "mean" else 1)
    node = Tensor(z)
    J = loss(node, target, reduction)
    J.backward(seed=g)
    close(J.data, known, 1e-13)
    np.testing.assert_allclose(node.grad, scale * slopes, rtol=1e-12, atol=1e-15)
    lists = [[Value(v) for v in row] for row in z]
    J = loss(lists, target, reduction)
    J.backward(seed=g)
    close(J.data, known, 1e-13)
    got = [[v.grad for v in row] for row in lists]
    np.testing.assert_allclose(got, scale * slopes, rtol=1e-12, atol=1e-15)


EXTREMES = [
    [40.0, 0.0, -3.0],
    [0.0, 40.0, 40.0],
    [700.0, -700.0, 0.0],
    [-700.0, -740.0, -700.0],
    [1e300, 0.0, -1e300],
    [37.0, 1e-9, 0.0],
    [0.0, 0.0, 0.0],
]


@pytest.mark.parametrize("form", ["labels", "one-hot", "tensor", "soft"])
@pytest.mark.parametrize("z", EXTREMES)
def test_extreme_logits_of_the_cross_entropy(z, form):
    for label in range(3):
        hard = np.eye(3)[label]
        target = {"labels": [label], "one-hot": hard[None], "tensor": Tensor(hard[None])}.get(form)
        y = hard
        if form == "soft":
            y = 0.75 * hard + 0.25 * np.eye(3)[(label + 1) % 3]
            target = y[None]
        value, slopes = softmax_reference(z, y, logits=True)
        node = Tensor([z])
        J = F.cross_entropy(node, target)
        J.backward(seed=1.5)
        close(J.data, value, 4e-15)
        size = np.abs(slopes) if form != "soft" else np.abs(slopes) + y
        assert np.all(np.abs(node.grad[0] / 1.5 - slopes) <= 4e-15 * size)


@pytest.mark.parametrize("form", ["labels", "one-hot", "tensor"])
def test_a_class_ruled_out_by_a_logit_of_minus_infinity(form):
    z = Tensor([[-INF, 0.0, 1.0], [2.0, -INF, -INF]])
    labels = np.array([2, 0])
    hard = np.eye(3)[labels]
    target = {"labels": labels, "one-hot": hard, "tensor": Tensor(hard)}[form]
    with np.errstate(all="ignore"):
        J = F.cross_entropy(z, target, "none")
        J.backward(seed=np.array([1.0, -2.0]))
    close(J.data, [math.log1p(math.exp(-1)), 0.0], 1e-15)
    s = 1 / (1 + math.exp(-1))
    np.testing.assert_allclose(z.grad, [[0, 1 - s, s - 1], [0, 0, 0]], rtol=1e-14)


def test_probabilities_of_exactly_zero():
    p = Tensor([[0.0, 1.0], [0.0, 1.0]])
    with np.errstate(divide="ignore"):
        J = F.categorical_cross_entropy(p, np.array([1, 0]), "none")
        J.backward(seed=np.array([3.0, 1.0]))
    np.testing.assert_array_equal(J.data, [0.0, INF])
    np.testing.assert_array_equal(p.grad, [[0.0, -3.0], [-INF, 0.0]])


def test_soft_iou_of_rows_and_reductions():
    random = np.random.default_rng(0)
    p, y = random.random((3, 4, 5)), random.random((3, 4, 5)).round()
    y[1] = 0.0
    p[1] = 0.0
    values = [eq.soft_iou(a, b) for a, b in zip(p, y, strict=True)]
    slopes = np.array([eq.soft_iou_gradient(a, b) for a, b in zip(p, y, strict=True)])
    g = random.standard_normal(3)
    for reduction, known, scale in [
        ("none", values, g[:, None, None]),
        ("sum", sum(values), g[0]),
        ("mean", np.mean(values), g[0] / 3),
    ]:
        node = Tensor(p)
        J = F.soft_iou(node, y, reduction)
        J.backward(seed=g if reduction == "none" else g[0])
        close(J.data, known, 1e-13)
        np.testing.assert_allclose(node.grad, scale * slopes, rtol=1e-12, atol=1e-15)


def test_soft_iou_of_single_numbers():
    prediction = Value(0.5)
    J = F.soft_iou(prediction, 1.0)
    J.backward()
    assert isinstance(J, Value)
    assert (J.data, prediction.grad) == (0.5, -1.0)
    assert F.soft_iou(0.5, 1.0) == 0.5
    assert F.soft_iou(Value(0.0), 0.0).data == 0.0


# ------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_mean_of_no_examples_is_refused(name):
    shape = (0, 2) if name.endswith("cross_entropy") or name == "soft_iou" else (0,)
    nothing = np.zeros((0,) if name == "binary_cross_entropy" else shape)
    loss = getattr(F, name)
    for prediction in (nothing, Tensor(nothing)):
        with pytest.raises(ValueError, match=f"^{name}: there are no examples"):
            loss(prediction, nothing)
    assert loss(nothing, nothing, "sum") == 0.0


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("reduction", ["avg", None, "Mean", 2])
def test_unknown_reductions(name, reduction):
    p, y = (np.full((2, 2), 0.5), np.array([0, 1])) if "cross_e" in name else ([0.5], [1.0])
    if name.startswith("binary"):
        p, y = [0.5], [1.0]
    with pytest.raises(ValueError, match="'mean', 'sum' and 'none'"):
        getattr(F, name)(np.asarray(p), np.asarray(y), reduction)


@pytest.mark.parametrize("name", [*FORMULAS, "soft_iou"])
@pytest.mark.parametrize(
    ("p", "y"),
    [
        ((3,), (2,)),
        ((3,), (1,)),
        ((3,), ()),
        ((3, 2), (3,)),
        ((3, 2), (2, 3)),
        ((3, 1), (1, 3)),
        ((1, 3), (3,)),
        ((2, 3), (2, 1)),
        ((), (2,)),
        ((2, 2), (2, 2, 1, 1)),
    ],
)
def test_shapes_that_differ_are_refused(name, p, y):
    with pytest.raises(ValueError, match=rf"{name}: .*shape") as error:
        getattr(F, name)(Tensor(np.full(p, 0.5)), np.ones(y))
    assert str(p) in str(error.value)
    assert str(y) in str(error.value)


@pytest.mark.parametrize("target", [0.0, 2.0, -0.5, NAN, INF])
def test_hinge_takes_targets_of_minus_one_and_one_only(target):
    with pytest.raises(ValueError, match="−1 and 1"):
        F.hinge(Tensor([0.5, 0.5]), np.array([1.0, target]))
    with pytest.raises(ValueError, match="−1 and 1"):
        F.hinge(Value(0.5), target)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "soft_iou"])
@pytest.mark.parametrize("bad", [-1e-9, 1.0 + 1e-9, 3.0, INF, -INF])
def test_predictions_outside_of_zero_and_one(name, bad):
    with pytest.raises(ValueError, match=rf"{name} needs predictions in \[0, 1\].*logits"):
        getattr(F, name)(Tensor([0.5, bad]), np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    "name", ["binary_cross_entropy", "binary_cross_entropy_with_logits", "soft_iou"]
)
@pytest.mark.parametrize("bad", [-1e-9, 1.0 + 1e-9, 2.0, -1.0, INF, NAN])
def test_targets_outside_of_zero_and_one(name, bad):
    for prediction, target in [(Tensor([0.5, 0.5]), [1.0, bad]), (Value(0.5), bad)]:
        with pytest.raises(ValueError, match=rf"{name}.* target"):
            getattr(F, name)(prediction, target)


@pytest.mark.parametrize("loss", CLASS_LOSSES)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([0, 3], r"0 \.\.\. 2"),
        ([0, -1], r"0 \.\.\. 2"),
        ([0.5, 1.0], "integers"),
        ([NAN, 1.0], "integers|NaN"),
        ([INF, 1.0], "integers"),
        ([0], "shape"),
        ([0, 1, 2], "shape"),
        (np.eye(3), "shape"),
        (np.eye(3)[:2].T, "shape"),
        (1, "shape"),
        ([[1.0, -1.0, 1.0], [0, 0, 1]], r"\[0, 1\]"),
        ([[7.0, 9.0, 1.0], [0, 0, 1]], r"\[0, 1\]"),
        ([[NAN, 1.0, 0.0], [0, 0, 1]], "NaN"),
    ],
    ids=str,
)
def test_targets_of_classes_that_are_refused(loss, target, message):
    with pytest.raises(ValueError, match=rf"{loss.__name__}.*{message}"):
        loss(Tensor(np.full((2, 3), 1 / 3)), np.array(target))


@pytest.mark.parametrize("loss", CLASS_LOSSES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_predictions_of_classes_are_rows(loss, shape):
    with pytest.raises(ValueError, match=rf"{loss.__name__} needs predictions of shape \(m, C\)"):
        loss(Tensor(np.full(shape, 0.5)), np.array([0]))


@pytest.mark.parametrize("name", losses.LOSSES)
@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_prediction_that_is_nan_gives_a_loss_that_is_nan(name, all_of_them):
    # so that training can stop on it; only targets are refused
    p = np.full((2, 2), NAN) if all_of_them else np.array([[NAN, 0.5], [0.5, 0.5]])
    y = np.array([0, 1]) if name in ("cross_entropy", "categorical_cross_entropy") else np.eye(2)
    y = 2 * y - 1 if name == "hinge" else y
    with np.errstate(all="ignore"):
        assert math.isnan(getattr(F, name)(Tensor(p), y).item())
        assert math.isnan(getattr(F, name)(p, y))


@pytest.mark.parametrize("delta", [0.0, -1.0, NAN])
def test_huber_needs_a_positive_delta(delta):
    with pytest.raises(ValueError, match="delta must be positive"):
        F.huber(Tensor([1.0]), [0.0], delta=delta)


@pytest.mark.parametrize("delta", [0.1, 2.0, INF])
def test_huber_of_another_delta(delta):
    p, y = samples("huber", 9, seed=4)
    value, slope = huber(mp.mpf(delta))
    node = Tensor(p)
    J = F.huber(node, y, delta=delta, reduction="none")
    g = np.random.default_rng(0).standard_normal(9)
    J.backward(seed=g)
    pairs = [(mp.mpf(a), mp.mpf(b)) for a, b in zip(p, y, strict=True)]
    close(J.data, [float(value(a, b)) for a, b in pairs])
    close(node.grad, g * [float(slope(a, b)) for a, b in pairs])


@pytest.mark.parametrize("name", [n for n in FORMULAS if n != "mae"])
def test_second_derivatives(name):
    p, y = samples(name, 3, seed=11)
    y = np.clip(y, 0.2, 0.8) if name.startswith("binary") else y
    node = Tensor(p)
    getattr(F, name)(node, y, "sum").backward(create_graph=True)
    slope, h = node.grad, 1e-6
    assert isinstance(slope, Tensor)
    node.zero_grad()
    g = np.array([0.7, -1.1, 2.0])
    if slope.op is None:
        got = np.zeros(3)
    else:
        slope.backward(seed=g)
        got = node.grad
    ends = [exact(name, p + s, y)[1] for s in (h, -h)]
    np.testing.assert_allclose(got, g * (ends[0] - ends[1]) / (2 * h), rtol=1e-5, atol=1e-8)
