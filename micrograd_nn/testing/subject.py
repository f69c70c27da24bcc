"""What a gradient check is applied to: a function, its inputs as leaves, and its result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph.cotangents import cotangents
from micrograd_nn.graph.node import UNREACHED, Node, record_lines
from micrograd_nn.graph.table.arithmetic import add, mul
from micrograd_nn.graph.table.arrays import sum_
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Constant, Value
from micrograd_nn.testing.blame import random_like


class Subject:
    """A function with its inputs, ready to be recorded as often as is wanted.

    Floats become Values and floating arrays become Tensors; a leaf node is taken as it is, and so
    are the parameters of a Module. All else (integers, labels, strings) is passed on.

    Parameters
    ----------
    f : callable or Module
    inputs : sequence

    Attributes
    ----------
    leaves : list of Node
        What is differentiated by.
    labels : list of str
        What each leaf is called in a report.
    """

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.f = f
        self.leaves: list[Node] = []
        self.labels: list[str] = []
        names = _argument_names(f, len(inputs))
        self.inputs = [self._wrapped(x, name) for x, name in zip(inputs, names, strict=True)]
        self._modules = [x for x in (f, *inputs) if _is_module(x)]
        for module in self._modules:
            for name, parameter in module.named_parameters():
                self._add(parameter, name)
        if not self.leaves:
            raise TypeError(
                "there is nothing to differentiate by: pass floats, floating arrays, Values, "
                "Tensors or a Module (3.0 rather than 3)"
            )

    def _wrapped(self, x: Any, name: str) -> Any:
        if isinstance(x, Node):
            if not x.requires_grad:
                return x
            leaf = x if x.op is None else _leaf(x._data)
            self._add(leaf, x.name or name)
            return leaf
        if isinstance(x, (list, tuple)) and not hasattr(x, "_fields"):
            return type(x)(self._wrapped(item, f"{name}[{i}]") for i, item in enumerate(x))
        if isinstance(x, (float, np.floating)) or (
            isinstance(x, np.ndarray) and x.dtype.kind == "f"
        ):
            leaf = _leaf(x)
            self._add(leaf, name)
            return leaf
        return x

    def _add(self, leaf: Node, label: str) -> None:
        if leaf not in self.leaves:
            self.leaves.append(leaf)
            self.labels.append(label)

    def outputs(self) -> list[Node]:
        """Call the function, and return the nodes of its result."""
        with record_lines():
            result = self.f(*self.inputs)
        found = list(_nodes(result))
        if not any(node._op is not None or node in self.leaves for node in found):
            raise TypeError(
                f"the function returned {type(result).__name__}, not a Value or Tensor: it isn't "
                "recorded. Compute it from its arguments, without float(), .data or no_grad(); a "
                "forward and backward written by hand in NumPy is for check_op"
            )
        return found

    def root(self, order: int, rng: np.random.Generator) -> tuple[Node, Any] | None:
        """Return a node whose gradient is to be checked, and a cotangent for it.

        For order 1 it is the function's result. For order k + 1 it is Σ w ∘ ∇ of the node of
        order k, a number that depends on all derivatives of order k. None if they are constant.
        """
        outputs = self.outputs()
        if order == 1 and len(outputs) == 1:
            (node,) = outputs
            return node, random_like(node._data, rng)
        node = total([weighted(y, rng) for y in outputs])
        for _ in range(order - 1):
            found = cotangents(node, one(node), self.leaves, create_graph=True)
            parts = [found[leaf] for leaf in self.leaves if isinstance(found.get(leaf), Node)]
            if not any(part._op is not None for part in parts):
                return None
            node = total([weighted(part, rng) for part in parts])
        return node, random_like(node._data, rng)

    @contextmanager
    def undisturbed(self, data: bool = True) -> Iterator[None]:
        """Leave gradients, running means and random generators as they were before the block.

        Without ``data``, only gradients and generators.
        """
        grads = [leaf._grad for leaf in self.leaves]
        modules = self._modules if data else []
        states = [module.state_dict() for module in modules]
        drawn = [
            (generator, generator.bit_generator.state)
            for module in self._modules
            for generator in module.generators().values()
        ]
        try:
            yield
        finally:
            for module, state in zip(modules, states, strict=True):
                module.load_state_dict(state)
            for generator, before in drawn:
                generator.bit_generator.state = before
            for leaf, grad in zip(self.leaves, grads, strict=True):
                leaf._grad = grad

    def forget_gradients(self) -> None:
        """Let the leaves have no gradient."""
        for leaf in self.leaves:
            leaf._grad = UNREACHED


def _argument_names(f: Any, count: int) -> list[str]:
    names = [f"input {i}" for i in range(count)]
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return names
    for i, parameter in enumerate(parameters[:count]):
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names[i] = parameter.name
    return names


def _is_module(x: Any) -> bool:
    return callable(getattr(x, "named_parameters", None)) and not isinstance(x, type)


def _leaf(data: Any) -> Node:
    return Value(data) if isinstance(data, float) else Tensor(data)


def _nodes(result: Any) -> Iterator[Node]:
    if isinstance(result, Node):
        yield result
    elif isinstance(result, dict):
        for item in result.values():
            yield from _nodes(item)
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from _nodes(item)


def one(node: Node) -> Node:
    """Return the number 1 as a node of the kind of another."""
    return Constant(1.0) if type(node._data) is float else Tensor(1.0, node._data.dtype, False)


def weighted(node: Any, rng: np.random.Generator) -> Node:
    """Return Σ w ∘ node for random weights w: a scalar."""
    product = mul(node, random_like(node._data, rng))
    whole: Node = product if not np.shape(node._data) else sum_(product, axis=None, keepdims=False)
    return whole


def total(parts: Sequence[Node]) -> Node:
    """Return the sum of nodes."""
    result = parts[0]
    for part in parts[1:]:
        result = add(result, part)
    return result
