"""The picture as a ``graphviz.Digraph``: clusters for layers, an edge for each argument."""

from __future__ import annotations

import importlib
import math
import re
from typing import TYPE_CHECKING, Any

from micrograd_nn.readers.palette import LIGHT, Tint
from micrograd_nn.readers.scene import Scene
from micrograd_nn.readers.svgtext import ID, SCALING, escape, owned
from micrograd_nn.readers.wording import Wording

if TYPE_CHECKING:
    import graphviz


def to_dot(scene: Scene, direction: str = "LR") -> graphviz.Digraph:
    """Return a scene as a ``graphviz.Digraph``.

    Raises
    ------
    ImportError
        If the Python package ``graphviz`` isn't installed.
    """
    graphviz = _graphviz()
    graph = graphviz.Digraph(
        graph_attr={"rankdir": direction, "bgcolor": "white", "nodesep": "0.15", "ranksep": "0.45",
                    "ordering": "in"},
        node_attr={"shape": "box", "style": "rounded,filled", "fontname": "Helvetica",
                   "fontsize": "10", "margin": "0.1,0.06"},
        edge_attr={"color": LIGHT.edge, "arrowsize": "0.6", "fontsize": "9",
                   "fontname": "Helvetica", "fontcolor": LIGHT.muted},
    )  # fmt: skip
    clusters: list[Any] = []
    depth: list[int] = []
    for k, frame in enumerate(scene.frames):
        depth.append(depth[frame.parent] + 1 if frame.parent >= 0 else 0)
        cluster = graphviz.Digraph(name=f"cluster_{k}")
        cluster.attr(
            label=_quoted(frame.label), style="rounded,filled", color=LIGHT.frame_line,
            fillcolor=LIGHT.frames[depth[k] % 3], fontcolor=LIGHT.label, fontname="Helvetica",
            fontsize="11", labeljust="l",
        )  # fmt: skip
        clusters.append(cluster)
    for i, card in enumerate(scene.cards):
        frame_number = scene.frame_of[i]
        home = clusters[frame_number] if frame_number >= 0 else graph
        tint = _tint(scene, card)
        home.node(
            f"n{i}", label=_label(card), tooltip=_tooltip(card), fillcolor=tint.fill,
            color=tint.line, fontcolor=tint.title, penwidth="2" if i == scene.root else "1",
        )  # fmt: skip
    for k in reversed(range(len(clusters))):  # the inner ones first
        parent = scene.frames[k].parent
        (clusters[parent] if parent >= 0 else graph).subgraph(clusters[k])
    for wire in scene.wires:
        label = {"label": _quoted(wire.label)} if wire.label else {}
        graph.edge(f"n{wire.source}", f"n{wire.target}", **label)
    return graph


def dot_svg(scene: Scene, direction: str) -> str:
    """Return the SVG that Graphviz draws, through either of the Python packages for it.

    Raises
    ------
    RuntimeError
        If Graphviz's program ``dot`` is found by neither.
    """
    source = to_dot(scene, direction)
    graphviz = _graphviz()
    try:
        text = source.pipe(format="svg", encoding="utf-8")
    except graphviz.ExecutableNotFound:
        try:
            pygraphviz = importlib.import_module("pygraphviz")
        except ImportError:
            raise RuntimeError(
                'engine="dot" needs Graphviz, which was not found. Either install the program '
                "(apt install graphviz, brew install graphviz), or the package that carries it "
                '(pip install pygraphviz); engine="own" needs neither'
            ) from None
        drawn = pygraphviz.AGraph(string=source.source).draw(format="svg", prog="dot")
        text = drawn.decode("utf-8")
    return _of_our_own(text[text.index("<svg") :], scene)


def _of_our_own(svg: str, scene: Scene) -> str:
    """Return Graphviz's SVG with what our own has: scaling, whole titles, ids that don't clash."""
    svg = svg.replace("<svg ", f"<svg {SCALING} ", 1)
    svg = re.sub(r'<g id="a_[^"]*"><a [^>]*>\n?', "", svg)
    svg = re.sub(r"</a>\n?</g>\n?", "", svg)
    svg = re.sub(r"<title>(.*?)</title>\n?", lambda match: _title(match[1], scene), svg)
    return owned(svg.replace(' id="', f' id="{ID}-'))


def _title(name: str, scene: Scene) -> str:
    card = re.fullmatch(r"n(\d+)", name)
    return f"<title>{escape(scene.cards[int(card[1])].tooltip)}</title>\n" if card else ""


def _tint(scene: Scene, card: Wording) -> Tint:
    tint = LIGHT.cards[card.kind]
    if scene.scale is None or card.strength is None or math.isnan(card.strength):
        return tint if scene.scale is None else tint._replace(fill=LIGHT.sheet)
    step = scene.scale.step(card.strength)
    return tint._replace(fill=LIGHT.steps[step], line=LIGHT.step_lines[step])


def _label(card: Wording) -> Any:
    head = "  ".join(filter(None, [card.title, card.op, card.badge]))
    return _quoted("\n".join([head, *(f"{a} {b}".strip() for a, b in card.rows)]))


def _tooltip(card: Wording) -> Any:
    """Return the tooltip; Graphviz would read a backslash there twice, however it is escaped."""
    return _quoted(card.tooltip.replace("\\", "∖"))


def _quoted(text: str) -> Any:
    """Return text that Graphviz shows as it is, whatever it looks like."""
    graphviz = _graphviz()
    printable = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    escaped = printable.replace("\\", "\\\\").replace("\n", "\\n")
    return graphviz.nohtml(escaped)


def _graphviz() -> Any:
    try:
        import graphviz
    except ImportError:
        raise ImportError("DOT needs the Python package graphviz: pip install graphviz") from None
    return graphviz
