"""draw(root): the computation graph as a picture."""

from __future__ import annotations

from collections.abc import Iterable

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.folding import cut, fold
from micrograd_nn.readers.picture import Picture
from micrograd_nn.readers.scene import scene
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.stepper.record import LIMIT, record
from micrograd_nn.readers.view import View, collapsible, size, view

#: How many cards a picture has at the most, unless it is said.
READABLE, LARGE = 60, 1000

_SHOW = ("data", "grad", "shape")
_COLLAPSE = ("auto", "layers", "neurons", None)


def draw(
    root: Node,
    collapse: str | None = "auto",
    direction: str = "LR",
    show: Iterable[str] = _SHOW,
    max_nodes: int | None = None,
    engine: str = "own",
) -> Picture:
    """Draw the computation graph below a node.

    Parameters
    ----------
    root : Value or Tensor
        The result; the picture shows everything that it was computed from, as it is now.
    collapse : {"auto", "layers", "neurons", None}
        ``None`` shows each value as a card. ``"neurons"`` draws each neuron, or layer of tensors,
        as one card with its parameters; ``"layers"`` draws each layer as one. ``"auto"`` shows as
        much as is readable.
    direction : {"LR", "TB"}
        From left to right or from top to bottom.
    show : iterable of {"data", "grad", "shape"}
        What the cards tell.
    max_nodes : int, optional
        The number of cards above which alike cards share one, with their number, and after that
        those farthest from the root are left out: 60 for ``"auto"``, else 1000.
    engine : {"own", "dot"}
        ``"dot"`` lets Graphviz lay out the picture, if it is installed.

    Returns
    -------
    Picture
        It shows itself in a notebook, and has ``svg()``, ``save(path)`` and ``to_dot()``.

    Raises
    ------
    TypeError
        If ``root`` isn't a node.
    ValueError
        If an option is unknown.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> from micrograd_nn.readers import draw
    >>> a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    >>> L = (a * b + a).named("L")
    >>> L.backward()
    >>> print(draw(L))
    L  +  data −4  grad 1
    ├─ ×  data −6  grad 1
    │  ├─ a  data 2  grad −2
    │  └─ b  data −3  grad 2
    └─ a (above)
    """
    if not isinstance(root, Node):
        raise TypeError(
            "draw() takes a Value or Tensor, the result of a computation, "
            f"got {type(root).__name__}"
        )
    parts = (show,) if isinstance(show, str) else tuple(show)
    _check("collapse", collapse, _COLLAPSE)
    _check("direction", direction, ("LR", "TB"))
    _check("engine", engine, ("own", "dot"))
    for part in parts:
        _check("show", part, _SHOW)
    most = max_nodes if max_nodes is not None else READABLE if collapse == "auto" else LARGE
    if most < 1:
        raise ValueError(f"max_nodes must be at least 1, got {max_nodes}")
    scopes = Scopes(root)
    steps = record(scopes, collapse, parts, direction) if len(scopes.nodes) <= LIMIT else None
    return Picture(scene(_chosen(scopes, collapse, most), parts), direction, engine, steps)


def _chosen(scopes: Scopes, collapse: str | None, most: int) -> View:
    """Return the fullest view that has at most ``most`` cards."""
    levels = (None, "neurons", "layers", "models") if collapse == "auto" else (collapse,)
    choices = list(dict.fromkeys(collapsible(scopes, level) for level in levels))
    for collapsed in choices[:3]:
        if size(scopes, collapsed) <= most:
            return view(scopes, collapsed)
    for collapsed in choices[1:] or choices:
        folded = fold(view(scopes, collapsed))
        if len(folded.cards) <= most:
            break
    return cut(folded, most)


def _check(option: str, value: str | None, known: tuple[str | None, ...]) -> None:
    if value not in known:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, known))}, got {value!r}")
