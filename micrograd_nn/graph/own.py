"""A user's own operations: rows like any other, with a check of what they are made of."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from micrograd_nn.graph import primitive as rows
from micrograd_nn.graph.primitive import Primitive, Rule

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def primitive(
    name: str,
    forward: Callable[..., Any],
    rules: Sequence[Rule | None] | Rule,
    *,
    on_floats: Callable[..., float] | None = None,
    **row: Any,
) -> Primitive:
    """Add a row to the table: a new operation, with all that the built-in ones have.

    Parameters
    ----------
    name : str
        A new name.
    forward : callable
        ``forward(*args, **params)``, written in NumPy. It is given floats or arrays, which it must
        not write to.
    rules : callable or sequence of callables
        One derivative rule per argument, ``rule(g, z, *args, **params)``: see ``Primitive``.
    on_floats : callable, optional
        A faster kernel for Python floats; ``forward`` by default.
    **row
        The other fields of ``Primitive``. ``elementwise=False`` where an element of the result
        depends on more than the same element of each argument; ``notation``, in which ``{}`` stands
        for each argument; ``kinks``, a dict from conditions to what the derivative is there, such
        as ``{"x == 0 and y == 0": "0"}``: by x and by y, which the condition names. ``domain`` ...

    Returns
    -------
    Primitive
        The row; call it as a function.

    Raises
    ------
    ValueError
        If the name is taken.
    TypeError
        If the rules can't be those of the kernel's arguments, by their number or parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Value, primitive
    >>> def cube_x(g, z, x):
    ...     return g * 3 * x * x
    >>> cube = primitive("cube_doc", lambda x: x * x * x, cube_x, notation="{}³")
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """
    rules = (rules,) if callable(rules) else tuple(rules)
    if not (row.get("variadic") or row.get("vector")):
        _check_rules(name, forward, rules)
    return rows.primitive(name, _reading(name, forward), rules, on_floats=on_floats, **row)


def _check_rules(name: str, forward: Callable[..., Any], rules: Sequence[Rule | None]) -> None:
    """Raise a TypeError where the rules can't be those of the kernel's arguments."""
    static: set[str] = set()  # parameters such as axis
    for i, rule in enumerate(rules):
        if rule is None:
            continue
        if not callable(rule):
            raise TypeError(f"primitive {name!r}: rule {i} is {rule!r}, not a function or None")
        parameters = inspect.signature(rule).parameters.values()
        positional = [p.name for p in parameters if p.kind in _POSITIONAL]
        static |= {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        static |= {*positional[2 + len(rules) :]}
        free = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        if len(positional) < 2 + len(rules) and not free:
            raise TypeError(
                f"primitive {name!r}: rule {i} takes ({', '.join(positional)}), but with one rule "
                f"per argument, {len(rules)}, it must take {2 + len(rules)}: g, z and the arguments"
            )
    least, most = _count_of_arguments(forward, static)
    if any(rules) and not least <= len(rules) <= most:
        raise TypeError(
            f"primitive {name!r}: the kernel takes {least if len(rules) < least else most:g} "
            f"arguments, but there are {len(rules)} rules: give one per argument, None where there "
            "is no derivative"
        )


def _count_of_arguments(forward: Callable[..., Any], static: set[str]) -> tuple[float, float]:
    """Return how many arguments besides the static parameters a kernel takes, at least and most."""
    if isinstance(forward, np.ufunc):
        return forward.nin, forward.nin
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (ValueError, TypeError):  # a function written in C
        return 0, math.inf
    own = [p for p in parameters if p.kind in _POSITIONAL and p.name not in static]
    free = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return sum(p.default is p.empty for p in own), math.inf if free else len(own)


def _reading(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel whose arrays are read-only: they belong to the graph or to the caller."""
    if isinstance(forward, np.ufunc):
        return forward

    @wraps(forward)
    def kernel(*args: Any, **params: Any) -> Any:
        try:
            result = forward(*map(_read_only, args), **params)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"the kernel of {name!r} writes to its argument, which belongs to the graph: it "
                "must return a new array"
            ) from error
        shared = isinstance(result, np.ndarray) and not result.flags.writeable
        return np.array(result) if shared else result

    return kernel


def _read_only(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return [_read_only(item) for item in x]
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view
