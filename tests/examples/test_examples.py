"""Every example runs, shortened, as a user runs it: it verifies what it claims, and draws."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "common")
WRITTEN = re.compile(r"^  (\S+\.(?:svg|png|gif|html))  +\S", re.MULTILINE)


def run(name, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", FOLDER / f"{name}.py", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        **options,
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_runs(name, tmp_path):
    ran = run(name, "--quick", "--output", "drawn", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "  ✓ " in ran.stdout
    pictures = WRITTEN.findall(ran.stdout)
    assert pictures
    assert sorted(pictures) == sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert all((tmp_path / "drawn" / picture).stat().st_size > 500 for picture in pictures)


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_tells_what_it_is_about(name):
    ran = run(name, "--help")
    assert ran.returncode == 0
    assert {"--seed", "--quick", "--output"} <= set(re.findall(r"--\w+", ran.stdout))
    (first, *_) = (FOLDER / f"{name}.py").read_text().removeprefix('"""').splitlines()
    assert first.removesuffix('"""') in ran.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_has_a_page(name):
    page = ROOT / "docs" / "examples" / f"{name}.md"
    assert f"_made/{name}/page.md" in page.read_text()
    assert f"{name}.py" in (FOLDER / "README.md").read_text()


def test_a_claim_that_does_not_hold_ends_an_example(tmp_path):
    program = "import common\ncommon.verify(1 < 2, 'less')\ncommon.verify(2 < 1, 'more')\nprint(3)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=FOLDER, capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout == "  ✓ less\n"
    assert "✗ more" in ran.stderr


def test_without_matplotlib_figures_are_left_out(tmp_path):
    blocked = (
        "import sys; sys.modules['matplotlib'] = None; sys.argv = sys.argv[1:]; import runpy; "
    )
    blocked += (
        f"sys.path.insert(0, {str(FOLDER)!r}); runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    script = FOLDER / "s2_two_layers.py"
    ran = subprocess.run(
        [sys.executable, "-c", blocked, script, "--quick", "--output", "drawn"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "regions.png is left out" in ran.stdout
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["graph.svg"]
