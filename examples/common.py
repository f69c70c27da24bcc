"""What the examples share: their options, what they print, and where their pictures go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-12

#: Colours that can be told apart by everybody, and those of words and lines: the library's own.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
INK, RULE, GRID = "#3e4c5a", "#c3ccd5", "#e3e8ed"

#: What a legend in the house style is made with: ``ax.legend(**LEGEND)``.
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 8, "labelcolor": INK}


def parser(about: str | None) -> argparse.ArgumentParser:
    """Return the options of every example, described by the script's docstring."""
    name = Path(sys.argv[0]).stem
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--seed", type=int, default=0, help="for all random numbers (default 0)")
    made.add_argument("--quick", action="store_true", help="the same, with less to compute")
    made.add_argument(
        "--output",
        type=Path,
        default=Path("pictures") / name,
        metavar="FOLDER",
        help="where the pictures go (default: %(default)s)",
    )
    return made


def heading(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}\n{'─' * len(text)}")


def table(titles: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows, the first column aligned to the left and the others to the right."""
    lines = [list(map(str, titles)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        print("  " + "   ".join(cells).rstrip())


def verify(holds: Any, claim: str) -> None:
    """Print a claim that holds; end the script with one that doesn't."""
    if not holds:
        sys.exit(f"  ✗ {claim}: this doesn't hold")
    print(f"  ✓ {claim}")


def largest_difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    """Return the largest difference of arrays by name, relative to the largest element of all.

    An array may have another shape in the other set, such as a vector that is a column there.
    """
    size = max(float(np.max(np.abs(expected[name]))) for name in found)
    differences = [
        float(np.max(np.abs(np.reshape(array, np.shape(expected[name])) - expected[name])))
        for name, array in found.items()
    ]
    return max(differences) / size if size else max(differences)


def verify_equal(found: Mapping[str, Any], expected: Mapping[str, Any], claim: str) -> None:
    """Verify that arrays by name are equal but for rounding, and print how far they are apart."""
    difference = largest_difference(found, expected)
    verify(difference < TOLERANCE, f"{claim}, to {difference:.0e}")


def compare(
    found: Mapping[str, Any], expected: Mapping[str, Any], by: Sequence[str] = ("the graph", "hand")
) -> None:
    """Print the largest element of each array in both sets, and verify that all elements agree."""
    rows = []
    for name, array in found.items():
        place = np.argmax(np.abs(array))
        both = (f"{np.ravel(each[name])[place]:.15f}" for each in (found, expected))
        rows.append((name, "×".join(map(str, np.shape(array))), *both))
    table(("", "shape", f"the largest, by {by[0]}", f"by {by[1]}"), rows)
    count = sum(np.size(array) for array in found.values())
    verify_equal(found, expected, f"all {count:,} numbers agree")


def matrices(layers: Iterable[Any], part: str = "data") -> dict[str, np.ndarray]:
    """Return W1, b1, W2, b2, ... of layers of single numbers, or their gradients for part "grad".

    As the equations have it, W has a row for each unit, and b is a column.
    """
    arrays = {}
    for k, layer in enumerate(layers, start=1):
        rows = [[getattr(w, part) for w in neuron.w] for neuron in layer.neurons]
        arrays[f"W{k}"] = np.array(rows)
        arrays[f"b{k}"] = np.array([[getattr(neuron.b, part)] for neuron in layer.neurons])
    return arrays


def panels(
    *titles: str, size: tuple[float, float], columns: int | None = None, **options: Any
) -> tuple[Any, Any]:
    """Return a figure of a size in inches, and its axes, one for each title, in one style.

    The options are those of matplotlib's ``Figure.subplots``, such as ``sharey=True``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, layout="constrained")
    columns = columns or len(titles)
    axes = figure.subplots(-(-len(titles) // columns), columns, squeeze=False, **options).ravel()
    for ax, title in zip(axes, titles, strict=False):
        ax.set_title(title, loc="left", color=INK, fontsize=10, fontweight="bold", pad=8)
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set_color(RULE)
        ax.tick_params(which="both", colors=INK, length=0, labelsize=8)
        ax.xaxis.label.set(color=INK, fontsize=9)
        ax.yaxis.label.set(color=INK, fontsize=9)
        ax.grid(visible=True, color=GRID, linewidth=0.8)
        ax.set_axisbelow(True)
    for ax in axes[len(titles) :]:
        ax.set_axis_off()
    return figure, axes[: len(titles)]


def heat_map(ax: Any, matrix: Any, reach: float | None = None) -> Any:
    """Show a matrix by its numbers' signs and sizes, positive in blue; return the image.

    ``reach`` is the size that has the full colour, by default that of the largest number.
    """
    from matplotlib.colors import LinearSegmentedColormap

    signs = LinearSegmentedColormap.from_list("signs", [COLOURS[1], "white", COLOURS[0]])
    reach = reach or float(np.max(np.abs(matrix))) or 1.0  # zeros are white
    ax.grid(visible=False)
    ax.spines[:].set(visible=True, color=RULE)
    return ax.imshow(matrix, signs, vmin=-reach, vmax=reach)


class Pictures:
    """The folder of an example's pictures.

    Parameters
    ----------
    folder : Path
        It is made when the first picture is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._saved: list[tuple[str, str]] = []

    def save(
        self, name: str, about: str, make: Callable[..., Any], /, *arguments: Any, **options: Any
    ) -> None:
        """Write what ``make`` returns: a drawing, an animation, a figure or one of its axes.

        It is called with the arguments and options. Figures and animations need matplotlib, and
        are left out without it.
        """
        try:
            picture = make(*arguments, **options)
        except ImportError:
            print(f'  {name} is left out: figures need pip install "micrograd-nn[plot]"')
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if hasattr(picture, "get_figure"):
            picture = picture.get_figure(root=True) or picture
        if hasattr(picture, "savefig"):
            picture.savefig(self.folder / name, bbox_inches="tight")
        else:
            picture.save(self.folder / name)
        self._saved.append((name, about))

    def list(self) -> None:
        """Print what was written."""
        if self._saved:
            heading(f"Written to {self.folder}/")
            longest = max(len(name) for name, _ in self._saved)
            for name, about in self._saved:
                print(f"  {name.ljust(longest)}  {about}")
