"""A row of the table of operations: everything that is known about one operation."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph.ieee import ieee
from micrograd_nn.graph.node import Node, StaleGraphError, refuse_masked
from micrograd_nn.graph.pull import Pull, pull_made_later, pull_tuple
from micrograd_nn.graph.row_docs import Doc, Signature

Rule = Callable[..., Any]

#: Every row by its name.
table: dict[str, Primitive] = {}


class Primitive:
    """One operation: its kernels, and one derivative rule per argument.

    Parameters
    ----------
    name : str
        The name, unique in the table.
    on_arrays : callable
        The kernel ``(*arrays, **params) -> array``.
    on_floats : callable, optional
        The kernel on Python floats. Without one, a ``Value`` argument makes a ``Tensor`` result.
    rules : sequence of callables or None
        One rule per argument: ``rule(g, z, *args, **params)`` returns the cotangent of that
        argument, given the cotangent ``g`` of the result ``z``: the vector-Jacobian product
        ``gᵀ ∂z/∂arg``. Rules are written with operators and the functions of
        ``micrograd_nn.functional``, so that they run on floats, on arrays and on nodes. ``None``
        marks an argument without a derivative. A parameter whose name starts with ``_`` isn't
        read: its data need not be kept.
    notation : str
        How it prints, with ``{}`` for each argument, such as ``"{} + {}"``; by default its name
        and the arguments in brackets.
    code : str
        How it is written in NumPy, such as ``"np.exp({})"``.
    textbook : sequence of str
        The rules as textbooks write them, one per argument, in ``{0}``, ``{1}`` (arguments) and
        ``{z}`` (result), such as ``"1 - {z}**2"``.
    domain : str
        Where it is defined, as an expression in the names of the rule's arguments; empty where
        everywhere.
    kinks : dict
        Points without a derivative, and what is given there. A point is a condition in the names
        of the rules' arguments, such as ``"x == 0 and y == 0"``. The text begins with the value,
        ``"0 (the subgradient of least norm)"``: that of the derivative by each argument that the
        condition names, or by those that the text does, as in ``"1 by x, 0 by y"``.
    elementwise : bool
        Whether each element of the result depends on the same element of the arguments only.
    along : str or tuple of int, optional
        The axes along which it mixes the elements of its argument, or the name of the parameter
        that says so, such as ``"axis"``; an element influences no result elsewhere. Without one,
        and where it isn't elementwise, any element may influence any result.
    variadic : bool
        Whether the one argument is a sequence of nodes; its rule then returns a list.
    vector : bool
        Whether the two arguments are sequences of scalars; the one rule then returns two lists.
    multilinear : bool
        Whether it is a sum of products, one factor from each argument.
    hides_nan : bool
        Whether it may leave out elements of its arguments, and with them a NaN.
    about : str
        What it computes, in a sentence; by default what the kernel's docstring says, or the
        notation.
    example : str
        Lines of a doctest.

    Attributes
    ----------
    activation : Primitive or None
        The function that a unit, g(w·x + b), applies to its weighted sum.

    Notes
    -----
    ``row(*args, **params)`` computes on floats and arrays, and records on nodes. Rows are made by
    ``primitive``, pickle by name and are compared by identity. ``help(row)`` shows a text that is
    written from these fields.
    """

    __doc__ = Doc(__doc__)
    __signature__ = Signature()

    def __init__(
        self,
        name: str,
        *,
        on_arrays: Callable[..., Any],
        on_floats: Callable[..., float] | None = None,
        rules: Sequence[Rule | None] = (),
        notation: str = "",
        code: str = "",
        textbook: Sequence[str] = (),
        domain: str = "",
        kinks: dict[str, str] | None = None,
        elementwise: bool = True,
        along: str | tuple[int, ...] | None = None,
        variadic: bool = False,
        vector: bool = False,
        multilinear: bool = False,
        hides_nan: bool = False,
        about: str = "",
        example: str = "",
    ) -> None:
        self.name = name
        self.on_arrays = on_arrays
        self.on_floats = on_floats
        places = ["{}"] if variadic else ["{}"] * len(rules)  # one for a sequence of any length
        self.notation = notation or f"{name}({', '.join(places)})"
        self.code = code
        self.textbook = tuple(textbook)
        self.domain = domain
        self.kinks = kinks or {}
        self.elementwise = elementwise
        self.along = along
        self.variadic = variadic
        self.vector = vector
        self.multilinear = multilinear
        self.hides_nan = hides_nan
        self.about = about
        self.example = example
        self.activation: Primitive | None = None
        self.row: Primitive = self  # but for the variants that single nodes use
        self.pull: Pull
        self.rules = tuple(rules)
        self.__name__ = name

    @property
    def rules(self) -> tuple[Rule | None, ...]:
        """The derivative rules, one per argument."""
        return self._rules

    @rules.setter
    def rules(self, rules: tuple[Rule | None, ...]) -> None:
        self._rules = rules
        self.reads = _arguments_read(rules)
        some = any(rule is not None for rule in rules)
        self.given = tuple(some and rule is None for rule in rules)  # conditions: kept as given
        self.pull = pull_made_later(self)
        self._takes = 2 if self.vector else len(rules)

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self._rules)

    @contextmanager
    def replaced(self, *rules: Rule | None) -> Iterator[None]:
        """Use other rules inside the block, as a checker of checkers does."""
        before = self.rules
        self.rules = rules
        try:
            yield
        finally:
            self.rules = before

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Compute on floats and arrays; record where an argument is a node."""
        if len(args) != self._takes:  # NumPy would write to one argument too many
            raise TypeError(self._miscounted(len(args)))
        arrays = False
        for arg in args:
            kind = type(arg)
            if (
                (kind is np.ndarray and arg.dtype.kind == "f")
                or kind is np.float64
                or kind is np.float32
            ):
                arrays = True
            elif kind is not float:
                if kind is Node.kinds["Tensor"]:
                    return kind.record(self, args, params)
                return self._call_on_any(args, params)
        if not arrays and self.on_floats is not None:
            return self.on_floats(*args, **params)
        return self.on_arrays(*args, **params)

    def _miscounted(self, count: int) -> str:
        if self.variadic:
            return f"{self.name} takes one sequence, got {count} arguments"
        wanted = "1 argument" if self._takes == 1 else f"{self._takes} arguments"
        return f"{self.name} takes {wanted}, one for each of its rules, got {count}"

    def _call_on_any(self, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        kind: type[Node] | None = None
        if self.vector:
            return self._on_vectors(*args)
        for arg in args[0] if self.variadic else args:
            if isinstance(arg, Node) and (kind is None or type(arg).rank > kind.rank):
                kind = type(arg)
        if kind is not None:
            return kind.record(self, args, params)
        if self.variadic:
            return self.on_arrays([as_floating(arg) for arg in args[0]], **params)
        if self.on_floats is not None and all(map(is_plain_number, args)):
            return self.on_floats(*map(float, args), **params)
        return self.on_arrays(
            *(
                arg if given else as_floating(arg)
                for arg, given in zip(args, self.given, strict=False)
            ),
            **params,
        )

    def _on_vectors(self, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
        if any(isinstance(item, Node) for item in (*xs, *ys)):
            return Node.kinds["Value"].record(self, (tuple(xs), tuple(ys)), {})
        assert self.on_floats is not None
        return self.on_floats(xs, ys)

    def __get__(self, owner: Any, kind: type | None = None) -> Primitive:
        return self  # help() and Sphinx know by a __get__ that an object is a function

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (row_named, (self.name,))

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self


class _Variant(Primitive):
    """A row as a single node uses it, with another backward step."""

    def __init__(self, made_by: Callable[[Primitive], Primitive], row: Primitive, **fields: Any):
        self.__dict__.update(row.__dict__)
        self.__dict__.update(fields)
        self._made_by = made_by

    def __reduce__(self) -> tuple[Any, ...]:
        return (self._made_by, (self.row,))


def for_tuples(row: Primitive) -> Primitive:
    """Return the variant of a row for scalar nodes that keep all arguments as a tuple."""
    return row if row.arity > 2 else _Variant(for_tuples, row, pull=pull_tuple)


def overwritten(row: Primitive) -> Primitive:
    """Return the variant for a node whose data were overwritten: its rules would be wrong."""
    return _Variant(
        overwritten, row, _rules=(_refuse,) * row.arity, pull=lambda node, g: _refuse(g, node)
    )


def is_overwritten(op: Primitive | None) -> bool:
    """Tell whether an operation is that of a node whose data were overwritten."""
    return op is not None and op._rules[:1] == (_refuse,)


def _refuse(g: Any, z: Any, *args: Any, **params: Any) -> Any:
    what = z.describe() if isinstance(z, Node) else "a recorded node"
    raise StaleGraphError(
        f"the data of {what} were overwritten after it had been recorded, so that its derivative "
        "would be wrong: record the computation again before backward()"
    )


def row_named(name: str) -> Primitive:
    """Return the row of that name, as unpickling needs it."""
    try:
        return table[name]
    except KeyError:
        raise LookupError(
            f"no operation {name!r} in the table: import the module that defines it by "
            f"primitive({name!r}, ...) first"
        ) from None


def is_plain_number(x: Any) -> bool:
    """Tell whether x is one of Python's real numbers, not one of NumPy's."""
    return isinstance(x, numbers.Real) and not isinstance(x, np.generic)


def as_floating(data: Any) -> Any:
    """Return ``data`` as a float, or an array of floats; integers become float64.

    Raises
    ------
    TypeError
        If the data are neither real numbers nor arrays of them.
    """
    if type(data) is float:
        return data
    if isinstance(data, np.ma.MaskedArray):
        refuse_masked(data)
        data = data.data
    if isinstance(data, np.ndarray) and data.dtype.kind == "f":
        return data
    if is_plain_number(data):
        return float(data)
    array = np.asarray(data)
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    raise TypeError(
        f"expected real numbers, got {type(data).__name__} of dtype {array.dtype}: "
        "convert it to float64 or float32 first"
    )


def _arguments_read(rules: Sequence[Rule | None]) -> tuple[bool, ...]:
    """Tell, for each argument, whether any rule reads its data."""
    read = [False] * len(rules)
    for rule in rules:
        if rule is None:
            continue
        names = _positional(rule)
        for i in range(len(rules)):
            name = names[i + 2] if i + 2 < len(names) else names[-1]
            read[i] |= not name.startswith("_")
    return tuple(read)


def _positional(rule: Rule) -> Sequence[str]:
    """Return the names of the positional parameters, of a plain function at little cost."""
    code = getattr(rule, "__code__", None)
    bound = hasattr(rule, "__self__")
    if code is not None and not bound and not code.co_flags & inspect.CO_VARARGS:
        names: Sequence[str] = code.co_varnames[: code.co_argcount]
        return names
    return [
        parameter.name
        for parameter in inspect.signature(rule).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]


def primitive(
    name: str,
    forward: Callable[..., Any],
    rules: Sequence[Rule | None] | Rule,
    *,
    on_floats: Callable[..., float] | None = None,
    **row: Any,
) -> Primitive:
    """Add a row to the table; ``graph.own.primitive`` does so for a user, with checks."""
    if name in table:
        raise ValueError(f"the table already has an operation {name!r}: choose another name")
    if on_floats is None and row.get("elementwise", True):
        on_floats = ieee(lambda *args, **params: float(forward(*args, **params)), forward)
    rules = (rules,) if callable(rules) else tuple(rules)
    table[name] = Primitive(name, on_arrays=forward, on_floats=on_floats, rules=rules, **row)
    return table[name]
