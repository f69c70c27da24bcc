"""The forward and the backward pass of a recorded graph as equations between named values.

The graph is gone through once forward and once backward. A value that has a name, or is used more
than once, gets an equation and is a symbol from there on; all others are written out where they
are used. The gradient of a symbol is a symbol, too, with a d before its name. The chain rule is
applied with the rows' own rules, or with their textbook forms, on nodes: so each equation can also
be evaluated.

With a mean over examples, 1/m stands before the gradients of the leaves only: the gradients of
inner values are those of the sum over examples, as articles have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.modes import recording
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.table import arithmetic, arrays, fused
from micrograd_nn.graph.table.arrays import broadcast_to, shape_of, sum_to, with_reduced_axes
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant
from micrograd_nn.readers.explain.constants import Related, related
from micrograd_nn.readers.explain.guards import guards
from micrograd_nn.readers.explain.naming import (
    ARRANGING,
    OF_THEIR_OWN,
    is_gathering,
    names_of,
    users_of,
)
from micrograd_nn.readers.explain.primes import slope
from micrograd_nn.readers.explain.reading import term_of
from micrograd_nn.readers.explain.shares import Count, share
from micrograd_nn.readers.explain.terms import (
    ONE,
    Number,
    Shape,
    Sum,
    Symbol,
    Term,
    add,
    has_prime,
    in_factors,
    length,
    shortest,
    symbols,
    times,
)
from micrograd_nn.readers.labels import is_number

Rule = Callable[..., Any]
#: A cotangent in its textbook form, and in the form that the rules give.
Pair = tuple[Node, Node]
Parts = dict[str, Pair]


@dataclass(frozen=True)
class Equation:
    """``name = term``.

    Attributes
    ----------
    name : str
        A value, or ``d`` and its name.
    term : Term
        The textbook form.
    stable : Term
        The form that doesn't lose digits; equal to ``term`` where there is no other.
    shape : tuple of int
    data : float or array
        What it evaluates to.
    of : str
        The name of the value: the name, or that of which it is the gradient.
    """

    name: str
    term: Term
    stable: Term
    shape: Shape
    data: Any
    of: str


@dataclass(frozen=True)
class Derivation:
    """The equations of a graph, in order.

    Attributes
    ----------
    forward, backward : list of Equation
    root : str
        The name of the result.
    counts : dict of str to Count
        What the numbers of examples, such as m, are.
    inputs, parameters : list of (str, shape)
        The named leaves without and with a gradient.
    data : dict of str to array or float
        What they hold.
    scaled : set of str
        The gradients that are those of the sum over examples.
    sums_to_1 : set of str
        The inputs that sum to 1 over the classes, which the equations make use of.
    gathered : list of str
        The parameters that hold the weights of single neurons.
    """

    forward: list[Equation]
    backward: list[Equation]
    root: str
    counts: dict[str, Count]
    inputs: list[tuple[str, Shape]]
    parameters: list[tuple[str, Shape]]
    data: dict[str, Any]
    scaled: set[str]
    sums_to_1: set[str]
    gathered: list[str]


class Deriver:
    """Derives the equations of one graph; see ``derive``."""

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
    ) -> None:
        self.root = root
        self.merge = merge
        self.examples = examples
        order = toposort(root)
        gathered = set() if wrt is not None else set(filter(is_gathering, order))
        self.order = _above(order, root, gathered if wrt is None else set(wrt))
        self.longest = longest or (_LONGEST if len(self.order) <= _LARGE else _LONG)
        self.numbers = {n for n in self.order if is_number(n) and n not in (names or {})}
        self.users = users_of(self.order)
        self.related = related(self.order, self.users)
        spare = {node for node, other in self.related.items() if other.of is not node}
        self.names, layers = names_of(self.order, self.users, names or {}, spare)
        self.guards = guards(self.order, self.users)
        self.count = count
        self.counts: dict[str, Count] = {}
        self.symbols: dict[Node, str | Term] = {}  # stand-ins that are read as this
        self.known: tuple[dict[Node, Term], dict[Node, Term]] = ({}, {})  # what has been read
        self.standin: dict[Node, Node] = {}  # for each node of the graph
        self.shares: dict[Node, tuple[str, float, Node]] = {}  # of means: 1/m, a factor, the input
        self.scaled: set[str] = set()
        self.one_hot: dict[Node, Node] = {}
        self.negated: dict[Node, Node] = {}  # symbols for the negative of an array
        self.given: dict[str, Any] = {}  # inputs that no node holds
        self.constants: dict[str, Any] = {}  # what the symbols of inputs hold
        self.sums_to_1: set[str] = set()
        self.gathered = gathered & set(self.order)
        leaves = {n for n in self.order if n.op is None and n.requires_grad}
        self.wanted = leaves | self.gathered if wrt is None else set(wrt)
        self.leaves = [n for n in self.order if n.op is None or n in self.wanted]
        self.active: set[Node] = set()
        self.on_data: set[Node] = set()
        for node in self.order:
            if node in self.wanted or any(i in self.active for i in node.inputs):
                self.active.add(node)
            is_data = node.op is None and not node.requires_grad and np.ndim(node._data)
            if is_data or any(i in self.on_data for i in node.inputs):
                self.on_data.add(node)
        # Shown, too, are values whose gradients would be long, or are used in several places: they
        # are found on the way back.
        self.also = also or set()
        self.found: set[Node] = set()
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
            elif not node.requires_grad:
                self.constants[self.names[node]] = node._data
            size[node] = 1
            self.standin[node] = self._symbol(self.names[node], node._data)
        return equations

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

    # ----------------------------------------------------------------------------- backward

    def backward(self) -> list[Equation]:
        """Return the equations of the gradients: from the root down, each leaf's when it is known.

        A cotangent is kept as its parts by the share, such as 1/m, that stands before them.
        """
        equations: list[Equation] = []
        ones = self._number(np.ones_like(self.root._data))
        received: dict[Node, dict[str, list[Pair]]] = {self.root: {"": [(ones, ones)]}}
        latest: dict[Node, int] = {self.root: 0}  # the equation after which a node is complete
        leaves: list[tuple[int, int, Equation]] = []
        missing = dict.fromkeys(node for node in self.order if node in self.wanted)
        for place, node in reversed(list(enumerate(self.order))):
            if node not in received or node not in self.active:
                continue
            parts = {name: _added(pairs) for name, pairs in received.pop(node).items()}
            if node in self.wanted:
                leaves.append((latest[node], place, self._equation(node, parts)))
                del missing[node]
                continue
            if node is not self.root and node not in self.shown:
                parts = self._short(node, parts)
            if node in self.shown and node is not self.root and not self._merges(node, parts):
                equation, parts = self._of_value(node, parts)
                equations.append(equation)
                latest[node] = len(equations)
            if node.op is None:
                continue
            for child, name, pair in self._passed_on(node, parts):
                received.setdefault(child, {}).setdefault(name, []).append(pair)
                latest[child] = max(latest.get(child, 0), latest[node])
        for after, _, equation in sorted(leaves, key=lambda item: item[:2], reverse=True):
            equations.insert(after, equation)
        return equations + [self._zero(node) for node in missing]

    def _zero(self, node: Node) -> Equation:
        """Return the gradient of a leaf that only steps depend on: a step has none."""
        shape = np.shape(node._data)
        none, name, of = Number(0.0, shape), self.gradients[node], self.names[node]
        data = 0.0 if type(node._data) is float else np.zeros(shape)
        return Equation(name, none, none, shape, data, of)

    def _short(self, node: Node, parts: Parts) -> Parts:
        """Return a gradient that isn't written in its shortest form; one that is long is shown."""
        op = node.op
        assert op is not None
        shorter: Parts = {}
        whole = 0
        for name, (textbook, stable) in parts.items():
            long = self._term(textbook)
            term = shortest(long)
            whole += length(term)
            if length(term) < length(long):
                leaf = self._as(term, textbook._data)
                exact = leaf if _is_merged(long, term, self._term(stable, exact=True)) else stable
                shorter[name] = leaf, exact
            else:
                shorter[name] = textbook, stable
        inputs = sum(child in self.active for child in node.inputs)
        if whole > self.longest or (whole > _LONG and inputs > 1 and op.name not in ARRANGING):
            self.found.add(node)
            self.shown.add(node)
        return shorter

    def _of_value(self, node: Node, parts: Parts) -> tuple[Equation, Parts]:
        """Return the equation of an inner gradient, and the symbol that stands for it."""
        share_ = next(iter(parts)) if len(parts) == 1 else ""
        equation = self._equation(node, {"": parts[share_]} if share_ else parts)
        if share_:
            self.scaled.add(equation.name)
        symbol = self._symbol(equation.name, equation.data)
        return equation, {share_: (symbol, symbol)}

    def _equation(self, node: Node, parts: Parts) -> Equation:
        """Return the equation of a gradient, with the shares before its parts."""
        written: Term = Number(0.0)
        exact: Term = Number(0.0)
        data: Any = 0.0
        for share_, (textbook, stable) in self._in_order(parts):
            one = Symbol(share_) if share_ else ONE
            long = self._term(textbook)
            term, precise = shortest(long), self._term(stable, exact=True)
            written = add(written, times(one, term))
            merged = _is_merged(long, term, precise)
            exact = add(exact, times(one, term if merged else precise))
            weight = 1.0 / self.counts[share_[2:]].number if share_ else 1.0
            data = data + textbook._data * weight
        like = node._data
        data = float(data) if type(like) is float else np.asarray(data)
        name, of = self.gradients[node], self.names[node]
        return Equation(name, written, exact, np.shape(like), data, of)

    def _in_order(self, parts: Parts) -> list[tuple[str, Pair]]:
        """Return the parts by their share: 1/m first, last those that have none."""
        counts = [f"1/{name}" for name in self.counts] + [""]
        return sorted(parts.items(), key=lambda item: counts.index(item[0]))

    def _merges(self, node: Node, parts: Parts) -> bool:
        """Tell whether a gradient is left out, since the equation of the next one is shorter.

        So the cross-entropy of a sigmoid or softmax gives ``dZ = A − Y``.
        """
        op = node.op
        if op is None or op.arity != 1 or op.variadic or node.inputs[0] not in self.active:
            return False
        if not self.merge:
            return False
        own = sum(length(shortest(self._term(g))) for g, _ in parts.values())
        following = self._passed_on(node, parts)
        return sum(length(shortest(self._term(g))) for _, _, (g, _) in following) < own

    def _passed_on(self, node: Node, parts: Parts) -> list[tuple[Node, str, Pair]]:
        """Return what each input receives, by its share, by the textbook and by the rules."""
        op = node.op
        assert op is not None
        found: list[tuple[Node, str, Pair]] = []
        for name, pair in parts.items():
            if node in self.guards:
                kept = self.guards[node]
                found += [(kept, name, pair)] if kept in self.active else []
            elif node in self.shares:
                own, factor, child = self.shares[node]
                if name:  # a mean of means
                    factor = factor / self.counts[own[2:]].number
                    own = name
                signed = [arithmetic.mul(factor, x) if factor != 1.0 else x for x in pair]
                found.append((child, own, self._fitted(signed, child)))
            else:
                for child, part, exact in self._by_rules(node, *pair):
                    found.append((child, name, self._fitted([part, exact], child)))
        return found

    def _by_rules(self, node: Node, g: Node, stable: Node) -> Iterator[tuple[Node, Node, Node]]:
        op = node.op
        assert op is not None
        args, z = [self.standin[child] for child in node.inputs], self.standin[node]
        if op.variadic:
            (rule,) = op.rules
            if rule is not None:
                both = (rule(x, z, args, **node.params) for x in (g, stable))
                for child, part, exact in zip(node.inputs, *both, strict=True):
                    if child in self.active:
                        yield child, part, exact
            return
        for place, (child, rule) in enumerate(zip(node.inputs, op.rules, strict=True)):
            if rule is None or child not in self.active:
                continue
            if op.name == "label_cross_entropy":
                off = arithmetic.sub(fused.softmax(args[0], axis=-1), self._one_hot(node))
                columns = (arrays.reshape(x, shape=(*shape_of(x), 1)) for x in (g, stable))
                part, exact = (arithmetic.mul(column, off) for column in columns)
            elif op.name in ("softmax", "log_softmax", "logsumexp"):
                textbook = getattr(self, f"_{op.name}")
                part, exact = (textbook(x, z, *args, **node.params) for x in (g, stable))
            else:
                exact = rule(stable, z, *args, **node.params)
                part = (
                    arithmetic.mul(g, slope(op, place)(z, *args))
                    if op.elementwise
                    else rule(g, z, *args, **node.params)
                )
            yield child, part, exact

    def _softmax(self, g: Any, z: Any, x: Any, *, axis: Any) -> Any:
        return z * (g - self._sum(g * z, axis))

    def _log_softmax(self, g: Any, z: Any, x: Any, *, axis: Any) -> Any:
        return g - fused.softmax(x, axis=axis) * self._sum(g, axis)

    def _logsumexp(self, g: Any, z: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
        return with_reduced_axes(g, x, axis) * fused.softmax(x, axis=axis)

    def _sum(self, node: Node, axis: Any) -> Node:
        """Return a sum, which is known for one-hot targets: they sum to 1 over the classes."""
        number, rest = in_factors(self._term(node))
        name = rest[0].name if len(rest) == 1 and isinstance(rest[0], Symbol) else ""
        known = self.constants.get(name)
        if known is not None and np.shape(known) == shape_of(node) and np.min(known) >= 0:
            sums = np.sum(known, axis=axis)
            if np.all(np.abs(sums - 1.0) <= 4 * np.finfo(known.dtype).eps):
                self.sums_to_1.add(name)
                return self._number(np.full_like(node._data.sum(axis, keepdims=True), number))
        summed: Node = arrays.sum_(node, axis=axis, keepdims=True)
        return summed

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

    def _fitted(self, pair: Sequence[Any], child: Node) -> Pair:
        shape = np.shape(child._data)
        fitted: list[Node] = []
        for part in pair:
            node = part if isinstance(part, Node) else self._number(part)
            if shape_of(node) == shape:
                fitted.append(node)
            elif len(shape_of(node)) < len(shape) or np.size(node._data) < np.prod(shape):
                fitted.append(broadcast_to(node, shape=shape))
            else:
                fitted.append(sum_to(node, shape=shape))
        return fitted[0], fitted[1]

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


#: What is longer than this is given a name of its own.
_LONGEST = 30
#: So is a gradient that is longer than this and used in several places.
_LONG = 6
#: Graphs of more nodes have short equations, and are derived once.
_LARGE = 2000


def _above(order: Sequence[Node], root: Node, stops: set[Node]) -> list[Node]:
    """Return the nodes of a graph, inputs first, without what is only below ``stops``."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += () if node in stops else node.inputs
    return [node for node in order if node in seen]


def _added(pairs: Sequence[Pair]) -> Pair:
    """Return the sum, of halves, so that no sum is deep."""
    while len(pairs) > 1:
        couples = zip(pairs[::2], pairs[1::2], strict=False)
        halves = [(arithmetic.add(a, c), arithmetic.add(b, d)) for (a, b), (c, d) in couples]
        pairs = [*halves, *pairs[2 * len(halves) :]]
    return pairs[0]


def _is_merged(long: Term, short: Term, exact: Term) -> bool:
    """Tell whether a textbook form has become a difference, like A − Y, by cancelling.

    Such a one is stable as it is, other than the 1 − A² of a rule.
    """
    cancelled = isinstance(short, Sum) and length(short) < min(length(long), length(exact))
    return cancelled and not has_prime(short)


def derive(
    root: Node,
    wrt: Sequence[Node] | None = None,
    count: str = "m",
    names: Mapping[Node, str] | None = None,
    merge: bool = True,
    longest: int | None = None,
    examples: int = 0,
) -> Derivation:
    """Return the equations of the forward and of the backward pass.

    Parameters
    ----------
    root : Node
    wrt : sequence of Node, optional
        The leaves whose gradients are derived; all that require one by default.
    count : str
        The name of the number of examples, over which a mean is taken.
    names : mapping of Node to str, optional
        Names for values that have none of their own.
    merge : bool
        Whether a gradient is left out where the next one is shorter: dA for dZ = A − Y.
    longest : int, optional
        Longer equations are divided.
    examples : int
        Over how many examples a sum of scalars runs, where it is known.
    """
    with recording():
        also: set[Node] = set()
        for _ in range(_PASSES):
            deriver = Deriver(root, wrt, count, names, merge, also, longest, examples)
            forward = deriver.forward()
            backward = deriver.backward()
            if not deriver.found or len(deriver.order) > _LARGE:
                break
            also |= deriver.found
    used: dict[str, int] = {}  # where each name is first used
    for equation in (*forward, *backward):
        for symbol in symbols(equation.stable):
            used.setdefault(symbol.name, len(used))
    leaves = [n for n in deriver.leaves if n not in deriver.numbers]
    leaves = [n for n in leaves if n not in deriver.related]
    leaves = [n for n in leaves if deriver.names[n] in used or n in deriver.wanted]
    leaves.sort(key=lambda n: used.get(deriver.names[n], len(used)))
    data = {deriver.names[n]: n._data for n in leaves} | deriver.given
    parameters = [deriver.names[n] for n in leaves if n.requires_grad]
    return Derivation(
        forward,
        backward,
        deriver.names[root],
        deriver.counts,
        [(name, np.shape(x)) for name, x in data.items() if name not in parameters],
        [(name, np.shape(data[name])) for name in parameters],
        data,
        deriver.scaled,
        deriver.sums_to_1,
        [deriver.names[n] for n in deriver.order if n in deriver.gathered],
    )


#: How often the equations are derived anew, with names for what was too long.
_PASSES = 3
