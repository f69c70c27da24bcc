"""Networks of neurons in index form: the deltas of the units, layer by layer.

With o the weighted sum of a unit, a its activation and δ = ∂E/∂o:
δ_j[k] = g'(o_j[k]) Σ_l w_lj[k+1] δ_l[k+1] and ∂E/∂w_ij[k] = δ_j[k] a_i[k−1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.explain.algebra import in_factors, times, without
from micrograd_nn.readers.explain.derive import derive
from micrograd_nn.readers.explain.equations import Derivation
from micrograd_nn.readers.explain.neurons import NeuronLayer, layers_of
from micrograd_nn.readers.explain.terms import (
    ONE,
    Call,
    Number,
    Prime,
    Product,
    Sum,
    Symbol,
    Term,
    symbols,
)

#: A sign, such as "Σ_i", a derivative "∂E/∂w", or a term.
Token = str | Term
Tokens = list[Token]


@dataclass
class IndexForm:
    """The lines of a network in index form.

    Attributes
    ----------
    layers : list of NeuronLayer
    forward, backward : list of (Token, list of Token)
    loss : list of Summand or None
        The loss in terms of one output a_j and its target y_j, if all outputs enter it alike.
    made : Derivation or None
        Of the loss by the outputs.
    compared : dict
        For each output, the name and the node of what it is compared with.
    notes : list of str
    """

    layers: list[NeuronLayer]
    forward: list[tuple[Token, Tokens]] = field(default_factory=list)
    backward: list[tuple[Token, Tokens]] = field(default_factory=list)
    loss: list[Summand] | None = None
    made: Derivation | None = None
    compared: dict[Node, tuple[str, Node]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def index_form(root: Node, order: Sequence[Node], count: str) -> IndexForm:
    """Return the lines of a network of neurons, the root a loss of its outputs."""
    layers = layers_of(order)
    form = IndexForm(layers)
    for k, layer in enumerate(layers, start=1):
        form.forward += _computed(layer, k)
    E = root.name or "E"
    last = len(layers)
    if root in layers[-1].outputs:
        outer: Tokens = []
        direct: dict[str, Term] = {}
    else:
        outer, direct = _of_loss(form, root, order, E, count)
    examples = layers[-1].examples
    delta = [*outer, *_slope(layers[-1], last)] or [ONE]
    form.backward.append((Symbol(f"δ_j[{last}]"), delta))
    form.backward += _of_weights(form, last, E, direct)
    for k in range(last - 1, 0, -1):
        back: Tokens = [f"Σ_l w_lj[{k + 1}]", Symbol(f"δ_l[{k + 1}]")]
        form.backward.append((Symbol(f"δ_j[{k}]"), [*_slope(layers[k - 1], k), *back]))
        form.backward += _of_weights(form, k, E, direct)
    if form.made is not None and form.made.counts:
        name, number = next(iter(form.made.counts.items()))
        form.notes.append(f"{name} = {number.number:,}")
    if examples > 1:
        form.notes.append("Σ is over the examples, where it has no index")
    return form


def _computed(layer: NeuronLayer, k: int) -> list[tuple[Token, Tokens]]:
    o = Symbol(f"o_j[{k}]")
    sum_: Tokens = [f"Σ_i w_ij[{k}]", _input(k), "+", Symbol(f"b_j[{k}]")]
    g = _name(layer)
    applied: Token = Call(g, (o, *map(Number, layer.constants)), ()) if g else o
    return [(o, sum_), (Symbol(f"a_j[{k}]"), [applied])]


def _input(k: int) -> Symbol:
    return Symbol("x_i" if k == 1 else f"a_i[{k - 1}]")


def _name(layer: NeuronLayer) -> str:
    if not layer.known:
        return "g"
    return "" if layer.activation is None else layer.activation.name


def _slope(layer: NeuronLayer, k: int) -> Tokens:
    g = _name(layer)
    args: tuple[Term, ...] = (Symbol(f"o_j[{k}]"), *map(Number, layer.constants))
    return [Prime(g, args, 0, ())] if g else []


def _of_weights(
    form: IndexForm, k: int, E: str, direct: dict[str, Term]
) -> list[tuple[Token, Tokens]]:
    share: Tokens = []
    if form.layers[k - 1].examples > 1:
        counts = form.made.counts if form.made is not None else {}
        share = [*(Symbol(f"1/{name}") for name in [*counts][:1]), "Σ"]
    lines: list[tuple[Token, Tokens]] = []
    for name, tokens in (
        (f"w_ij[{k}]", [Symbol(f"δ_j[{k}]"), _input(k)]),
        (f"b_j[{k}]", [Symbol(f"δ_j[{k}]")]),
    ):
        more: Tokens = ["+", direct[name]] if name in direct else []
        lines.append((f"∂{E}/∂{name}", [*share, *tokens, *more]))
    return lines


# ---------------------------------------------------------------------------------- the loss


def _of_loss(
    form: IndexForm, root: Node, order: Sequence[Node], E: str, count: str
) -> tuple[Tokens, dict[str, Term]]:
    """Write the loss; return its derivative by an output, and those that weights have directly."""
    layers, last = form.layers, len(form.layers)
    families = {f"a_j[{last}]": layers[-1].outputs}
    for k, layer in enumerate(layers, start=1):
        families[f"w_ij[{k}]"] = layer.weights
        families[f"b_j[{k}]"] = layer.biases
    names = {node: name for name, nodes in families.items() for node in nodes}
    above = _above(root, set(layers[-1].outputs))
    compared = _compared(above, set(layers[-1].outputs))
    for name, other in compared.values():
        names[other] = name
        families.setdefault(name, []).append(other)
    used = {child for node in above for child in node.inputs}
    outputs = [node for node in layers[-1].outputs if node in used]
    weights = [n for name in families for n in families[name] if name[0] in "wb" and n in used]
    by_name: dict[str, set[Term]] = {}
    made = derive(
        root,
        [*outputs, *weights],
        count,
        names,
        longest=4 * len(order),
        examples=layers[-1].examples,
    )
    for equation in made.backward:
        by_name.setdefault(equation.of, set()).add(equation.term)
    sizes = {name: len(nodes) for name, nodes in families.items()}
    alike = all(len(terms) == 1 for terms in by_name.values()) and len(made.forward) == 1
    summands = _summands(made.forward[-1].term, sizes) if alike else None
    exact = _summands(made.forward[-1].stable, sizes) if alike else None
    if summands is None or exact is None or len(outputs) < len(layers[-1].outputs):
        form.forward.append((Symbol(E), ["a function of", Symbol(f"a_j[{last}]")]))
        return [f"∂{E}/∂a_j[{last}]"], {}
    form.made, form.loss, form.compared = made, exact, compared
    form.forward.append((Symbol(E), _written(summands)))
    slopes = {name: next(iter(terms)) for name, terms in by_name.items()}
    outer = slopes.pop(f"a_j[{last}]")
    if layers[-1].examples > 1:
        for name in made.counts:
            outer = without(outer, Symbol(f"1/{name}"))
    return ([] if outer == ONE else [outer]), slopes


def _above(root: Node, stops: set[Node]) -> list[Node]:
    seen: dict[Node, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen and node not in stops:
            seen[node] = None
            stack += node.inputs
    return list(seen)


def _compared(above: Sequence[Node], outputs: set[Node]) -> dict[Node, tuple[str, Node]]:
    """Return, for each output, what it is compared with, y_j, or multiplied by, c_j."""
    targets: dict[Node, tuple[str, Node]] = {}
    factors: dict[Node, tuple[str, Node]] = {}
    for node in above:
        op = node.op
        if op is None or op.arity != 2 or len(node.inputs) != 2:
            continue
        for output, other in (node.inputs, node.inputs[::-1]):
            if output in outputs and other.op is None and not other.requires_grad:
                named = targets if op.name in _COMPARING else factors
                named[output] = ("y_j" if named is targets else "c_j", other)
    if len({other._data for _, other in factors.values()}) > 1:
        return factors | targets
    return targets


_COMPARING = {"sub", "bce_with_logits", "hinge"}


@dataclass(frozen=True)
class Summand:
    """``scale · Σ term`` over ``size`` equal terms: outputs, or weights of a layer."""

    scale: Term
    term: Term
    size: int


def _summands(term: Term, sizes: dict[str, int]) -> list[Summand] | None:
    """Return a sum as its summands; ``None``, if one mixes outputs and weights.

    The symbols of outputs, weights and so on have one name for all of a layer, so that the number
    of equal terms stands before each as a factor.
    """
    found: list[Summand] = []
    for part in _parts(term, sizes):
        counts = _counts(part, sizes)
        if len(counts) > 1:
            return None
        size = counts.pop() if counts else 1
        number, factors = in_factors(part)
        shares = [f for f in factors if isinstance(f, Symbol) and f.name.startswith("1/")]
        rest = [f for f in factors if f not in shares]
        found.append(Summand(times(number / size, *shares), times(*rest), size))
    return found


def _written(summands: Sequence[Summand]) -> Tokens:
    tokens: Tokens = []
    for part in summands:
        scale = part.scale
        minus = in_factors(scale)[0] < 0
        if minus or tokens:
            tokens.append("−" if minus else "+")
        scale = times(-1.0, scale) if minus else scale
        tokens += [scale] if scale != ONE or part.term == ONE else []
        tokens += ["Σ"] if part.size > 1 else []
        tokens += [part.term] if part.term != ONE else []
    return tokens


def _parts(term: Term, sizes: dict[str, int]) -> Sequence[Term]:
    """Return the summands of a term, multiplied out if they are not sums over the same."""
    if isinstance(term, Sum) and len(_counts(term, sizes)) > 1:
        return [part for summand in term.terms for part in _parts(summand, sizes)]
    if isinstance(term, Product):
        for factor in term.factors:
            if isinstance(factor, Sum) and len(_counts(factor, sizes)) > 1:
                others = [f for f in term.factors if f is not factor]
                parts = [times(term.number, *others, part) for part in factor.terms]
                return [whole for part in parts for whole in _parts(part, sizes)]
    return (term,)


def _counts(term: Term, sizes: dict[str, int]) -> set[int]:
    return {sizes[s.name] for s in symbols(term) if s.name in sizes}
