"""The target column of a table: classes to tell apart, or numbers to predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from micrograd_nn.data.csv_columns import Sheet, parse_number
from micrograd_nn.data.csv_text import shorten

Task = Literal["auto", "classification", "regression"]
Target = tuple[npt.NDArray[Any], tuple[str, ...] | None]


def read_target(sheet: Sheet, name: str, task: Task) -> Target:
    """Read the column to predict.

    Parameters
    ----------
    sheet : Sheet
    name : str
    task : {"auto", "classification", "regression"}
        As for :func:`micrograd_nn.data.read_csv`.

    Returns
    -------
    (ndarray of shape (m,), tuple of str or None)
        y and the class names: int64 positions in the names, or float64 and None.

    Raises
    ------
    DataError
        If the column does not exist, a value is missing, is text among numbers, or is not finite,
        or (unless regression is asked for) all values are the same.
    """
    position = sheet.position(name)
    texts = [sheet.text(row, position) for row in sheet.rows]
    if len(set(texts)) == 1 and task != "regression":
        problem = f"there is only one class, {shorten(texts[0])}; at least two are needed"
        raise sheet.error(problem, sheet.rows[0].line, name)
    if task == "classification" or (task == "auto" and _are_classes(texts)):
        return _classes(texts)
    return np.array([sheet.number(row, position) for row in sheet.rows]), None


def _are_classes(texts: Sequence[str]) -> bool:
    # One word in a column of numbers is a slip, which regression reports; not one more class.
    if 2 * sum(parse_number(text) is not None for text in texts) <= len(texts):
        return True
    if not all(text.lstrip("+-").isdigit() for text in texts):
        return False
    different = len(set(texts))
    return different == 2 or (different <= 10 and 2 * different <= len(texts))


def _classes(texts: Sequence[str]) -> Target:
    class_names = tuple(sorted(set(texts), key=_by_size_then_alphabet))
    position = {label: index for index, label in enumerate(class_names)}
    return np.array([position[text] for text in texts], dtype=np.int64), class_names


def _by_size_then_alphabet(label: str) -> tuple[float, str]:
    number = parse_number(label)
    return (float("inf") if number is None else number, label)
