"""The progress line: where the training is, on one line that is written over and over."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from micrograd_nn.training.callbacks import Callback


class ProgressLine(Callback):
    """A line on the standard error, only if that is a terminal; without one it is silent.

    The line never wraps: it is cut to the width of the terminal. It is redrawn a few times a
    second, and stays at the end with the last numbers and the reason why the training stopped.

    Parameters
    ----------
    stream : text stream, optional
        ``sys.stderr`` by default.
    every : float
        The least time between two drawings, in seconds.
    clock : callable
        Returns the time in seconds.

    Examples
    --------
    >>> import io
    >>> line = ProgressLine(stream=io.StringIO())  # no terminal
    >>> line.show(1, {"loss": 0.5}, final=True)
    >>> line.stream.getvalue()
    ''
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        every: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = stream
        self.every = every
        self._clock = clock
        self._drawn: float | None = None
        self._length = 0
        self._last: tuple[int, dict[str, float]] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Draw the line, unless it was drawn just now."""
        self._last = epoch, logs
        self.show(epoch, logs)

    def on_batch_end(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        """Draw the line within a long epoch."""
        logs = self._last[1] if self._last else {}
        self.show(epoch, {**logs, "loss": loss}, within=(batch, batches))

    def on_train_end(self) -> None:
        """Draw the line for the last time, and end it."""
        if self._last is not None:
            self.show(*self._last, final=True)

    def show(
        self,
        epoch: int,
        logs: dict[str, float],
        within: tuple[int, int] | None = None,
        final: bool = False,
    ) -> None:
        """Draw the line if it is due, or if it is the final one."""
        stream = sys.stderr if self.stream is None else self.stream
        if stream is None or not is_terminal(stream):
            return
        now = self._clock()
        if not final and self._drawn is not None and now - self._drawn < self.every:
            return
        self._drawn = now
        width = shutil.get_terminal_size().columns - 1  # a full line would wrap in some terminals
        text = progress_text(epoch, self.epochs, logs, within)[: max(width, 1)]
        padding = " " * (min(self._length, width) - len(text))
        self._length = len(text)
        stream.write("\r" + text + padding + ("\n" if final else ""))
        stream.flush()


def progress_text(
    epoch: int,
    epochs: int,
    logs: dict[str, float],
    within: tuple[int, int] | None = None,
) -> str:
    """Return the line's text.

    Examples
    --------
    >>> progress_text(3, 10, {"loss": 0.51234, "accuracy": 0.75, "lr": 0.1, "time": 0.2})
    'epoch  3/10 [======              ]  loss 0.5123  accuracy 0.75'
    >>> progress_text(1, 2, {"loss": 0.5}, within=(5, 10))
    'epoch 1/2 [=====               ]  batch  5/10  loss 0.5'
    """
    done = epoch if within is None else epoch - 1 + within[0] / within[1]
    bar = ("=" * int(20 * done / max(epochs, 1))).ljust(20)[:20]
    text = f"epoch {epoch:>{len(str(epochs))}}/{epochs} [{bar}]"
    if within is not None:
        text += f"  batch {within[0]:>{len(str(within[1]))}}/{within[1]}"
    shown = {name: value for name, value in logs.items() if name not in ("lr", "time")}
    return text + "".join(f"  {name} {value:.4g}" for name, value in shown.items())


def is_terminal(stream: Any) -> bool:
    """Tell whether a stream is a terminal."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # not a file, or closed
        return False
