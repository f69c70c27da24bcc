"""The picture as text: the root, and what it was computed from indented below it."""

from __future__ import annotations

from micrograd_nn.readers.scene import Scene


def tree(scene: Scene, most: int = 200) -> str:
    """Return a scene as an indented tree, root first, in argument order.

    A card that is used twice is written once, and referred to after that.

    Parameters
    ----------
    scene : Scene
    most : int
        The number of lines at the most.
    """
    inputs: list[list[tuple[int, str]]] = [[] for _ in scene.cards]
    for wire in scene.wires:
        inputs[wire.target].append((wire.source, wire.derivative))
    lines: list[str] = []
    seen: set[int] = set()
    stack = [(scene.root, "", "", "", "")]
    while stack:
        i, before, branch, below, derivative = stack.pop()
        if len(lines) == most:
            lines.append(f"… {len(scene.cards) - len(seen):,} more")
            break
        card = scene.cards[i]
        words = [card.title, card.op, card.badge]
        head = before + branch
        if i in seen:
            above = "" if card.kind == "constant" else " (above)"
            lines.append(f"{head}{card.title or card.op}{above}  {derivative}".rstrip())
            continue
        seen.add(i)
        words += [f"{label} {text}".strip() for label, text in card.rows]
        lines.append(head + "  ".join(filter(None, [*words, derivative])))
        inner = before + below
        for k, (source, local) in reversed(list(enumerate(inputs[i]))):
            last = k == len(inputs[i]) - 1
            branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
            stack.append((source, inner, branch, below, local))
    return "\n".join(lines)
