"""What losses are given: predictions and targets of one shape, class labels, or a refusal."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph import functions as F
from micrograd_nn.graph.functions.gathering import gathered
from micrograd_nn.graph.node import Node, data_of, refuse_masked
from micrograd_nn.graph.primitive import as_floating, is_plain_number
from micrograd_nn.graph.read import ReadFrom
from micrograd_nn.graph.table.arrays import shape_of


def floating(x: Any, beside: Any = 0.0) -> Any:
    """Return a node as it is, a plain number as a float, a sequence as a Tensor or array.

    Integers take the dtype of the data that they stand beside, as they do beside an operator.
    """
    if isinstance(x, Node):
        return x
    if _has_nodes(x):
        return gathered(x)
    if is_plain_number(x):
        return float(x)
    refuse_masked(x)
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        return array.astype(getattr(data_of(beside), "dtype", np.float64))
    return as_floating(array)


def listed(target: Any) -> Any:
    """Return lists of Values as a Tensor, labels and other lists as an array."""
    if isinstance(target, Node):
        return target
    refuse_masked(target)
    return gathered(target) if _has_nodes(target) else np.asarray(target)


def _has_nodes(x: Any) -> bool:
    return isinstance(x, Node) or (isinstance(x, (list, tuple)) and any(map(_has_nodes, x)))


def paired(loss: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    """Return prediction and target in one shape; a lone column may stand against a vector."""
    prediction = floating(prediction)
    target = floating(target, prediction)
    shape, wanted = shape_of(target), shape_of(prediction)
    if shape == wanted:
        return prediction, target
    if (*shape, 1) == wanted or shape == (*wanted, 1):
        return prediction, F.reshape(target, wanted)
    raise ValueError(
        f"{loss}: the prediction has shape {wanted}, the target {shape}: they must be equal, or "
        "they would be broadcast against each other without a word"
    )


def check_unit_interval(loss: str, what: str, x: Any) -> None:
    """Raise a ValueError if a number lies outside [0, 1]; a prediction may be NaN."""
    data = np.asarray(data_of(x))
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


def class_shape(loss: str, prediction: Any) -> tuple[int, int]:
    """Return the numbers of examples and of classes."""
    shape = shape_of(prediction)
    if len(shape) != 2:
        raise ValueError(f"{loss} needs predictions of shape (m, C), got {shape}")
    return shape[0], shape[1]


def labels_of(loss: str, target: Any, rows: int, classes: int) -> Any:
    """Return integer labels, or None where the target holds a probability for each class."""
    data = np.asarray(data_of(target))
    # Of a single class all probabilities are 1: other numbers are labels, and wrong ones.
    certain = data.dtype.kind == "f" and bool(np.all(data == 1))
    if data.shape == (rows, classes) and (classes > 1 or certain):
        check_unit_interval(loss, "targets", target)
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
    labels = data.astype(np.intp)
    return ReadFrom.of(labels, target) if isinstance(target, Node) else labels
