"""Names of nodes as names of Python: valid, and each once."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable


class Identifiers:
    """The names that are taken.

    Examples
    --------
    >>> names = Identifiers({"exp"})
    >>> [names.unique(name, "t0") for name in ("W1[0, 1]", "exp", None, "class", "t0", "2x")]
    ['W1_0_1', 'exp_', 't0', 'class_', 't0_', '_2x']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*taken, *keyword.kwlist, *dir(builtins)}

    def unique(self, name: str | None, otherwise: str) -> str:
        """Return a new identifier that resembles ``name``, or ``otherwise``."""
        text = unicodedata.normalize("NFKC", name or "")  # as Python reads identifiers
        text = re.sub(r"\W+", "_", text).strip("_") or otherwise
        text = text if text.isidentifier() else f"_{text}"
        text = text if text.isidentifier() else otherwise
        candidate, number = text, 2
        while candidate in self.taken:
            candidate, number = (
                (f"{text}_", 2) if candidate == text else (f"{text}_{number}", number + 1)
            )
        self.taken.add(candidate)
        return candidate
