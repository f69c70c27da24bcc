"""Ctrl-C: it stops a training between two steps, never within one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Interrupts:
    """While it is entered, Ctrl-C waits for what runs under ``whole`` to be done.

    It then raises ``KeyboardInterrupt`` as usual; a second Ctrl-C doesn't wait. Where Ctrl-C is
    not Python's own to handle (in another thread, or with another handler), it leaves it alone.

    Examples
    --------
    >>> with Interrupts() as interrupts:
    ...     interrupts.whole(max, 1, 2)
    2
    """

    def __init__(self) -> None:
        self._ours = False
        self._busy = False
        self._pending = False

    def __enter__(self) -> Interrupts:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._handle)
            self._ours = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ours:
            self._ours = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def whole(self, act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call ``act`` and return its result, without being interrupted within."""
        self._busy = True
        try:
            result = act(*args, **kwargs)
        finally:
            self._busy = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt
        return result

    def _handle(self, signum: int, frame: FrameType | None) -> Any:
        if self._busy and not self._pending:
            self._pending = True
        else:
            self._pending = False
            raise KeyboardInterrupt


def dealt_with() -> None:
    """Tell Python that a KeyboardInterrupt was caught for good.

    CPython remembers one that came while it ran a text, as dataclasses do when their module is
    imported, and would end the process by SIGINT after its last line. To run another makes it
    forget.
    """
    exec("")  # noqa: S102 (nothing at all)
