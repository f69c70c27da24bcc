"""From the bytes of a CSV file to its records: encoding, delimiter, quotes, line numbers."""

from __future__ import annotations

import csv
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Source = str | os.PathLike[str]

#: The delimiters looked for in the header; the first wins a tie.
DELIMITERS = (",", ";", "\t", "|")


class DataError(ValueError):
    """A file that cannot be used; the message is one line naming the file, the line and the column.

    Attributes
    ----------
    path : str or None
        The file.
    line : int or None
        The line in the file, counted from 1; None if the file as a whole is at fault.
    column : str, int or None
        The name of the column, or its number from 1 if it has no name.

    Examples
    --------
    >>> from micrograd_nn.data import read_csv
    >>> read_csv("nowhere.csv")
    Traceback (most recent call last):
    ...
    micrograd_nn.data.csv_text.DataError: nowhere.csv: there is no such file
    """

    path: str | None = None
    line: int | None = None
    column: str | int | None = None

    @classmethod
    def at(
        cls,
        path: Source,
        problem: str,
        line: int | None = None,
        column: str | int | None = None,
    ) -> DataError:
        """Make the error of a problem at a place.

        Examples
        --------
        >>> DataError.at("a.csv", "the cell is empty", line=3, column="x")
        DataError("a.csv, line 3, column 'x': the cell is empty")
        """
        place = os.fspath(path)
        if line is not None:
            place += f", line {line}"
        if column is not None:
            place += f", column {column!r}"
        error = cls(" ".join(f"{place}: {problem}".splitlines()))
        error.path, error.line, error.column = os.fspath(path), line, column
        return error


class Record(NamedTuple):
    """The cells of one row, stripped of the spaces around them, and its first and last line."""

    line: int
    cells: list[str]
    last: int


def read_records(path: Source, delimiter: str | None, encoding: str) -> list[Record]:
    """Read all records of a CSV file, the header first, without the blank lines.

    Parameters
    ----------
    path : str or path-like
    delimiter : str, optional
        One character; without it, whichever of :data:`DELIMITERS` splits the header most, of those
        that split it into as many cells as the first row, if there are any.
    encoding : str
        A byte-order mark is dropped.

    Returns
    -------
    list of Record
        At least one.

    Raises
    ------
    DataError
        If the file cannot be read or decoded, holds nothing, or has a quote that is never closed.
    """
    text = _decode(path, _read_bytes(path), encoding)
    # newline="" keeps every kind of line end, which the csv module wants to see for itself.
    lines = list(io.StringIO(text, newline=""))
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise DataError.at(path, f"{delimiter!r} is no delimiter: give a single character")
    start = 1
    records: list[Record] = []
    try:
        separator = _sniff(lines) if delimiter is None else delimiter
        reader = _reader(lines, separator)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if len(cells) > 1 or any(cells):
                records.append(Record(start, cells, reader.line_num))
            if reader.line_num == len(lines) and _is_open(lines[start - 1 :], separator):
                raise DataError.at(path, "a quoted cell begins here and never ends", start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError.at(path, f"the line cannot be parsed: {error}", start) from None
    if not records:
        raise DataError.at(path, "the file is empty")
    return records


def shorten(text: str) -> str:
    """Quote a cell for a message, on one line and not too long.

    >>> shorten("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"
    """
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _read_bytes(path: Source) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        problem = "there is no such file"
    except IsADirectoryError:
        problem = "this is a folder, not a CSV file"
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror or error}"
    except ValueError as error:
        problem = f"this is no file name: {error}"
    raise DataError.at(path, problem)


def _decode(path: Source, content: bytes, encoding: str) -> str:
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError.at(path, "the file is UTF-16, not UTF-8: name its encoding, utf-16", 1)
        if b"\0" in content:
            line = content.count(b"\n", 0, content.index(b"\0")) + 1
            raise DataError.at(path, "the file is binary, not CSV text (it has a zero byte)", line)
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = (
            f"byte 0x{content[error.start]:02x} is not {encoding} text: name the file's encoding, "
            "such as latin-1, if it is CSV at all"
        )
    except (LookupError, UnicodeError) as error:
        line, problem = 1, f"it cannot be decoded as {encoding!r}: {error}"
    raise DataError.at(path, problem, line)


def _reader(lines: Iterable[str], separator: str) -> Any:
    return csv.reader(lines, delimiter=separator, skipinitialspace=separator != " ")


def _sniff(lines: Sequence[str]) -> str:
    header, first, *_ = [*itertools.islice(filter(str.strip, lines), 2), "", ""]

    def fit(delimiter: str) -> tuple[bool, int]:
        count = len(next(_reader([header], delimiter)))
        try:
            return 1 < count == len(next(_reader([first], delimiter))), count
        except csv.Error:  # whatever reads the row will say what is wrong with it
            return False, count

    return max(DELIMITERS, key=fit)


def _is_open(lines: Sequence[str], separator: str) -> bool:
    """Tell whether the record of these lines ends in a quoted cell that would go on after them."""
    return len(list(_reader([*lines, "another record"], separator))) == 1
