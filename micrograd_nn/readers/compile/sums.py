"""Chains of additions on a tape as sums of many terms, with the products that only they use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arithmetic, arrays

#: The step that sums a value over the examples; in a tape it has one argument.
OVER_EXAMPLES = arrays.sum_

_ADD, _SUB, _MUL = arithmetic.add, arithmetic.sub, arithmetic.mul


@dataclass(slots=True)
class Sum:
    """A sum of many terms.

    Attributes
    ----------
    value : int
        The number of the result.
    plus, minus : list of int
        Values that are added, and subtracted.
    products : list of tuple of int
        Pairs of values whose products are added. At most one of the two varies.
    """

    value: int
    plus: list[int] = field(default_factory=list)
    minus: list[int] = field(default_factory=list)
    products: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """Any other step: one operation on values."""

    value: int
    row: Primitive
    args: tuple[int, ...]
    params: dict[str, Any]


class Sums:
    """The steps of a tape, chains of additions flattened.

    Parameters
    ----------
    rows, args, params : list
        The steps of a tape.
    root : int
    varies : list of bool
        Of each value that is no step, whether it differs from example to example.

    Attributes
    ----------
    items : list of Sum or Call
        In an order in which arguments come first.
    varies : list of bool
        The same of all values.
    """

    def __init__(
        self,
        rows: list[Primitive],
        args: list[tuple[int, ...]],
        params: list[dict[str, Any]],
        root: int,
        varies: list[bool],
    ) -> None:
        self.items: list[Sum | Call] = []
        self.varies = varies = list(varies)
        self._pending: dict[int, Sum] = {}
        self._products: dict[int, tuple[int, int]] = {}
        uses = _uses(args, root, len(varies) + len(rows))
        pending, products = self._pending, self._products
        for row, arguments, given in zip(rows, args, params, strict=True):
            value = len(varies)
            if row is _ADD or row is _SUB:
                x, y = arguments
                varies.append(varies[x] or varies[y])
                total = self._sum(row, value, x, y)
                if uses[value] == 1:
                    pending[value] = total
                else:
                    self.items.append(total)
                continue
            if pending or products:
                for argument in arguments:
                    self._close(argument)
            if row is _MUL:
                x, y = arguments
                varies.append(varies[x] or varies[y])
                if uses[value] == 1 and not (varies[x] and varies[y]):
                    products[value] = (x, y)
                    continue
            else:
                varies.append(row is not OVER_EXAMPLES and any(varies[a] for a in arguments))
            self.items.append(Call(value, row, arguments, given))
        self._close(root)

    def _sum(self, row: Primitive, value: int, x: int, y: int) -> Sum:
        total = self._pending.pop(x, None)
        if total is None:
            total = Sum(value)
            self._add(total, x)
        total.value = value
        if row is _ADD:
            self._add(total, y)
        else:
            self._close(y)
            total.minus.append(y)
        return total

    def _add(self, total: Sum, term: int) -> None:
        product = self._products.pop(term, None)
        if product is not None:
            total.products.append(product)
            return
        other = self._pending.pop(term, None)
        if other is None:
            total.plus.append(term)
        else:
            total.plus += other.plus
            total.minus += other.minus
            total.products += other.products

    def _close(self, value: int) -> None:
        """Make a value that isn't part of a longer sum an item."""
        if value in self._pending:
            self.items.append(self._pending.pop(value))
        elif value in self._products:
            pair = self._products.pop(value)
            self.items.append(Call(value, _MUL, pair, {}))


def _uses(args: list[tuple[int, ...]], root: int, count: int) -> list[int]:
    uses = [0] * count
    for arguments in args:
        for argument in arguments:
            uses[argument] += 1
    uses[root] += 1
    return uses
