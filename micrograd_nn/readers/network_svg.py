"""Writing the diagram of a network as SVG: circles shaded by activation, edges by weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from micrograd_nn.readers.fonts import SANS, text_width
from micrograd_nn.readers.network_layout import BAR, MARGIN, Diagram, Place, headline, shown
from micrograd_nn.readers.numbers import number, numbers
from micrograd_nn.readers.palette import DARK, LIGHT, SIGNS_DARK, SIGNS_LIGHT, Signs, Theme
from micrograd_nn.readers.stages import Array, Stage
from micrograd_nn.readers.svgtext import HALO, document, escape, style
from micrograd_nn.readers.svgtext import coordinate as _n

_FOOT, _LEGEND = 62.0, 24.0
#: Above this number of edges only each unit's bundle has a title, not each edge.
_TITLED = 400


def write_network(stages: Sequence[Stage], title: str) -> str:
    """Return the diagram of a network as SVG text.

    Each unit is a ``<g class="unit">`` with a ``<title>``, each bundle of edges into a unit a
    ``<g class="bundle">`` with one, each edge a ``<path class="edge">``. Edges, biases and
    activations above zero have one colour, those below zero another, and are the stronger the
    larger. Colours follow the reader's preference for light or dark; there is no script.
    """
    diagram = Diagram(stages)
    scale = _largest([s.weights for s in diagram.stages if s.weights is not None])
    number_of_edges = sum(
        len(a.rows) * len(b.rows)
        for a, b in zip(diagram.places, diagram.places[1:], strict=False)
        if b.stage.weights is not None
    )
    body: list[str] = []
    for before, place in zip(diagram.places, diagram.places[1:], strict=False):
        body += _edges(before, place, scale, diagram, number_of_edges <= _TITLED)
    for place in diagram.places:
        if place.stage.is_units:
            body += _column(place, diagram, place is diagram.places[-1])
        else:
            body += _bar(place, diagram)
    bottom = diagram.top + diagram.height + _FOOT
    with_values = any(stage.values is not None for stage in stages)
    has_weights = any(stage.weights is not None for stage in stages)
    if has_weights:
        body += _legend(bottom, scale, with_values)
    height = bottom + (_LEGEND if has_weights else 0.0)
    return document(diagram.width, height, f"Network diagram: {title}", _style(), body)


# ------------------------------------------------------------------------------------- the parts


def _edges(
    before: Place, place: Place, scale: float, diagram: Diagram, titled: bool
) -> Iterator[str]:
    """Write the edges from one stage to the next: weights, or plain lines into another layer."""
    W = place.stage.weights
    if W is None:
        yield '<g class="wires">'
        for y in before.rows.values():
            line = f"M{_n(before.last)} {_n(y)}L{_n(place.first)} {_n(y)}"
            yield f'<path class="edge wire" d="{line}"/>'
        yield "</g>"
        return
    sources = {j: y for j, y in before.rows.items() if j < W.shape[1]}
    if before.stage.units != W.shape[1]:
        sources = dict(zip(shown(W.shape[1]), before.rows.values(), strict=False))
    for i, y in place.rows.items():
        yield f'<g class="bundle"><title>{escape(_bundle(place.stage, i))}</title>'
        # The strongest last, on top.
        for j in sorted(sources, key=lambda j: (_size(W[i, j]), j)):
            start = (before.last, sources[j])
            if before.stage.is_units:
                start = _rim(before.x, sources[j], place.x, y, diagram.radius)
            end = _rim(place.x, y, *start, diagram.radius)
            t = min(_size(W[i, j]) / scale, 1.0)
            title = f"w{i + 1},{j + 1} = {number(W[i, j])}"
            inner = f"><title>{title}</title></path>" if titled else "/>"
            yield (
                f'<path class="edge {_sign(W[i, j])}" d="M{_n(start[0])} {_n(start[1])}'
                f'L{_n(end[0])} {_n(end[1])}" style="stroke-width:{0.6 + 3.4 * t:.2f};'
                f'stroke-opacity:{0.22 + 0.66 * math.sqrt(t):.2f}"{inner}'
            )
        yield "</g>"


def _column(place: Place, diagram: Diagram, is_last: bool) -> Iterator[str]:
    stage = place.stage
    yield from _head(place)
    darkest = max(_largest([stage.values]), 1.0)
    for unit, y in place.rows.items():
        value = None if stage.values is None else float(stage.values[unit])
        yield f'<g class="unit{" given" if stage.is_input else ""}">'
        yield f"<title>{escape(_told(stage, unit))}</title>"
        circle = f'cx="{_n(place.x)}" cy="{_n(y)}" r="{_n(diagram.radius)}"'
        yield f'<circle class="rim" {circle}/>'
        if value is not None:
            t = min(_size(value) / darkest, 1.0)
            yield f'<circle class="{_sign(value)} shade" {circle} fill-opacity="{0.72 * t:.2f}"/>'
            yield _text("number", place.x, y + 3.2, _short(value))
        if stage.biases is not None:
            bias = float(stage.biases[unit])
            words = f"b {_short(bias)}"
            yield _text(f"bias {_sign(bias)}", place.x, y + diagram.radius + 11.0, words)
        yield "</g>"
        name = _outer_name(stage, unit, is_last)
        if name and stage.is_input:
            yield _text("symbol", place.x - diagram.radius - 8.0, y + 4.0, name, "end")
        elif name:
            yield _text("symbol", place.x + diagram.radius + 8.0, y + 4.0, name, "start")
    if place.gap is not None and stage.units is not None:
        for k in (-1, 0, 1):
            y = place.gap - 4 + 6 * k
            yield f'<circle class="dot" cx="{_n(place.x)}" cy="{_n(y)}" r="1.7"/>'
        left_out = stage.units - len(place.rows)
        yield _text("note", place.x, place.gap + 17.0, f"{left_out:,} more")
    yield from _foot(place, diagram)


def _head(place: Place) -> Iterator[str]:
    name, activation = headline(place.stage)
    yield _text("name", place.x, MARGIN + 8.0, name)
    if activation:
        yield _text("function", place.x, MARGIN + 23.0, activation)


def _foot(place: Place, diagram: Diagram) -> Iterator[str]:
    stage = place.stage
    y = diagram.top + diagram.height + 28.0
    if stage.units is None:
        return
    what = "input" if stage.is_input else "unit"
    yield _text("note", place.x, y, f"{stage.units:,} {what}{'s' * (stage.units != 1)}")
    if stage.weights is not None:
        count = stage.weights.size + (0 if stage.biases is None else stage.biases.size)
        yield _text("note", place.x, y + 13.0, f"{count:,} param{'s' * (count != 1)}")


def _bar(place: Place, diagram: Diagram) -> Iterator[str]:
    """Write another layer as an upright box, as tall as what passes it."""
    stage = place.stage
    label = stage.kind
    need = text_width(label, 11.0, bold=True) + 20.0
    ys = list(place.rows.values())
    top, bottom = min(ys) - diagram.radius - 6.0, max(ys) + diagram.radius + 6.0
    spare = max(need - (bottom - top), 0.0) / 2
    top, bottom = top - spare, bottom + spare
    is_cut = stage.kind.startswith("⋯")
    shape = "" if stage.units is None else f": {stage.units:,} numbers"
    title = label if is_cut else f"{stage.path or 'the network'} · {label}{shape}"
    if stage.values is not None:
        title += f", {numbers([stage.values])}"
    yield f'<g class="box{" cut" if is_cut else ""}"><title>{escape(title)}</title>'
    yield (
        f'<rect x="{_n(place.x - BAR / 2)}" y="{_n(top)}" width="{_n(BAR)}" '
        f'height="{_n(bottom - top)}" rx="6"/>'
    )
    y = (top + bottom) / 2
    yield (
        f'<text class="label" x="{_n(place.x)}" y="{_n(y)}" dy="3.8" text-anchor="middle" '
        f'transform="rotate(-90 {_n(place.x)} {_n(y)})">{escape(label)}</text>'
    )
    yield "</g>"


def _legend(y: float, scale: float, with_values: bool) -> Iterator[str]:
    x = MARGIN
    for sign in ("negative", "positive"):
        if with_values:
            disc = f'cx="{_n(x + 6)}" cy="{_n(y)}" r="6" fill-opacity="0.72"'
            yield f'<circle class="{sign} shade" {disc}/>'
            x += 17.0
        yield (
            f'<path class="edge {sign}" d="M{_n(x)} {_n(y)}h22" '
            'style="stroke-width:3;stroke-opacity:.85"/>'
        )
        yield _text("note", x + 28.0, y + 3.5, sign, "start")
        x += 34.0 + text_width(sign, 10.0)
    yield _text("note", x, y + 3.5, f"|w| ≤ {number(scale, 3)}", "start")


# ----------------------------------------------------------------------------------- the contents


def _told(stage: Stage, unit: int) -> str:
    """Return what a unit's title tells."""
    if stage.is_input:
        value = "" if stage.values is None else f" = {number(stage.values[unit])}"
        return f"input {unit + 1}{value}"
    parts = [f"layer {stage.layer}, unit {unit + 1} ({stage.path or stage.kind})"]
    function = stage.activation or "identity"
    if stage.values is not None:
        z = stage.values[unit] if stage.sums is None else stage.sums[unit]
        parts.append(f"z = {number(z)}")
        parts.append(f"a = {function}(z) = {number(stage.values[unit])}")
    elif stage.activation:
        parts.append(f"a = {function}(z)")
    if stage.biases is not None:
        parts.append(f"b = {number(stage.biases[unit])}")
    return "\n".join(parts)


def _bundle(stage: Stage, unit: int) -> str:
    """Return the weights into a unit."""
    assert stage.weights is not None
    row = stage.weights[unit]
    if row.size <= 16:
        listed = ", ".join(number(w) for w in row)
        return f"weights of unit {unit + 1}: {listed}"
    return f"{row.size:,} weights of unit {unit + 1}: {numbers([row])}"


def _outer_name(stage: Stage, unit: int, is_last: bool) -> str:
    index = "" if stage.units in (1, None) else str(unit + 1).translate(_LOWERED)
    return f"x{index}" if stage.is_input else f"ŷ{index}" * is_last


_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _largest(arrays: Sequence[Array | None]) -> float:
    """Return the largest finite size of an element, 1 if there is none but 0."""
    sizes = [np.abs(a[np.isfinite(a)]) for a in arrays if a is not None]
    return max((float(s.max()) for s in sizes if s.size), default=0.0) or 1.0


def _size(x: float) -> float:
    return 0.0 if math.isnan(x) else abs(float(x))


def _sign(x: float) -> str:
    return "positive" if x > 0 else "negative" if x < 0 else "zero" if x == 0 else "nan"


def _short(x: float) -> str:
    """Return a number that fits into a circle."""
    if math.isfinite(x) and 0.005 <= abs(x) < 99.95:
        text = f"{x:.2f}" if abs(x) < 9.995 else f"{x:.1f}"
        return text.replace("-", "−")
    return number(x, 1 if abs(x) < 0.005 else 3)


def _text(kind: str, x: float, y: float, words: str, anchor: str = "middle") -> str:
    return (
        f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _style() -> str:
    rules = [
        f"text{{font:10px {SANS}}}",
        ".edge{fill:none;stroke-linecap:round}",
        ".wire{stroke-width:1.1}",
        ".rim{stroke-width:1.3}",
        ".name{font-size:12px;font-weight:600}",
        ".function{font-size:11px;font-weight:600}",
        ".symbol{font-size:12px;font-style:italic}",
        ".number{font-size:10px}",
        ".bias{font-size:8.5px}",
        f".bias,.note{{{HALO}}}",
        ".label{font-size:11px;font-weight:600}",
        ".cut rect{stroke-dasharray:3 3}",
    ]
    return style(rules, _colours(LIGHT, SIGNS_LIGHT), _colours(DARK, SIGNS_DARK))


def _colours(theme: Theme, signs: Signs) -> list[str]:
    box = theme.cards["layer"]
    rules = [
        f".sheet{{fill:{theme.sheet}}}",
        f".rim{{fill:{theme.sheet};stroke:{box.line}}}",
        f".given .rim{{stroke:{theme.cards['input'].line}}}",
        f".name{{fill:{box.title}}}",
        f".function{{fill:{theme.cards['function'].title}}}",
        f".symbol{{fill:{theme.text}}}",
        f".number{{fill:{theme.text}}}",
        f".note{{fill:{theme.muted}}}",
        f".bias,.note{{stroke:{theme.sheet}}}",
        f".dot{{fill:{theme.muted}}}",
        f".edge.zero,.edge.nan,.wire{{stroke:{theme.edge}}}",
        f".bias.zero,.bias.nan{{fill:{theme.muted}}}",
        f".box rect{{fill:{theme.frames[0]};stroke:{box.line}}}",
        f".label{{fill:{box.title}}}",
        f".shade.zero,.shade.nan{{fill:{theme.edge}}}",
    ]
    for sign, colour in signs._asdict().items():
        rules.append(f".edge.{sign}{{stroke:{colour}}}")
        rules.append(f".shade.{sign},.bias.{sign}{{fill:{colour}}}")
    return rules


def _rim(x: float, y: float, u: float, v: float, radius: float) -> tuple[float, float]:
    """Return where the line from the middle (x, y) of a circle to (u, v) leaves the circle."""
    length = math.hypot(u - x, v - y) or 1.0
    return x + (u - x) * radius / length, y + (v - y) * radius / length
