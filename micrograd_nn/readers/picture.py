"""Picture: what ``draw`` returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd_nn.readers.dot import dot_svg, to_dot
from micrograd_nn.readers.placing import lay_out
from micrograd_nn.readers.scene import Scene
from micrograd_nn.readers.stepper import Record, Stepper, page
from micrograd_nn.readers.stepper.record import LIMIT
from micrograd_nn.readers.svg import write_svg
from micrograd_nn.readers.svgtext import plain
from micrograd_nn.readers.tree import tree

if TYPE_CHECKING:
    import graphviz


class Picture:
    """A computation graph as a picture; ``draw`` makes it.

    It keeps the text of its cards as they were: what is computed later doesn't change it.

    Attributes
    ----------
    scene : Scene
        The cards, edges and boxes.
    record : Record or None
        What the stepper needs of the graph; None if it is too large for that.

    Examples
    --------
    >>> from micrograd_nn import Value
    >>> from micrograd_nn.readers import draw
    >>> a = Value(2.0, name="a")
    >>> picture = draw(a + a)
    >>> picture
    <Picture of 2 nodes: 2 cards, 2 edges>
    >>> picture.svg().count('class="edge"')
    2
    """

    #: The suffixes of file names that ``save`` takes.
    FORMATS = (".svg", ".html", ".dot", ".png", ".pdf")

    def __init__(
        self,
        scene: Scene,
        direction: str = "LR",
        engine: str = "own",
        record: Record | None = None,
    ) -> None:
        self.scene = scene
        self.record = record
        self.direction = direction
        self.engine = engine
        self._svg: str | None = None

    def svg(self) -> str:
        """Return the picture as SVG text."""
        if self._svg is None:
            if self.engine == "dot":
                self._svg = dot_svg(self.scene, self.direction)
            else:
                self._svg = write_svg(self.scene, lay_out(self.scene, self.direction))
        return self._svg

    def html(self) -> str:
        """Return the stepper: a page that goes through both passes, one event at a time.

        It is one file, which needs neither the network nor any library.

        Raises
        ------
        ValueError
            If the graph is too large.
        StaleGraphError
            If recorded data were overwritten, so that a derivative would be wrong.
        """
        if self.record is None:
            raise ValueError(
                f"the stepper goes through at most {LIMIT:,} nodes, and this graph has "
                f"{self.scene.nodes:,}: draw a smaller part of it, such as the loss of one "
                "example, or save it as .svg"
            )
        return page(self.record)

    def stepper(self, height: int = 520) -> Stepper:
        """Return the stepper as a notebook shows it, in a frame of that height in pixels.

        Raises
        ------
        ValueError
            If the graph is too large, or the height isn't a positive number.
        StaleGraphError
            If recorded data were overwritten, so that a derivative would be wrong.

        Examples
        --------
        >>> from micrograd_nn import Value
        >>> from micrograd_nn.readers import draw
        >>> draw(Value(2.0, name="x") ** 2).stepper(height=400)
        <Stepper 400 px high>
        """
        if not height > 0:
            raise ValueError(f"the height must be a positive number of pixels, got {height}")
        return Stepper(self.html(), int(height))

    def to_dot(self) -> graphviz.Digraph:
        """Return the picture as a ``graphviz.Digraph``, with a cluster for each box.

        Raises
        ------
        ImportError
            If the Python package ``graphviz`` isn't installed.
        """
        return to_dot(self.scene, self.direction)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format that its suffix names.

        Parameters
        ----------
        path : path
            It ends in ``.svg``, ``.html`` (the stepper), ``.dot``, ``.png`` or ``.pdf``.

        Returns
        -------
        Path
            The path of the file.

        Raises
        ------
        ValueError
            If the suffix is none of these, or the graph is too large for the stepper.
        StaleGraphError
            For HTML, if recorded data were overwritten.
        ImportError
            For PNG and PDF, if the package ``cairosvg`` isn't installed.
        """
        path = Path(path)
        writers: dict[str, Callable[[], bytes]] = {
            ".svg": lambda: self.svg().encode(),
            ".html": lambda: self.html().encode("utf-8", "replace"),
            ".dot": lambda: self.to_dot().source.encode(),
            ".png": lambda: self._converted("svg2png", scale=2.0),
            ".pdf": lambda: self._converted("svg2pdf"),
        }
        writer = writers.get(path.suffix.lower())
        if writer is None:
            raise ValueError(
                f"a picture can't be saved as {path.name!r}: the name must end in "
                + ", ".join(writers)
            )
        path.write_bytes(writer())
        return path

    def _converted(self, converter: str, **options: Any) -> bytes:
        try:
            import cairosvg
        except (ImportError, OSError) as error:  # OSError: the C library cairo is missing
            raise ImportError(
                f'PNG and PDF need cairosvg ({error}): pip install "micrograd-nn[png]"'
            ) from error
        source = plain(self.svg()).encode()
        converted: bytes = getattr(cairosvg, converter)(bytestring=source, **options)
        return converted

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        bundle = {"image/svg+xml": self.svg, "text/plain": self.__str__}
        return {
            kind: make()
            for kind, make in bundle.items()
            if (not include or kind in include) and kind not in (exclude or ())
        }

    def __str__(self) -> str:
        return tree(self.scene)

    def __repr__(self) -> str:
        scene = self.scene
        return (
            f"<Picture of {scene.nodes:,} nodes: {len(scene.cards):,} cards, "
            f"{len(scene.wires):,} edges>"
        )
