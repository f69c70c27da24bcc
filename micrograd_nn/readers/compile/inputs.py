"""What every executor of a scalar graph is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.graph.node import Node, data_of, refuse_masked
from micrograd_nn.readers.compile.tape import Tape

FloatArray = npt.NDArray[np.float64]


def checked(tape: Tape, X: npt.ArrayLike, theta: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return inputs and leaves as float64 arrays.

    Raises
    ------
    ValueError
        If they aren't of the shapes that the tape asks for.
    """
    X, theta = np.asarray(X, np.float64), np.asarray(theta, np.float64)
    if X.ndim != 2 or len(X) != len(tape.inputs):
        raise ValueError(
            f"the program takes inputs of shape ({len(tape.inputs)}, m), one row for each input "
            f"and one column for each example, got {X.shape}"
        )
    if theta.shape != (len(tape.leaves),):
        raise ValueError(f"the program has {len(tape.leaves)} leaves, got data of {theta.shape}")
    return X, theta


def input_name(index: int, node: Node) -> str:
    """Return what messages call an input: its number, and its name if it has one."""
    return f"input {index} ({node.name})" if node.name else f"input {index}"


def real_numbers(given: Any, what: str) -> np.ndarray[Any, Any]:
    """Return what is given as an array of real numbers.

    Raises
    ------
    TypeError
        If it isn't one, or elements are masked; ``what`` is what the message calls it.
    """
    given = data_of(given)
    refuse_masked(given, what)
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise TypeError(f"{what} is no array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{what} holds real numbers, got an array of dtype {array.dtype}")
    return array
