"""The documentation of an operation, written from its row: what ``help()`` of a row shows."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograd_nn.graph.primitive import Primitive

_KINDS = "Value, Tensor, ndarray, float or a sequence of numbers"


class Doc:
    """The ``__doc__`` of a class whose objects have texts of their own."""

    def __init__(self, of_class: str | None) -> None:
        self._of_class = of_class

    def __get__(self, row: Primitive | None, kind: type | None = None) -> str | None:
        return self._of_class if row is None else doc_of(row)


class Signature:
    """The ``__signature__`` of a class whose objects are functions."""

    def __get__(self, row: Primitive | None, kind: type | None = None) -> inspect.Signature:
        if row is None:
            raise AttributeError("__signature__")  # that of the class is that of __init__
        return signature_of(row)


def signature_of(row: Primitive) -> inspect.Signature:
    """Return the arguments of a row under the names that its rules give them.

    Examples
    --------
    >>> from micrograd_nn.graph.table.arithmetic import where
    >>> print(signature_of(where))
    (c, x, y, /)
    """
    parameters = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in _arguments(row)
    ]
    given = {p.name: p for rule in row.rules if rule is not None for p in _named(rule)}
    return inspect.Signature([*parameters, *given.values()])


def doc_of(row: Primitive) -> str:
    """Return a text in NumPy's style: what the row computes, its derivatives, domain and kinks.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import sqrt
    >>> doc_of(sqrt).splitlines()[0]
    'Return the square root √x; that of a negative number is NaN.'
    """
    names = _arguments(row)
    blocks = [
        row.about or _first_line(row) or f"Return ``{formula_of(row)}``.",
        _section("Parameters", _parameters(row, names)),
        _section("Returns", _result(row, names)),
        _section("Raises", _errors(row, names)),
        _section("Notes", "\n\n".join(filter(None, (_derivatives(row), _places(row))))),
        _section("Examples", _example(row)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def formula_of(row: Primitive) -> str:
    """Return what the row computes, in the names of its arguments.

    Examples
    --------
    >>> from micrograd_nn.graph.table.arithmetic import maximum
    >>> formula_of(maximum)
    'max(x, y)'
    """
    return _filled(row.notation, _arguments(row), {})


def derivatives_of(row: Primitive) -> list[tuple[str, str]]:
    """Return the derivatives as textbooks write them: for each argument a left and a right side.

    z is the result, and dz its cotangent where the row isn't elementwise. The list is empty for a
    row that has no textbook form.

    Examples
    --------
    >>> from micrograd_nn.graph.table.arithmetic import div
    >>> derivatives_of(div)
    [('∂z/∂x', '1 / y'), ('∂z/∂y', '-x / y**2')]
    """
    names = _arguments(row)
    left = "∂z/∂{}" if row.elementwise else "d{}"
    return [
        (left.format(name), _filled(form, names, {"z": "z", "g": "dz"}))
        for name, form in zip(names, row.textbook, strict=False)
    ]


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}" if body else ""


def _parameters(row: Primitive, names: Sequence[str]) -> str:
    if row.variadic:
        return f"{names[0]} : sequence, each a {_KINDS}"
    if row.elementwise and len(names) > 1:
        return f"{', '.join(names)} : {_KINDS}\n    Broadcast against each other."
    return f"{', '.join(names)} : {_KINDS}"


def _result(row: Primitive, names: Sequence[str]) -> str:
    text = "Value, Tensor, ndarray or float\n    A node if an argument is one"
    if not row.elementwise:
        return f"{text}."
    shape = "the arguments' common shape" if len(names) > 1 else f"the shape of {names[0]}"
    return f"{text}; of {shape}, element by element."


def _errors(row: Primitive, names: Sequence[str]) -> str:
    errors = "TypeError\n    If an argument doesn't hold real numbers."
    if len(names) > 1:
        errors += "\nValueError\n    If the shapes don't fit."
    return errors


def _derivatives(row: Primitive) -> str:
    lines = [f"    {left} = {right}" for left, right in derivatives_of(row)]
    if not lines:
        return ""
    what = f"The derivative{'s' * (len(lines) > 1)} of ``z = {formula_of(row)}``::"
    if not row.elementwise:
        what = (
            f"The cotangents of the arguments of ``z = {formula_of(row)}``, from dz, that of the "
            "result::"
        )
    return "\n".join([what, "", *lines])


def _places(row: Primitive) -> str:
    lines = [f"It is defined where ``{row.domain}``."] if row.domain else []
    lines += [f"At the kink ``{at}`` the derivative is {value}." for at, value in row.kinks.items()]
    return "\n".join(textwrap.fill(line, 100) for line in lines)


def _example(row: Primitive) -> str:
    if "F." not in row.example:
        return row.example
    imports = ["import micrograd_nn.functional as F", "from micrograd_nn import grad"]
    if "np." in row.example:
        imports.insert(0, "import numpy as np")
    return "\n".join([*(f">>> {line}" for line in imports), row.example])


def _first_line(row: Primitive) -> str:
    """Return what the kernel says of itself, if it is a user's function with a docstring."""
    text = inspect.getdoc(row.on_arrays) if inspect.isfunction(row.on_arrays) else None
    return text.partition("\n\n")[0] if text else ""


def _arguments(row: Primitive) -> list[str]:
    """Return the names of the arguments; of one that no rule names, x, y, ... and its position."""
    names: list[str] = []
    for rule in row.rules:
        if rule is not None:
            own = [p.name for p in _positional(rule)][2:]
            names = max(names, [name.lstrip("_") or name for name in own], key=len)
    usual = ["x", "y"] if len(row.rules) <= 2 else []
    spare = usual + [f"x{i}" for i in range(len(row.rules))]
    return [*names, *spare[len(names) :]][: len(row.rules)]


def _positional(rule: Any) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in inspect.signature(rule).parameters.values() if p.kind in kinds]


def _named(rule: Any) -> list[inspect.Parameter]:
    parameters = inspect.signature(rule).parameters.values()
    return [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def _filled(form: str, names: Sequence[str], known: dict[str, str]) -> str:
    """Fill in the arguments, in order or by number; a name that isn't known stands for itself."""
    following = iter(names)

    def filled(match: re.Match[str]) -> str:
        field = match[1]
        if not field:
            return next(following, "…")
        if field.isdigit():
            return names[int(field)] if int(field) < len(names) else "…"
        return known.get(field, field)

    return re.sub(r"\{(\w*)\}", filled, form)
