"""The domain and the kinks of an operation, held against numbers by a margin.

Near the edge of a domain, and near a kink, a derivative is hard to measure.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.expressions import evaluate

Array = Any


def inside_domain(row: Primitive, arguments: Mapping[str, Array], margin: float = 0.0) -> bool:
    """Tell whether all the arguments are inside the domain of ``row``, by a margin.

    Examples
    --------
    >>> from micrograd_nn.graph.primitive import table
    >>> [inside_domain(table["log"], {"x": x}, margin=0.1) for x in (1.0, 0.05, -1.0)]
    [True, False, False]
    """
    return not row.domain or bool(np.all(evaluate(row.domain, arguments, margin)))


def at_a_kink(row: Primitive, arguments: Mapping[str, Array], margin: float = 0.0) -> bool:
    """Tell whether an element is within ``margin`` of a point without a derivative.

    Kinks that the row tells in words only, such as ``"ties"``, are not known here.

    Examples
    --------
    >>> from micrograd_nn.graph.primitive import table
    >>> [at_a_kink(table["abs"], {"x": x}, margin=0.1) for x in (1.0, 0.05, 0.0)]
    [False, True, True]
    """
    return any(_anywhere(kink, arguments, margin) for kink in row.kinks)


def _anywhere(condition: str, arguments: Mapping[str, Array], margin: float) -> bool:
    try:
        return bool(np.any(evaluate(condition, arguments, margin)))
    except ValueError:  # it is written in words
        return False


@lru_cache(maxsize=1000)
def argument_names(row: Primitive) -> tuple[str, ...]:
    """Return the names of a row's arguments: those of the first rule that names them all."""
    for rule in row.rules:
        if rule is not None:
            names = tuple(name.lstrip("_") for name in inspect.signature(rule).parameters)[2:]
            if len(names) >= row.arity and all(names[: row.arity]):
                return names[: row.arity]
    return tuple(f"x{i}" for i in range(row.arity))
