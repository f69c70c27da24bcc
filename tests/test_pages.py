"""All code on the pages runs, all links lead somewhere, and no public name is missing."""

import doctest
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import micrograd_nn
from micrograd_nn import cli, data, equations, functional, nn, testing, training
from micrograd_nn.readers import figures

sybil = pytest.importorskip("sybil", reason="sybil is not installed: pip install -e .[test]")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *ROOT.glob("*.md"),
    ROOT / "examples" / "README.md",
    *(page for page in DOCS.rglob("*.md") if not page.relative_to(DOCS).parts[0].startswith("_")),
]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def run_command(example):
    """Run what a reader would type; `make` and `pip` are for a machine without the library."""
    for line in example.parsed.splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] in ("make", "pip", "git", "cd"):
            continue
        command = {
            "micrograd-nn": [sys.executable, "-m", "micrograd_nn"],
            "python": [sys.executable],
            "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        }[words[0]]
        ran = subprocess.run([*command, *words[1:]], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"


@pytest.fixture(scope="module")
def parsers():
    from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    return [
        PythonCodeBlockParser(doctest_optionflags=options),
        CodeBlockParser(language="sh", evaluator=run_command),
    ]


@pytest.mark.usefixtures("table_kept")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_runs(page, parsers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    document = sybil.Sybil(parsers=parsers, path=str(page.parent)).parse(page)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for example in document.examples():
            example.evaluate()


@pytest.mark.usefixtures("table_kept")
def test_the_picture_in_the_readme_is_made_by_the_code_beside_it(parsers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = sybil.Sybil(parsers=parsers[:1], path=str(ROOT)).parse(ROOT / "README.md")
    for example in document.examples():
        example.evaluate()
    assert (tmp_path / "graph.svg").read_text() == (DOCS / "graph.svg").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]+\$", "", page.read_text(), flags=re.DOTALL)
    for target in LINK.findall(prose):
        file, _, _ = target.partition("#")
        if "://" in target or not file or "_made/" in file:
            continue
        assert (page.parent / file).exists(), target


ROOMS = {
    "micrograd_nn": micrograd_nn, "functions": functional, "networks": nn, "training": training,
    "data": data, "figures": figures, "testing": testing, "equations": equations,
}  # fmt: skip
NO_PAGE = {"data", "functional", "losses", "strategies", "properties", "engines"}  # modules
NO_PAGE |= {"Array", "Arrays", "Function", "Activation", "ACTIVATIONS", "LOSSES"}  # of equations


@pytest.mark.parametrize("room", ROOMS)
def test_the_reference_has_every_public_name(room):
    pages = "\n".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    listed = set(re.findall(r"^\.\. auto\w+:: (?:[\w.]*\.)?(\w+)$", pages, re.MULTILINE))
    assert set(ROOMS[room].__all__) - listed - NO_PAGE == set()


def test_the_reference_has_every_command():
    page = (DOCS / "reference" / "command-line.md").read_text()
    commands = re.findall(r'^show_help\("(\w+)"\)$', page, re.MULTILINE)
    assert set(commands) == set(cli.COMMANDS)
