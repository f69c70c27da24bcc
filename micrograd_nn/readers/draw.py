"""draw(root): the computation graph as a picture."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from micrograd_nn.graph.node import Node
from micrograd_nn.readers.folding import cut, fold
from micrograd_nn.readers.modules import is_network
from micrograd_nn.readers.network import draw_network
from micrograd_nn.readers.picture import Picture
from micrograd_nn.readers.scene import scene
from micrograd_nn.readers.scopes import Scopes
from micrograd_nn.readers.stepper.record import record
from micrograd_nn.readers.view import View, collapsible, size, view

#: How many cards a picture has at the most, unless it is said: one that is to be readable, one with
#: the boxes collapsed that were asked for, and one of all nodes.
READABLE, MANY, LARGE = 60, 150, 1000

Collapse = str | Callable[[str], bool] | None

_SHOW = ("data", "grad", "shape", "local")
_HIDE = ("parameters", "constants", "plots")
_COLLAPSE = ("auto", "layers", "neurons", None)


def draw(
    root: Any,
    collapse: Collapse = "auto",
    direction: str = "LR",
    show: Iterable[str] = ("data", "grad", "shape"),
    max_nodes: int | None = None,
    engine: str = "own",
    hide: Iterable[str] = (),
    colour: str = "kind",
    x: Any = None,
) -> Picture:
    """Draw the computation graph below a node, or the diagram of a network.

    Cards tell what was computed. The card of a tensor has a heat map or histogram of its data, that
    of a function its curve, where on it the node stands, and the tangent there.

    Parameters
    ----------
    root : Value, Tensor or Module
        The result; the picture shows everything that it was computed from, as it is now. Of a
        network it shows units and weights, see ``readers.network.draw_network``; of the options
        this takes ``x`` only.
    collapse : {"auto", "layers", "neurons", None} or callable
        ``None`` shows each value as a card. ``"neurons"`` draws each neuron, or layer of tensors,
        as one card with its parameters; ``"layers"`` draws each layer as one. ``"auto"`` shows as
        much as is readable. A callable is given the dotted name of each box, such as
        ``"MLP.layers.0"``, and returns whether it is drawn as one card.
    direction : {"LR", "TB"}
        From left to right or from top to bottom.
    show : iterable of {"data", "grad", "shape", "local"}
        What the cards tell; ``"local"`` writes on each edge the local derivative ∂target/∂source.
    max_nodes : int, optional
        The number of cards above which alike cards share one, with their number, and after that
        those farthest from the root are left out: 60 for ``"auto"``, 1000 for None, else 150.
    engine : {"own", "dot"}
        ``"dot"`` lets Graphviz lay out the picture, if it is installed.
    hide : iterable of {"parameters", "constants", "plots"}
        What has no card: trained leaves, but for what a layer is applied to; plain numbers. And
        whether cards go without their small drawings.
    colour : {"kind", "grad"}
        By the kind of operation, or by the size of the gradient, on a logarithmic scale.
    x : sequence of numbers, optional
        An example, whose activations shade the units of a network.

    Returns
    -------
    Picture
        It shows itself in a notebook, and has ``svg()``, ``html()`` (the stepper), ``to_dot()`` and
        ``save(path)``.

    Raises
    ------
    TypeError
        If ``root`` is neither a node nor a network.
    ValueError
        If an option is unknown, or isn't one of a network's.

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
    if is_network(root):
        _check_network_options(
            collapse=collapse, direction=direction, show=tuple(show), max_nodes=max_nodes,
            engine=engine, hide=tuple(hide), colour=colour,
        )  # fmt: skip
        return draw_network(root, x)
    if not isinstance(root, Node):
        raise TypeError(
            "draw() takes a Value or Tensor, the result of a computation, or a network, "
            f"got {type(root).__name__}"
        )
    parts, hidden = _parts("show", show, _SHOW), _parts("hide", hide, _HIDE)
    if not callable(collapse):
        _check("collapse", collapse, _COLLAPSE)
    _check("direction", direction, ("LR", "TB"))
    _check("engine", engine, ("own", "dot"))
    _check("colour", colour, ("kind", "grad"))
    if max_nodes is None:
        max_nodes = READABLE if collapse == "auto" else LARGE if collapse is None else MANY
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, got {max_nodes}")
    with _collector_paused():
        scopes = Scopes(root)
    steps = record(scopes, collapse, parts, direction)
    if "data" in parts and "plots" not in hidden:
        parts |= {"plots"}
    with _collector_paused():
        chosen = _chosen(scopes, collapse, max_nodes, hidden)
    return Picture(scene(chosen, parts, colour), direction, engine, steps)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Let the garbage collector not search the many small objects made here, again and again.

    None of them is in a circle; with a million nodes, that takes half of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _chosen(scopes: Scopes, collapse: Collapse, most: int, hide: Collection[str]) -> View:
    """Return the fullest view that has at most ``most`` cards."""
    hidden: set[int] = set()
    if "parameters" in hide:
        hidden |= scopes.parameters()
    if "constants" in hide:
        hidden |= scopes.constants()
    levels: tuple[Collapse, ...] = (collapse,)
    if collapse == "auto":
        levels = (None, "neurons", "layers", "models")
    choices = list(dict.fromkeys(collapsible(scopes, level) for level in levels))
    for collapsed in choices[:3]:
        if size(scopes, collapsed, hidden) <= most:
            return view(scopes, collapsed, hidden)
    for collapsed in choices[1:] or choices:
        folded = fold(view(scopes, collapsed, hidden))
        if len(folded.cards) <= most:
            break
    return cut(folded, most)


def _check_network_options(**given: Any) -> None:
    """Raise for an option that a diagram of a network doesn't have, rather than ignore it."""
    parameters = inspect.signature(draw).parameters
    for option, value in given.items():
        default = parameters[option].default
        if type(value) is not type(default) or value != default:
            raise ValueError(
                f"{option}= is for graphs, and the diagram of a network takes only x=, an example, "
                f"as in draw(model, x=...); got {option}={value!r}"
            )


def _parts(option: str, given: Iterable[str], known: tuple[str, ...]) -> set[str]:
    parts = [given] if isinstance(given, str) else list(given)
    for part in parts:
        _check(option, part, known)
    return set(parts)


def _check(option: str, value: Any, known: tuple[str | None, ...]) -> None:
    if value not in known:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, known))}, got {value!r}")
