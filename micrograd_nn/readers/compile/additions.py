"""The sums of one level of a scalar program as few operations on arrays."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from micrograd_nn.graph.table import arithmetic
from micrograd_nn.readers.compile.array_form import THETA
from micrograd_nn.readers.compile.array_program import CONSTANT, ArrayProgram, Place
from micrograd_nn.readers.compile.biases import biases_of, takes_biases
from micrograd_nn.readers.compile.sums import Sum, Sums

#: From how many rows of one array on a sum is a reduction and not a chain of additions.
_MANY = 3


def factor_counts(items: Iterable[object]) -> Counter[int]:
    """Return in how many products of sums each value is a factor, squares left out."""
    counts: Counter[int] = Counter()
    for item in items:
        if type(item) is Sum:
            for x, y in item.products:
                if x != y:
                    counts[x] += 1
                    counts[y] += 1
    return counts


def oriented(pair: tuple[int, int], sums: Sums, counts: Counter[int]) -> tuple[int, int]:
    """Return a product as (weight, element of a vector that other sums may have, too)."""
    x, y = pair
    if sums.varies[x] != sums.varies[y]:
        return pair if sums.varies[y] else (y, x)
    return pair if counts[y] >= counts[x] else (y, x)


class Additions:
    """The sums of one level: their products first, then all that is added."""

    def __init__(
        self,
        program: ArrayProgram,
        sums: Sums,
        places: dict[int, Place],
        counts: Counter[int],
        levels: dict[int, int],
    ) -> None:
        self.program = program
        self.sums = sums
        self.places = places
        self.counts = counts
        self.levels = levels
        self._level_of: dict[int, int] = {}  # of an array

    def append(self, items: Sequence[Sum]) -> None:
        """Append the operations that compute the sums, and note where they stand."""
        self.terms = [[*item.plus] for item in items]
        self.plus: list[list[Place]] = [[] for _ in items]
        self.minus = [[self.places[v] for v in item.minus] for item in items]
        self._no_minus_zero: set[int] = set()
        constants = [self._constant_part(item) for item in items]
        self._products(items)
        for i in range(len(items)):
            terms = [p for p in (self.places[v] for v in self.terms[i]) if p[0] != CONSTANT]
            self.minus[i] = [p for p in self.minus[i] if p[0] != CONSTANT]
            constant = constants[i]
            if constant is not None and (
                constant != 0 or not (terms or self.plus[i]) or self._sets_sign(constant, i)
            ):
                terms.append(self.program.constant(constant))
            self.plus[i] += terms
        self._reduce(self.plus)
        self._reduce(self.minus)
        self._assemble(items)

    def _sets_sign(self, zero: float, i: int) -> bool:
        """Tell whether adding a zero matters: to the sign of a zero, as no matrix product has."""
        return math.copysign(1.0, zero) > 0 and i not in self._no_minus_zero

    def _constant_part(self, item: Sum) -> float | None:
        """Return the sum of the terms that are constants."""
        constants, places = self.program.constants, self.places
        numbers = [constants[r] for a, r in (places[v] for v in item.plus) if a == CONSTANT]
        numbers += [-constants[r] for a, r in (places[v] for v in item.minus) if a == CONSTANT]
        for x, y in item.products:
            if places[x][0] == places[y][0] == CONSTANT:
                numbers.append(constants[places[x][1]] * constants[places[y][1]])
        return sum(numbers[1:], numbers[0]) if numbers else None

    # ------------------------------------------------------------------------------ products

    def _products(self, items: Sequence[Sum]) -> None:
        blocks: dict[tuple[int, int, int, tuple[int, ...]], list[tuple[int, list[int]]]]
        blocks = defaultdict(list)
        for i, item in enumerate(items):
            if item.products:
                for key, weights in self._vectors(item):
                    blocks[key].append((i, weights))
        alone = Counter((w, x, len(v)) for (w, x, _, v), rows in blocks.items() if len(rows) == 1)
        pools: dict[tuple[int, int, int], list[tuple[int, int, int]]] = defaultdict(list)
        for (w, x, _, vector), rows in blocks.items():
            width = len(vector)
            if w == x and len(rows) == 1 and tuple(rows[0][1]) == vector:
                i = rows[0][0]
                self._pool(w, x, [(i, row, row) for row in vector])
                self._no_minus_zero.add(i)  # nor has a sum of squares
            elif len(rows) == 1 and (width == 1 or alone[w, x, width] > 2 * width):
                i, weights = rows[0]
                for j, pair in enumerate(zip(weights, vector, strict=True)):
                    pools[w, x, j].append((i, *pair))
            else:
                matrix = self._with_biases(w, rows, x, width)
                made = self.program.products(w, matrix, x, vector)
                for (i, _), place in zip(rows, made, strict=True):
                    self.plus[i].append(place)
                self._no_minus_zero.update(i for i, _ in rows)
        for (w, x, _), pool in pools.items():
            self._pool(w, x, pool)

    def _with_biases(
        self, w: int, rows: list[tuple[int, list[int]]], x: int, width: int
    ) -> list[list[int]]:
        """Return the rows of a matrix, where it is worth while with the biases as a last column."""
        matrix, terms = [weights for _, weights in rows], [self.terms[i] for i, _ in rows]
        varies = x in self.program.varying
        if w != THETA or not takes_biases(varies, self._level_of[x], width, len(rows)):
            return matrix
        biases = biases_of(terms, lambda v: self.places[v][0] == THETA)
        if biases is None:
            return matrix
        for others, bias in zip(terms, biases, strict=True):
            others.remove(bias)
        return [[*row, self.places[b][1]] for row, b in zip(matrix, biases, strict=True)]

    def _vectors(
        self, item: Sum
    ) -> Iterable[tuple[tuple[int, int, int, tuple[int, ...]], list[int]]]:
        """Yield the products as vectors times vectors: (arrays, which one, rows of x), rows of w.

        A value that is a factor several times goes into as many vectors.
        """
        places, found = self.places, defaultdict(list)
        for x, w in sorted(oriented(p, self.sums, self.counts)[::-1] for p in item.products):
            (w_array, w_row), (x_array, x_row) = places[w], places[x]
            self._level_of[x_array] = self.levels[x]
            if w_array != CONSTANT or x_array != CONSTANT:
                found[w_array, x_array].append((x_row, w_row))
        for (w_array, x_array), pairs in found.items():
            pairs.sort()
            rounds: list[list[tuple[int, int]]] = []
            before, times = -1, 0
            for pair in pairs:
                times = times + 1 if pair[0] == before else 0
                before = pair[0]
                if times == len(rounds):
                    rounds.append([])
                rounds[times].append(pair)
            for number, pairs in enumerate(rounds):
                vector = tuple(x for x, _ in pairs)
                yield (w_array, x_array, number, vector), [w for _, w in pairs]

    def _pool(self, w: int, x: int, pool: list[tuple[int, int, int]]) -> None:
        """Append products of single values."""
        pairs = sorted({(x_row, w_row) for _, w_row, x_row in pool})
        columns = [(w, w_row) for _, w_row in pairs], [(x, x_row) for x_row, _ in pairs]
        made = dict(zip(pairs, self.program.elementwise(arithmetic.mul, columns, {}), strict=True))
        for i, w_row, x_row in pool:
            self.plus[i].append(made[x_row, w_row])

    # ------------------------------------------------------------------------------ sums

    def _reduce(self, terms: list[list[Place]]) -> None:
        """Sum the terms that stand in one array, where they are many."""
        found: dict[tuple[int, int], list[tuple[int, list[int]]]] = defaultdict(list)
        for i, places in enumerate(terms):
            if len(places) < _MANY:
                continue
            for array, count in Counter(array for array, _ in places).items():
                if count >= _MANY:
                    rows = sorted(row for a, row in places if a == array)
                    found[array, count].append((i, rows))
                    terms[i] = [place for place in terms[i] if place[0] != array]
        for (array, _), sums in found.items():
            sums.sort(key=lambda entry: entry[1])
            made = self.program.totals(array, [rows for _, rows in sums])
            for (i, _), place in zip(sums, made, strict=True):
                terms[i].append(place)

    def _assemble(self, items: Sequence[Sum]) -> None:
        """Add what is left, for all sums of the same pattern at once."""
        varying = self.program.varying
        alike: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
        for i in range(len(items)):
            self.plus[i].sort(key=lambda place: (place[0] not in varying, place))
            self.minus[i].sort(key=lambda place: (place[0] not in varying, place))
            pattern = tuple(a for a, _ in self.plus[i]), tuple(a for a, _ in self.minus[i])
            alike[pattern].append(i)
        for (plus, minus), group in alike.items():
            group.sort(key=lambda i: (self.plus[i], self.minus[i]))
            split = sum(a in varying for a in plus), sum(a in varying for a in minus)
            made = self._added(group, len(plus), len(minus), split)
            for i, place in zip(group, made, strict=True):
                self.places[items[i].value] = place

    def _added(
        self, group: list[int], plus: int, minus: int, split: tuple[int, int]
    ) -> list[Place]:
        """Add what varies and what doesn't on their own, then one to the other."""
        p, m = split
        positive = [[self.plus[i][j] for i in group] for j in range(plus)]
        negative = [[self.minus[i][j] for i in group] for j in range(minus)]
        varying, sign = self._chain(positive[:p], negative[:m])
        fixed, fixed_sign = self._chain(positive[p:], negative[m:])
        if varying is None or fixed is None:
            return varying or fixed or []
        if not sign:
            return self._pairwise(fixed, varying, True)
        return self._pairwise(varying, fixed, not fixed_sign)

    def _chain(
        self, positive: list[list[Place]], negative: list[list[Place]]
    ) -> tuple[list[Place] | None, bool]:
        """Return Σ positive − Σ negative; or Σ negative and False, where nothing is positive."""
        if not positive and not negative:
            return None, True
        sign = bool(positive)
        first, *added = positive or negative
        for terms in added:
            first = self._pairwise(first, terms, False)
        for terms in negative if sign else ():
            first = self._pairwise(first, terms, True)
        return first, sign

    def _pairwise(self, x: list[Place], y: list[Place], negative: bool) -> list[Place]:
        return self.program.add(list(zip(x, y, strict=True)), negative)
