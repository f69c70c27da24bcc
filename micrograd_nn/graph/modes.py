"""The modes under which a thread records, and the context managers that set them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PACKAGE = __name__.partition(".")[0]


class Modes(threading.local):
    """How this thread records: each field is set by one of the context managers below."""

    recording: bool = True
    lines: bool = False
    finite: bool = False
    scope: str = ""
    transforms: int = 0


class Switch:
    """``fast`` is true while no thread has asked for anything special.

    Scalar arithmetic looks at this one field, and at ``modes`` only when it is false. ``tag`` is
    what it gives to a new node: after nodes were compared, a tag that tells how often.
    """

    def __init__(self) -> None:
        self.fast = True
        self.tag: Any = None
        self.comparisons = 0
        self._special = 0
        self._lock = threading.Lock()

    def slow_down(self, by: int) -> None:
        """Count one more (``by=1``) or one fewer (``by=-1``) special mode."""
        with self._lock:
            self._special += by
            self.fast = self._special == 0


class Clock:
    """Ticks whenever the data of a leaf are overwritten; caches of parameters look at it.

    ``changes`` ticks whenever a module is changed, but for its parameters' data and its mode.
    """

    time = 0
    changes = 0


modes = Modes()
switch = Switch()
clock = Clock()


@contextmanager
def _mode(**wanted: Any) -> Iterator[None]:
    before = {name: getattr(modes, name) for name in wanted}
    switch.slow_down(+1)
    for name, value in wanted.items():
        setattr(modes, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(modes, name, value)
        switch.slow_down(-1)


def no_grad() -> Any:
    """Compute without recording: results have data but no graph.

    Use it as ``with no_grad():`` or as the decorator ``@no_grad()``. It is restored when the block
    is left by an exception, and holds for the present thread only.

    Returns
    -------
    context manager, and decorator

    Examples
    --------
    >>> from micrograd_nn import Value, no_grad
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.op is None, y.data
    (True, 9.0)
    """
    return _mode(recording=False)


@contextmanager
def recording() -> Iterator[None]:
    """Record inside the block, whatever holds outside: readers write graphs of their own.

    What rules compare there is no branch of the user's, and isn't counted.
    """
    before = switch.comparisons, switch.tag
    try:
        with _mode(recording=True, lines=False, finite=False, scope=""):
            yield
    finally:
        switch.comparisons, switch.tag = before


def record_lines() -> Any:
    """Remember, for each node recorded inside the block, the file and line that recorded it.

    Returns
    -------
    context manager, and decorator

    Examples
    --------
    >>> from micrograd_nn import Value, record_lines
    >>> with record_lines():
    ...     y = Value(3.0) * 2
    >>> y.line is None
    False
    """
    return _mode(lines=True)


def debug_nans() -> Any:
    """Raise ``NonFiniteError`` at the first operation whose result is NaN or infinite.

    The error names the operation, the node, the layer and the line that recorded it, and shows
    what went in.

    Returns
    -------
    context manager, and decorator

    Raises
    ------
    NonFiniteError
        Inside the block.

    Examples
    --------
    >>> from micrograd_nn import Value, debug_nans
    >>> with debug_nans():
    ...     (Value(0.0, name="p") + 0).log()
    Traceback (most recent call last):
    ...
    micrograd_nn.graph.node.NonFiniteError: log produced -inf ...
    """
    return _mode(finite=True, lines=True)


def calling_line() -> str:
    """Return ``file:line`` of the innermost caller outside this package; a cell is ``In[5]``."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] != _PACKAGE and module != "contextlib":
            break
        frame = frame.f_back
    return f"{_cell_or_file(frame.f_code.co_filename)}:{frame.f_lineno}"


def _cell_or_file(name: str) -> str:
    """Return how a notebook shows the cell that it compiled under this name, or the name."""
    notebook = sys.modules.get("IPython")
    shell = notebook.get_ipython() if notebook is not None else None
    if shell is None:
        return name
    shown = shell.compile.format_code_name(name)
    return name if shown is None else str(shown[1])
