"""mutate: whether the checks of derivatives find out what is wrong."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from micrograd_nn.graph.primitive import Primitive, table
from micrograd_nn.graph.units import unit
from micrograd_nn.testing.mutation.battery import Battery, Check
from micrograd_nn.testing.mutation.checker import checker_mutants
from micrograd_nn.testing.mutation.engine import engine_mutants
from micrograd_nn.testing.mutation.report import Mutant, MutationReport
from micrograd_nn.testing.mutation.reviewed import Key, reviewed
from micrograd_nn.testing.mutation.rules import rule_mutants
from micrograd_nn.testing.session import collected

#: Of the rules' mutants and of the others, ``quick`` tries every so manieth.
_QUICK, _QUICK_FAULTS = 29, 5


@collected
def mutate(
    rows: Sequence[Primitive] | None = None,
    *,
    samples: Mapping[Primitive, Sequence[tuple[Any, ...]]] | None = None,
    checks: Sequence[Check] | None = None,
    equivalent: str | None = None,
    quick: bool = False,
) -> MutationReport:
    """Put mistakes into derivative rules, one at a time, and see whether the checks find them.

    Every rule is changed: signs, terms and factors left out, operands swapped, one variable for
    another, axes off by one, numbers off by a relative 1e-12 ... 1e-2, stable forms for naive
    ones. So are the functions that rules call. For the library's own table, the engine is made
    faulty too (overwriting for accumulating, wrong order ...), and so is gradcheck itself.

    Parameters
    ----------
    rows : sequence of Primitive, optional
        The rows whose rules are changed, such as those that you made by ``primitive``. By default
        all of the library's own, its engine and its checker.
    samples : dict of Primitive to sequence of tuples, optional
        Arguments to call your own rows with: gradcheck is run there, up to order 2.
    checks : sequence of callables, optional
        Your own tests, which raise where something is wrong: run in place of gradcheck.
    equivalent : str, optional
        A list of mutants that are no mistakes, as text: for each the name of the function in
        brackets, the lines that differ, and the reason. By default the library's list, for the
        library's own rows.
    quick : bool
        Try a part of the mutants of rules only: seconds instead of a minute.

    Returns
    -------
    MutationReport
        ``print`` it; ``.survivors`` are the mistakes that nothing finds, ``.killed`` the others.

    Raises
    ------
    AssertionError
        If a check fails before anything is changed.
    NoSourceError
        If the source of a rule can't be read.
    LookupError
        If it isn't known how to call one of the rows.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import sin
    >>> report = mutate([sin])
    >>> len(report.killed), report.survivors
    (16, [])

    A test that compares one number loosely doesn't notice much:

    >>> from micrograd_nn import Value
    >>> def test_sin():
    ...     x = Value(1.0)
    ...     x.sin().backward()
    ...     assert abs(x.grad - 0.5403) < 1e-3
    >>> report = mutate([sin], checks=[test_sin])
    >>> print(report.survivors[0])
    sin_x (rule)
      - return g * cos(x)
      + return x * cos(x)
    """
    start = time.perf_counter()
    report = MutationReport()
    own = rows is None
    reasons = reviewed(equivalent) if own or equivalent is not None else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mutant may do anything
        for mutant in _mutants(rows, samples or {}, checks, 1 if not quick else _QUICK):
            reason = "" if mutant.killed_by else reasons.get(mutant.key, "")
            report.add(dataclasses.replace(mutant, reason=reason))
    if reasons and not quick:
        report.stale = _stale(reasons, report)
    report.seconds = time.perf_counter() - start
    return report


def _mutants(
    rows: Sequence[Primitive] | None,
    samples: Mapping[Primitive, Sequence[tuple[Any, ...]]],
    checks: Sequence[Check] | None,
    every: int,
) -> Iterator[Mutant]:
    by_name = {row.name: arguments for row, arguments in samples.items()}
    battery = Battery(by_name) if checks is None else None
    if rows is not None:
        yield from rule_mutants(rows, battery, checks or (), every)
        return
    yield from rule_mutants(_own_rows(), battery, checks or (), every)
    faults = 1 if every == 1 else _QUICK_FAULTS
    yield from engine_mutants(faults)
    yield from checker_mutants(faults)


def _own_rows() -> list[Primitive]:
    """Return the library's rows; of the units, those whose activation reads what it can."""
    units = [unit(table[name]) for name in ("gaussian", "tan", "relu")]
    return [
        row for row in table.values() if not row.vector and any(_is_own(rule) for rule in row.rules)
    ] + units


def _is_own(rule: Any) -> bool:
    return str(getattr(rule, "__module__", "")).startswith("micrograd_nn.graph.")


def _stale(reasons: dict[Key, str], report: MutationReport) -> list[Key]:
    used = {mutant.key for mutant in report.equivalent}
    return [key for key in reasons if key not in used]
