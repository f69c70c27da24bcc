"""Losses: ``loss(prediction, target, reduction="mean")``.

Each takes nodes, arrays or numbers. ``reduction`` is ``"mean"`` or ``"sum"`` over the examples (for
regression: over all numbers), or ``"none"`` for the single losses. Binary and regression losses
take a target of the prediction's shape; a target (m,) fits a prediction (m, 1), too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph import functions as F
from micrograd_nn.graph.functions.gathering import gathered
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import as_floating, is_plain_number
from micrograd_nn.graph.table import fused
from micrograd_nn.graph.table.arrays import shape_of
from micrograd_nn.nn.activations import chosen

Loss = Callable[..., Any]


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the mean squared error, 1/n Σ (ŷ − y)².

    Examples
    --------
    >>> import numpy as np
    >>> float(mse(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    """
    return _squared("mse", prediction, target, reduction)


def half_mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return half the mean squared error, 1/(2n) Σ (ŷ − y)², whose gradient is (ŷ − y)/n."""
    return 0.5 * _squared("half_mse", prediction, target, reduction)


def _squared(loss: str, prediction: Any, target: Any, reduction: str) -> Any:
    prediction, target = _paired(loss, prediction, target)
    error = prediction - target
    return _reduced(loss, error * error, reduction)


def mae(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the mean absolute error, 1/n Σ |ŷ − y|; its gradient at ŷ = y is 0."""
    prediction, target = _paired("mae", prediction, target)
    return _reduced("mae", F.abs(prediction - target), reduction)


def huber(prediction: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return ½ e² where |e| ≤ δ, else δ (|e| − ½ δ), for the error e = ŷ − y.

    Source: Huber, "Robust estimation of a location parameter", 1964.

    Examples
    --------
    >>> import numpy as np
    >>> huber(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ValueError(f"delta must be positive, got {delta}")
    prediction, target = _paired("huber", prediction, target)
    return _reduced("huber", fused.huber(prediction - target, float(delta)), reduction)


def hinge(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return max(0, 1 − y ŷ), for targets −1 and 1; its derivative at the kink is 0.

    Raises
    ------
    ValueError
        If a target is neither −1 nor 1.

    Examples
    --------
    >>> import numpy as np
    >>> float(hinge(np.array([0.5, -2.0]), np.array([1, -1])))
    0.25
    """
    prediction, target = _paired("hinge", prediction, target)
    if (np.abs(_data(target)) != 1).any() if shape_of(target) else abs(_data(target)) != 1:
        raise ValueError("hinge needs targets −1 and 1: map labels 0 and 1 by 2 * y - 1")
    return _reduced("hinge", fused.hinge(prediction, target), reduction)


def binary_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −(y log ŷ + (1 − y) log(1 − ŷ)), for probabilities ŷ.

    Where the prediction comes from a sigmoid, ``binary_cross_entropy_with_logits`` is exact also
    where the sigmoid rounds to 0 or 1.

    Raises
    ------
    ValueError
        If a prediction or target lies outside [0, 1].
    """
    prediction, target = _paired("binary_cross_entropy", prediction, target)
    _check_unit_interval("binary_cross_entropy", "predictions", prediction)
    _check_unit_interval("binary_cross_entropy", "targets", target)
    # 0 · log 0 is 0: the factor that vanishes is replaced, together with its derivative.
    p, y = _data(prediction), _data(target)
    right = F.where(y == 0, 0.0, target * F.log(F.where((y == 0) & (p == 0), 1.0, prediction)))
    rest = F.log1p(F.where((y == 1) & (p == 1), 0.0, -prediction))
    wrong = F.where(y == 1, 0.0, (1.0 - target) * rest)
    return _reduced("binary_cross_entropy", -(right + wrong), reduction)


def binary_cross_entropy_with_logits(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the binary cross-entropy of σ(z), for logits z; its gradient is σ(z) − y.

    It is exact for every z: log(1 + e^−|z|) + max(z, 0) − y z.

    Examples
    --------
    >>> binary_cross_entropy_with_logits(40.0, 1.0) > 0
    True
    """
    prediction, target = _paired("binary_cross_entropy_with_logits", prediction, target)
    _check_unit_interval("binary_cross_entropy_with_logits", "targets", target)
    return _reduced(
        "binary_cross_entropy_with_logits", fused.bce_with_logits(prediction, target), reduction
    )


def cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −Σ_c y_c log softmax(z)_c, for logits z of shape (m, C).

    Parameters
    ----------
    prediction : (m, C)
        Logits.
    target : (m,) integer labels, or (m, C) probabilities
        One-hot rows are probabilities.
    reduction : str
        Over the m examples.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> a = cross_entropy(z, np.array([0, 1]))
    >>> b = cross_entropy(z, np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> bool(abs(a - b) < 1e-15)
    True
    """
    prediction, target = gathered(prediction), _listed(target)
    rows, classes = _class_shape("cross_entropy", prediction)
    labels = _labels("cross_entropy", target, rows, classes)
    if labels is not None:
        return _reduced(
            "cross_entropy", fused.label_cross_entropy(prediction, labels=labels), reduction
        )
    target = _floating(target, prediction)
    logs = F.where(_data(target) == 0, 0.0, F.log_softmax(prediction))
    return _reduced("cross_entropy", -F.sum(target * logs, axis=-1), reduction)


def categorical_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −Σ_c y_c log ŷ_c, for probabilities ŷ (m, C); targets as for ``cross_entropy``."""
    prediction, target = gathered(prediction), _listed(target)
    rows, classes = _class_shape("categorical_cross_entropy", prediction)
    _check_unit_interval("categorical_cross_entropy", "predictions", prediction)
    labels = _labels("categorical_cross_entropy", target, rows, classes)
    if labels is not None:
        target = np.eye(classes, dtype=prediction.dtype)[labels]
    target = _floating(target, prediction)
    logs = F.log(F.where(_data(target) == 0, 1.0, prediction))
    return _reduced("categorical_cross_entropy", -F.sum(target * logs, axis=-1), reduction)


def soft_iou(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return 1 − Σ ŷ y / Σ (ŷ + y − ŷ y), intersection over union, per example.

    Of two empty masks it is 0, with gradient 0. The sums run over all axes but the first; a vector
    or column is one example. Source: Rahman, Wang, "Optimizing intersection-over-union in deep
    neural networks for image segmentation", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(soft_iou(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))) < 1e-9)
    True
    """
    prediction, target = _paired("soft_iou", prediction, target)
    _check_unit_interval("soft_iou", "predictions", prediction)
    _check_unit_interval("soft_iou", "targets", target)
    shape = shape_of(prediction)
    axes = tuple(range(1, len(shape))) if math.prod(shape[1:]) > 1 else None
    both = prediction * target
    union = prediction + target - both
    if shape:
        both, union = F.sum(both, axis=axes), F.sum(union, axis=axes)
    empty = _data(union) == 0
    share = both / F.where(empty, 1.0, union)
    return _reduced("soft_iou", F.where(empty, 0.0, 1.0 - share), reduction)


#: Every loss by its name.
LOSSES: dict[str, Loss] = {
    loss.__name__: loss
    for loss in (
        mse,
        half_mse,
        mae,
        huber,
        hinge,
        binary_cross_entropy,
        binary_cross_entropy_with_logits,
        cross_entropy,
        categorical_cross_entropy,
        soft_iou,
    )
}


def by_name(loss: str | Loss) -> Loss:
    """Return the loss of that name; a function is returned as it is.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.
    """
    if callable(loss):
        return loss
    found: Loss = chosen("loss", loss, LOSSES)
    return found


# ------------------------------------------------------------------------------------ checks


def _data(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def _floating(x: Any, beside: Any = 0.0) -> Any:
    """Return a node as it is, a plain number as a float, a sequence as a Tensor or array.

    Integers take the dtype of the data that they stand beside, as they do beside an operator.
    """
    if isinstance(x, Node):
        return x
    if _has_nodes(x):
        return gathered(x)
    if is_plain_number(x):
        return float(x)
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        return array.astype(getattr(_data(beside), "dtype", np.float64))
    return as_floating(array)


def _listed(target: Any) -> Any:
    """Return lists of Values as a Tensor, labels and other lists as an array."""
    if isinstance(target, Node):
        return target
    return gathered(target) if _has_nodes(target) else np.asarray(target)


def _has_nodes(x: Any) -> bool:
    return isinstance(x, Node) or (isinstance(x, (list, tuple)) and any(map(_has_nodes, x)))


def _reduced(loss: str, losses: Any, reduction: str) -> Any:
    shape = shape_of(losses)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return F.sum(losses) if shape else losses
    if reduction == "mean":
        if 0 in shape:
            raise ValueError(
                f"{loss}: there are no examples to take the mean of; reduction='sum' gives 0"
            )
        return F.mean(losses) if shape else losses
    raise ValueError(f"no reduction {reduction!r}: there are 'mean', 'sum' and 'none'")


def _paired(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Return prediction and target in one shape; a lone column may stand against a vector."""
    prediction = _floating(prediction)
    target = _floating(target, prediction)
    shape, wanted = shape_of(target), shape_of(prediction)
    if shape == wanted:
        return prediction, target
    if (*shape, 1) == wanted or shape == (*wanted, 1):
        return prediction, F.reshape(target, wanted)
    raise ValueError(
        f"{loss}: the prediction has shape {wanted}, the target {shape}: they must be equal, or "
        "they would be broadcast against each other without a word"
    )


def _check_unit_interval(loss: str, what: str, x: Any) -> None:
    data = np.asarray(_data(x))
    if not data.size:
        return
    low, high = np.minimum.reduce(data, axis=None), np.maximum.reduce(data, axis=None)
    if low >= 0 and high <= 1:
        return
    if what == "targets" and np.any(np.isnan(data)):
        raise ValueError(f"{loss}: a target is NaN")
    if np.any((data < 0) | (data > 1)):
        hint = " (logits? use binary_cross_entropy_with_logits or cross_entropy)"
        raise ValueError(
            f"{loss} needs {what} in [0, 1], got [{np.nanmin(data):g}, {np.nanmax(data):g}]"
            + (hint if what == "predictions" else "")
        )


def _class_shape(loss: str, prediction: Any) -> tuple[int, int]:
    shape = shape_of(prediction)
    if len(shape) != 2:
        raise ValueError(f"{loss} needs predictions of shape (m, C), got {shape}")
    return shape[0], shape[1]


def _labels(loss: str, target: Any, rows: int, classes: int) -> Any:
    """Return integer labels, or None where the target holds a probability for each class."""
    data = np.asarray(_data(target))
    if data.shape == (rows, classes) and not (classes == 1 and data.dtype.kind in "iu"):
        _check_unit_interval(loss, "targets", target)
        if isinstance(target, Node) or not np.all((data == 0) | (data == 1)):
            return None
        return np.argmax(data, axis=1) if np.all(data.sum(1) == 1) else None
    if data.shape == (rows, 1):
        data = data[:, 0]
    if data.shape != (rows,):
        raise ValueError(
            f"{loss}: {rows} predictions of {classes} classes need targets of shape ({rows},) or "
            f"({rows}, {classes}), got {data.shape}"
        )
    whole = data.dtype.kind in "iu" or np.all(np.isfinite(data) & (data == np.floor(data)))
    if not whole:
        raise ValueError(f"{loss}: class labels must be integers")
    if data.size and not (data.min() >= 0 and data.max() < classes):
        raise ValueError(
            f"{loss}: labels must be 0 ... {classes - 1}, got {data.min():g} ... {data.max():g}"
        )
    return data.astype(np.intp)
