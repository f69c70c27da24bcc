"""Hypothesis profiles: the same examples on every run, or many new ones each night."""

from __future__ import annotations

import os

from micrograd_nn.testing.optional import hypothesis

#: What differs from Hypothesis's defaults, by profile.
PROFILES: dict[str, dict[str, object]] = {
    "quick": {"derandomize": True},
    "nightly": {"derandomize": False, "max_examples": 5000, "print_blob": True},
}


def register() -> None:
    """Register the profiles ``quick`` and ``nightly`` with Hypothesis.

    In neither does a verdict depend on how fast the machine is.

    Raises
    ------
    ImportError
        If Hypothesis isn't installed; the message names the extra.
    """
    h = hypothesis()
    clock_free = h.settings(
        h.settings.get_profile("default"),  # not what is loaded now
        deadline=None,
        suppress_health_check=[h.HealthCheck.too_slow],
    )
    for name, differences in PROFILES.items():
        h.settings.register_profile(name, clock_free, **differences)


def load(name: str | None = None) -> None:
    """Register the profiles and use one of them from here on.

    Parameters
    ----------
    name : str, optional
        ``"quick"`` or ``"nightly"``, or a profile that has been registered elsewhere; by default
        the one named by the environment variable ``HYPOTHESIS_PROFILE``, else ``"quick"``.
    """
    register()
    hypothesis().settings.load_profile(name or os.environ.get("HYPOTHESIS_PROFILE", "quick"))
