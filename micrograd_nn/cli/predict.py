"""``micrograd-nn predict``: use a saved model on the rows of a CSV file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.cli import csv_file
from micrograd_nn.cli.cards import ModelCard, load_model
from micrograd_nn.cli.parsing import (
    CommandError,
    Commands,
    add_command,
    check_writable,
    one_line,
    refuse_same_file,
    write_text,
)
from micrograd_nn.cli.terminal import Screen, percent, plural, shorten

_DETAILS = """\
The columns are found by their names, in any order; others are ignored. For classes, the result
has the predicted class and the probability of each; for numbers, the number. A terminal shows the
first rows as a table; a file or a pipe gets all of them as CSV, in the order of the rows.

examples:
  micrograd-nn predict model.npz iris.csv
  micrograd-nn predict model.npz new.csv -o predictions.csv
"""

#: How many rows a terminal shows.
SHOWN = 20


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands, "predict", run, "Use a saved model on the rows of a CSV file.", _DETAILS
    )
    command.add_argument("model", metavar="MODEL.npz", help="saved by micrograd-nn train or demo")
    command.add_argument("csv", metavar="DATA.csv", help="the rows to predict")
    command.add_argument(
        "-o", "--output", metavar="FILE", help="where to write CSV (default: standard output)"
    )
    csv_file.add_options(command)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    found, card = load_model(arguments.model)
    if arguments.output is not None:
        refuse_same_file(arguments.csv, arguments.output)
        refuse_same_file(arguments.model, arguments.output)
        check_writable(arguments.output)
    table = csv_file.read(arguments, columns=card.columns)
    try:
        titles, rows = _predicted(card, found.model, table.X)
    except ValueError as error:
        raise CommandError(f"{arguments.csv}: {error}") from None

    if arguments.output is not None:
        write_text(arguments.output, _as_csv(titles, rows))
        screen.fact(
            "written", f"{screen.bold(arguments.output)}, {plural(len(rows), 'prediction')}"
        )
    elif screen.terminal:
        _show(screen, card, rows)
    else:
        screen.line(_as_csv(titles, rows).rstrip("\n"))
    extra = [shorten(name) for name in table.header if name not in card.columns]
    if extra:
        _note(f"these columns are not used: {', '.join(extra[:8])}{' ...' * (len(extra) > 8)}")
    return 0


def _predicted(card: ModelCard, model: Any, X: Any) -> tuple[list[str], list[list[Any]]]:
    """Return the titles and the rows of the result: the prediction, and the probabilities."""
    if not card.class_names:
        numbers = card.numbers(model, X)
        return [card.target], [[number] for number in numbers.tolist()]
    probabilities = card.probabilities(model, X)
    if probabilities.shape[1] != len(card.class_names):
        raise ValueError(
            f"it has {probabilities.shape[1]} outputs for {len(card.class_names)} classes"
        )
    best = np.argmax(probabilities, axis=1).tolist()
    titles = [card.target, *(f"p_{name}" for name in card.class_names)]
    rows = [
        [card.class_names[k], *row] for k, row in zip(best, probabilities.tolist(), strict=True)
    ]
    return titles, rows


def _as_csv(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(titles)
    for first, *probabilities in rows:
        shown = f"{first:.10g}" if isinstance(first, float) else first
        writer.writerow([shown, *(f"{p:.6f}" for p in probabilities)])
    return buffer.getvalue()


def _show(screen: Screen, card: ModelCard, rows: Sequence[Sequence[Any]]) -> None:
    """Print the first rows as a table."""
    few = 6
    names = card.class_names if len(card.class_names) <= few else ()
    titles = ["row", shorten(card.target), *map(shorten, names)]
    if card.class_names and not names:
        titles.append("probability")
    cells = []
    for k, (first, *probabilities) in enumerate(rows[:SHOWN], start=1):
        shown = f"{first:.6g}" if isinstance(first, float) else shorten(first)
        listed = probabilities if names else [max(probabilities)] if probabilities else []
        cells.append([str(k), shown, *map(percent, listed)])
    screen.table(titles, cells, left=(1,) if card.class_names else ())
    if len(rows) > SHOWN:
        screen.line()
        screen.fact("note", f"{len(rows) - SHOWN:,} more rows; -o FILE or a pipe gets all as CSV")


def _note(text: str) -> None:
    """Print a note where it doesn't mix with the predictions."""
    print(one_line(f"micrograd-nn predict: note: {text}"), file=sys.stderr)
