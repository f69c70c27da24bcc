"""Packages that only some checks need, imported where they are used."""

from __future__ import annotations

from typing import Any


def hypothesis() -> Any:
    """Return the module ``hypothesis``.

    Raises
    ------
    ImportError
        If it isn't installed; the message names the extra.
    """
    try:
        import hypothesis
    except ImportError:
        raise ImportError(
            'random graphs need hypothesis: pip install "micrograd-nn[test]"'
        ) from None
    return hypothesis
