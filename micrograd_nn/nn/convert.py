"""From the scalar to the tensor network with the same weights, and back; from a config, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.nn import layers
from micrograd_nn.nn.layers import Activation, Linear, Sequential
from micrograd_nn.nn.module import Module
from micrograd_nn.nn.scalar import MLP, Layer


def to_tensors(model: MLP, dtype: Any = np.float64) -> Sequential:
    """Return the tensor network (Linear and Activation layers) of a scalar network's weights.

    Parameters
    ----------
    model : MLP
    dtype : dtype
        float64 or float32.

    Returns
    -------
    Sequential
        With copies of the weights.

    Raises
    ------
    ValueError
        If the neurons of a layer differ in their activation.

    Examples
    --------
    >>> import numpy as np
    >>> scalar = MLP(2, [3, 1], seed=0)
    >>> x = np.array([[1.0, -2.0]])
    >>> bool(np.allclose(to_tensors(scalar)(x).data, scalar(x).data))
    True
    """
    parts: list[Module] = []
    for layer in model.layers:
        nin, nout = layer.neurons[0].nin, len(layer.neurons)
        if len({neuron.function for neuron in layer.neurons}) > 1:
            raise ValueError(f"the neurons of {layer._scope} differ in their activation")
        linear = Linear(nin, nout, init="zeros", dtype=dtype)
        assert linear.b is not None
        linear.W.data = np.array([[w.data for w in neuron.w] for neuron in layer.neurons])
        linear.b.data = np.array([neuron.b.data for neuron in layer.neurons])
        parts.append(linear)
        if layer.neurons[0].nonlin:
            parts.append(Activation(layer.neurons[0].function))
    return Sequential(*parts)


def to_scalars(model: Sequential) -> MLP:
    """Return the scalar network of the weights of Linear layers with activations between them.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    MLP
        With copies of the weights.

    Raises
    ------
    ValueError
        If a layer is neither Linear nor an activation, or has no bias.

    Examples
    --------
    >>> import numpy as np
    >>> tensors = Sequential(Linear(2, 3, seed=0), "tanh", Linear(3, 1, seed=1))
    >>> x = np.array([[1.0, -2.0]])
    >>> bool(np.allclose(to_scalars(tensors)(x).data, tensors(x).data))
    True
    """
    if _shares(model):
        raise ValueError(
            "a part or a parameter of the network is used twice: its scalar counterpart would have "
            "two of it, which training would move apart"
        )
    pairs: list[tuple[Linear, Any]] = []
    for i, part in enumerate(model.layers):
        if isinstance(part, Linear) and part.b is not None:
            pairs.append((part, "identity"))
        elif isinstance(part, Activation) and pairs and pairs[-1][1] == "identity":
            pairs[-1] = (pairs[-1][0], part.function)
        else:
            raise ValueError(
                f"layer {i}, {part!r}, has no scalar counterpart: only Linear layers with a bias, "
                "each followed by at most one activation, have"
            )
    if not pairs:
        raise ValueError("a network without a Linear layer has no scalar counterpart")
    result = MLP(pairs[0][0].n_in, [linear.n_out for linear, _ in pairs], init="zeros")
    for position, (linear, activation) in enumerate(pairs):
        assert linear.b is not None
        layer = Layer(linear.n_in, linear.n_out, activation=activation, init="zeros")
        for neuron, row, bias in zip(layer.neurons, linear.W.data, linear.b.data, strict=True):
            for weight, number in zip(neuron.w, row, strict=True):
                weight.data = number
            neuron.b.data = bias
        result.layers[position] = layer
    return result


_TYPES = {
    name: getattr(layers, name)
    for name in "Linear Activation Dropout LayerNorm BatchNorm Flatten Sequential".split()
} | {"MLP": MLP}


def to_config(model: Module) -> dict[str, Any] | None:
    """Return what ``from_config`` needs, or None if the model can't be rebuilt from it.

    Parameters
    ----------
    model : Module

    Returns
    -------
    dict or None
        ``{"type": ..., "config": ...}``, of numbers, strings and lists, as JSON knows them.

    Examples
    --------
    >>> to_config(MLP(2, [1], seed=0))["type"]
    'MLP'
    """
    config = model.config() if _TYPES.get(type(model).__name__) is type(model) else None
    if isinstance(model, Sequential) and (
        _shares(model) or any(to_config(layer) is None for layer in model.layers)
    ):
        config = None
    return None if config is None else {"type": type(model).__name__, "config": config}


def from_config(config: dict[str, Any]) -> Module:
    """Build a model, with new weights, from what ``to_config`` returned.

    Parameters
    ----------
    config : dict

    Returns
    -------
    Module

    Raises
    ------
    ValueError
        If the type is unknown.

    Examples
    --------
    >>> from_config({"type": "Linear", "config": {"n_in": 2, "n_out": 1}})
    Linear(2, 1)
    """
    kind = _TYPES.get(str(config.get("type")))
    if kind is None:
        raise ValueError(f"no layer type {config.get('type')!r}: there are {', '.join(_TYPES)}")
    arguments = dict(config["config"])
    if kind is Sequential:
        return Sequential(*(from_config(part) for part in arguments["layers"]))
    model: Module = kind(**arguments)
    return model


def _shares(model: Sequential) -> bool:
    """Tell whether a part or a parameter stands in a network more than once."""
    parts = [*model.layers]
    owned = sum(len(part.parameters()) for part in parts)
    return len({*map(id, parts)}) < len(parts) or len(model.parameters()) < owned
