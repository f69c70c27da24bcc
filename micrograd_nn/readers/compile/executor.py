"""What the executors have in common that run a scalar graph on many examples at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.readers.compile.adjoint import Program, Step, program_of
from micrograd_nn.readers.compile.inputs import FloatArray, checked
from micrograd_nn.readers.compile.tape import Tape


class Executor(ABC):
    """A scalar graph, to be called on examples.

    Parameters
    ----------
    tape : Tape
        A scalar graph.
    wrt_inputs : bool
        Whether the gradient of the inputs is computed, too.

    Raises
    ------
    Refused
        If the graph can't be run in this way.

    Notes
    -----
    An executor keeps its memory between calls; two threads must not call it at once.
    """

    def __init__(self, tape: Tape, wrt_inputs: bool = True) -> None:
        self.tape = tape
        self.wrt_inputs = wrt_inputs
        self._program = program_of(tape, wrt_inputs=wrt_inputs)
        self._careful: Program | None = None

    def __reduce__(self) -> Any:
        return type(self), (self.tape, self.wrt_inputs)

    def __call__(
        self, X: npt.ArrayLike, theta: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values and gradients.

        Parameters
        ----------
        X : array_like of shape (n_inputs, m)
            The inputs, one column for each example.
        theta : array_like of shape (n_leaves,)
            The data of the leaves.

        Returns
        -------
        values : ndarray of shape (m,)
            The root, for each example.
        of_leaves : ndarray of shape (n_leaves,)
            The gradient of their sum.
        of_inputs : ndarray of shape (n_inputs, m)
            The gradient with respect to each input; zeros without ``wrt_inputs``.

        Raises
        ------
        ValueError
            If ``X`` or ``theta`` has another shape.
        """
        X, theta = checked(self.tape, X, theta)
        with np.errstate(all="ignore"):
            found = self._run(self._program, X, theta)
            if np.isnan(found[1]).any() or np.isnan(found[2]).any():
                # Perhaps a cotangent of 0 has met an infinity: once more, looking at each step.
                if self._careful is None:
                    self._careful = program_of(self.tape, wrt_inputs=self.wrt_inputs, careful=True)
                found = self._run(self._careful, X, theta)
        return found

    def _run(
        self, program: Program, X: FloatArray, theta: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        n_inputs, m = X.shape
        values, of_inputs = np.empty(m), np.zeros((n_inputs, m))
        scalars = Scalars(program, theta, m)
        scalars.run(program.prelude)
        if program.batched[self.tape.root] and m:
            self._examples(program, scalars, X, values, of_inputs)
        elif m:
            values[:] = scalars.numbers[self.tape.root]
        scalars.run(program.postlude)
        of_leaves = [0.0 if i is None else scalars.numbers[i] for i in program.of_leaves]
        return values, np.array(of_leaves, np.float64), of_inputs

    @abstractmethod
    def _examples(
        self,
        program: Program,
        scalars: Scalars,
        X: FloatArray,
        values: FloatArray,
        of_inputs: FloatArray,
    ) -> None:
        """Run forward and backward on all examples; write the results, and add the totals."""


class Scalars:
    """The numbers of a program that are computed once, not for each example."""

    def __init__(self, program: Program, theta: FloatArray, m: int) -> None:
        first = len(program.tape.inputs)
        self.numbers: dict[int, float] = dict(enumerate(theta.tolist(), first))
        self.numbers.update(program.literals)
        self.numbers.update((target, 0.0) for _, target, _ in program.totals)
        self.numbers[program.seed] = float(m)

    def run(self, steps: list[Step]) -> None:
        """Compute some of them."""
        numbers = self.numbers
        for out, op, args, params in steps:
            assert op.on_floats is not None
            numbers[out] = op.on_floats(*[numbers[a] for a in args], **params)

    def add(self, targets: list[int], totals: FloatArray) -> None:
        """Add totals to their targets."""
        for target, total in zip(targets, totals.tolist(), strict=True):
            self.numbers[target] += total
