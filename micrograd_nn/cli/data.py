"""``micrograd-nn data``: the data sets of the library as CSV files."""

from __future__ import annotations

import argparse
import csv
import inspect
import io
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from micrograd_nn import data
from micrograd_nn.cli.parsing import (
    CommandError,
    Commands,
    add_command,
    count,
    not_negative,
    seed,
    write_text,
)
from micrograd_nn.cli.terminal import Screen, plural

GENERATORS: dict[str, Callable[..., Any]] = {
    "circles": data.circles,
    "moons": data.moons,
    "xor": data.xor,
    "blobs": data.blobs,
    "spirals": data.spirals,
}

_EXAMPLES = """\
iris holds Fisher's measurements of 150 flowers, with the column species. The others are points in
the plane, drawn at random: the columns x1 and x2, and class.

examples:
  micrograd-nn data iris -o iris.csv
  micrograd-nn data spirals -n 500 --noise 0.05 --seed 1 -o spirals.csv
"""


def shipped_iris() -> str:
    """Return the path of the iris measurements that come with the library."""
    return str(files("micrograd_nn.data") / "iris.csv")


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands, "data", run, "Write a data set as CSV: iris, circles, moons ...", _EXAMPLES
    )
    command.add_argument(
        "name", metavar="NAME", choices=("iris", *GENERATORS), help=f"iris, {', '.join(GENERATORS)}"
    )
    command.add_argument("-n", type=count, metavar="N", help="how many points (default: 1000)")
    command.add_argument("--noise", type=not_negative, metavar="S", help="its standard deviation")
    command.add_argument("--seed", type=seed, metavar="N", help="default: 0")
    command.add_argument(
        "-o", "--output", metavar="FILE", help="where to write it (default: standard output)"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    text, about = _iris(arguments) if arguments.name == "iris" else _points(arguments)
    if arguments.output is None:
        screen.line(text.rstrip("\n"))
        return 0
    write_text(arguments.output, text)
    screen.fact("written", f"{screen.bold(arguments.output)}, {about}")
    return 0


def _iris(arguments: argparse.Namespace) -> tuple[str, str]:
    for option in ("n", "noise", "seed"):
        if getattr(arguments, option) is not None:
            dashes = "-" if option == "n" else "--"
            raise CommandError(f"iris is measured, not drawn at random: leave out {dashes}{option}")
    text = (files("micrograd_nn.data") / "iris.csv").read_text(encoding="utf-8")
    return text, "150 rows: 4 measurements of a flower, and its species"


def _points(arguments: argparse.Namespace) -> tuple[str, str]:
    generate = GENERATORS[arguments.name]
    options = {"n": arguments.n, "noise": arguments.noise, "seed": arguments.seed or 0}
    known = {name: value for name, value in options.items() if value is not None}
    assert set(known) <= set(inspect.signature(generate).parameters)
    X, y = generate(**known)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["x1", "x2", "class"])
    writer.writerows(
        [f"{a:.6f}", f"{b:.6f}", label]
        for (a, b), label in zip(X.tolist(), y.tolist(), strict=True)
    )
    return buffer.getvalue(), f"{plural(len(X), 'point')} with the columns x1, x2 and class"
