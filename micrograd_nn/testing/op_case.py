"""One sample of a custom operation: its inputs, a cotangent, and what the vjp makes of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from micrograd_nn.testing.finite import Opaque
from micrograd_nn.testing.kinks import Kink
from micrograd_nn.testing.operation import Operation, is_floating
from micrograd_nn.testing.taylor import Estimate

Array = np.ndarray[Any, Any]


class Case:
    """An operation at one point, with a cotangent of its own.

    Parameters
    ----------
    op : Operation
    inputs : sequence of floats or arrays
    label : str
        How messages call it.
    kinks : sequence of Kink
    domain : callable or None
    seed : int
        Of the cotangent.
    """

    def __init__(
        self,
        op: Operation,
        inputs: Sequence[Any],
        label: str,
        kinks: Sequence[Kink] = (),
        domain: Callable[..., Any] | None = None,
        seed: int = 0,
    ) -> None:
        self.op, self.inputs, self.label = op, tuple(inputs), label
        self.kinks, self.domain, self.seed = kinks, domain, seed
        self.value = op.value(self.copies())
        self.g = self.cotangent(seed)

    def copies(self) -> list[Any]:
        """Return inputs that may be ruined."""
        return [copy.copy(x) if type(x) is float else np.array(x) for x in self.inputs]

    def cotangent(self, seed: int) -> Any:
        """Return random numbers of both signs and of many sizes, in the shape of the result."""
        g = mixed(self.value.shape, seed)
        if all(type(x) is float for x in self.inputs):
            return float(g)
        return g.astype(self.value.dtype) if self.value.dtype.kind == "f" else g

    @cached_property
    def gradients(self) -> tuple[Any, ...]:
        """The gradients that the vjp gives, one per argument."""
        return self.op.gradients(copy.copy(self.g), self.copies())

    @property
    def differentiable(self) -> list[int]:
        """The arguments whose gradients count."""
        return [
            i
            for i, x in enumerate(self.inputs)
            if is_floating(x) and i < len(self.gradients) and self.gradients[i] is not None
        ]

    @cached_property
    def at_kink(self) -> Array:
        """Where a declared kink is met, in the shape of the result, or as one bool."""
        masks = [np.asarray(kink.holds(*self.inputs), bool) for kink in self.kinks]
        return self._fitted(np.logical_or.reduce([m.any() for m in masks]), masks)

    def _fitted(self, anywhere: Any, masks: Sequence[Array]) -> Array:
        if not masks or not anywhere:
            return np.asarray(False)
        try:
            fitted = [np.broadcast_to(mask, self.value.shape) for mask in masks]
        except ValueError:  # the condition is one on the whole sample
            return np.asarray(True)
        return np.asarray(np.logical_or.reduce(fitted))

    @cached_property
    def opaque(self) -> Opaque:
        """The forward as finite differences see it: kinks are never approached."""
        frozen = self.at_kink if self.at_kink.any() else None
        return Opaque(self.op.forward, self.inputs, self.domain, frozen)

    @cached_property
    def elementwise(self) -> bool:
        """Whether each element of the result depends on its own elements of the inputs."""
        return self.opaque.acts_elementwise()

    @cached_property
    def slopes(self) -> dict[int, Estimate]:
        """By argument, the derivatives by finite differences of an elementwise operation."""
        return {}

    def slope(self, i: int) -> Estimate:
        """Return the derivative of each element of the result by its own element of input i."""
        if i not in self.slopes:
            self.slopes[i] = self.opaque.slopes(i)
        return self.slopes[i]

    def share_slopes(self, other: Case) -> None:
        """Take the derivatives of a case whose one element is repeated here."""
        for i, x in enumerate(other.inputs):
            if is_floating(x):
                parts = other.slope(i).value, other.slope(i).error, other.slope(i).reason
                self.slopes[i] = Estimate(*(np.full(self.value.shape, part) for part in parts))

    def name(self, i: int) -> str:
        """Return what messages call argument i."""
        return self.op.names[i]

    def snippet(
        self, i: int = 0, index: tuple[int, ...] = (), expected: float | None = None
    ) -> str:
        """Return a program that prints the gradients here; of one element where that will do."""
        inputs, g = self.inputs, self.g
        if self._shows_alone(i, index):
            inputs, g, index = self._alone(index), np.ravel(np.asarray(g)[index]), (0,)
        place = f"[{', '.join(map(str, index))}]" if index else ""
        return self.op.program(inputs, g, i, place, expected)

    def _alone(self, index: tuple[int, ...]) -> tuple[Any, ...]:
        """Return an array of one element of each input."""
        return tuple(
            np.ravel(x[index]) if np.ndim(x) else np.ravel(x) if is_floating(x) else x
            for x in self.inputs
        )

    def _shows_alone(self, i: int, index: tuple[int, ...]) -> bool:
        """Tell whether an element has the same gradient where it is the only one."""
        same = all(np.shape(x) in ((), self.value.shape) for x in self.inputs)
        same &= not any(map(np.ndim, self.op.params.values()))
        if not (index and same and self.value.size > 1 and self.elementwise):
            return False
        inputs, g = self._alone(index), np.ravel(np.asarray(self.g)[index])
        try:
            single = self.op.value(inputs).shape == (1,)
            alone = self.op.gradients(g, inputs)[i]
        except Exception:  # noqa: BLE001 (forward and vjp may refuse by any exception)
            return False
        here = np.asarray(self.gradients[i])[index]
        return single and np.allclose(alone, here, 1e-6, 0.0, equal_nan=True)


def mixed(shape: tuple[int, ...], seed: int) -> Array:
    """Return random numbers of both signs, over three decimal orders of magnitude, none of them 0.

    Examples
    --------
    >>> mixed((3,), 0).round(3)
    array([ 0.281,  0.249, -3.693])
    """
    rng = np.random.default_rng([seed, *shape])
    sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    return np.asarray(sign * 2.0 ** rng.uniform(-5, 5, shape))
