"""What is wrong with a derivative rule, told after it has stopped a backward pass.

The engines don't look at what a rule returns until it doesn't fit; then the rules of that node are
run once more, here, to name the operation, the argument and the shapes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.node import GraphError, Node, data_of
from micrograd_nn.graph.pull import unbroadcast_axes


def raise_for_rule(node: Node, g: Any, error: Exception) -> None:
    """Raise a GraphError if one of the node's rules is at fault; else do nothing.

    A rule that itself raises speaks for itself, and so does an error of the engine.
    """
    if isinstance(error, GraphError) or node._op is None or node._op is not node._op.row:
        return
    with np.errstate(all="ignore"):
        fault = _fault(node, data_of(g))
    if fault is not None:
        where = node.where_recorded()
        at = f" ({where})" if where else ""
        raise GraphError(f"{node._op.name}{at}: {fault}") from error


def _fault(node: Node, g: Any) -> str | None:
    op = node._op
    assert op is not None
    if op.vector:
        return None
    data = [saved for _, saved, _ in node._saved_arguments()]
    for i, rule in enumerate(op.rules):
        if rule is None:
            continue
        try:
            result = rule(g, node._data, *([data] if op.variadic else data), **node.params)
        except Exception:  # noqa: BLE001 (it is on its way to the user already)
            return None
        of = "its derivative rule" if len(op.rules) == 1 else f"the derivative rule of argument {i}"
        if not op.variadic:
            fault = _misfit(result, data[i], node._data)
        elif not isinstance(result, (list, tuple)) or len(result) != len(data):
            got = f"{len(result)}" if isinstance(result, (list, tuple)) else _words(result)
            fault = f"returned {got}, but a list of {len(data)} cotangents is due"
        else:
            faults = (_misfit(r, x, node._data) for r, x in zip(result, data, strict=True))
            fault = next(filter(None, faults), None)
        if fault is not None:
            return f"{of} {fault}"
    return None


def _misfit(cotangent: Any, argument: Any, z: Any) -> str | None:
    data, wanted = np.asarray(data_of(cotangent)), np.shape(argument)
    if data.dtype.kind in "fiub" and (data.shape == () or type(z) is not float):
        try:
            unbroadcast_axes(data.shape, wanted)
        except ValueError:
            pass
        else:
            return None
    return (
        f"returned {_words(cotangent)}, but the cotangent of an argument of shape {wanted} is due "
        f"(the result has shape {np.shape(z)})"
    )


def _words(x: Any) -> str:
    if x is None:
        return "None"
    data = data_of(x)
    if isinstance(data, np.ndarray):
        return f"an array of shape {data.shape}" + (
            "" if data.dtype.kind in "fiub" else f" of dtype {data.dtype}"
        )
    return f"{type(x).__name__} {x!r}"
