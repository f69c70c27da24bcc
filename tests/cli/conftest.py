"""A command line to call, in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from micrograd_nn.cli import main


@dataclass
class Result:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    @property
    def error(self):
        """The one line that it complained in."""
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.rstrip("\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("MICROGRAD_NN_TRACEBACK", raising=False)
    return tmp_path


@pytest.fixture
def mn(folder, capsys):
    """Run micrograd-nn with these arguments."""

    def mn(*arguments):
        code = main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return mn
