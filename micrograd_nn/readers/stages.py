"""A network as the stages that an example passes: columns of units, and other layers between."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrograd_nn.readers.modules import calls, kind_of, layers_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Stage:
    """What stands at one place of the diagram.

    Attributes
    ----------
    path : str
        The layer's dotted name; empty for the input, and for a layer that is the whole network.
    kind : str
        How the layer shows itself.
    units : int or None
        How many numbers it gives for one example, if that is known.
    weights : array (units, units before) or None
        Of a layer of units; None for the input and for any other layer.
    biases : array (units,) or None
    activation : str
        The name of its function, empty if there is none.
    sums, values : array (units,) or None
        For the example, the weighted sums z and the activations a.
    layer : int
        The number of a layer of units, from 1; else 0.
    is_input : bool
    """

    path: str
    kind: str
    units: int | None
    weights: Array | None = None
    biases: Array | None = None
    activation: str = ""
    sums: Array | None = None
    values: Array | None = None
    layer: int = 0
    is_input: bool = False

    @property
    def is_units(self) -> bool:
        """Whether the stage is drawn as circles."""
        return self.weights is not None or self.is_input


def stages_of(model: Any, x: Any = None) -> list[Stage]:
    """Return the stages of a network, from its input to its output.

    Layers stand in the order in which the example passes them, without one in the order in which
    they are defined.

    Raises
    ------
    ValueError
        If ``x`` isn't one example.
    """
    layers = layers_of(model)
    inner = {path: layer for path, layer in layers.items() if not _encloses(path, layers)}
    dense = {path: _dense(layer) for path, layer in inner.items()}
    if x is None:
        passed: list[tuple[str, Array | None]] = [(path, None) for path in inner]
        given = None
    else:
        example = _one_example(x)
        passed = [(path, _flat(out)) for path, out in calls(model, inner, example)]
        given = _flat(example)
    found: list[Stage] = []
    number = 0
    for path, values in passed:
        last = found[-1] if found else None
        stage = _stage(path, inner[path], dense[path], values, last, given)
        if (
            last is not None
            and last.weights is not None
            and not last.activation
            and stage.weights is None
            and stage.activation
        ):
            found[-1] = replace(last, activation=stage.activation, values=values)
        else:
            number += stage.weights is not None
            found.append(replace(stage, layer=number * (stage.weights is not None)))
    return [_input(found, given), *found]


def _stage(
    path: str,
    layer: Any,
    dense: tuple[Array, Array | None] | None,
    values: Array | None,
    last: Stage | None,
    given: Array | None,
) -> Stage:
    if dense is None:
        units = last.units if last is not None and values is None else None
        units = units if values is None else values.size
        function = _function(layer)
        return Stage(
            path, function or kind_of(layer, 24), units, None, None, function, None, values
        )
    W, b = dense
    if values is not None and values.size != len(W):
        raise ValueError(
            f"x must be one example, for which {path or 'the network'} gives {len(W)} numbers; "
            f"it gives {values.size}"
        )
    before = given if last is None else last.values
    sums = None
    if values is not None and before is not None and before.size == W.shape[1]:
        with np.errstate(all="ignore"):
            sums = W @ before + (0.0 if b is None else b)
    return Stage(path, kind_of(layer, 24), len(W), W, b, _activation(layer), sums, values)


def _encloses(path: str, layers: Iterable[str]) -> bool:
    return any(other != path and (not path or other.startswith(path + ".")) for other in layers)


def _function(layer: Any) -> str:
    """Return the name of the function that a layer without parameters is."""
    name = getattr(layer, "name", "")
    return name if isinstance(name, str) and callable(getattr(layer, "function", None)) else ""


def _activation(layer: Any) -> str:
    """Return the name of the activation of a layer of neurons."""
    neurons = getattr(layer, "neurons", [layer])
    names = {getattr(neuron, "activation", "") for neuron in neurons}
    name = names.pop() if len(names) == 1 else "mixed"
    return name if isinstance(name, str) else ""


def _dense(layer: Any) -> tuple[Array, Array | None] | None:
    """Return W (n_out, n_in) and b (n_out,) of a layer of units; None if it is another layer."""
    W, b = getattr(layer, "W", None), getattr(layer, "b", None)
    if W is not None:
        known = {name for name, _ in layer.named_parameters()} <= {"W", "b"}
        W, b = _numbers(W), None if b is None else _numbers(b)
        fits = W.ndim == 2 and (b is None or b.shape == W.shape[:1])
        return (W, b) if known and fits else None
    neurons = getattr(layer, "neurons", None) or [layer]
    if not all(isinstance(getattr(neuron, "w", None), list) for neuron in neurons):
        return None
    rows = [[_numbers(weight) for weight in neuron.w] for neuron in neurons]
    if len({len(row) for row in rows}) != 1:
        return None
    return np.array(rows), np.array([_numbers(neuron.b) for neuron in neurons])


def _numbers(node: Any) -> Array:
    return np.asarray(getattr(node, "_data", node), dtype=np.float64)


def _one_example(x: Any) -> Array:
    """Return one example as a batch of one."""
    if isinstance(x, (list, tuple)):
        x = [getattr(item, "_data", item) for item in x]
    array = np.atleast_1d(_numbers(x))
    return array if array.ndim == 2 and len(array) == 1 else array[None]


def _flat(result: Any) -> Array:
    if isinstance(result, (list, tuple)):
        return np.concatenate([_flat(item) for item in result]) if result else np.zeros(0)
    return _numbers(result).ravel()


def _input(stages: list[Stage], given: Array | None) -> Stage:
    if given is not None:
        return Stage("", "input", given.size, values=given, is_input=True)
    width = None
    for stage in stages:
        if stage.weights is not None:
            width = stage.weights.shape[1]
            break
        if re.match(r"(Flatten|Reshape)", stage.kind):  # what comes before is of another shape
            break
    return Stage("", "input", width, is_input=True)
