"""What every executor of a scalar graph is given."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
