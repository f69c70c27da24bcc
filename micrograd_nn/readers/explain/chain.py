"""The chain rule on single numbers, step by step: ∂L/∂a = ∂L/∂d · ∂d/∂a = 1 · b = −3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain.algebra import power, times
from micrograd_nn.readers.explain.terms import Symbol
from micrograd_nn.readers.explain.text import text
from micrograd_nn.readers.formulas import derivative, filled, formula
from micrograd_nn.readers.labels import is_number, labels
from micrograd_nn.readers.numbers import number
from micrograd_nn.readers.passes import Contribution, Forward, passes

#: A longer explanation is shortened when it is printed.
LONGEST = 200


@dataclass(frozen=True)
class Step:
    """One line: parts that are equal to each other, the name of the value first."""

    forward: bool
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return " = ".join(self.parts)


def steps(root: Node, wrt: Sequence[Node] | None = None) -> list[Step]:
    """Return the steps of both passes over a graph of Values.

    Parameters
    ----------
    root : Value
    wrt : sequence of Value, optional
        The leaves whose derivatives are wanted; all by default.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> a, b = Value(1.0, name="a"), Value(-3.0, name="b")
    >>> for step in steps((a * b).named("d")):
    ...     print(step)
    d = a × b = 1 × (−3) = −3
    ∂d/∂b = a = 1
    ∂d/∂a = b = −3
    """
    order = toposort(root)
    names = labels(order)
    found: list[Step] = []
    received: dict[Node, list[Contribution]] = {}
    for event in passes(root):
        if isinstance(event, Forward):
            found.append(_computed(event, names))
        elif isinstance(event, Contribution):
            received.setdefault(event.input, []).append(event)
    wanted = set(received) if wrt is None else set(wrt)
    for node in order:
        if any(child in wanted for child in node.inputs):
            wanted.add(node)
    complete = [node for node in reversed(order) if node in received and node in wanted]
    found += [_differentiated(node, received[node], root, names) for node in complete]
    return found


def _computed(event: Forward, names: dict[Node, str]) -> Step:
    template = formula(event.node)
    inputs = event.node.inputs
    by_name = {str(i): names[child] for i, child in enumerate(inputs)}
    by_number = {str(i): number(data) for i, data in enumerate(event.arguments)}
    written, put_in = filled(template, by_name), filled(template, by_number)
    parts = [names[event.node], written]
    parts += [put_in, number(event.value)]
    return Step(True, (parts[0], *dict.fromkeys(parts[1:])))


def _differentiated(
    node: Node, terms: Sequence[Contribution], root: Node, names: dict[Node, str]
) -> Step:
    L, e = names[root], names[node]
    rules, put_in = [], []
    for term in terms:
        d = names[term.node]
        local = _local(term, names)
        whole = term.node is root
        rules.append(f"∂{L}/∂{e}" if whole else f"∂{L}/∂{d} · ∂{d}/∂{e}")
        alone = whole and len(terms) == 1
        bare = local[1:-1] if alone and local.startswith("(") else local
        put_in.append(bare if whole else f"{_bracketed(number(term.upstream))} · {local}")
    total = number(terms[-1].accumulated)
    if all(term.node is root for term in terms):
        rules = []
    parts = [f"∂{L}/∂{e}", *([" + ".join(rules)] if rules else []), " + ".join(put_in)]
    if len(terms) > 1 or number(terms[0].upstream) != "1":  # else it is all but the result
        parts.append(" + ".join(_product_of_numbers(term, root) for term in terms))
    parts.append(total)
    return Step(False, tuple(dict.fromkeys(parts)))


def _local(term: Contribution, names: dict[Node, str]) -> str:
    """Return a local derivative in its textbook form, or as a number."""
    node, op = term.node, term.node.op
    if op is not None and op.name == "power" and not term.argument and is_number(node.inputs[1]):
        exponent = float(node.inputs[1]._data)
        written = text(times(exponent, power(Symbol(names[node.inputs[0]]), exponent - 1.0)))
        return f"({written})" if " " in written else _bracketed(written)
    template = derivative(term.node, term.argument)
    if not template or "{g}" in template:
        return _bracketed(number(term.local))
    words = {str(i): names[child] for i, child in enumerate(term.node.inputs)}
    written = filled(template, words | {"z": names[term.node]})
    return f"({written})" if " " in written else _bracketed(written)


def _product_of_numbers(term: Contribution, root: Node) -> str:
    local = _bracketed(number(term.local))
    if term.node is root:
        return number(term.local)
    return f"{_bracketed(number(term.upstream))} · {local}"


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of equal parts as lines whose first equality signs stand below each other."""
    left = max((len(row[0]) for row in rows), default=0)
    return [f"{row[0]:>{left}} = {' = '.join(row[1:])}" for row in rows]


def shortened_lines(lines: Sequence[str]) -> str:
    """Return lines as a text; of too many, those in the middle are left out, and it is said."""
    if len(lines) > LONGEST:
        half = LONGEST // 2
        rest = len(lines) - 2 * half
        lines = [*lines[:half], f"… {rest:,} more lines …", *lines[-half:]]
    return "\n".join(lines)
