"""The colours of a picture, in light and in dark."""

from __future__ import annotations

from typing import NamedTuple


class Tint(NamedTuple):
    """The colours of one kind of card."""

    fill: str
    line: str
    title: str


class Theme(NamedTuple):
    """The colours of a whole picture."""

    sheet: str
    frames: tuple[str, str, str]
    frame_line: str
    label: str
    edge: str
    faint_edge: str
    text: str
    muted: str
    grad: str
    plus: str
    minus: str
    bad: str
    ground: str
    cards: dict[str, Tint]
    steps: tuple[str, ...]
    step_lines: tuple[str, ...]


LIGHT = Theme(
    sheet="#ffffff",
    frames=("#f6f8fa", "#eef1f5", "#e6eaf0"),
    frame_line="#d3dae2",
    label="#64748b",
    edge="#98a5b3",
    faint_edge="#bcc6d0",
    text="#1f2933",
    muted="#7a8796",
    grad="#a3472f",
    plus="#2f6db3",
    minus="#d0652f",
    bad="#b5179e",
    ground="#ffffff",
    cards={
        "input": Tint("#f3f5f7", "#a9b4c0", "#3e4c5a"),
        "parameter": Tint("#eef4fb", "#86abd2", "#24568a"),
        "constant": Tint("#f7f8f9", "#c9d0d8", "#5b6875"),
        "arithmetic": Tint("#eff8f4", "#83baa1", "#1f6a4c"),
        "function": Tint("#fdf6e8", "#d9b66c", "#835c0c"),
        "reduction": Tint("#f6f2fb", "#b7a0d3", "#60408a"),
        "layer": Tint("#ffffff", "#8595a6", "#2f3e4e"),
        "more": Tint("#ffffff", "#c3ccd5", "#64748b"),
    },
    steps=("#fafafa", "#fdf1e3", "#fde3c8", "#fbcfa4", "#f7b680", "#f0995f", "#e67a43"),
    step_lines=("#d4d8dd", "#e3cfb4", "#e0be98", "#dba975", "#d28e4e", "#c17133", "#a8541c"),
)

DARK = Theme(
    sheet="#14191f",
    frames=("#1a2129", "#202832", "#26303b"),
    frame_line="#36424f",
    label="#93a1b0",
    edge="#637282",
    faint_edge="#48545f",
    text="#e3e8ee",
    muted="#8c99a7",
    grad="#eb9c81",
    plus="#6fa8e6",
    minus="#e88b58",
    bad="#f472d0",
    ground="#11161b",
    cards={
        "input": Tint("#232b34", "#596776", "#c6d0da"),
        "parameter": Tint("#1b2a3b", "#416e9d", "#9fc8f3"),
        "constant": Tint("#1d242c", "#414d59", "#a5b1bd"),
        "arithmetic": Tint("#182d26", "#3d7d62", "#8fd6b5"),
        "function": Tint("#322815", "#8d6c28", "#f0cd84"),
        "reduction": Tint("#2a2238", "#75599b", "#cdb4ee"),
        "layer": Tint("#1d252e", "#6f8093", "#dbe3eb"),
        "more": Tint("#14191f", "#4b5865", "#93a1b0"),
    },
    steps=("#1b2128", "#2b2420", "#3d2a1f", "#52321f", "#6a3b1e", "#84461e", "#a0521f"),
    step_lines=("#3a4550", "#54443a", "#6e5340", "#8a6141", "#a56f43", "#c27f45", "#e09049"),
)

#: Colours that the colour-blind tell apart, after Okabe and Ito: those of classes and curves.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#4D4D4D")


class Signs(NamedTuple):
    """The colours of numbers above and below zero."""

    positive: str
    negative: str


SIGNS_LIGHT = Signs(SERIES[0], SERIES[1])
SIGNS_DARK = Signs("#3d97d3", "#e0783a")
