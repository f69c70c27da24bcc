"""The search for a graph that violates a property, and for the smallest that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.testing import strategies
from micrograd_nn.testing.engine import Engine
from micrograd_nn.testing.errors import GradientError
from micrograd_nn.testing.optional import hypothesis
from micrograd_nn.testing.programs.case import Case, Violation

#: Raises a ``Violation``, or whatever the engine raises, where it doesn't hold.
Property = Callable[[Case], None]


@dataclass
class Failure:
    """A property that a case violates."""

    name: str
    held: Property
    case: Case
    error: Exception

    def is_like(self, other: Failure) -> bool:
        """Tell whether two failures are of one property and kind."""
        return self.name == other.name and type(self.error) is type(other.error)

    @property
    def cause(self) -> Exception | None:
        """What the engine raised, if it did."""
        return None if isinstance(self.error, Violation) else self.error


def search(
    asked: Mapping[str, Property], engine: Engine, max_examples: int, seed: int, max_size: int
) -> None:
    """Draw graphs until one violates a property; raise a GradientError with the smallest found."""
    h = hypothesis()
    found: list[Failure] = []  # the first, and the last that is like it: no other is asked for

    def violation(case: Case) -> None:
        for name in (found[0].name,) if found else asked:
            failure = _failure(name, asked[name], case)
            if failure is not None and (not found or failure.is_like(found[0])):
                found[1 if found else 0 :] = [failure]
                raise Violation(name) from failure.error

    settings = h.settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        suppress_health_check=list(h.HealthCheck),
        phases=[h.Phase.generate, h.Phase.shrink],
        report_multiple_bugs=False,
        verbosity=h.Verbosity.quiet,
    )
    test = settings(h.given(_cases(engine, max_size))(violation))
    try:
        h.seed(seed)(test)()
    except Violation:
        smallest = _reduced(found[-1])
        raise _told(smallest) from smallest.cause
    except h.errors.Flaky:
        if not found:
            raise
        raise _told(found[-1], repeats=False) from found[-1].cause


def _failure(name: str, held: Property, case: Case) -> Failure | None:
    try:
        held(case)
    except Exception as error:  # noqa: BLE001 (an engine may raise anything)
        return Failure(name, held, case, error)
    return None


def _reduced(failure: Failure) -> Failure:
    """Leave out single steps while the property fails alike: what shrinking may have missed."""
    index = len(failure.case.program.steps) - 1
    while index >= 0 and len(failure.case.program.steps) > 1:
        smaller = failure.case.without(index)
        again = smaller and _failure(failure.name, failure.held, smaller)
        if again and again.is_like(failure):
            failure, index = again, len(again.case.program.steps)
        index -= 1
    return failure


def _cases(engine: Engine, max_size: int) -> Any:
    st = hypothesis().strategies
    operations = list(engine.operations)
    drawn = strategies.examples_of_an_expression(engine.kind, operations, max_size, count=2)

    def cases(draw: Any) -> Case:
        examples = draw(drawn)
        result = examples[0]()
        like = float(result) if engine.kind == "value" else np.asarray(result)
        power = draw(st.sampled_from([1, -1, 3, 10, -10]))
        return Case(engine, examples, draw(strategies.cotangents(like)), power)

    return st.composite(cases)()


def _told(failure: Failure, repeats: bool = True) -> GradientError:
    """Return the error for people."""
    case, error = failure.case, failure.error
    property_in_words = (failure.held.__doc__ or failure.name).splitlines()[0]
    paragraphs = [
        f"{case.engine.name} fails the property {failure.name!r}: {property_in_words}",
        f"it raised {error!r}" if failure.cause else str(error),
        "The smallest graph found:",
        case.code(),
    ]
    if not repeats:
        paragraphs[2:2] = [
            "It failed once and then held for the same graph: the engine keeps something from one "
            "graph to the next."
        ]
    blamed = dict.fromkeys(step.operation.name for step in case.program.steps)
    disagreements = error.disagreements if isinstance(error, Violation) else []
    return GradientError("\n\n".join(paragraphs), list(blamed), disagreements)
