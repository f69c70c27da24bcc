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

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.table import arithmetic, arrays, fused
from micrograd_nn.graph.table.arrays import broadcast_to, shape_of, sum_to, with_reduced_axes
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant
from micrograd_nn.readers.explain.primes import slope
from micrograd_nn.readers.explain.reading import term_of
from micrograd_nn.readers.explain.terms import (
    ONE,
    Number,
    Shape,
    Sum,
    Symbol,
    Term,
    add,
    length,
    shortest,
    symbols,
    times,
)
from micrograd_nn.readers.labels import is_number, labels

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
    """

    name: str
    term: Term
    stable: Term
    shape: Shape
    data: Any


@dataclass(frozen=True)
class Derivation:
    """The equations of a graph, in order.

    Attributes
    ----------
    forward, backward : list of Equation
    root : str
        The name of the result.
    counts : dict of str to int
        What the numbers of examples, such as m, are.
    inputs, parameters : list of (str, shape)
        The named leaves without and with a gradient.
    data : dict of str to array or float
        What they hold.
    scaled : set of str
        The gradients that are those of the sum over examples.
    """

    forward: list[Equation]
    backward: list[Equation]
    root: str
    counts: dict[str, int]
    inputs: list[tuple[str, Shape]]
    parameters: list[tuple[str, Shape]]
    data: dict[str, Any]
    scaled: set[str]


class Deriver:
    """Derives the equations of one graph; see ``derive``."""

    def __init__(
        self,
        root: Node,
        wrt: Sequence[Node] | None,
        count: str,
        names: Mapping[Node, str] | None = None,
    ) -> None:
        self.root = root
        self.order = _above(root, set(wrt or ()))
        self.names = labels(self.order)
        self.layers: set[Node] = set()  # the results of layers, and others that were given names
        if names:
            self.names.update(names)
            self.layers.update(names)
        self._name_constants()
        self._name_layers()
        self.count = count
        self.counts: dict[str, int] = {}
        self.symbols: dict[Node, str] = {}  # stand-ins that are symbols
        self.standin: dict[Node, Node] = {}  # for each node of the graph
        self.shares: dict[Node, tuple[str, float, Node]] = {}  # of means: 1/m, a sign, the input
        self.scaled: set[str] = set()
        self.one_hot: dict[Node, Node] = {}
        self.given: dict[str, Any] = {}  # inputs that no node holds
        leaves = [n for n in self.order if n.op is None and n.requires_grad]
        self.wanted = set(leaves if wrt is None else wrt)
        self.leaves = [n for n in self.order if n.op is None or n in self.wanted]
        self.active: set[Node] = set()
        for node in self.order:
            if node in self.wanted or any(i in self.active for i in node.inputs):
                self.active.add(node)
        uses = Counter(child for node in self.order for child in set(node.inputs))
        self.shown = {
            node
            for node in self.order
            if not is_number(node)
            and (
                node.op is None
                or node in self.wanted
                or node is root
                or node.name is not None
                or node in self.layers
                or (uses[node] > 1 and node.op.name not in _INLINED)
            )
        }

    def _name_constants(self) -> None:
        """Give arrays that met the graph without a name the letters X and Y, where they are free.

        Y is one that stands beside the result of the network, in the loss; X is all others.
        """
        taken = set(self.names.values())
        for node in self.order:
            plain = node.op is None and node.name is None and not node.requires_grad
            if plain and np.ndim(node._data):
                users = [n for n in self.order if node in n.inputs]
                product = any(n.op is not None and n.op.multilinear for n in users)
                letter = next((x for x in ("X" if product else "Y", "C") if x not in taken), None)
                if letter is not None:
                    self.names[node] = letter
                    taken.add(letter)

    def _name_layers(self) -> None:
        """Call the results of layers Z1, A1, Z2, ... as far as they have no names."""
        taken = set(self.names.values())
        users: dict[Node, list[Node]] = {}
        for node in self.order:
            for child in node.inputs:
                users.setdefault(child, []).append(node)
        k = 0
        for node in self.order:
            scope = node.scope
            inside = any(user.scope == scope for user in users.get(node, ()))
            if node.op is None or not scope or inside or node.op.vector:
                continue
            affine = node.op.name in ("linear", "matmul")
            k += affine
            letters = "Z" if affine else "AHNBCD"
            name = next((f"{x}{k}" for x in letters if f"{x}{k}" not in taken), None)
            if node.name is None and name is not None:
                self.names[node] = name
                taken.add(name)
                self.layers.add(node)

    # ------------------------------------------------------------------------------ forward

    def forward(self) -> list[Equation]:
        """Return the equations of the values."""
        equations = []
        for node in self.order:
            if is_number(node):
                self.standin[node] = node
                continue
            if node.op is not None and node not in self.wanted:
                made = self._recorded_again(node)
                if node not in self.shown:
                    self.standin[node] = made
                    continue
                term = self._term(made)
                shape = np.shape(node._data)
                equations.append(Equation(self.names[node], term, term, shape, node._data))
            self.standin[node] = self._symbol(self.names[node], node._data)
        return equations

    def _recorded_again(self, node: Node) -> Node:
        op = node.op
        assert op is not None
        args = [self.standin[child] for child in node.inputs]
        share = self._share(node)
        if share is not None:
            name, sign, child = self.shares[node] = share
            whole = self.standin[child]
            if op.name == "mean":
                whole = arrays.sum_(whole, axis=None, keepdims=False)
            one_over = self._symbol(name, 1.0 / self.counts[name[2:]])
            return arithmetic.mul(arithmetic.mul(sign, one_over), whole)  # type: ignore[no-any-return]
        if op.name == "label_cross_entropy":
            hot, logs = self._one_hot(node), fused.log_softmax(args[0], axis=-1)
            picked = arrays.sum_(arithmetic.mul(hot, logs), axis=-1, keepdims=False)
            return arithmetic.neg(picked)  # type: ignore[no-any-return]
        recorded: Node = op([*args], **node.params) if op.variadic else op(*args, **node.params)
        return recorded

    def _share(self, node: Node) -> tuple[str, float, Node] | None:
        """Return 1/m, a sign and the input, if a node is a mean over all elements of an array.

        It may have been recorded as a mean, or as a sum times 1/m, or divided by m.
        """
        op = node.op
        assert op is not None
        if op.name == "mean" and np.size(node._data) == 1:
            (child,) = node.inputs
            return self._one_over(int(np.size(child._data))), 1.0, child
        if op.name not in ("mul", "div") or np.ndim(node._data):
            return None
        numbers = [i for i in node.inputs if is_number(i)]
        others = [i for i in node.inputs if not is_number(i)]
        if len(numbers) != 1 or (op.name == "div" and is_number(node.inputs[0])):
            return None
        count = _summed_below(others[0])
        number = float(numbers[0]._data)
        size = 1.0 / number if op.name == "mul" and number else number
        if count < 2 or abs(abs(size) - count) > 1e-9 * count:
            return None
        return self._one_over(count), 1.0 if size > 0 else -1.0, others[0]

    def _one_over(self, count: int) -> str:
        for name, known in self.counts.items():
            if known == count:
                return f"1/{name}"
        taken = {*self.names.values(), *self.counts}
        spare = (f"{self.count}{k}" for k in range(2, 1000))
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
        received: dict[Node, Parts] = {self.root: {"": (ones, ones)}}
        latest: dict[Node, int] = {self.root: 0}  # the equation after which a node is complete
        leaves: list[tuple[int, int, Equation]] = []
        for place, node in reversed(list(enumerate(self.order))):
            if node not in received or node not in self.active:
                continue
            parts = received[node]
            if node in self.wanted:
                leaves.append((latest[node], place, self._of_leaf(node, parts)))
                continue
            if node in self.shown and node is not self.root and not self._merges(node, parts):
                equation, parts = self._of_value(node, parts)
                equations.append(equation)
                latest[node] = len(equations)
            if node.op is None:
                continue
            for child, share, part in self._passed_on(node, parts):
                before = received.setdefault(child, {}).get(share)
                received[child][share] = part if before is None else _added(before, part)
                latest[child] = max(latest.get(child, 0), latest[node])
        for after, _, equation in sorted(leaves, key=lambda item: item[:2], reverse=True):
            equations.insert(after, equation)
        return equations

    def _of_leaf(self, node: Node, parts: Parts) -> Equation:
        """Return the equation of a leaf's gradient, with the shares before its parts."""
        return self._equation(node, parts, node._data)

    def _of_value(self, node: Node, parts: Parts) -> tuple[Equation, Parts]:
        """Return the equation of an inner gradient, and the symbol that stands for it."""
        share = next(iter(parts)) if len(parts) == 1 else ""
        equation = self._equation(node, {"": parts[share]} if share else parts, node._data)
        if share:
            self.scaled.add(equation.name)
        symbol = self._symbol(equation.name, equation.data)
        return equation, {share: (symbol, symbol)}

    def _equation(self, node: Node, parts: Parts, like: Any) -> Equation:
        written: Term = Number(0.0)
        exact: Term = Number(0.0)
        data: Any = 0.0
        for share, (textbook, stable) in parts.items():
            one = Symbol(share) if share else ONE
            written = add(written, times(one, shortest(self._term(textbook))))
            exact = add(exact, times(one, self._term(stable)))
            data = data + textbook._data * (1.0 / self.counts[share[2:]] if share else 1.0)
        if _is_merged(written, exact):
            exact = written
        data = float(data) if type(like) is float else np.asarray(data)
        return Equation(f"d{self.names[node]}", written, exact, np.shape(like), data)

    def _merges(self, node: Node, parts: Parts) -> bool:
        """Tell whether a gradient is left out, since the equation of the next one is shorter.

        So the cross-entropy of a sigmoid or softmax gives ``dZ = A − Y``.
        """
        op = node.op
        if op is None or op.arity != 1 or op.variadic or node.inputs[0] not in self.active:
            return False
        own = sum(length(shortest(self._term(g))) for g, _ in parts.values())
        following = self._passed_on(node, parts)
        return sum(length(shortest(self._term(g))) for _, _, (g, _) in following) < own

    def _passed_on(self, node: Node, parts: Parts) -> list[tuple[Node, str, Pair]]:
        """Return what each input receives, by its share, by the textbook and by the rules."""
        op = node.op
        assert op is not None
        found: list[tuple[Node, str, Pair]] = []
        for share, (g, stable) in parts.items():
            if node in self.shares:
                own, sign, child = self.shares[node]
                if share:  # a mean of means
                    sign = sign / self.counts[own[2:]]
                    own = share
                signed = [arithmetic.mul(sign, x) if sign != 1.0 else x for x in (g, stable)]
                found.append((child, own, self._fitted(signed, child)))
                continue
            for child, part, exact in self._by_rules(node, g, stable):
                found.append((child, share, self._fitted([part, exact], child)))
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
            elif op.name in _TEXTBOOK:
                textbook = _TEXTBOOK[op.name]
                part, exact = (textbook(x, z, *args, **node.params) for x in (g, stable))
            else:
                exact = rule(stable, z, *args, **node.params)
                part = (
                    arithmetic.mul(g, slope(op, place)(z, *args))
                    if op.elementwise
                    else rule(g, z, *args, **node.params)
                )
            yield child, part, exact

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
            elif np.size(node._data) < np.prod(shape):
                fitted.append(broadcast_to(node, shape=shape))
            else:
                fitted.append(sum_to(node, shape=shape))
        return fitted[0], fitted[1]

    # ------------------------------------------------------------------------------ symbols

    def _symbol(self, name: str, data: Any) -> Node:
        leaf: Node = Constant(data) if type(data) is float else Tensor(data, requires_grad=False)
        self.symbols[leaf] = name
        return leaf

    def _number(self, data: Any) -> Node:
        plain = type(data) is float or (type(self.root._data) is float and np.ndim(data) == 0)
        return Constant(float(data)) if plain else Tensor(data, requires_grad=False)

    def _term(self, node: Node) -> Term:
        return term_of(node, self.symbols, self._constant)

    def _constant(self, data: Any) -> str:
        """Return the name of an array that a rule has made."""
        for name, known in self.given.items():
            if np.array_equal(known, data):
                return name
        taken = {*self.names.values(), *self.given}
        name = next(n for n in (f"C{k}" for k in range(1, 10_000)) if n not in taken)
        self.given[name] = data
        return name


_INLINED = {"transpose", "reshape", "broadcast_to"}


def _above(root: Node, stops: set[Node]) -> list[Node]:
    """Return the nodes of a graph, inputs first, without what is only below ``stops``."""
    seen: set[Node] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += () if node in stops else node.inputs
    return [node for node in toposort(root) if node in seen]


def _summed_below(node: Node) -> int:
    """Return over how many elements a number is a sum, up to its sign; 0 if it is none."""
    while node.op is not None and node.op.name in ("neg", "reshape"):
        node = node.inputs[0]
    if node.op is not None and node.op.name == "sum" and np.size(node._data) == 1:
        return int(np.size(node.inputs[0]._data))
    terms = 0
    while node.op is not None and node.op.name == "add":  # sum() of a list of Values
        terms += 1
        node = node.inputs[0]
    return terms if is_number(node) else 0


def _added(a: Pair, b: Pair) -> Pair:
    return arithmetic.add(a[0], b[0]), arithmetic.add(a[1], b[1])


def _is_merged(written: Term, exact: Term) -> bool:
    """Tell whether a textbook form is a difference, like A − Y, which is stable as it is."""
    return isinstance(written, Sum) and length(written) < length(exact)


def _softmax_textbook(g: Any, z: Any, x: Any, *, axis: Any) -> Any:
    return z * (g - arrays.sum_(g * z, axis=axis, keepdims=True))


def _log_softmax_textbook(g: Any, z: Any, x: Any, *, axis: Any) -> Any:
    return g - fused.softmax(x, axis=axis) * arrays.sum_(g, axis=axis, keepdims=True)


def _logsumexp_textbook(g: Any, z: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    return with_reduced_axes(g, x, axis) * fused.softmax(x, axis=axis)


_TEXTBOOK: dict[str, Rule] = {
    "softmax": _softmax_textbook,
    "log_softmax": _log_softmax_textbook,
    "logsumexp": _logsumexp_textbook,
}


def derive(
    root: Node,
    wrt: Sequence[Node] | None = None,
    count: str = "m",
    names: Mapping[Node, str] | None = None,
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
    """
    deriver = Deriver(root, wrt, count, names)
    forward = deriver.forward()
    backward = deriver.backward()
    leaves = [n for n in deriver.leaves if not is_number(n)]
    first: dict[str, int] = {}  # where each name is first used
    for equation in forward:
        for symbol in symbols(equation.term):
            first.setdefault(symbol.name, len(first))
    leaves.sort(key=lambda n: first.get(deriver.names[n], len(first)))
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
    )
