"""From drawn numbers to an expression: steps are repaired, never rejected.

A step is drawn as an operation, and how far back its operands stand. Its values are known while it
is chosen: where the operation doesn't fit, or would leave its domain, the next operand back that
does is taken, then the next operation. So every draw makes an expression, nothing is filtered out,
and a failure shrinks to few and simple steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from micrograd_nn.testing.programs.expression import Program, Step
from micrograd_nn.testing.programs.operations import Choices, Operation, Parameters

Array = Any

#: How far the operands stay from kinks and from the edge of a domain.
MARGIN = 0.05

#: Results larger than this, or smaller but not 0, aren't made: gradients neither over- nor
#: underflow, and differences can measure them.
LARGEST, SMALLEST = 1e3, 1e-6

#: Results of more elements or axes than this aren't made.
MOST_ELEMENTS, MOST_AXES = 36, 4


@dataclass(frozen=True)
class Draw:
    """What is drawn for one step.

    A distance of 0 is the newest value, of 1 the one before; −1 is the first input, −2 the second.
    So an operand stays the same when steps in between are left out.
    """

    operation: Operation
    distances: tuple[int, int]
    choices: int


def assembled(
    draws: Sequence[Draw],
    pool: Sequence[Operation],
    examples: Sequence[Sequence[Array]],
    margin: float,
) -> Program:
    """Return a program whose every step may be applied to the values of every example.

    Parameters
    ----------
    draws : sequence of Draw
    pool : sequence of Operation
        The operations to take the next one from.
    examples : sequence of sequences of arrays
        The inputs; those of all examples have the same shapes.
    margin : float
        How far from kinks to stay; 0 where kinks are welcome.
    """
    values: list[list[Array]] = [list(example) for example in examples]
    arity = len(values[0])
    steps: list[Step] = []
    places = {id(operation): i for i, operation in enumerate(pool)}
    with np.errstate(all="ignore"):
        for draw in draws:
            first = places[id(draw.operation)]
            for operation in (*pool[first:], *pool[:first]):
                found = _fitted(operation, draw, values, arity, margin)
                if found is not None:
                    step, results = found
                    steps.append(step)
                    for of_example, result in zip(values, results, strict=True):
                        of_example.append(result)
                    break
    return Program(arity, tuple(steps))


def applies(program: Program, examples: Sequence[Sequence[Array]], margin: float) -> bool:
    """Tell whether every step may be applied to the values of every example."""
    with np.errstate(all="ignore"):
        for example in examples:
            values = list(example)
            for step in program.steps:
                operands = [values[place] for place in step.operands]
                try:
                    result = _result(step.operation, operands, step.parameters, margin)
                except (ValueError, IndexError):
                    return False  # the shapes don't fit
                if result is None:
                    return False
                values.append(result)
    return True


def _fitted(
    operation: Operation,
    draw: Draw,
    values: Sequence[Sequence[Array]],
    inputs: int,
    margin: float,
) -> tuple[Step, list[Array]] | None:
    """Return the step with the nearest operands that fit, and its results by example."""
    for operands in _operands(operation.arity, draw.distances, len(values[0]), inputs):
        arrays = [[of_example[place] for place in operands] for of_example in values]
        try:
            parameters = operation.choose(Choices(draw.choices), *arrays[0])
            if parameters is None:
                continue
            results = [_result(operation, each, parameters, margin) for each in arrays]
        except (ValueError, IndexError):
            continue  # the shapes don't fit
        if all(result is not None for result in results):
            return Step(operation, operands, parameters), results
    return None


def _operands(
    arity: int, distances: Sequence[int], count: int, inputs: int
) -> Iterator[tuple[int, ...]]:
    """Yield places of operands: those drawn first, then others further back, and around."""
    starts = [
        count - 1 - distance if distance >= 0 else (-1 - distance) % inputs
        for distance in (*distances, sum(distances))[:arity]
    ]
    for further in product(range(count), repeat=arity):
        yield tuple((start - back) % count for start, back in zip(starts, further, strict=True))


def _result(
    operation: Operation, operands: Sequence[Array], parameters: Parameters, margin: float
) -> Array | None:
    """Return the result, or None where the operation may not be applied."""
    if not operation.allowed(operands, parameters, margin):
        return None
    result = np.asarray(operation.call(*operands, **parameters))
    return result if _is_moderate(result) else None


def _is_moderate(result: Array) -> bool:
    if not 0 < result.size <= MOST_ELEMENTS or result.ndim > MOST_AXES:
        return False
    size = np.abs(result)
    return bool(np.all((size <= LARGEST) & ((size >= SMALLEST) | (size == 0))))
