"""What a training reports in the end: how well the model predicts what it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn import training
from micrograd_nn.cli.parts import Parts
from micrograd_nn.cli.terminal import Screen, pad, percent, plural, shorten, width
from micrograd_nn.nn import Sequential

Array = npt.NDArray[Any]


def report_numbers(screen: Screen, model: Sequential, parts: Parts) -> None:
    """Report R² and the mean error, in the target's own unit."""
    X, y = parts.test or parts.train
    unit = parts.card.target_scale
    predicted = training.predict(model, X)
    r2 = training.r2(predicted, y)
    error = training.mae(predicted, y) * unit
    mean_error = training.mae(np.zeros(len(y)), y) * unit
    screen.fact(
        "held out" if parts.test else "training",
        f"{screen.good(f'R² {r2:.3f}')} on {plural(len(y), 'row')}; mean error {error:.4g} "
        f"(always the mean: {mean_error:.4g})",
    )


def report_classes(
    screen: Screen, model: Sequential, parts: Parts, class_names: Sequence[str]
) -> None:
    """Report the accuracy and the confusion table."""
    X, y = parts.test or parts.train
    table = training.confusion_matrix(training.predict(model, X), y, classes=len(class_names))
    right, total = int(np.trace(table)), int(table.sum())
    common = int(np.argmax(np.bincount(parts.train[1])))
    guess = float(np.mean(y == common))
    screen.fact(
        "held out" if parts.test else "training",
        f"{screen.good(f'accuracy {percent(right / total)}')}, {right} of {total} right "
        f"(always {shorten(class_names[common])}: {percent(guess)})",
    )
    screen.line()
    if len(class_names) <= 10:
        _confusion_table(screen, table, class_names)
    else:
        _confusion_list(screen, table, class_names)


def _confusion_table(screen: Screen, table: Array, class_names: Sequence[str]) -> None:
    """Print counts: a row for each class as it is, a column for each as it is predicted."""
    labels = [shorten(name, 16) for name in class_names]
    first = max(width(label) for label in [*labels, "actual"])
    sizes = [max(width(label), len(f"{table.max():,}")) for label in labels]
    screen.line("  " + " " * first + "  " + screen.dim("predicted"))
    titles = [pad(label, size, on_the_left=True) for label, size in zip(labels, sizes, strict=True)]
    screen.line("  " + screen.dim("  ".join([pad("actual", first), *titles])))
    for i, label in enumerate(labels):
        cells = []
        for j, size in enumerate(sizes):
            number = pad(f"{table[i, j]:,}" if table[i, j] else "·", size, on_the_left=True)
            paint = screen.good if i == j else screen.bad if table[i, j] else screen.dim
            cells.append(paint(number))
        screen.line("  " + "  ".join([pad(label, first), *cells]))


def _confusion_list(screen: Screen, table: Array, class_names: Sequence[str]) -> None:
    """Print, for many classes, how often each is found and what it is taken for otherwise."""
    rows = []
    for i, name in enumerate(class_names):
        wrong = table[i].copy()
        wrong[i] = 0
        taken = shorten(class_names[int(np.argmax(wrong))]) if wrong.any() else ""
        rows.append([shorten(name), f"{table[i, i]:,}", f"{table[i].sum():,}", taken])
    screen.table(["class", "right", "of", "most often taken for"], rows, left=(0, 3))
