"""Operations on floats as Python source.

A kernel of sums and products is run once on *texts*, which gives its source; any other is called
by the name of its row.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NoReturn

from micrograd_nn.graph.primitive import table
from micrograd_nn.readers.compile.symbols import Expansion, Operation
from micrograd_nn.readers.identifiers import Identifiers


class _Text:
    """An expression under construction: arithmetic on it gives longer expressions."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __add__(self, other: Any) -> _Text:
        return _Text(f"{self.text} + {_text(other)}")

    def __sub__(self, other: Any) -> _Text:
        return _Text(f"{self.text} - {_text(other)}")

    def __mul__(self, other: Any) -> _Text:
        return _Text(f"{self.text} * {_text(other)}")

    def __neg__(self) -> _Text:
        return _Text(f"-{self.text}")

    def __bool__(self) -> NoReturn:
        raise TypeError("the kernel branches on data: it is called")


def _text(operand: Any) -> str:
    if not isinstance(operand, _Text):
        raise TypeError("the kernel knows numbers: it is called")
    return operand.text


class Expressions:
    """Writes operations, and keeps what the names in them mean.

    Attributes
    ----------
    bound : dict
        Kernels by name.
    taken : Identifiers
        The names that are taken, those of the table's rows among them.
    """

    def __init__(self, taken: Identifiers | None = None) -> None:
        self.bound: dict[str, Any] = {"inf": math.inf, "nan": math.nan}
        self.taken = taken or Identifiers(table)
        self._names: dict[Any, str] = {}
        self._inlined: dict[Any, bool] = {}
        self._parts: list[str] = []
        self._kept: list[dict[str, Any]] = []

    def of(self, op: Operation, operands: list[str], params: dict[str, Any]) -> str:
        """Return the source of an operation.

        Examples
        --------
        >>> from micrograd_nn.graph.table.arithmetic import div, mul
        >>> Expressions().of(mul, ["a", "b + c"], {}), Expressions().of(div, ["a", "b"], {})
        ('a * (b + c)', 'div(a, b)')
        """
        if not params and self._inlined.get(op, True):
            try:
                result = op.on_floats(*(_Text(_closed(o)) for o in operands))  # type: ignore[misc]
            except Exception:  # noqa: BLE001 (a kernel may do anything with texts)
                result = None
            self._inlined[op] = isinstance(result, _Text)
            if isinstance(result, _Text):
                return result.text
        return f"{self._name(op, params)}({', '.join(operands)})"

    def of_expansion(self, expansion: Expansion, places: list[str]) -> tuple[list[str], str]:
        """Return the source of a derivative rule; ``places`` are the names of g, z and so on.

        What is read more than once is given a name, by one of the lines that come first.
        """
        texts = list(places)
        lines: list[str] = []
        reads = [p for _, at, _ in expansion.steps for p in at if type(p) is int]
        for op, at, params in expansion.steps:
            operands = [texts[p] if type(p) is int else self.literal(p) for p in at]
            text = self.of(op, operands, params)
            if reads.count(len(texts)) > 1:
                name = self._part(len(lines))
                lines.append(f"{name} = {text}")
                text = name
            texts.append(text)
        result = expansion.result
        return lines, texts[result] if type(result) is int else self.literal(result)

    def _part(self, number: int) -> str:
        while len(self._parts) <= number:
            self._parts.append(self.taken.unique(None, f"part{len(self._parts)}"))
        return self._parts[number]

    def literal(self, number: float) -> str:
        """Return a number as Python reads it."""
        text = repr(float(number))
        return f"({text})" if text.startswith("-") else text

    def _name(self, op: Operation, params: dict[str, Any]) -> str:
        key = (op, id(params) if params else None)
        if key not in self._names:
            assert op.on_floats is not None
            reserved = table.get(op.name) is op and op.name not in self.bound
            name = op.name if reserved else self.taken.unique(op.name, "kernel")
            self._names[key] = name
            self._kept.append(params)  # so that no other dict gets its id
            self.bound[name] = partial(op.on_floats, **params) if params else op.on_floats
        return self._names[key]


def _closed(text: str) -> str:
    """Return an expression that is safe as an operand."""
    if text.isidentifier() or text.replace(".", "").isalnum() or _is_bracketed(text):
        return text
    return f"({text})"


def _is_bracketed(text: str) -> bool:
    """Tell whether a text is one call, or one pair of brackets."""
    start = text.find("(")
    if not text.endswith(")") or not (start == 0 or text[:start].isidentifier()):
        return False
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i >= start and i < len(text) - 1:
            return False
    return True
