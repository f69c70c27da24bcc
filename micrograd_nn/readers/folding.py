"""Fewer cards: alike ones share a card, chains of additions too, and the farthest are left out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from heapq import heapify, heappop, heappush

from micrograd_nn.readers.layout.ranks import topological
from micrograd_nn.readers.view import Card, View


def fold(view: View) -> View:
    """Let cards share one where they are computed alike and used alike, as for 25 examples.

    Two cards are alike when they stand in one box, with the same operation on alike inputs, and
    are used by alike cards. Before that, a chain of additions becomes one card.
    """
    view = _fold_sums(view)
    kinds = _kinds(view)
    if len(set(kinds)) == len(kinds):
        return view
    first: dict[int, int] = {}
    cards: list[Card] = []
    card_of = []
    for card, kind in zip(view.cards, kinds, strict=True):
        if kind not in first:
            first[kind] = len(cards)
            cards.append(Card([], card.group, card.layer, 0, card.terms))
        merged = cards[first[kind]]
        merged.nodes += card.nodes
        merged.copies += 1
        card_of.append(first[kind])
    return view.with_cards(cards, card_of)


def cut(view: View, most: int) -> View:
    """Leave out the cards farthest from the root, so that at most ``most`` are shown in full.

    What is left out is below what is shown. In its place stands, for each set of cards that use
    it, one card that counts what is hidden there.
    """
    count = len(view.cards)
    if count <= most:
        return view
    inputs: list[list[int]] = [[] for _ in range(count)]
    users: list[list[int]] = [[] for _ in range(count)]
    for source, target, _ in sorted(view.arrows, key=lambda arrow: arrow[2]):
        inputs[target].append(source)
        users[source].append(target)
    inputs = [list(dict.fromkeys(found)) if len(found) > 1 else found for found in inputs]
    users = [list(dict.fromkeys(found)) if len(found) > 1 else found for found in users]
    waiting = [len(u) for u in users]
    nearest = [(0, i) for i in range(count) if not waiting[i]]
    heapify(nearest)
    shown: list[int] = []
    while nearest and len(shown) < most:
        distance, card = heappop(nearest)
        shown.append(card)
        for source in inputs[card]:
            waiting[source] -= 1
            if not waiting[source]:
                heappush(nearest, (distance + 1, source))
    cards = [view.cards[i] for i in sorted(shown)]
    card_of = [-1] * count
    for k, i in enumerate(sorted(shown)):
        card_of[i] = k
    stubs: dict[Hashable, int] = {}
    for i in range(count):
        used_by = frozenset(card_of[u] for u in users[i] if 0 <= card_of[u] < len(shown))
        if card_of[i] < 0 and used_by:
            group = _common_group(view, [cards[u].group for u in used_by])
            stub = stubs.setdefault(used_by, len(cards))
            if stub == len(cards):
                cards.append(Card([], group, hidden=1))
            card_of[i] = stub
    _count_hidden(view, cards, card_of, inputs)
    kept = View(view.scopes, cards)
    for (source, target, argument), number in view.arrows.items():
        s, t = card_of[source], card_of[target]
        if s >= 0 and 0 <= t < len(shown):
            kept.arrows[s, t, argument] = number
    return kept


def _count_hidden(
    view: View, cards: list[Card], card_of: list[int], inputs: list[list[int]]
) -> None:
    """Count each hidden node once, in the first stub that it is below."""
    seen = {i for i, k in enumerate(card_of) if k >= 0}
    for start, stub in enumerate(card_of):
        if stub < 0 or not cards[stub].hidden:
            continue
        stack = [start]
        while stack:
            i = stack.pop()
            cards[stub].nodes += view.cards[i].nodes
            below = [s for s in inputs[i] if s not in seen]
            seen.update(below)
            stack += below
    for card in cards:
        if card.hidden:
            card.hidden = len(card.nodes)


def _common_group(view: View, groups: list[int]) -> int:
    """Return the innermost group around all of these."""
    chains = []
    for group in groups:
        chain = []
        while group >= 0:
            chain.append(group)
            group = view.scopes.parents[group]
        chains.append(chain)
    return next((g for g in chains[0] if all(g in chain for chain in chains)), -1)


def _fold_sums(view: View) -> View:
    """Make one card of additions, each of which is used by the next only."""
    scopes = view.scopes
    adds = [
        card.layer < 0 and (op := scopes.nodes[card.nodes[0]].op) is not None and op.name == "add"
        for card in view.cards
    ]
    uses = [0] * len(view.cards)
    user = [-1] * len(view.cards)
    for (source, target, _), count in view.arrows.items():
        if adds[source]:
            uses[source] += count
            user[source] = target
    head = list(range(len(view.cards)))
    links: dict[int, int] = {}
    for i in reversed(range(len(view.cards))):  # a node's users have cards after its own
        if uses[i] == 1 and adds[user[i]] and view.cards[user[i]].group == view.cards[i].group:
            head[i] = head[user[i]]
            links[head[i]] = links.get(head[i], 0) + 1
    if not links:
        return view
    cards: list[Card] = []
    number: dict[int, int] = {}
    for i, card in enumerate(view.cards):
        if head[i] == i:
            number[i] = len(cards)
            terms = links[i] + 2 if i in links else 0
            cards.append(Card([], card.group, card.layer, 1, terms))
    card_of = [number[h] for h in head]
    for i, card in enumerate(view.cards):
        cards[card_of[i]].nodes += card.nodes
    return view.with_cards(cards, card_of)


def _kinds(view: View) -> list[int]:
    """Number the cards so that alike ones have the same number."""
    count = len(view.cards)
    # An end of an arrow is one whole number: the card and the argument. Many small tuples would
    # keep the garbage collector busy.
    width = 1 + max((argument for _, _, argument in view.arrows), default=0)
    inputs: list[list[int]] = [[] for _ in range(count)]
    users: list[list[int]] = [[] for _ in range(count)]
    for source, target, argument in view.arrows:
        inputs[target].append(source * width + argument)
        users[source].append(target * width + argument)
    order: Sequence[int] = range(count)
    if any(source > target for source, target, _ in view.arrows):  # a layer's card came too early
        order = topological(count, [(s, t) for s, t, _ in view.arrows])
    alone = [_alone(view, card) for card in view.cards]
    numbers: dict[Hashable, int] = {}

    def renumbered(ends: list[int], number: list[int]) -> Hashable:
        found = {number[end // width] * width + end % width for end in ends}
        return found.pop() if len(found) == 1 else frozenset(found)

    made = [0] * count
    for i in order:
        made[i] = numbers.setdefault((alone[i], renumbered(inputs[i], made)), len(numbers))
    used = [0] * count
    for i in reversed(order):
        used[i] = numbers.setdefault((made[i], renumbered(users[i], used)), len(numbers))
    return used


def _alone(view: View, card: Card) -> Hashable:
    """Return what a card is, apart from its neighbours."""
    node = view.scopes.nodes[card.nodes[-1]]
    if card.layer >= 0:
        name = view.scopes.names[card.layer].rstrip("0123456789")
        return card.group, name, len(card.nodes)
    op = node.op.name if node.op else ""
    trained = node.requires_grad
    return card.group, op, trained, getattr(node, "shape", ()), card.terms
