"""Programs of graphs of tensors: one plan for each shape of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.readers.compile.inputs import input_name, real_numbers
from micrograd_nn.readers.compile.plan import Plan
from micrograd_nn.readers.compile.recording import Recording

#: For how many shapes of inputs a program keeps what it needs for each.
_SHAPES = 8


class TensorRunner:
    """Runs a graph of tensors.

    Parameters
    ----------
    root : Node
    inputs : sequence of Node
    wrt : sequence of Node
    optimizer : Optimizer or None
    """

    def __init__(
        self, root: Node, inputs: Sequence[Node], wrt: Sequence[Node], optimizer: Any
    ) -> None:
        self.inputs = [*inputs]
        self.wrt = [*wrt]
        self.optimizer = optimizer
        self._recording = Recording(root, inputs)
        self.root = self._recording.root
        self._dtypes = [getattr(node._data, "dtype", None) for node in inputs]
        self._plans: dict[Any, Plan] = {}
        self._places = [] if optimizer is None else optimizer.settle()
        self._take([node._data for node in inputs])

    def __call__(self, inputs: Sequence[Any]) -> Any:
        """Return the value and the gradients; with an optimiser, take the step."""
        data: Sequence[Any] = inputs
        for given, dtype, shape in zip(inputs, self._dtypes, self._shapes, strict=True):
            if type(given) is not np.ndarray or given.dtype is not dtype or given.shape != shape:
                data = self._checked(inputs)
                self._take(data)
                break
        plan = self._current
        if self.optimizer is None:
            (value,), grads = plan.run(data) or plan.eagerly(data)
            return _result(value), grads
        return self._step(plan, data)

    def _take(self, data: Sequence[Any]) -> None:
        """Take the plan for data of these shapes, and keep to it while they are the same."""
        self._current = self._plan_for(data)
        self._shapes = [getattr(x, "shape", None) for x in data]

    def _step(self, plan: Plan, data: Sequence[Any]) -> Any:
        self.optimizer.refresh()
        found = plan.run(data)
        if found is None or (plan.careful and self.optimizer.has_nan()):
            (value,), grads = plan.eagerly(data)
            for place, grad in zip(self._places, grads, strict=True):
                place.gradient[...] = grad
        else:
            ((value,), _) = found
        self.optimizer.step_settled()
        return _result(value)

    @property
    def source(self) -> str:
        """The source, for the shapes of the latest call."""
        return self._current.source.text()

    @property
    def plan(self) -> str:
        """How the graph runs."""
        return self._current.describe()

    # ---------------------------------------------------------------------------------- inputs

    def _checked(self, inputs: Sequence[Any]) -> list[Any]:
        return [
            given
            if type(given) is np.ndarray and given.dtype is dtype  # the usual case
            else _as_input(self.inputs[i], given, i)
            for i, (dtype, given) in enumerate(zip(self._dtypes, inputs, strict=True))
        ]

    def _plan_for(self, data: Sequence[Any]) -> Plan:
        key = tuple([x.shape if type(x) is np.ndarray else () for x in data])
        plan = self._plans.get(key)
        if plan is None:
            plan = self._planned(data)
            self._plans[key] = plan
            if len(self._plans) > _SHAPES:
                del self._plans[next(iter(self._plans))]
        return plan

    def _planned(self, data: Sequence[Any]) -> Plan:
        try:
            return Plan(self._recording, data, self.wrt, self._places)
        except (ValueError, TypeError, IndexError) as error:
            given = ", ".join(str(np.shape(x)) for x in data)
            recorded = ", ".join(str(np.shape(node._data)) for node in self.inputs)
            if given == recorded:
                raise type(error)(f"the graph can't be compiled: {error}") from error
            raise type(error)(
                f"the graph was recorded on inputs of shape {recorded} and can't be computed for "
                f"{given}: {error}. Record it on inputs of that shape, and compile that"
            ) from error


def _as_input(node: Node, given: Any, index: int) -> Any:
    if isinstance(given, Node):
        given = given._data
    what = input_name(index, node)
    if not isinstance(node, Tensor):
        try:
            return float(given)
        except (TypeError, ValueError):
            raise TypeError(f"{what} is a number, got {type(given).__name__}") from None
    return real_numbers(given, what).astype(node.dtype, copy=False)


def _result(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
