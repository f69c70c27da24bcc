"""Which memory each value of a program is written to: buffers that are used again and again.

The lifetimes of all values are known, since a program has no branches. A value that is computed
element by element may take the place of an operand that nobody needs after it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.readers.compile.joined import Index, homes_of, overwritable, parts_of
from micrograd_nn.readers.compile.steps import CONSTANT, JOINED, SPREAD, UFUNC, Step

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
    homes : dict of Step to (Step, index)
        Steps that write to a part of another's array, and to which one.
    """

    buffers: list[Array] = field(default_factory=list)
    places: dict[Step, tuple[int, Array]] = field(default_factory=dict)
    homes: dict[Step, tuple[Step, Index]] = field(default_factory=dict)

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
    last = _last_uses(steps)
    free_to_place = {s for s in steps if _writes(s, outputs) and s not in given}
    readers = {step: steps[time] for step, time in last.items()}
    homes = homes_of(steps, free_to_place | {*given}, free_to_place, readers)
    wanted = free_to_place - {*homes}
    kept = {
        s for s in wanted if s.kind == JOINED and any(p.kind == CONSTANT for p, _ in parts_of(s))
    }
    for step, (whole, _) in homes.items():
        last[whole] = max(last.get(whole, -1), last.get(step, -1))
    ending: dict[int, list[Step]] = {}
    for step in steps:
        if step in wanted and step not in kept:
            ending.setdefault(last.get(step, -1), []).append(step)
    sizes: list[int] = []
    where: dict[Step, int] = {}
    free: list[int] = []
    for time, step in enumerate(steps):
        dying = [s for s in ending.get(time, ()) if s in where]
        lent = homes[step][0] if step in homes else step
        if lent in wanted and lent not in where:
            place = _place_of_operand(lent, dying, where)
            if place is None:
                place = _taken([] if lent in kept else free, sizes, lent.sample.nbytes)
            else:
                dying = [s for s in dying if where[s] != place]
            where[lent] = place
        free += [where[s] for s in dying]
    memory = Memory([np.empty(size, np.uint8) for size in sizes], {}, homes)
    for step, index in where.items():
        memory.places[step] = index, laid_out(memory.buffers[index], step.sample)
    return memory


def transposed(array: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return a shape and the transpose that makes of it an array in the order of this one."""
    axes = [*range(array.ndim)]
    if not array.flags.c_contiguous:
        axes.sort(key=lambda axis: -abs(array.strides[axis]))
    return tuple(array.shape[axis] for axis in axes), tuple(map(axes.index, range(array.ndim)))


def laid_out(buffer: Array, sample: Array) -> Array:
    """Return an array like a sample, in one piece and in the same order, in a buffer."""
    shape, inverse = transposed(sample)
    return buffer[: sample.nbytes].view(sample.dtype).reshape(shape).transpose(inverse)


def _writes(step: Step, outputs: Collection[Step]) -> bool:
    return step.kind in (UFUNC, SPREAD, JOINED) and step.is_array and step not in outputs


def _last_uses(steps: Sequence[Step]) -> dict[Step, int]:
    last: dict[Step, int] = {}
    for time, step in enumerate(steps):
        for used in step.inputs():
            last[used.base()] = time
    return last


def _place_of_operand(step: Step, dying: Sequence[Step], where: Mapping[Step, int]) -> int | None:
    """Return the buffer of an operand that the result may overwrite."""
    return next((where[operand] for operand in overwritable(step) if operand in dying), None)


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
