"""The history of a training: one row of numbers per epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History:
    """What ``fit`` has seen: losses, metrics, learning rate and time, epoch by epoch.

    ``str(history)`` is a table of it, ``history.plot()`` a picture. ``history["val_loss"]`` is any
    of its columns by name, and ``len(history)`` the number of epochs.

    Attributes
    ----------
    epochs : list of int
        The number of each epoch, from 1.
    loss : list of float
        The mean training loss over the examples of each epoch, each batch as it was just before
        its step.
    val_loss : list of float
        The loss on the validation data after each epoch; empty without any.
    metrics : dict of str to list of float
        Each metric, and as ``"val_..."`` the same on the validation data. Those of the training
        data come from the same predictions as ``loss``.
    lr : list of float
        The learning rate in each epoch.
    times : list of float
        The seconds that each epoch took.
    stopped : str or None
        Why the training ended before its last epoch, and what to do; None if it didn't.
    notes : list of str
        What else there is to know about the run.
    compiled : str
        How the steps were run: by which program, or why eagerly; empty where nobody asked.
    seed : int or None
        The seed that orders the batches, drawn if none was given.

    Examples
    --------
    >>> history = History()
    >>> history.append({"loss": 0.7, "accuracy": 0.5, "lr": 0.1, "time": 0.01})
    >>> history.append({"loss": 0.2, "accuracy": 1.0, "lr": 0.1, "time": 0.01})
    >>> history.loss, history.metrics["accuracy"]
    ([0.7, 0.2], [0.5, 1.0])
    >>> print(history)
    epoch  loss  accuracy   lr  seconds
        1   0.7       0.5  0.1     0.01
        2   0.2         1  0.1     0.01
    """

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.loss: list[float] = []
        self.val_loss: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.lr: list[float] = []
        self.times: list[float] = []
        self.stopped: str | None = None
        self.notes: list[str] = []
        self.compiled = ""
        self.seed: int | None = None

    def append(self, logs: dict[str, float]) -> None:
        """Add the next epoch: ``loss``, ``lr``, ``time``, perhaps ``val_loss``, and the metrics."""
        self.epochs.append(len(self.epochs) + 1)
        columns = {"loss": self.loss, "val_loss": self.val_loss, "lr": self.lr, "time": self.times}
        for name, value in logs.items():
            column = columns[name] if name in columns else self.metrics.setdefault(name, [])
            # One that was not measured in earlier epochs has no values there.
            column.extend([math.nan] * (len(self.epochs) - 1 - len(column)))
            column.append(float(value))

    def note(self, text: str) -> None:
        """Add a note, once."""
        if text not in self.notes:
            self.notes.append(text)

    def columns(self) -> dict[str, list[float]]:
        """Return the columns that have values, by name, in the order of the table."""
        columns = {"loss": self.loss, "val_loss": self.val_loss, **self.metrics}
        columns |= {"lr": self.lr, "time": self.times}
        return {name: column for name, column in columns.items() if column}

    def __getitem__(self, name: str) -> list[float]:
        columns = self.columns()
        if name not in columns:
            raise KeyError(f"no column {name!r} in the history: there are {', '.join(columns)}")
        return columns[name]

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        last = f", loss={self.loss[-1]:.6g}" if self.loss else ""
        stopped = f", stopped={self.stopped!r}" if self.stopped else ""
        return f"History({len(self)} epochs{last}{stopped})"

    # ------------------------------------------------------------------------------ the table

    def __str__(self) -> str:
        return self.table()

    def table(self, rows: int = 20) -> str:
        """Return the history as an aligned table, of at most ``rows`` epochs.

        The first and the last epochs are shown, and how many are left out between them.

        Examples
        --------
        >>> history = History()
        >>> for k in range(100):
        ...     history.append({"loss": 1 / (k + 1), "lr": 0.1, "time": 0.0})
        >>> print(history.table(rows=4))
        epoch      loss   lr  seconds
            1         1  0.1        0
            2       0.5  0.1        0
          ...  96 more
           99  0.010101  0.1        0
          100      0.01  0.1        0
        """
        columns = self.columns()
        titles = ["epoch", *("seconds" if name == "time" else name for name in columns)]
        shown = list(range(len(self)))
        head = rows - rows // 2
        left_out = len(self) - rows if len(self) > rows else 0
        if left_out:
            shown = shown[:head] + shown[len(self) - rows // 2 :]
        cells = [
            [str(self.epochs[i]), *(_cell(c[i]) if i < len(c) else "" for c in columns.values())]
            for i in shown
        ]
        widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (titles, *cells)
        ]
        if left_out:
            lines.insert(head + 1, f"{'...':>{widths[0]}}  {left_out} more")
        if self.stopped:
            lines.append(f"stopped: {self.stopped}")
        lines.extend(f"note: {note}" for note in self.notes)
        if self.compiled:
            lines.append(self.compiled)
        return "\n".join(lines)

    # ---------------------------------------------------------------------------- the picture

    def plot(self, ax: Any = None) -> Figure:
        """Draw the losses, and beside them each metric, over the epochs.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Where to draw the losses, then each metric; what has no Axes is left out. By default a
            new figure.

        Returns
        -------
        matplotlib Figure
            ``.savefig("history.png")`` saves it.

        Raises
        ------
        ImportError
            If matplotlib isn't installed.
        """
        from micrograd_nn.readers.figures import plot_history

        return plot_history(self, ax)

    # ------------------------------------------------------------------------------ the state

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in lists, strings and numbers."""
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        metrics = {name: list(column) for name, column in self.metrics.items()}
        texts = {"stopped": self.stopped, "compiled": self.compiled}
        return {**lists, "metrics": metrics, **texts, "seed": self.seed}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> History:
        """Return the history that ``to_dict`` described.

        Examples
        --------
        >>> len(History.from_dict(History().to_dict()))
        0
        """
        history = cls()
        for name in _LISTS:
            setattr(history, name, list(state[name]))
        history.metrics = {name: list(column) for name, column in state["metrics"].items()}
        history.stopped = state["stopped"]
        history.compiled = state.get("compiled", "")
        history.seed = state["seed"]
        return history


_LISTS = ("epochs", "loss", "val_loss", "lr", "times", "notes")


def _cell(value: float) -> str:
    return f"{value:.5g}"
