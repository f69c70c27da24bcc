"""Boxes in boxes: each group is laid out on its own, and is then one item of the one around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from micrograd_nn.readers.layout.bundles import Edge, Group, bundles
from micrograd_nn.readers.layout.layered import Item, Layers, Leg, Point, arrange, tidy


@dataclass(frozen=True)
class Box:
    """A rectangle: the upper left corner and the size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """A finished layout: a box for each card and each group, a line of points for each edge.

    An edge runs smoothly from point to point, along the flow wherever it passes one.
    """

    cards: list[Box]
    groups: list[Box]
    paths: list[list[Point]]
    width: float
    height: float
    direction: str


#: Inside a group: the space around its contents, and above that for its label.
PADDING, HEADER = 14.0, 20.0
_CARD_GAP, _GROUP_GAP, _PORT_GAP = 12.0, 18.0, 5.0

#: An end of a leg inside a group: a card or box ("at", entity, −1), or where the edges of a source
#: card cross a border, that of the group itself ("in" or "out", −1, source) or that of a box in it
#: ("in" or "out", group, source). The sources of a bundle count as one, the first.
_End = tuple[str, int, int]
#: A leg: its two ends, the slot at its target, and the room that it needs there.
_Key = tuple[_End, _End, float, float]


def layout(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    groups: Sequence[Group] = (),
    group_of: Sequence[int] | None = None,
    direction: str = "LR",
) -> Layout:
    """Place cards of given sizes in layers, groups as boxes around them, edges between.

    Parameters
    ----------
    sizes : sequence of (width, height)
        The cards.
    edges : sequence of Edge
        They must not run in a circle, neither between cards nor between the boxes of one group.
    groups : sequence of Group
        Each stands after the group around it.
    group_of : sequence of int, optional
        The innermost group of each card, −1 for none.
    direction : "LR" or "TB"
        Whether edges run from left to right or from top to bottom.

    Returns
    -------
    Layout
        The same for the same arguments, always.

    Examples
    --------
    >>> drawing = layout([(80, 40), (80, 40)], [Edge(0, 1)])
    >>> [(box.x, box.y) for box in drawing.cards]
    [(0.0, 0.0), (114.0, 0.0)]
    """
    group_of = [-1] * len(sizes) if group_of is None else group_of
    frames = _Frames(sizes, edges, groups, group_of, direction)
    for g in reversed(range(-1, len(groups))):
        frames.arrange(g)
    return frames.placed()


@dataclass
class _Frame:
    """One group while it is laid out: its contents, and the legs of edges that run in it.

    All positions are (along, across) the flow, from the corner of the group.
    """

    children: list[int] = field(default_factory=list)
    legs: dict[_Key, list[Point]] = field(default_factory=dict)
    index: dict[_End, int] = field(default_factory=dict)
    corners: list[Point] = field(default_factory=list)
    ports: dict[tuple[str, int], float] = field(default_factory=dict)
    along: float = 0.0
    across: float = 0.0


class _Frames:
    """The root, −1, and all groups.

    Cards are the entities 0 ... n − 1, and groups those from n on.
    """

    def __init__(
        self,
        sizes: Sequence[tuple[float, float]],
        edges: Sequence[Edge],
        groups: Sequence[Group],
        group_of: Sequence[int],
        direction: str,
    ) -> None:
        self.direction = direction
        self.is_sideways = direction == "LR"
        self.sizes = [(w, h) if self.is_sideways else (h, w) for w, h in sizes]
        self.groups = groups
        self.n = len(sizes)
        self.parent = [*group_of, *(group.parent for group in groups)]
        self.frames = {g: _Frame() for g in range(-1, len(groups))}
        for entity, g in enumerate(self.parent):
            self.frames[g].children.append(entity)
        self.depth = {-1: 0}
        for g, group in enumerate(groups):
            self.depth[g] = self.depth[group.parent] + 1
        self.bundle, self.slot = bundles(edges, groups, group_of)
        self.legs_of = [self._legs(edge) for edge in edges]

    def _legs(self, edge: Edge) -> list[tuple[int, _Key]]:
        """Cut an edge at the borders of the groups that it leaves and enters."""
        a, b = edge.source, edge.target
        left, entered = self.parent[a], self.parent[b]
        outwards: list[tuple[int, _Key]] = []
        inwards: list[tuple[int, _Key]] = []
        while left != entered:
            if self.depth[left] >= self.depth[entered]:
                border = ("out", -1, edge.source)
                outwards.append((left, (self._end(a, "out", edge), border, 0.0, 0.0)))
                a, left = self.n + left, self.groups[left].parent
            else:
                border = ("in", -1, self.bundle.get((entered, edge.source), edge.source))
                inwards.append((entered, self._key(border, b, edge)))
                b, entered = self.n + entered, self.groups[entered].parent
        middle = (left, self._key(self._end(a, "out", edge), b, edge))
        legs = [*outwards, middle, *reversed(inwards)]
        for g, key in legs:
            self.frames[g].legs[key] = []
        return legs

    def _key(self, start: _End, target: int, edge: Edge) -> _Key:
        if target < self.n:
            first = self.bundle.get((self.parent[target], edge.source), -1)
            slot = self.slot.get((target, first), edge.slot)
            return start, ("at", target, -1), slot, edge.room
        return start, self._end(target, "in", edge), 0.0, 0.0

    def _end(self, entity: int, side: str, edge: Edge) -> _End:
        if entity < self.n:
            return ("at", entity, -1)
        g, source = entity - self.n, edge.source
        return (side, g, self.bundle.get((g, source), source) if side == "in" else source)

    def arrange(self, g: int) -> None:
        """Lay out one group, those inside it being done."""
        frame = self.frames[g]
        items: list[Item] = []
        offset: dict[_End, float] = {}
        for entity in frame.children:
            frame.index["at", entity, -1] = len(items)
            if entity < self.n:
                items.append(Item(*self.sizes[entity], _CARD_GAP))
                continue
            inner = self.frames[entity - self.n]
            for (side, source), at in inner.ports.items():
                end = (side, entity - self.n, source)
                frame.index[end], offset[end] = len(items), at
            items.append(Item(inner.along, inner.across, _GROUP_GAP, is_box=True))
        borders: dict[str, list[int]] = {"in": [], "out": []}
        for end in (end for key in frame.legs for end in key[:2]):
            if end[0] != "at" and end[1] == -1 and end not in frame.index:
                frame.index[end] = len(items)
                borders[end[0]].append(len(items))
                items.append(Item(0.0, 2.0, _PORT_GAP))
        legs = []
        for start, end, slot, room in frame.legs:
            source, target = frame.index[start], frame.index[end]
            arrive = slot * items[target].across if end[0] == "at" else offset.get(end, 0.0)
            legs.append(Leg(source, target, offset.get(start, 0.0), arrive, room))
        inside = arrange(items, legs, borders["in"], borders["out"])
        before, above = self._enclose(g, frame, inside)
        for (x, y), item in zip(inside.centres, items, strict=True):
            frame.corners.append((before + x - item.along / 2, above + y - item.across / 2))
        for end, i in frame.index.items():
            if end[0] != "at" and end[1] == -1:
                at = above + inside.centres[i][1] - frame.across / 2
                frame.ports[end[0], end[-1]] = at
        for key, route in zip(frame.legs, inside.routes, strict=True):
            line = [(before + x, above + y) for x, y in route]
            if key[0][0] == "in" and key[0][1] == -1:  # drawn out to the border
                line.insert(0, (0.0, line[0][1]))
            if key[1][0] == "out" and key[1][1] == -1:
                line.append((frame.along, line[-1][1]))
            frame.legs[key] = line

    def _enclose(self, g: int, frame: _Frame, inside: Layers) -> Point:
        """Set the size of a group, and return where its contents begin."""
        frame.along, frame.across = inside.along, inside.across
        if g < 0:
            return 0.0, 0.0
        before = PADDING + (0.0 if self.is_sideways else HEADER)
        above = PADDING + (HEADER if self.is_sideways else 0.0)
        frame.along += before + PADDING
        frame.across += above + PADDING
        width = self.groups[g].label_width + 2 * PADDING
        if self.is_sideways and frame.along < width:
            before += (width - frame.along) / 2
            frame.along = width
        elif not self.is_sideways and frame.across < width:
            above += (width - frame.across) / 2
            frame.across = width
        return before, above

    def placed(self) -> Layout:
        """Return where everything is, from the outermost group inwards."""
        origin: dict[int, Point] = {-1: (0.0, 0.0)}
        boxes = [Box(0.0, 0.0, 0.0, 0.0)] * len(self.parent)
        for g in range(-1, len(self.groups)):
            frame, (x, y) = self.frames[g], origin[g]
            for entity, corner in zip(frame.children, frame.corners, strict=False):
                at = (x + corner[0], y + corner[1])
                if entity < self.n:
                    size = self.sizes[entity]
                else:
                    origin[entity - self.n] = at
                    inner = self.frames[entity - self.n]
                    size = (inner.along, inner.across)
                boxes[entity] = self._box(at, size)
        paths = []
        for legs in self.legs_of:
            points = []
            for g, key in legs:
                x, y = origin[g]
                points += [(px + x, py + y) for px, py in self.frames[g].legs[key]]
            paths.append([p if self.is_sideways else (p[1], p[0]) for p in tidy(points)])
        whole = self._box((0.0, 0.0), (self.frames[-1].along, self.frames[-1].across))
        return Layout(
            boxes[: self.n], boxes[self.n :], paths, whole.width, whole.height, self.direction
        )

    def _box(self, at: Point, size: Point) -> Box:
        return Box(*at, *size) if self.is_sideways else Box(at[1], at[0], size[1], size[0])
