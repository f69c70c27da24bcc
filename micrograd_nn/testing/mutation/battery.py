"""The checks that a mutant must not survive: gradcheck, on the cases of each row.

The gradient that a case should have doesn't depend on the rules. So it is asked of the oracle
once, and a mutant only has to be run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import UNREACHED, Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.blame import random_like, worst_of
from micrograd_nn.testing.gradcheck import gradcheck
from micrograd_nn.testing.mutation.cases import Case, cases_of
from micrograd_nn.testing.oracle import Expected, Oracle
from micrograd_nn.testing.subject import Subject
from micrograd_nn.testing.tangents import is_known

#: A check is called without arguments and raises where something is wrong.
Check = Callable[[], object]


class FirstOrder:
    """The check of one case at order 1, against a gradient that is computed once."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._subject = Subject(case, case.arguments)
        for leaf in self._subject.leaves:
            if isinstance(leaf._data, np.ndarray):
                leaf._data.flags.writeable = False  # a mutant may write to what it is given
        (node,) = self._subject.outputs()
        self._dtype = np.asarray(node._data).dtype
        oracle = Oracle(node, self._subject.leaves)
        self._expected = [
            (seed, [expected[leaf] for leaf in self._subject.leaves])
            for seed in _seeds(case.row, node._data)
            for expected in [oracle.gradient(seed)]
        ]

    def __call__(self) -> None:
        """Raise an AssertionError where a gradient isn't what it should be."""
        node = self.case(*self._subject.inputs)
        assert isinstance(node, Node), "the result isn't recorded"
        assert np.asarray(node._data).dtype == self._dtype, "the result has another dtype"
        for seed, expected in self._expected:
            for leaf in self._subject.leaves:
                leaf._grad = UNREACHED
            node.backward(seed)  # type: ignore[attr-defined]
            self._compare(expected)

    def _compare(self, expected: list[Expected]) -> None:
        subject = self._subject
        for leaf, label, should in zip(subject.leaves, subject.labels, expected, strict=True):
            got: Any = leaf.grad  # type: ignore[attr-defined]
            if type(got) is float and (
                got == should.value or abs(got - should.value) <= should.bound
            ):
                continue
            assert np.shape(got) == np.shape(leaf._data), "a gradient has the wrong shape"
            worst = worst_of(label, np.asarray(got), should.value, should.bound)
            assert worst is None, str(worst)

    def __str__(self) -> str:
        return str(self.case)


def _seeds(row: Primitive, data: Any) -> list[Any]:
    """Return random cotangents; one of very unequal numbers where they are added and may cancel."""
    rng = np.random.default_rng(3)
    seeds = [random_like(data, rng)]
    if not row.elementwise and np.size(data) > 1:
        scale = 10.0 ** rng.integers(-9, 9, np.shape(data))
        seeds.append((random_like(data, rng) * scale).astype(data.dtype))
    return seeds


class AnyOrder:
    """The check of one case by ``gradcheck``."""

    def __init__(self, case: Case, order: int) -> None:
        self.case, self.order = case, order

    def __call__(self) -> None:
        """Raise where a derivative isn't what it should be."""
        gradcheck(self.case, *self.case.arguments, order=self.order, blame=False)

    def __str__(self) -> str:
        return f"{self.case}, order {self.order}"


class Battery:
    """The checks of some rows, quick ones first."""

    def __init__(self, samples: dict[str, Sequence[tuple[Any, ...]]]) -> None:
        self._samples = samples
        self._checks: dict[Primitive, tuple[list[Check], list[Check]]] = {}

    def of(self, rows: Iterable[Primitive]) -> list[Check]:
        """Return the checks of all these rows.

        Raises
        ------
        LookupError
            If nothing is known of how to call one of them.
        """
        both = [self._of(row) for row in rows]
        return [c for first, _ in both for c in first] + [c for _, later in both for c in later]

    def _of(self, row: Primitive) -> tuple[list[Check], list[Check]]:
        if row not in self._checks:
            given = self._samples.get(row.name)
            cases = (
                cases_of(row)
                if given is None
                else [Case(row, tuple(arguments), order=2) for arguments in given]
            )
            if not cases and any(row.rules):
                raise LookupError(
                    f"nothing is known of how to call {row.name}: give samples="
                    f"{{{row.name!r}: [(x, y, ...), ...]}} or checks=[...]"
                )
            first: list[Check] = (
                [FirstOrder(case) for case in cases]
                if is_known(row)
                else [AnyOrder(case, 1) for case in cases]
            )
            later: list[Check] = [AnyOrder(case, 2) for case in cases if case.order > 1]
            self._checks[row] = first, later
        return self._checks[row]


@dataclass(frozen=True)
class Failure:
    """Which check fails, and how."""

    check: Check
    error: Exception

    def __str__(self) -> str:
        named = str(self.check)
        if named.startswith("<"):
            named = getattr(self.check, "__name__", named).strip("_")
        expected = isinstance(self.error, AssertionError)
        return named if expected else f"{named}: {type(self.error).__name__}"


def first_to_fail(checks: Iterable[Check]) -> Failure | None:
    """Return the first check that fails; None if all pass."""
    with np.errstate(all="ignore"):
        return next((f for f in map(_failure, checks) if f is not None), None)


def _failure(check: Check) -> Failure | None:
    try:
        check()
    except Exception as error:  # noqa: BLE001 (a mutant may raise anything)
        return Failure(check, error)
    return None
