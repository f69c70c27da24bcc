"""The scripts find what lies beside them, as when they run."""

import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
MODULES = ("harness", "imports", "workloads", "peers")


@pytest.fixture(autouse=True)
def folder(monkeypatch):
    """Put the folder of the scripts on the path, for one test."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = dict(os.environ)
    yield FOLDER
    os.environ.clear()
    os.environ.update(before)  # harness sets the number of threads
    for name in list(sys.modules):
        if name.partition(".")[0] in MODULES:
            del sys.modules[name]
