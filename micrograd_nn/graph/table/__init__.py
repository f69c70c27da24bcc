"""The table of operations: every primitive, one row each."""

from micrograd_nn.graph.table import (
    activations,
    arithmetic,
    arrays,
    elementary,
    fused,
    indexing,
    logarithms,
)

__all__ = ["activations", "arithmetic", "arrays", "elementary", "fused", "indexing", "logarithms"]
