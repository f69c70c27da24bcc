"""The shape of a card: its size, and where on it each word stands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from micrograd_nn.readers.fonts import shortened, text_width
from micrograd_nn.readers.layout import Box
from micrograd_nn.readers.wording import Wording

#: The sizes of text: of a title, of a title that is one sign, such as "+", and of the rest.
TITLE, SIGN, SMALL = 12.0, 15.0, 10.0
_PAD, _LINE, _TITLE_LINE, _BETWEEN = 9.0, 14.0, 16.0, 10.0
_LONGEST = 30
#: The space above the small drawing on a card.
_ABOVE_MINIATURE = 6.0


class Word(NamedTuple):
    """A piece of text: its class, where it begins (or ends, by its anchor), and the text."""

    style: str
    x: float
    y: float
    anchor: str
    text: str


def card_size(card: Wording) -> tuple[float, float]:
    """Return the width and height of a card, so that its text fits."""
    size = SIGN if _is_sign(card.title) else TITLE
    title = text_width(shortened(card.title, _LONGEST), size, bold=True)
    for beside in (shortened(card.op, _LONGEST), card.badge):
        title += text_width(beside, SMALL) + _BETWEEN if beside else 0.0
    if card.kind == "constant":
        return _even(max(title, 16.0) + _PAD), 22.0
    widths = [title]
    for label, text in card.rows:
        width = text_width(label, SMALL)
        widths.append(width + (text_width(text, SMALL, mono=True) + _BETWEEN if text else 0.0))
    least = 40.0 if not card.rows else 64.0
    height = _TITLE_LINE + _LINE * len(card.rows) + 12.0
    if card.miniature is not None:
        widths.append(card.miniature.width)
        height += _ABOVE_MINIATURE + card.miniature.height
    return _even(max(*widths, least) + 2 * _PAD), height


def words(card: Wording, width: float, height: float) -> Iterator[Word]:
    """Yield the words of a card, placed from its upper left corner."""
    title, op = shortened(card.title, _LONGEST), shortened(card.op, _LONGEST)
    if card.kind == "constant" or not (op or card.badge or card.rows or card.miniature):
        beside = text_width(card.badge, SMALL) + _BETWEEN if card.badge else 0.0
        yield Word("title", (width - beside) / 2, height / 2 + 4, "middle", title)
        if card.badge:
            yield Word("badge", width - _PAD, height / 2 + 3.5, "end", card.badge)
        return
    y = 6.0 + 12.0
    yield Word("sign" if _is_sign(title) else "title", _PAD, y, "start", title)
    right = width - _PAD
    if card.badge:
        yield Word("badge", right, y, "end", card.badge)
        right -= text_width(card.badge, SMALL) + _BETWEEN
    if op:
        yield Word("op", right, y, "end", op)
    y += 1.5
    for label, text in card.rows:
        y += _LINE
        yield Word("label", _PAD, y, "start", label)
        if text:
            yield Word("grad" if label == "grad" else "value", width - _PAD, y, "end", text)


def miniature_box(card: Wording, width: float, height: float) -> Box:
    """Return where the small drawing stands, from the card's upper left corner."""
    miniature = card.miniature
    assert miniature is not None
    room = width - 2 * _PAD
    wide = room if miniature.stretches else miniature.width
    return Box(_PAD, height - miniature.height - 8.0, wide, miniature.height)


def _is_sign(title: str) -> bool:
    return len(title) <= 2 and not title.isalnum()


def _even(width: float) -> float:
    """Round up, so that cards of about one width have just one."""
    return math.ceil(width / 6.0) * 6.0
