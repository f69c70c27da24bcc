"""The derivatives of a program, measured: each step's Jacobian by differences of its kernel.

It knows no derivative rule, so that it can't share a mistake with an engine. A step has few
elements and stays away from kinks, so its Jacobian is right to nine digits; the chain rule over
the Jacobians, as matrices, does the rest, and over their absolute values it tells how much of a
result may be cancellation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.testing.programs.expression import Program, Step

Array = Any

#: The six-point rule: f'(x) ≈ Σ weight (f(x + offset h) − f(x − offset h)) / h, to order h⁶.
_SIX_POINTS = ((1.0, 45.0 / 60.0), (2.0, -9.0 / 60.0), (3.0, 1.0 / 60.0))
_STEP = 2.0**-10

#: The relative error allowed, of the sum of absolute values that a number is the sum of.
TOLERANCE = 1e-6
#: What rounding may leave in a Jacobian, as a part of TOLERANCE, relative to the step's result.
_NOISE = 1e-5


class Linearised:
    """A program near one point: its values, and the Jacobian of every step.

    Parameters
    ----------
    program : Program
    inputs : sequence of arrays

    Attributes
    ----------
    values : list of ndarray
        The inputs, and the result of each step.

    Examples
    --------
    >>> from micrograd_nn.testing.strategies import OPERATIONS
    >>> squared = Program(1, (Step(OPERATIONS["mul"], (0, 0), {}),))
    >>> at_three = Linearised(squared, [3.0])
    >>> [round(float(t), 9) for t in (at_three.pushed([1.0]), *at_three.pulled(1.0))]
    [6.0, 6.0]
    """

    def __init__(self, program: Program, inputs: Sequence[Array]) -> None:
        self.program = program
        self.values = [np.asarray(x, np.float64) for x in inputs]
        self.jacobians: list[list[Array]] = []
        with np.errstate(all="ignore"):
            for step in program.steps:
                operands = [self.values[place] for place in step.operands]
                self.values.append(np.asarray(step.operation.call(*operands, **step.parameters)))
                places = range(len(operands))
                self.jacobians.append([_jacobian(step, operands, i) for i in places])

    @property
    def result(self) -> Array:
        """The result of the program."""
        return self.values[-1]

    def pushed(self, tangents: Sequence[Array]) -> Array:
        """Return J t: how the result changes along one tangent for each input."""
        flat = [np.ravel(t) for t in tangents]
        for step, jacobians in zip(self.program.steps, self.jacobians, strict=True):
            pairs = zip(jacobians, step.operands, strict=True)
            flat.append(np.sum([J @ flat[place] for J, place in pairs], axis=0))
        return flat[-1].reshape(self.result.shape)

    def pulled(self, cotangent: Array) -> list[Array]:
        """Return Jᵀ v: the gradient of each input."""
        return self._pulled(cotangent, lambda J, value: J)

    def tolerance(self, cotangent: Array) -> list[Array]:
        """Return how far each gradient may be from ``pulled``: TOLERANCE · |J|ᵀ |v|."""

        def sizes(J: Array, value: Array) -> Array:
            noise = _NOISE * max(1.0, float(np.max(np.abs(value), initial=0.0)))
            return np.abs(J) + noise * (J.size > 0)

        return [TOLERANCE * bound for bound in self._pulled(np.abs(cotangent), sizes)]

    def _pulled(self, cotangent: Array, seen: Callable[[Array, Array], Array]) -> list[Array]:
        flat = [np.zeros(value.size) for value in self.values]
        flat[-1] = flat[-1] + np.ravel(cotangent)
        arity = self.program.arity
        for k in reversed(range(len(self.program.steps))):
            value = self.values[arity + k]
            for place, J in zip(self.program.steps[k].operands, self.jacobians[k], strict=True):
                flat[place] = flat[place] + seen(J, value).T @ flat[arity + k]
        return [flat[i].reshape(self.values[i].shape) for i in range(arity)]


def _jacobian(step: Step, operands: Sequence[Array], place: int) -> Array:
    """Return the matrix (size of the result, size of the operand) of partial derivatives."""
    x = operands[place]
    columns = []
    for element in range(x.size):
        column: Array = 0.0
        for offset, weight in _SIX_POINTS:
            up, down = (_moved(step, operands, place, element, s * offset) for s in (1.0, -1.0))
            column = column + (weight / _STEP) * (up - down)
        columns.append(np.ravel(column))
    return np.stack(columns, axis=1)


def _moved(step: Step, operands: Sequence[Array], place: int, element: int, offset: float) -> Array:
    """Return the result of a step with one element of one operand moved by ``offset`` h."""
    moved = list(operands)
    moved[place] = moved[place].copy()
    moved[place].flat[element] += offset * _STEP
    return step.operation.call(*moved, **step.parameters)
