"""The examples of a recorded batch: alike terms of a sum, found and reduced to one of them.

A loss recorded example by example is a sum of terms that are built alike. A step *belongs* to a
term if every way from it to the root leads through that term. Two terms are alike if their steps
are, one by one: the same operation, on results of steps at the same places, and otherwise on
the same values; only leaves and constants may differ. Those become columns, one number for each
example, whoever else uses them: so it is a matter of speed only, what is taken for an example.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arithmetic
from micrograd_nn.readers.compile.sums import OVER_EXAMPLES
from micrograd_nn.readers.compile.tape import Tape

IntArray = np.ndarray[Any, np.dtype[np.int64]]

#: A sum over the examples makes up at least this part of the graph, and so many are tried.
_LARGE, _TRIED = 0.1, 4
#: A term of fewer steps is none of an example, but such as the square of a parameter.
_STEPS = 3
#: To whom a step belongs that belongs to no term; and a value of which nothing is known yet.
_NOBODY, _UNKNOWN = -2, -1


@dataclass
class Examples:
    """The steps of a tape, of which those of one example stand for all.

    Attributes
    ----------
    rows, args, params : list
        The steps that are left, as in a tape.
    root : int
    columns : array of int, (k, m)
        The numbers of the leaves or constants that differ from example to example. Column i has
        the number ``tape.first + i``, before those of the steps.
    """

    rows: list[Primitive]
    args: list[tuple[int, ...]]
    params: list[dict[str, Any]]
    root: int
    columns: IntArray

    @classmethod
    def none(cls, tape: Tape) -> Examples:
        """Return the steps of a tape as they are."""
        columns = np.empty((0, 0), dtype=np.int64)
        return cls(tape.rows, tape.args, tape.params, tape.root, columns)


def examples_of(tape: Tape) -> Examples:
    """Return the steps of a tape with its examples, if there are any, reduced to one."""
    weights, uses = _weights_and_uses(tape)
    spines = _spines(tape, weights, uses)
    for spine in sorted(spines, key=lambda spine: spine.score, reverse=True)[:_TRIED]:
        group, matrix, arguments = _alike(tape, spine)
        if len(group) > 1 and matrix.shape[1] >= _STEPS:
            return _reduced(tape, spine, group, matrix, arguments)
    return Examples.none(tape)


# ------------------------------------------------------------------------------ sums of terms


@dataclass
class _Spine:
    """Additions in a row: which steps these are, and what they add."""

    steps: list[int]
    terms: list[int]
    score: float


def _weights_and_uses(tape: Tape) -> tuple[list[float], list[int]]:
    """Return how many steps each value is made of, if shared ones count anew, and its uses."""
    weights = [1.0] * tape.first
    uses = [0] * (tape.first + len(tape.rows))
    for arguments in tape.args:
        weight = 1.0
        for argument in arguments:
            weight += weights[argument]
            uses[argument] += 1
        weights.append(weight)
    return weights, uses


def _spines(tape: Tape, weights: list[float], uses: list[int]) -> list[_Spine]:
    """Return the long additions that much of the graph is part of."""
    first, rows, args = tape.first, tape.rows, tape.args
    enough = weights[tape.root] * _LARGE
    seen: set[int] = set()
    found = []

    def adds(value: int) -> bool:
        return value >= first and rows[value - first] is arithmetic.add

    def size(value: int) -> tuple[Any, float]:
        return (rows[value - first] if value >= first else None), weights[value]

    for value in range(len(weights) - 1, first - 1, -1):
        if weights[value] < enough or value in seen or not adds(value):
            continue
        steps, terms, sizes, rest = [], [], set(), value
        while True:
            steps.append(rest)
            x, y = args[rest - first]
            goes_on = [v for v in (x, y) if adds(v) and uses[v] == 1]
            rest = max(goes_on, key=weights.__getitem__, default=x)
            other = y if rest == x else x
            terms.append(other)
            sizes.add(size(other))
            if not goes_on or size(rest) in sizes:  # the last term may be an addition, too
                terms.append(rest)
                break
        seen.update(steps)
        counts = Counter(size(term) for term in terms if term >= first)
        score = max((n * weight for (_, weight), n in counts.items() if n > 1), default=0.0)
        if score >= enough:
            found.append(_Spine(steps, terms, score))
    return found


# ------------------------------------------------------------------------------ alike terms


def _owners(tape: Tape, spine: _Spine) -> list[int]:
    """Return to which term, by its place among the terms, each value belongs."""
    first, args = tape.first, tape.args
    owners = [_UNKNOWN] * (first + len(args))
    owners[tape.root] = _NOBODY
    in_spine = set(spine.steps)
    times = Counter(spine.terms)
    place = {term: i for i, term in enumerate(spine.terms) if times[term] == 1}
    for value in range(len(owners) - 1, first - 1, -1):
        owner = owners[value]
        for argument in args[value - first]:
            new = owner
            if owner == _NOBODY and value in in_spine and argument not in in_spine:
                new = place.get(argument, _NOBODY)
            old = owners[argument]
            if old != new:
                owners[argument] = new if old == _UNKNOWN else _NOBODY
    return owners


def _argument_matrix(tape: Tape) -> IntArray:
    """Return the arguments of each step, one row each, filled up by −1."""
    arities = np.fromiter(map(len, tape.args), np.int64, len(tape.args))
    matrix = np.full((len(arities), arities.max(initial=1)), -1)
    flat = np.fromiter(chain.from_iterable(tape.args), np.int64, arities.sum())
    matrix[np.arange(matrix.shape[1]) < arities[:, None]] = flat
    return matrix


def _operations(tape: Tape) -> IntArray:
    """Return a number for the operation of each step, parameters included."""
    numbers: dict[Any, int] = {}
    found = [
        numbers.setdefault((row, repr(sorted(given.items())) if given else ""), len(numbers))
        for row, given in zip(tape.rows, tape.params, strict=True)
    ]
    return np.array(found, dtype=np.int64)


def _alike(tape: Tape, spine: _Spine) -> tuple[list[int], IntArray, IntArray]:
    """Return the largest set of alike terms, their steps, a row for each term, and all arguments.

    The steps of a term are in the order of the tape, in which alike terms are visited alike.
    """
    first, constants = tape.first, len(tape.inputs) + len(tape.leaves)
    owners = np.array(_owners(tape, spine))
    arguments = _argument_matrix(tape)
    owned = owners[first:]
    order = np.argsort(owned, kind="stable")
    order = order[owned[order] >= 0]
    owner = owned[order]
    lengths = np.bincount(owner, minlength=len(spine.terms))
    starts = np.cumsum(lengths) - lengths
    place = np.full(len(owners), -1)
    place[first + order] = np.arange(len(order)) - starts[owner]
    # An argument is told by its place in the term, or as a leaf, or else by its number.
    taken = arguments[order]
    kind = np.where(taken >= constants, -2, np.where(taken >= len(tape.inputs), -3, -4))
    kind[taken == _UNKNOWN] = -1
    inner = np.where(owners[taken] == owner[:, None], place[taken], -5 - taken)
    told = np.where(taken >= first, inner, kind)
    described = np.column_stack([_operations(tape)[order], told])
    groups: dict[bytes, list[int]] = defaultdict(list)
    for term, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        if length:
            groups[described[start : start + length].tobytes()].append(term)
    group = max(groups.values(), key=lambda g: len(g) * int(lengths[g[0]]), default=[])
    steps = [order[starts[term] : starts[term] + lengths[term]] for term in group]
    return group, np.array(steps), arguments


# ------------------------------------------------------------------------------ one for all


def _reduced(
    tape: Tape, spine: _Spine, group: list[int], steps: IntArray, arguments: IntArray
) -> Examples:
    """Return the tape with one term in place of the group, and its sum over the examples."""
    first, count = tape.first, len(tape.rows)
    taken = arguments[steps]
    differs = (taken != taken[0]).any(axis=0) & (taken[0] < first)
    numbers: dict[bytes, int] = {}
    columns: list[IntArray] = []
    replaced: dict[tuple[int, int], int] = {}
    for step, argument in zip(*np.nonzero(differs), strict=True):
        column = taken[:, step, argument]
        key = column.tobytes()
        if key not in numbers:
            numbers[key] = first + len(columns)
            columns.append(column)
        replaced[int(steps[0, step]), int(argument)] = numbers[key]
    dropped = np.zeros(count, dtype=bool)
    dropped[steps[1:]] = True
    dropped[np.array(spine.steps[1:], dtype=np.int64) - first] = True
    kept = np.nonzero(~dropped)[0].tolist()
    left = Examples([], [], [], 0, np.array(columns, dtype=np.int64).reshape(-1, len(group)))
    start = first + len(columns)
    new: dict[int, int] = {}

    def append(row: Primitive, args: tuple[int, ...], params: dict[str, Any]) -> int:
        left.rows.append(row)
        left.args.append(args)
        left.params.append(params)
        return start + len(left.rows) - 1

    def number(value: int) -> int:
        return value if value < first else new[value]

    in_group = set(group)
    for step in kept:
        if step == spine.steps[0] - first:
            total = append(OVER_EXAMPLES, (new[spine.terms[group[0]]],), {})
            for i, term in enumerate(spine.terms):
                if i not in in_group:
                    total = append(arithmetic.add, (total, number(term)), {})
            new[first + step] = total
            continue
        args = tuple(
            replaced[step, i] if (step, i) in replaced else number(value)
            for i, value in enumerate(tape.args[step])
        )
        new[first + step] = append(tape.rows[step], args, tape.params[step])
    left.root = number(tape.root)
    return left
