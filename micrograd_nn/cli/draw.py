"""``micrograd-nn draw``: the computation graph of an expression, with its values and gradients."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence

from micrograd_nn import Value
from micrograd_nn.cli.expression import CONSTANTS, FUNCTIONS, parse
from micrograd_nn.cli.parsing import CommandError, Commands, add_command, numbers_by_name, writing
from micrograd_nn.cli.terminal import Screen, shorten
from micrograd_nn.readers import Picture, draw

_EXAMPLES = f"""\
An expression has numbers, names, + - * / **, parentheses, pi, and the functions
  {", ".join(list(FUNCTIONS)[:12])},
  {", ".join(list(FUNCTIONS)[12:])}.
A function may be written as a method, (x + y).tanh(). The expression is read by this list alone,
and never evaluated as Python.

examples:
  micrograd-nn draw "x*y + tanh(x)" --set x=2 --set y=-3
  micrograd-nn draw "(a*b + c).tanh()" --set a=2 --set b=-3 --local -o g.svg
"""


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands,
        "draw",
        run,
        "Draw the computation graph of an expression, with values and gradients.",
        _EXAMPLES,
    )
    command.add_argument("expression", metavar="EXPR", help="such as 'x*y + tanh(x)'")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="the value of a name, 1 for each that is not given; may be repeated",
    )
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=f"its suffix is the format: {', '.join(Picture.FORMATS)} (default: text, printed)",
    )
    command.add_argument(
        "--local", action="store_true", help="write on each edge the local derivative"
    )
    command.add_argument(
        "--direction",
        choices=("LR", "TB"),
        default="LR",
        help="from left to right, or from top to bottom (default: %(default)s)",
    )


def protected(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with a space before an expression that looks like an option.

    >>> protected(["draw", "-x*y", "-o", "g.svg", "--set", "x=2"])
    ['draw', ' -x*y', '-o', 'g.svg', '--set', 'x=2']
    """
    option = re.compile(r"-o|-h$|--(set|output|local|direction|help)\b|--$")
    return [a if a[:1] != "-" or option.match(a) else f" {a}" for a in arguments]


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    output = arguments.output
    expression = parse(arguments.expression)
    given = numbers_by_name(arguments.set, expression.names)
    names = [name for name in expression.names if name in given or name not in CONSTANTS]
    if not names:
        raise CommandError(f"{shorten(expression.text, 60)!r} has no variable to differentiate by")
    leaves = {name: Value(given.get(name, 1.0), name) for name in names}
    root = expression.record(leaves)
    root.backward()
    shown = ("data", "grad", "local") if arguments.local else ("data", "grad")
    picture = draw(root, show=shown, direction=arguments.direction)
    if output:
        with writing(output):
            picture.save(output)

    screen.heading(shorten(expression.text, 100))
    if not output:
        for line in str(picture).splitlines():
            screen.line(f"  {line}")
        screen.line()
    screen.fact("value", f"{root.data:.10g}")
    screen.line()
    rows = [
        [shorten(name), f"{leaf.data:.10g}", f"{leaf.grad:.10g}"] for name, leaf in leaves.items()
    ]
    screen.table(["name", "value", "derivative"], rows)
    screen.line()
    free = [name for name in names if name not in given]
    if free:
        hint = screen.code(" ".join(f"--set {name}=2" for name in free[:3]))
        screen.fact("note", f"{', '.join(free)} = 1, since no value was given; {hint} gives one")
    if not math.isfinite(root.data):
        screen.fact("note", "the value is not finite: outside the domain, or too large for a float")
    if output:
        screen.fact("written", f"{screen.bold(output)}, the graph with all values and gradients")
    return 0
