"""The style sheet of a picture: its fonts and lines, its colours in light and in dark."""

from __future__ import annotations

from micrograd_nn.readers.cardbox import SIGN, SMALL, TITLE
from micrograd_nn.readers.fonts import MONO, SANS
from micrograd_nn.readers.miniature import SHADES
from micrograd_nn.readers.palette import DARK, LIGHT, Theme
from micrograd_nn.readers.svgtext import HALO, style


def style_sheet() -> str:
    """Return the style of a picture of a graph."""
    rules = [
        f"text{{font:{SMALL:g}px {SANS}}}",
        f".name{{font-size:{SMALL + 1:g}px;font-weight:600}}",
        ".edge{fill:none;stroke-width:1.2}",
        ".dense .edge{stroke-width:.9}",
        f".name,.count{{{HALO}}}",
        f".title{{font-size:{TITLE:g}px;font-weight:600}}",
        f".sign{{font-size:{SIGN:g}px;font-weight:600}}",
        ".constant .title{font-size:11px;font-weight:400}",
        f".value,.grad{{font-family:{MONO}}}",
        ".badge{font-weight:600}",
        ".card rect{stroke-width:1}",
        ".card.root rect{stroke-width:2}",
        ".card.more rect{stroke-dasharray:3 3}",
        ".curve,.tangent,.axis{fill:none;stroke-linejoin:round;stroke-linecap:round}",
        ".curve{stroke-width:1.4}",
        ".tangent{stroke-width:1.2}",
        ".axis{stroke-width:.6;stroke-opacity:.6}",
        ".many{fill-opacity:.45}",
        *(f".shade{k}{{fill-opacity:{k / SHADES:g}}}" for k in range(1, SHADES)),
    ]
    return style(rules, _colours(LIGHT), _colours(DARK))


def _colours(theme: Theme) -> list[str]:
    rules = [
        f".sheet{{fill:{theme.sheet}}}",
        f".group rect{{stroke:{theme.frame_line}}}",
        *(f".level{k} rect{{fill:{fill}}}" for k, fill in enumerate(theme.frames)),
        f".name{{fill:{theme.label};stroke:{theme.frames[0]}}}",
        f".edge{{stroke:{theme.edge}}}",
        f".dense .edge{{stroke:{theme.faint_edge}}}",
        f".head{{fill:{theme.edge}}}",
        f".count{{fill:{theme.muted};stroke:{theme.sheet}}}",
        f".value{{fill:{theme.text}}}",
        f".label,.op{{fill:{theme.muted}}}",
        f".grad,.point{{fill:{theme.grad}}}",
        f".tangent{{stroke:{theme.grad}}}",
        f".axis{{stroke:{theme.muted}}}",
        f".plus{{fill:{theme.plus}}}",
        f".minus{{fill:{theme.minus}}}",
        f".bad{{fill:{theme.bad}}}",
        f".cell{{fill:{theme.ground}}}",
    ]
    for kind, tint in theme.cards.items():
        rules.append(f".{kind} rect{{fill:{tint.fill};stroke:{tint.line}}}")
        rules.append(f".{kind} .title,.{kind} .sign,.{kind} .badge{{fill:{tint.title}}}")
        rules.append(f".{kind} .curve{{stroke:{tint.title}}}")
    for k, fill in enumerate(theme.steps):
        rules.append(f".step{k} rect{{fill:{fill};stroke:{theme.step_lines[k]}}}")
        rules.append(f".step{k} .grad,.step{k} .label,.step{k} .op{{fill:{theme.text}}}")
    rules.append(".legend rect{stroke:none}")
    rules.append(f".unreached rect{{fill:{theme.sheet};stroke:{theme.frame_line}}}")
    return rules
