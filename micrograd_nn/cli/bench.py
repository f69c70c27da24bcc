"""``micrograd-nn bench``: run the measurements of the project's folder ``benchmarks``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import micrograd_nn
from micrograd_nn.cli.parsing import CommandError, Commands, add_command
from micrograd_nn.cli.terminal import Screen

_EXAMPLES = """\
The scripts are in the folder benchmarks of the source, not in the installed package. They install
nothing, and say what they miss.

examples:
  micrograd-nn bench --quick
  micrograd-nn bench compiled_tensor
"""


def add(commands: Commands) -> None:
    """Describe the command to the parser."""
    command = add_command(
        commands, "bench", run, "Run the benchmarks, in a checkout of the source.", _EXAMPLES
    )
    command.add_argument(
        "names", nargs="*", metavar="NAME", help="the scripts to run (default: all)"
    )
    command.add_argument("--quick", action="store_true", help="measure less, in seconds")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Carry out the command: run the scripts one after another, and count those that fail."""
    scripts = _scripts(benchmarks_folder())
    unknown = [name for name in arguments.names if name not in scripts]
    if unknown:
        raise CommandError(f"there is no benchmark {unknown[0]!r}; there are {', '.join(scripts)}")
    failed = []
    for name in arguments.names or scripts:
        screen.line(screen.bold(name))
        sys.stdout.flush()
        command = [sys.executable, str(scripts[name]), *(["--quick"] if arguments.quick else [])]
        if subprocess.run(command, env=_environment(), check=False).returncode != 0:
            failed.append(name)
        screen.line()
    if failed:
        raise CommandError(f"these benchmarks failed: {', '.join(failed)}", code=1)
    return 0


def benchmarks_folder() -> Path:
    """Return the folder of the scripts, beside the package in a checkout."""
    checkout = Path(micrograd_nn.__file__).resolve().parents[1]
    folder = checkout / "benchmarks"
    # An installed package may have some other project's "benchmarks" beside it.
    if not (folder.is_dir() and (checkout / "setup.cfg").is_file()):
        raise CommandError(
            "there is no folder 'benchmarks' beside the package: run this in a checkout of the "
            "source, installed with pip install -e ."
        )
    return folder


def _scripts(folder: Path) -> dict[str, Path]:
    """Return the scripts by name; a file without a main part is there for the others."""
    scripts = {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if "__main__" in path.read_text(encoding="utf-8", errors="replace")
    }
    if not scripts:
        raise CommandError(f"{folder}: there is no script in this folder")
    return scripts


def _environment() -> dict[str, str]:
    """Return the variables under which a script finds this package, installed or not."""
    checkout = str(Path(micrograd_nn.__file__).resolve().parents[1])
    others = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([checkout, *([others] if others else [])])}
