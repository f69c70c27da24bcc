"""check_backprop: mark a backward pass that was derived by hand, equation by equation.

The backward pass is *teacher-forced*: at each named node the value that was given is compared
with what the chain rule makes of the values given further up, and then used for what follows. So
each wrong equation is blamed once, and errors that were carried forward are not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from micrograd_nn.graph.backward import checked_seed
from micrograd_nn.graph.node import Node, record_lines
from micrograd_nn.graph.order import toposort
from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.graph.value import Value
from micrograd_nn.readers.explain.derive import derive
from micrograd_nn.readers.explain.equations import Derivation, Equation
from micrograd_nn.readers.explain.terms import symbols
from micrograd_nn.readers.explain.text import text
from micrograd_nn.testing.blame import worst_of
from micrograd_nn.testing.errors import Disagreement, GradientError
from micrograd_nn.testing.hints import hint
from micrograd_nn.testing.oracle import Oracle
from micrograd_nn.testing.session import collected

Array = Any


@dataclass(frozen=True)
class Mark:
    """The verdict on one equation.

    Attributes
    ----------
    name : str
        Of the value whose gradient it is.
    shape : tuple of int
    wrong : Disagreement or None
        The worst number, None where the equation is right.
    why : str
        What kind of mistake it may be.
    line : str or None
        ``file:line`` of the forward computation.
    right : str
        The right equation, where the given one is wrong.
    """

    name: str
    shape: tuple[int, ...]
    wrong: Disagreement | None = None
    why: str = ""
    line: str | None = None
    right: str = ""

    def __str__(self) -> str:
        sign = "✓" if self.wrong is None else "✗"
        shape = " × ".join(map(str, self.shape)) or "number"
        text = f"{sign} d{self.name}  ({shape})"
        if self.wrong is not None:
            text += f"\n    {self.wrong}"
            text += f"\n    hint: {self.why}" if self.why else ""
            text += f"\n    right: {self.right}" if self.right else ""
            text += f"\n    forward: {self.line}" if self.line else ""
        return text


@dataclass(frozen=True)
class WrongShape(Disagreement):
    """A gradient whose shape is not that of its value, so that there are no numbers to compare."""

    shapes: str = ""

    @classmethod
    def of(cls, name: str, got: tuple[int, ...], expected: tuple[int, ...]) -> WrongShape:
        """Return that the gradient of a value has a shape, instead of the one expected."""
        shapes = f"got shape {got}, should be {expected}, the shape of {name}"
        return cls(f"d{name}", (), np.nan, np.nan, 0.0, shapes)

    def __str__(self) -> str:
        return f"{self.what}: {self.shapes}"


@dataclass(frozen=True)
class Marks:
    """The verdicts on all equations, in the order in which they were given; ``print`` it."""

    marks: tuple[Mark, ...]

    @property
    def blamed(self) -> list[str]:
        """The names of the wrong equations."""
        return [mark.name for mark in self.marks if mark.wrong is not None]

    def __str__(self) -> str:
        right = len(self.marks) - len(self.blamed)
        head = f"{right} of {len(self.marks)} equations of the backward pass are right"
        return "\n".join([head, *(f"  {line}" for m in self.marks for line in str(m).split("\n"))])


@collected
def check_backprop(
    forward: Callable[..., Any] | Node,
    grads: Mapping[str, Any],
    wrt: Sequence[str] | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    seed: Any = None,
    convention: str = "gradient",
) -> Marks:
    """Check gradients that were derived by hand, each equation by itself.

    Parameters
    ----------
    forward : callable or Node
        The forward computation, which returns the loss as a node: a recorded function without
        arguments (or its result); or, with ``inputs``, plain NumPy code of these arguments.
        Values are known by their names, and by those of the variables of ``forward`` that hold
        them when it returns.
    grads : dict of str to array
        The gradient of the loss by each named value, under its name (``"W1"``) or with a d before
        it (``"dW1"``). Not all values need be there; those that are missing are computed.
    wrt : sequence of str, optional
        Which to check; all that are in ``grads`` by default.
    inputs : dict of str to array, optional
        The arguments of ``forward``, by name. Floating arrays are recorded.
    seed : array, optional
        The gradient of the result, for one that isn't a scalar.
    convention : {"gradient", "articles"}
        ``"articles"``: with a mean over m examples, the gradients of inner values are those of the
        sum (``dZ = A − Y``), and 1/m stands before those of the parameters only.

    Returns
    -------
    Marks
        The verdict on each equation.

    Raises
    ------
    GradientError
        If an equation is wrong; ``.blamed`` names those that are.
    KeyError
        If a name isn't there; the message lists the names.

    Examples
    --------
    >>> import numpy as np
    >>> x, w = np.array([0.5, -1.0]), np.array([2.0, 0.3])
    >>> def forward(x, w):
    ...     z = np.dot(w, x)
    ...     a = np.tanh(z)
    ...     return a * a
    >>> a = np.tanh(w @ x)
    >>> da = 2 * a
    >>> dz = da * (1 - a**2)
    >>> print(check_backprop(forward, {"da": da, "dz": dz, "dw": dz * x}, inputs={"x": x, "w": w}))
    3 of 3 equations of the backward pass are right
      ✓ da  (number)
      ✓ dz  (number)
      ✓ dw  (2)
    >>> dz = da * (1 - a)  # a slip, which makes dw wrong, too; one equation is at fault
    >>> try:
    ...     check_backprop(forward, {"da": da, "dz": dz, "dw": dz * x}, inputs={"x": x, "w": w})
    ... except AssertionError as error:
    ...     print(error.blamed)
    ['z']
    """
    if convention not in ("gradient", "articles"):
        raise ValueError(f"convention must be 'gradient' or 'articles', got {convention!r}")
    root, named, arrays = _recorded(forward, inputs)
    given = _by_name(grads, named)
    wanted = list(given) if wrt is None else [_known(name, named) for name in wrt]
    if not wanted:
        raise ValueError('there is nothing to check: pass gradients by name, such as {"dw": dw}')
    missing = [name for name in wanted if name not in given]
    if missing:
        raise KeyError(f"no gradient was given for {', '.join(missing)}: put it into grads")
    formulas = Formulas(root, _names(root, named, given, arrays), convention == "articles")
    unscaled = {name: formulas.unscaled(named[name], grad) for name, grad in given.items()}
    marks = Marks(
        tuple(
            mark if mark.wrong is None else formulas.beside(mark, named[mark.name])
            for mark in _marked(root, named, unscaled, set(wanted), seed)
        )
    )
    if marks.blamed:
        wrong = [mark.wrong for mark in marks.marks if mark.wrong is not None]
        raise GradientError(str(marks), marks.blamed, wrong)
    return marks


def _marked(
    root: Node, named: dict[str, Node], given: dict[str, Array], wanted: set[str], seed: Any
) -> list[Mark]:
    names_of: dict[Node, list[str]] = {}
    for name in given:
        names_of.setdefault(named[name], []).append(name)
    marks: dict[str, Mark] = {}

    def force(node: Node, value: Array, bound: Array) -> Array:
        forced = value
        for name in names_of.get(node, ()):
            got = np.asarray(given[name], np.float64)
            marks[name], usable = _compared(node, name, got, value, bound)
            forced = got if usable else forced
        return forced

    leaves = [node for node in toposort(root, constants=False) if node.op is None]
    Oracle(root, leaves).gradient(checked_seed(root, seed), force)
    for node, names in names_of.items():
        if names[0] not in marks:  # the loss doesn't depend on it
            force(node, np.zeros(np.shape(node._data)), np.zeros(np.shape(node._data)))
    return [marks[name] for name in given if name in wanted]


def _compared(node: Node, name: str, got: Array, value: Array, bound: Array) -> tuple[Mark, bool]:
    shape = np.shape(value)
    line = node.line
    if got.shape != shape:
        why = ""
        if got.T.shape == shape and got.size:
            right = bool(np.allclose(got.T, value, rtol=1e-6, atol=0.0))
            why = "it is transposed" if right else "this is the shape of its transpose"
        return Mark(name, shape, WrongShape.of(name, got.shape, shape), why, line), False
    # A hand-derived form, such as 1 − a² for tanh', may round more than the stable one: by a few
    # units of the largest number in the array.
    u = float(np.finfo(node._data.dtype if np.ndim(node._data) else np.float64).eps) / 2.0
    largest = float(np.max(np.abs(value), initial=0.0))
    allowed = 4.0 * bound + 256.0 * u * largest
    worst = worst_of(f"d{name}", got, value, allowed)
    if worst is None:
        return Mark(name, shape, None, "", line), True
    return Mark(name, shape, worst, hint(got, value) or "", line), bool(np.isfinite(got).all())


class Formulas:
    """The equations of the backward pass, as ``explain`` derives them.

    Parameters
    ----------
    root : Node
    names : mapping of Node to str
        What the values are called.
    articles : bool
        Whether, with a mean over examples, the gradients of inner values are those of the sum.
    """

    def __init__(self, root: Node, names: Mapping[Node, str], articles: bool) -> None:
        self._root = root
        self._names = names
        self._articles = articles

    def _derived(self, merge: bool) -> Derivation | None:
        """Return the derivation; None where there is none, as for a root that isn't a number."""
        if np.size(self._root._data) != 1:
            return None
        return derive(self._root, names=self._names, merge=merge, of_sum=self._articles)

    @cached_property
    def _merged(self) -> Derivation | None:
        return self._derived(merge=True)

    @cached_property
    def _whole(self) -> Derivation | None:
        """The derivation with those that articles leave out, such as dA for dZ = A − Y."""
        return self._derived(merge=False)

    def unscaled(self, node: Node, gradient: Array) -> Array:
        """Return a gradient in the articles' convention as a gradient of the mean."""
        made = self._whole if self._articles else None
        equation = _equation(made, self._names[node])
        if made is None or equation is None or equation.name not in made.scaled:
            return gradient
        return gradient / made.counts[made.scaled[equation.name]].number

    def beside(self, mark: Mark, node: Node) -> Mark:
        """Return a mark with the right equation beside the wrong one."""
        for made in (self._merged, self._whole):
            equation = _equation(made, self._names[node])
            if made is not None and equation is not None:
                used = {symbol.name for symbol in symbols(equation.term)}
                counts = [f"{n} = {c.number}" for n, c in made.counts.items() if f"1/{n}" in used]
                note = f"  ({', '.join(counts)})" if counts else ""
                return replace(mark, right=f"d{mark.name} = {text(equation.term)}{note}")
        return mark


def _equation(made: Derivation | None, of: str) -> Equation | None:
    return next((e for e in (made.backward if made else ()) if e.of == of), None)


# --------------------------------------------------------------------------- names of values


def _recorded(
    forward: Callable[..., Any] | Node, inputs: Mapping[str, Any] | None
) -> tuple[Node, dict[str, Node], dict[str, Array]]:
    """Run the forward computation; return its result, the named values, and its plain arrays."""
    leaves = {name: _leaf(x, name) for name, x in (inputs or {}).items()}
    variables: dict[str, Any] = {}
    if isinstance(forward, Node):
        root: Any = forward
    else:
        with record_lines():
            root, variables = _with_variables(forward, leaves)
    if not isinstance(root, Node):
        raise TypeError(
            f"forward returned {type(root).__name__}, not a Value or Tensor: give its arguments as "
            "inputs={'W1': W1, ...}, so that they are recorded"
        )
    named: dict[str, Node] = {name: x for name, x in leaves.items() if isinstance(x, Node)}
    found: dict[str, list[Node]] = {}
    for node in toposort(root, constants=False):
        if node.name is not None:
            found.setdefault(node.name, []).append(node)
    for name, nodes in found.items():
        if len(nodes) > 1:
            raise ValueError(f"{len(nodes)} values are named {name!r}: give each its own name")
        named.setdefault(name, nodes[0])
    for name, value in variables.items():
        if isinstance(value, Node):
            named.setdefault(name, value)
    arrays = _arrays_in(forward, variables)
    return root, named, {name: x for name, x in arrays.items() if name not in named}


def _names(
    root: Node, named: Mapping[str, Node], given: Iterable[str], arrays: Mapping[str, Array]
) -> dict[Node, str]:
    """Return one name for each value: where it has several, that of the gradient which is given.

    A plain array that met the graph is called as the variable that holds the same numbers.
    """
    names: dict[Node, str] = {}
    for name in (*given, *named):
        names.setdefault(named[name], name)
    for node in toposort(root):
        plain = node.op is None and node.name is None and not node.requires_grad
        if plain and node not in names:
            same = [name for name, x in arrays.items() if np.array_equal(x, node._data)]
            names.update((node, name) for name in same[:1])
    return names


def _leaf(x: Any, name: str) -> Any:
    if isinstance(x, Node):
        return x
    if isinstance(x, float):
        return Value(x, name)
    if isinstance(x, (np.ndarray, np.floating)) and x.dtype.kind == "f":
        return Tensor(x, name=name)
    return x


def _with_variables(
    function: Callable[..., Any], arguments: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Call a function, and return its result and its local variables as they are at the end."""
    variables: dict[str, Any] = {}
    code = getattr(function, "__code__", None)

    def at_return(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            variables.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(at_return)
    try:
        result = function(**arguments)
    finally:
        sys.setprofile(before)
    return result, variables


def _arrays_in(function: Any, variables: Mapping[str, Any]) -> dict[str, Array]:
    """Return the plain arrays that a function sees: in its variables, and in those around it."""
    around = getattr(function, "__globals__", {})
    seen = getattr(getattr(function, "__code__", None), "co_names", ())
    found = {**variables, **{n: around[n] for n in seen if n in around and n not in variables}}
    return {name: x for name, x in found.items() if isinstance(x, np.ndarray) and x.ndim}


def _by_name(grads: Mapping[str, Any], named: dict[str, Node]) -> dict[str, Array]:
    given: dict[str, Array] = {}
    for key, grad in grads.items():
        name = _known(key, named)
        if name in given:
            raise ValueError(f"the gradient of {name} is given twice")
        array = np.asarray(grad._data if isinstance(grad, Node) else grad)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"the gradient of {name} must be numbers, got {array.dtype}")
        given[name] = array
    return given


def _known(key: str, named: dict[str, Node]) -> str:
    for name in (key, key.removeprefix("d"), key.removeprefix("d_")):
        if name in named:
            return name
    raise KeyError(
        f"there is no value named {key!r} in the forward computation: name it by .named({key!r}). "
        f"There are: {', '.join(named) or 'none'}"
    )
