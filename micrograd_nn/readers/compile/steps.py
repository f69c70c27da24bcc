"""What a program is made of: steps, each of them one call of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

#: What is given to a program: an input, or the data of a leaf.
LEAF = "leaf"
#: What is known when the program is made.
CONSTANT = "constant"
#: A call of a ufunc, of one of its methods, or of ``np.dot``: it can write into a buffer.
UFUNC = "ufunc"
#: The same memory in another shape.
VIEW = "view"
#: An array to a part of which something is added, where it lies.
INTO = "into"
#: An array written out in a larger shape.
SPREAD = "spread"
#: Several arrays as one, side by side.
JOINED = "joined"
#: Any other function: it makes an array of its own.
CALL = "call"


class Step:
    """One value of a program, and how it is computed.

    Attributes
    ----------
    kind : str
    function : callable
        Of NumPy, or a kernel or rule of a row.
    args : tuple
        Steps, plain data, or lists and tuples of them.
    kwargs : dict
    sample : array or number
        What it gave for the data that the graph was recorded with: its shape and dtype hold for
        all data of the same shapes.
    name : str
        What the value is called in the source; empty until the source is written.
    pure : bool
        Whether the same arguments give the same result.
    """

    __slots__ = ("args", "function", "kind", "kwargs", "name", "pure", "sample")

    def __init__(
        self,
        kind: str,
        function: Callable[..., Any] | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        sample: Any,
        name: str = "",
        pure: bool = True,
    ) -> None:
        self.kind = kind
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.sample = sample
        self.name = name
        self.pure = pure

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.sample)

    @property
    def is_array(self) -> bool:
        """Whether the value is an array with axes, and not a number."""
        return isinstance(self.sample, np.ndarray) and self.sample.ndim > 0

    def forget(self) -> None:
        """Let the sample go, but for its shape and dtype; constants are kept."""
        if self.is_array and self.kind != CONSTANT:
            self.sample = np.broadcast_to(np.zeros((), self.sample.dtype), self.shape)

    def inputs(self) -> Iterator[Step]:
        """Yield the steps among the arguments, each as often as it stands there."""
        stack: list[Any] = [*reversed((*self.args, *self.kwargs.values()))]
        while stack:
            arg = stack.pop()
            if isinstance(arg, Step):
                yield arg
            elif isinstance(arg, (list, tuple)):
                stack += reversed(arg)

    def base(self) -> Step:
        """Return the step whose memory this one shares; itself, if it has its own."""
        step = self
        while step.kind in (VIEW, INTO):
            step = step.args[0]
        return step


def elementwise(step: Step) -> bool:
    """Tell whether each element of the result is computed from the same element of operands."""
    return isinstance(step.function, np.ufunc) and step.function.signature is None


def replaced(arg: Any, change: Callable[[Any], Any]) -> Any:
    """Return an argument with what stands in it, in lists and tuples too, changed."""
    if isinstance(arg, (list, tuple)):
        return type(arg)(replaced(item, change) for item in arg)
    return change(arg)


def needed(outputs: list[Step], steps: list[Step]) -> list[Step]:
    """Return the steps that the outputs depend on, in order; a draw of numbers is always needed."""
    wanted = set(outputs)
    for step in reversed(steps):
        if step in wanted or not step.pure:
            wanted.add(step)
            wanted.update(step.inputs())
    return [step for step in steps if step in wanted]
