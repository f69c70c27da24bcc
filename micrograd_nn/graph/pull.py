"""From derivative rules to the backward step of a scalar node.

The backward pass calls ``row.pull(node, g)`` for each scalar node: it adds the cotangents of the
inputs to their gradients. That function is written here from the row's rules, so that they stand
nowhere else. A rule made of sums and products is run once on *names* instead of numbers, which
gives its source; the pull of ``mul`` then reads

    def pull(v, g):
        a = v._a
        if a is not None:
            a._grad += (g * v._y)
        b = v._b
        if b is not None:
            b._grad += (g * v._x)

Any other rule is called with the recorded floats.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from micrograd_nn.graph.primitive import Primitive

Pull = Callable[[Any, float], None]

_ARGUMENTS = (("a", "x"), ("b", "y"))


class _Name:
    """An expression under construction: arithmetic on it gives longer expressions."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __add__(self, other: Any) -> _Name:
        return _Name(f"({self.text} + {_text(other)})")

    def __sub__(self, other: Any) -> _Name:
        return _Name(f"({self.text} - {_text(other)})")

    def __mul__(self, other: Any) -> _Name:
        return _Name(f"({self.text} * {_text(other)})")

    def __rmul__(self, other: Any) -> _Name:
        return _Name(f"({_text(other)} * {self.text})")

    def __neg__(self) -> _Name:
        return _Name(f"(-{self.text})")

    def __bool__(self) -> bool:
        raise TypeError("the rule branches on data: it is called, not inlined")


def _text(operand: Any) -> str:
    if isinstance(operand, _Name):
        return operand.text
    if type(operand) in (int, float) and operand - operand == 0:  # inf and nan are no literals
        return repr(operand)
    raise TypeError("not an expression of sums and products")


def _inlined(rule: Callable[..., Any], arity: int) -> str | None:
    """Return the source of the cotangent if the rule is made of sums and products alone."""
    try:
        result = rule(*(_Name(n) for n in ("g", "v._data", "v._x", "v._y")[: arity + 2]))
    except Exception:  # noqa: BLE001 (a rule may do anything with names; it is called then)
        return None
    return result.text if isinstance(result, _Name) else None


def pull_made_later(row: Primitive) -> Pull:
    """Return a function that makes the row's pull when it is first called, and stands aside."""
    if row.vector:
        return float_pull(row)

    def pull(v: Any, g: float) -> None:
        row.pull = float_pull(row)
        row.pull(v, g)

    return pull


def float_pull(row: Primitive) -> Pull:
    """Return the function that carries a cotangent from a scalar node to its inputs."""
    if row.vector:  # what carries two sequences calls the rule, whichever it is
        return row.__dict__.get("pull", pull_vectors)  # type: ignore[no-any-return]
    if row.variadic or not 1 <= row.arity <= 2:
        return pull_tuple
    saved = [
        f"v._{slot}" if read else "None"
        for (_, slot), read in zip(_ARGUMENTS, row.reads, strict=False)
    ]
    lines = ["def pull(v, g):"]
    for (slot, _), rule in zip(_ARGUMENTS, row.rules, strict=False):
        if rule is None:
            continue
        source = _inlined(rule, row.arity)
        if source is None:
            source = f"call(rule_{slot}, g, v._data, {', '.join(saved)})"
        lines += [
            f"    {slot} = v._{slot}",
            f"    if {slot} is not None:",
            f"        {slot}._grad += {source}",
        ]
    if len(lines) == 1:
        lines.append("    pass")
    names: dict[str, Any] = {
        f"rule_{slot}": rule for (slot, _), rule in zip(_ARGUMENTS, row.rules, strict=False)
    }
    names["call"] = call
    names["__name__"] = __name__
    exec("\n".join(lines), names)  # noqa: S102 (text made here, from the rules alone)
    pull: Pull = names["pull"]
    return pull


def call(rule: Callable[..., Any], *args: Any, **params: Any) -> float:
    """Call a rule on floats; where Python raises, ask NumPy's arithmetic."""
    try:
        return float(rule(*args, **params))
    except (ArithmeticError, ValueError):
        with np.errstate(all="ignore"):
            return float(rule(*(a if a is None else np.float64(a) for a in args), **params))


def pull_tuple(v: Any, g: float) -> None:
    """Carry a cotangent to the inputs of a scalar node that keeps its arguments as a tuple."""
    for node, rule in zip(v._a, v._op.rules, strict=False):
        if node is not None and rule is not None:
            node._grad += call(rule, g, v._data, *v._x, **v.params)


def pull_vectors(v: Any, g: float) -> None:
    """Carry a cotangent to the inputs of a scalar node whose arguments are two sequences."""
    (rule,) = v._op.rules
    xs, ys = rule(g, v._data, v._x, v._y)
    for node, cotangent in zip(v._b, ys, strict=True):
        node._grad += cotangent
    for node, cotangent in zip(v._a, xs, strict=True):
        node._grad += cotangent


@lru_cache(maxsize=10_000)
def unbroadcast_axes(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes over which ``target`` was repeated to give ``shape``.

    Raises
    ------
    ValueError
        If it can't have been, nor ``shape`` to give ``target``.
    """
    if np.broadcast_shapes(shape, target) not in (shape, target):
        raise ValueError(f"an array of shape {shape} is neither {target} repeated nor the reverse")
    lead = len(shape) - len(target)
    if lead < 0:
        return ()
    return tuple(range(lead)) + tuple(
        lead + i for i, n in enumerate(target) if n == 1 and shape[lead + i] != 1
    )
