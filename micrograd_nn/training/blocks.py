"""Blocks: many small parameters as one flat array, so that one formula moves them all at once.

A network has a few large arrays, which are worth a formula each, and many small ones (or single
numbers), for which the call costs more than the arithmetic. The small ones of a dtype are laid one
after another; each is then a view of the block's array, which the next step reads as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node, clock
from micrograd_nn.graph.tensor import LENT, Tensor
from micrograd_nn.readers.compile.place import Place

Array = np.ndarray[Any, Any]

_ARRAYS = {np.ndarray}

#: A tensor of up to this many numbers shares its block; a larger one has a block of its own.
SMALL = 16384

#: The formula is applied to pieces of this many numbers, so that all that it reads and writes
#: stays in the processor's cache.
PIECE = 32768


def blocks_of(parameters: Sequence[Node]) -> list[Block]:
    """Share out the parameters to blocks, one per dtype and one per large parameter.

    Examples
    --------
    >>> import numpy as np
    >>> from micrograd_nn import Tensor, Value
    >>> nodes = [Value(1.0), Tensor(np.ones((2, 3))), Tensor(np.ones(2), dtype=np.float32)]
    >>> [block.size for block in blocks_of(nodes)]
    [1, 6, 2]
    """
    shared: dict[Any, list[Node]] = {}
    for parameter in parameters:
        data = parameter._data
        if not isinstance(parameter, Tensor):
            shared.setdefault("scalars", []).append(parameter)
        elif data.size <= SMALL:
            shared.setdefault(data.dtype, []).append(parameter)
        else:
            shared[parameter] = [parameter]
    return [
        ScalarBlock(nodes) if key == "scalars" else Block(nodes) for key, nodes in shared.items()
    ]


class Block:
    """Tensors of one dtype, as one flat array.

    Attributes
    ----------
    nodes : list of Node
        The parameters, in order.
    size : int
        How many numbers they have together.
    bounds : list of (int, int)
        Where in the flat array each parameter's numbers begin and end.
    dtype : dtype
        That of the state: the parameters', but float32 for float16, which can't hold Adam's ε.
    """

    scalars = False

    def __init__(self, nodes: list[Any]) -> None:
        self.nodes = nodes
        sizes = [int(np.size(node._data)) for node in nodes]
        ends = np.cumsum(sizes).tolist()
        self.bounds = list(zip([0, *ends[:-1]], ends, strict=True))
        self.size = int(ends[-1])
        self.own: Any = np.asarray(nodes[0]._data).dtype
        self.dtype: Any = np.dtype(np.float32) if self.own.itemsize == 2 else self.own
        self._layout = [
            (np.shape(node._data), start * self.own.itemsize)
            for node, (start, _) in zip(nodes, self.bounds, strict=True)
        ]
        #: Whether θ − α ∇ of a parameter is something else than an array of its dtype.
        self.uneven = (
            self.scalars or self.own is not self.dtype or any(not s for s, _ in self._layout)
        )
        self._flat: Array | None = None
        self._views: list[Array] = []
        self._buffer: Array | None = None  # for the gradients, which nobody else gets to see
        self._held: Array | None = None  # the data, and below the gradients, of a settled block
        self._held_views: list[Array] = []
        self._settled: Array | None = None
        self._pieces: list[tuple[Array, Array, Array, slice | None]] = []  # of a settled block

    def __getstate__(self) -> dict[str, Any]:
        # A copy has arrays of its own: views into those of the original would be none of it.
        return {
            name: []
            if name.endswith(("_views", "_pieces"))
            else None
            if name in ("_flat", "_held", "_settled", "_buffer")
            else value
            for name, value in vars(self).items()
            if name != "_synced"
        }

    def zeros(self) -> Array:
        """Return an array of zeros for the state of the block."""
        return np.zeros(self.size, self.dtype)

    def update(self, formula: Callable[..., None], state: Sequence[Array]) -> None:
        """Apply ``formula(theta, grad, out, *state)`` and let the parameters have ``out``."""
        arrays = [self._theta(), self._gradient()]
        new = np.empty(self.size, self.dtype)
        arrays.append(new)
        arrays.extend(state)
        if self.size <= PIECE:
            formula(*arrays)
        else:
            for start in range(0, self.size, PIECE):
                formula(*[array[start : start + PIECE] for array in arrays])
        self._write(new)

    # ------------------------------------------------------------- moved where they lie

    def settle(self) -> list[Place]:
        """Lay the parameters, and their gradients, into memory in which they stay."""
        if self._settled is None:
            self._settled = np.zeros(self.size, self.own)
            if self.own is self.dtype and not self.scalars:
                self._held = np.empty(self.size, self.own)
                self._held_views = self._parts(self._held)
        self.refresh()
        data: Sequence[Array | None] = self._held_views or [None] * len(self.nodes)
        return [
            Place(node, held, gradient, (self.gradients, start))
            for node, held, gradient, (start, _) in zip(
                self.nodes, data, self._parts(self.gradients), self.bounds, strict=True
            )
        ]

    @property
    def gradients(self) -> Array:
        """The gradients of a settled block, one after another."""
        assert self._settled is not None
        return self._settled

    def settled_data(self) -> Array:
        """Return the data of a settled block, one after another."""
        assert self._held is not None
        return self._held

    def refresh(self) -> None:
        """Take over what was written to the parameters elsewhere."""
        for node, view in zip(self.nodes, self._held_views):  # noqa: B905 (twice as slow)
            if node._data is not view:
                view[...] = node._data
                node._data = view
                node._exposed = LENT

    def step_settled(
        self,
        formula: Callable[..., None],
        change: Callable[..., None] | None,
        state: Sequence[Array],
    ) -> None:
        """Move the settled parameters by their settled gradients.

        ``formula(theta, grad, out, *state)`` writes the new parameters to ``out``; ``change``, if
        it is given, what is to be subtracted from the old ones, which is done in their place.
        """
        if self._held is None:
            new = np.empty(self.size, self.dtype)
            formula(self._theta(), self._wide(self.gradients), new, *state)
            self._write(new)
            return
        for theta, grad, out, piece in self._pieces or self._cut():
            parts = state if piece is None else [array[piece] for array in state]
            if change is None:
                formula(theta, grad, out, *parts)
                theta[:] = out
            else:
                change(theta, grad, out, *parts)
                np.subtract(theta, out, theta)
        clock.time += 1

    def _cut(self) -> list[tuple[Array, Array, Array, slice | None]]:
        """Cut a settled block into pieces: data, gradients, room for a result, and which piece."""
        assert self._held is not None
        room = np.empty(min(self.size, PIECE), self.dtype)
        cuts = [slice(i, i + PIECE) for i in range(0, self.size, PIECE)]
        self._pieces = [
            (
                theta := self._held[cut],
                self.gradients[cut],
                room[: theta.size],
                cut if cuts[1:] else None,
            )
            for cut in cuts
        ]
        return self._pieces

    def _parts(self, flat: Array) -> list[Array]:
        array = np.ndarray
        return [array(shape, flat.dtype, flat, offset) for shape, offset in self._layout]

    # --------------------------------------------------------------------------- by new arrays

    def _theta(self) -> Array:
        if self._flat is not None:
            for node, view in zip(self.nodes, self._views, strict=True):
                if node._data is not view:  # overwritten since the last step
                    break
            else:
                return self._flat
        arrays = [node._data for node in self.nodes]
        single = len(arrays) == 1
        return self._wide(arrays[0].reshape(-1) if single else np.concatenate(arrays, axis=None))

    def _gradient(self) -> Array:
        grads = [node._grad for node in self.nodes]
        if set(map(type, grads)) != _ARRAYS:
            grads = [_gradient_of(node) for node in self.nodes]
        if len(grads) == 1:
            return self._wide(grads[0].reshape(-1))
        if self._buffer is None:
            self._buffer = np.empty(self.size, self.dtype)
        return np.concatenate(grads, axis=None, out=self._buffer)

    def _wide(self, flat: Array) -> Array:
        return flat if self.own is self.dtype else flat.astype(self.dtype)

    def _write(self, new: Array) -> None:
        own = self.own
        self._flat = new if own is self.dtype else None
        new = new.astype(own, copy=False)
        self._views = self._parts(new)
        for node, view in zip(self.nodes, self._views, strict=True):
            node._data = view  # what Tensor._overwrite does, with one tick for all
            node._exposed = False
        clock.time += 1


class ScalarBlock(Block):
    """Values, as one array of float64."""

    scalars = True
    _synced = -1  # when the held data and the nodes' were last the same

    def refresh(self) -> None:
        """Take over what was written to the parameters elsewhere."""
        if self._held is None:
            self._held = np.empty(self.size)
        if self._synced != clock.time:
            self._held[:] = [node._data for node in self.nodes]
            self._synced = clock.time

    def step_settled(
        self,
        formula: Callable[..., None],
        change: Callable[..., None] | None,
        state: Sequence[Array],
    ) -> None:
        """Move the settled numbers, and let the nodes have them."""
        self.refresh()
        super().step_settled(formula, change, state)
        self._write(self.settled_data())
        self._synced = clock.time

    def _theta(self) -> Array:
        return np.array([node._data for node in self.nodes])

    def _gradient(self) -> Array:
        # Some may be nodes, after backward(create_graph=True): NumPy takes their float().
        return np.array([node._grad for node in self.nodes], np.float64)

    def _write(self, new: Array) -> None:
        for node, number in zip(self.nodes, new.tolist(), strict=True):
            node._data = number
        clock.time += 1  # as Value.data's setter does, but once for all of them


def _gradient_of(tensor: Any) -> Array:
    """Return a tensor's gradient as an array: zeros if no backward pass has reached it."""
    grad = tensor._grad
    if type(grad) is float:
        return np.zeros_like(tensor._data)
    return grad._data if isinstance(grad, Node) else grad  # type: ignore[no-any-return]
