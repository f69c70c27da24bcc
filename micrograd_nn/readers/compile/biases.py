"""Biases as a column of the weight matrix: W x + b is [W b] times x with a 1 below it.

A product of matrices costs hardly more with one column more, while to add a bias, and to sum its
gradient, are passes over all examples. Below x a row of ones must lie, though: a result can be
computed above one, inputs must be copied there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def takes_biases(varies: bool, level: int, width: int, height: int) -> bool:
    """Tell whether biases are worth to be a column of a matrix.

    Parameters
    ----------
    varies : bool
        Whether the vector that is multiplied differs from example to example.
    level : int
        That of the vector; inputs have level 0.
    width, height : int
        The shape of the matrix.
    """
    return varies and (level > 0 or width <= height)


def biases_of(sums: Sequence[Sequence[int]], may_be: Callable[[int], bool]) -> list[int] | None:
    """Return one of the terms of each sum, all different ones; ``None`` if there are none such.

    Examples
    --------
    >>> biases_of([[7, 3], [4]], lambda term: term < 5)
    [3, 4]
    >>> biases_of([[3], [3]], lambda term: term < 5) is None
    True
    """
    found = [next(filter(may_be, terms), None) for terms in sums]
    biases = [term for term in found if term is not None]
    return biases if len({*biases}) == len(sums) else None
