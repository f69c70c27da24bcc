"""A scalar network as its layers: which units there are, on how many examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive, table
from micrograd_nn.readers.labels import is_number


@dataclass
class NeuronLayer:
    """The units of one layer, on all examples.

    Attributes
    ----------
    units : list of Node
        w·x + b, or its activation.
    outputs : list of Node
        The activations: the units, or what was computed of them.
    activation : Primitive or None
        None for the identity.
    constants : tuple of float
        Further arguments of the activation.
    known : bool
        Whether the activation is known; one of several operations isn't.
    parameters : dict
        The weights and the bias of each neuron, in order.
    """

    units: list[Node] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)
    activation: Primitive | None = None
    constants: tuple[float, ...] = ()
    known: bool = True
    parameters: dict[tuple[Node, ...], None] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        """On how many examples the neurons were called."""
        return len(self.units) // len(self.parameters)

    @property
    def weights(self) -> list[Node]:
        """All weights, without the biases."""
        return [w for one in self.parameters for w in one[:-1]]

    @property
    def biases(self) -> list[Node]:
        """The biases."""
        return [one[-1] for one in self.parameters]


def layers_of(order: Sequence[Node]) -> list[NeuronLayer]:
    """Return the layers of the neurons in a graph, by the number of layers below them."""
    users: dict[Node, list[Node]] = {}
    for node in order:
        for child in set(node.inputs):
            users.setdefault(child, []).append(node)
    depth: dict[Node, int] = {}
    layers: list[NeuronLayer] = []
    for node in order:
        below = max((depth[child] for child in node.inputs), default=-1)
        is_unit = node.op is not None and node.op.vector
        depth[node] = below + is_unit
        if not is_unit:
            continue
        if depth[node] == len(layers):
            layers.append(NeuronLayer())
        layer = layers[depth[node]]
        layer.units.append(node)
        half = len(node.inputs) // 2
        layer.parameters.setdefault(tuple(node.inputs[half:]))
        output, layer.activation, layer.constants = _activated(node, users.get(node, ()))
        layer.outputs.append(output)
    for layer, following in pairwise(layers):
        outputs = set(layer.outputs)
        entering = {x for unit in following.units for x in unit.inputs[: len(unit.inputs) // 2]}
        layer.known = not any(x not in outputs for x in entering)
    return layers


def places(layers: Sequence[NeuronLayer]) -> dict[Node, tuple[int, int]]:
    """Return the example and the neuron of each unit, and of its activation."""
    found: dict[Node, tuple[int, int]] = {}
    examples: dict[tuple[Node, ...], int] = {}
    for layer in layers:
        neurons = {one: i for i, one in enumerate(layer.parameters)}
        for unit, output in zip(layer.units, layer.outputs, strict=True):
            half = len(unit.inputs) // 2
            inputs, neuron = tuple(unit.inputs[:half]), tuple(unit.inputs[half:])
            before = next((found[x][0] for x in inputs if x in found), None)
            example = examples.setdefault(inputs, len(examples)) if before is None else before
            found[unit] = found[output] = example, neurons[neuron]
    return found


def _activated(
    unit: Node, users: Sequence[Node]
) -> tuple[Node, Primitive | None, tuple[float, ...]]:
    """Return the activation of a unit, its row, and the further arguments of it."""
    assert unit.op is not None
    if unit.op.name.startswith("unit_"):
        return unit, table[unit.op.name.removeprefix("unit_")], ()
    if len(users) == 1:
        (user,) = users
        op = user.op
        assert op is not None
        plain = op.elementwise and (op.arity == 1 or op.name in _WITH_A_NUMBER)
        first, *others = user.inputs
        if plain and op.name != "neg" and first is unit and all(map(is_number, others)):
            return user, op, tuple(float(i._data) for i in others)
    return unit, None, ()


_WITH_A_NUMBER = {"leaky_relu", "elu"}
