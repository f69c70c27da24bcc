"""Moving numbers about, as functions that a step can name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.steps import replaced


def item(items: Any, index: int) -> Any:
    """Return one of several results."""
    return items[index]


def fresh(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function that may return the memory of an argument; return a copy."""
    return copied(function(*args, **kwargs))


def copied(result: Any) -> Any:
    """Return a result, or several, in memory of its own."""
    return replaced(result, lambda x: np.array(x) if isinstance(x, np.ndarray) else x)


def spread(x: Any, shape: tuple[int, ...]) -> Any:
    """Return x, repeated to that shape."""
    result = np.empty(shape, np.asarray(x).dtype)
    result[...] = x
    return result


def astype(x: Any, dtype: Any) -> Any:
    """Return x in another dtype."""
    return np.asarray(x).astype(dtype)


def getitem(x: Any, index: Any) -> Any:
    """Return a part of x."""
    return x[index]


def with_items(x: Any, index: Any, value: Any) -> Any:
    """Return a copy of x with something written to a part."""
    changed = np.array(x)
    changed[index] = value
    return changed


def added_into(x: Any, piece: Any, index: Any) -> Any:
    """Return a copy with something added to a part; a program adds to the array itself."""
    changed = np.array(x)
    changed[index] += piece
    return changed
