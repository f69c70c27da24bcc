"""Arrays joined of parts: a part is computed where it is wanted, in the larger array itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd_nn.readers.compile import moves
from micrograd_nn.readers.compile.steps import JOINED, UFUNC, VIEW, Step, elementwise

#: Which part of an array: a slice of one axis, all of those before.
Index = tuple[slice, ...]


def parts_of(step: Step) -> Iterator[tuple[Step, Index]]:
    """Yield the parts of a joined array, each with where it lies in it."""
    (parts,), axis = step.args, step.kwargs["axis"]
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        yield part, (slice(None),) * axis + (slice(start, stop),)
        start = stop


def homes_of(
    steps: Sequence[Step],
    placed: Collection[Step],
    free: Collection[Step],
    last: Mapping[Step, Step],
) -> dict[Step, tuple[Step, Index]]:
    """Find the steps that can write their result into a joined array.

    Parameters
    ----------
    steps : sequence of Step
    placed : collection of Step
        Those whose result is written to memory that was there before.
    free : collection of Step
        Those of ``placed`` whose memory may be chosen.
    last : mapping of Step to Step
        Where each is read for the last time.

    Returns
    -------
    dict of Step to (Step, index)
        The joined array, and where in it the result lies.
    """
    homes: dict[Step, tuple[Step, Index]] = {}
    for step in steps:
        if step.kind == JOINED and step in placed:
            for part, index in parts_of(step):
                made = part.args[0] if part.kind == VIEW and part.function is np.reshape else part
                while made in free and made not in homes and _fits(made, step):
                    homes[made] = step, index
                    made = _overwritten(made, last) or made
    return homes


def _fits(made: Step, step: Step) -> bool:
    """Tell whether the result can be written to its part of the joined array as it stands."""
    alike = made.kind == UFUNC and made.sample.dtype == step.sample.dtype
    in_order = made.sample.flags.c_contiguous and step.sample.flags.c_contiguous
    # What is read from memory that isn't in one piece may be summed in another order.
    return alike and in_order and math.prod(step.shape[: step.kwargs["axis"]]) == 1


def _overwritten(step: Step, last: Mapping[Step, Step]) -> Step | None:
    """Return an operand that can lie where the result is to lie, and is overwritten by it."""
    operands = overwritable(step)
    return next((o for o in operands if last[o] is step and o.shape == step.shape), None)


def overwritable(step: Step) -> list[Step]:
    """Return the operands whose memory the result may be written to, if nobody reads them later."""
    if not elementwise(step):
        return []
    operands, found = [*step.inputs()], []
    bases = [operand.base() for operand in operands]
    for operand, base in zip(operands, bases, strict=True):
        in_front = operand is base or _is_first_rows(operand)
        only = bases.count(base) == _count(operand, operands)
        if in_front and only and _are_alike(operand.sample, step.sample):
            found.append(base)
    return found


def _are_alike(x: Any, y: Any) -> bool:
    """Tell whether two arrays hold elements of the same kind in the same order in memory."""
    arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray)
    return arrays and (x.shape, x.strides, x.dtype) == (y.shape, y.strides, y.dtype)


def _is_first_rows(step: Step) -> bool:
    """Tell whether a view is made of the first rows of what has memory of its own."""
    if step.function is not moves.getitem or step.args[0].kind == VIEW:
        return False
    index = step.args[1]
    rows = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    return isinstance(rows, slice) and not rows.start and (rows.step or 1) == 1


def _count(step: Step, operands: Sequence[Step]) -> int:
    return sum(operand is step for operand in operands)
