"""The units of a scalar network: one node each for the reader, one per layer for the engine.

A unit computes g(w·x + b). Its arguments are two sequences of scalars, the inputs x and the
parameters (the weights, then the bias). Recording a layer unit by unit would cost a microsecond
for every weight and example, so the units that see the same inputs are computed and
differentiated together, as a ``Units`` node. Readers never meet it: a unit's ``inputs`` are the
scalars, and hidden units come into being when they are asked for.
"""

from __future__ import annotations

import math
from operator import mul
from typing import Any

import numpy as np

from micrograd_nn.graph.node import UNREACHED, Group, Node, Tag, clock, data_of, modes, switch
from micrograd_nn.graph.primitive import Primitive, primitive, table
from micrograd_nn.graph.pull import pull_vectors
from micrograd_nn.graph.value import Value

FloatArray = np.ndarray[Any, Any]

# ------------------------------------------------------------------------------ rows of units


def identity_x(g, z, _x):
    return g


identity = primitive(
    "identity",
    lambda x: x,
    identity_x,
    on_floats=lambda x: x,
    notation="{}",
    code="{}",
    textbook=("1",),
)


def _product(delta: Any, x: Any) -> Any:
    if data_of(delta) == 0 and not math.isfinite(data_of(x)):
        return 0.0
    return delta * x


def unit(activation: Primitive) -> Primitive:
    """Return the row of a unit with that activation, g(w·x + b), making it if there is none.

    Parameters
    ----------
    activation : Primitive
        A row of one argument.

    Examples
    --------
    >>> from micrograd_nn.graph.table.elementary import tanh
    >>> unit(tanh).name
    'unit_tanh'
    >>> unit(tanh)([0.5, 1.0], [2.0, -1.0, 0.0])
    0.0
    """
    name = "affine" if activation is identity else f"unit_{activation.name}"
    if name in table:
        return table[name]

    def on_floats(xs: Any, ws: Any) -> float:
        return float(activation(sum(map(mul, ws, xs), ws[-1])))

    def arguments(g, a, xs, ws):
        z = sum((w * x for w, x in zip(ws, xs, strict=False)), ws[-1])
        rule = activation.rules[0]
        assert rule is not None
        delta = rule(g, a, z)
        return [_product(delta, w) for w in ws[:-1]], [*(_product(delta, x) for x in xs), delta]

    row = primitive(
        name,
        lambda xs, ws: activation.on_arrays(np.dot(ws[:-1], xs) + ws[-1]),
        (arguments,),
        on_floats=on_floats,
        notation=activation.notation.format("w · x + b"),
        elementwise=False,
        vector=True,
    )
    row.pull = _pull_unit
    row.activation = activation
    return row


def _pull_unit(v: Any, g: float) -> None:
    """Carry the cotangent of a unit to its ``Units``, or, where it stands alone, to its inputs."""
    units = v._a
    if type(units) is not Units:
        pull_vectors(v, g)
        return
    if type(units._grad) is float:
        units._grad = np.zeros(len(units._data))
    units._grad[v._x] += g


# --------------------------------------------------------------------------- nodes of a layer


class Parameters(Node):
    """The parameters of a layer, gathered into a matrix; valid while no leaf is overwritten.

    ``_a`` are the parameters, unit by unit, the bias last; ``_data`` is (W, b). During a backward
    pass ``_grad`` is the list of pairs (δ, x) that its ``Units`` left: the gradient is Σ δ xᵀ.
    """

    __slots__ = ("finite", "is_layer", "row", "scope_of_layer", "time")

    def __init__(
        self,
        row: Primitive,
        activation: Primitive,
        units: list[tuple[Value, ...]],
        is_layer: bool = True,
    ) -> None:
        self.is_layer = is_layer  # and not a neuron on its own
        flat = np.array([[p._data for p in parameters] for parameters in units])
        self._data = (np.ascontiguousarray(flat[:, :-1]), np.ascontiguousarray(flat[:, -1]))
        self.finite = bool(np.isfinite(flat).all())
        self._grad = UNREACHED
        self._op = activation
        self._a = tuple(p for parameters in units for p in parameters)
        self._b = self._tag = None
        self.row = row
        self.scope_of_layer = modes.scope
        self.time = clock.time

    def pull_array(self, g: Any, careful: bool) -> bool:
        """Add the gradient of each parameter to it."""
        deltas = np.array([delta for delta, _ in g])
        xs = np.array([x for _, x in g])
        with np.errstate(all="ignore"):
            weights = _sum_of_products(deltas.T, xs, bool(np.isfinite(xs).all()))
            biases = deltas.sum(0)
        flat = np.concatenate([weights, biases[:, None]], axis=1).ravel().tolist()
        for parameter, cotangent in zip(self._a, flat, strict=True):
            parameter._grad += cotangent
        self._grad = UNREACHED
        return careful

    def of_unit(self, index: int) -> tuple[tuple[Node, ...], tuple[float, ...]]:
        """Return the parameters of one unit and their data."""
        W, b = self._data
        width = W.shape[1] + 1
        nodes = self._a[index * width : (index + 1) * width]
        return nodes, (*W[index].tolist(), float(b[index]))


class Units(Group):
    """A layer of units on one example.

    ``_a`` are the inputs: scalar nodes, or the ``Units`` of the layer before. ``_b`` are the
    parameters, ``_x`` the inputs' data, ``_y`` w·x + b and ``_data`` the activations, as arrays.
    """

    __slots__ = ("_inputs",)

    _inputs: tuple[Value, ...] | None

    def __init__(
        self,
        inputs: tuple[Value, ...] | Units,
        x: FloatArray,
        parameters: Parameters,
        values: tuple[Value, ...] | None = None,
    ) -> None:
        W, b = parameters._data
        activation = parameters._op
        assert activation is not None
        self._x = x
        self._y = W.dot(x) + b
        self._data = activation.on_arrays(self._y)
        self._grad = UNREACHED
        self._op = activation
        self._a, self._b = inputs, parameters
        self._tag = switch.tag
        self._inputs = inputs if isinstance(inputs, tuple) else values

    def pull_array(self, g: Any, careful: bool) -> bool:
        """Carry the cotangents of the activations to the inputs and the parameters."""
        (rule,) = self._op.rules  # type: ignore[union-attr]
        try:
            delta = rule(g, self._data, self._y)  # type: ignore[misc]
        except FloatingPointError:
            with np.errstate(all="ignore"):
                delta = rule(g, self._data, self._y)  # type: ignore[misc]
            careful = True
        if careful:
            delta = np.where(g == 0, 0.0, delta)
        parameters = self._b
        if type(parameters._grad) is float:
            parameters._grad = []
        parameters._grad.append((delta, self._x))
        cotangents = _sum_of_products(delta, parameters._data[0], parameters.finite)
        inputs = self._a
        if type(inputs) is Units:
            before = inputs._grad
            inputs._grad = cotangents if type(before) is float else before + cotangents
        else:
            for node, cotangent in zip(inputs, cotangents.tolist(), strict=True):
                node._grad += cotangent
        return careful

    def of_member(self, index: int) -> tuple[Any, Any, Any, Any]:
        """Return inputs, parameters and their data of one unit."""
        if self._inputs is None:
            self._inputs = tuple(self._a.members())
        nodes, weights = self._b.of_unit(index)
        return self._inputs, nodes, tuple(self._x.tolist()), weights

    def members(self) -> list[Value]:
        """Return new Values, one for each unit."""
        row, scope = self._b.row, self._b.scope_of_layer
        within = f"{scope}.neurons." if scope and self._b.is_layer else ""
        comparisons = 0 if self._tag is None else self._tag.comparisons
        values = []
        for index, activation in enumerate(self._data.tolist()):
            value: Value = _new(Value)
            value._data = activation
            value._grad = UNREACHED
            value._op = row
            value._a, value._b, value._x = self, None, index
            value._tag = Tag(scope=f"{within}{index}" if within else scope, comparisons=comparisons)
            if not switch.fast:
                value._finish(row, {}, value._tag.scope)
            values.append(value)
        return values


def _sum_of_products(x: FloatArray, y: FloatArray, finite: bool) -> FloatArray:
    """Return x @ y, in which a factor of exactly 0 in x makes a product 0, if y isn't finite."""
    if finite:
        try:
            product: FloatArray = x.dot(y)
        except FloatingPointError:  # infinities that meet: NaN, as IEEE has it
            with np.errstate(all="ignore"):
                product = x.dot(y)
        return product
    with np.errstate(all="ignore"):
        terms: FloatArray = np.where(x[..., None] == 0, 0.0, x[..., None] * y)
        return np.asarray(terms.sum(-2))


_new = object.__new__


def record_units(
    inputs: tuple[Value, ...] | Units,
    x: FloatArray,
    parameters: Parameters,
    values: tuple[Value, ...] | None = None,
) -> Units:
    """Record a layer of units on one example.

    Where the inputs are ``Units`` whose members the user holds, ``values`` are these members.
    """
    units = Units(inputs, x, parameters, values)
    if not switch.fast and modes.recording and modes.finite:
        units.members()  # raises for the first unit that isn't finite
    return units


def units_of(values: Any) -> Units | None:
    """Return the ``Units`` whose members the values are, all of them and in order, if any."""
    first = values[0]
    units = first._a if type(first) is Value else None
    if type(units) is not Units or len(units._data) != len(values):
        return None
    for index, value in enumerate(values):
        if type(value) is not Value or value._a is not units or value._x != index:
            return None
        if value._op is not units._b.row:
            return None
    return units
