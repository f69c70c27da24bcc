"""What is written on a card."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph.node import UNREACHED, Group, Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.readers.miniature import Miniature, joined, of_array
from micrograd_nn.readers.numbers import numbers
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.sparkline import sparkline
from micrograd_nn.readers.view import Card

NO_GRADIENT = "no gradient yet"


@dataclass(frozen=True)
class Wording:
    """The text of a card.

    Attributes
    ----------
    kind : str
        "input", "parameter", "constant", "arithmetic", "function", "reduction", "layer" or "more":
        a colour.
    title, op : str
        The name in bold (or the operation, where there is no name), and the operation beside it.
    rows : tuple of (label, text)
        The lines below. A line without a text is one muted phrase.
    badge : str
        "×25" on a card that stands for 25.
    tooltip : str
        All that is known, in full.
    is_stack : bool
        Whether it stands for several alike: it is drawn as a stack.
    miniature : Miniature, optional
        The small drawing below the rows.
    strength : float, optional
        The largest |gradient|, where a pass has computed one.
    """

    kind: str
    title: str
    op: str
    rows: tuple[tuple[str, str], ...]
    badge: str
    tooltip: str
    is_stack: bool = False
    miniature: Miniature | None = None
    strength: float | None = None


def wording(scopes: Scopes, card: Card, show: Collection[str]) -> Wording:
    """Return what is written on a card, of which ``show`` may leave out parts."""
    if card.hidden:
        s = "" if card.hidden == 1 else "s"
        text = f"{card.hidden:,} more node{s}"
        return Wording("more", "⋯", text, (), "", f"{text} below, for which there is no room")
    if card.layer >= 0:
        return _of_layer(scopes, card, show)
    return _of_nodes(scopes, card, show)


def _of_nodes(scopes: Scopes, card: Card, show: Collection[str]) -> Wording:
    kept = card.nodes if not card.terms else _ends_of_sums(scopes, card)
    nodes = [scopes.nodes[n] for n in kept]
    node = nodes[-1]
    badge = f"×{card.copies}" if card.copies > 1 else ""
    names = [_name(scopes, n) for n in kept]
    kind = _kind(node, names[-1])
    op = _operation(node.op) if node.op is not None else ""
    if card.terms:
        kind, op = "reduction", f"Σ {card.terms:,} terms"
    name = _names(names)
    rows = _rows(nodes, show, leaf=node.op is None)
    if kind == "constant":
        different = list(dict.fromkeys(float(n._data) for n in nodes))
        name, op, rows = numbers(different), "", ()
    elif not name:
        name, op = op, ""
    miniature = _miniature(nodes, show) if kind != "constant" else None
    about = _all_about(nodes)
    several = card.copies > 1
    return Wording(kind, name, op, rows, badge, about, several, miniature, _strength(nodes))


def _of_layer(scopes: Scopes, card: Card, show: Collection[str]) -> Wording:
    inside = set(card.nodes)
    nodes = [scopes.nodes[n] for n in card.nodes]
    results = [
        node
        for n, node in zip(card.nodes, nodes, strict=True)
        if node.op is not None and not (scopes.users[n] and inside.issuperset(scopes.users[n]))
    ]
    operations = list(dict.fromkeys(_operation(n.op) for n in nodes if n.op is not None))
    op = operations[0] if len(operations) == 1 else ""
    rows = _rows(results, show, leaf=False)
    contents = _contents(scopes, card)
    rows += tuple((line, "") for line in contents)
    if card.copies > 1:
        title = scopes.names[card.layer].partition(".")[0]
    else:
        title = scopes.names[card.layer]
    badge = f"×{card.copies}" if card.copies > 1 else ""
    path = scopes.path(card.layer)
    tooltip = "\n".join([path, *operations[:12], *contents, _all_about(results)])
    several = card.copies > 1 or any(line.endswith("neurons") for line in contents)
    applied = [n for n in nodes if n.op is not None and (n.op.vector or n.op.elementwise)]
    miniature = _miniature(applied or results, show)
    strength = _strength(results)
    return Wording("layer", title, op, rows, badge, tooltip, several, miniature, strength)


# -------------------------------------------------------------------------------- names and signs


def _name(scopes: Scopes, n: int) -> str:
    """Return a node's name, or the one that its place in a unit gives it: x1, w2, b."""
    node = scopes.nodes[n]
    if node.name is not None:
        return node.name
    if node.op is not None:
        return ""
    if scopes.users[n]:
        user = scopes.users[n][0]
        op = scopes.nodes[user].op
        if op is not None and op.vector:
            place, count = scopes.inputs[user].index(n), len(scopes.inputs[user])
            if place == count - 1:
                return "b"
            return f"x{place + 1}" if place < count // 2 else f"w{place - count // 2 + 1}"
    if not node.requires_grad:
        return "data" if np.ndim(node._data) else ""
    return type(node).__name__


def _names(names: Sequence[str]) -> str:
    """Return one name for several cards: the one they share, or the first and the last."""
    different = list(dict.fromkeys(names))
    if len(different) == 1:
        return different[0]
    return f"{different[0]} … {different[-1]}" if all(different) else ""


def _operation(op: Primitive) -> str:
    """Return the sign of an operation, or its name: "+", "tanh", "w · x + b"."""
    notation = op.notation.replace("∘", "×")
    bare = notation.replace("{}", "").strip()
    if not bare:
        return op.name
    if notation == f"{{}} {bare} {{}}" or notation == f"{bare}{{}}" or notation == f"{bare} {{}}":
        return bare
    head, bracket, rest = notation.partition("(")
    if bracket and head and rest[:1] == "{" and rest[-1:] == ")" and "{" not in head:
        return head
    letters = ("x", "W", "b") if op.name == "linear" else "xyz" if op.elementwise else "ABC"
    try:
        return notation.format(*letters[: op.arity])
    except (KeyError, IndexError, ValueError):
        return op.name


def _kind(node: Node, name: str) -> str:
    op = node.op
    if op is None:
        if node.requires_grad:
            return "parameter"
        return "input" if name or np.ndim(node._data) else "constant"
    if op.vector:
        return "arithmetic" if op.name == "affine" else "function"
    if op.elementwise:
        return "function" if op.arity == 1 and op.name != "neg" else "arithmetic"
    return "arithmetic" if op.multilinear else "reduction"


# ------------------------------------------------------------------------------ data and contents


def _rows(nodes: Sequence[Node], show: Collection[str], leaf: bool) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    if not nodes:
        return ()
    shapes = {getattr(n, "shape", ()) for n in nodes}
    if "shape" in show and len(shapes) == 1 and shapes != {()}:
        (shape,) = shapes
        rows.append(("shape", f"{_shape(shape)} {getattr(nodes[0], 'dtype', '')}"))
    if "data" in show:
        rows.append(("data", numbers([n._data for n in nodes])))
    if "grad" in show and any(n.requires_grad for n in nodes):
        grads = [grad for grad in map(gradient, nodes) if grad is not None]
        rows.append(("grad", numbers(grads)) if grads else (NO_GRADIENT, ""))
    return tuple(rows)


def _miniature(nodes: Sequence[Node], show: Collection[str]) -> Miniature | None:
    """Return a drawing of the function that the nodes apply, or else of their data."""
    if "data" not in show or "plots" not in show or not nodes:
        return None
    return sparkline(nodes) or of_array(joined([n._data for n in nodes]))


def _strength(nodes: Sequence[Node]) -> float | None:
    grads = [gradient(node) for node in nodes if node.requires_grad]
    sizes = [float(np.max(np.abs(grad))) for grad in grads if grad is not None and np.size(grad)]
    return max(sizes, default=None)


def gradient(node: Node) -> Any:
    """Return the gradient of a node as a number or array, None where no pass has reached it."""
    units = node._a
    if isinstance(units, Group):
        of_units = units._grad
        return None if of_units is UNREACHED else of_units[node._x] if np.ndim(of_units) else 0.0
    grad = node._grad
    if grad is UNREACHED:
        return None
    return grad._data if isinstance(grad, Node) else grad


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) if len(shape) > 1 else f"({shape[0]},)"


def _contents(scopes: Scopes, card: Card) -> list[str]:
    """Return what a layer is made of: "2 weights, 1 bias", "16 neurons", "× 25 examples"."""
    units: dict[int, int] = {}
    parameters = weights = 0
    for n in card.nodes:
        node = scopes.nodes[n]
        if node.op is not None and node.op.vector:
            units[scopes.group_of[n]] = units.get(scopes.group_of[n], 0) + 1
        elif node.op is None and node.requires_grad:
            parameters += int(np.size(node._data))
            user = scopes.users[n][0]
            op = scopes.nodes[user].op
            weights += op is not None and op.vector and scopes.inputs[user][-1] != n
    lines = []
    copies = card.copies
    if len(units) // copies > 1:
        lines.append(f"{len(units) // copies} neurons")
    calls = max(units.values(), default=1)
    if calls > 1:
        lines.append(f"for {calls} examples")
    if parameters and len(units) == copies and weights:
        w, b = weights // copies, (parameters - weights) // copies
        lines.append(", ".join(filter(None, [_count(w, "weight"), _count(b, "bias", "biases")])))
    elif parameters:
        lines.append(_count(parameters // copies, "parameter"))
    return lines


def _count(n: int, one: str, many: str = "") -> str:
    return "" if not n else f"{n:,} {one if n == 1 else many or one + 's'}"


def _ends_of_sums(scopes: Scopes, card: Card) -> list[int]:
    """Return the last additions of the chains on a card."""
    inside = set(card.nodes)
    return [n for n in card.nodes if not inside.issuperset(scopes.users[n]) or not scopes.users[n]]


def _all_about(nodes: Sequence[Node]) -> str:
    """Return the text that is shown when the pointer rests on a card."""
    if not nodes:
        return ""
    node = nodes[0]
    lines = []
    if len(nodes) > 1:
        lines.append(f"{len(nodes):,} values")
    if node.op is not None:
        lines.append(f"{node.name} = {node.op.name}" if node.name else node.op.name)
    else:
        lines.append(node.name or type(node).__name__)
    if getattr(node, "shape", ()):
        lines.append(f"shape {node.shape}, {node.dtype}")  # type: ignore[attr-defined]
    exact = len(nodes) == 1 and not np.ndim(node._data)
    data = [n._data for n in nodes]
    lines.append(f"data {float(node._data)!r}" if exact else f"data {numbers(data)}")
    if node.requires_grad:
        grads = [grad for grad in map(gradient, nodes) if grad is not None]
        if not grads:
            lines.append(NO_GRADIENT)
        else:
            lines.append(f"grad {float(grads[0])!r}" if exact else f"grad {numbers(grads)}")
    if node.scope:
        lines.append(f"in {node.scope}")
    if node.line:
        lines.append(f"recorded at {node.line}")
    return "\n".join(lines)
