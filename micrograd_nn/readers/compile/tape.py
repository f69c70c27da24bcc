"""A recorded scalar graph as a tape: numbered values, one step for each operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Group, Node
from micrograd_nn.graph.primitive import Primitive, is_overwritten
from micrograd_nn.graph.table import arithmetic
from micrograd_nn.graph.units import identity
from micrograd_nn.graph.value import Constant, Value


@dataclass
class Tape:
    """The values are numbered: inputs, leaves, constants, then the results of the steps.

    Attributes
    ----------
    inputs : list of Node
        What is given anew at each call.
    leaves : list of Node
        All other leaves, whose data are read at each call.
    constants : list of float
        Plain numbers that met a node, each once.
    rows : list of Primitive
        The operation of each step. A unit stands as the products and sums that it is made of.
    args : list of tuple of int
        The numbers of its arguments.
    params : list of dict
        Its static parameters.
    nodes : list of Node or None
        The recorded node, where the step is one and not a part of one.
    root : int
        The number of the result.
    """

    inputs: list[Node]
    leaves: list[Node] = field(default_factory=list)
    constants: list[float] = field(default_factory=list)
    rows: list[Primitive] = field(default_factory=list)
    args: list[tuple[int, ...]] = field(default_factory=list)
    params: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[Node | None] = field(default_factory=list)
    root: int = 0

    @property
    def first(self) -> int:
        """The number of the first step's result."""
        return len(self.inputs) + len(self.leaves) + len(self.constants)


class NotOfValuesError(TypeError):
    """A graph is to be read as one of Values, and holds something else."""


def tape_of(root: Node, inputs: Sequence[Node] = ()) -> Tape:
    """Return the tape of a graph of Values.

    Parameters
    ----------
    root : Value
    inputs : sequence of Value
        What is given anew at each call. A recorded one is cut off from what it was computed of.

    Raises
    ------
    StaleGraphError
        If the data of an inner node were overwritten.
    NotOfValuesError
        If a node isn't a Value.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> w, x = Value(3.0), Value(2.0)
    >>> tape = tape_of((w * x + 1.0).tanh(), [x])
    >>> [row.name for row in tape.rows], tape.args
    (['mul', 'add', 'tanh'], [(1, 0), (3, 2), (4,)])
    """
    return _Reader(root, inputs).tape


#: Codes while the numbers of leaves and constants are unknown: a leaf is −1 − i, a constant _C + i.
_C = 1 << 40
_NO_PARAMS: dict[str, Any] = {}


def _refuse_overwritten(node: Node) -> None:
    """Raise a StaleGraphError if the data of an inner node were overwritten."""
    op: Any = node._op
    if is_overwritten(op):
        op._rules[0](None, node)


class _Reader:
    """Reads a graph in the order of ``toposort``, iteratively, each node once."""

    def __init__(self, root: Node, inputs: Sequence[Node]) -> None:
        given = list(dict.fromkeys(inputs))
        self.tape = Tape(given)
        self.codes: dict[Node, int] = {node: -1 - i for i, node in enumerate(given)}
        self.constants: dict[float | str, int] = {}
        self.flat: list[int] = []
        self.arities: list[int] = []
        self._leaf(root)
        self._walk(root)
        self._number(root)

    def _leaf(self, node: Node) -> bool:
        """Give a leaf its code; tell whether the node has one now."""
        if node in self.codes:
            return True
        if not isinstance(node, Value):
            raise NotOfValuesError(
                f"a scalar program is made of Values, and {node.describe()} is a "
                f"{type(node).__name__} of shape {node._data.shape}"
            )
        if node._op is not None:
            return False
        if type(node) is Constant:
            self.codes[node] = self._constant(node._data)
        else:
            self.codes[node] = -1 - len(self.tape.inputs) - len(self.tape.leaves)
            self.tape.leaves.append(node)
        return True

    def _constant(self, data: float) -> int:
        key = data if data else repr(data)  # 0.0 and −0.0 are equal
        return _C + self.constants.setdefault(key, len(self.constants))

    def _walk(self, root: Node) -> None:
        # Tens of thousands of nodes pass here: what each needs is bound to a local name, and a
        # node of one or two arguments, nearly all of them, is read in place.
        codes, leaf, constant, tape = self.codes, self._leaf, self._constant, self.tape
        flat, arity = self.flat.append, self.arities.append
        add_row, add_params, add_node = tape.rows.append, tape.params.append, tape.nodes.append
        stack = [root]
        while stack:
            node = stack[-1]
            if node in codes:
                stack.pop()
                continue
            a, b = node._a, node._b
            if type(a) is tuple or isinstance(a, Group):
                children = [c for c in node._recorded_inputs() if not leaf(c)]
                if children:
                    stack += reversed(children)
                else:
                    self._long(node)
                continue
            if a is not None and a not in codes and not leaf(a):
                stack.append(a)
                continue
            if b is not None and b not in codes and not leaf(b):
                stack.append(b)
                continue
            op: Any = node._op
            row = op.row
            if op is not row:
                _refuse_overwritten(node)
            arity(n := len(row._rules))
            flat(constant(node._x) if a is None else codes[a])
            if n == 2:
                flat(constant(node._y) if b is None else codes[b])
            codes[node] = len(tape.rows)
            add_row(row)
            add_params(_NO_PARAMS if node._tag is None else node.params)
            add_node(node)
            stack.pop()

    def _long(self, node: Node) -> None:
        """Append the steps of a node that keeps its arguments as tuples."""
        op: Any = node._op
        if op is not op.row:
            _refuse_overwritten(node)
        args = [
            self._constant(data) if child is None else self.codes[child]
            for child, data, _ in node._saved_arguments()
        ]
        if op.row.vector:
            self._unit(node, op.row, args)
        else:
            self.codes[node] = self._step(op.row, args, node.params, node)

    def _step(
        self, row: Primitive, args: Sequence[int], params: dict[str, Any], node: Node | None
    ) -> int:
        tape = self.tape
        self.flat += args
        self.arities.append(len(args))
        tape.rows.append(row)
        tape.params.append(params)
        tape.nodes.append(node)
        return len(tape.rows) - 1

    def _unit(self, node: Node, row: Primitive, args: list[int]) -> None:
        half = len(args) // 2
        total = args[-1]
        for w, x in zip(args[half:], args[:half], strict=False):
            product = self._step(arithmetic.mul, (w, x), _NO_PARAMS, None)
            total = self._step(arithmetic.add, (total, product), _NO_PARAMS, None)
        assert row.activation is not None
        if row.activation is not identity:
            total = self._step(row.activation, (total,), _NO_PARAMS, None)
        if half:
            self.tape.nodes[total] = node
        self.codes[node] = total

    def _number(self, root: Node) -> None:
        """Turn codes into numbers."""
        tape = self.tape
        tape.constants = [float(key) for key in self.constants]
        leaves = len(tape.inputs) + len(tape.leaves)
        codes = np.array([*self.flat, self.codes[root]], dtype=np.int64)
        numbers = np.where(codes >= 0, codes + tape.first, -1 - codes)
        numbers = np.where(codes >= _C, codes - _C + leaves, numbers).tolist()
        tape.root = numbers.pop()
        if len(numbers) == 2 * len(tape.rows) and set(self.arities) <= {2}:
            tape.args = list(zip(numbers[::2], numbers[1::2], strict=True))
        else:
            rest = iter(numbers)
            tape.args = [tuple(islice(rest, arity)) for arity in self.arities]
