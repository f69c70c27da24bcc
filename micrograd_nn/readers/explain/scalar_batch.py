"""A network of neurons on all examples at once: the same loss, written on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from micrograd_nn.graph.modes import recording
from micrograd_nn.graph.node import GraphError, Node
from micrograd_nn.graph.primitive import table
from micrograd_nn.graph.table import arithmetic, arrays, fused
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.readers.explain.derive import derive
from micrograd_nn.readers.explain.equations import Derivation
from micrograd_nn.readers.explain.neurons import NeuronLayer, places
from micrograd_nn.readers.explain.scalar_network import IndexForm
from micrograd_nn.readers.explain.terms import Call, Number, Power, Product, Sum, Symbol, Term


def batch_derivation(form: IndexForm, root: Node, count: str) -> Derivation:
    """Return the equations of a network of neurons on arrays: examples are rows.

    The parameters are matrices W1, W2, ... (n_out, n_in) and vectors b1, b2, ...; the inputs are
    the rows X, and the targets Y.

    Raises
    ------
    GraphError
        If the network or its loss isn't the same for all examples.
    """
    if form.loss is None or not all(layer.known for layer in form.layers):
        raise GraphError(
            "the outputs of this network of neurons enter the loss in different ways, so that it "
            "can't be written on arrays: call the network on a batch, an array of rows, and "
            "explain that"
        )
    with recording():
        return derive(_recorded(form, root), None, count)


def _recorded(form: IndexForm, root: Node) -> Node:
    last, at = len(form.layers), places(form.layers)
    A: Any = Tensor(_inputs(form.layers[0], at), requires_grad=False, name="X")
    known: dict[str, Any] = {}
    for k, layer in enumerate(form.layers, start=1):
        both = np.array([[w._data for w in one] for one in layer.parameters])
        W, b = Tensor(both[:, :-1], name=f"W{k}"), Tensor(both[:, -1], name=f"b{k}")
        A = fused.linear(A, W, b).named(f"Z{k}")
        if layer.activation is not None:
            A = layer.activation(A, *layer.constants).named(f"A{k}")
        known |= {f"w_ij[{k}]": W, f"b_j[{k}]": b, f"a_j[{last}]": A}
    beside: dict[str, Any] = {}
    for output, (name, other) in form.compared.items():
        beside.setdefault(name, np.zeros(A.shape))[at[output]] = other._data
    for name, data in beside.items():
        known[name] = Tensor(data, requires_grad=False, name=name[0].upper())
    assert form.loss is not None
    assert form.made is not None
    counts = {f"1/{name}": 1.0 / count.number for name, count in form.made.counts.items()}
    loss: Any = None
    for part in form.loss:
        value = _node(part.term, known)
        value = arrays.sum_(value, axis=None, keepdims=False) if part.size > 1 else value
        scaled = _node(part.scale, counts) * value
        loss = scaled if loss is None else loss + scaled
    loss = loss if np.ndim(loss._data) == 0 else arrays.sum_(loss, axis=None, keepdims=False)
    return loss.named(root.name or "E")  # type: ignore[no-any-return]


def _inputs(layer: NeuronLayer, at: Mapping[Node, tuple[int, int]]) -> Any:
    """Return the examples as rows."""
    rows = {at[unit][0]: unit.inputs[: len(unit.inputs) // 2] for unit in layer.units}
    return np.array([[x._data for x in rows[example]] for example in range(len(rows))])


def _node(term: Term, known: Mapping[str, Any]) -> Any:
    """Compute a term of scalars on arrays, or record it."""
    if isinstance(term, Symbol):
        return known[term.name]
    if isinstance(term, Number):
        return term.value
    if isinstance(term, Sum):
        values = [_node(part, known) for part in term.terms]
        return reduce(arithmetic.add, values)
    if isinstance(term, Product):
        values = [_node(factor, known) for factor in term.factors]
        return reduce(arithmetic.mul, values if term.number == 1.0 else [term.number, *values])
    if isinstance(term, Power):
        return arithmetic.power(_node(term.base, known), _node(term.exponent, known))
    if isinstance(term, Call):
        return table[term.name](*(_node(arg, known) for arg in term.args), **dict(term.params))
    raise GraphError(f"a network of neurons with {type(term).__name__} has no form on arrays")
