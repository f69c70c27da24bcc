"""The page of the stepper: one file, which asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import Any

from micrograd_nn.readers.palette import DARK, LIGHT, Theme
from micrograd_nn.readers.stepper.contents import contents
from micrograd_nn.readers.stepper.dense import dense, dense_script
from micrograd_nn.readers.stepper.record import Record
from micrograd_nn.readers.svgtext import escape

_SCRIPTS = ("layout.js", "mathml.js", "cards.js", "steps.js", "panel.js", "view.js", "stepper.js")


def page(record: Record) -> str:
    """Return the text of the page.

    Raises
    ------
    ValueError
        If the graph is too large.
    StaleGraphError
        If recorded data were overwritten, so that a derivative would be wrong.
    """
    data = contents(record)
    script, style = _script(), _style()
    title = f"{data['nodes'][-1][2]} · {len(data['nodes']):,} nodes"
    parts = {
        "policy": f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        "title": escape(title),
        "style": style,
        "data": _json(data),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _text("page.html"))


@cache
def _script() -> str:
    text = dense_script("\n".join(_text(name) for name in _SCRIPTS))
    return f'"use strict";{{\n{text}\n}}'


@cache
def _style() -> str:
    return f"{dense(_text('stepper.css'))}\n{_colours()}"


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


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
