"""``micrograd-nn explain``: the formulas of an expression's or a network's derivatives."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from micrograd_nn import Tensor, Value, data, explain
from micrograd_nn import functional as F
from micrograd_nn.cli.expression import CONSTANTS, parse
from micrograd_nn.cli.parsing import CommandError, Commands, add_command, numbers_by_name
from micrograd_nn.cli.terminal import Screen, shorten
from micrograd_nn.nn import activations
from micrograd_nn.readers.explain import Explanation

_FORMATS = ("text", "latex", "mathml", "numpy")
_WIDEST, _DEEPEST = 100_000, 50
#: Wider layers have the same equations.
_ENOUGH = 9
_EXAMPLES = """\
An expression is read as by micrograd-nn draw, and never evaluated as Python.

examples:
  micrograd-nn explain "sigmoid(w*x + b)" --wrt w
  micrograd-nn explain "(a*b + c)**2" --set a=2 --set b=-3
  micrograd-nn explain --network 2-4-6-6-4-1
  micrograd-nn explain --network 2-4-1 --activation tanh --format numpy
"""


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands,
        "explain",
        run,
        "Print the forward and the backward pass as the equations of a textbook.",
        _EXAMPLES,
    )
    command.add_argument("expression", nargs="?", metavar="EXPR", help="such as 'sigmoid(w*x + b)'")
    command.add_argument(
        "--network", metavar="SIZES", help="explain a network of layers instead, such as 2-4-1"
    )
    command.add_argument(
        "--activation", default="relu", metavar="NAME", help="of its hidden layers (%(default)s)"
    )
    command.add_argument(
        "--wrt", action="append", metavar="NAME", help="derive by this name only; may be repeated"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="show the chain rule with numbers; may be repeated",
    )
    command.add_argument(
        "--format", choices=_FORMATS, default="text", help="what to print (%(default)s)"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    if (arguments.expression is None) == (arguments.network is None):
        raise CommandError("give either an expression or --network SIZES (see explain --help)")
    if arguments.network is not None:
        if arguments.wrt or arguments.set:
            raise CommandError("--wrt and --set go with an expression, not with --network")
        made = _of_network(arguments.network, arguments.activation)
    else:
        made = _of_expression(arguments.expression, arguments.set, arguments.wrt)
    if arguments.format == "text" and not arguments.set:
        written = Explanation.text(made)  # with numbers only where there are some
    else:
        written = getattr(made, arguments.format)()
    screen.line(written.rstrip("\n"))
    return 0


def _of_expression(text: str, settings: Sequence[str], wrt: Sequence[str] | None) -> Explanation:
    expression = parse(text)
    given = numbers_by_name(settings, expression.names)
    names = [name for name in expression.names if name in given or name not in CONSTANTS]
    if not names:
        raise CommandError(f"{shorten(text, 60)!r} has no variable to derive by")
    unknown = [name for name in wrt or () if name not in names]
    if unknown:
        raise CommandError(f"there is no {unknown[0]!r} in the expression, only {', '.join(names)}")
    leaves = {name: Value(given.get(name, 1.0), name) for name in names}
    root = expression.record(leaves)
    if root.op is None:
        raise CommandError(f"{shorten(text, 60)!r} is a name alone: there is nothing to derive")
    return explain(root, None if wrt is None else [leaves[name] for name in wrt])


def _of_network(text: str, activation: str) -> Explanation:
    """Explain [linear → g] × (L−1) → linear → sigmoid with binary cross-entropy, in columns."""
    if not re.fullmatch(r"\d+(-\d+)+", text):
        raise CommandError(f"--network takes the sizes of layers, such as 2-4-1, not {text!r}")
    sizes = [int(size) for size in text.split("-")]
    if min(sizes) < 1 or max(sizes) > _WIDEST or len(sizes) > _DEEPEST:
        raise CommandError(f"--network takes 2 to {_DEEPEST} sizes from 1 to {_WIDEST:,}")
    if sizes[-1] != 1:
        raise CommandError("the last layer must have 1 unit, a sigmoid: end --network with -1")
    try:
        hidden = activations.by_name(activation)
    except ValueError as error:
        raise CommandError(str(error)) from None
    if activation in ("softmax", "log_softmax"):  # over the units, which are rows here
        hidden = partial(getattr(F, activation), axis=0)
    sizes = [min(size, _ENOUGH) for size in sizes]
    m = 4
    rng = np.random.default_rng(0)
    A = Tensor(rng.standard_normal((sizes[0], m)), requires_grad=False, name="X")
    Y = Tensor(data.xor(m, seed=0)[1].reshape(1, m), requires_grad=False, name="Y")
    for k, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        W = Tensor(rng.standard_normal((n_out, n_in)) / n_in**0.5, name=f"W[{k}]")
        b = Tensor(np.zeros((n_out, 1)), name=f"b[{k}]")
        Z = (W @ A + b).named(f"Z[{k}]")
        last = k == len(sizes) - 1
        A = F.sigmoid(Z) if last else hidden(Z)
        A = A if A is Z else A.named(f"A[{k}]")
    J = -F.mean(Y * F.log(A) + (1.0 - Y) * F.log(1.0 - A))
    return explain(J.named("J"))
