"""explain: the recorded graph as the equations of a textbook."""

from micrograd_nn.readers.explain.explanation import Explanation, explain

__all__ = ["explain", "Explanation"]
