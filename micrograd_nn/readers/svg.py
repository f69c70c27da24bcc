"""Writing SVG: a laid-out scene as the text of an image that needs nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from micrograd_nn.readers.cardbox import SMALL, miniature_box, words
from micrograd_nn.readers.fonts import shortened, text_width
from micrograd_nn.readers.gradient_scale import STEPS
from micrograd_nn.readers.layout import Box, Layout
from micrograd_nn.readers.miniature import Mark
from micrograd_nn.readers.numbers import number
from micrograd_nn.readers.scene import Scene, Wire
from micrograd_nn.readers.stylesheet import style_sheet
from micrograd_nn.readers.svgtext import ID, document, escape
from micrograd_nn.readers.svgtext import coordinate as _n
from micrograd_nn.readers.wording import Wording

_MARGIN = 16.0
#: Where more edges than these arrive at one card, they have no heads.
_CROWD = 8
#: The radius of an operating point.
_DOT = 2.2
#: The size of the legend of colours.
_LEGEND_WIDTH, _LEGEND_HEIGHT = 320.0, 36.0


def write_svg(scene: Scene, placed: Layout) -> str:
    """Return the SVG text of a scene that has been laid out.

    Every card is a ``<g class="card">`` with one ``<title>``, every edge a
    ``<path class="edge">``. Ids, and the selectors of the style, begin with a hash of the
    contents, so that several pictures get along on one page. Colours follow the reader's
    preference for light or dark. There is no script and no foreignObject.
    """
    body = [
        f'<defs><marker id="{ID}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" '
        'markerHeight="6.5" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="head" d="M0 0.8L8 4L0 7.2L1.8 4z"/></marker></defs>',
        f'<g transform="translate({_n(_MARGIN)} {_n(_MARGIN)})">',
        *_frames(scene, placed),
        *_edges(scene, placed),
        *_labels(scene, placed),
        *_cards(scene, placed),
        *_legend(scene, placed),
        "</g>",
    ]
    label = f"Computation graph of {scene.nodes:,} nodes, drawn as {len(scene.cards):,} cards"
    width, height = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    if scene.scale is not None:
        width, height = max(width, _LEGEND_WIDTH + 2 * _MARGIN), height + _LEGEND_HEIGHT
    return document(width, height, label, style_sheet(), body)


def _frames(scene: Scene, placed: Layout) -> Iterator[str]:
    depth: list[int] = []
    for frame, box in zip(scene.frames, placed.groups, strict=True):
        depth.append(depth[frame.parent] + 1 if frame.parent >= 0 else 0)
        yield f'<g class="group level{depth[-1] % 3}">{_rect(box, 9)}</g>'


def _labels(scene: Scene, placed: Layout) -> Iterator[str]:
    """Write the names of the boxes, on the side where fewer edges come in."""
    for frame, box in zip(scene.frames, placed.groups, strict=True):
        at_end = placed.direction == "TB"
        x = box.x + box.width - 12 if at_end else box.x + 12
        anchor = ' text-anchor="end"' if at_end else ""
        yield (
            f'<text class="name" x="{_n(x)}" y="{_n(box.y + 17)}"{anchor}>'
            f"{escape(shortened(frame.label, 60))}</text>"
        )


def _edges(scene: Scene, placed: Layout) -> Iterator[str]:
    dense = len(scene.wires) > 150
    ends = {(wire.target, path[-1]) for wire, path in zip(scene.wires, placed.paths, strict=True)}
    arriving = Counter(target for target, _ in ends)
    yield f'<g class="edges{" dense" if dense else ""}">'
    for wire, path in zip(scene.wires, placed.paths, strict=True):
        width = f' style="stroke-width:{_n(_thickness(wire))}"' if wire.count > 1 else ""
        crowded = arriving[wire.target] > _CROWD
        head = "" if crowded else f' marker-end="url(#{ID}-head)"'
        yield f'<path class="edge" d="{smooth(path, placed.direction)}"{width}{head}/>'
    for wire, path in zip(scene.wires, placed.paths, strict=True):
        if wire.label:
            x, y = path[-1]
            right = placed.direction == "TB" and wire.slot > 0
            anchor = "start" if right else "end"
            beside = (-9, -4) if placed.direction == "LR" else (4 if right else -4, -9)
            x, y = x + beside[0], y + beside[1]
            yield (
                f'<text class="count" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">'
                f"{escape(wire.label)}</text>"
            )
    yield "</g>"


def _cards(scene: Scene, placed: Layout) -> Iterator[str]:
    for i, (card, box) in enumerate(zip(scene.cards, placed.cards, strict=True)):
        root = " root" if i == scene.root else ""
        yield f'<g class="card {card.kind}{root}{_step(scene, card)}" id="{ID}-{i}">'
        yield f"<title>{escape(card.tooltip)}</title>"
        if card.is_stack:
            yield _rect(Box(box.x + 3, box.y + 3, box.width, box.height), 6)
        yield _rect(box, 11 if card.kind == "constant" else 6)
        for word in words(card, box.width, box.height):
            anchor = "" if word.anchor == "start" else f' text-anchor="{word.anchor}"'
            yield (
                f'<text class="{word.style}" x="{_n(box.x + word.x)}" y="{_n(box.y + word.y)}"'
                f"{anchor}>{escape(word.text)}</text>"
            )
        if card.miniature is not None:
            inner = miniature_box(card, box.width, box.height)
            place = Box(box.x + inner.x, box.y + inner.y, inner.width, inner.height)
            for mark in card.miniature.marks:
                yield f'<path class="{mark.style}" d="{_drawn(mark, place)}"/>'
        yield "</g>"


def _step(scene: Scene, card: Wording) -> str:
    if scene.scale is None:
        return ""
    if card.strength is None or math.isnan(card.strength):
        return " unreached"
    return f" step{scene.scale.step(card.strength)}"


def _legend(scene: Scene, placed: Layout) -> Iterator[str]:
    """Write the scale of the gradients below the picture."""
    if scene.scale is None:
        return
    y = placed.height + _LEGEND_HEIGHT - 10.0
    x = text_width("|grad|", SMALL) + 8.0
    low, high = number(scene.scale.low, 3), number(scene.scale.high, 3)
    yield '<g class="legend">'
    yield f'<text class="label" x="0" y="{_n(y)}">|grad|</text>'
    yield f'<text class="value" x="{_n(x)}" y="{_n(y)}">{low}</text>'
    x += text_width(low, SMALL, mono=True) + 7.0
    for k in range(STEPS):
        yield f'<g class="step{k}">{_rect(Box(x, y - 10.0, 18.0, 13.0), 2)}</g>'
        x += 18.0
    yield f'<text class="value" x="{_n(x + 7)}" y="{_n(y)}">{high}</text>'
    yield "</g>"


def _drawn(mark: Mark, place: Box) -> str:
    """Return a mark of a small drawing as the outline of a path."""
    parts: list[str] = []
    pen = "M"
    for point in mark.points:
        if point[0] != point[0]:
            pen = "M"
            continue
        x, y = _n(place.x + point[0] * place.width), _n(place.y + point[1] * place.height)
        if mark.shape == "line":
            parts.append(f"{pen}{x} {y}")
            pen = "L"
        elif mark.shape == "dots":
            r, d = _n(_DOT), _n(2 * _DOT)
            parts.append(f"M{x} {y}m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0")
        else:
            wide, high = _n(point[2] * place.width), _n(point[3] * place.height)
            parts.append(f"M{x} {y}h{wide}v{high}h-{wide}z")
    return "".join(parts)


def smooth(path: Sequence[tuple[float, float]], direction: str = "LR") -> str:
    """Return a line of points as a smooth SVG path that runs along the flow at each point.

    Examples
    --------
    >>> smooth([(0, 0), (40, 20), (60, 20)])
    'M0 0C20 0 20 20 40 20L60 20'
    """
    across = direction == "LR"
    parts = [f"M{_n(path[0][0])} {_n(path[0][1])}"]
    for (x, y), (u, v) in pairwise(path):
        if abs(y - v if across else x - u) < 0.05:
            parts.append(f"L{_n(u)} {_n(v)}")
        elif across:
            m = _n((x + u) / 2)
            parts.append(f"C{m} {_n(y)} {m} {_n(v)} {_n(u)} {_n(v)}")
        else:
            m = _n((y + v) / 2)
            parts.append(f"C{_n(x)} {m} {_n(u)} {m} {_n(u)} {_n(v)}")
    return "".join(parts)


def _thickness(wire: Wire) -> float:
    return min(1.2 + 0.1 * math.log2(wire.count), 2.4)


def _rect(box: Box, radius: float) -> str:
    return (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{radius}"/>'
    )
