"""From the records of a CSV file to a table of numbers: columns, features, target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import fspath
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn.data.csv_columns import Sheet
from micrograd_nn.data.csv_target import Task, read_target
from micrograd_nn.data.csv_text import Source, read_records


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """The numbers of a CSV file.

    Attributes
    ----------
    path : str
        The file.
    header : tuple of str
        All columns of the file, in its order.
    columns : tuple of str
        The feature columns: the names of the columns of X.
    X : ndarray, shape (m, n), float64
    target : str or None
        The target column, if one was asked for.
    y : ndarray of shape (m,), or None
        Classes: int64 positions in ``class_names``. Regression: float64.
    class_names : tuple of str, or None
        The classes as the file writes them, sorted (numbers by size); None for regression.
    lines : tuple of int
        The line on which each row begins in the file, counted from 1.

    Examples
    --------
    >>> Table("a.csv", ("x", "y"), ("x",), np.zeros((3, 1)))
    <Table a.csv: 3 rows, 1 feature>
    """

    path: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    X: npt.NDArray[np.float64]
    target: str | None = None
    y: npt.NDArray[Any] | None = None
    class_names: tuple[str, ...] | None = None
    lines: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Count the rows, m."""
        return len(self.X)

    def __repr__(self) -> str:
        """Say how large the table is and what its target is."""
        m, n = self.X.shape
        aim = "" if self.target is None else f", target {self.target!r}"
        if self.class_names is not None:
            aim += f" with {len(self.class_names)} classes"
        counts = f"{m} row{'s' * (m != 1)}, {n} feature{'s' * (n != 1)}"
        return f"<Table {self.path}: {counts}{aim}>"


def read_csv(
    path: Source,
    target: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    task: Task = "auto",
    delimiter: str | None = None,
    encoding: str = "utf-8",
) -> Table:
    r"""Read a CSV file with a header into numbers.

    A byte-order mark, quoted cells, any line ends, blank lines and spaces around cells are
    understood. Anything that is not a finite number in a feature column is an error, never a guess.

    Parameters
    ----------
    path : str or path-like
    target : str, optional
        The column to predict. Without it the table has no ``y``.
    columns : sequence of str, optional
        The feature columns, in the order wanted; by default all but the target. What other columns
        hold does not matter.
    task : {"auto", "classification", "regression"}
        What the target holds. "auto" takes text for classes, and numbers for regression, unless
        they are written as integers and are 2 different ones, or up to 10 that come twice each on
        average.
    delimiter : str, optional
        By default that one of ``,`` ``;`` tab and ``|`` which splits the header most, of those that
        split it into as many cells as the first row.
    encoding : str
        A name that Python knows, such as "utf-16" or "latin-1".

    Returns
    -------
    Table

    Raises
    ------
    DataError
        One line naming the file, the line and the column: the file is missing, empty, binary, in
        another encoding, or has no rows; a column does not exist, has no name, or has the name of
        another; a row is too short or too long; a cell is missing, is text, or is not finite; the
        target has a single value.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "fruit.csv")
    ...     _ = path.write_text("weight,fruit\n120,apple\n7.5,cherry\n130,apple\n")
    ...     table = read_csv(path, target="fruit")
    >>> table.columns, table.X.tolist(), table.y.tolist(), table.class_names
    (('weight',), [[120.0], [7.5], [130.0]], [0, 1, 0], ('apple', 'cherry'))
    """
    if task not in ("auto", "classification", "regression"):
        raise ValueError(f"task is 'auto', 'classification' or 'regression', not {task!r}")
    header, *rows = read_records(path, delimiter, encoding)
    sheet = Sheet(path, header, rows)
    features = _features(sheet, target, columns)
    positions = [sheet.position(name) for name in features]
    X = np.array([[sheet.number(row, k) for k in positions] for row in rows], dtype=np.float64)
    y, class_names = (None, None) if target is None else read_target(sheet, target, task)
    names = tuple(sheet.names)
    lines = tuple(row.line for row in rows)
    return Table(fspath(path), names, tuple(features), X, target, y, class_names, lines)


def _features(sheet: Sheet, target: str | None, columns: Sequence[str] | None) -> list[str]:
    """Choose the feature columns, once it is sure that the target exists."""
    if target is not None:
        sheet.position(target)
    if columns is not None:
        return list(columns)
    features = [name for name in sheet.names if name != target]
    if not features:
        raise sheet.error("there is no column beside the target", sheet.header.line, target)
    return features
