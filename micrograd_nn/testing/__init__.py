"""Prove gradients right, and name the operation at fault where one is wrong."""

from micrograd_nn.testing import engines, properties, strategies
from micrograd_nn.testing.backprop import Mark, Marks, check_backprop
from micrograd_nn.testing.check_op import check_op
from micrograd_nn.testing.errors import Disagreement, GradientError
from micrograd_nn.testing.gradcheck import Report, gradcheck
from micrograd_nn.testing.mutation import Mutant, MutationReport, mutate
from micrograd_nn.testing.op_report import OpReport

__all__ = [
    "gradcheck",
    "check_op",
    "check_backprop",
    "mutate",
    "strategies",
    "properties",
    "engines",
    "Report",
    "OpReport",
    "Mark",
    "Marks",
    "Mutant",
    "MutationReport",
    "Disagreement",
    "GradientError",
]
