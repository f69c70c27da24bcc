"""The arguments of an operation on arrays: what is recorded of each, and what is refused.

A recorded node keeps its arguments as they were. So whatever a user may write to later (an array
that stands beside a node, the data of a leaf that has been handed out) is copied here, once: the
kernel, the derivative rules and the readers see that copy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import Node, data_of, modes, refuse_masked
from micrograd_nn.graph.primitive import Primitive, is_plain_number

FLOATS = (np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.float16))


def operands(row: Primitive, args: Any) -> tuple[tuple[Node | None, ...], list[Any], bool]:
    """Return the inputs, their data as recorded, and whether a gradient is wanted."""
    given = (False,) * len(args) if row.variadic else row.given
    inputs: list[Node | None] = []
    data: list[Any] = []
    requires_grad = False
    for i, arg in enumerate(args):
        if isinstance(arg, Node):
            inputs.append(arg)
            data.append(arg._snapshot())
            requires_grad = requires_grad or arg.requires_grad
        else:
            inputs.append(None)
            data.append(_as_given(arg) if given[i] else _as_constant(arg, args))
    return tuple(inputs), data, requires_grad


def _as_given(arg: Any) -> Any:
    """Return an argument without a derivative, such as a condition: numbers of any dtype."""
    if is_plain_number(arg):
        return arg
    if isinstance(arg, Comparison):
        return arg.kept()
    return _checked(np.array(without_nodes(arg)), arg)


def _as_constant(arg: Any, args: tuple[Any, ...]) -> Any:
    """Return a plain argument as a float or a floating array; integers take the nodes' dtype."""
    if type(arg) is float:
        return arg
    if is_plain_number(arg):
        return float(arg)
    array = _checked(np.array(arg), arg)
    if isinstance(arg, Comparison):
        return arg.kept(np.result_type(*_dtypes(args)) if _dtypes(args) else np.float64)
    if array.dtype in FLOATS:
        return array
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    dtypes = _dtypes(args)
    return array.astype(np.result_type(*dtypes) if dtypes else np.float64)


def _dtypes(args: tuple[Any, ...]) -> list[Any]:
    return [a._data.dtype for a in args if isinstance(a, Node) and type(a._data) is not float]


def _checked(array: np.ndarray[Any, Any], arg: Any) -> np.ndarray[Any, Any]:
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"expected real numbers beside a Tensor, got {type(arg).__name__} of dtype "
            f"{array.dtype}"
        )
    refuse_masked(arg)
    return array


def float_array(array: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """Return a new floating array of real numbers, as a leaf is to hold it.

    Raises
    ------
    TypeError
        If these aren't real numbers, or hold nodes that require a gradient: a leaf would cut it.
    """
    refuse_masked(array)
    if isinstance(array, (list, tuple)) and _requires_grad(array):
        raise TypeError(
            "a Tensor made of nodes would be a leaf, through which no gradient reaches them: join "
            "them by functional.stack, or detach() them first"
        )
    raw = np.array(without_nodes(array))
    if raw.dtype.kind not in "fiub":
        raise TypeError(f"a Tensor holds real numbers, got an array of dtype {raw.dtype}")
    if dtype is None:
        return raw if raw.dtype in FLOATS else raw.astype(np.float64)
    if np.dtype(dtype) not in FLOATS:
        raise TypeError(
            f"a Tensor can't have dtype {np.dtype(dtype)}: gradients need float64 or float32"
        )
    return raw.astype(dtype)


def refuse_result(data: Any, kind: str) -> None:
    """Raise a TypeError if a leaf is made of a recorded result; that of a leaf is a copy of it."""
    if isinstance(data, Node) and data._op is not None and data.requires_grad:
        raise TypeError(
            f"a {kind} made of a recorded result ({data.describe()}) would be a leaf, through "
            "which no gradient reaches it: use the result as it is, or detach() it first"
        )


def without_nodes(items: Any) -> Any:
    """Return nested sequences with the data of their nodes."""
    if isinstance(items, (list, tuple)):
        return [without_nodes(item) for item in items]
    return data_of(items)


def _requires_grad(items: Any) -> bool:
    if isinstance(items, (list, tuple)):
        return any(map(_requires_grad, items))
    return isinstance(items, Node) and items.requires_grad


def of_kind(error: Exception, message: str) -> Exception:
    """Return an exception of the same type, or of the built-in one that it is, with a message."""
    try:
        return type(error)(message)
    except TypeError:  # NumPy's own may want other arguments
        kinds = (IndexError, ValueError, TypeError)
        return next(kind for kind in kinds if isinstance(error, kind))(message)


def refusal(row: Primitive, inputs: Any, data: Any, params: Any, error: Exception) -> str:
    """Return what to say of a kernel that raised: the operation, its layer, and the shapes."""
    operands = " and ".join(
        (f"{node.name} " if node is not None and node.name else "") + str(np.shape(d))
        for node, d in zip(inputs, data, strict=True)
    )
    options = ", ".join(f"{k}={v!r}" for k, v in params.items())
    scope = f" in layer {modes.scope!r}" if modes.scope else ""
    return (
        f"{row.name}{scope} can't take arguments of shape {operands}"
        + (f" with {options}" if options else "")
        + f": {error}"
    )
