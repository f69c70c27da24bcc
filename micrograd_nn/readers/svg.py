"""Writing SVG: a laid-out scene as the text of an image that needs nothing else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from micrograd_nn.readers.cardbox import SIGN, SMALL, TITLE, card_size, words
from micrograd_nn.readers.fonts import MONO, SANS, shortened, text_width
from micrograd_nn.readers.layout import Box, Edge, Group, Layout, layout
from micrograd_nn.readers.palette import DARK, LIGHT, Theme
from micrograd_nn.readers.scene import Scene, Wire
from micrograd_nn.readers.svgtext import HALO, ID, document, escape, style
from micrograd_nn.readers.svgtext import coordinate as _n

_MARGIN = 16.0
#: Where more edges than these arrive at one card, they have no heads.
_CROWD = 8


def lay_out(scene: Scene, direction: str = "LR") -> Layout:
    """Place the cards, boxes and edges of a scene.

    Cards of one kind in one box that are nearly as wide as each other become equally wide.
    """
    sizes = [card_size(card) for card in scene.cards]
    widest: dict[tuple[int, str], float] = {}
    kinds = [(f, card.kind) for f, card in zip(scene.frame_of, scene.cards, strict=True)]
    for kind, (width, _) in zip(kinds, sizes, strict=True):
        widest[kind] = max(widest.get(kind, 0.0), width)
    return layout(
        [
            (widest[kind] if widest[kind] < 1.25 * width else width, height)
            for kind, (width, height) in zip(kinds, sizes, strict=True)
        ],
        [
            Edge(wire.source, wire.target, wire.slot, _room(wire) if direction == "LR" else 0.0)
            for wire in scene.wires
        ],
        [
            Group(f.parent, text_width(shortened(f.label, 60), SMALL + 1, bold=True))
            for f in scene.frames
        ],
        scene.frame_of,
        direction,
    )


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
        "</g>",
    ]
    label = f"Computation graph of {scene.nodes:,} nodes, drawn as {len(scene.cards):,} cards"
    width, height = placed.width + 2 * _MARGIN, placed.height + 2 * _MARGIN
    return document(width, height, label, _style(), body)


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
    arriving = Counter(wire.target for wire in scene.wires)
    yield f'<g class="edges{" dense" if dense else ""}">'
    for wire, path in zip(scene.wires, placed.paths, strict=True):
        width = f' style="stroke-width:{_n(_thickness(wire))}"' if wire.count > 1 else ""
        crowded = arriving[wire.target] > _CROWD
        head = "" if crowded else f' marker-end="url(#{ID}-head)"'
        yield f'<path class="edge" d="{smooth(path, placed.direction)}"{width}{head}/>'
    for wire, path in zip(scene.wires, placed.paths, strict=True):
        if wire.count > 1:
            (x, y) = path[-1]
            if placed.direction == "LR":
                x, y = x - 9, y - 5 if wire.slot <= 0 else y + 12
            else:
                x, y = x - 5, y - 9
            yield f'<text class="count" x="{_n(x)}" y="{_n(y)}">{_count(wire)}</text>'
    yield "</g>"


def _cards(scene: Scene, placed: Layout) -> Iterator[str]:
    for i, (card, box) in enumerate(zip(scene.cards, placed.cards, strict=True)):
        root = " root" if i == scene.root else ""
        yield f'<g class="card {card.kind}{root}" id="{ID}-{i}">'
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
        yield "</g>"


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


def _count(wire: Wire) -> str:
    return f"×{wire.count:,}" if wire.count > 1 else ""


def _room(wire: Wire) -> float:
    """Return the space that the label of an edge takes, with the head of the arrow."""
    label = _count(wire)
    return text_width(label, SMALL) + 14.0 if label else 0.0


def _thickness(wire: Wire) -> float:
    return min(1.2 + 0.1 * math.log2(wire.count), 2.4)


def _rect(box: Box, radius: float) -> str:
    return (
        f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{radius}"/>'
    )


def _style() -> str:
    rules = [
        f"text{{font:{SMALL:g}px {SANS}}}",
        f".name{{font-size:{SMALL + 1:g}px;font-weight:600}}",
        ".edge{fill:none;stroke-width:1.2}",
        ".dense .edge{stroke-width:.9;stroke-opacity:.55}",
        ".count{text-anchor:end}",
        f".name,.count{{{HALO}}}",
        f".title{{font-size:{TITLE:g}px;font-weight:600}}",
        f".sign{{font-size:{SIGN:g}px;font-weight:600}}",
        ".constant .title{font-size:11px;font-weight:400}",
        f".value,.grad{{font-family:{MONO}}}",
        ".badge{font-weight:600}",
        ".card rect{stroke-width:1}",
        ".card.root rect{stroke-width:2}",
        ".card.more rect{stroke-dasharray:3 3}",
    ]
    return style(rules, _colours(LIGHT), _colours(DARK))


def _colours(theme: Theme) -> list[str]:
    rules = [
        f".sheet{{fill:{theme.sheet}}}",
        f".group rect{{stroke:{theme.frame_line}}}",
        *(f".level{k} rect{{fill:{fill}}}" for k, fill in enumerate(theme.frames)),
        f".name{{fill:{theme.label};stroke:{theme.frames[0]}}}",
        f".edge{{stroke:{theme.edge}}}",
        f".head{{fill:{theme.edge}}}",
        f".count{{fill:{theme.muted};stroke:{theme.sheet}}}",
        f".value{{fill:{theme.text}}}",
        f".label,.op{{fill:{theme.muted}}}",
        f".grad{{fill:{theme.grad}}}",
    ]
    for kind, tint in theme.cards.items():
        rules.append(f".{kind} rect{{fill:{tint.fill};stroke:{tint.line}}}")
        rules.append(f".{kind} .title,.{kind} .sign,.{kind} .badge{{fill:{tint.title}}}")
    return rules
