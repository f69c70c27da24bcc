"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from micrograd_nn import Tensor, Value
from micrograd_nn.testing.plugin import Within, explained

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(code: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(code)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error", *options)

    return run


def test_fixture_accepts_and_rejects(run) -> None:
    result = run(
        """
        import pytest
        from micrograd_nn import functional as F

        def test_right(gradcheck):
            assert gradcheck(F.tanh, 0.5).order == 1

        def test_wrong(gradcheck):
            with F.tanh.replaced(lambda g, z, x: g * (1 - z)):
                gradcheck(F.tanh, 0.5)
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*GradientError*", "*at fault: tanh*"])


def test_marker_sets_the_order(run) -> None:
    run(
        """
        import pytest
        from micrograd_nn import functional as F

        @pytest.mark.gradients(order=3)
        def test_marked(gradcheck):
            assert gradcheck(F.sin, 0.5).order == 3
            assert gradcheck(F.sin, 0.5, order=2).order == 2

        @pytest.mark.gradients(order=2)
        class TestGroup:
            def test_inner(self, gradcheck):
                assert gradcheck(F.sin, 0.5).order == 2
        """,
        "--strict-markers",
    ).assert_outcomes(passed=2)


def test_marker_with_positional_arguments_says_what_to_do(run) -> None:
    result = run(
        """
        import pytest

        @pytest.mark.gradients(2)
        def test_marked(gradcheck): ...
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*gradients(order=2)*"])


def test_option_chooses_the_oracle(run) -> None:
    code = """
        from micrograd_nn import functional as F

        def test_oracle(gradcheck):
            assert gradcheck(F.sin, 0.5).oracle == "finite differences"
        """
    run(code, "--gradcheck-oracle=finite").assert_outcomes(passed=1)
    run(code).assert_outcomes(failed=1)
    assert run(code, "--gradcheck-oracle=guess").ret == pytest.ExitCode.USAGE_ERROR


def test_marker_is_listed(run) -> None:
    run("", "--markers").stdout.fnmatch_lines(["@pytest.mark.gradients(order=1*"])


def test_floats_are_compared_in_ulps(run) -> None:
    result = run(
        """
        from micrograd_nn import Value

        def test_gradient():
            x = Value(0.1)
            (x * 3.0).backward()
            assert x.grad == 3.0000000000000004
        """
    )
    result.stdout.fnmatch_lines(["*got 3.0, expected 3.0000000000000004: 1 ULP apart*"])


def test_within_ulps(run) -> None:
    result = run(
        """
        import numpy as np
        from micrograd_nn import Tensor

        def test_gradient(within_ulps):
            x = Tensor([1.0, 2.0, 3.0])
            (x * x).sum().backward()
            assert x.grad == within_ulps([2.0, 4.0, 6.0])
            assert x.grad == within_ulps([2.0, 4.5, 6.0], ulps=2)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*1 of 3 numbers are more than 2 ULP away*", "*[[]1[]]: got 4.0*"])


def test_other_projects_are_left_alone(run, pytester: pytest.Pytester) -> None:
    result = run(
        """
        def test_numbers():
            assert 0.1 + 0.2 == 0.3

        def test_texts():
            assert "a" == "b"
        """
    )
    result.assert_outcomes(failed=2)


def test_a_users_own_fixture_of_the_same_name_wins(run) -> None:
    run(
        """
        import pytest

        @pytest.fixture
        def gradcheck():
            return "mine"

        def test_own(gradcheck):
            assert gradcheck == "mine"
        """
    ).assert_outcomes(passed=1)


def test_nothing_is_imported_before_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_imports():
            assert "pytest_micrograd_nn" in sys.modules
            assert "micrograd_nn" not in sys.modules
            assert "numpy" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)


def test_profiles_of_hypothesis(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from hypothesis import settings

        def test_profile():
            assert settings().max_examples == 5000
        """
    )
    result = pytester.runpytest_subprocess("--hypothesis-profile=nightly", "-W", "error")
    result.assert_outcomes(passed=1)


def test_a_users_own_profile_is_kept(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from hypothesis import settings
        settings.register_profile("quick", max_examples=7)
        """
    )
    pytester.makepyfile(
        """
        import micrograd_nn
        from hypothesis import settings

        def test_profile():
            assert settings.get_profile("quick").max_examples == 7
        """
    )
    for options in ((), ("--hypothesis-profile=quick",)):
        pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)


def test_plugin_can_be_turned_off(run) -> None:
    result = run("def test_x(gradcheck): ...", "-p", "no:micrograd_nn")
    result.assert_outcomes(errors=1)


def test_it_is_found_as_an_entry_point() -> None:
    code = (
        "from importlib.metadata import entry_points;"
        "print([e.value for e in entry_points(group='pytest11') if e.name == 'micrograd_nn'])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "['pytest_micrograd_nn']"


# ---------------------------------------------------------------------------------- comparing


def test_within_compares_what_the_library_makes() -> None:
    assert Within(2.0) == 2.0
    assert Value(2.0) != Within(3.0)
    assert Tensor([1.0, 2.0]).data == Within([1.0, 2.0 + 4e-16])
    assert not np.array([1.0, 2.0]) == Within([1.0])  # noqa: SIM201
    assert np.array([np.nan, np.inf]) == Within([np.nan, np.inf])
    assert np.zeros((0, 3)) == Within(np.zeros((0, 3)))
    assert not 1.0 == Within(np.nan)  # noqa: SIM201, SIM300


def test_explanation_shows_a_few() -> None:
    lines = explained(np.zeros(20), Within(np.ones(20)))
    assert lines is not None
    assert "20 of 20" in lines[1]
    assert lines[-1] == "... and 15 more"
    assert len(lines) == 8
    assert explained(np.zeros(2), Within(np.zeros(3))) is not None
    assert explained("a", "b") is None
    assert explained(1, 2) is None
