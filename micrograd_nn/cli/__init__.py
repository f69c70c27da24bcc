"""The command line, ``micrograd-nn COMMAND``.

Each command is a file of this room, with a function ``add`` that describes it to the parser and a
function ``run`` that carries it out. What goes wrong is said in one line on the standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from micrograd_nn import __version__
from micrograd_nn.cli import bench, check, data, demo, draw, explain, predict, train
from micrograd_nn.cli.parsing import INTERRUPTED, CommandError, Parser, one_line
from micrograd_nn.cli.terminal import Screen, shorten
from micrograd_nn.data import DataError
from micrograd_nn.training import CheckpointError
from micrograd_nn.training.interrupts import dealt_with

__all__ = ["main"]

COMMANDS = {
    "demo": demo,
    "train": train,
    "predict": predict,
    "data": data,
    "draw": draw,
    "explain": explain,
    "check": check,
    "bench": bench,
}

#: The exit code when the reader of a pipe has gone.
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        The exit code: 0 if all went well, 2 for bad usage or bad input, 1 for what failed
        otherwise, 130 after Ctrl-C.

    Examples
    --------
    >>> main(["--version"])
    micrograd-nn ...
    0
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # An arrow must not end a training on a terminal that has no arrows.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _run(arguments)
        _flush()
    except SystemExit as done:  # after --help and --version
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        dealt_with()
        _complain("micrograd-nn", "interrupted", kind="")
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return BROKEN_PIPE
    except CommandError as error:
        _complain(error.program, str(error))
        return error.code
    except (DataError, CheckpointError) as error:
        _complain("micrograd-nn", str(error))
        return 2
    except OSError as error:
        place = "" if error.filename is None else f"{error.filename}: "
        _complain("micrograd-nn", f"{place}{error.strerror or error}")
        return 2
    except MemoryError:
        _complain("micrograd-nn", "there is not enough memory; try fewer units or smaller batches")
        return 1
    except Exception as error:  # a user of the command line is shown no traceback
        if os.environ.get("MICROGRAD_NN_TRACEBACK"):
            raise
        problem = f"{type(error).__name__}: {error}"
        hint = "this is a fault of micrograd_nn; MICROGRAD_NN_TRACEBACK=1 shows where"
        _complain("micrograd-nn", f"{problem} ({hint})")
        return 1
    return code


def _run(arguments: list[str]) -> int:
    parser = _parser()
    name = next((text for text in arguments if not text.startswith("-")), None)
    if not arguments:
        parser.print_help()
        raise CommandError(f"name a command: {', '.join(COMMANDS)}")
    if name is not None and name == arguments[0] and name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        raise CommandError(f"there is no command {shorten(name, 40)!r}; {hint}")
    if name == "draw":
        arguments = draw.protected(arguments)
    known, rest = parser.parse_known_args(arguments)
    chosen: Parser = getattr(known, "parser", parser)
    if rest:
        chosen.error(f"unknown arguments: {' '.join(rest)}")
    if chosen is parser:
        parser.error(f"name a command: {', '.join(COMMANDS)}")
    try:
        # NaN and infinity are looked for in the results; warnings of them would say it twice.
        with np.errstate(all="ignore"):
            code: int = known.run(known, Screen())
    except CommandError as error:
        error.program = chosen.prog
        raise
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="micrograd-nn",
        description="Neural networks as computation graphs that you can read.",
        epilog="examples:\n"
        "  micrograd-nn demo\n"
        "  micrograd-nn data iris -o iris.csv\n"
        "  micrograd-nn train iris.csv --target species\n"
        '  micrograd-nn draw "x*y + tanh(x)" --set x=2 --set y=-3\n\n'
        "micrograd-nn COMMAND --help describes a command.",
    )
    parser.add_argument("--version", action="version", version=f"micrograd-nn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in COMMANDS.values():
        module.add(commands)
    return parser


def _complain(program: str, problem: str, kind: str = "error: ") -> None:
    """Write one line to the standard error."""
    # Where it cannot be written either, the exit code must say it all.
    with contextlib.suppress(OSError, ValueError):
        screen = Screen(sys.stderr)
        screen.line(f"{program}: {screen.bad(kind)}{one_line(problem)}")


def _flush() -> None:
    """Write what is still to be written, so that an error of it is told as all others are."""
    if sys.stdout is not None:  # a process may be started without
        sys.stdout.flush()


def _close_stdout() -> None:
    """Send what is still to be written to nowhere; Python would try again as it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
