"""Names of nodes as names of Python: valid, and each once."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

#: Names that Python itself gives a meaning.
RESERVED = frozenset({*keyword.kwlist, *dir(builtins)})


def identifier(name: str, otherwise: str) -> str:
    """Return an identifier that resembles ``name``, or ``otherwise``.

    Examples
    --------
    >>> [identifier(name, "x") for name in ("W1[0, 1]", "2x", "x²", "½", "·")]
    ['W1_0_1', '_2x', 'x2', '_1_2', 'x']
    """
    text = unicodedata.normalize("NFKC", name)  # as Python reads identifiers
    text = re.sub(r"\W+", "_", text).strip("_") or otherwise
    text = text if text.isidentifier() else f"_{text}"
    return text if text.isidentifier() else otherwise


class Identifiers:
    """The names that are taken.

    Examples
    --------
    >>> names = Identifiers({"exp"})
    >>> [names.unique(name, "t0") for name in ("W1[0, 1]", "exp", None, "class", "t0", "2x")]
    ['W1_0_1', 'exp_', 't0', 'class_', 't0_', '_2x']
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*taken, *RESERVED}

    def unique(self, name: str | None, otherwise: str) -> str:
        """Return a new identifier that resembles ``name``, or ``otherwise``."""
        text = identifier(name or "", otherwise)
        candidate, number = text, 2
        while candidate in self.taken:
            candidate, number = (
                (f"{text}_", 2) if candidate == text else (f"{text}_{number}", number + 1)
            )
        self.taken.add(candidate)
        return candidate
