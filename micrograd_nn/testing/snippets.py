"""Code that shows a wrong derivative alone, to be pasted into Python.

It is "" where an array has too many numbers to be written out.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive

#: Arrays of more numbers than these aren't written out.
LARGEST = 24

#: ``program(inputs, g, i, place, expected)`` prints gradients for a cotangent ``g``; in that of
#: input ``i``, the number at ``place``, such as ``"[0]"``, should be ``expected``.
Program = Callable[[Sequence[Any], Any, int, str, "float | None"], str]

_TABLE = "from micrograd_nn.graph.primitive import table"


def reproduction(
    op: Primitive, arguments: Sequence[Any], params: dict[str, Any], g: Any, place: int
) -> str:
    """Return code that calls one rule of an operation.

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
    if op.vector or _too_large(*arguments, g):
        return ""
    letters = [f"x{i}" for i in range(len(arguments))] if len(arguments) > 3 else "xyz"
    names = list(letters[: len(arguments)])
    row, given = _variable(op, names), _given(op, names, params)
    lines = [
        f"{row} = table[{op.name!r}]",
        *(f"{name} = {code(data)}" for name, data in zip(names, arguments, strict=True)),
        f"print({row}.rules[{place}]({code(g)}, {row}({given}), {given}))",
    ]
    return _with_imports(_TABLE, lines)


def of_vjp(name: str, names: Sequence[str]) -> Program:
    """Return the program of a vjp that its user calls by a name.

    Examples
    --------
    >>> print(of_vjp("cube_vjp", ["x"])([0.5], 2.0, 0, "", 1.5))
    g = 2.0
    x = 0.5
    print(cube_vjp(g, x))  # should be 1.5
    """

    def program(inputs: Sequence[Any], g: Any, i: int, place: str, expected: float | None) -> str:
        if _too_large(*inputs, g):
            return ""
        seed = _free("g", names)
        called = f"{name}({', '.join([seed, *names])})"
        part = f"[{i}]" if len(names) > 1 else ""
        lines = [
            f"{seed} = {code(g)}",
            *(f"{name} = {code(x)}" for name, x in zip(names, inputs, strict=True)),
            f"print({called}){_remark(part + place, expected)}",
        ]
        return _with_imports("", lines)

    return program


def of_row(op: Primitive, params: dict[str, Any], names: Sequence[str]) -> Program:
    """Return the program of a row of the table.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import tanh
    >>> print(of_row(tanh, {}, ["x"])([0.5], 2.0, 0, "", 1.5))
    from micrograd_nn import Value
    from micrograd_nn.graph.primitive import table
    tanh = table['tanh']
    x = Value(0.5)
    g = 2.0
    tanh(x).backward(g)
    print(x.grad)  # should be 1.5
    """

    def program(inputs: Sequence[Any], g: Any, i: int, place: str, expected: float | None) -> str:
        if _too_large(*inputs, g):
            return ""
        seed = _free("g", names)
        ruled = [op.variadic or op.rules[k] is not None for k in range(len(names))]
        nodes = [has_rule and _is_floating(x) for has_rule, x in zip(ruled, inputs, strict=True)]
        x = names[i if nodes[i] else nodes.index(True)]
        lines = [
            *_recording(op, names, inputs, nodes),
            f"{seed} = {code(g)}",
            f"{_call(op, names, params)}.backward({seed})",
            f"print({x}.grad){_remark(place, expected)}",
        ]
        return _with_imports(_TABLE, lines)

    return program


def of_gradient(op: Primitive, params: dict[str, Any], names: Sequence[str], of: int) -> Program:
    """Return the program of a row's gradient by an argument: its last input is z's cotangent.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import tanh
    >>> print(of_gradient(tanh, {}, ["x"], 0)([0.5, 3.0], 2.0, 0, "", 1.5))
    from micrograd_nn import Value
    from micrograd_nn.graph.primitive import table
    tanh = table['tanh']
    x = Value(0.5)
    dz = 3.0
    g = 2.0
    tanh(x).backward(dz, create_graph=True)
    dx = x.grad
    x.zero_grad()
    dx.backward(g)
    print(x.grad)  # should be 1.5
    """

    def program(inputs: Sequence[Any], g: Any, i: int, place: str, expected: float | None) -> str:
        if _too_large(*inputs, g):
            return ""
        *arguments, cotangent = inputs
        seed, dz = _free("g", names), _free("dz", names)
        gradient = _free(f"d{names[of]}", [*names, dz])
        nodes = [_is_floating(x) for x in arguments]
        x = names[i if nodes[i] else of]
        lines = [
            *_recording(op, names, arguments, nodes),
            f"{dz} = {code(cotangent)}",
            f"{seed} = {code(g)}",
            f"{_call(op, names, params)}.backward({dz}, create_graph=True)",
            f"{gradient} = {names[of]}.grad",
            f"{x}.zero_grad()",
            f"{gradient}.backward({seed})",
            f"print({x}.grad){_remark(place, expected)}",
        ]
        return _with_imports(_TABLE, lines)

    return program


def code(x: Any) -> str:
    """Return Python that makes a number, an array or a parameter again.

    Examples
    --------
    >>> code(0.1), code(np.float32(0.5)), code(float("inf")), code((0, 1))
    ('0.1', 'np.float32(0.5)', "float('inf')", '(0, 1)')
    >>> code(np.array([[1, 2]])), code(np.array([0.1, np.nan], np.float32))
    ('np.array([[1, 2]])', 'np.array([0.1, np.nan], np.float32)')
    """
    if isinstance(x, np.ndarray):
        return _array(x)
    if isinstance(x, np.generic) and x.dtype != np.float64:
        return f"np.{x.dtype}({x.item()!r})"
    if isinstance(x, (float, np.floating)):
        return repr(float(x)) if math.isfinite(x) else f"float('{float(x)}')"
    return repr(x)


def _array(x: np.ndarray[Any, Any]) -> str:
    usual = x.dtype in (np.float64, np.int64, np.bool_)
    dtype = "" if usual else f", np.{x.dtype}"
    if x.size == 0:
        return f"np.zeros({x.shape}, np.{x.dtype})"
    text = np.array2string(x, separator=", ", floatmode="unique", threshold=x.size + 1)
    text = " ".join(text.split()).replace("[ ", "[").replace(" ,", ",")
    return f"np.array({text.replace('nan', 'np.nan').replace('inf', 'np.inf')}{dtype})"


def _too_large(*data: Any) -> bool:
    return any(np.size(x) > LARGEST for x in data)


def _free(name: str, taken: Sequence[str]) -> str:
    return _free(f"{name}_", taken) if name in taken else name


def _variable(op: Primitive, names: Sequence[str]) -> str:
    """Return what a program calls a row; its name may be any text."""
    plain = op.name.isidentifier() and not keyword.iskeyword(op.name)
    return _free(op.name if plain else "row", names)


def _given(op: Primitive, names: Sequence[str], params: dict[str, Any]) -> str:
    """Return the arguments and parameters of a call."""
    options = [f"{key}={code(value)}" for key, value in params.items()]
    operands = [f"[{', '.join(names)}]"] if op.variadic else names
    return ", ".join([*operands, *options])


def _call(op: Primitive, names: Sequence[str], params: dict[str, Any]) -> str:
    return f"{_variable(op, names)}({_given(op, names, params)})"


def _recording(
    op: Primitive, names: Sequence[str], arguments: Sequence[Any], nodes: Sequence[bool]
) -> list[str]:
    """Return lines that fetch the row and make its arguments, some of them as nodes."""
    lines = [f"{_variable(op, names)} = table[{op.name!r}]"]
    for name, x, is_node in zip(names, arguments, nodes, strict=True):
        kind = "Value" if type(x) is float else "Tensor"
        lines.append(f"{name} = {kind}({code(x)})" if is_node else f"{name} = {code(x)}")
    return lines


def _is_floating(x: Any) -> bool:
    return type(x) is float or np.asarray(x).dtype.kind == "f"


def _remark(place: str, expected: float | None) -> str:
    return "" if expected is None else f"  # {place} should be {expected!r}".replace("#  ", "# ")


def _with_imports(last: str, lines: Sequence[str]) -> str:
    """Put the imports that a program needs before it, of which the caller knows the last."""
    text = "\n".join(lines)
    kinds = [kind for kind in ("Tensor", "Value") if f" = {kind}(" in text]
    imports = ["import numpy as np"] if "np." in text else []
    imports += [f"from micrograd_nn import {', '.join(kinds)}"] if kinds else []
    imports += [last] if last else []
    return "\n".join([*imports, text])
