"""micrograd-nn bench: runs the scripts of a checkout."""

import pytest

from micrograd_nn.cli import bench


@pytest.fixture
def checkout(folder, monkeypatch):
    """Pretend that the package lies in a checkout with two scripts."""
    package = folder / "micrograd_nn"
    scripts = folder / "benchmarks"
    for path in (package, scripts):
        path.mkdir()
    (folder / "setup.cfg").touch()
    main = "if __name__ == '__main__':\n    "
    (scripts / "shared.py").write_text("raise SystemExit(9)")
    (scripts / "good.py").write_text(
        f"import sys\n{main}open('good.txt', 'w').write(str(sys.argv[1:]))"
    )
    (scripts / "bad.py").write_text(f"{main}raise SystemExit(3)")
    monkeypatch.setattr(bench.micrograd_nn, "__file__", str(package / "__init__.py"))
    return folder


def test_it_runs_a_script(mn, checkout):
    result = mn("bench", "good", "--quick")
    assert (result.code, result.out.split()) == (0, ["good"])
    assert (checkout / "good.txt").read_text() == "['--quick']"


def test_it_runs_all_and_says_which_failed(mn, checkout):
    result = mn("bench")
    assert result.code == 1
    assert result.error == "micrograd-nn bench: error: these benchmarks failed: bad"
    assert (checkout / "good.txt").exists()


def test_an_unknown_script_is_an_error(mn, checkout):
    result = mn("bench", "better")
    assert result.code == 2
    assert "there is no benchmark 'better'; there are bad, good" in result.error


@pytest.mark.parametrize("missing", ["setup.cfg", "benchmarks"])
def test_without_a_checkout_it_is_an_error(mn, checkout, missing):
    (checkout / missing).rename(checkout / "elsewhere")
    result = mn("bench")
    assert result.code == 2
    assert "there is no folder 'benchmarks' beside the package" in result.error
