"""What is printed: plain text, with colours where it goes to a terminal that shows them."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from micrograd_nn.training.progress import is_terminal

_BOLD, _DIM, _RED, _GREEN, _CYAN = "1", "2", "31", "32", "36"


class Screen:
    """A stream to print on.

    Parameters
    ----------
    stream : text stream, optional
        The standard output by default.

    Attributes
    ----------
    terminal : bool
        Whether somebody reads it as it is written.
    colours : bool
        Whether it shows colours. The variable NO_COLOR says that it mustn't.

    Examples
    --------
    >>> screen = Screen()
    >>> screen.terminal = screen.colours = False
    >>> screen.fact("loss", screen.bold("0.5"))
      loss      0.5
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self.terminal = is_terminal(sys.stdout if stream is None else stream)
        self.colours = self.terminal and _wants_colours()

    def line(self, text: str = "") -> None:
        """Print a line."""
        print(text, file=sys.stdout if self._stream is None else self._stream, flush=True)

    def heading(self, text: str) -> None:
        """Print a heading, with a blank line below."""
        self.line(self.bold(text))
        self.line()

    def fact(self, name: str, text: str) -> None:
        """Print a name and what there is to say about it."""
        self.line(f"  {self.dim(name.ljust(8))}  {text}")

    def table(
        self, titles: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)
    ) -> None:
        """Print a table.

        Parameters
        ----------
        titles : sequence of str
        rows : sequence of sequences of str
            Without colours; as wide as the titles.
        left : sequence of int
            The columns to be aligned on the left; numbers are on the right.
        """
        sizes = [max(map(width, column)) for column in zip(titles, *rows, strict=True)]
        for k, row in enumerate([titles, *rows]):
            cells = [
                pad(cell, size, on_the_left=i not in left)
                for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
            ]
            text = "  ".join(cells).rstrip()
            self.line("  " + (self.dim(text) if k == 0 else text))

    def bold(self, text: str) -> str:
        """Return a text as bold."""
        return self._painted(text, _BOLD)

    def dim(self, text: str) -> str:
        """Return a text in the background."""
        return self._painted(text, _DIM)

    def good(self, text: str) -> str:
        """Return a text in green."""
        return self._painted(text, _GREEN)

    def bad(self, text: str) -> str:
        """Return a text in red."""
        return self._painted(text, _RED)

    def code(self, text: str) -> str:
        """Return what can be typed, in a colour of its own."""
        return self._painted(text, _CYAN)

    def _painted(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colours and text else text


def _wants_colours() -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.platform != "win32" or "WT_SESSION" in os.environ


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes.

    >>> width("abc"), width("日本"), width("e" + chr(0x301))
    (3, 4, 1)
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def pad(text: str, size: int, on_the_left: bool = False) -> str:
    """Fill a text up to a width with spaces.

    >>> pad("7", 3, on_the_left=True), pad("a", 3)
    ('  7', 'a  ')
    """
    space = " " * (size - width(text))
    return space + text if on_the_left else text + space


def shorten(text: str, size: int = 24) -> str:
    """Return a text from elsewhere so that it fits into a table.

    >>> shorten("Iris setosa", 8), shorten("a" + chr(7))
    ('Iris se…', 'a?')
    """
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= size else plain[: size - 1] + "…"


def percent(part: float) -> str:
    """Return a share in per cent; only what is all is 100 %.

    >>> percent(0.966), percent(1.0), percent(0.9999)
    ('96.6 %', '100 %', '99.9 %')
    """
    if part == 1:
        return "100 %"
    return f"{min(100 * part, 99.9):.1f} %"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun.

    >>> plural(1, "row"), plural(1200, "row"), plural(3, "class", "classes")
    ('1 row', '1,200 rows', '3 classes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
