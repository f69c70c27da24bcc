"""Run the examples before their pages are read: each page shows what its script printed and drew.

They run anew when one of them or the library has changed. What its
page includes is written to ``_made/<name>/page.md``.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging

ROOT = Path(__file__).parents[2]
MADE = ROOT / "docs" / "_made"
SHARED = "common"

#: How an example tells what it has drawn.
PICTURE = re.compile(r"^  (\S+\.(?:svg|png|gif|html))  +(\S.*)$", re.MULTILINE)

logger = logging.getLogger(__name__)


def _state() -> str:
    """Return a digest of all that outputs depend on."""
    digest = hashlib.sha256()
    for folder in ("examples", "micrograd_nn"):
        for source in sorted((ROOT / folder).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()


def _run(script: Path, state: str) -> None:
    """Run an example, with its pictures beside its output."""
    folder = MADE / script.stem
    stamp = folder / "state"
    if stamp.exists() and stamp.read_text() == state:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ran = subprocess.run(
        [sys.executable, script, "--output", "pictures"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    if ran.returncode:
        raise ExtensionError(f"{script.name} failed:\n{ran.stdout}{ran.stderr}")
    printed = ran.stdout.strip("\n")
    (folder / "output.txt").write_text(f"$ python examples/{script.name}\n{printed}\n")
    (folder / "page.md").write_text("\n".join(_page(script, printed)))
    stamp.write_text(state)
    logger.info("ran examples/%s", script.name)


def _page(script: Path, printed: str) -> Iterator[str]:
    """Yield what the page of a script includes: its output, its pictures, and itself."""
    name = script.stem
    yield "# What it prints\n"
    yield f"```{{literalinclude}} /_made/{name}/output.txt\n:language: text\n```\n"
    pictures = PICTURE.findall(printed)
    if pictures:
        yield "# What it draws\n"
    for file, about in pictures:
        caption = about[0].upper() + about[1:]
        if file.endswith(".html"):
            yield f'<iframe class="page" src="../{name}/{file}" title="{caption}"></iframe>\n'
            yield f"<p class='caption'>{caption}</p>\n"
        else:
            kind = "wide" if file.endswith(".svg") else "plain"
            yield f":::{{figure}} /_made/{name}/pictures/{file}\n:figclass: {kind}\n"
            yield f"{caption}\n:::\n"
    yield "# The script\n"
    yield f"```{{literalinclude}} /../examples/{script.name}\n:language: python\n```\n"


def _run_all(app: Sphinx) -> None:
    scripts = [p for p in sorted((ROOT / "examples").glob("*.py")) if p.stem != SHARED]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(partial(_run, state=_state()), scripts))


def _copy_pages(app: Sphinx, problem: Exception | None) -> None:
    """Put the pages that examples have written beside those that show them."""
    for page in MADE.glob("*/pictures/*.html"):
        folder = Path(app.outdir) / page.parents[1].name
        folder.mkdir(exist_ok=True)
        shutil.copy(page, folder)


def setup(app: Sphinx) -> dict[str, Any]:
    """Run them when a build begins."""
    app.connect("builder-inited", _run_all)
    app.connect("build-finished", _copy_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
