"""What kind of mistake gives a wrong gradient of this size."""

from __future__ import annotations

from typing import Any


def hint(got: Any, expected: Any) -> str | None:
    """Return a sentence about the mistake, None where the numbers tell none."""
    return None
