"""Write the table of operations as a page, from the rows themselves."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from micrograd_nn.graph import units
from micrograd_nn.graph.primitive import Primitive
from micrograd_nn.graph.row_docs import derivatives_of, formula_of
from micrograd_nn.graph.table import (
    activations,
    arithmetic,
    arrays,
    elementary,
    fused,
    indexing,
    logarithms,
)

PAGE = Path(__file__).parents[1] / "_made" / "operations.md"
SECTIONS = {
    "Arithmetic": arithmetic,
    "Elementary functions": elementary,
    "Logarithms with a factor": logarithms,
    "Activations": activations,
    "Arrays": arrays,
    "Indexing and joining": indexing,
    "Fused operations": fused,
    "Units of a network": units,
}


def rows_by_section() -> dict[str, list[Primitive]]:
    """Return the rows that each module of the table adds to those of the modules before it."""
    seen: set[Primitive] = set()
    found: dict[str, list[Primitive]] = {}
    for title, module in SECTIONS.items():
        rows = [v for v in vars(module).values() if isinstance(v, Primitive) and v not in seen]
        found[title] = list(dict.fromkeys(rows))
        seen.update(rows)
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("[", "\\[") or " "


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else " "


def _summary(row: Primitive) -> str:
    derivatives = "<br>".join(_code(f"{left} = {right}") for left, right in derivatives_of(row))
    kinks = "<br>".join(_cell(f"{at}: {value}") for at, value in row.kinks.items())
    cells = (_code(row.name), _code(formula_of(row)), derivatives, _code(row.domain), kinks)
    return f"| {' | '.join(cell or ' ' for cell in cells)} |"


def _rules(row: Primitive) -> list[str]:
    return [inspect.getsource(rule).rstrip() for rule in row.rules if rule]


def _section(title: str, rows: list[Primitive]) -> list[str]:
    rules = "\n\n\n".join(dict.fromkeys(text for row in rows for text in _rules(row)))
    return [
        f"# {title}\n",
        "| row | z | derivatives | domain | at kinks |",
        "|---|---|---|---|---|",
        *map(_summary, rows),
        "",
        "<details><summary>The rules, as they stand in the table</summary>\n",
        f"```python\n{rules}\n```\n",
        "</details>\n",
    ]


def page() -> str:
    """Return the sections of the page, in MyST's Markdown."""
    sections = rows_by_section().items()
    return "\n".join(line for title, rows in sections for line in _section(title, rows))


def _write(app: Sphinx) -> None:
    PAGE.parent.mkdir(exist_ok=True)
    text = page()
    if not PAGE.exists() or PAGE.read_text() != text:
        PAGE.write_text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the page when a build begins."""
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
