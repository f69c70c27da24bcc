"""What the pytest plugin does once a test asks for it; its hooks are in ``pytest_micrograd_nn``.

@pytest.mark.gradients(order=2)
def test_my_layer(gradcheck):
gradcheck(my_layer, np.ones((3, 4)))

def test_my_gradient(within_ulps):
assert x.grad == within_ulps(2.0, ulps=4)
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from micrograd_nn.graph.node import Node
from micrograd_nn.testing.errors import counted, ulps
from micrograd_nn.testing.gradcheck import gradcheck

#: How many elements are shown that are too far apart.
_SHOWN = 5


def configured_gradcheck(request: Any) -> Any:
    """Return ``gradcheck`` with the arguments of the marker ``gradients`` as its defaults."""
    defaults: dict[str, Any] = {"oracle": request.config.getoption("--gradcheck-oracle")}
    marker = request.node.get_closest_marker("gradients")
    if marker is not None:
        if marker.args:
            raise TypeError(
                "the marker gradients takes keyword arguments only, such as gradients(order=2)"
            )
        defaults.update(marker.kwargs)
    return functools.partial(gradcheck, **defaults)


def register_profiles() -> None:
    """Register the Hypothesis profiles ``quick`` and ``nightly``, but not over a user's own."""
    from micrograd_nn.testing import profiles
    from micrograd_nn.testing.optional import hypothesis

    h = hypothesis()
    for name in profiles.PROFILES:
        try:
            h.settings.get_profile(name)
        except h.errors.InvalidArgument:
            continue
        return
    profiles.register()


class Within:
    """Numbers to compare with ``==``, equal to all that are at most so many ULP away.

    Parameters
    ----------
    expected : float, array or node
    ulps : float
        Units in the last place of the expected numbers.

    Examples
    --------
    >>> 0.1 + 0.2 == Within(0.3, ulps=1)
    True
    >>> np.array([1.0, 2.0]) == Within([1.0, 2.001])
    False
    """

    __array_ufunc__ = None  # an array on the left leaves the comparison to this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Any, ulps: float = 4.0) -> None:
        self.expected = _numbers(expected)
        self.ulps = ulps

    def __eq__(self, other: object) -> bool:
        got = _numbers(other)
        return got.shape == self.expected.shape and not self._far(got).any()

    def _far(self, got: Any) -> Any:
        pairs = zip(got.ravel().tolist(), self.expected.ravel().tolist(), strict=True)
        far = [ulps(number, expected) > self.ulps for number, expected in pairs]
        return np.reshape(np.array(far, bool), got.shape)

    def __repr__(self) -> str:
        return f"{self.expected.tolist()} within {self.ulps:g} ULP"

    def explain(self, other: object) -> list[str]:
        """Return in which elements, and by how much, numbers differ from these."""
        got = _numbers(other)
        if got.shape != self.expected.shape:
            return [f"shape {got.shape} instead of {self.expected.shape}"]
        far = np.argwhere(self._far(got))
        head = f"{len(far)} of {got.size} numbers are more than {self.ulps:g} ULP away"
        lines = [_apart(got[tuple(i)], self.expected[tuple(i)], tuple(i)) for i in far[:_SHOWN]]
        more = [f"... and {len(far) - _SHOWN} more"] if len(far) > _SHOWN else []
        return [head, *lines, *more]


def explained(left: object, right: object) -> list[str] | None:
    """Return the lines that pytest shows for two numbers that aren't equal, None for others."""
    for expected, got in ((right, left), (left, right)):
        if isinstance(expected, Within):
            return [f"{got!r} == {expected!r}", *expected.explain(got)]
    if _is_real(left) and _is_real(right):
        got, expected = float(left), float(right)  # type: ignore[arg-type]
        return [f"{left!r} == {right!r}", _apart(got, expected, ())]
    return None


def _is_real(x: object) -> bool:
    return isinstance(x, (float, np.floating))


def _numbers(x: Any) -> Any:
    return np.asarray(x._data if isinstance(x, Node) else x, np.float64)


def _apart(got: Any, expected: Any, index: tuple[Any, ...]) -> str:
    got, expected = float(got), float(expected)
    where = f"[{', '.join(str(int(i)) for i in index)}]: " if index else ""
    off = counted(ulps(got, expected))
    return f"{where}got {got!r}, expected {expected!r}: {off} apart"
