"""Operations and their derivatives as formulas, with places for what they are applied to.

A template has ``{0}``, ``{1}``, ... where the arguments stand, ``{z}`` for the result and ``{g}``
for the gradient of the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from micrograd_nn.graph.node import Node

#: More parts of a sequence than these are not all written.
_PARTS = 4
_POWER = re.compile(r"\^(?:\((−?\d+)\)|(−?\d+))(?![\d.])")
_PLACE = re.compile(r"\{(\d+|z|g)\}")
_SUPERSCRIPT = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def formula(node: Node) -> str:
    """Return the template of the operation that made a node.

    Examples
    --------
    >>> from micrograd_nn import Tensor, Value
    >>> formula(Value(2.0) * 3), formula(Value(2.0) ** 2), formula(Tensor([1.0]) * 3)
    ('{0} × {1}', '{0}^{1}', '{0} ∘ {1}')
    """
    op = node.op
    assert op is not None
    if op.vector:
        return op.notation
    notation = op.notation if getattr(node, "shape", ()) else op.notation.replace("∘", "×")
    if op.variadic:
        return notation.replace("{}", _sequence(len(node.inputs)))
    places = iter(range(op.arity))

    def place(found: re.Match[str]) -> str:
        field = found[1]
        if not field:
            return f"{{{next(places)}}}"
        return found[0] if field.isdigit() else _parameter(node.params.get(field, field))

    return pretty(re.sub(r"\{(\w*)\}", place, notation))


def derivative(node: Node, argument: int) -> str:
    """Return the template of a derivative in its textbook form, or "" where the row has none.

    Where it has ``{g}`` in it, it is what the argument receives; else it is the local derivative.

    Examples
    --------
    >>> from micrograd_nn import Tensor, Value
    >>> derivative(Value(2.0).tanh(), 0), derivative(Tensor([[1.0]]) @ Tensor([[1.0]]), 0)
    ('1 − {z}^2', '{g} {1}ᵀ')
    """
    op = node.op
    assert op is not None
    if op.vector or op.variadic or argument >= len(op.textbook):
        return ""
    return pretty(op.textbook[argument])


def filled(template: str, words: Mapping[str, str]) -> str:
    """Return a formula with words for its places; a negative number gets brackets.

    Examples
    --------
    >>> filled("{0}^{1} − {0}", {"0": "−3", "1": "2"})
    '(−3)² − (−3)'
    >>> filled("tanh({0})", {"0": "−3"}), filled("{0}^({1} − 1)", {"0": "x", "1": "3"})
    ('tanh(−3)', 'x^(3 − 1)')
    """

    def word(found: re.Match[str]) -> str:
        text = words[found[1]]
        before, after = template[: found.start()], template[found.end() :]
        enclosed = before.endswith(("(", ", ", "|")) and after.startswith((")", ",", "|"))
        whole = not before and not after
        raised = after.startswith(("^", "ᵀ")) and found[1] == "g"
        if raised or (text.startswith("−") and not enclosed and not whole):
            return f"({text})"
        return text

    text = _PLACE.sub(word, template)
    return _POWER.sub(lambda m: (m[1] or m[2]).translate(_SUPERSCRIPT), text)


def pretty(text: str) -> str:
    """Return a formula in mathematical signs instead of a program's."""
    for written, sign in (
        ("**", "^"), (" ^ ", "^"), (" * ", " · "), ("-", "−"), ("<=", "≤"), ("sqrt(pi)", "√π"),
    ):  # fmt: skip
        text = text.replace(written, sign)
    return text


def _sequence(count: int) -> str:
    if count <= _PARTS:
        return ", ".join(f"{{{i}}}" for i in range(count))
    return f"{{0}}, {{1}}, …, {{{count - 1}}}"


def _parameter(value: Any) -> str:
    if isinstance(value, tuple) and any(isinstance(part, slice) for part in value):
        return ", ".join(map(_parameter, value))
    if isinstance(value, slice):
        ends = ["" if end is None else str(end) for end in (value.start, value.stop)]
        return ":".join(ends + ([str(value.step)] if value.step is not None else []))
    text = str(value)
    return text if len(text) <= 24 and "\n" not in text else "…"
