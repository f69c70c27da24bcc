"""The parts of the data that a training has: to train on, to validate, and held out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from micrograd_nn import data
from micrograd_nn.cli.cards import ModelCard
from micrograd_nn.cli.parsing import CommandError

Array = npt.NDArray[Any]

#: The largest size of a number of which a variance can be taken.
LARGEST = 1e150

#: The share of the training part that tells when to stop, and how large it must be for that.
STOPPING_SHARE, FEWEST_TO_STOP_BY = 0.2, 8


@dataclass
class Parts:
    """The examples, standardised, in the parts that a training has; X is (m, n), y is (m,)."""

    train: tuple[Array, Array]
    stopping: tuple[Array, Array] | None
    test: tuple[Array, Array] | None
    card: ModelCard


def split(table: data.Table, settings: dict[str, Any]) -> Parts:
    """Hold out the test part, then the part to validate; standardise by what is left."""
    try:
        return _split(table, settings)
    except data.DataError as error:
        raise CommandError(str(error)) from None
    except ValueError as error:
        hint = "; --test-size 0 takes none" if "to test on" in str(error) else ""
        raise CommandError(f"{table.path}: {error}{hint}") from None


def _split(table: data.Table, settings: dict[str, Any]) -> Parts:
    assert table.y is not None
    _check_sizes(table)
    classes = table.class_names is not None
    X, y, seed = table.X, table.y, settings["seed"]
    held_out: tuple[Array, Array] | None = None
    if settings["test_size"] > 0:
        X, X_test, y, y_test = data.train_test_split(
            X, y, settings["test_size"], seed=seed, stratify=classes
        )
        held_out = X_test, y_test
    stopping: tuple[Array, Array] | None = None
    enough = STOPPING_SHARE * len(X) >= FEWEST_TO_STOP_BY
    # Classes with very few rows need all of them to train on.
    if enough and not (classes and round(STOPPING_SHARE * len(X)) > len(X) - len(np.unique(y))):
        X, X_stop, y, y_stop = data.train_test_split(
            X, y, STOPPING_SHARE, seed=seed + 1, stratify=classes
        )
        stopping = X_stop, y_stop
    card = _card(table, settings, X, y)

    def prepared(part: tuple[Array, Array]) -> tuple[Array, Array]:
        rows, target = part
        if not classes:
            target = (target - card.target_mean) / card.target_scale
        return card.standardised(rows), target

    return Parts(
        prepared((X, y)),
        stopping and prepared(stopping),
        held_out and prepared(held_out),
        card,
    )


def _card(table: data.Table, settings: dict[str, Any], X: Array, y: Array) -> ModelCard:
    """Describe the data; X and y are the part to train on."""
    assert table.target is not None
    assert table.y is not None
    scaler = data.Standardizer().fit(X).to_arrays()
    digest = hashlib.sha256(table.X.tobytes() + table.y.tobytes()).hexdigest()
    shared: dict[str, Any] = {
        "target": table.target,
        "columns": table.columns,
        "mean": tuple(scaler["mean"].tolist()),
        "scale": tuple(scaler["scale"].tolist()),
        "settings": {**settings, "data": digest},
    }
    if table.class_names is not None:
        return ModelCard(output="logits", class_names=table.class_names, **shared)
    aim = data.Standardizer().fit(y)
    return ModelCard(
        output="number", target_mean=float(aim.mean), target_scale=float(aim.scale), **shared
    )


def _check_sizes(table: data.Table) -> None:
    """Raise if the variance of a column would overflow."""
    for name, column in [*zip(table.columns, table.X.T, strict=True), (table.target, table.y)]:
        row = int(np.argmax(np.abs(column)))
        if abs(column[row]) > LARGEST:
            raise data.DataError.at(
                table.path,
                f"{column[row]:g} is too large: its square overflows",
                table.lines[row],
                name,
            )
