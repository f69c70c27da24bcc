"""Rows of the table: compositions that are kept as one operation, to be exact and fast.

Each could be written in the other rows. As one operation it neither over- nor underflows, its
gradient is the textbook's (``A − Y``), and it costs one node.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph import ieee, special
from micrograd_nn.graph.node import data_of, is_finite
from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.table.arithmetic import clip, sign, where
from micrograd_nn.graph.table.arrays import (
    lined_up,
    mean,
    reshape,
    shape_of,
    sum_,
    var,
    with_reduced_axes,
)
from micrograd_nn.graph.table.elementary import sigmoid


def _shifted(x: Any, axis: Any) -> tuple[Any, Any]:
    largest = np.maximum.reduce(x, axis=axis, keepdims=True)
    if not is_finite(largest):
        largest = np.where(np.isfinite(largest), largest, 0).astype(x.dtype)
    return x - largest, largest


def _softmax(x: Any, axis: Any) -> Any:
    e = np.exp(_shifted(x, axis)[0])
    return e / np.sum(e, axis=axis, keepdims=True)


def _is_top(z: Any, axis: Any) -> Any:
    """Return where the largest element along the axes stands, the first of several."""
    data = data_of(z)
    lined, order, full = lined_up(data, axis)
    top = np.arange(lined.shape[-1]) == np.argmax(lined, axis=-1)[..., None]
    return np.transpose(np.reshape(top, full), np.argsort(order))


def softmax_x(g, z, _x, *, axis):
    # A constant added to g changes nothing. Where one element of z is close to 1, g minus its g
    # leaves small terms only, and so no cancellation.
    top = sum_(where(_is_top(z, axis), g, 0.0), axis=axis, keepdims=True)
    rest = g - top
    return z * (rest - sum_(rest * z, axis=axis, keepdims=True))


softmax = primitive(
    "softmax",
    _softmax,
    softmax_x,
    code="softmax({}, axis={axis})",
    textbook=("{z} ∘ ({g} − Σ {g} ∘ {z})",),
    elementwise=False,
    along="axis",
)


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    shifted, largest = _shifted(x, axis)
    with np.errstate(divide="ignore"):  # log Σ 0, where all elements are −inf
        result = np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)) + largest
    return result if keepdims else np.squeeze(result, axis=axis)


def logsumexp_x(g, z, x, *, axis, keepdims):
    empty = np.isneginf(data_of(with_reduced_axes(z, x, axis)))
    share = softmax(where(empty, 0.0, x), axis=axis)
    return with_reduced_axes(g, x, axis) * where(empty, 0.0, share)


logsumexp = primitive(
    "logsumexp",
    _logsumexp,
    logsumexp_x,
    code="logsumexp({}, axis={axis}, keepdims={keepdims})",
    textbook=("softmax({0})",),
    kinks={"all elements -inf": "0"},
    elementwise=False,
    along="axis",
)


def _log_softmax(x: Any, axis: Any) -> Any:
    shifted, _ = _shifted(x, axis)
    e = np.asarray(np.exp(shifted))  # of a number, too
    top = _is_top(x, axis)
    if not np.all(e[top] == 1):  # a row of infinities or NaN
        return shifted - np.log(np.sum(e, axis=axis, keepdims=True))
    e[top] = 0  # log1p adds its exponential, 1, without rounding
    return shifted - np.log1p(np.sum(e, axis=axis, keepdims=True))


def log_softmax_x(g, z, x, *, axis):
    # g − p Σg; for the largest p, 1 − p is the sum of the others, which doesn't cancel
    p, top = softmax(x, axis=axis), _is_top(z, axis)
    others = sum_(where(top, 0.0, g), axis=axis, keepdims=True)
    share_of_others = sum_(where(top, 0.0, p), axis=axis, keepdims=True)
    total = sum_(g, axis=axis, keepdims=True)
    return where(top, g * share_of_others - p * others, g - p * total)


log_softmax = primitive(
    "log_softmax",
    _log_softmax,
    log_softmax_x,
    code="log_softmax({}, axis={axis})",
    textbook=("{g} − softmax({0}) Σ {g}",),
    elementwise=False,
    along="axis",
)


# ------------------------------------------------------------------------------------- layers


def _linear(x: Any, W: Any, b: Any) -> Any:
    z = np.matmul(x, W.T)
    if type(b) is not float and b.dtype != z.dtype:
        return z + b
    z += b
    return z


def linear_x(g, z, _x, W, _b):
    return g @ W


def linear_weights(g, z, x, _W, _b):
    if len(shape_of(x)) != 2:
        g = reshape(g, shape=(-1, shape_of(g)[-1]))
        x = reshape(x, shape=(-1, shape_of(x)[-1]))
    return g.T @ x


def linear_bias(g, z, _x, _W, _b):
    return g


linear = primitive(
    "linear",
    _linear,
    (linear_x, linear_weights, linear_bias),
    notation="{} {}ᵀ + {}",
    code="{} @ {}.T + {}",
    textbook=("{g} {1}", "{g}ᵀ {0}", "Σ {g}"),
    elementwise=False,
    multilinear=True,
)


def _standardize(x: Any, axis: Any, eps: float) -> Any:
    centred = x - np.mean(x, axis=axis, keepdims=True)
    variance = np.mean(centred * centred, axis=axis, keepdims=True)
    return centred / np.sqrt(variance + eps)


def standardize_x(g, z, x, *, axis, eps):
    along_ones = mean(g, axis=axis, keepdims=True)
    along_z = z * mean(g * z, axis=axis, keepdims=True)
    return (g - along_ones - along_z) / (var(x, axis=axis, ddof=0, keepdims=True) + eps) ** 0.5


standardize = primitive(
    "standardize",
    _standardize,
    standardize_x,
    notation="({0} − μ) / √(σ² + {eps})",
    code="standardize({}, axis={axis}, eps={eps})",
    elementwise=False,
    along="axis",
)


# -------------------------------------------------------------------------------------- losses


def _bce(x: Any, y: Any) -> Any:
    # y softplus(−x) + (1 − y) softplus(x) with the part that both share taken out
    with np.errstate(invalid="ignore"):
        loss: Any = np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))
    if not is_finite(loss):  # perhaps NaN, from an infinite logit
        sure = ((x > 0) & (y == 1)) | ((x < 0) & (y == 0))
        loss = np.where(np.isinf(x), np.where(sure, 0.0, np.inf), loss).astype(loss.dtype)
    return loss


def _bce_float(x: float, y: float) -> float:
    if math.isinf(x):
        return 0.0 if y == (x > 0) else math.inf
    return max(x, 0.0) - x * y + special.softplus_float(-abs(x))


def _sigmoid_minus(x: Any, y: Any) -> Any:
    # (1 − y) σ(x) − y σ(−x) is σ(x) − y without its cancellation: exact for y = 1 far out, where
    # σ(x) rounds to 1. Both σ come from one exponential.
    e = np.exp(-np.abs(x))
    large = 1.0 / (1.0 + e)
    small = e * large
    positive = x >= 0
    return (1.0 - y) * np.where(positive, large, small) - y * np.where(positive, small, large)


def _sigmoid_minus_float(x: float, y: float) -> float:
    return (1.0 - y) * special.sigmoid_float(x) - y * special.sigmoid_float(-x)


def sigmoid_minus_x(g, z, x, _y):
    return g * (sigmoid(x) * sigmoid(-x))


def sigmoid_minus_y(g, z, _x, _y):
    return -g


sigmoid_minus = primitive(
    "sigmoid_minus",
    _sigmoid_minus,
    (sigmoid_minus_x, sigmoid_minus_y),
    on_floats=_sigmoid_minus_float,
    notation="σ({}) − {}",
    code="sigmoid({}) - {}",
    textbook=("σ({0}) * (1 - σ({0}))", "-1"),
)


def bce_x(g, z, x, y):
    return g * sigmoid_minus(x, y)


def bce_y(g, z, x, _y):
    return -(g * x)


bce_with_logits = primitive(
    "bce_with_logits",
    _bce,
    (bce_x, bce_y),
    on_floats=_bce_float,
    notation="bce({}, {})",
    code="bce_with_logits({}, {})",
    textbook=("σ({0}) − {1}", "-{0}"),
)


@lru_cache(maxsize=16)
def _rows(count: int) -> Any:
    """Return 0, 1, 2, ...: the same array each time, by which a compiler knows it again."""
    return np.broadcast_to(np.arange(count), (count,))  # read-only


def _shifted_rows(x: Any, top: Any) -> Any:
    """Return x minus the largest of each row, which stands at ``top``."""
    return x - x[_rows(len(top)), top][:, None]  # found faster so than as a maximum


def _softmax_parts(x: Any, labels: Any) -> tuple[Any, Any, Any]:
    """Return exp(x − max), its row sums without the labelled entries, and those entries."""
    e = np.exp(_shifted_rows(x, x.argmax(axis=-1)))
    rows = _rows(len(labels))
    labelled = e[rows, labels]
    e[rows, labels] = 0
    return e, np.add.reduce(e, axis=-1), labelled


def _label_cross_entropy(x: Any, labels: Any) -> Any:
    rows, top = _rows(len(labels)), x.argmax(axis=-1)
    shifted = _shifted_rows(x, top)
    e = np.exp(shifted)
    e[rows, top] = 0  # its exponential is 1, which log1p adds without rounding
    return np.log1p(np.add.reduce(e, axis=-1)) - shifted[rows, labels]


def label_cross_entropy_x(g, z, x, *, labels):
    return reshape(g, shape=(*shape_of(g), 1)) * softmax_minus_labels(x, labels=labels)


label_cross_entropy = primitive(
    "label_cross_entropy",
    _label_cross_entropy,
    label_cross_entropy_x,
    notation="−log softmax({})[y]",
    code="label_cross_entropy({}, {labels})",
    textbook=("softmax({0}) − Y",),
    elementwise=False,
    along=(-1,),
)


def _softmax_minus_labels(x: Any, labels: Any) -> Any:
    e, others, labelled = _softmax_parts(x, labels)
    e[_rows(len(labels)), labels] = -others  # p − 1 = −Σ of the others, without cancellation
    e /= (others + labelled)[:, None]
    return e


def softmax_minus_labels_x(g, z, x, *, labels):
    return softmax_x(g, softmax(x, axis=-1), x, axis=-1)


softmax_minus_labels = primitive(
    "softmax_minus_labels",
    _softmax_minus_labels,
    softmax_minus_labels_x,
    notation="softmax({}) − Y",
    elementwise=False,
    along=(-1,),
)


def _huber(e: Any, delta: Any) -> Any:
    size = np.abs(e)
    return np.where(size <= delta, 0.5 * e * e, delta * (size - 0.5 * delta))


def _huber_float(e: float, delta: float) -> float:
    return 0.5 * e * e if abs(e) <= delta else delta * (abs(e) - 0.5 * delta)


def huber_e(g, z, e, delta):
    return g * clip(e, -delta, delta)


huber = primitive(
    "huber",
    _huber,
    (huber_e, None),
    on_floats=_huber_float,
    notation="huber({}, {})",
    code="huber({}, {})",
    textbook=("clip({0}, -{1}, {1})", "0"),
)


def _hinge(x: Any, y: Any) -> Any:
    return np.maximum(1.0 - y * x, 0.0)


def _hinge_float(x: float, y: float) -> float:
    return ieee.maximum(1.0 - y * x, 0.0)


def hinge_x(g, z, _x, y):
    return -(g * y) * sign(z)  # z >= 0


def hinge_y(g, z, x, _y):
    return -(g * x) * sign(z)


hinge = primitive(
    "hinge",
    _hinge,
    (hinge_x, hinge_y),
    on_floats=_hinge_float,
    notation="max(0, 1 − {1} {0})",
    code="np.maximum(0, 1 - {1} * {0})",
    textbook=("-{1} * [{1} * {0} < 1]", "-{0} * [{1} * {0} < 1]"),
    kinks={"x * y == 1": "0"},
)
