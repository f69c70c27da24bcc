"""What every picture in SVG is written with: escaped text, coordinates, ids of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from micrograd_nn.readers.fonts import MONO, SANS

#: Lets a page scale the picture down.
SCALING = 'style="max-width:100%;height:auto"'
#: A light rim around text that edges may cross.
HALO = "paint-order:stroke;stroke-width:3px;stroke-linejoin:round"
#: Stands for the prefix of ids, which is known when the rest has been written.
ID = "\x00"

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    """Return text as it is written in XML, within elements and within quotes.

    Characters that XML can't hold become the replacement character.

    Examples
    --------
    >>> escape('</svg><script>"')
    '&lt;/svg&gt;&lt;script&gt;&quot;'
    """
    text = _UNWRITABLE.sub("\ufffd", text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def coordinate(x: float) -> str:
    """Return a coordinate in tenths, without a needless point.

    Examples
    --------
    >>> coordinate(3.0), coordinate(-0.04), coordinate(2.25)
    ('3', '0', '2.2')
    """
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def scoped(rule: str) -> str:
    """Let a rule of style hold inside this picture only.

    Examples
    --------
    >>> scoped(".a,.b{fill:red}").replace(ID, "mg-1")
    '#mg-1 .a,#mg-1 .b{fill:red}'
    """
    selectors, brace, declarations = rule.partition("{")
    return ",".join(f"#{ID} {s}" for s in selectors.split(",")) + brace + declarations


def style(rules: Iterable[str], light: Iterable[str], dark: Iterable[str]) -> str:
    """Return the style of a picture: rules for both themes, for light, and for dark."""
    return "\n".join(
        [
            *map(scoped, rules),
            *map(scoped, light),
            "@media (prefers-color-scheme: dark) {",
            *map(scoped, dark),
            "}",
        ]
    )


def document(width: float, height: float, label: str, css: str, body: Iterable[str]) -> str:
    """Return a whole picture, with ids that begin with a hash of its contents.

    So several pictures get along on one page. Its sheet is behind the body.
    """
    w, h = coordinate(width), coordinate(height)
    text = "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" id="{ID}" width="{w}" height="{h}" '
            f'viewBox="0 0 {w} {h}" {SCALING} role="img" aria-label="{escape(label)}">',
            f"<style>\n{css}\n</style>",
            f'<rect class="sheet" x="0" y="0" width="{w}" height="{h}" rx="8"/>',
            *body,
            "</svg>",
        ]
    )
    return owned(text) + "\n"


def owned(svg: str) -> str:
    """Return a picture whose ids begin with a hash of its contents, where ``ID`` stood.

    Examples
    --------
    >>> owned(f'<svg id="{ID}"/>')
    '<svg id="mg-ba8578a310"/>'
    """
    return svg.replace(ID, "mg-" + hashlib.sha256(svg.encode()).hexdigest()[:10])


def page(title: str, body: str) -> str:
    """Return a web page that holds a picture and nothing else; it goes along with dark and light.

    Examples
    --------
    >>> page("a & b", "<svg/>").splitlines()[2]
    '<title>a &amp; b</title>'
    """
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><meta charset="utf-8">',
            f"<title>{escape(title)}</title>",
            "<style>:root{color-scheme:light dark} body{margin:1em;text-align:center}</style>",
            f"<body>\n{body}\n</body></html>\n",
        ]
    )


def plain(svg: str) -> str:
    """Return a picture as CairoSVG understands it.

    It reads ``height:auto`` as a height of 0, paints a rim over its text, and takes the first font
    of a list only, without a substitute for signs such as "−" that this font lacks.
    """
    for modern, old in (
        (SCALING, ""),
        (HALO, "stroke-width:0"),
        (SANS, "'DejaVu Sans'"),
        (MONO, "'DejaVu Sans Mono'"),
    ):
        svg = svg.replace(modern, old)
    return svg
