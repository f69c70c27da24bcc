"""Mutants of derivative rules, run one after the other."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.mutation.battery import Battery, Check, first_to_fail
from micrograd_nn.testing.mutation.changes import changes
from micrograd_nn.testing.mutation.naive import naive_forms
from micrograd_nn.testing.mutation.report import Mutant
from micrograd_nn.testing.mutation.targets import Target, targets_of


def rule_mutants(
    rows: Sequence[Primitive], battery: Battery | None, checks: Sequence[Check], every: int
) -> Iterator[Mutant]:
    """Yield each mutant of the rules of some rows, killed or not.

    Parameters
    ----------
    rows : sequence of Primitive
    battery : Battery, optional
        Whose checks of the rows that a function serves are run.
    checks : sequence of callables
        What is run besides.
    every : int
        1 for all mutants, k for every k-th.
    """
    count = 0
    trusted: set[Check] = set()
    for target in targets_of(rows):
        own = [*(battery.of(target.rows) if battery is not None else ()), *checks]
        for changed in (*naive_forms(target.source), *changes(target.source)):
            count += 1
            if count % every == 0:
                yield _tried(target, changed, own, trusted)


def _tried(
    target: Target, changed: ast.FunctionDef, checks: Sequence[Check], trusted: set[Check]
) -> Mutant:
    change = difference(target.source, changed)
    try:
        with target.replaced(changed):
            failure = first_to_fail(checks)
    except Exception as error:  # noqa: BLE001 (it can't even be installed)
        return Mutant("rule", target.name, change, f"its compilation: {type(error).__name__}")
    if failure is not None and failure.check not in trusted:
        _pass_unchanged(failure.check, target)
        trusted.add(failure.check)
    return Mutant("rule", target.name, change, "" if failure is None else str(failure))


def _pass_unchanged(check: Check, target: Target) -> None:
    """Raise unless a check that finds a mutant passes without it."""
    failure = first_to_fail([check])
    if failure is not None:
        raise AssertionError(
            f"{target.name} fails as it is, before it is changed: {failure}. Mend it first\n"
            f"{failure.error}"
        ) from failure.error


def difference(before: ast.FunctionDef, after: ast.FunctionDef) -> str:
    """Return the lines in which two versions of a function differ."""
    old, new = (ast.unparse(tree).splitlines() for tree in (before, after))
    lines = difflib.ndiff(old, new)
    return "\n".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")
