"""Points without a derivative, and the value that is documented there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.expressions import documented_values, equations, evaluate

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Kink:
    """A condition on the inputs under which a documented value stands for the derivative.

    Attributes
    ----------
    label : str
        The condition in words, such as ``"x == 0"``.
    holds : callable
        ``holds(*inputs)`` returns where the condition holds.
    derivatives : callable
        ``derivatives(*inputs)`` returns the documented local derivative for each argument, or
        None where none is documented.
    points : list
        Ways to meet the condition: dicts from the number of an argument to a function that, given
        the inputs, returns what it must be.
    """

    label: str
    holds: Callable[..., Any]
    derivatives: Callable[..., Sequence[Any]]
    points: list[dict[int, Callable[..., Any]]] = field(default_factory=list)


def kinks_of_row(row: Primitive, names: Sequence[str]) -> list[Kink]:
    """Return the kinks that a row of the table declares, in the names of its rules' arguments.

    The value that the text begins with stands for the derivative by each argument that the
    condition names: by the others the row may well have one.
    """
    if not row.elementwise:
        return []
    return [_of_row(row, condition, text, names) for condition, text in row.kinks.items()]


def _of_row(row: Primitive, condition: str, text: str, names: Sequence[str]) -> Kink:
    values = documented_values(text, condition, names)
    ruled = [row.variadic or row.rules[k] is not None for k in range(len(names))]

    def derivatives(*inputs: Any) -> Sequence[Any]:
        known = dict(zip(names, inputs, strict=True))
        return [
            evaluate(values[name], known) if name in values and has_rule else None
            for name, has_rule in zip(names, ruled, strict=True)
        ]

    return _from_text(condition, names, derivatives)


def declared_kinks(
    kinks: Mapping[Any, Any] | Iterable[tuple[Any, Any]], names: Sequence[str]
) -> list[Kink]:
    """Return the kinks that a user declares, as ``check_op`` documents it."""
    pairs = kinks.items() if isinstance(kinks, Mapping) else kinks
    try:
        return [_declared(point, value, names) for point, value in pairs]
    except TypeError as error:
        raise TypeError(
            "kinks are pairs (point, documented derivative), such as [(0.0, 0.0)] for relu or "
            f'[("x == y", (0.5, 0.5))] for maximum: {error}'
        ) from None


def _declared(point: Any, value: Any, names: Sequence[str]) -> Kink:
    def derivatives(*inputs: Any) -> Sequence[Any]:
        found = value(*inputs) if callable(value) else value
        return found if isinstance(found, (tuple, list)) else [found] * len(inputs)

    if isinstance(point, str):
        return _from_text(point, names, derivatives)
    if callable(point):
        return Kink(getattr(point, "__name__", "a kink"), point, derivatives)
    coordinates = point if isinstance(point, (tuple, list)) else (point,)
    if len(coordinates) > len(names):
        raise TypeError(f"{point!r} has {len(coordinates)} coordinates for {len(names)} arguments")
    fixed = {i: float(c) for i, c in enumerate(coordinates) if c is not None}

    def holds(*inputs: Any) -> Any:
        result: Any = True
        for i, c in fixed.items():
            result = np.logical_and(result, np.equal(inputs[i], c))
        return result

    label = " and ".join(f"{names[i]} == {c:g}" for i, c in fixed.items())
    return Kink(label, holds, derivatives, [{i: _constant(c) for i, c in fixed.items()}])


def _from_text(
    condition: str, names: Sequence[str], derivatives: Callable[..., Sequence[Any]]
) -> Kink:
    def holds(*inputs: Any) -> Any:
        return evaluate(condition, dict(zip(names, inputs, strict=True)))

    points = [
        {names.index(name): _expression(text, names) for name, text in way.items()}
        for way in equations(condition)
        if set(way) <= set(names)
    ]
    return Kink(condition, holds, derivatives, points)


def _constant(c: float) -> Callable[..., Any]:
    return lambda *inputs: c


def _expression(text: str, names: Sequence[str]) -> Callable[..., Any]:
    return lambda *inputs: evaluate(text, dict(zip(names, inputs, strict=True)))
