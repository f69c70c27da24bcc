"""Neuron, Layer and MLP: networks of single numbers, in which every weight is a Value.

They are micrograd's, and take its programs unchanged. Called on one example (a sequence of
numbers or Values) they record every neuron as a node of its own; called on a batch, an array or
Tensor of shape (m, n_in), they compute all units and examples at once, on the same parameters.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph import functions
from micrograd_nn.graph.node import Node, modes
from micrograd_nn.graph.value import Value
from micrograd_nn.nn import activations, initialisers
from micrograd_nn.nn.layers import _check_size, check_flag
from micrograd_nn.nn.module import Module
from micrograd_nn.nn.scalar_forward import example_or_batch, fired, quiet, values, vectorised

_SPELLED = {"relu": "ReLU", "gelu": "GELU", "silu": "SiLU", "elu": "ELU", "identity": "Linear"}


class _Scalar(Module):
    """What the scalar modules share: each parameter once, constants left out."""

    def parameters(self) -> list[Any]:
        """Return the parameters, layer by layer and neuron by neuron, weights before biases."""
        leaves = [p for p in dict.fromkeys(self._leaves()) if isinstance(p, Node)]
        return [p for p in leaves if p.op is None and p.requires_grad]

    def _leaves(self) -> Iterable[Any]:
        raise NotImplementedError  # each kind of scalar module has its own


class Neuron(_Scalar):
    """One unit: a = g(w·x + b).

    Parameters
    ----------
    nin : int
        The number of inputs.
    nonlin : bool
        Whether the activation is ReLU, as in micrograd; else it is the identity.
    activation : str or callable, optional
        Another activation, of one number.
    init : str or callable, optional
        The initialiser of the weights. By default they are drawn from [−1, 1) by Python's
        ``random``, as in micrograd, or by a generator of its own where ``seed`` is given.
    seed : int or Generator, optional
        For the initialiser.

    Attributes
    ----------
    w : list of Value
    b : Value

    Raises
    ------
    ValueError
        If the activation is a softmax, which mixes the units of a layer.

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
        check_flag("nonlin", nonlin, "activation")
        self.nin = nin
        self.function = activations.by_name(activation or ("relu" if nonlin else "identity"))
        self.w = list(map(Value, _draw((1, nin), init, seed, self.activation)[0]))
        self.b = Value(0.0)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "function" and value in (functions.softmax, functions.log_softmax):
            raise ValueError(
                f"{value.__name__} mixes the units of a layer, so that no neuron has it: leave the "
                "output layer linear and use the loss cross_entropy, which takes logits"
            )
        super().__setattr__(name, value)

    @property
    def activation(self) -> str:
        """The name of the activation function."""
        return activations.name_of(self.function)

    @property
    def nonlin(self) -> bool:
        """Whether the activation isn't the identity."""
        return self.function is not activations.identity

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        self.function = activations.by_name("relu" if nonlin else "identity")

    def forward(self, x: Any) -> Any:
        """Return the activation for one example, or for a batch (..., nin) as a Tensor (...)."""
        x = example_or_batch(x)
        if isinstance(x, tuple):
            with quiet():
                return values(fired([self], x, self))[0]
        result = vectorised([self], x, self)
        return functions.reshape(result, result.shape[:-1])

    def _leaves(self) -> Iterable[Any]:
        return (*self.w, self.b)

    def __repr__(self) -> str:
        name = _SPELLED.get(self.activation, self.activation.title().replace("_", ""))
        return f"{name}Neuron({self.nin})"


class Layer(_Scalar):
    """Units that see the same inputs; see ``Neuron`` for the parameters.

    A layer of one unit returns the Value itself, a layer of more a list of Values.

    Parameters
    ----------
    nin, nout : int
        The numbers of inputs and of units.
    nonlin, activation, init, seed
        As for ``Neuron``.

    Attributes
    ----------
    neurons : list of Neuron

    Raises
    ------
    ValueError
        If a size isn't a positive integer, or the activation is a softmax.

    Examples
    --------
    >>> layer = Layer(2, 3, seed=0)
    >>> [value.op.name for value in layer([1.0, 2.0])]
    ['unit_relu', 'unit_relu', 'unit_relu']
    """

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        activation: Any = None,
        init: Any = None,
        seed: Any = None,
    ) -> None:
        _check_size("nin", nin)
        _check_size("nout", nout)
        self.neurons = [Neuron(nin, nonlin, activation, init="zeros") for _ in range(nout)]
        weights = _draw((nout, nin), init, seed, self.neurons[0].activation)
        for neuron, row in zip(self.neurons, weights, strict=True):
            neuron.w = list(map(Value, row))

    def forward(self, x: Any) -> Any:
        """Return the activations for one example, or for a batch as a Tensor (..., nout)."""
        x = example_or_batch(x)
        if not isinstance(x, tuple):
            return vectorised(self.neurons, x, self)
        with quiet():
            out = values(fired(self.neurons, x, self))
        return out[0] if len(out) == 1 else out

    def _leaves(self) -> Iterable[Any]:
        return (p for neuron in self.neurons for p in neuron._leaves())

    def __repr__(self) -> str:
        kinds = {neuron.activation for neuron in self.neurons}
        activation = repr(kinds.pop()) if len(kinds) == 1 else "mixed"
        return f"Layer({self.neurons[0].nin}, {len(self.neurons)}, activation={activation})"


class MLP(_Scalar):
    """A multi-layer perceptron of single numbers.

    Parameters
    ----------
    nin : int
        The number of inputs.
    nouts : sequence of int
        The number of units of each layer.
    activation : str or callable, or a sequence of them
        The activation of all layers but the last, or of each of these; ReLU by default.
    output_activation : str or callable
        The activation of the last layer; the identity by default.
    init, seed
        As for ``Neuron``.

    Attributes
    ----------
    layers : list of Layer

    Raises
    ------
    ValueError
        If there is no layer, the activations don't fit in number, or one is a softmax.

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
        if not isinstance(nouts, Iterable):
            raise TypeError(f"nouts lists the units of each layer, such as [16, 1], got {nouts!r}")
        sizes = [nin, *nouts]
        if len(sizes) < 2:
            raise ValueError("an MLP needs at least one layer: give the number of its units")
        hidden = len(sizes) - 2
        if isinstance(activation, (list, tuple)):
            each = [*activation]
        else:
            each = [activations.by_name(activation)] * hidden  # it is known, if there is none, too
        if len(each) != hidden:
            raise ValueError(f"{hidden} hidden layers, but {len(each)} activations")
        generator = None if seed is None else np.random.default_rng(seed)
        self.layers = [
            Layer(n_in, n_out, activation=kind or "identity", init=init, seed=generator)
            for n_in, n_out, kind in zip(sizes, sizes[1:], [*each, output_activation], strict=False)
        ]

    def forward(self, x: Any) -> Any:
        """Return the output for one example, or for a batch as a Tensor (..., n_out)."""
        x = example_or_batch(x)
        if not isinstance(x, tuple):
            for layer in self.layers:
                x = layer(x)
            return x
        outer = modes.scope
        with quiet():
            for layer in self.layers:
                modes.scope = f"{outer}.{layer._scope}"
                x = fired(layer.neurons, x, layer)
            out = values(x)
        modes.scope = outer
        return out[0] if len(out) == 1 else out

    def _leaves(self) -> Iterable[Any]:
        return (p for layer in self.layers for p in layer._leaves())

    def config(self) -> dict[str, Any] | None:
        """Return the arguments to build the network again, or None if names don't suffice."""
        kinds = [{neuron.activation for neuron in layer.neurons} for layer in self.layers]
        names = [kind.pop() if len(kind) == 1 else "" for kind in kinds]
        if not all(name in activations.ACTIVATIONS for name in names):
            return None
        return {
            "nin": int(self.layers[0].neurons[0].nin),
            "nouts": [len(layer.neurons) for layer in self.layers],
            "activation": names[:-1],
            "output_activation": names[-1],
        }


def _draw(shape: tuple[int, int], init: Any, seed: Any, activation: str) -> list[list[float]]:
    if init is None and seed is None:
        return [[random.uniform(-1, 1) for _ in range(shape[1])] for _ in range(shape[0])]
    draw = initialisers.uniform if init is None else initialisers.by_name(init, activation)
    weights = initialisers.checked(draw(shape, np.random.default_rng(seed)), shape)
    drawn: list[list[float]] = weights.tolist()
    return drawn
