"""The progress of a training, as one line on the terminal that is written over and over."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping

from micrograd_nn.cli.terminal import Screen, percent, width
from micrograd_nn.training import Callback

_LONGEST_BAR, _SHORTEST_BAR = 30, 5


class Progress(Callback):
    """A line on the standard error, if that is a terminal: epoch, bar, loss and metrics.

    Parameters
    ----------
    shown : mapping
        What is shown of an epoch, in order: names in its logs, each with what to call it.
    every : float
        The least time between two drawings, in seconds.
    """

    def __init__(self, shown: Mapping[str, str], every: float = 0.05) -> None:
        self._shown = shown
        self._every = every
        self._screen = Screen(sys.stderr)
        self._active = self._screen.terminal and os.environ.get("TERM") != "dumb"
        self._drawn = 0.0
        self._last: tuple[int, Mapping[str, float]] = (0, {})

    def on_train_begin(self) -> None:
        """Draw the empty line: the first epoch may take its time."""
        self._last = (len(self.history), {})
        self._draw(final=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Draw the line, unless it was drawn just now."""
        self._last = (epoch, logs)
        if time.monotonic() - self._drawn >= self._every:
            self._draw(final=False)

    def on_train_end(self) -> None:
        """Draw the line for the last time, and end it."""
        self._draw(final=True)

    def _draw(self, final: bool) -> None:
        if not self._active:
            return
        self._drawn = time.monotonic()
        epoch, logs = self._last
        columns = shutil.get_terminal_size().columns
        line = progress_text(epoch, self.epochs, logs, self._shown, columns, self._screen)
        # From the start of the line, and with what was there before erased to its end.
        sys.stderr.write(f"\r{line}\x1b[K" + ("\n" if final else ""))
        sys.stderr.flush()


def progress_text(
    epoch: int,
    epochs: int,
    logs: Mapping[str, float],
    shown: Mapping[str, str],
    columns: int,
    screen: Screen,
) -> str:
    """Return the line, which is narrower than the terminal so that it never wraps.

    Examples
    --------
    >>> screen = Screen()
    >>> screen.colours = False
    >>> progress_text(3, 6, {"loss": 0.51234, "accuracy": 0.75}, {"accuracy": "right"}, 46, screen)
    '  epoch 3/6  ━━━━━━━━━─────────  right 75.0 %'
    """
    start = f"  epoch {epoch:>{len(str(epochs))}}/{epochs}"
    words = [
        f"{label} {percent(logs[name]) if name.endswith('accuracy') else f'{logs[name]:.4f}'}"
        for name, label in shown.items()
        if name in logs
    ]
    while words and width("  ".join([start, *words])) >= columns:
        words.pop()
    left = columns - 3 - width("  ".join([start, *words]))
    if left >= _SHORTEST_BAR:
        size = min(left, _LONGEST_BAR)
        done = size if epoch >= epochs else size * epoch // max(epochs, 1)
        words.insert(0, screen.good("━" * done) + screen.dim("─" * (size - done)))
    return "  ".join([start, *words])[: None if left >= _SHORTEST_BAR else columns - 1]
