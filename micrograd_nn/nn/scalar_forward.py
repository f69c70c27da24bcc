"""How the units of a scalar layer are computed: on one example one by one, on a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.node import Node, clock, modes
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.units import Parameters, Units, identity, record_units, unit, units_of
from micrograd_nn.graph.value import Constant, Value
from micrograd_nn.nn import activations
from micrograd_nn.nn.module import Module

if TYPE_CHECKING:
    from micrograd_nn.nn.scalar import Neuron


def example_or_batch(x: Any) -> Any:
    """Return one example as a tuple of numbers and Values, a batch as an array or Tensor."""
    if isinstance(x, Tensor) or (isinstance(x, np.ndarray) and x.ndim > 1):
        return x
    if isinstance(x, Node):
        return (x,)  # the single output of a layer before
    try:
        items = tuple(x)
    except TypeError:
        where = modes.scope or "the network"
        raise TypeError(
            f"{where} takes one example as a sequence of numbers, or a batch as an array, got "
            f"{type(x).__name__}"
        ) from None
    if any(isinstance(item, Tensor) for item in items):
        return functions.stack([functions.reshape(item, ()) for item in items])
    return items


# ------------------------------------------------------------------------------- one example


def quiet() -> Any:
    """Let overflow pass without a warning, as the arithmetic of Values does."""
    return np.errstate(all="ignore")


def fired(neurons: list[Neuron], x: tuple[Any, ...] | Units, owner: Module) -> Units | list[Any]:
    """Record the units of a layer on one example.

    The activation is a part of the unit where it is a row of the table; any other function is
    applied to each unit's w·x + b.
    """
    function = neurons[0].function
    kept: Parameters | None = owner.__dict__.get("_units_cache")
    if kept is None or kept.time != clock.time or kept.scope_of_layer != modes.scope:
        if any(neuron.function is not function for neuron in neurons):
            x = tuple(values(x)) if isinstance(x, Units) else x
            return [neuron(x) for neuron in neurons]
        activation = function if isinstance(function, Primitive) else identity
        parameters = [tuple(map(_scalar, (*n.w, n.b))) for n in neurons]
        kept = Parameters(unit(activation), activation, parameters, owner is not neurons[0])
        owner.__dict__["_units_cache"] = kept
    units = _recorded(x, neurons[0].nin, kept)
    if kept._op is identity and function is not activations.identity:
        return [function(z) for z in values(units)]
    return units


def _node(parameter: Any) -> Node:
    return parameter if isinstance(parameter, Node) else Constant(parameter)


def _scalar(parameter: Any) -> Value:
    if isinstance(parameter, Value):
        return parameter
    if isinstance(parameter, Node):
        raise TypeError(
            f"{modes.scope}: a weight of a neuron is a Value or a number, got a "
            f"{type(parameter).__name__}: use Linear for weights that are tensors"
        )
    return Constant(parameter)


def _recorded(x: tuple[Any, ...] | Units, nin: int, kept: Parameters) -> Units:
    width = len(x._data if isinstance(x, Units) else x)
    if width != nin:
        where = f"{modes.scope}: " if modes.scope else ""
        raise ValueError(f"{where}expected {nin} inputs, got {width}")
    if isinstance(x, Units):
        return record_units(x, x._data, kept)
    units = units_of(x)
    if units is not None:
        return record_units(units, units._data, kept, tuple(x))
    try:
        nodes = tuple([i if isinstance(i, Value) else Constant(i) for i in x])
    except TypeError as error:
        raise TypeError(
            f"{modes.scope}: one example is a sequence of numbers or Values, a batch an array: "
            f"np.array(...) makes one of a list of lists ({error})"
        ) from None
    return record_units(nodes, np.array([node._data for node in nodes]), kept)


def values(units: Units | list[Any]) -> list[Any]:
    """Return the units as Values; under ``no_grad`` as constants."""
    if not isinstance(units, Units):
        return units
    return units.members() if modes.recording else list(map(Constant, units._data.tolist()))


# ---------------------------------------------------------------------------------- a batch


def vectorised(neurons: list[Neuron], x: Any, owner: Module) -> Any:
    """Compute all units of a layer for all examples."""
    shape = np.shape(x._data if isinstance(x, Tensor) else x)
    if not shape or shape[-1] != neurons[0].nin:
        where = f"{modes.scope}: " if modes.scope else ""
        raise ValueError(f"{where}expected rows of {neurons[0].nin} numbers, got shape {shape}")
    function = neurons[0].function
    if any(neuron.function is not function for neuron in neurons):
        return functions.concatenate([vectorised([n], x, n) for n in neurons], axis=-1)
    W, b = _gathered_parameters(neurons, owner)
    return function(functions.linear(x, W, b))


def _gathered_parameters(neurons: list[Neuron], owner: Module) -> tuple[Any, Any]:
    """Return the layer's parameters as nodes W (n_out, n_in) and b (n_out,), kept while valid."""
    cache = owner.__dict__.get("_batch_cache")
    if cache is None or cache[0] != (clock.time, modes.recording, modes.scope):
        weights = [_node(w) for neuron in neurons for w in neuron.w]
        W = functions.stack(weights).reshape(len(neurons), -1).named("W")
        b = functions.stack([_node(neuron.b) for neuron in neurons]).named("b")
        cache = ((clock.time, modes.recording, modes.scope), W, b)
        owner.__dict__["_batch_cache"] = cache
    return cache[1], cache[2]
