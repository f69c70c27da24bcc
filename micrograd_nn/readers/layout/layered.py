"""A layered drawing of one acyclic graph: columns of items, and edges routed between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from micrograd_nn.readers.layout.coordinates import Pull, coordinates
from micrograd_nn.readers.layout.ordering import Link, order_layers
from micrograd_nn.readers.layout.ranks import late_ranks, shorten

Point = tuple[float, float]


@dataclass(frozen=True)
class Item:
    """Something to place.

    Attributes
    ----------
    along, across : float
        Its size along the flow and across it.
    gap : float
        The space it wants around itself, across the flow.
    is_box : bool
        Whether it is a box with a drawing inside, whose edges should go straight on outside; the
        edges of a card may bend, so that its centre is in line.
    """

    along: float
    across: float
    gap: float
    is_box: bool = False


@dataclass(frozen=True)
class Leg:
    """An edge, or the part of one, between two items: where it leaves and where it arrives.

    ``leave`` and ``arrive`` are offsets across the flow from the items' centres; ``room`` is the
    space before the target that it needs at the least, for what is written there.
    """

    source: int
    target: int
    leave: float = 0.0
    arrive: float = 0.0
    room: float = 0.0


@dataclass(frozen=True)
class Layers:
    """The drawing: centres of the items, a line of points for each leg, and the size of it all.

    Coordinates are (along, across) and begin at 0.
    """

    centres: list[Point]
    routes: list[list[Point]]
    along: float
    across: float


#: The least space between layers, beside a border, and how much of it a steep edge adds.
_SEPARATION, _AT_BORDER, _PER_SLOPE, _MOST = 34.0, 16.0, 0.10, 90.0
#: How much space an edge needs to bend before its label.
_BEND = 24.0
#: The width of the lane in which an edge passes a layer, and the space beside it.
_LANE, _LANE_GAP = 2.0, 7.0
#: How strongly a link is kept straight: between items, at one lane, between lanes; and the part
#: of it that the edge of a leaf has, which rather moves itself.
_STIFFNESS, _LEAF = (1.0, 2.0, 8.0), 0.02


def arrange(
    items: Sequence[Item], legs: Sequence[Leg], first: Sequence[int] = (), last: Sequence[int] = ()
) -> Layers:
    """Place the items in layers and route the legs between them.

    An edge that passes a layer gets a lane there, so that it runs under no item; edges that leave
    from the same place share their lanes until they part.

    Parameters
    ----------
    items : sequence of Item
    legs : sequence of Leg
        They must not run in a circle.
    first, last : sequence of int
        The items that make up the first and the last layer.

    Examples
    --------
    >>> drawing = arrange([Item(80, 40, 10), Item(80, 40, 10)], [Leg(0, 1)])
    >>> drawing.centres
    [(40.0, 20.0), (154.0, 20.0)]
    >>> drawing.routes
    [[(80.0, 20.0), (114.0, 20.0)]]
    """
    if not items:
        return Layers([], [], 0.0, 0.0)
    leaves = set(range(len(items))) - {leg.target for leg in legs} - {*first}
    arrows = [(leg.source, leg.target) for leg in legs]
    lengths = _lengths(items, legs, leaves)
    rank = late_ranks(len(items), arrows, lengths, first, last)
    if not first and not last:
        rank = shorten(rank, arrows, lengths)
    lanes = _Lanes(items, rank)
    paths = [lanes.through(leg) for leg in legs]
    layers = order_layers(lanes.rank, lanes.ups, lanes.downs, lanes.extent)
    centre = coordinates(layers, *_pulls(items, lanes, leaves), lanes.extent, lanes.gap)
    top = min(c - e / 2 for c, e in zip(centre, lanes.extent, strict=True))
    centre = [c - top for c in centre]
    bottom = max(c + e / 2 for c, e in zip(centre, lanes.extent, strict=True))
    least = [_SEPARATION] * len(layers)
    if first:
        least[0] = _AT_BORDER
    if last:
        least[-2:] = [_AT_BORDER, _AT_BORDER]
    for leg in legs:
        gap = rank[leg.target] - 1
        least[gap] = max(least[gap], leg.room + _BEND if leg.room else 0.0)
    spans = _spans(layers, items, _spaces(layers, lanes.downs, centre, least))
    begins = []
    for v, item in enumerate(items):
        begin, end = spans[rank[v]]
        begins.append(end - item.along if v in leaves else (begin + end - item.along) / 2)
    centres = [(begins[v] + item.along / 2, centre[v]) for v, item in enumerate(items)]
    routes = []
    for leg, path in zip(legs, paths, strict=True):
        leave, arrive = centre[leg.source] + leg.leave, centre[leg.target] + leg.arrive
        points = [(begins[leg.source] + items[leg.source].along, leave)]
        points.append((spans[rank[leg.source]][1], leave))
        for r, lane in enumerate(path, start=rank[leg.source] + 1):
            points += [(side, centre[lane]) for side in spans[r]]
        begin = spans[rank[leg.target]][0]
        points += [(begin - leg.room, arrive), (begin, arrive), (begins[leg.target], arrive)]
        routes.append(tidy(points))
    return Layers(centres, routes, spans[-1][1], bottom)


def tidy(points: Sequence[Point]) -> list[Point]:
    """Return a line without the points that repeat or lie between two others at one height.

    Examples
    --------
    >>> tidy([(0, 0), (1, 0), (1, 0), (2, 0), (3, 1)])
    [(0, 0), (2, 0), (3, 1)]
    """
    kept: list[Point] = []
    for point in points:
        if kept and abs(point[0] - kept[-1][0]) < 0.01 and abs(point[1] - kept[-1][1]) < 0.01:
            continue
        if len(kept) > 1 and kept[-2][1] == kept[-1][1] == point[1]:
            kept.pop()
        kept.append(point)
    return kept


class _Lanes:
    """The items and, as further vertices, the lanes of the edges that pass a layer."""

    def __init__(self, items: Sequence[Item], rank: Sequence[int]) -> None:
        self.rank = list(rank)
        self.extent = [item.across for item in items]
        self.gap = [item.gap for item in items]
        self.ups: list[list[Link]] = [[] for _ in items]
        self.downs: list[list[Link]] = [[] for _ in items]
        self._shared: dict[tuple[int, float, int], int] = {}

    def through(self, leg: Leg) -> list[int]:
        """Return the lanes that a leg takes, making those that aren't there."""
        path: list[int] = []
        at, leave = leg.source, leg.leave
        for r in range(self.rank[leg.source] + 1, self.rank[leg.target]):
            key = (leg.source, leg.leave, r)
            lane = self._shared.get(key)
            if lane is None:
                lane = self._shared[key] = self._add(r)
                self._link(at, lane, leave, 0.0)
            at, leave = lane, 0.0
            path.append(lane)
        self._link(at, leg.target, leave, leg.arrive)
        return path

    def _add(self, rank: int) -> int:
        self.rank.append(rank)
        self.extent.append(_LANE)
        self.gap.append(_LANE_GAP)
        self.ups.append([])
        self.downs.append([])
        return len(self.rank) - 1

    def _link(self, upper: int, lower: int, leave: float, arrive: float) -> None:
        self.downs[upper].append((lower, leave, arrive))
        self.ups[lower].append((upper, leave, arrive))


def _lengths(items: Sequence[Item], legs: Sequence[Leg], leaves: set[int]) -> list[int]:
    """Return how many layers each leg goes on: a box leaves one for the leaves beside its edge.

    Without that, a number that is added to the result of a network would stand below the network.
    """
    beside_leaves = {leg.target for leg in legs if leg.source in leaves}
    return [2 if items[leg.source].is_box and leg.target in beside_leaves else 1 for leg in legs]


def _pulls(
    items: Sequence[Item], lanes: _Lanes, leaves: set[int]
) -> tuple[list[list[Pull]], list[list[Pull]]]:
    """Return where each vertex would like to be, relative to the layers before and after."""
    count = len(items)
    uses = Counter({v: len(lanes.downs[v]) for v in leaves})
    before: list[list[Pull]] = [[] for _ in lanes.rank]
    after: list[list[Pull]] = [[] for _ in lanes.rank]
    for lower, links in enumerate(lanes.ups):
        for upper, leave, arrive in links:
            strength = _STIFFNESS[(lower >= count) + (upper >= count)]
            if uses[upper] == 1:
                strength *= _LEAF
            shift = leave - (arrive if lower < count and items[lower].is_box else 0.0)
            before[lower].append((upper, shift, strength))
            after[upper].append((lower, -shift, strength))
    return before, after


def _spaces(
    layers: Sequence[Sequence[int]],
    downs: Sequence[Sequence[Link]],
    centre: Sequence[float],
    least: Sequence[float],
) -> list[float]:
    """Return the space after each layer: more of it where edges are steep."""
    spaces = []
    for r, layer in enumerate(layers):
        steepest = 0.0
        for v in layer:
            for w, leave, arrive in downs[v]:
                steepest = max(steepest, abs(centre[w] + arrive - centre[v] - leave))
        more = _PER_SLOPE * max(0.0, steepest - 1.5 * least[r])
        spaces.append(max(least[r], min(least[r] + more, _MOST)))
    return spaces


def _spans(
    layers: Sequence[Sequence[int]], items: Sequence[Item], spaces: Sequence[float]
) -> list[tuple[float, float]]:
    """Return where each layer begins and ends along the flow."""
    spans = []
    at = 0.0
    for layer, space in zip(layers, spaces, strict=True):
        width = max((items[v].along for v in layer if v < len(items)), default=0.0)
        spans.append((at, at + width))
        at += width + space
    return spans
