"""Prove gradients right, and name the operation at fault where one is wrong."""

from micrograd_nn.testing.backprop import check_backprop
from micrograd_nn.testing.errors import Disagreement, GradientError
from micrograd_nn.testing.gradcheck import Report, gradcheck

__all__ = ["gradcheck", "check_backprop", "Report", "Disagreement", "GradientError"]
