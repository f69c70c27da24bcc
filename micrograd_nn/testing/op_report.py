"""What ``check_op`` found: a table of what was checked, or an error that tells what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from micrograd_nn.testing.errors import Disagreement, GradientError

Array = np.ndarray[Any, Any]


@dataclass
class Aspect:
    """One thing that was checked: how many numbers, and the worst in units of the allowed error."""

    name: str
    numbers: int = 0
    worst: float = 0.0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where it was found first."""

    aspect: str
    sentence: str
    where: str
    disagreement: Disagreement | None = None
    hint: str | None = None
    snippet: str = ""

    def __str__(self) -> str:
        lines = [f"{self.aspect}: {self.sentence} ({self.where})"]
        if self.disagreement is not None:
            lines += str(self.disagreement).splitlines()
        if self.hint:
            lines += [f"hint: {self.hint}"]
        if self.snippet:
            lines += ["to reproduce:", *("    " + line for line in self.snippet.splitlines())]
        return "\n    ".join(lines)


@dataclass
class OpReport:
    """The result of ``check_op``; printed, it is a table.

    Attributes
    ----------
    name : str
        The operation.
    aspects : dict
        Every aspect that was checked, by name.
    """

    name: str
    samples: int
    aspects: dict[str, Aspect]

    @property
    def numbers(self) -> int:
        """How many numbers were compared in all."""
        return sum(aspect.numbers for aspect in self.aspects.values())

    @property
    def worst(self) -> float:
        """The largest error, in units of what was allowed for it."""
        return max((aspect.worst for aspect in self.aspects.values()), default=0.0)

    def __str__(self) -> str:
        width = max(map(len, self.aspects), default=6)
        plural = "" if self.samples == 1 else "s"
        lines = [
            f"{self.name}: right in all respects on {self.samples} sample{plural}",
            f"  {'':{width}}  {'numbers':>9}  {'error/allowed':>13}",
        ]
        for aspect in self.aspects.values():
            worst = "exact" if not aspect.worst else f"{aspect.worst:.2g}"
            lines.append(f"  {aspect.name:{width}}  {aspect.numbers:>9,}  {worst:>13}")
            lines += [f"      {note}" for note in aspect.notes]
        return "\n".join(lines)


class Findings:
    """Collects what the checks compare, and what is wrong."""

    def __init__(self) -> None:
        self.aspects: dict[str, Aspect] = {}
        self.problems: list[Problem] = []
        self.compared: dict[tuple[str, str], int] = {}

    def aspect(self, name: str) -> Aspect:
        """Return the aspect of that name."""
        return self.aspects.setdefault(name, Aspect(name))

    def note(self, name: str, sentence: str) -> None:
        """Add a remark to an aspect, once."""
        notes = self.aspect(name).notes
        if sentence not in notes:
            notes.append(sentence)

    def wrong(self, problem: Problem) -> None:
        """Add a problem; one that reads like an earlier one only tells where it is, too."""
        self.aspect(problem.aspect)
        for i, earlier in enumerate(self.problems):
            if (earlier.aspect, earlier.sentence) == (problem.aspect, problem.sentence):
                self.problems[i] = replace(earlier, where=_also(earlier.where, problem.where))
                return
        self.problems.append(problem)

    def holds(
        self,
        name: str,
        condition: bool,
        sentence: str,
        where: str,
        program: Callable[[], str] | None = None,
    ) -> bool:
        """Count a yes-or-no check."""
        self.aspect(name).numbers += 1
        if not condition:
            self.wrong(Problem(name, sentence, where, snippet=program() if program else ""))
        return condition

    def compare(
        self, name: str, what: str, got: Any, expected: Any, allowed: Any, counts: Any = True
    ) -> Disagreement | None:
        """Compare two arrays; count them, and return the worst disagreement if there is one."""
        got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        distance = np.where(same, 0.0, np.abs(got - expected))
        distance = np.where(np.isnan(distance), np.inf, distance)
        units = np.where(distance == 0, 0.0, distance / allowed)
        units = np.where(np.isnan(units), np.inf, units)
        units = np.where(counts, units, 0.0)
        aspect = self.aspect(name)
        numbers = int(np.broadcast_to(counts, units.shape).sum())
        aspect.numbers += numbers
        self.compared[name, what] = self.compared.get((name, what), 0) + numbers
        worst = float(np.max(units, initial=0.0))
        if worst <= 1:
            aspect.worst = max(aspect.worst, worst)
            return None
        index = np.unravel_index(int(np.argmax(units)), units.shape)
        at = tuple(int(i) for i in index)
        bound = np.broadcast_to(allowed, units.shape)[at]
        return Disagreement(what, at, float(got[at]), float(expected[at]), float(bound))

    def raise_if_wrong(self, name: str) -> None:
        """Raise one error that tells all problems.

        Raises
        ------
        GradientError
        """
        if not self.problems:
            return
        many = len(self.problems)
        title = f"{name} is wrong" + (f" in {many} respects" if many > 1 else "")
        body = [f"{i}. {problem}" for i, problem in enumerate(self.problems, 1)]
        disagreements = [p.disagreement for p in self.problems if p.disagreement is not None]
        disagreements.sort(key=lambda d: -_severity(d))
        raise GradientError("\n\n".join([title, *body]), [name], disagreements)


def _also(places: str, place: str) -> str:
    """Add a place to a list of at most three."""
    if place in places or places.endswith("..."):
        return places
    return f"{places}; {place}" if places.count("; ") < 2 else f"{places}; ..."


def _severity(d: Disagreement) -> float:
    if not d.allowed or not math.isfinite(d.error):
        return math.inf
    return d.error / d.allowed
