"""Where the stages of a network stand in its diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micrograd_nn.readers.fonts import shortened
from micrograd_nn.readers.stages import Stage

#: A layer of more units than this shows the first and the last ones, a deeper network likewise.
WIDEST, DEEPEST = 10, 14
#: The space around everything, and the width of a box.
MARGIN, BAR = 24.0, 26.0
_HEAD = 46.0


@dataclass(frozen=True)
class Place:
    """Where a stage stands: its middle, and the height of each unit that is shown.

    ``rows`` maps the number of a unit to its y. ``gap`` is the y of what is left out, ``first``
    and ``last`` are where edges arrive and leave.
    """

    stage: Stage
    x: float
    rows: dict[int, float]
    gap: float | None
    first: float
    last: float


class Diagram:
    """A network's stages, placed.

    Parameters
    ----------
    stages : sequence of Stage
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = list(stages)
        most = max((len(shown(s.units)) + (_cuts(s.units)) for s in stages), default=1)
        self.radius, self.pitch = (18.0, 62.0) if most <= 6 else (15.0, 50.0)
        kept = _kept(self.stages)
        columns = sum(stage.is_units for stage in kept)
        self.gap = 150.0 if columns <= 4 else 124.0 if columns <= 7 else 104.0
        self.height = (most - 1) * self.pitch + 2 * self.radius
        self.top = MARGIN + _HEAD
        self.places = self._placed(kept)
        last = self.places[-1]
        self.width = last.last + MARGIN + (34.0 if last.stage.is_units else 10.0)
        self.width = max(self.width, 250.0)

    @property
    def middle(self) -> float:
        """The y around which the stages stand."""
        return self.top + self.height / 2

    def _placed(self, stages: Sequence[Stage]) -> list[Place]:
        places: list[Place] = []
        x = MARGIN + 34.0 + self.radius
        for stage in stages:
            if places:
                before = places[-1].last
                label = max(map(len, headline(stage))) * 3.1
                if stage.weights is not None:
                    x = before + max(self.gap - 2 * self.radius, label) + self.radius
                else:
                    x = before + 18.0 + BAR / 2
            half = self.radius if stage.is_units else BAR / 2
            rows, gap = self._rows(stage.units)
            places.append(Place(stage, x, rows, gap, x - half, x + half))
        return places

    def _rows(self, units: int | None) -> tuple[dict[int, float], float | None]:
        numbers_ = shown(units)
        slots = len(numbers_) + _cuts(units)
        y = self.middle - (slots - 1) * self.pitch / 2
        rows: dict[int, float] = {}
        gap = None
        for unit in numbers_:
            if rows and unit != next(reversed(rows)) + 1:
                gap, y = y, y + self.pitch
            rows[unit] = y
            y += self.pitch
        return rows, gap


def shown(units: int | None, most: int = WIDEST) -> list[int]:
    """Return the numbers of the units that are shown.

    Examples
    --------
    >>> shown(3), shown(128, 6)
    ([0, 1, 2], [0, 1, 2, 126, 127])
    """
    if units is None:
        return [0]
    if units <= most:
        return list(range(units))
    return [*range(most // 2), *range(units - (most - 1 - most // 2), units)]


def headline(stage: Stage) -> tuple[str, str]:
    """Return the two lines above a stage: which layer it is, and its activation."""
    if stage.is_input:
        return "input", ""
    last = stage.path.rpartition(".")[2]
    name = stage.path if last and not last.isdigit() else f"layer {stage.layer}"
    return shortened(name, 16), stage.activation


def _kept(stages: list[Stage]) -> list[Stage]:
    """Leave out the middle of a deep network."""
    if len(stages) <= DEEPEST:
        return stages
    head, tail = DEEPEST // 2, DEEPEST - 1 - DEEPEST // 2
    left_out = stages[head:-tail]
    between = Stage("…", f"⋯ {len(left_out):,} more layers", left_out[-1].units)
    return [*stages[:head], between, *stages[-tail:]]


def _cuts(units: int | None) -> int:
    """Return the number of places that what is left out takes."""
    return int(units is not None and units > WIDEST)
