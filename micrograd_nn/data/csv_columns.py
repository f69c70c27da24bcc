"""From records to named columns: every row complete, every name found, every cell a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches

from micrograd_nn.data.csv_text import DataError, Record, Source, shorten

#: What stands in a cell for a missing value, in lower case.
MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "+nan", "-nan", "null"})


class Sheet:
    """The records of one file, checked to be a table: one header, rows of the same length.

    Parameters
    ----------
    path : str or path-like
    header : Record
    rows : sequence of Record

    Raises
    ------
    DataError
        If there are no rows, one is too short or too long, or the header has a name twice, a column
        without a name, or a measurement where a name belongs.
    """

    def __init__(self, path: Source, header: Record, rows: Sequence[Record]) -> None:
        self.path = path
        self.header = header
        self.names = header.cells
        self.rows = rows
        self._check_header()
        if not rows:
            raise self.error("there is a header but no row below it", header.line)
        for row in rows:
            self._check_length(row)

    def error(
        self, problem: str, line: int | None = None, column: str | int | None = None
    ) -> DataError:
        """Make the error of a problem in this file."""
        return DataError.at(self.path, problem, line, column)

    def position(self, name: str) -> int:
        """Find a column, counted from 0; if there is none, the error suggests near names."""
        if name in self.names:
            return self.names.index(name)
        near = {known.lower(): known for known in self.names}
        matches = get_close_matches(name.lower(), near, n=3, cutoff=0.6)
        guess = " or ".join(repr(near[match]) for match in matches)
        problem = f"did you mean {guess}? The" if guess else "the"
        problem = f"there is no such column; {problem} columns are {self._listed()}"
        if len(self.names) == 1:
            problem = f"there is no such column, only one, {shorten(self.names[0])}: name the "
            problem += "delimiter if it splits the file wrongly"
        raise self.error(problem, self.header.line, name)

    def text(self, row: Record, position: int) -> str:
        """Return a cell; an empty one, or one that says NaN, is a missing value and an error."""
        cell = row.cells[position]
        if cell.lower() in MISSING:
            said = f" ({shorten(cell)})" if cell else ""
            raise self.error(f"the value is missing{said}", row.line, self.names[position])
        return cell

    def number(self, row: Record, position: int) -> float:
        """Return a cell as a finite number; anything else in it is an error."""
        cell = self.text(row, position)
        number = parse_number(cell)
        if number is None:
            hint = _decimal_comma(cell) or _missing_quote(row)
            problem = f"expected a number, found {shorten(cell)}{hint}"
            raise self.error(problem, row.line, self.names[position])
        if not math.isfinite(number):
            problem = f"expected a finite number, found {shorten(cell)}"
            raise self.error(problem, row.line, self.names[position])
        return number

    def _check_header(self) -> None:
        for position, name in enumerate(self.names):
            if not name:
                raise self.error("the column has no name", self.header.line, position + 1)
            if "." in name and parse_number(name) is not None:
                problem = f"{shorten(name)} is a number; the first line must name the columns"
                raise self.error(problem, self.header.line, position + 1)
            first = self.names.index(name)
            if first != position:
                problem = f"columns {first + 1} and {position + 1} have the same name"
                raise self.error(problem, self.header.line, name)

    def _check_length(self, row: Record) -> None:
        found, wanted = len(row.cells), len(self.names)
        if found != wanted:
            column = self.names[found] if found < wanted else wanted + 1
            extent = "too short" if found < wanted else "too long"
            problem = f"the row is {extent}: cells {found}, columns in the header {wanted}"
            problem += _missing_quote(row)
            raise self.error(problem, row.line, column)

    def _listed(self) -> str:
        shown = ", ".join(shorten(name)[1:-1] for name in self.names[:20])
        more = len(self.names) - 20
        return shown if more <= 0 else f"{shown}, and {more} more"


def parse_number(text: str) -> float | None:
    """Read a number as CSV files write it; None if the text is no number.

    >>> parse_number("-1.5e3"), parse_number("1_000"), parse_number("setosa")
    (-1500.0, None, None)
    """
    if "_" in text:  # Python's own digit separator, which no CSV file means as one
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _decimal_comma(cell: str) -> str:
    if cell.count(",") == 1 and parse_number(cell.replace(",", ".")) is not None:
        return "; write decimals with a point"
    return ""


def _missing_quote(row: Record) -> str:
    if row.last == row.line:
        return ""
    return f"; a quoted cell makes it go on to line {row.last}: is a quote missing?"
