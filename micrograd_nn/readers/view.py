"""What a picture shows: which nodes share a card, and which cards are joined by an edge."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from micrograd_nn.readers.scopes import Scopes

#: An edge between cards: source, target, and the place among the target's arguments.
Arrow = tuple[int, int, int]


@dataclass
class Card:
    """One card and what it stands for.

    Attributes
    ----------
    nodes : list of int
        The numbers of its nodes, inputs first.
    group : int
        The box around it, −1 for none.
    layer : int
        The group that is collapsed into it, −1 for none.
    copies : int
        How many alike cards it stands for.
    terms : int
        How many terms it has, where a chain of additions is one card.
    hidden : int
        How many nodes it stands for that there is no room for.
    """

    nodes: list[int]
    group: int = -1
    layer: int = -1
    copies: int = 1
    terms: int = 0
    hidden: int = 0


@dataclass
class View:
    """Cards, the arrows between them, and the groups that are shown as boxes around them."""

    scopes: Scopes
    cards: list[Card]
    arrows: dict[Arrow, int] = field(default_factory=dict)

    def with_cards(self, cards: list[Card], card_of: Sequence[int]) -> View:
        """Return a view in which card i has become card ``card_of[i]``."""
        arrows: dict[Arrow, int] = {}
        for (source, target, argument), count in self.arrows.items():
            s, t = card_of[source], card_of[target]
            if s != t:
                a = argument if cards[t].layer < 0 and not cards[t].terms else 0
                arrows[s, t, a] = arrows.get((s, t, a), 0) + count
        return replace(self, cards=cards, arrows=arrows)


def collapsible(scopes: Scopes, collapse: str | Callable[[str], bool] | None) -> frozenset[int]:
    """Return the groups that are to be drawn as one card each.

    Parameters
    ----------
    scopes : Scopes
    collapse : str, callable or None
        ``"neurons"``: each group that has no group in it. ``"layers"``: each group that has
        nothing but neurons in it. ``"models"``: each outermost group. None: no group. A callable
        is asked by the dotted name of each group.
    """
    if callable(collapse):
        return frozenset(g for g in range(len(scopes.names)) if collapse(scopes.path(g)))
    groups = range(len(scopes.names))
    parts: list[list[int]] = [[] for _ in groups]
    for g in groups:
        if scopes.parents[g] >= 0:
            parts[scopes.parents[g]].append(g)
    if collapse is None:
        return frozenset()
    if collapse == "models":
        return frozenset(g for g in groups if scopes.parents[g] < 0)
    innermost = frozenset(g for g in groups if not parts[g])
    if collapse == "neurons":
        return innermost
    neurons = {g for g in innermost if scopes.names[g].startswith("neurons.")}
    layers = (g for g in groups if parts[g] and neurons.issuperset(parts[g]))
    return innermost.union(layers)


def view(scopes: Scopes, collapsed: Collection[int], hidden: Collection[int] = ()) -> View:
    """Return the cards and arrows when these groups are drawn as one card each.

    The nodes in ``hidden`` have no card of their own.
    """
    shown_as = _shown_as(scopes, collapsed)
    cards: list[Card] = []
    card_of: list[int] = []
    card_of_layer: dict[int, int] = {}
    for n, group in enumerate(scopes.group_of):
        layer = shown_as[group] if group >= 0 else -1
        if layer < 0 and n in hidden:
            card_of.append(-1)
            continue
        if layer < 0:
            card_of.append(len(cards))
            cards.append(Card([n], group))
            continue
        if layer not in card_of_layer:
            card_of_layer[layer] = len(cards)
            cards.append(Card([], scopes.parents[layer], layer))
        card_of.append(card_of_layer[layer])
        cards[card_of[n]].nodes.append(n)
    arrows: dict[Arrow, int] = {}
    for n, inputs in enumerate(scopes.inputs):
        target = card_of[n]
        whole = cards[target].layer >= 0
        for argument, i in enumerate(inputs):
            if card_of[i] != target and card_of[i] >= 0:
                arrow = (card_of[i], target, 0 if whole else argument)
                arrows[arrow] = arrows.get(arrow, 0) + 1
    return View(scopes, cards, arrows)


def size(scopes: Scopes, collapsed: Collection[int], hidden: Collection[int] = ()) -> int:
    """Return the number of cards that ``view`` would have."""
    shown_as = _shown_as(scopes, collapsed)
    homes = [shown_as[g] if g >= 0 else -1 for g in scopes.group_of]
    unseen = sum(homes[n] < 0 for n in hidden)
    return homes.count(-1) - unseen + len({home for home in homes if home >= 0})


def _shown_as(scopes: Scopes, collapsed: Collection[int]) -> list[int]:
    """Return the outermost collapsed group that each group is in, or −1."""
    shown_as: list[int] = []
    for g, parent in enumerate(scopes.parents):
        above = shown_as[parent] if parent >= 0 else -1
        shown_as.append(above if above >= 0 else g if g in collapsed else -1)
    return shown_as
