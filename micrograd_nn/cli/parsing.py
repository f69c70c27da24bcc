"""Arguments: a parser whose errors are one line, and the kinds of values that options take."""

from __future__ import annotations

import argparse
import csv
import errno
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

#: What ``add_subparsers`` returns, which argparse has no public name for.
Commands = Any


#: The exit code after Ctrl-C, as a shell has it: 128 and the number of the signal.
INTERRUPTED = 130


class CommandError(Exception):
    """What the user of the command line is told, in one line.

    Attributes
    ----------
    code : int
        The exit code: 2 for bad usage and bad input, 1 for what failed otherwise.
    program : str
        The command that says it.
    """

    def __init__(self, problem: str, code: int = 2) -> None:
        super().__init__(problem)
        self.code = code
        self.program = "micrograd-nn"


class Parser(argparse.ArgumentParser):
    """A parser that raises ``CommandError``, where argparse would print its usage and exit."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        error = CommandError(f"{message} (see {self.prog} --help)")
        error.program = self.prog
        raise error


def add_command(
    commands: Commands, name: str, run: Callable[..., int], summary: str, details: str
) -> Parser:
    """Add a command to the parser.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    name : str
    run : callable
        Carries it out: ``run(arguments, screen) -> exit code``.
    summary : str
        One line, a sentence.
    details : str
        The end of its help: at least one example.
    """
    command: Parser = commands.add_parser(name, help=summary, description=summary, epilog=details)
    command.set_defaults(run=run, parser=command)
    return command


def one_line(text: str) -> str:
    r"""Return a text as one line that does nothing to a terminal but appear on it.

    >>> one_line("two\nlines, \x1b[31mred\x07")
    'two lines, ?[31mred?'
    """
    joined = " ".join(text.splitlines())
    return "".join(c if c.isprintable() else "?" for c in joined)


# ------------------------------------------------------------------------- the kinds of values


def count(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1)


def seed(text: str) -> int:
    """Read a whole number from 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least or len(text) > 18:
        raise argparse.ArgumentTypeError(f"a whole number from {least} is needed, not {text!r}")
    return number


def positive(text: str) -> float:
    """Read a finite number above 0."""
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, not {text!r}")
    return number


def not_negative(text: str) -> float:
    """Read a finite number from 0."""
    number = _number(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"a number from 0 is needed, not {text!r}")
    return number


def share(text: str) -> float:
    """Read a number from 0, below 1."""
    number = _number(text)
    if not 0 <= number < 1:
        raise argparse.ArgumentTypeError(f"a number from 0 and below 1 is needed, not {text!r}")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def widths(text: str) -> tuple[int, ...]:
    """Read the numbers of units of hidden layers, such as ``16,16``; ``none`` for no layer.

    >>> widths("16,8"), widths("none")
    ((16, 8), ())
    """
    if text.strip().lower() == "none":
        return ()
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = (0,)
    if not all(1 <= width <= 100_000 for width in found):
        raise argparse.ArgumentTypeError(
            f"numbers of units such as 16,16 are needed, or none, not {text!r}"
        )
    return found


def names(text: str) -> tuple[str, ...]:
    """Read names of columns as a CSV file writes them.

    >>> names('width,"depth, in cm"')
    ('width', 'depth, in cm')
    """
    try:
        row = next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of names: {error}") from None
    found = tuple(name.strip() for name in row)
    if not found or not all(found) or len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"different names such as a,b are needed, not {text!r}")
    return found


# -------------------------------------------------------------------------------------- files


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in one line why a file could not be written, if it couldn't."""
    try:
        yield
    except (ImportError, OSError, ValueError) as error:
        folder = Path(path).parent
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, OSError) and not folder.is_dir():
            reason = f"there is no folder {str(folder)!r}: make it first"
        raise CommandError(f"{os.fspath(path)}: it can't be written: {reason}") from None


def check_writable(path: str) -> None:
    """Raise if a file can't be written there, before work is done that would be lost."""
    with writing(path):
        folder = Path(path).parent
        if not folder.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if Path(path).is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if not os.access(path if os.path.exists(path) else folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_text(path: str, text: str) -> None:
    """Write a text file."""
    with writing(path), open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def refuse_same_file(source: str, output: str) -> None:
    """Raise if the output would overwrite the file that is read."""
    try:
        same = os.path.samefile(source, output)
    except (OSError, ValueError):
        return
    if same:
        raise CommandError(f"{output}: this is the file that is read; give another name to -o")


def numbers_by_name(pairs: Sequence[str], names: Sequence[str]) -> dict[str, float]:
    """Read what ``--set`` gives: ``x=2``, ``y=-3``, for the names of an expression.

    >>> numbers_by_name(["x=2", "y = -3"], ["x", "y", "z"])
    {'x': 2.0, 'y': -3.0}
    """
    values: dict[str, float] = {}
    for pair in pairs:
        name, equals, number = (part.strip() for part in pair.partition("="))
        try:
            value = float(number) if equals else math.nan
        except ValueError:
            value = math.nan
        if not name or math.isnan(value):
            raise CommandError(f"--set takes NAME=NUMBER, such as x=2, not {pair!r}")
        if name not in names:
            known = ", ".join(names) or "none"
            raise CommandError(f"there is no {name!r} in the expression; its names are {known}")
        if name in values:
            raise CommandError(f"--set gives {name!r} twice")
        values[name] = value
    return values
