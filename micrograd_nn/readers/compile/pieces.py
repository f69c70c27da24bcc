"""The cotangent of an array, of whose parts some were used on their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.readers.compile.tracing import Traced, Tracer


class Pieces:
    """Cotangents of parts of an array that don't overlap, each with its index.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
        Those of the array.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self.shape = shape
        self.dtype = dtype
        self._covered = np.zeros(shape, bool)
        self._pieces: list[tuple[Any, Traced]] = []

    def takes(self, index: Any, g: Traced) -> bool:
        """Add the cotangent of a part; tell whether that was possible: not if parts overlap."""
        part = np.zeros(self.shape, bool)
        part[index] = True
        if np.any(self._covered & part):
            return False
        self._pieces.append((index, g))
        self._covered |= part
        return True

    def together(self, tracer: Tracer, whole: Traced | None) -> Traced:
        """Return the cotangent of the array: that of all of it, if there is one, plus the parts."""
        complete = self._covered.size > 0 and self._covered.all()
        if whole is None and len(self._pieces) == 1 and complete:
            ((index, g),) = self._pieces
            if not _reverses(index):
                return g._reshape(self.shape)
        rows = self._rows() if complete else []
        if not rows:
            return tracer.added(whole, self.shape, self.dtype, self._pieces)
        joined = tracer.joined([row.astype(self.dtype) for row in rows], 0)
        return joined if whole is None else whole + joined

    def _rows(self) -> list[Traced]:
        """Return the parts in order, if each is some of the rows; else none."""
        found: list[tuple[int, Traced]] = []
        for index, piece in self._pieces:
            rows = index[0] if isinstance(index, tuple) and len(index) == 1 else index
            if isinstance(rows, slice) and (rows.step or 1) == 1:
                found.append((rows.indices(self.shape[0])[0], piece))
            elif isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
                row = piece._reshape((1, *self.shape[1:]))
                found.append((int(rows) % self.shape[0], row))
            else:
                return []
        return [piece for _, piece in sorted(found, key=lambda entry: entry[0])]


def _reverses(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts)
