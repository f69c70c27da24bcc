"""The data of a training: turned into arrays that a model can take, or refused with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node, refuse_masked
from micrograd_nn.graph.tensor import Tensor

Array = np.ndarray[Any, Any]

_LARGEST = np.iinfo(np.int64).max


def checked_pair(X: Any, y: Any, dtype: Any, which: str = "") -> tuple[Array, Array]:
    """Return the data as arrays: X (m, ...) and floats y of ``dtype``, integer y as int64.

    Parameters
    ----------
    X : array-like, shape (m, n)
        Or (m, ...), for models that take it.
    y : array-like, shape (m,) or (m, k)
    dtype : dtype
        The model's.
    which : str
        What to call them in messages, such as ``"validation "``.

    Raises
    ------
    TypeError
        If they don't hold numbers.
    ValueError
        If they are empty, differ in length, or hold NaN or infinity; the message names the place.

    Examples
    --------
    >>> X, y = checked_pair([[1, 2], [3, 4]], [0, 1], "float64")
    >>> print(X.dtype, X.shape, y.dtype)
    float64 (2, 2) int64
    """
    inputs = checked_inputs(X, dtype, f"{which}X")
    target = numbers(y, f"{which}y")
    if target.ndim == 0:
        raise ValueError(f"{which}y is a single number: it needs one row per example, shape (m,)")
    if len(target) != len(inputs):
        raise ValueError(
            f"{which}X has {len(inputs)} examples (rows), {which}y has {len(target)}: they must be "
            f"as many{_transposed(inputs, target)}"
        )
    if target.dtype.kind == "f":
        check_finite(target, f"{which}y")
        return inputs, target.astype(dtype, copy=False)
    if target.size and target.max() > _LARGEST:
        raise ValueError(f"{which}y holds {target.max()}, more than int64 can hold")
    return inputs, target.astype(np.int64)


def checked_inputs(X: Any, dtype: Any, name: str = "X") -> Array:
    """Return X as an array (m, ...) of ``dtype``, of at least one example; finite."""
    inputs = numbers(X, name)
    if inputs.ndim < 2:
        hint = f"{name}.reshape(-1, 1) for one number per example"
        raise ValueError(
            f"{name} has shape {inputs.shape}, but examples are rows, (m, n): use {hint}"
        )
    if not inputs.size:
        raise ValueError(f"{name} has shape {inputs.shape}: there is nothing in it")
    if inputs.dtype.kind == "f":
        check_finite(inputs, name)
    return inputs.astype(dtype, copy=False)


def numbers(data: Any, name: str) -> Array:
    """Return the data as an array of real numbers."""
    if isinstance(data, Node):
        data = data._data
    refuse_masked(data, name)
    try:
        array = np.asarray(data)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} is no array: {error}") from None
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "O":
        if not array.ndim:
            raise TypeError(f"{name} is no array, but {type(data).__name__}: pass a list or array")
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError):
            pass
    raise TypeError(f"{name} must hold numbers, and {_first_other(array, name)}")


def check_finite(array: Array, name: str) -> None:
    """Raise a ValueError if a number is NaN or infinite."""
    # The sum is finite if all numbers are, but for an overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    bad = ~np.isfinite(array)
    count = int(np.count_nonzero(bad))
    if not count:
        return
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    more = f", and {count - 1} more" if count > 1 else ""
    raise ValueError(
        f"{name} holds {array[at]} {_place(at)}{more}: leave out these examples, or fill in values"
    )


def as_batch(X: Array) -> Tensor:
    """Return rows of X as the node that a model is called on."""
    return Tensor.own(X)


def fitted_target(prediction: Any, target: Array) -> Array:
    """Return the target in the shape (m, 1) if the prediction has it.

    Else a loss of one's own would broadcast (m, 1) and (m,) to (m, m) without a word.
    """
    shape = np.shape(getattr(prediction, "_data", prediction))
    if len(shape) == 2 and shape[1] == 1 and target.ndim == 1:
        return target[:, None]
    return target


def _place(at: tuple[int, ...]) -> str:
    if len(at) == 1:
        return f"at row {at[0]} (counted from 0)"
    column = at[1] if len(at) == 2 else at[1:]
    return f"at row {at[0]}, column {column} (counted from 0)"


def _first_other(array: Array, name: str) -> str:
    hint = ""
    if name.endswith("y"):
        hint = ": number the classes, such as by numpy.unique(y, return_inverse=True)[1]"
    if array.dtype.kind not in "OUS":
        return f"is an array of {array.dtype}{hint}"
    for index, item in np.ndenumerate(array):
        if not _is_number(item):
            return f"{_place(index).removeprefix('at ')} holds {item!r}{hint}"
    return f"is an array of text{hint or ': convert it, X.astype(float)'}"


def _is_number(item: Any) -> bool:
    try:
        float(item)
    except (TypeError, ValueError):
        return False
    return True


def _transposed(inputs: Array, target: Array) -> str:
    if inputs.ndim == 2 and inputs.shape[1] == len(target):
        return " (examples are rows: pass X.T if they are your columns)"
    return ""
