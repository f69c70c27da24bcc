"""``micrograd-nn check``: run a file, and report every check of gradients in it."""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from micrograd_nn.cli.parsing import CommandError, Commands, add_command
from micrograd_nn.cli.terminal import Screen, plural
from micrograd_nn.testing.session import Outcome, collecting

_EXAMPLES = """\
The file is a Python program that calls gradcheck, check_op or check_backprop of
micrograd_nn.testing. It is run as it is; a check that fails doesn't end it.
The exit code is 1 if any check fails.

examples:
  micrograd-nn check homework.py
"""


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands, "check", run, "Run a file, and report every check of gradients in it.", _EXAMPLES
    )
    command.add_argument("file", metavar="FILE.py", help="a Python program")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command."""
    path = Path(arguments.file)
    if not path.is_file():
        what = "is a folder, not a Python program" if path.is_dir() else "there is no such file"
        raise CommandError(f"{path}: {what}")
    problem = ""
    with collecting() as outcomes, _as_program(path):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as done:
            if done.code not in (None, 0):
                problem = f"it ended with exit code {done.code}"
        except Exception as error:  # noqa: BLE001 (whatever the file raises is told)
            problem = _told(error, path)
    for outcome in outcomes:
        _print(outcome, path, screen)
    if outcomes:
        _sum_up(outcomes, screen)
    if problem:
        raise CommandError(f"{path}: {problem}", code=1)
    if not outcomes:
        raise CommandError(f"{path}: no check was run; call gradcheck, check_op or check_backprop")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


@contextmanager
def _as_program(path: Path) -> Iterator[None]:
    """Let the file find its neighbours, and see itself as the program that is run."""
    before = sys.path[:], sys.argv
    sys.path.insert(0, str(path.resolve().parent))
    sys.argv = [str(path)]
    try:
        yield
    finally:
        sys.path[:], sys.argv = before


def _told(error: Exception, path: Path) -> str:
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).name == path.name
    ]
    where = f"line {lines[-1]}: " if lines else ""
    if isinstance(error, SyntaxError):
        where = f"line {error.lineno}: " if error.lineno else ""
        return f"{where}{error.msg}"
    return f"{where}{type(error).__name__}: {error}"


def _print(outcome: Outcome, path: Path, screen: Screen) -> None:
    sign = screen.good("✓") if outcome.passed else screen.bad("✗")
    file, _, number = outcome.line.rpartition(":")
    where = f"line {number}" if os.path.basename(file) == path.name else outcome.line
    screen.line(f"{sign} {screen.bold(outcome.subject)}  {screen.dim(outcome.check)}, {where}")
    for line in outcome.text.splitlines():
        screen.line(f"    {screen.bad(line) if line.lstrip().startswith('✗') else line}")
    screen.line()


def _sum_up(outcomes: Sequence[Outcome], screen: Screen) -> None:
    wrong = [outcome for outcome in outcomes if not outcome.passed]
    if not wrong:
        screen.line(screen.good(f"{plural(len(outcomes), 'check')} passed"))
        return
    screen.line(screen.bad(f"{len(wrong)} of {plural(len(outcomes), 'check')} failed"))
