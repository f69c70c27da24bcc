"""draw(model): the diagram of a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd_nn.readers.modules import check_network
from micrograd_nn.readers.network_svg import write_network
from micrograd_nn.readers.picture import Picture
from micrograd_nn.readers.stages import Stage, stages_of
from micrograd_nn.readers.svgtext import page

if TYPE_CHECKING:
    import graphviz

_FORMATS = (".svg", ".html", ".png", ".pdf")


class NetworkPicture(Picture):
    """A network as a picture; ``draw(model)`` makes it.

    Attributes
    ----------
    stages : list of Stage
        Input, layers of units, and other layers, from left to right.
    """

    def __init__(self, stages: list[Stage], name: str) -> None:
        self.stages = stages
        self.name = name
        self._svg: str | None = None

    def svg(self) -> str:
        """Return the picture as SVG text."""
        if self._svg is None:
            self._svg = write_network(self.stages, str(self))
        return self._svg

    def html(self) -> str:
        """Return a web page that shows the picture."""
        return page(str(self), self.svg())

    def to_dot(self) -> graphviz.Digraph:
        """Raise a TypeError: a diagram has no DOT form, the graph of a result has."""
        raise TypeError(
            "a network diagram has no DOT form: draw(model(x)) draws the graph of a "
            "result, which has"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file that ends in ``.svg``, ``.html``, ``.png`` or ``.pdf``.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        ImportError
            For PNG and PDF, if the package ``cairosvg`` isn't installed.
        """
        if Path(path).suffix.lower() not in _FORMATS:
            raise ValueError(
                f"a network diagram can't be saved as {Path(path).name!r}: the name must end in "
                + ", ".join(_FORMATS)
            )
        if Path(path).suffix.lower() == ".html":
            Path(path).write_text(self.html(), encoding="utf-8")
            return Path(path)
        return super().save(path)

    def __str__(self) -> str:
        return f"{self.name}: " + " → ".join(map(_described, self.stages))

    def __repr__(self) -> str:
        return f"<NetworkPicture of {self}>"


def draw_network(model: Any, x: Any = None) -> NetworkPicture:
    """Draw a network: its units as circles shaded by activation, its weights as edges.

    Parameters
    ----------
    model : Module
        Or any object with ``named_modules()`` and ``named_parameters()``. A layer with a matrix
        ``W`` (n_out, n_in), and perhaps a ``b``, or with neurons, is a column of units; any other
        layer is a box.
    x : sequence of numbers, optional
        One example; the network is run on it without recording, and each unit shows its
        activation.

    Returns
    -------
    NetworkPicture

    Raises
    ------
    TypeError
        If ``model`` isn't a network.
    ValueError
        If ``x`` isn't one example.

    Examples
    --------
    >>> from micrograd_nn import MLP
    >>> picture = draw_network(MLP(2, [3, 1], activation="tanh", seed=0), x=[1.0, -1.0])
    >>> print(picture)
    MLP: 2 → 3 tanh → 1 identity
    >>> picture.svg().count('class="unit')
    6
    """
    check_network(model, "draw")
    return NetworkPicture(stages_of(model, x), type(model).__name__)


def _described(stage: Stage) -> str:
    if not stage.is_units:
        return stage.kind
    units = "?" if stage.units is None else f"{stage.units:,}"
    return f"{units} {stage.activation}".rstrip()
