"""The nodes of a graph, and the layers (and neurons) as groups in which each stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from micrograd_nn.graph.node import Node
from micrograd_nn.graph.order import toposort

Path = tuple[str, ...]


class Scopes:
    """The graph below a node, numbered, with its groups.

    Attributes
    ----------
    nodes : list of Node
        Inputs first.
    inputs : list of list of int
        The numbers of each node's inputs, in argument order.
    users : list of list of int
        The numbers of the nodes that use each node, one for each use.
    group_of : list of int
        The innermost group of each node, −1 for none.
    names, parents : list
        The name of each group, such as ``"layers.0"``, and the group around it. A group stands
        after the one around it.

    Notes
    -----
    A network that is called on its own result would have edges that lead out of a group and back
    into it. Such a group is split into its calls, so that groups depend on each other one way.

    Examples
    --------
    >>> from micrograd_nn import MLP
    >>> Scopes(MLP(2, [2, 1], seed=0)([1.0, 2.0])).names
    ['MLP', 'layers.0', 'layers.1', 'neurons.0', 'neurons.1', 'neurons.0']
    """

    def __init__(self, root: Node) -> None:
        self.nodes = toposort(root)
        number = {node: i for i, node in enumerate(self.nodes)}
        self.inputs = [[number[i] for i in node.inputs] for node in self.nodes]
        self.users: list[list[int]] = [[] for _ in self.nodes]
        for target, sources in enumerate(self.inputs):
            for source in sources:
                self.users[source].append(target)
        self.names: list[str] = []
        self.parents: list[int] = []
        self.group_of = [-1] * len(self.nodes)
        self._make_groups(self._paths())

    def path(self, group: int) -> str:
        """Return the dotted name of a group, such as ``"MLP.layers.0"``."""
        names: list[str] = []
        while group >= 0:
            names.append(self.names[group])
            group = self.parents[group]
        return ".".join(reversed(names))

    def parameters(self) -> set[int]:
        """Return the leaves that are trained, but for what layers are applied to."""
        return {
            n
            for n, node in enumerate(self.nodes)
            if self.users[n] and node.op is None and node.requires_grad and not self._is_fed_in(n)
        }

    def constants(self) -> set[int]:
        """Return the leaves without a name or gradient, but for what layers are applied to."""
        return {
            n
            for n, node in enumerate(self.nodes)
            if self.users[n]
            and node.op is None
            and not (node.requires_grad or node.name)
            and not self._is_argument_of_layer(n)
        }

    # ----------------------------------------------------------------------------- its layers

    def _paths(self) -> list[Path]:
        """Return the layers around each node, outermost first."""
        known: dict[str, Path] = {"": ()}
        paths: list[Path] = []
        for node in self.nodes:
            scope = node.scope
            if scope not in known:
                known[scope] = split(scope)
            paths.append(known[scope])
        for leaf, node in enumerate(self.nodes):
            if node.op is None and self.users[leaf] and not self._is_fed_in(leaf):
                # A penalty outside that uses a weight, too, does not take it out of its layer.
                inside = {paths[user] for user in self.users[leaf]} - {()}
                paths[leaf] = shared(inside) if inside else ()
        return paths

    def _is_fed_in(self, leaf: int) -> bool:
        """Tell whether a leaf is what a layer is applied to, rather than a part of the layer."""
        known = self._is_argument_of_layer(leaf)
        if known is not None:
            return known
        node = self.nodes[leaf]
        if (node.name or "").startswith(("x", "X")):
            return True
        return not node.requires_grad and bool(getattr(node, "shape", ()))

    def _is_argument_of_layer(self, leaf: int) -> bool | None:
        """Tell whether a leaf is the x of w·x + b (not w or b), None where there is no such."""
        user = self.users[leaf][0]
        op = self.nodes[user].op
        assert op is not None
        argument = self.inputs[user].index(leaf)
        if op.vector:
            return argument < len(self.inputs[user]) // 2
        return argument == 0 if op.name == "linear" else None

    # ----------------------------------------------------------------------------- its groups

    def _make_groups(self, paths: Sequence[Path]) -> None:
        waiting = [(-1, list(range(len(self.nodes))), 0)]
        for group, members, level in waiting:  # grows while it is read
            parts: dict[tuple[str, int], list[int]] = {}
            inside = [n for n in members if len(paths[n]) > level]
            if not inside:
                continue
            unit = {n: paths[n][level] if len(paths[n]) > level else n for n in members}
            call = self._calls(members, unit)
            for n in inside:
                parts.setdefault((paths[n][level], call.get(n, 0)), []).append(n)
            calls: Counter[str] = Counter()
            for (name, _), part in parts.items():
                calls[name] += 1
                self.names.append(name if calls[name] == 1 else f"{name} · call {calls[name]}")
                self.parents.append(group)
                for n in part:
                    self.group_of[n] = len(self.names) - 1
                waiting.append((len(self.names) - 1, part, level + 1))

    def _calls(self, members: Sequence[int], unit: dict[int, str | int]) -> dict[int, int]:
        """Number the calls of the groups that depend on each other in a circle."""
        arrows = {
            (unit[i], unit[n])
            for n in members
            for i in self.inputs[n]
            if i in unit and unit[i] != unit[n]
        }
        circular = _without_ends(_without_ends(arrows, forwards=True), forwards=False)
        tangled = {end for arrow in circular for end in arrow}
        if not tangled:
            return {}
        call: dict[int, int] = {}
        for n in members:
            if unit[n] in tangled and self.inputs[n]:
                call[n] = max(
                    (call[i] + (unit[i] != unit[n]) for i in self.inputs[n] if i in call),
                    default=0,
                )
        for n in members:
            if unit[n] in tangled and not self.inputs[n]:
                call[n] = min((call[u] for u in self.users[n] if u in call), default=0)
        return call


def split(scope: str) -> Path:
    """Split the dotted name of a layer; an index stays with the list that it counts.

    Examples
    --------
    >>> split("MLP.layers.0.neurons.3")
    ('MLP', 'layers.0', 'neurons.3')
    """
    parts: list[str] = []
    for word in scope.split("."):
        if parts and word.isdigit():
            parts[-1] += f".{word}"
        else:
            parts.append(word)
    return tuple(parts)


def shared(paths: Iterable[Path]) -> Path:
    """Return the layers that all paths have in common."""
    common, *others = paths
    for path in others:
        length = 0
        for a, b in zip(common, path, strict=False):
            if a != b:
                break
            length += 1
        common = common[:length]
    return common


def _without_ends(
    arrows: set[tuple[str | int, str | int]], forwards: bool
) -> set[tuple[str | int, str | int]]:
    """Return the arrows that don't leave, nor lead on from, units that nothing leads to."""
    following: dict[str | int, list[str | int]] = {}
    waiting: Counter[str | int] = Counter()
    for arrow in arrows:
        source, target = arrow if forwards else arrow[::-1]
        following.setdefault(source, []).append(target)
        waiting[target] += 1
    ready = [unit for unit in following if not waiting[unit]]
    done = set(ready)
    while ready:
        for target in following.get(ready.pop(), ()):
            waiting[target] -= 1
            if not waiting[target]:
                done.add(target)
                ready.append(target)
    return {arrow for arrow in arrows if arrow[0] not in done and arrow[1] not in done}
