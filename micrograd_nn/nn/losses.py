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
from micrograd_nn.graph.node import data_of
from micrograd_nn.graph.table import fused, logarithms
from micrograd_nn.graph.table.arrays import shape_of
from micrograd_nn.nn.activations import chosen
from micrograd_nn.nn.loss_arguments import (
    check_unit_interval,
    class_shape,
    floating,
    labels_of,
    listed,
    paired,
)

Loss = Callable[..., Any]


def mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the mean squared error, 1/n Σ (ŷ − y)².

    Parameters
    ----------
    prediction : any shape
    target : the same shape
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    The derivative by ŷ is 2 (ŷ − y) / n.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> float(mse(np.array([1.0, 3.0]), np.array([1.0, 1.0])))
    2.0
    >>> grad(mse)(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    array([0., 2.])
    """
    return _squared("mse", prediction, target, reduction)


def half_mse(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return half the mean squared error, 1/(2n) Σ (ŷ − y)².

    Parameters
    ----------
    prediction : any shape
    target : the same shape
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    The derivative by ŷ is (ŷ − y) / n.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> grad(half_mse)(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    array([0., 1.])
    """
    return 0.5 * _squared("half_mse", prediction, target, reduction)


def _squared(loss: str, prediction: Any, target: Any, reduction: str) -> Any:
    prediction, target = paired(loss, prediction, target)
    error = prediction - target
    return _reduced(loss, error * error, reduction)


def mae(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the mean absolute error, ``1/n Σ |ŷ − y|``.

    Parameters
    ----------
    prediction : any shape
    target : the same shape
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    The derivative by ŷ is sign(ŷ − y) / n; at the kink ŷ = y it is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> grad(mae)(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    array([0. , 0.5])
    """
    prediction, target = paired("mae", prediction, target)
    return _reduced("mae", F.abs(prediction - target), reduction)


def huber(prediction: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return ``½ e²`` where ``|e| ≤ δ``, else ``δ (|e| − ½ δ)``, for the error e = ŷ − y.

    Source: Huber, "Robust estimation of a location parameter", 1964.

    Parameters
    ----------
    prediction : any shape
    target : the same shape
    reduction : {"mean", "sum", "none"}
        Over all numbers.
    delta : float
        Where the square goes over into a line.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, ``delta`` isn't positive, or
        there is no such reduction.

    Notes
    -----
    The derivative by ŷ is e limited to [−δ, δ], by n for the mean.

    Examples
    --------
    >>> import numpy as np
    >>> huber(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ValueError(f"delta must be positive, got {delta}")
    prediction, target = paired("huber", prediction, target)
    return _reduced("huber", fused.huber(prediction - target, float(delta)), reduction)


def hinge(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return max(0, 1 − y ŷ), for targets −1 and 1.

    Parameters
    ----------
    prediction : any shape, scores
    target : the same shape, −1 or 1
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, a target is neither −1 nor 1, or
        there is no such reduction.

    Notes
    -----
    The derivative by ŷ is −y where y ŷ < 1, else 0, also at the kink y ŷ = 1.

    Examples
    --------
    >>> import numpy as np
    >>> float(hinge(np.array([0.5, -2.0]), np.array([1, -1])))
    0.25
    """
    prediction, target = paired("hinge", prediction, target)
    if (np.abs(data_of(target)) != 1).any() if shape_of(target) else abs(data_of(target)) != 1:
        raise ValueError("hinge needs targets −1 and 1: map labels 0 and 1 by 2 * y - 1")
    return _reduced("hinge", fused.hinge(prediction, target), reduction)


def binary_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −(y log ŷ + (1 − y) log(1 − ŷ)), for probabilities ŷ.

    Where the prediction comes from a sigmoid, ``binary_cross_entropy_with_logits`` is exact also
    where the sigmoid rounds to 0 or 1.

    Parameters
    ----------
    prediction : any shape, in [0, 1]
    target : the same shape, in [0, 1]
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, a number lies outside [0, 1], or
        there is no such reduction.

    Notes
    -----
    The derivative by ŷ is (1 − y) / (1 − ŷ) − y / ŷ, without the term whose numerator is 0.

    Examples
    --------
    >>> import numpy as np
    >>> binary_cross_entropy(np.array([0.5, 0.5]), np.array([1, 0]), reduction="none")
    array([0.69314718, 0.69314718])
    """
    prediction, target = paired("binary_cross_entropy", prediction, target)
    check_unit_interval("binary_cross_entropy", "predictions", prediction)
    check_unit_interval("binary_cross_entropy", "targets", target)
    right = logarithms.xlogy(target, prediction)
    wrong = logarithms.xlog1py(1.0 - target, -prediction)
    return _reduced("binary_cross_entropy", -(right + wrong), reduction)


def binary_cross_entropy_with_logits(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the binary cross-entropy of σ(z): ``log(1 + e^−|z|) + max(z, 0) − y z``.

    It is exact for every z.

    Parameters
    ----------
    prediction : any shape, logits
    target : the same shape, in [0, 1]
    reduction : {"mean", "sum", "none"}
        Over all numbers.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of the prediction's shape.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to take the mean of, a target lies outside [0, 1], or
        there is no such reduction.

    Notes
    -----
    The derivative by z is σ(z) − y, exact also where σ(z) rounds to y.

    Examples
    --------
    >>> from micrograd_nn import grad
    >>> binary_cross_entropy_with_logits(-1000.0, 1.0)
    1000.0
    >>> binary_cross_entropy_with_logits(40.0, 1.0) > 0
    True
    >>> grad(binary_cross_entropy_with_logits)(0.0, 1.0)
    -0.5
    """
    prediction, target = paired("binary_cross_entropy_with_logits", prediction, target)
    check_unit_interval("binary_cross_entropy_with_logits", "targets", target)
    return _reduced(
        "binary_cross_entropy_with_logits", fused.bce_with_logits(prediction, target), reduction
    )


def cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −Σ_c y_c log softmax(z)_c, for logits z of shape (m, C).

    Parameters
    ----------
    prediction : (m, C)
        Logits.
    target : (m,) or (m, 1) integer labels 0 ... C − 1, or (m, C) probabilities
        One-hot rows are probabilities.
    reduction : {"mean", "sum", "none"}
        Over the m examples.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of shape (m,).

    Raises
    ------
    ValueError
        If the shapes don't fit, a label is none of 0 ... C − 1, a target lies outside [0, 1],
        there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    The derivative by z is softmax(z) − Y, with Y the one-hot rows, by m for the mean.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> z = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> a = cross_entropy(z, np.array([0, 1]))
    >>> b = cross_entropy(z, np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> bool(abs(a - b) < 1e-15)
    True
    >>> grad(cross_entropy)(np.zeros((1, 2)), [1])
    array([[ 0.5, -0.5]])
    """
    prediction, target = gathered(prediction), listed(target)
    rows, classes = class_shape("cross_entropy", prediction)
    labels = labels_of("cross_entropy", target, rows, classes)
    if labels is not None:
        return _reduced(
            "cross_entropy", fused.label_cross_entropy(prediction, labels=labels), reduction
        )
    target = floating(target, prediction)
    logs = F.where(np.not_equal(target, 0), F.log_softmax(prediction), 0.0)  # 0 · log 0 is 0
    return _reduced("cross_entropy", -F.sum(target * logs, axis=-1), reduction)


def categorical_cross_entropy(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return −Σ_c y_c log ŷ_c, for probabilities ŷ of shape (m, C).

    Where the prediction comes from a softmax, ``cross_entropy`` of its logits is exact also where
    the softmax rounds to 0.

    Parameters
    ----------
    prediction : (m, C)
        Probabilities.
    target, reduction
        As for ``cross_entropy``.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of shape (m,).

    Raises
    ------
    ValueError
        If the shapes don't fit, a label is none of 0 ... C − 1, a number lies outside [0, 1],
        there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    The derivative by ŷ is −y / ŷ, 0 where y is 0, by m for the mean.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import grad
    >>> grad(categorical_cross_entropy)(np.array([[0.5, 0.5]]), [1])
    array([[-0., -2.]])
    """
    prediction, target = gathered(prediction), listed(target)
    rows, classes = class_shape("categorical_cross_entropy", prediction)
    check_unit_interval("categorical_cross_entropy", "predictions", prediction)
    labels = labels_of("categorical_cross_entropy", target, rows, classes)
    if labels is not None:
        target = np.eye(classes, dtype=prediction.dtype)[labels]
    target = floating(target, prediction)
    terms = logarithms.xlogy(target, prediction)
    return _reduced("categorical_cross_entropy", -F.sum(terms, axis=-1), reduction)


def soft_iou(prediction: Any, target: Any, reduction: str = "mean") -> Any:
    """Return 1 − Σ ŷ y / Σ (ŷ + y − ŷ y), intersection over union, per example.

    Source: Rahman, Wang, "Optimizing intersection-over-union in deep neural networks for image
    segmentation", 2016.

    Parameters
    ----------
    prediction : (m, ...), in [0, 1]
        The sums run over all axes but the first; a vector or column is one example.
    target : the same shape, in [0, 1]
    reduction : {"mean", "sum", "none"}
        Over the m examples.

    Returns
    -------
    Value, Tensor, ndarray or float
        One number; for "none", of shape (m,).

    Raises
    ------
    ValueError
        If the shapes don't fit, a number lies outside [0, 1],
        there is nothing to take the mean of, or there is no such reduction.

    Notes
    -----
    With I and U the two sums, the derivative by ŷ is −(y U − (1 − y) I) / U². The loss of two empty
    masks is 0, with gradient 0.

    Examples
    --------
    >>> import numpy as np
    >>> soft_iou(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[1, 0], [1, 0]]), "none")
    array([0. , 0.5])
    """
    prediction, target = paired("soft_iou", prediction, target)
    check_unit_interval("soft_iou", "predictions", prediction)
    check_unit_interval("soft_iou", "targets", target)
    shape = shape_of(prediction)
    axes = tuple(range(1, len(shape))) if math.prod(shape[1:]) > 1 else None
    both = prediction * target
    union = prediction + target - both
    if shape:
        both, union = F.sum(both, axis=axes), F.sum(union, axis=axes)
    filled = np.not_equal(union, 0)  # of two empty masks, the loss is 0
    share = both / F.where(filled, union, 1.0)
    return _reduced("soft_iou", F.where(filled, 1.0 - share, 0.0), reduction)


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

    Parameters
    ----------
    loss : str or callable

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names.

    Examples
    --------
    >>> by_name("mse") is mse
    True
    """
    if callable(loss):
        return loss
    found: Loss = chosen("loss", loss, LOSSES)
    return found


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
