"""The order of the leaves: each weight matrix, and each vector of biases, in one piece."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from micrograd_nn.readers.compile.additions import oriented
from micrograd_nn.readers.compile.biases import biases_of, takes_biases
from micrograd_nn.readers.compile.sums import Call, Sum, Sums


def levels_of(sums: Sums) -> dict[int, int]:
    """Return the level of each value: one more than the highest of those it is computed of."""
    levels = dict.fromkeys(range(len(sums.varies)), 0)
    for item in sums.items:
        if type(item) is Sum:
            below = [levels[v] for v in item.plus] + [levels[v] for v in item.minus]
            below += [levels[v] for pair in item.products for v in pair]
        else:
            assert isinstance(item, Call)
            below = [levels[v] for v in item.args]
        levels[item.value] = 1 + max(below)
    return levels


def leaf_order(
    sums: Sums,
    levels: dict[int, int],
    counts: Counter[int],
    leaves: Collection[int],
    in_columns: dict[int, None],
) -> list[int]:
    """Return the numbers of the leaves in the order in which they are to lie in memory.

    Parameters
    ----------
    sums, levels, counts
        The program; its levels; in how many sums a value is a factor.
    leaves : range
        The numbers of the leaves.
    in_columns : dict
        Values that differ from example to example, in the order of their table: they come last.
    """
    made_by = {item.value: item.row.name for item in sums.items if type(item) is Call}
    layers: dict[tuple[int, tuple[int, ...]], list[Sum]] = defaultdict(list)
    pairs: dict[int, list[tuple[int, int]]] = {}
    for item in sums.items:
        if type(item) is Sum and item.products:
            found = sorted(oriented(pair, sums, counts)[::-1] for pair in item.products)
            pairs[item.value] = found
            layers[levels[item.value], tuple(x for x, _ in found)].append(item)
    alone = {v for v in leaves if v not in in_columns}
    order: dict[int, None] = {}
    for (_, vector), layer in layers.items():
        stands = [(levels[x], made_by.get(x)) for x in vector]  # in which array, most likely
        biases = biases_of([item.plus for item in layer], alone.__contains__) or []
        for array in dict.fromkeys(stands):
            columns = [j for j, other in enumerate(stands) if other == array]
            varies = sums.varies[vector[columns[0]]]
            rows = [[pairs[item.value][j][1] for j in columns] for item in layer]
            if biases and takes_biases(varies, array[0], len(columns), len(layer)):
                rows = [[*row, bias] for row, bias in zip(rows, biases, strict=True)]
            order.update(dict.fromkeys(v for row in rows for v in row))
        order.update(dict.fromkeys(term for item in layer for term in item.plus))
    order = {v: None for v in order if v in alone}
    order.update(dict.fromkeys(v for v in leaves if v in alone))
    order.update(dict.fromkeys(v for v in in_columns if v in leaves))
    return list(order)
