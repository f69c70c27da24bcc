"""The page of the stepper: one file, which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection
from importlib import resources
from typing import Any

from micrograd_nn.readers.cardbox import card_size
from micrograd_nn.readers.fonts import shortened, text_width
from micrograd_nn.readers.formulas import formula
from micrograd_nn.readers.palette import DARK, LIGHT, Theme
from micrograd_nn.readers.stepper.events import events
from micrograd_nn.readers.stepper.quantities import Quantity
from micrograd_nn.readers.stepper.record import MOST, Record
from micrograd_nn.readers.svg import escape
from micrograd_nn.readers.view import size
from micrograd_nn.readers.wording import Wording

_SCRIPTS = ("layout.js", "mathml.js", "cards.js", "stepper.js")
#: As wide as any number on a card.
_WIDEST = "−1.234e−05"
_WIDEST_RANGE = "−0.0123 … −0.0123"


def page(record: Record) -> str:
    """Return the text of the page.

    Raises
    ------
    ValueError
        If the graph is too large.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong.
    """
    fewest = size(record.scopes, record.levels[0][1])
    if fewest > MOST:
        raise ValueError(
            f"the stepper shows at most {MOST:,} cards, and this graph has {fewest:,} even with "
            "all layers collapsed: draw a smaller part of it, or save it as .svg"
        )
    script = "\n".join(_text(name) for name in _SCRIPTS)
    script = f'"use strict";{{\n{_dense(script)}\n}}'
    style = _dense(_text("stepper.css")) + "\n" + _colours()
    title = f"{record.names[-1]} · {len(record.scopes.nodes):,} nodes"
    parts = {
        "policy": f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        "title": escape(title),
        "style": style,
        "data": _json(_data(record)),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _text("page.html"))


def _data(record: Record) -> dict[str, Any]:
    """Return the data of the page, which its scripts describe where they read them."""
    scopes, nodes = record.scopes, record.scopes.nodes
    forms: dict[str, int] = {}

    def form(text: str) -> int:
        return forms.setdefault(text, len(forms))

    seed, backward = events(nodes, form)
    told = _gradients_told(record, seed, backward)
    faces: dict[tuple[str, str, str, float, float], int] = {}
    lines = []
    for n, node in enumerate(nodes):
        card = record.cards[n]
        size = card_size(_fullest(card, record.show, [record.data[n]], told[n]))
        face = (card.kind, shortened(card.title, 30), shortened(card.op, 30), *size)
        line = [
            faces.setdefault(face, len(faces)), scopes.group_of[n], record.names[n],
            scopes.inputs[n], record.data[n],
        ]  # fmt: skip
        if node.op is not None:
            line.append(form(formula(node)))
        lines.append(line)
    groups = []
    for g, (card, inside) in enumerate(zip(record.group_cards, record.members, strict=True)):
        results = [n for n in inside if nodes[n].op is not None]
        data = [record.data[n] for n in results]
        gradients = [gradient for n in results for gradient in told[n]]
        size = card_size(_fullest(card, record.show, data, gradients))
        label = shortened(scopes.names[g], 60)
        groups.append([
            scopes.parents[g], label, shortened(card.title, 30), shortened(card.op, 30), *size,
            [text for text, _ in card.rows], round(text_width("▾ " + label, 11.0, bold=True), 1),
        ])  # fmt: skip
    return {
        "faces": list(faces),
        "nodes": lines,
        "groups": groups,
        "seed": seed,
        "events": backward,
        "forms": list(forms),
        "levels": [[name, sorted(collapsed)] for name, collapsed in record.levels],
        "level": record.level,
        "isAuto": record.is_auto,
        "show": [part for part in ("shape", "data", "grad") if part in record.show],
        "direction": record.direction,
        "most": MOST,
    }


def _gradients_told(
    record: Record, seed: Quantity, backward: list[list[Any]]
) -> list[list[Quantity]]:
    """Return what is told of the gradient of each node in the course of the backward pass."""
    told: list[list[Quantity]] = [[] for _ in record.names]
    if seed != "":
        told[-1].append(seed)
    for node, argument, _, *quantities in backward:
        written = [q for q in quantities[1:] if q is not None]
        told[record.scopes.inputs[node][argument]].append(written[-1] if written else 0.0)
    return told


def _fullest(
    card: Wording, show: Collection[str], data: list[Quantity], gradients: list[Quantity]
) -> Wording:
    """Return a card with as much text as the page may ever write on it."""
    if card.kind == "constant":
        return card
    rows = list(card.rows)
    arrays = [q for q in data if isinstance(q, list)]
    if arrays and "shape" in show and card.kind != "layer":
        rows.append(("shape", arrays[0][0]))
    for part, quantities in (("data", data), ("grad", gradients)):
        if part in show and quantities:
            rows.append((part, _longest(quantities, card.kind == "layer")))
    return Wording(card.kind, card.title, card.op, tuple(rows), "", "", card.is_stack)


def _longest(quantities: list[Quantity], is_summary: bool) -> str:
    ranges = [q[1] for q in quantities if isinstance(q, list)]
    numbers = len(quantities) - len(ranges)
    if numbers:
        ranges.append(_WIDEST_RANGE if is_summary and numbers > 1 else _WIDEST)
    return max(ranges, key=len)


# ----------------------------------------------------------------------------------- the file


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _dense(text: str) -> str:
    r"""Return a script or style sheet without comments and needless space.

    Examples
    --------
    >>> _dense("// why\n  if (a > 0) say('a > 0', /[, ]/, b / 2);")
    "if(a>0)say('a > 0',/[, ]/,b/2);"
    """
    lines = (line.strip() for line in text.splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
    return _SPACE.sub(lambda found: str(found[1] or found[2]), text)


#: What must stay as it is (strings, templates, regular expressions), or a sign with space around.
_SPACE = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'[^'\n]*'|`(?:\\.|[^`\\])*`|/(?![ /*])(?:\\.|[^/\\\n])+/[a-z]*)"""
    r"""|[ ]*([{}()\[\],;:?=<>+*/&|!-]+)[ \n]*"""
)


def _json(data: Any) -> str:
    """Return data as JSON within a script element, which no name in them can end."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _colours() -> str:
    return f"{_theme(LIGHT)}\n@media (prefers-color-scheme:dark){{\n{_theme(DARK)}\n}}"


def _theme(theme: Theme) -> str:
    colours = {
        "sheet": theme.sheet, "frame": theme.frame_line, "label": theme.label, "edge": theme.edge,
        "text": theme.text, "muted": theme.muted, "grad": theme.grad,
        **{f"level{k}": fill for k, fill in enumerate(theme.frames)},
    }  # fmt: skip
    rules = [f":root{{{_variables(colours)}}}"]
    for kind, tint in theme.cards.items():
        ink = {"fill": tint.fill, "line": tint.line, "ink": tint.title}
        rules.append(f".{kind}{{{_variables(ink)}}}")
    return "\n".join(rules)


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
