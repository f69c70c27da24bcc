"""Code that shows a wrong derivative rule alone, to be pasted into Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive

#: Arrays of more numbers than these aren't written out.
LARGEST = 24


def reproduction(
    op: Primitive, arguments: Sequence[Any], params: dict[str, Any], g: Any, place: int
) -> str:
    """Return code that calls one rule of an operation; "" where the arrays are too large for it.

    Parameters
    ----------
    op : Primitive
    arguments : sequence of float or array
        The data that the operation was recorded with.
    params : dict
        Its static parameters.
    g : float or array
        The cotangent of the result.
    place : int
        The argument whose rule it is.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import tanh
    >>> print(reproduction(tanh, [0.5], {}, 2.0, 0))
    from micrograd_nn.graph.primitive import table
    tanh = table['tanh']
    x = 0.5
    print(tanh.rules[0](2.0, tanh(x), x))
    """
    if op.vector or any(np.size(data) > LARGEST for data in (*arguments, g)):
        return ""
    letters = [f"x{i}" for i in range(len(arguments))] if len(arguments) > 3 else "xyz"
    names = list(letters[: len(arguments)])
    lines = ["import numpy as np"] if any(np.ndim(a) for a in (*arguments, g)) else []
    lines.append("from micrograd_nn.graph.primitive import table")
    lines.append(f"{op.name} = table[{op.name!r}]")
    lines += [f"{name} = {_written(data)}" for name, data in zip(names, arguments, strict=True)]
    operands = f"[{', '.join(names)}]" if op.variadic else ", ".join(names)
    options = "".join(f", {key}={_written(value)}" for key, value in params.items())
    called = f"{op.name}({operands}{options})"
    lines.append(f"print({op.name}.rules[{place}]({_written(g)}, {called}, {operands}{options}))")
    return "\n".join(lines)


def _written(data: Any) -> str:
    if isinstance(data, np.ndarray):
        dtype = "" if data.dtype == np.float64 else f", np.{data.dtype}"
        return f"np.array({np.array2string(data, separator=', ', floatmode='unique')}{dtype})"
    if isinstance(data, (float, np.floating)):
        return repr(float(data))
    return repr(data)
