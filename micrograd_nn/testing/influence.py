"""Which elements of its arguments a result depends on, against what the row says of it.

The engine relies on ``elementwise`` and ``along``: a cotangent of 0 contributes 0 to the elements
that influence no other result (``graph.vanishing``). A row that is declared wrongly loses part of
its gradient there, though its rules are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.vanishing import axes_along, influences_only
from micrograd_nn.testing.finite import Opaque

Array = np.ndarray[Any, Any]

#: Units in the last place by which a result may differ where nothing that counts was moved.
_ROUNDING = 16


def misdeclared(row: Primitive, params: dict[str, Any], call: Opaque, names: Sequence[str]) -> str:
    """Return what is wrong with a row's ``elementwise`` or ``along``; "" if nothing is, here.

    Parameters
    ----------
    row : Primitive
    params : dict
        Its static parameters.
    call : Opaque
        Its kernel at the arguments to look at.
    names : sequence of str
        What the arguments are called.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import tanh
    >>> misdeclared(tanh, {}, Opaque(np.tanh, [np.ones(3)]), ["x"])
    ''
    >>> misdeclared(tanh, {}, Opaque(np.cumsum, [np.ones(3)]), ["x"])
    'it is declared elementwise, but an element of the result depends on other elements of x ...'
    """
    if row.elementwise:
        return _not_elementwise(row, call, names)
    if isinstance(row.along, str) and row.along not in params:
        return f"along={row.along!r} is declared, but it is given no parameter of this name"
    if row.along is None or call.centre.ndim == 0:  # all elements influence a single result
        return ""
    for place, x in enumerate(call.inputs):
        axes = axes_along(row, x.ndim, params)
        lines = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
        reduced = tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
        told = call.centre.shape in (x.shape, lines, reduced)
        if told and _reaches_others(row, params, call, place, lines):
            return (
                f"along={row.along!r} is declared, but the result depends on elements of "
                f"{names[place]} that lie elsewhere: declare all axes along which elements are "
                "mixed, or leave along= out"
            )
    return ""


def _not_elementwise(row: Primitive, call: Opaque, names: Sequence[str]) -> str:
    advice = "declare elementwise=False, and with along=... the axes along which it mixes elements"
    shapes = [x.shape for x in call.inputs]
    try:
        same = np.broadcast_shapes(*shapes) == call.centre.shape
    except ValueError:
        same = False
    if not same:
        given = " and ".join(map(str, shapes))
        return (
            f"it is declared elementwise, but makes a result of shape {call.centre.shape} of "
            f"{given}: {advice}"
        )
    for place, x in enumerate(call.inputs):
        if _reaches_others(row, {}, call, place, x.shape):
            return (
                "it is declared elementwise, but an element of the result depends on other "
                f"elements of {names[place]} than its own: {advice}"
            )
    return ""


def _reaches_others(
    row: Primitive, params: dict[str, Any], call: Opaque, place: int, lines: tuple[int, ...]
) -> bool:
    """Tell whether elements of an argument have an influence that the engine doesn't know of.

    ``lines`` is the shape of the argument with 1 for the axes along which it may be mixed.
    """
    x = call.inputs[place]
    numbers = np.broadcast_to(np.arange(np.prod(lines, dtype=int)).reshape(lines), x.shape)
    for moved, values in call.moved_in_halves(place, numbers):
        still = influences_only(row, _alike(values, call.centre), x, params)
        if not np.all(still | moved):
            return True
    return False


def _alike(values: Array, centre: Array) -> Array:
    unit = np.finfo(centre.dtype).eps
    return np.isclose(values, centre, rtol=_ROUNDING * unit, atol=0.0, equal_nan=True)
