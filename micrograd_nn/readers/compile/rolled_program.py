"""A scalar graph that rolls: recorded as a graph of tensors, and planned like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import is_nan
from micrograd_nn.graph.modes import recording
from micrograd_nn.graph.node import Node
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.readers.compile.array_form import ArrayForm
from micrograd_nn.readers.compile.inputs import FloatArray
from micrograd_nn.readers.compile.place import Place
from micrograd_nn.readers.compile.plan import Plan
from micrograd_nn.readers.compile.tape import Tape

#: For how many numbers of examples the memory is kept.
_LENGTHS = 4
#: More examples are run in parts, of which what is computed stays in the cache.
_CHUNK = 2048


class Rolled:
    """An executor: a scalar graph as a program on arrays, planned for each number of examples.

    It takes the leaves, and returns their gradient, in the order of ``form.theta``. The gradient
    is in memory that the next call uses again.

    Parameters
    ----------
    tape : Tape
    form : ArrayForm
        Of the tape.
    wrt_inputs : bool
        Whether the gradient of the inputs is computed, too.
    """

    def __init__(self, tape: Tape, form: ArrayForm, wrt_inputs: bool) -> None:
        self.form = form
        inputs = {node: i for i, node in enumerate(tape.inputs)}
        self._inputs = np.array([inputs[node] for node in form.inputs], np.intp)
        self._in_order = np.array_equal(self._inputs, np.arange(len(inputs)))
        self.wrt_inputs = wrt_inputs
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._theta, self._of_theta = np.empty((2, len(form.theta)))
        # What ``Plan`` asks of a recording.
        self.inputs: list[Node] = [Tensor.own(np.empty(0), requires_grad=True) for _ in range(2)]
        self._places = [Place(self.inputs[1], self._theta, self._of_theta, (np.empty(0), 0))]
        self._wrt = self.inputs[::-1] if wrt_inputs else self.inputs[1:]  # theta, then X

    def at(self, data: Sequence[Any]) -> tuple[Node, list[Node], list[Node]]:
        """Return the root and the inputs, recorded on tensors; see ``Recording``."""
        X, theta = (Tensor.own(array, requires_grad=True) for array in data)
        X.name, theta.name = "X", "theta"
        with recording():
            return self.form.record(X, theta), [X, theta], []

    def __call__(
        self, X: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values and gradients; see ``Executor``."""
        if not self.form.batched:
            return self._one_by_one(X, theta)
        X = X if self._in_order else X[self._inputs]
        m = X.shape[1]
        if m <= _CHUNK:
            values, of_theta, of_x = self._run(X, theta)
            return values, of_theta, self._of_inputs(of_x, X.shape)
        width = -(-m // -(-m // _CHUNK))
        of_leaves, parts = np.zeros(len(theta)), []
        for i in range(0, m, width):
            values, of_theta, of_x = self._run(X[:, i : i + width], theta)
            of_leaves += of_theta
            parts.append((values, of_x))
        whole = np.concatenate([of_x for _, of_x in parts], 1) if self.wrt_inputs else None
        values = np.concatenate([values for values, _ in parts])
        return values, of_leaves, self._of_inputs(whole, X.shape)

    def _one_by_one(
        self, X: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Run a whole batch for each column of its inputs."""
        m = X.shape[1]
        values, of_leaves, of_inputs = np.empty(m), np.zeros(len(theta)), np.zeros(X.shape)
        for i in range(m):
            values[i], of_theta, of_x = self._run(X[self._inputs, i], theta)
            of_leaves += of_theta
            of_inputs[:, i] = self._of_inputs(of_x, X.shape[:1])
        return values, of_leaves, of_inputs

    def _run(self, X: FloatArray, theta: FloatArray) -> tuple[Any, FloatArray, Any]:
        self._theta[:] = theta
        data = [X, self._theta]
        plan = self.plan_for(data)
        found = plan.run(data)
        if found is None or (plan.careful and is_nan(self._of_theta)):
            found = plan.eagerly(data)
            self._of_theta[...] = found[1].pop(0)
        (value,), grads = found
        return value, self._of_theta, grads[0] if self.wrt_inputs else None

    def _of_inputs(self, of_x: Any, shape: tuple[int, ...]) -> FloatArray:
        if of_x is None:
            return np.zeros(shape)
        result = np.empty(shape)
        result[self._inputs] = of_x
        return result

    def _latest(self) -> Plan:
        if not self._plans:
            one = np.zeros((len(self._inputs), 1) if self.form.batched else len(self._inputs))
            self.plan_for([one, np.zeros(len(self._theta))])
        return next(reversed(self._plans.values()))

    def source(self) -> str:
        """Return the source, for the number of examples that came up last."""
        return self._latest().source.text()

    def describe(self) -> str:
        """Return how it runs, in words."""
        return self._latest().describe()

    def plan_for(self, data: Sequence[FloatArray]) -> Plan:
        """Return the plan for data of those shapes."""
        key = data[0].shape
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(self, data, self._wrt, self._places, _ones)
            if len(self._plans) > _LENGTHS:
                del self._plans[next(iter(self._plans))]
        return plan


def _ones(root: Node) -> Any:
    return np.ones(np.shape(root._data))
