"""Mistakes put into rules, engine and checker on purpose, to see that they are found."""

from micrograd_nn.testing.mutation.report import Mutant, MutationReport
from micrograd_nn.testing.mutation.run import mutate
from micrograd_nn.testing.mutation.targets import NoSourceError

__all__ = ["mutate", "Mutant", "MutationReport", "NoSourceError"]
