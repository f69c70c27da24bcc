"""Which memory each value of a program is written to: buffers that are used again and again.

The lifetimes of all values are known, since a program has no branches. A value that is computed
element by element may take the place of an operand that nobody needs after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.steps import SPREAD, UFUNC, Step

Array = np.ndarray[Any, Any]


@dataclass
class Memory:
    """The memory of a program.

    Attributes
    ----------
    buffers : list of ndarray
        Flat arrays of bytes.
    places : dict of Step to (int, ndarray)
        The number of the buffer and the array in it that a step writes to.
    """

    buffers: list[Array] = field(default_factory=list)
    places: dict[Step, tuple[int, Array]] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """How many bytes the buffers take."""
        return sum(buffer.nbytes for buffer in self.buffers)


def planned(
    steps: Sequence[Step], outputs: Collection[Step], given: Mapping[Step, Array]
) -> Memory:
    """Share out buffers to the steps.

    Parameters
    ----------
    steps : sequence of Step
    outputs : collection of Step
        What is returned, and so must not lie in a buffer.
    given : mapping of Step to ndarray
        Where the results of some steps are to be written.
    """
    lent = [step for step in steps if _writes(step, outputs) and step not in given]
    last = _last_uses(steps)
    sizes: list[int] = []
    where: dict[Step, int] = {}
    free: list[int] = []
    wanted = set(lent)
    ending: dict[int, list[Step]] = {}
    for step in lent:
        ending.setdefault(last.get(step, -1), []).append(step)
    for time, step in enumerate(steps):
        dying = [s for s in ending.get(time, ()) if s in where]
        if step in wanted:
            place = _place_of_operand(step, dying, where)
            if place is None:
                place = _taken(free, sizes, step.sample.nbytes)
            else:
                dying = [s for s in dying if where[s] != place]
            where[step] = place
        free += [where[s] for s in dying]
    memory = Memory([np.empty(size, np.uint8) for size in sizes])
    for step, index in where.items():
        part = memory.buffers[index][: step.sample.nbytes]
        memory.places[step] = index, part.view(step.sample.dtype).reshape(step.shape)
    return memory


def _writes(step: Step, outputs: Collection[Step]) -> bool:
    return step.kind in (UFUNC, SPREAD) and step.is_array and step not in outputs


def _last_uses(steps: Sequence[Step]) -> dict[Step, int]:
    last: dict[Step, int] = {}
    for time, step in enumerate(steps):
        for used in step.inputs():
            last[used.base()] = time
    return last


def elementwise(step: Step) -> bool:
    """Tell whether each element of the result is computed from the same element of operands."""
    return isinstance(step.function, np.ufunc) and step.function.signature is None


def _place_of_operand(step: Step, dying: Sequence[Step], where: Mapping[Step, int]) -> int | None:
    """Return the buffer of an operand that the result may overwrite."""
    if not elementwise(step):
        return None
    bases = [used.base() for used in step.inputs()]
    for used in step.inputs():
        alike = used.shape == step.shape and used.sample.dtype == step.sample.dtype
        if used in dying and alike and used in where and bases.count(used) == _plain(step, used):
            return where[used]
    return None


def _plain(step: Step, operand: Step) -> int:
    return sum(used is operand for used in step.inputs())


def _taken(free: list[int], sizes: list[int], nbytes: int) -> int:
    """Take a free buffer, the smallest that holds so many bytes; else the largest, made larger."""
    fitting = [i for i in free if sizes[i] >= nbytes]
    if fitting:
        index = min(fitting, key=lambda i: (sizes[i], i))
    elif free:
        index = max(free, key=lambda i: (sizes[i], i))
        sizes[index] = nbytes
    else:
        sizes.append(nbytes)
        return len(sizes) - 1
    free.remove(index)
    return index
