import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_nn.readers.layout import Edge, Group, layout
from micrograd_nn.readers.layout.bundles import bundles
from micrograd_nn.readers.layout.coordinates import isotonic
from micrograd_nn.readers.layout.ordering import crossings
from micrograd_nn.readers.layout.ranks import late_ranks, shorten, topological


@st.composite
def drawings(draw):
    """Random acyclic graphs of cards, whose groups are intervals, so that boxes are acyclic too."""
    count = draw(st.integers(1, 16))
    sizes = [
        (draw(st.sampled_from([16.0, 60.0, 90.0])), draw(st.sampled_from([20.0, 52.0])))
        for _ in range(count)
    ]
    edges = []
    for target in range(1, count):
        sources = draw(st.lists(st.integers(0, target - 1), max_size=3))
        for k, source in enumerate(sources):
            edges.append(Edge(source, target, (k + 0.5) / len(sources) - 0.5, 10.0 * (k == 1)))
    groups = []
    group_of = [-1] * count

    def interval(low, high, parent, depth):
        if depth == 3 or high - low < 1:
            return
        a = draw(st.integers(low, high))
        b = draw(st.integers(a, high))
        if a < b:
            groups.append(Group(parent, draw(st.sampled_from([10.0, 300.0]))))
            number = len(groups) - 1
            for card in range(a, b):
                group_of[card] = number
            interval(a, b, number, depth + 1)
            interval(b, high, parent, depth + 1)

    interval(0, count, -1, 0)
    return sizes, edges, groups, group_of, draw(st.sampled_from(["LR", "TB"]))


def overlap(a, b, slack=0.01):
    return (
        min(a.x + a.width, b.x + b.width) - max(a.x, b.x) > slack
        and min(a.y + a.height, b.y + b.height) - max(a.y, b.y) > slack
    )


def inside(a, b, slack=0.01):
    return (
        a.x >= b.x - slack
        and a.y >= b.y - slack
        and a.x + a.width <= b.x + b.width + slack
        and a.y + a.height <= b.y + b.height + slack
    )


def ancestors(group, groups):
    while group >= 0:
        yield group
        group = groups[group].parent


@settings(deadline=None, max_examples=150)
@given(drawings())
def test_cards_and_boxes_are_nested_and_apart(drawing):
    sizes, edges, groups, group_of, direction = drawing
    placed = layout(sizes, edges, groups, group_of, direction)
    for box, size in zip(placed.cards, sizes, strict=True):
        assert (box.width, box.height) == size
    for a, b in itertools.combinations(placed.cards, 2):
        assert not overlap(a, b)
    for card, box in enumerate(placed.cards):
        around = set(ancestors(group_of[card], groups))
        for g, group_box in enumerate(placed.groups):
            if g in around:
                assert inside(box, group_box)
            else:
                assert not overlap(box, group_box)
    for a, b in itertools.combinations(range(len(groups)), 2):
        if a in ancestors(b, groups):
            assert inside(placed.groups[b], placed.groups[a])
        else:
            assert not overlap(placed.groups[a], placed.groups[b])
    for box in placed.cards + placed.groups:
        assert box.x >= -0.01
        assert box.y >= -0.01
        assert box.x + box.width <= placed.width + 0.01
        assert box.y + box.height <= placed.height + 0.01


@settings(deadline=None, max_examples=150)
@given(drawings())
def test_edges_run_with_the_flow_from_card_to_card(drawing):
    sizes, edges, groups, group_of, direction = drawing
    placed = layout(sizes, edges, groups, group_of, direction)
    bundle, shared = bundles(edges, groups, group_of)
    slots = {
        (edge.source, edge.target): shared[edge.target, bundle[group_of[edge.target], edge.source]]
        for edge in edges
        if (group_of[edge.target], edge.source) in bundle
    }
    for edge, path in zip(edges, placed.paths, strict=True):
        source, target = placed.cards[edge.source], placed.cards[edge.target]
        slot = slots.get((edge.source, edge.target), edge.slot)
        if direction == "LR":
            ends = (source.x + source.width, source.y + source.height / 2)
            arrival = (target.x, target.y + (0.5 + slot) * target.height)
            flow = [x for x, _ in path]
        else:
            ends = (source.x + source.width / 2, source.y + source.height)
            arrival = (target.x + (0.5 + slot) * target.width, target.y)
            flow = [y for _, y in path]
        assert path[0] == pytest.approx(ends)
        assert path[-1] == pytest.approx(arrival)
        assert all(a <= b + 0.01 for a, b in itertools.pairwise(flow))


@settings(deadline=None, max_examples=60)
@given(drawings())
def test_edges_pass_under_no_card(drawing):
    sizes, edges, groups, group_of, _ = drawing
    placed = layout(sizes, edges, groups, group_of)
    for edge, path in zip(edges, placed.paths, strict=True):
        for (x, y), (u, v) in itertools.pairwise(path):
            for t in (0.02, 0.25, 0.5, 0.75, 0.98):
                s = 3 * t * t - 2 * t**3  # the height of the cubic
                along = x * (1 - t) ** 3 + 1.5 * (x + u) * t * (1 - t) + u * t**3
                at = y + (v - y) * s
                for k, box in enumerate(placed.cards):
                    if k not in (edge.source, edge.target):
                        assert not (
                            box.x + 0.01 < along < box.x + box.width - 0.01
                            and box.y + 0.01 < at < box.y + box.height - 0.01
                        )


@settings(deadline=None, max_examples=30)
@given(drawings())
def test_the_same_graph_is_laid_out_the_same(drawing):
    assert layout(*drawing) == layout(*drawing)


def test_ranks_are_as_late_as_possible():
    assert late_ranks(5, [(0, 4), (1, 2), (2, 3), (3, 4)]) == [2, 0, 1, 2, 3]


@settings(deadline=None)
@given(drawings())
def test_shorter_ranks_are_ranks(drawing):
    sizes, edges, *_ = drawing
    arrows = [(edge.source, edge.target) for edge in edges]
    late = late_ranks(len(sizes), arrows)
    rank = shorten(late, arrows, [1] * len(arrows))
    assert all(rank[s] < rank[t] for s, t in arrows)
    assert sum(rank[t] - rank[s] for s, t in arrows) <= sum(late[t] - late[s] for s, t in arrows)
    assert set(rank) == set(range(max(rank) + 1))


def all_to_all(width, label=0.0):
    """Two groups of cards, each of the second using each of the first."""
    edges = [
        Edge(i, width + k, (i + 0.5) / width - 0.5, label)
        for k in range(width)
        for i in range(width)
    ]
    groups = [Group(-1), Group(-1)]
    return [(60, 40)] * (2 * width), edges, groups, [0] * width + [1] * width


def test_wide_layers_share_one_way_in():
    placed = layout(*all_to_all(8))
    left = placed.groups[1].x
    ways_in = {y for path in placed.paths for x, y in path if x == left}
    assert len(ways_in) == 1
    ends = {path[-1] for path in placed.paths}
    assert len(ends) == 8  # one for each card, in the middle of its side
    assert {y for _, y in ends} == {box.y + box.height / 2 for box in placed.cards[8:]}


@pytest.mark.parametrize("drawing", [all_to_all(7), all_to_all(8, label=20.0)])
def test_few_edges_and_labelled_ones_are_not_bundled(drawing):
    ends = {path[-1] for path in layout(*drawing).paths}
    assert len(ends) == len(drawing[1])


def test_a_circle_is_refused():
    with pytest.raises(ValueError, match="circle"):
        topological(2, [(0, 1), (1, 0)])


def test_crossings_are_counted():
    downs = [[(3, 0.0, 0.0)], [(2, 0.0, 0.0)], [], []]
    assert crossings([[0, 1], [2, 3]], downs, [0, 1, 0, 1]) == 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 9)), min_size=1, max_size=12))
def test_isotonic_regression_keeps_order_and_mean(pairs):
    wishes, weights = zip(*pairs, strict=True)
    fitted = isotonic(wishes, weights)
    assert all(a <= b for a, b in itertools.pairwise(fitted))
    total = sum(w * x for w, x in zip(weights, wishes, strict=True))
    assert sum(w * x for w, x in zip(weights, fitted, strict=True)) == pytest.approx(
        total, abs=1e-9
    )


def test_edges_of_one_card_arrive_in_argument_order_without_crossing():
    placed = layout([(60, 40)] * 4, [Edge(0, 3, -0.3), Edge(1, 3, 0.0), Edge(2, 3, 0.3)])
    assert [box.y for box in placed.cards[:3]] == sorted(box.y for box in placed.cards[:3])


def test_a_chain_of_20000_cards_needs_no_recursion():
    placed = layout([(60, 40)] * 20_000, [Edge(i, i + 1) for i in range(19_999)])
    assert placed.height == pytest.approx(40, abs=0.1)


def test_groups_nested_1000_deep_need_no_recursion():
    groups = [Group(k - 1) for k in range(1000)]
    placed = layout([(60, 40), (60, 40)], [Edge(0, 1)], groups, [-1, 999])
    assert inside(placed.cards[1], placed.groups[999])
    assert inside(placed.groups[999], placed.groups[0])
