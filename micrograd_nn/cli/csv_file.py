"""The CSV file that a command reads: how it is written, and what helps if it can't be read."""

from __future__ import annotations

import argparse
import os
from typing import Any

from micrograd_nn import data
from micrograd_nn.cli.parsing import CommandError, Parser


def add_options(command: Parser) -> None:
    """Add the options that say how the file is written."""
    group = command.add_argument_group("how the file is written")
    group.add_argument(
        "--delimiter",
        type=_delimiter,
        metavar="C",
        help="what stands between cells, a character or tab (default: found in the header)",
    )
    group.add_argument(
        "--encoding", metavar="NAME", help="such as utf-16 or latin-1 (default: utf-8)"
    )


def read(arguments: argparse.Namespace, target: str | None = None, **options: Any) -> data.Table:
    """Read the file; an error says which option may help."""
    try:
        return data.read_csv(
            arguments.csv,
            target,
            delimiter=arguments.delimiter,
            encoding=arguments.encoding or "utf-8",
            **options,
        )
    except data.DataError as error:
        raise CommandError(f"{error}{_hint(error, arguments, target)}") from None


def options_given(arguments: argparse.Namespace) -> list[str]:
    r"""Return the options as words, for a command that is to read the same file.

    >>> options_given(argparse.Namespace(delimiter="\t", encoding=None))
    ['--delimiter', 'tab']
    """
    words = []
    if arguments.delimiter is not None:
        words += ["--delimiter", "tab" if arguments.delimiter == "\t" else arguments.delimiter]
    if arguments.encoding is not None:
        words += ["--encoding", arguments.encoding]
    return words


def _delimiter(text: str) -> str:
    r"""Read a delimiter.

    >>> _delimiter("tab"), _delimiter(":")
    ('\t', ':')
    """
    character = "\t" if text in ("tab", r"\t") else text
    if len(character) != 1 or character in '"\r\n\0':
        raise argparse.ArgumentTypeError(f"a single character or tab is needed, not {text!r}")
    return character


def _hint(error: data.DataError, arguments: argparse.Namespace, target: str | None) -> str:
    """Return what to do about a file that can't be used, where the command line can help."""
    said = str(error)
    if error.line is None and arguments.csv == "iris.csv" and not os.path.exists("iris.csv"):
        return "; `micrograd-nn data iris -o iris.csv` writes it"
    if "encoding" in said:
        return "; --encoding NAME sets it"
    if "name the delimiter" in said:
        return "; --delimiter C sets it"
    if "a quote missing" in said or "expected a number" not in said or target is None:
        return ""
    if error.column == target:
        return "; --classification takes the values as classes"
    return "; --columns A,B,... chooses the columns to use"
