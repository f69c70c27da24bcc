"""A scalar graph rewritten as a short program on arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.table import arrays
from micrograd_nn.readers.compile.additions import Additions, factor_counts
from micrograd_nn.readers.compile.array_form import THETA, ArrayForm, Part, X
from micrograd_nn.readers.compile.array_program import CONSTANT, ArrayProgram, Place
from micrograd_nn.readers.compile.batch_axis import Examples, examples_of
from micrograd_nn.readers.compile.leaf_order import leaf_order, levels_of
from micrograd_nn.readers.compile.sums import OVER_EXAMPLES, Call, Sum, Sums
from micrograd_nn.readers.compile.tape import Tape

#: A program of this many operations is always short enough; a longer one must do at least
#: ``_WORTH`` scalar operations in each array operation.
_SHORT, _WORTH = 40, 4

#: Of a graph of fewer steps, what was taken for examples is compared with the graph as it stands.
_SMALL = 5000


def rolled(tape: Tape, batched: bool = True) -> ArrayForm | str:
    """Return a scalar graph in array form, or say in a few words why it has none.

    Parameters
    ----------
    tape : Tape
    batched : bool
        Whether the graph is that of one example, of which the inputs are to be replaced by those of
        m examples. Otherwise it is computed as it stands; examples that it holds are found, and
        computed at once.

    Returns
    -------
    ArrayForm or str

    Examples
    --------
    >>> from micrograd_nn import MLP, Value
    >>> from micrograd_nn.readers.compile.tape import tape_of
    >>> x = [Value(1.0), Value(-2.0)]
    >>> form = rolled(tape_of(MLP(2, [16, 1])(x), x))
    >>> form.names()
    ['concatenate', 'matmul', 'relu', 'concatenate', 'matmul']
    """
    for row in dict.fromkeys(tape.rows):
        if not row.elementwise or row.on_floats is None:
            return f"{row.name} isn't an elementwise operation"
    if batched:
        return _Rolling(tape, Examples.none(tape), batched).form()
    examples = examples_of(tape)
    form = _Rolling(tape, examples, batched).form()
    if (
        len(examples.columns) and len(tape.rows) < _SMALL
    ):  # are these examples, or units of a layer?
        plain = _Rolling(tape, Examples.none(tape), batched).form()
        if not isinstance(plain, str) and (
            isinstance(form, str) or len(plain.operations) <= len(form.operations)
        ):
            return plain
    return form


class _Rolling:
    """The program, level by level: what depends on the same number of steps is computed at once."""

    def __init__(self, tape: Tape, examples: Examples, batched: bool) -> None:
        self.tape, self.examples, self.batched = tape, examples, batched
        columns = len(examples.columns)
        constants = len(tape.constants)
        varies = [batched] * len(tape.inputs) + [False] * (len(tape.leaves) + constants)
        self.sums = Sums(
            examples.rows, examples.args, examples.params, examples.root, varies + [True] * columns
        )
        self.counts = factor_counts(self.sums.items)
        self.levels = levels_of(self.sums)
        self.places: dict[int, Place] = {}
        self._place()

    def form(self) -> ArrayForm | str:
        """Return the finished form, or why it isn't worth while."""
        by_level: dict[int, list[Sum | Call]] = defaultdict(list)
        for item in self.sums.items:
            by_level[self.levels[item.value]].append(item)
        additions = Additions(self.program, self.sums, self.places, self.counts, self.levels)
        for level in sorted(by_level):
            items = by_level[level]
            self._calls([item for item in items if type(item) is Call])
            sums = [item for item in items if type(item) is Sum]
            if sums:
                additions.append(sums)
            done, steps = len(self.program.operations), len(self.examples.rows)
            if done > _SHORT and done * _WORTH > steps:
                return f"too few of its {steps} operations are alike: arrays would hold little"
        tape = self.tape
        return ArrayForm(
            [tape.leaves[v - len(tape.inputs)] for v in self.leaf_order],
            [tape.inputs[v] for v in self.input_order],
            self.batched,
            self.tables,
            self.program.operations,
            self._root(),
        )

    def _root(self) -> Part:
        array, row = self.places[self.examples.root]
        if array == CONSTANT:
            return Part(literal=np.array(self.program.constants[row]))
        return Part(array, row)

    # ------------------------------------------------------------------------------ what is given

    def _place(self) -> None:
        """Choose the order of theta and of the inputs, and place all that is no step."""
        tape, columns = self.tape, self.examples.columns
        first, constants = len(tape.inputs), len(tape.inputs) + len(tape.leaves)
        in_columns = dict.fromkeys(columns.ravel().tolist())
        leaves, given = range(first, constants), range(first)
        self.leaf_order = leaf_order(self.sums, self.levels, self.counts, leaves, in_columns)
        self.input_order = (
            list(given)
            if self.batched
            else leaf_order(self.sums, self.levels, self.counts, given, in_columns)
        )
        for i, value in enumerate(self.leaf_order):
            self.places[value] = THETA, i
        for i, value in enumerate(self.input_order):
            self.places[value] = X, i
        for i in range(len(tape.constants)):
            self.places[constants + i] = CONSTANT, i
        self._tables(columns)

    def _tables(self, columns: np.ndarray[Any, Any]) -> None:
        """Place the columns: one table of constants, and one each taken from theta and inputs."""
        tape = self.tape
        by_array: dict[int, list[int]] = defaultdict(list)
        for number, column in enumerate(columns):
            by_array[self.places[int(column[0])][0]].append(number)
        kept = by_array.pop(CONSTANT, [])
        numbers = np.array(tape.constants)
        start = len(tape.inputs) + len(tape.leaves)
        self.tables = [numbers[columns[kept] - start]] if kept else []
        sizes = [len(self.leaf_order), len(self.input_order), *map(len, self.tables)]
        varying = {X} if self.batched else set()
        program = ArrayProgram(sizes, varying | {2} if kept else varying, tape.constants)
        for i, number in enumerate(kept):
            self.places[tape.first + number] = 2, i
        for array, taken in by_array.items():
            flat = [self.places[value][1] for value in columns[taken].ravel().tolist()]
            part = program.selection(array, flat, columns[taken].shape)
            shape = {"shape": columns[taken].shape}
            made = program.append(arrays.reshape, [part], len(taken), True, shape)
            for i, number in enumerate(taken):
                self.places[tape.first + number] = made, i
        self.program = program

    # ------------------------------------------------------------------------------ the steps

    def _calls(self, calls: Sequence[Call]) -> None:
        """Append the operations of a level that are no sums, the alike ones as one."""
        groups: dict[Any, list[Call]] = defaultdict(list)
        for call in calls:
            places = [self.places[v] for v in call.args]
            if call.row is not OVER_EXAMPLES and all(array == CONSTANT for array, _ in places):
                self._fold(call, places)
            else:
                groups[self._likeness(call, places)].append(call)
        for group in groups.values():
            self._group(group)

    def _fold(self, call: Call, places: list[Place]) -> None:
        data = [self.program.constants[row] for _, row in places]
        self.places[call.value] = self.program.constant(float(call.row(*data, **call.params)))

    def _likeness(self, call: Call, places: list[Place]) -> Any:
        """Return what calls have in common that become one operation."""
        standing = tuple(
            place if given and place[0] == CONSTANT else place[0]
            for place, given in zip(places, call.row.given, strict=False)
        )
        params = tuple(sorted((k, repr(v)) for k, v in call.params.items()))
        return call.row, params, standing

    def _group(self, group: list[Call]) -> None:
        operands = {call.value: tuple(self.places[v] for v in call.args) for call in group}
        varying = self.program.varying
        order = [i for i, (a, _) in enumerate(operands[group[0].value])]
        order.sort(key=lambda i: operands[group[0].value][i][0] not in varying)
        different = sorted(set(operands.values()), key=lambda places: [places[i] for i in order])
        first = group[0]
        if first.row is OVER_EXAMPLES:
            rows = [row for ((_, row),) in different]
            made = self.program.over_examples(different[0][0][0], rows)
        else:
            columns = list(zip(*different, strict=True))
            made = self.program.elementwise(first.row, columns, first.params)
        place = dict(zip(different, made, strict=True))
        for value, places in operands.items():
            self.places[value] = place[places]
