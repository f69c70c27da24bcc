"""The equations of the values: which of them have one, and what it says.

A value that has a name, or is used more than once, gets an equation and is a symbol from there on;
all others are written out where they are used. For this the graph is recorded once more, on
*stand-ins*: a node that stands for a symbol is a leaf there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.compared import Comparison
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.table import arithmetic, arrays, fused
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant
from micrograd_nn.readers.explain.comparisons import (
    comparison_term,
    comparisons,
    needed,
    order_of,
)
from micrograd_nn.readers.explain.constants import Related, related
from micrograd_nn.readers.explain.equations import Equation
from micrograd_nn.readers.explain.guards import guards
from micrograd_nn.readers.explain.naming import (
    ARRANGING,
    OF_THEIR_OWN,
    is_gathering,
    names_of,
    users_of,
)
from micrograd_nn.readers.explain.reading import constant, term_of
from micrograd_nn.readers.explain.shares import Count, share
from micrograd_nn.readers.explain.terms import Term
from micrograd_nn.readers.labels import is_number

#: What is longer than this is given a name of its own.
LONGEST = 30
#: So is a gradient that is longer than this and used in several places.
LONG = 6
#: Graphs of more nodes have short equations, and are derived once.
LARGE = 2000


class ForwardPass:
    """Derives the equations of the values; see ``derive`` for the arguments."""

    def __init__(
        self,
        root: Node,
        wrt: Sequence[Node] | None,
        count: str,
        names: Mapping[Node, str] | None = None,
        merge: bool = True,
        also: set[Node] | None = None,
        longest: int | None = None,
        examples: int = 0,
        of_sum: bool = True,
    ) -> None:
        self.root = root
        self.of_sum = of_sum
        self.merge = merge
        self.examples = examples
        order = order_of(root)
        gathered = set() if wrt is not None else set(filter(is_gathering, order))
        self.order = _above(order, root, gathered if wrt is None else set(wrt))
        self.longest = longest or (LONGEST if len(self.order) <= LARGE else LONG)
        called = dict(names or {})
        self.conditions = {
            node.inputs[place]: comparison
            for node in self.order
            for place, comparison in comparisons(node).items()
        }
        plain = [node for node in self.order if node not in self.conditions]
        self.numbers = {n for n in plain if is_number(n) and n not in called}
        self.users = users_of(self.order)
        self.related = related(plain, self.users, called)
        spare = {node for node, other in self.related.items() if other.of is not node}
        spare |= set(self.conditions)
        self.names, layers = names_of(self.order, self.users, called, spare)
        self.guards = guards(self.order, self.users)
        self.count = count
        self.counts: dict[str, Count] = {}
        self.symbols: dict[Node, str | Term] = {}  # stand-ins that are read as this
        self.known: tuple[dict[Node, Term], dict[Node, Term]] = ({}, {})  # what has been read
        self.standin: dict[Node, Node] = {}  # for each node of the graph
        self.shares: dict[Node, tuple[str, float, Node]] = {}  # of means: 1/m, a factor, the input
        self.scaled: dict[str, str] = {}
        self.one_hot: dict[Node, Node] = {}
        self.negated: dict[Node, Node] = {}  # symbols for the negative of an array
        self.given: dict[str, Any] = {}  # inputs that no node holds
        self.constants: dict[str, Any] = {}  # what the symbols of inputs hold
        self.sums_to_1: set[str] = set()
        self.gathered = gathered & set(self.order)
        leaves = {n for n in self.order if n.op is None and n.requires_grad}
        self.wanted = leaves | self.gathered if wrt is None else set(wrt)
        self.leaves = [n for n in plain if n.op is None or n in self.wanted]
        self.active: set[Node] = set()
        self.on_data: set[Node] = set()
        for node in self.order:
            if node in self.wanted or any(i in self.active for i in node.inputs):
                self.active.add(node)
            is_data = node.op is None and not node.requires_grad and np.ndim(node._data)
            is_data = is_data and node not in self.conditions
            if is_data or any(i in self.on_data for i in node.inputs):
                self.on_data.add(node)
        # Shown, too, are values whose gradients would be long, or are used in several places: they
        # are found on the way back.
        self.also = also or set()
        self.found: set[Node] = set()
        layers |= set(called)
        self.shown = {n for n in self.order if n not in self.numbers and self._is_shown(n, layers)}
        taken = set(self.names.values())
        self.gradients = {
            node: f"d{name}" if f"d{name}" not in taken else f"∂{name}"
            for node, name in self.names.items()
        }

    def _is_shown(self, node: Node, layers: set[Node]) -> bool:
        if node.op is None or node in self.wanted or node is self.root:
            return True
        if node.name is not None or node in layers or node in self.also:
            return True
        if node.op.name in OF_THEIR_OWN:
            return True
        if node.op.name in ARRANGING or node in self.guards:
            return False
        return len(set(self.users.get(node, ()))) > 1

    # ------------------------------------------------------------------------------ forward

    def forward(self) -> list[Equation]:
        """Return the equations of the values."""
        equations = []
        size: dict[Node, int] = {}  # of what is written for a node
        for node in self.order:
            if node in self.numbers:
                self.standin[node] = node
                continue
            if node.op is not None and node not in self.wanted:
                made = self._recorded_again(node)
                size[node] = 1 + sum(size.get(child, 1) for child in node.inputs)
                if size[node] > self.longest:
                    self.shown.add(node)
                if node not in self.shown:
                    self.standin[node] = made
                    continue
                equations.append(
                    Equation(
                        self.names[node],
                        self._term(made),
                        self._term(made, exact=True),
                        np.shape(node._data),
                        node._data,
                        self.names[node],
                    )
                )
            elif node in self.related:
                self.standin[node] = self._as_related(self.related[node])
                continue
            elif node in self.conditions:
                self.standin[node] = self._as(self._condition(self.conditions[node]), node._data)
                continue
            elif not node.requires_grad:
                self.constants[self.names[node]] = node._data
            size[node] = 1
            self.standin[node] = self._symbol(self.names[node], node._data)
        return equations

    def _condition(self, comparison: Comparison) -> Term:
        """Return what was compared as a term, so that it comes out as on other data."""

        def read(x: Any) -> Term:
            known = isinstance(x, Node)
            return self._term(self.standin[x], True) if known else constant(x, self._constant)

        return comparison_term(comparison, read)

    def _as_related(self, other: Related) -> Node:
        """Return an array as −Y or 1 − Y of another array, or of its own negative."""
        symbol = self.standin.get(other.of)
        if symbol is None or symbol not in self.symbols:
            name, data = self.names[other.of], -other.of._data
            self.given[name] = self.constants[name] = data
            self.negated[other.of] = symbol = self._symbol(name, data)
        symbol = self.negated.get(other.of, symbol)
        made = symbol if other.sign > 0 else arithmetic.neg(symbol)
        return arithmetic.add(other.offset, made) if other.offset else made

    def _recorded_again(self, node: Node) -> Node:
        op = node.op
        assert op is not None
        if node in self.guards:
            return self.standin[self.guards[node]]
        args = [self.standin[child] for child in node.inputs]
        part = share(node, self.on_data, self.examples)
        if part is not None:
            name = self._one_over(part.count)
            self.shares[node] = (name, part.factor, part.of)
            whole = self.standin[part.of]
            if op.name == "mean":
                whole = arrays.sum_(whole, axis=None, keepdims=False)
            one_over = self._symbol(name, 1.0 / part.count.number)
            return arithmetic.mul(arithmetic.mul(part.factor, one_over), whole)  # type: ignore[no-any-return]
        if op.name == "label_cross_entropy":
            hot, logs = self._one_hot(node), fused.log_softmax(args[0], axis=-1)
            picked = arrays.sum_(arithmetic.mul(hot, logs), axis=-1, keepdims=False)
            return arithmetic.neg(picked)  # type: ignore[no-any-return]
        recorded: Node = op([*args], **node.params) if op.variadic else op(*args, **node.params)
        return recorded

    def _one_over(self, count: Count) -> str:
        for name, known in self.counts.items():
            if known.number == count.number:
                return f"1/{name}"
        taken = {*self.names.values(), *self.counts}
        spare = (f"{self.count}{k}" for k in range(2, len(self.order) + 1000))
        name = next(n for n in (self.count, "n", *spare) if n not in taken)
        self.counts[name] = count
        return f"1/{name}"

    def _one_hot(self, node: Node) -> Node:
        """Return the labels of a cross-entropy as rows of 0 and 1, a symbol."""
        if node not in self.one_hot:
            labels_, classes = node.params["labels"], np.shape(node.inputs[0]._data)[-1]
            taken = {*self.names.values(), *self.given}
            name = next(n for n in ("Y", *(f"Y{k}" for k in range(2, 1000))) if n not in taken)
            rows = np.eye(classes, dtype=node._data.dtype)[labels_]
            self.one_hot[node] = self._symbol(name, rows)
            self.given[name] = rows
        return self.one_hot[node]

    # ------------------------------------------------------------------------------ symbols

    def _symbol(self, name: str, data: Any) -> Node:
        return self._as(name, data)

    def _as(self, read: str | Term, data: Any) -> Node:
        leaf: Node = Constant(data) if type(data) is float else Tensor(data, requires_grad=False)
        self.symbols[leaf] = read
        return leaf

    def _number(self, data: Any) -> Node:
        plain = type(data) is float or (type(self.root._data) is float and np.ndim(data) == 0)
        return Constant(float(data)) if plain else Tensor(data, requires_grad=False)

    def _term(self, node: Node, exact: bool = False) -> Term:
        return term_of(node, self.symbols, self._constant, exact, self.known[exact])

    def _constant(self, data: Any) -> str:
        """Return the name of an array that a rule has made."""
        for name, known in self.given.items():
            if np.array_equal(known, data):
                return name
        taken = {*self.names.values(), *self.given}
        name = next(n for n in (f"C{k}" for k in range(1, 10_000)) if n not in taken)
        self.given[name] = data
        return name


def _above(order: Sequence[Node], root: Node, stops: set[Node]) -> list[Node]:
    """Return the nodes of a graph, inputs first, without what is only below ``stops``."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += () if node in stops else needed(node)
    return [node for node in order if node in seen]
