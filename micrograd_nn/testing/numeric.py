"""Operations that the oracle has no derivative for, such as a user's own: by their kernels.

Their derivatives are six-point finite differences of the kernel at the recorded arguments, with
the error that these estimate of themselves. At a declared kink the documented value stands, and
nothing is differenced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.testing.errors import GradientError
from micrograd_nn.testing.finite import Opaque
from micrograd_nn.testing.influence import misdeclared
from micrograd_nn.testing.kinks import Kink, kinks_of_row
from micrograd_nn.testing.operation import names_of
from micrograd_nn.testing.tangents import Local, vanishing

Array = Any

#: A Jacobian of more numbers than these isn't computed by differences.
LARGEST = 1_000_000


class Numeric(Local):
    """An operation as a linear map, from differences of its kernel.

    Raises
    ------
    GradientError
        If a difference isn't reliable: the message says where and why. If the operation isn't
        what its row declares, so that no rule would be used rightly.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.terms = [1] * len(self.data)
        names = names_of(self.op, len(self.data))
        self._kinks = kinks_of_row(self.op, names)
        wrong = misdeclared(self.op, self.params, Opaque(self._kernel, self.data), names)
        if wrong:
            raise GradientError(f"{self.op.name}: {wrong}", [self.op.name])
        found = [self._jacobian(i) if d else None for i, d in enumerate(self.differentiable)]
        self._values = [None if f is None else f[0] for f in found]
        self._errors = [None if f is None else f[1] for f in found]

    def _kernel(self, *args: Array) -> Array:
        given: Sequence[Any] = (list(args),) if self.op.variadic else args
        if self.op.vector:  # the inputs, then the weights
            given = np.stack(args[: len(args) // 2]), np.stack(args[len(args) // 2 :])
        return self.op.on_arrays(*given, **self.params)

    def _jacobian(self, place: int) -> tuple[Array, Array]:
        """Return the derivative by one argument and its error: by element, or as a matrix."""
        frozen: Array = np.zeros(np.shape(self.value), bool)
        documented: Array = np.zeros(np.shape(self.value))
        for kink in self._kinks:
            slope = kink.derivatives(*self.data)[place]
            if slope is not None:
                held = np.broadcast_to(kink.holds(*self.data), np.shape(self.value))
                frozen, documented = frozen | held, np.where(held, slope, documented)
        call = Opaque(self._kernel, self.data, frozen=frozen if frozen.any() else None)
        if self.op.elementwise:
            slopes = call.slopes(place)
            self._refuse(~slopes.reliable & ~frozen, place, slopes)
            return np.where(frozen, documented, slopes.value), np.where(frozen, 0.0, slopes.error)
        x = self.data[place]
        if np.size(x) * np.size(self.value) > LARGEST:
            raise GradientError(
                f"the oracle has no derivative of {self.op.name}, and its Jacobian of "
                f"{np.size(self.value):,} × {np.size(x):,} numbers is too large for differences: "
                "check it on smaller arrays"
            )
        columns = [call.column(place, index) for index in np.ndindex(np.shape(x))]
        for column in columns:
            self._refuse(~column.reliable, place, column)
        values = [np.ravel(column.value) for column in columns]
        errors = [np.ravel(column.error) for column in columns]
        return np.stack(values, axis=-1), np.stack(errors, axis=-1)

    def _refuse(self, unreliable: Array, place: int, found: Any) -> None:
        if np.any(unreliable):
            index = tuple(int(i) for i in np.argwhere(unreliable)[0])
            raise GradientError(
                f"{self.op.name} can't be differentiated numerically by argument {place}: {found}"
                if np.ndim(unreliable) == 0
                else f"{self.op.name} can't be differentiated numerically by argument {place} at "
                f"{list(index)}: declare its kinks (kinks=) and its domain, or check elsewhere",
                [self.op.name],
            )

    def tangent(self, ts: Sequence[Array | None], absolute: bool = False) -> Array:
        total: Array = np.zeros(np.shape(self.value))
        for value, t in zip(self._values, ts, strict=True):
            if value is None or t is None:
                continue
            J = np.abs(value) if absolute else value
            if self.op.elementwise:
                total = total + vanishing(t, J)
            else:
                flat = np.sum(vanishing(np.ravel(t)[None, :], J), axis=-1)
                total = total + np.reshape(flat, np.shape(self.value))
        return total

    def cotangents(self, g: Array, absolute: bool = False) -> list[Array | None]:
        return [
            None if J is None else self._pulled(np.abs(J) if absolute else J, g, i)
            for i, J in enumerate(self._values)
        ]

    def _pulled(self, J: Array, g: Array, place: int) -> Array:
        if self.op.elementwise:
            return vanishing(g, J)
        g = np.ravel(np.broadcast_to(g, np.shape(self.value)))
        flat = np.sum(vanishing(g[:, None], J), axis=0)
        return np.reshape(flat, np.shape(self.data[place]))

    def bends(self, es: Sequence[Array | None], g: Array) -> list[Array | None]:
        # What the differences may be off by is far more than what rounding in the arguments does.
        return [
            None if error is None else self._pulled(error, np.abs(g), i)
            for i, error in enumerate(self._errors)
        ]

    def size(self) -> Array:
        return np.abs(self.value)


def met_kinks(op: Primitive, data: Sequence[Array]) -> list[tuple[Kink, Array]]:
    """Return the declared kinks that an elementwise operation was recorded at, and where."""
    if not op.elementwise or not op.kinks:
        return []
    found = []
    for kink in kinks_of_row(op, names_of(op, len(data))):
        held = np.asarray(kink.holds(*data), bool)
        if held.any():
            found.append((kink, held))
    return found
