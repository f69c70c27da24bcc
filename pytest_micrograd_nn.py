"""The pytest plugin of micrograd_nn: nothing is imported before a test asks for it.

It stands outside of the package because pytest loads it in every run: to import the package would
import NumPy. What it does stands in ``micrograd_nn.testing.plugin``.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--gradcheck-oracle``."""
    parser.getgroup("micrograd_nn").addoption(
        "--gradcheck-oracle",
        choices=("auto", "dual", "finite"),
        default="auto",
        help="what the fixture gradcheck holds gradients against (default: auto)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and the Hypothesis profiles where one of them is asked for."""
    config.addinivalue_line(
        "markers",
        "gradients(order=1, oracle='auto', seed=0): how the fixture gradcheck checks in this test",
    )
    if config.getoption("--hypothesis-profile", None) in ("quick", "nightly"):
        _register_profiles()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the Hypothesis profiles known where Hypothesis is in use anyway."""
    if "hypothesis" in sys.modules and "micrograd_nn" in sys.modules:
        _register_profiles()


def _register_profiles() -> None:
    from micrograd_nn.testing.plugin import register_profiles

    register_profiles()


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Any:
    """``micrograd_nn.testing.gradcheck``, as the marker ``gradients`` and the options ask."""
    from micrograd_nn.testing.plugin import configured_gradcheck

    return configured_gradcheck(request)


@pytest.fixture
def within_ulps() -> Any:
    """Compare numbers in units in the last place: ``assert x.grad == within_ulps(2.0, ulps=4)``."""
    from micrograd_nn.testing.plugin import Within

    return Within


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say how many units in the last place two numbers are apart."""
    if op != "==" or "micrograd_nn" not in sys.modules:
        return None
    from micrograd_nn.testing.plugin import explained

    return explained(left, right)
