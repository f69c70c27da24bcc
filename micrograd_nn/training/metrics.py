"""Metrics: how good predictions are, in numbers that people read.

Each takes ``(prediction, target)``, as arrays or tensors, examples as rows, and returns a float;
``confusion_matrix`` returns a table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node, refuse_masked

Array = np.ndarray[Any, Any]
Metric = Callable[[Any, Any], float]


def accuracy(prediction: Any, target: Any, threshold: float | None = None) -> float:
    """Return the share of examples that are put into the right class.

    Parameters
    ----------
    prediction : (m,), (m, 1) or (m, C)
        Two classes: probabilities, logits or scores. C classes: logits or probabilities; the class
        is that of the largest.
    target : (m,), (m, 1) or (m, C)
        Two classes: 0 and 1, or −1 and 1. C classes: labels 0 ... C − 1, or one-hot rows.
    threshold : float, optional
        Of two classes, the class is 1 above it. By default it lies halfway between the targets: at
        0 for −1 and 1; at ½ for 0 and 1, whose predictions must then be probabilities (for logits
        pass 0). ``fit`` and ``evaluate`` take it from the loss or the model's last activation.

    Returns
    -------
    float
        NaN if a prediction is NaN.

    Raises
    ------
    ValueError
        If the shapes don't fit, there are no examples, or a label is out of range; if no threshold
        is given for targets 0 and 1, and a prediction lies outside [0, 1].

    Examples
    --------
    >>> accuracy([0.9, 0.2, 0.6], [1, 0, 0])  # probabilities
    0.6666666666666666
    >>> accuracy([2.0, -3.0, 0.1], [1, -1, 1])  # scores
    1.0
    >>> accuracy([[2.0, 1.0], [0.0, 5.0]], [0, 1])  # logits of two classes
    1.0
    """
    predicted, actual, _ = _classes("accuracy", prediction, target, threshold)
    if np.isnan(_array(prediction)).any():
        return math.nan
    return float(np.mean(predicted == actual))


def confusion_matrix(
    prediction: Any, target: Any, threshold: float | None = None, classes: int | None = None
) -> Array:
    """Return the table of counts whose row is the actual and whose column the predicted class.

    Parameters
    ----------
    prediction, target, threshold
        As for ``accuracy``. Targets −1 and 1 are the rows 0 and 1.
    classes : int, optional
        How many there are, if not to be read off the data.

    Returns
    -------
    ndarray of int, shape (C, C)

    Raises
    ------
    ValueError
        As for ``accuracy``, and if a prediction is NaN, which is in no class.

    Examples
    --------
    >>> confusion_matrix([0.9, 0.2, 0.6, 0.7], [1, 0, 0, 1])
    array([[1, 1],
           [0, 2]])
    """
    predicted, actual, count = _classes("confusion_matrix", prediction, target, threshold)
    lost = np.isnan(_array(prediction)).reshape(len(actual), -1).any(axis=1)
    if lost.any():
        raise ValueError(
            f"confusion_matrix: the prediction of example {int(np.argmax(lost))} is NaN, and so is "
            "in no class"
        )
    if classes is not None and classes < count:
        raise ValueError(f"the data have {count} classes, more than classes={classes}")
    count = classes or count
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (actual, predicted), 1)
    return table


def mae(prediction: Any, target: Any) -> float:
    """Return the mean absolute error, ``1/n Σ |ŷ − y|``.

    Parameters
    ----------
    prediction, target : (m,), (m, 1) or (m, n)

    Returns
    -------
    float
        NaN if a number is NaN.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.

    Examples
    --------
    >>> mae([1.0, 3.0], [1.0, 2.0])
    0.5
    """
    p, y = _paired("mae", prediction, target)
    return float(np.mean(np.abs(p - y)))


def mse(prediction: Any, target: Any) -> float:
    """Return the mean squared error, 1/n Σ (ŷ − y)².

    Parameters
    ----------
    prediction, target : (m,), (m, 1) or (m, n)

    Returns
    -------
    float
        NaN if a number is NaN.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.

    Examples
    --------
    >>> mse([1.0, 4.0], [1.0, 2.0])
    2.0
    """
    p, y = _paired("mse", prediction, target)
    return float(np.mean(np.square(p - y)))


def r2(prediction: Any, target: Any) -> float:
    """Return the coefficient of determination, R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)².

    1 is perfect; 0 is no better than the mean ȳ. Of several outputs the mean of their R² is
    returned. For a constant target it is 1 if the prediction is exact, else 0.

    Parameters
    ----------
    prediction, target : (m,), (m, 1) or (m, n)

    Returns
    -------
    float
        NaN if a number is NaN.

    Raises
    ------
    ValueError
        If the shapes differ, or there are no examples.

    Examples
    --------
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    (1.0, 0.0)
    """
    p, y = _paired("r2", prediction, target)
    rest = np.sum(np.square(y - p), axis=0)
    total = np.sum(np.square(y - np.mean(y, axis=0)), axis=0)
    flat = total == 0
    share = np.where(flat, np.where(rest == 0, 0.0, 1.0), rest / np.where(flat, 1.0, total))
    return float(np.mean(1.0 - share))


#: Every metric by its name.
METRICS: dict[str, Metric] = {"accuracy": accuracy, "mae": mae, "mse": mse, "r2": r2}

#: Above which prediction the class is 1, for the losses that tell.
_THRESHOLDS = {
    "binary_cross_entropy": 0.5,
    "binary_cross_entropy_with_logits": 0.0,
    "hinge": 0.0,
    "soft_iou": 0.5,
}

#: The losses whose predictions approach the targets themselves.
_DISTANCES = ("mse", "half_mse", "mae", "huber")


def threshold_by(loss: str, target: Any) -> float | None:
    """Return above which prediction the class is 1, or None if the loss and targets don't tell.

    Examples
    --------
    >>> threshold_by("binary_cross_entropy_with_logits", [0, 1]), threshold_by("mse", [0, 1])
    (0.0, 0.5)
    >>> threshold_by("the function svm", [-1, 1]), threshold_by("the function svm", [0, 1])
    (0.0, None)
    """
    if loss in _THRESHOLDS:
        return _THRESHOLDS[loss]
    if np.any(_array(target) == -1):
        return 0.0
    return 0.5 if loss in _DISTANCES else None


def by_name(metric: str | Metric) -> Metric:
    """Return the metric of that name; a function is returned as it is.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.

    Examples
    --------
    >>> by_name("r2") is r2
    True
    """
    if callable(metric):
        return metric
    if metric not in METRICS:
        raise ValueError(
            f"no metric {metric!r}: there are {', '.join(METRICS)}, or pass a function"
        )
    return METRICS[metric]


#: What a history has under these names.
_TAKEN = {"epoch", "loss", "lr", "seconds", "time"}


def named(metrics: Any) -> dict[str, Metric]:
    """Return the metrics of a list of names and functions, or of a dict, by name.

    Raises
    ------
    ValueError
        If a name is unknown, or two metrics have the same, or it is one that a history has.

    Examples
    --------
    >>> sorted(named(["accuracy", "r2"]))
    ['accuracy', 'r2']
    """
    if isinstance(metrics, str) or callable(metrics):
        metrics = [metrics]
    if isinstance(metrics, dict):
        return {_free(str(name)): by_name(metric) for name, metric in metrics.items()}
    found: dict[str, Metric] = {}
    for metric in metrics:
        function = by_name(metric)
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", repr(metric))
        if name in found:
            raise ValueError(f"two metrics are named {name!r}: pass a dict of name: function")
        found[_free(name)] = function
    return found


def _free(name: str) -> str:
    """Return a metric's name, unless a history has something else under it."""
    if name in _TAKEN or name.startswith("val_"):
        raise ValueError(
            f"a metric can't be named {name!r}, which a history has for something else: pass a "
            "dict of another name: function"
        )
    return name


# ---------------------------------------------------------------------------------- arguments


def _array(x: Any) -> Array:
    refuse_masked(x, "a metric")
    return np.asarray(x._data if isinstance(x, Node) else x)


def _paired(metric: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """Return both as float arrays of one shape (m, n)."""
    p, y = (_array(x).astype(np.float64) for x in (prediction, target))
    p, y = (x[:, None] if x.ndim == 1 else x for x in (p, y))
    if p.shape != y.shape:
        raise ValueError(f"{metric}: the prediction has shape {p.shape}, the target {y.shape}")
    if not p.size:
        raise ValueError(f"{metric}: there are no examples")
    return p, y


def _classes(
    metric: str, prediction: Any, target: Any, threshold: float | None
) -> tuple[Array, Array, int]:
    """Return the predicted and the actual class of each example, and the number of classes."""
    p, y = _array(prediction), _array(target)
    if not p.size or len(p) != len(y):
        raise ValueError(
            f"{metric}: predictions of shape {p.shape} and targets of shape {y.shape} are no pairs"
        )
    if p.ndim == 1 or (p.ndim == 2 and p.shape[1] == 1):
        return (*_two_classes(metric, p.ravel(), y, threshold), 2)
    if p.ndim != 2:
        raise ValueError(f"{metric} needs predictions (m,), (m, 1) or (m, C), got {p.shape}")
    count = p.shape[1]
    if y.shape == p.shape:
        if not (np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1)):
            raise ValueError(f"{metric}: a target (m, C) must be one-hot rows of 0 and 1")
        actual = np.argmax(y, axis=1)
    elif y.size == len(p):
        labels = y.ravel()
        actual = labels.astype(np.int64)
        if not (np.all(actual == labels) and actual.min() >= 0 and actual.max() < count):
            raise ValueError(
                f"{metric}: labels must be 0 ... {count - 1}, got {labels.min()} ... {labels.max()}"
            )
    else:
        raise ValueError(f"{metric}: predictions {p.shape} don't fit targets {y.shape}")
    return np.argmax(p, axis=1), actual, count


def _two_classes(metric: str, p: Array, y: Array, threshold: float | None) -> tuple[Array, Array]:
    if y.size != p.size:
        raise ValueError(
            f"{metric}: predictions of one number each can't have targets of shape {y.shape}: "
            "labels 0 and 1, or −1 and 1, are needed"
        )
    y = y.ravel()
    signed = bool(np.any(y == -1))
    if not np.all((y == 1) | (y == (-1 if signed else 0))):
        raise ValueError(f"{metric} of two classes needs targets 0 and 1, or −1 and 1")
    if threshold is None:
        threshold = 0.0 if signed else 0.5
        outside = (p < 0) | (p > 1)
        if not signed and np.any(outside):
            raise ValueError(
                f"{metric}: for targets 0 and 1, {p[outside][0]:g} is no probability: pass "
                "threshold=0.0 if the predictions are logits, or the number above which the class "
                "is 1"
            )
    return (p > threshold).astype(np.int64), (y == 1).astype(np.int64)
