"""Neuron, Layer and MLP: networks of single numbers, in which every weight is a Value.

They are micrograd's, and take its programs unchanged. Called on one example (a sequence of
numbers or Values) they record every neuron as a node of its own; called on a batch, an array or
Tensor of shape (m, n_in), they compute all units and examples at once, on the same parameters.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.node import Node, clock, modes
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.units import Parameters, Units, identity, record_units, unit, units_of
from micrograd_nn.graph.value import Constant, Value
from micrograd_nn.nn import activations, initialisers
from micrograd_nn.nn.layers import _check_size
from micrograd_nn.nn.module import Module


class Weights(list[Value]):
    """A list of weights; replacing one of them is noticed by what has been gathered from it."""

    def __setitem__(self, index: Any, value: Any) -> None:
        clock.time += 1
        super().__setitem__(index, value)

    def append(self, value: Value) -> None:
        """Append a weight."""
        clock.time += 1
        super().append(value)

    def pop(self, index: SupportsIndex = -1) -> Value:
        """Remove and return a weight."""
        clock.time += 1
        return super().pop(index)


class Neuron(Module):
    """One unit: a = g(w·x + b).

    Parameters
    ----------
    nin : int
        The number of inputs.
    nonlin : bool
        Whether the activation is ReLU, as in micrograd; else it is the identity.
    activation : str or callable, optional
        Another activation.
    init : str or callable, optional
        The initialiser of the weights. By default they are drawn from [−1, 1) by Python's
        ``random``, as in micrograd, or by a generator of its own where ``seed`` is given.
    seed : int or Generator, optional
        For the initialiser.

    Attributes
    ----------
    w : list of Value
    b : Value

    Examples
    --------
    >>> neuron = Neuron(2, activation="tanh", seed=1)
    >>> neuron([1.0, -2.0]).op.name
    'unit_tanh'
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: Any = None,
        init: Any = None,
        seed: Any = None,
    ) -> None:
        _check_size("nin", nin)
        self.nin = nin
        self.function = activations.by_name(activation or ("relu" if nonlin else "identity"))
        self.w = Weights(map(Value, _draw(nin, init, seed, activations.name_of(self.function))))
        self.b = Value(0.0)

    @property
    def activation(self) -> str:
        """The name of the activation function."""
        return activations.name_of(self.function)

    @property
    def nonlin(self) -> bool:
        """Whether the activation isn't the identity."""
        return self.function is not activations.identity

    def forward(self, x: Any) -> Any:
        """Return the activation for one example, or for a batch (m, nin) as a Tensor (m,)."""
        if _is_batch(x):
            return _vectorised([self], x).reshape(-1)
        return _values(_fired([self], x, self))[0]

    def parameters(self) -> list[Any]:
        """Return the weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{self.activation.title().replace('_', '')}Neuron({self.nin})"


class Layer(Module):
    """Units that see the same inputs; see ``Neuron`` for the parameters.

    A layer of one unit returns the Value itself, a layer of more a list of Values.

    Examples
    --------
    >>> layer = Layer(2, 3, seed=0)
    >>> [value.op.name for value in layer([1.0, 2.0])]
    ['unit_relu', 'unit_relu', 'unit_relu']
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        _check_size("nout", nout)
        seed = kwargs.pop("seed", None)
        if seed is not None:
            seed = np.random.default_rng(seed)
        elif kwargs.get("init") is not None:
            seed = np.random.default_rng()
        self.neurons = [Neuron(nin, seed=seed, **kwargs) for _ in range(nout)]

    def forward(self, x: Any) -> Any:
        """Return the activations for one example, or for a batch as a Tensor (m, nout)."""
        if _is_batch(x):
            return _vectorised(self.neurons, x, self)
        out = _values(_fired(self.neurons, x, self))
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Any]:
        """Return the parameters, neuron by neuron."""
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self) -> str:
        first = self.neurons[0]
        return f"Layer({first.nin}, {len(self.neurons)}, activation={first.activation!r})"


class MLP(Module):
    """A multi-layer perceptron of single numbers.

    Parameters
    ----------
    nin : int
        The number of inputs.
    nouts : sequence of int
        The number of units of each layer.
    activation : str or callable
        The activation of all layers but the last; ReLU by default.
    output_activation : str or callable
        The activation of the last layer; the identity by default.
    init, seed
        As for ``Neuron``.

    Examples
    --------
    >>> import numpy as np
    >>> model = MLP(2, [4, 1], seed=0)
    >>> one = model([1.0, -1.0])
    >>> many = model(np.array([[1.0, -1.0], [0.5, 2.0]]))
    >>> many.shape, bool(one.data == many.data[0, 0])
    ((2, 1), True)
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Any = "relu",
        output_activation: Any = "identity",
        init: Any = None,
        seed: Any = None,
    ) -> None:
        sizes = [nin, *nouts]
        if len(sizes) < 2:
            raise ValueError("an MLP needs at least one layer: give the number of its units")
        generator = None if seed is None else np.random.default_rng(seed)
        last = len(sizes) - 2
        self.layers = [
            Layer(
                sizes[i],
                sizes[i + 1],
                activation=output_activation if i == last else activation,
                init=init,
                seed=generator,
            )
            for i in range(len(sizes) - 1)
        ]

    def forward(self, x: Any) -> Any:
        """Return the output for one example, or for a batch as a Tensor (m, n_out)."""
        if _is_batch(x):
            for layer in self.layers:
                x = layer(x)
            return x
        outer = modes.scope
        for layer in self.layers:
            modes.scope = f"{outer}.{layer._scope}"
            x = _fired(layer.neurons, x, layer)
        modes.scope = outer
        out = _values(x)
        return out[0] if len(out) == 1 else out

    def parameters(self) -> list[Any]:
        """Return the parameters, layer by layer and neuron by neuron."""
        return [p for layer in self.layers for p in layer.parameters()]

    def config(self) -> dict[str, Any]:
        """Return the arguments to build the network again."""
        return {
            "nin": self.layers[0].neurons[0].nin,
            "nouts": [len(layer.neurons) for layer in self.layers],
            "activation": self.layers[0].neurons[0].activation,
            "output_activation": self.layers[-1].neurons[0].activation,
        }


def _draw(nin: int, init: Any, seed: Any, activation: str) -> list[float]:
    if init is None and seed is None:
        return [random.uniform(-1, 1) for _ in range(nin)]
    draw = initialisers.uniform if init is None else initialisers.by_name(init, activation)
    return [float(w) for w in draw((1, nin), np.random.default_rng(seed))[0]]


def _is_batch(x: Any) -> bool:
    return isinstance(x, Tensor) or (isinstance(x, np.ndarray) and x.ndim > 1)


def _fired(neurons: list[Neuron], x: Any, owner: Module) -> Units | list[Any]:
    """Record the units of a layer on one example.

    The activation is a part of the unit where it is a row of the table; any other function is
    applied to each unit's w·x + b.
    """
    function = neurons[0].function
    kept = owner.__dict__.get("_units_cache")
    if kept is None or kept.time != clock.time:
        activation = function if isinstance(function, Primitive) else identity
        kept = Parameters(unit(activation), activation, [(*n.w, n.b) for n in neurons])
        owner.__dict__["_units_cache"] = kept
    inputs, data = _gathered(x, neurons[0].nin)
    units = record_units(inputs, data, kept)
    if isinstance(function, Primitive) or function is activations.identity:
        return units
    return [function(z) for z in _values(units)]


def _values(units: Units | list[Any]) -> list[Any]:
    return units.members() if isinstance(units, Units) else units


def _gathered(x: Any, nin: int) -> tuple[tuple[Value, ...] | Units, np.ndarray[Any, Any]]:
    """Return one example as nodes and as numbers."""
    if isinstance(x, Node) and not isinstance(x, Units):
        x = [x]  # the single output of a layer before
    width = len(x._data) if isinstance(x, Units) else len(x)
    if width != nin:
        where = f"{modes.scope}: " if modes.scope else ""
        raise ValueError(f"{where}expected {nin} inputs, got {width}")
    units = x if isinstance(x, Units) else units_of(x)
    if units is not None:
        return units, units._data
    nodes = tuple([i if isinstance(i, Value) else Constant(i) for i in x])
    return nodes, np.array([node._data for node in nodes])


def _vectorised(neurons: list[Neuron], x: Any, owner: Module | None = None) -> Any:
    """Compute all units of a layer for all examples."""
    width = np.shape(x._data if isinstance(x, Tensor) else x)[-1]
    if width != neurons[0].nin:
        where = f"{modes.scope}: " if modes.scope else ""
        raise ValueError(f"{where}expected rows of {neurons[0].nin} numbers, got {width}")
    W, b = _gathered_parameters(neurons, owner or neurons[0])
    return neurons[0].function(functions.linear(x, W, b))


def _gathered_parameters(neurons: list[Neuron], owner: Module) -> tuple[Any, Any]:
    """Return the layer's parameters as nodes W (n_out, n_in) and b (n_out,), kept while valid."""
    cache = owner.__dict__.get("_batch_cache")
    if cache is None or cache[0] != clock.time or cache[1] != modes.recording:
        weights = [w for neuron in neurons for w in neuron.w]
        W = functions.stack(weights).reshape(len(neurons), -1).named("W")
        b = functions.stack([neuron.b for neuron in neurons]).named("b")
        cache = (clock.time, modes.recording, W, b)
        owner.__dict__["_batch_cache"] = cache
    return cache[2], cache[3]
