"""Networks of neurons in index form: the deltas of the units, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.explain.derive import Derivation, derive
from micrograd_nn.readers.explain.terms import Product, Sum
from micrograd_nn.readers.explain.text import text

Lines = list[tuple[str, str]]


def index_equations(root: Node, order: Sequence[Node], count: str) -> tuple[Derivation, Lines]:
    """Return the derivation of the loss by the network's outputs, and the lines in index form.

    With o the weighted sum of a unit, a its activation and δ = ∂E/∂o:
    δ_j[k] = g'(o_j[k]) Σ_l w_lj[k+1] δ_l[k+1] and ∂E/∂w_ij[k] = δ_j[k] a_i[k−1].
    """
    layers = _layers(order)
    inside = {node for units in layers for node in units}
    used = {child for node in order if node not in inside for child in node.inputs}
    outputs = [node for node in layers[-1] if node in used or node is root]
    E = root.name or "E"
    last = len(layers)
    names = {outputs[0]: f"a_j[{last}]"} if len(outputs) == 1 else {}
    made = derive(root, outputs, count, names) if root not in inside else _of_output(root)
    lines: Lines = []
    for k, units in enumerate(layers, start=1):
        lines.append(
            (f"o_j[{k}]", f"Σ_i w_ij[{k}] {'x_i' if k == 1 else f'a_i[{k - 1}]'} + b_j[{k}]")
        )
        lines.append((f"a_j[{k}]", _applied(units[0], f"o_j[{k}]")))
    if root not in inside:
        lines.append((E, _loss(made)))
    lines.append(("", ""))
    outer = "1" if root in inside else _by_output(made, last, E)
    lines.append((f"δ_j[{last}]", _times(outer, _slope(layers[-1][0], f"o_j[{last}]"))))
    lines += _of_weights(last, E)
    for k, (units, _) in reversed(list(enumerate(pairwise(layers), start=1))):
        back = f"Σ_l w_lj[{k + 1}] δ_l[{k + 1}]"
        lines.append((f"δ_j[{k}]", _times(_slope(units[0], f"o_j[{k}]"), back)))
        lines += _of_weights(k, E)
    return made, lines


def _layers(order: Sequence[Node]) -> list[list[Node]]:
    """Return the units by the number of layers below them."""
    depth: dict[Node, int] = {}
    layers: list[list[Node]] = []
    for node in order:
        if node.op is not None and node.op.vector:
            k = max((depth[child] + 1 for child in node.inputs if child in depth), default=0)
            depth[node] = k
            while len(layers) <= k:
                layers.append([])
            layers[k].append(node)
    return layers


def _of_output(root: Node) -> Derivation:
    return Derivation([], [], root.name or "E", {}, [], [], {}, set())


def _of_weights(k: int, E: str) -> Lines:
    return [(f"∂{E}/∂w_ij[{k}]", f"δ_j[{k}] {_input(k)}"), (f"∂{E}/∂b_j[{k}]", f"δ_j[{k}]")]


def _input(k: int) -> str:
    return "x_i" if k == 1 else f"a_i[{k - 1}]"


def _activation(unit: Node) -> str:
    assert unit.op is not None
    return "" if unit.op.name == "affine" else unit.op.notation.partition("(")[0]


def _applied(unit: Node, o: str) -> str:
    g = _activation(unit)
    return f"{g}({o})" if g else o


def _slope(unit: Node, o: str) -> str:
    g = _activation(unit)
    return f"{g}′({o})" if g else ""


def _times(*factors: str) -> str:
    kept = [factor for factor in factors if factor not in ("", "1")]
    return " ".join(kept) or "1"


def _loss(made: Derivation) -> str:
    return text(made.forward[-1].term) if made.forward else ""


def _by_output(made: Derivation, last: int, E: str) -> str:
    if not made.backward:
        return f"∂{E}/∂a_j[{last}]"
    term = made.backward[-1].term
    written = text(term)
    return f"({written})" if isinstance(term, (Sum, Product)) and " " in written else written
