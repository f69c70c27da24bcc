"""How wide text is, before any program has drawn it.

Nobody knows which font a reader's machine has. So each character counts as wide as in the widest
of Helvetica, Inter and DejaVu Sans, among which the fonts of browsers and converters lie.
"""

from __future__ import annotations

import unicodedata

SANS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONO = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

# The characters from " " to "~", in hundredths of the font size.
_ASCII = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 46, 32, 36, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 34, 34, 84, 84, 84, 56, 102, 68, 69, 73, 77, 67, 61, 78, 75, 29, 54, 67, 56, 89, 75, 79,
    67, 79, 72, 67, 64, 74, 68, 99, 69, 67, 69, 39, 36, 39, 84, 56, 50, 61, 63, 56, 63, 62, 36, 63,
    63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 54, 64, 34, 64, 84,
]  # fmt: skip
_BOLD, _MONO = 1.1, 0.603


def text_width(text: str, size: float, bold: bool = False, mono: bool = False) -> float:
    """Return the width of a line of text, in the unit of ``size``.

    Examples
    --------
    >>> round(text_width("tanh", 10), 1)
    22.6
    """
    width = sum(_mono(c) if mono else _sans(c) for c in text)
    return width * size * (_BOLD if bold and not mono else 1.0)


def shortened(text: str, length: int) -> str:
    """Return a text of at most ``length`` characters; what is left out shows as "…".

    Examples
    --------
    >>> shortened("a very long name", 9)
    'a very…me'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def _sans(character: str) -> float:
    code = ord(character)
    if 32 <= code < 127:
        return _ASCII[code - 32] / 100
    if character == "…":
        return 1.0
    return _other(character, 0.84)


def _mono(character: str) -> float:
    if ord(character) < 127 or character in "−…∞×":
        return _MONO
    return _other(character, 0.84)


def _other(character: str, usual: float) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.1 if unicodedata.east_asian_width(character) in "WF" else usual
