"""The reviewed list of mutants that are equivalent: they compute the same derivative.

The list is text: the name of a function in brackets, the lines that differ, and the reason.

    [mul_x]
    - return g * y
    + return y * g
    Multiplication commutes.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

#: ``(function, lines that differ)``
Key = tuple[str, str]


def reviewed(text: str | None = None) -> dict[Key, str]:
    """Return the reason for each equivalent mutant; of the library's own list by default.

    Raises
    ------
    ValueError
        If an entry has no reason, or stands twice.
    """
    if text is None:
        text = resources.files(__package__).joinpath("equivalent.txt").read_text("utf-8")
    found: dict[Key, str] = {}
    for block in _blocks(text.splitlines()):
        name = block[0].strip("[] ")
        different = [line for line in block[1:] if line[:2] in ("- ", "+ ")]
        reason = " ".join(line.strip() for line in block[1:] if line[:2] not in ("- ", "+ "))
        key = (name, "\n".join(different))
        if not reason:
            raise ValueError(f"the equivalent mutant of {name} has no reason:\n{key[1]}")
        if key in found:
            raise ValueError(f"the equivalent mutant of {name} stands twice:\n{key[1]}")
        found[key] = reason
    return found


def _blocks(lines: Iterable[str]) -> Iterable[list[str]]:
    block: list[str] = []
    for line in (*lines, ""):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
