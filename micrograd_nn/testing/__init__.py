"""Prove gradients right, and name the operation at fault where one is wrong."""

from micrograd_nn.testing import engines, properties, strategies
from micrograd_nn.testing.errors import Disagreement, GradientError

__all__ = ["Disagreement", "GradientError", "engines", "properties", "strategies"]
