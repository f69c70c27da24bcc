"""A session collects the checks that a program runs, instead of ending at the first that fails."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from micrograd_nn.graph.node import calling_line
from micrograd_nn.testing.errors import GradientError

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Outcome:
    """One check that was run.

    Attributes
    ----------
    check : str
        Which, such as ``"gradcheck"``.
    subject : str
        The name of what was checked.
    line : str
        ``file:line`` that ran it.
    passed : bool
    text : str
        Its report, or what is wrong.
    blamed : tuple of str
    """

    check: str
    subject: str
    line: str
    passed: bool
    text: str
    blamed: tuple[str, ...] = ()


_collected: ContextVar[list[Outcome] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[Outcome]]:
    """Collect the outcomes of all checks inside the block; one that fails doesn't raise there.

    Examples
    --------
    >>> from micrograd_nn import functional as F
    >>> from micrograd_nn.testing import gradcheck
    >>> with collecting() as outcomes:
    ...     report = gradcheck(F.tanh, 0.5)
    >>> outcomes[0].check, outcomes[0].subject, outcomes[0].passed
    ('gradcheck', 'tanh', True)
    """
    outcomes: list[Outcome] = []
    token = _collected.set(outcomes)
    try:
        yield outcomes
    finally:
        _collected.reset(token)


def collected(check: Callable[P, R]) -> Callable[P, R]:
    """Let a check report to the session that is collecting, if there is one."""

    @functools.wraps(check)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        outcomes = _collected.get()
        if outcomes is None:
            return check(*args, **kwargs)
        token = _collected.set(None)  # a check that calls another is one check
        subject, line = _name(args, kwargs), calling_line()
        result: Any = None
        try:
            result = check(*args, **kwargs)
            passed = bool(getattr(result, "passed", True))
            outcomes.append(Outcome(check.__name__, subject, line, passed, str(result)))
        except GradientError as error:
            blamed = tuple(error.blamed)
            outcomes.append(Outcome(check.__name__, subject, line, False, str(error), blamed))
        finally:
            _collected.reset(token)
        return result  # type: ignore[no-any-return]

    return checked


def _name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    subject = args[0] if args else next(iter(kwargs.values()), "")
    if isinstance(subject, functools.partial):  # such as a row with its axis
        subject = subject.func
    for attribute in ("__name__", "name"):
        name = getattr(subject, attribute, None)
        if isinstance(name, str):
            return "a function" if name == "<lambda>" else name
    return type(subject).__name__
