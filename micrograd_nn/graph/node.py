"""The node: what every recorded value is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from micrograd_nn.graph.modes import calling_line as calling_line
from micrograd_nn.graph.modes import clock as clock
from micrograd_nn.graph.modes import debug_nans as debug_nans
from micrograd_nn.graph.modes import modes as modes
from micrograd_nn.graph.modes import no_grad as no_grad
from micrograd_nn.graph.modes import record_lines as record_lines
from micrograd_nn.graph.modes import switch as switch

if TYPE_CHECKING:
    from typing_extensions import Self

    from micrograd_nn.graph.primitive import Primitive

#: The gradient of a node that no backward pass has reached. It equals 0.0, and is told from a
#: gradient that was computed and is zero by identity.
UNREACHED: float = float("0.0")


class GraphError(RuntimeError):
    """A graph can't be read or differentiated as asked.

    Examples
    --------
    >>> from micrograd_nn import Tensor
    >>> Tensor([1.0, 2.0]).backward()
    Traceback (most recent call last):
    ...
    micrograd_nn.graph.node.GraphError: backward() needs a seed, ...
    """


class StaleGraphError(GraphError):
    """Data were changed after they had been recorded, so that a derivative would be wrong.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> z = y * y
    >>> y.data = 5.0
    >>> z.backward()
    Traceback (most recent call last):
    ...
    micrograd_nn.graph.node.StaleGraphError: the data of ... were overwritten ...
    """


class NonFiniteError(ArithmeticError):
    """An operation produced NaN or infinity while ``debug_nans()`` was on.

    Examples
    --------
    >>> from micrograd_nn import Value, debug_nans
    >>> with debug_nans():
    ...     1.0 / Value(0.0)
    Traceback (most recent call last):
    ...
    micrograd_nn.graph.node.NonFiniteError: ...
    """


def checked_name(name: Any) -> str | None:
    """Return a name; raise a TypeError if it isn't text."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a name is text, got {name!r}")
    return name


class Tag:
    """What is known of a node besides its arithmetic. Most scalar nodes have none."""

    __slots__ = ("comparisons", "inputs", "line", "name", "params", "scope")

    def __init__(
        self,
        name: str | None = None,
        scope: str = "",
        line: str | None = None,
        params: dict[str, Any] | None = None,
        comparisons: int | None = None,
    ) -> None:
        self.name = checked_name(name)
        self.scope = scope
        self.line = line
        self.params = params
        self.inputs: tuple[Node, ...] | None = None
        #: How many comparisons of nodes there had been when the node was recorded.
        self.comparisons = switch.comparisons if comparisons is None else comparisons

    def __reduce__(self) -> tuple[Any, ...]:
        return Tag, (self.name, self.scope, self.line, self.params, self.comparisons)

    def copy(self) -> Tag:
        """Return a tag of the same content, without the cached inputs."""
        return Tag(self.name, self.scope, self.line, self.params, self.comparisons)


@lru_cache(maxsize=10_000)
def _scope_tag(scope: str, comparisons: int) -> Tag:
    # Shared by all nodes of a layer: one that is named gets its own.
    return Tag(None, scope, comparisons=comparisons)


class Node:
    """A recorded value: an operation, its ordered inputs, the data and the gradient.

    ``Value`` (a float) and ``Tensor`` (an array) are the two kinds of node. Equality and hash are
    by identity; ``<`` and ``>`` compare data.

    Notes
    -----
    A node of one or two arguments keeps its inputs in ``_a`` and ``_b``; an argument that is a
    sequence of nodes is kept there as a tuple, and an operation of three or more arguments keeps
    them all as a tuple in ``_a``. ``None`` stands for a constant. ``_x`` and ``_y`` hold the
    arguments' data as they were when the node was recorded, where a derivative rule reads them: so
    the backward pass never sees a later change. A node refers to its inputs only, never to itself
    or its consumers: there are no reference cycles.
    """

    __slots__ = ("_a", "_b", "_data", "_grad", "_op", "_tag", "_x", "_y")

    rank: ClassVar[int] = 0
    kinds: ClassVar[dict[str, type[Node]]] = {}

    _data: Any
    _grad: Any
    _op: Primitive | None
    _a: Any
    _b: Any
    _x: Any
    _y: Any
    _tag: Tag | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Node.kinds.setdefault(cls.__name__, cls)

    @property
    def op(self) -> Primitive | None:
        """The row of the table of operations that made this node; ``None`` for a leaf."""
        return None if self._op is None else self._op.row

    @property
    def params(self) -> dict[str, Any]:
        """The static parameters of the operation, such as ``axis``."""
        tag = self._tag
        return {} if tag is None or tag.params is None else tag.params

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is computed for this node."""
        return True

    @property
    def name(self) -> str | None:
        """The name given by ``name=`` or ``named()``, if any."""
        return None if self._tag is None else self._tag.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._own_tag().name = checked_name(name)

    @property
    def scope(self) -> str:
        """The layer (and neuron) in which the node was recorded, such as ``"layers.0"``."""
        return "" if self._tag is None else self._tag.scope

    @property
    def line(self) -> str | None:
        """The place, "file:line", that recorded the node, where ``record_lines()`` was on."""
        return None if self._tag is None else self._tag.line

    def named(self, name: str) -> Self:
        """Give the node a name and return it.

        Examples
        --------
        >>> from micrograd_nn import Value
        >>> z = (Value(2.0) * 3.0).named("z")
        >>> z.name
        'z'
        """
        self.name = name
        return self

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes this one was computed from, in argument order, constants included."""
        if self._op is None:
            return ()
        tag = self._tag
        if tag is not None and tag.inputs is not None:
            return tag.inputs
        arguments = self._saved_arguments()
        inputs = tuple(
            self._constant(saved) if node is None else node for node, saved, _ in arguments
        )
        if any(node is None for node, _, _ in arguments):
            self._own_tag().inputs = inputs
        return inputs

    def _recorded(self) -> tuple[Any, Any, Any, Any]:
        """Return the two slots of inputs and the two of data, as a reader is to see them."""
        a = self._a
        if isinstance(a, Group):
            return a.of_member(self._x)
        return a, self._b, getattr(self, "_x", None), getattr(self, "_y", None)

    def _saved_arguments(self) -> list[tuple[Node | None, Any, bool]]:
        """Return ``(input or None, data as recorded, whether a rule reads it)`` per argument."""
        op = self._op
        assert op is not None
        a, b, x, y = self._recorded()
        if type(b) is tuple:
            return [(n, s, True) for n, s in zip((*a, *b), (*x, *y), strict=True)]
        if type(a) is tuple:
            reads = op.reads[:1] * len(a) if op.variadic else op.reads
            return list(zip(a, x, reads, strict=True))
        found = []
        for node, saved, read in zip((a, b), (x, y), op.reads, strict=False):
            saved = node._data if not read and node is not None else saved
            found.append((node, saved, read))
        return found

    @classmethod
    def _constant(cls, data: Any) -> Node:
        raise NotImplementedError  # each kind of node has its own constants

    def _recorded_inputs(self) -> list[Node]:
        """Return the inputs that are nodes, without making nodes of plain constants."""
        found: list[Node] = []
        for node in self._recorded()[:2] if isinstance(self._a, Group) else (self._a, self._b):
            if type(node) is tuple:
                found += [i for i in node if i is not None]
            elif node is not None:
                found.append(node)
        return found

    def _own_tag(self) -> Tag:
        """Return a tag that no other node shares, making one if need be."""
        tag = Tag(comparisons=0) if self._tag is None else self._tag.copy()
        if self._tag is not None:
            tag.inputs = self._tag.inputs
        self._tag = tag
        return tag

    def where_recorded(self) -> str:
        """Return the name, layer and line of the node as words for an error message."""
        words = [f"named {self.name!r}"] if self.name else []
        if self.scope:
            words.append(f"in layer {self.scope!r}")
        if self.line:
            words.append(f"recorded at {self.line}")
        return ", ".join(words)

    def describe(self) -> str:
        """Return the op, name, layer and line of the node as words for an error message."""
        what = self._op.name if self._op is not None else "leaf"
        return " ".join(filter(None, [what, self.where_recorded()]))

    @classmethod
    def record(cls, row: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Node:
        """Apply ``row`` to ``args``, at least one of which is a node, and record the result."""
        raise NotImplementedError  # each kind of node records in its own way

    def _finish(self, row: Primitive, params: dict[str, Any], scope: str = "") -> Any:
        """Tag a node that has just been recorded, as the modes ask, and check it."""
        scope = scope or modes.scope
        if modes.lines:
            self._tag = Tag(None, scope, calling_line(), params or None)
        elif params:
            self._tag = Tag(None, scope, None, params)
        elif scope:
            self._tag = _scope_tag(scope, switch.comparisons)
        if modes.finite and not np.all(np.isfinite(self._data)):
            raise NonFiniteError(_not_finite_message(self, row))
        return self

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from micrograd_nn.readers import draw

        bundle: dict[str, str] = draw(self)._repr_mimebundle_(include, exclude)
        return bundle

    def _snapshot(self) -> Any:
        """Return the data, in memory that nobody will write to."""
        return self._data

    def pull_array(self, g: Any, careful: bool) -> bool:
        """Carry a cotangent that is an array to the inputs; see ``backward``."""
        raise NotImplementedError  # a Value has a float for a cotangent


class Group(Node):
    """Nodes that the engine treats as one; see ``micrograd_nn.graph.units``."""

    __slots__ = ()

    def of_member(self, index: int) -> tuple[Any, Any, Any, Any]:
        """Return the slots of inputs and data of one member."""
        raise NotImplementedError  # each kind of group keeps them in its own way


def _not_finite_message(node: Node, row: Primitive) -> str:
    data = np.asarray(node._data)
    bad = data[~np.isfinite(data)]
    where = node.where_recorded()
    of = f" in {bad.size} of {data.size} elements" if data.size > 1 else ""
    went_in = "; ".join(f"{i.name or i.describe()} = {_short(i._data)}" for i in node.inputs)
    return (
        f"{row.name} produced {float(bad.flat[0])}{of}"
        + (f" ({where})" if where else "")
        + f" from {went_in}. Keep its argument inside the domain"
        + (f" {row.domain}" if row.domain else "")
        + ", or scale the input."
    )


def data_of(x: Any) -> Any:
    """Return the data of a node, or plain data as they are."""
    return x._data if isinstance(x, Node) else x


def is_finite(x: Any) -> bool:
    """Tell whether no number of an array is NaN or infinite, as far as its sum tells.

    A program that is being compiled takes it for granted: its arithmetic raises a flag where it
    meets infinities, and the engine computes in its place.
    """
    return isinstance(x, Node) or math.isfinite(np.add.reduce(x, axis=None))


def refuse_masked(array: Any, what: str = "") -> None:
    """Raise a TypeError if elements are masked; ``what`` is what the message calls the array."""
    if isinstance(array, np.ma.MaskedArray) and np.ma.is_masked(array):
        raise TypeError(
            f"{what + ': ' if what else ''}{np.ma.getmaskarray(array).sum()} of {array.size} "
            "elements are masked, and a graph knows no mask: fill them first, as by "
            "array.filled(0.0)"
        )


def are_floats(items: Iterable[Any]) -> bool:
    """Tell whether all are Python floats, as the data of Values are."""
    return all(type(item) is float for item in items)


def _short(data: Any) -> str:
    array = np.asarray(data)
    return f"{array.item():g}" if array.ndim == 0 else f"array of shape {array.shape}"
