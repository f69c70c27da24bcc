"""The equations of the gradients, by the chain rule.

It is applied with the rows' own rules and with their textbook forms, on the stand-ins of the
forward pass: so each equation can be written, and evaluated. The gradient of a symbol is a symbol,
too, with a d before its name.

With a mean over examples, 1/m stands before the gradients of the leaves only: the gradients of
inner values are those of the sum over examples, as articles have them. Where these aren't wanted
(``of_sum``), 1/m goes into the first gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import GraphError, Node, switch
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.table import arithmetic, arrays, fused
from micrograd_nn.graph.table.arrays import broadcast_to, shape_of, sum_to, with_reduced_axes
from micrograd_nn.readers.explain.algebra import add, in_factors, times
from micrograd_nn.readers.explain.comparisons import branched_since
from micrograd_nn.readers.explain.equations import Equation
from micrograd_nn.readers.explain.forward_pass import LONG, ForwardPass
from micrograd_nn.readers.explain.naming import ARRANGING
from micrograd_nn.readers.explain.primes import prime_of, slope
from micrograd_nn.readers.explain.shortest import has_prime, length, shortest
from micrograd_nn.readers.explain.terms import ONE, Number, Sum, Symbol, Term

#: A cotangent in its textbook form, and in the form that the rules give.
Pair = tuple[Node, Node]
#: The same, by the share, such as 1/m, that stands before it.
Parts = dict[str, Pair]


class BackwardPass(ForwardPass):
    """Derives the equations of the gradients, after those of the values."""

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
        if whole > self.longest or (whole > LONG and inputs > 1 and op.name not in ARRANGING):
            self.found.add(node)
            self.shown.add(node)
        return shorter

    def _of_value(self, node: Node, parts: Parts) -> tuple[Equation, Parts]:
        """Return the equation of an inner gradient, and the symbol that stands for it."""
        share_ = next(iter(parts)) if self.of_sum and len(parts) == 1 else ""
        equation = self._equation(node, {"": parts[share_]} if share_ else parts)
        if share_:
            self.scaled[equation.name] = share_[2:]
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
                before = switch.comparisons
                both = [rule(x, z, args, **node.params) for x in (g, stable)]
                if branched_since(before, [*both[0], *both[1]], [g, stable, z, *args]):
                    raise _can_not_follow(op)
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
                before = switch.comparisons
                exact = rule(stable, z, *args, **node.params)
                if branched_since(before, [exact], [stable, z, *args]):
                    exact = self._by_the_whole_rule(op, place, stable, args, node.params)
                part = (
                    arithmetic.mul(g, slope(op, place)(z, *args, **node.params))
                    if op.elementwise
                    else rule(g, z, *args, **node.params)
                )
            yield child, part, exact

    def _by_the_whole_rule(
        self, op: Primitive, place: int, g: Node, args: Sequence[Node], params: dict[str, Any]
    ) -> Node:
        """Return what a rule makes of a cotangent where what it recorded is one branch of it."""
        if not op.elementwise:
            raise _can_not_follow(op)
        made: Node = arithmetic.mul(g, prime_of(op, place)(*args, **params))
        return made

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


def _can_not_follow(op: Primitive) -> GraphError:
    return GraphError(
        f"explain() can't follow the derivative rule of {op.name!r}, which looks at its data, as "
        "by `if x > 0`: write the choice by functional.where, which is recorded"
    )


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
