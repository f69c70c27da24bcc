"""Using a trained model: predictions, probabilities, scores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.nn import losses
from micrograd_nn.training import metrics as metrics_by_name
from micrograd_nn.training.inputs import Array, as_batch, checked_inputs, checked_pair
from micrograd_nn.training.loop import predictions, score
from micrograd_nn.training.model_state import check_model, dtype_of, mode_kept, quiet
from micrograd_nn.training.schedules import checked_count


def predict(model: Any, X: Any, batch_size: int | None = None) -> Array:
    """Return what the model makes of the rows of X: its raw outputs, as an array (m, n_out).

    The model is used in ``eval()`` mode, without recording, and left in the mode it was in.

    Parameters
    ----------
    model : Module
    X : array-like, shape (m, n)
    batch_size : int, optional
        Take so many rows at a time, to save memory.

    Returns
    -------
    ndarray, shape (m, n_out)

    Raises
    ------
    ValueError
        If X is empty, isn't rows, or holds NaN or infinity.

    Examples
    --------
    >>> from micrograd_nn.nn import MLP
    >>> predict(MLP(2, [3, 1], seed=0), [[1.0, 2.0], [0.0, 1.0]]).shape
    (2, 1)
    """
    check_model(model)
    size = None if batch_size is None else checked_count("batch_size", batch_size, 1)
    return np.array(predictions(model, checked_inputs(X, dtype_of(model)), size))


def predict_proba(
    model: Any, X: Any, from_logits: bool | None = None, batch_size: int | None = None
) -> Array:
    """Return probabilities: σ(z) of one output per row, softmax(z) of several.

    Parameters
    ----------
    model : Module
    X : array-like, shape (m, n)
    from_logits : bool, optional
        Whether the outputs are logits z. If False they are returned as they are. By default the
        model's graph is asked: outputs that come from a sigmoid or softmax are probabilities.
    batch_size : int, optional
        Take so many rows at a time, to save memory.

    Returns
    -------
    ndarray
        (m, 1), the probability of class 1, or (m, C).

    Raises
    ------
    ValueError
        If the outputs are said or found to be probabilities, and aren't in [0, 1].

    Examples
    --------
    >>> from micrograd_nn.nn import MLP
    >>> X = [[1.0, 2.0]]
    >>> logits, ready = MLP(2, [1], seed=0), MLP(2, [1], output_activation="sigmoid", seed=0)
    >>> bool(predict_proba(logits, X) == predict_proba(ready, X))
    True
    """
    if from_logits is None:
        from_logits = not _are_probabilities(_outputs(model, X))
    z = predict(model, X, batch_size)
    if not from_logits:
        if z.min() < 0 or z.max() > 1:
            raise ValueError(
                f"the outputs lie in [{z.min():g}, {z.max():g}], and so are no probabilities: pass "
                "from_logits=True"
            )
        return z
    if z.ndim == 1 or z.shape[-1] == 1:
        return np.asarray(functions.sigmoid(z))
    return np.asarray(functions.softmax(z, axis=-1))


def evaluate(
    model: Any,
    X: Any,
    y: Any,
    loss: str | Callable[[Any, Any], Any] = "mse",
    metrics: Any = (),
    batch_size: int | None = None,
) -> dict[str, float]:
    """Return the loss and the metrics of a model on data, by name.

    Parameters
    ----------
    model : Module
    X : array-like, shape (m, n)
    y : array-like, shape (m,) or (m, k)
    loss : str or callable
        As for ``fit``.
    metrics : sequence or dict
        As for ``fit``.
    batch_size : int, optional
        Take so many rows at a time, to save memory.

    Returns
    -------
    dict of float
        ``"loss"``, and each metric by its name.

    Raises
    ------
    TypeError, ValueError
        If the arguments make no sense, as for ``fit``.

    Examples
    --------
    >>> from micrograd_nn.nn import MLP
    >>> model = MLP(1, [1], init="zeros", seed=0)
    >>> evaluate(model, [[1.0], [2.0]], [1.0, 3.0], metrics=["mae"])
    {'loss': 5.0, 'mae': 2.0}
    """
    check_model(model)
    size = None if batch_size is None else checked_count("batch_size", batch_size, 1)
    inputs, target = checked_pair(X, y, dtype_of(model))
    chosen = metrics_for(metrics, loss_name(loss), model, inputs, target)
    return score(model, inputs, target, losses.by_name(loss), chosen, size)


def loss_name(loss: Any) -> str:
    """Return the name of a loss of the library; that of another function, in words."""
    if isinstance(loss, str):
        return loss
    for name, function in losses.LOSSES.items():
        if function is loss:
            return name
    return f"the function {getattr(loss, '__name__', repr(loss))}"


def metrics_for(
    metrics: Any, loss: str, model: Any, X: Array, y: Array
) -> dict[str, metrics_by_name.Metric]:
    """Return the metrics by name, the accuracy of two classes with the threshold that they have.

    The loss tells it, or the targets, or the model's last activation; the predictions never do, or
    the threshold might change while the model learns.

    Raises
    ------
    ValueError
        If nothing tells.

    Examples
    --------
    >>> from micrograd_nn.nn import MLP
    >>> X, y = np.array([[1.0], [2.0]]), np.array([0, 1])
    >>> model = MLP(1, [1], output_activation="sigmoid", seed=0)
    >>> metrics_for("accuracy", "the function f", model, X, y)["accuracy"]([0.4, 0.6], y)
    1.0
    """
    chosen = metrics_by_name.named(metrics)
    for name, metric in chosen.items():
        if metric is metrics_by_name.accuracy:
            threshold = metrics_by_name.threshold_by(loss, y)
            if threshold is None:
                threshold = _threshold_of_outputs(model, X, loss)
            if threshold is not None:
                chosen[name] = functools.partial(metric, threshold=threshold)
    return chosen


def _threshold_of_outputs(model: Any, X: Array, loss: str) -> float | None:
    """Return ½ for probabilities, None for several outputs, which need no threshold."""
    outputs = _outputs(model, X)
    if len(outputs.shape) > 1 and outputs.shape[-1] > 1:
        return None
    if _are_probabilities(outputs):
        return 0.5
    raise ValueError(
        f"accuracy: {loss} and targets 0 and 1 don't tell above which prediction the class is 1, "
        "and the model doesn't end in a sigmoid: pass it, as by metrics={'accuracy': "
        "functools.partial(accuracy, threshold=0.0)} for logits"
    )


def _outputs(model: Any, X: Any) -> Any:
    """Return the recorded output of a model in use on the first row of X."""
    check_model(model)
    first = checked_inputs(X, dtype_of(model))[:1]
    with mode_kept(model), quiet():
        if hasattr(model, "eval"):
            model.eval()
        return model(as_batch(first))


def _are_probabilities(node: Any) -> bool:
    """Tell whether the last operation, but for changes of shape, is sigmoid or softmax."""
    while node.op is not None and node.op.name in ("reshape", "transpose", "getitem", "squeeze"):
        node = node.inputs[0]
    name = "" if node.op is None else node.op.name
    return name.endswith(("sigmoid", "softmax")) and name != "log_softmax"
