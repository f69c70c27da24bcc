"""An array program under construction: which values are rows of which array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arithmetic, arrays, indexing
from micrograd_nn.readers.compile.array_form import Operation, Part

#: Where a value stands: the number of an array and of a row in it; or CONSTANT and its number.
Place = tuple[int, int]
CONSTANT = -1


class ArrayProgram:
    """Operations on arrays, appended one by one.

    Parameters
    ----------
    sizes : list of int
        How many rows each given array has.
    varying : set of int
        The given arrays whose values differ from example to example.
    constants : list of float
        What places in CONSTANT refer to; more may be added.
    """

    def __init__(self, sizes: list[int], varying: set[int], constants: list[float]) -> None:
        self.sizes = list(sizes)
        self.varying = set(varying)
        self.constants = list(constants)
        self.operations: list[Operation] = []
        self._augmented: dict[tuple[int, tuple[int, ...]], int] = {}

    def constant(self, number: float) -> Place:
        """Return the place of a new constant."""
        self.constants.append(number)
        return CONSTANT, len(self.constants) - 1

    # ------------------------------------------------------------------------------ what is read

    def selection(
        self, array: int, rows: Sequence[int], lead: tuple[int, ...] | None = None
    ) -> Part:
        """Return the rows of an array, in that order, folded into a shape."""
        if array == CONSTANT:
            literal = np.array([self.constants[row] for row in rows])
            return Part(literal=literal if lead is None else literal.reshape(lead))
        first, last, count = rows[0], rows[-1], len(rows)
        step = rows[1] - first if count > 1 else 1
        if step > 0 and list(rows) == list(range(first, last + 1, step)):
            if step == 1 and count == self.sizes[array]:
                return Part(array, None, lead)
            return Part(array, slice(first, last + 1, step if step > 1 else None), lead)
        index = np.array(rows)
        return Part(array, index if lead is None else index.reshape(lead))

    def _operand(self, places: Sequence[Place], varies: bool) -> Part:
        """Return an operand, of which each place goes into one row of the result."""
        array, first = places[0]
        rows, count = [row for _, row in places], len(places)
        alone = rows.count(first) == count
        if array == CONSTANT:
            if alone:
                return Part(literal=self.constants[first])
            return self.selection(array, rows, (count, 1) if varies else None)
        narrow = varies and array not in self.varying
        if alone and (count > 1 or narrow):
            return Part(array, first)
        return self.selection(array, rows, (count, 1) if narrow else None)

    # ------------------------------------------------------------------------------ what is done

    def append(
        self, row: Primitive, parts: Iterable[Part], size: int, varies: bool, params: dict[str, Any]
    ) -> int:
        """Append an operation and return the number of the array that it makes."""
        array = len(self.sizes)
        self.operations.append(Operation(row, tuple(parts), params))
        self.sizes.append(size)
        if varies:
            self.varying.add(array)
        return array

    def elementwise(
        self, row: Primitive, columns: Sequence[Sequence[Place]], params: dict[str, Any]
    ) -> list[Place]:
        """Apply a row to many operands at once; each column has one argument of all of them."""
        varies = any(column[0][0] in self.varying for column in columns)
        count = len(columns[0])
        parts = [self._operand(column, varies) for column in columns]
        array = self.append(row, parts, count, varies, params)
        return [(array, i) for i in range(count)]

    def products(
        self, weights: int, rows: list[list[int]], array: int, vector: Sequence[int]
    ) -> list[Place]:
        """Multiply a matrix, given row by row as rows of an array, by a vector of values.

        Rows that are longer by one than the vector end in what is added to the products.
        """
        W = self.selection(weights, [w for row in rows for w in row], (len(rows), len(rows[0])))
        x = self.selection(array, vector)
        if len(rows[0]) > len(vector):
            x = self._above_ones(array, x, tuple(vector))
        made = self.append(arrays.matmul, (W, x), len(rows), array in self.varying, {})
        return [(made, i) for i in range(len(rows))]

    def _above_ones(self, array: int, x: Part, vector: tuple[int, ...]) -> Part:
        """Return rows of an array, and below them one row of ones."""
        made = self._augmented.get((array, vector))
        if made is None:
            parts, varies = (x, Part(array, ones=True)), array in self.varying
            made = self.append(indexing.concatenate, parts, len(vector) + 1, varies, {"axis": 0})
            self._augmented[array, vector] = made
        return Part(made)

    def totals(self, array: int, rows: list[list[int]]) -> list[Place]:
        """Sum rows of an array: as many sums, each of as many rows."""
        flat = [row for terms in rows for row in terms]
        part = self.selection(array, flat, (len(rows), len(rows[0])))
        params = {"axis": 1, "keepdims": False}
        made = self.append(arrays.sum_, (part,), len(rows), array in self.varying, params)
        return [(made, i) for i in range(len(rows))]

    def over_examples(self, array: int, rows: list[int]) -> list[Place]:
        """Sum rows of an array over the examples."""
        params = {"axis": -1, "keepdims": False}
        made = self.append(arrays.sum_, (self.selection(array, rows),), len(rows), False, params)
        return [(made, i) for i in range(len(rows))]

    def add(self, pairs: Sequence[tuple[Place, Place]], negative: bool = False) -> list[Place]:
        """Add, or subtract, the two places of each pair."""
        row = arithmetic.sub if negative else arithmetic.add
        return self.elementwise(row, tuple(zip(*pairs, strict=True)), {})
