"""compile: a recorded graph as a program, replayed on new data."""

from micrograd_nn.readers.compile.program import Program, compile

__all__ = ["compile", "Program"]
