"""Mistakes that are put in on purpose are found, and the report can be trusted."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from micrograd_nn import Value
from micrograd_nn import functional as F
from micrograd_nn.graph.primitive import primitive, table
from micrograd_nn.graph.table.elementary import sin
from micrograd_nn.testing import gradcheck, mutate
from micrograd_nn.testing.mutation import MutationReport, NoSourceError
from micrograd_nn.testing.mutation.changes import changes, off_by_one
from micrograd_nn.testing.mutation.edits import Edit
from micrograd_nn.testing.mutation.reviewed import reviewed
from micrograd_nn.testing.session import collecting


def cube_x(g: Any, z: Any, x: Any) -> Any:
    return g * (3.0 * x * x)


@pytest.fixture
def cube() -> Any:
    row = primitive("cube_of_mutation_test", lambda x: x * x * x, cube_x)
    yield row
    del table[row.name]


# -------------------------------------------------------------------------------- our own table


def test_a_part_of_all_mutants_is_killed() -> None:
    report = mutate(quick=True)
    assert not report.survivors, str(report)
    assert {mutant.kind for mutant in report.killed} == {"rule", "engine", "checker"}
    assert len(report.killed) > 100


def test_nothing_is_left_changed() -> None:
    before = {name: (row.rules, row.pull.__code__.co_code) for name, row in table.items()}
    codes = {rule: rule.__code__ for row in table.values() for rule in row.rules if rule}
    mutate([table["tanh"], table["sum"], table["softmax"]])
    for name, (rules, _) in before.items():
        assert table[name].rules == rules
    assert all(rule.__code__ is code for rule, code in codes.items())
    gradcheck(lambda x: F.tanh(x) * F.sin(x), 0.5, order=3)


def test_units_work_after_their_rules_were_replaced() -> None:
    from micrograd_nn import MLP

    network = MLP(2, [3, 1], seed=0)
    network([0.5, 1.0]).backward()
    first = [p.grad for p in network.parameters()]
    row = table["unit_relu"] if "unit_relu" in table else table["unit_tanh"]
    with row.replaced(*row.rules):
        pass
    network.zero_grad()
    network([0.5, 1.0]).backward()
    assert [p.grad for p in network.parameters()] == first


def test_a_missing_case_is_found() -> None:
    """A suite that never leaves the linear part of tanh lets naive forms survive."""

    def shallow() -> None:
        gradcheck(F.tanh, 0.3)

    report = mutate([F.tanh], checks=[shallow])
    naive = [m for m in report.survivors if "z * z" in m.change]
    assert naive
    assert not mutate([F.tanh]).survivors


# ------------------------------------------------------------------------------- a user's rows


def test_a_users_row_with_samples(cube: Any) -> None:
    report = mutate([cube], samples={cube: [(0.5,), (-1.5,)]})
    assert report.killed
    # differences of a kernel tell 1e-9 from the truth, not 1e-12
    assert all("000000000" in mutant.change for mutant in report.survivors), str(report)


def test_a_users_row_with_checks(cube: Any) -> None:
    def test_cube() -> None:
        x = Value(2.0)
        cube(x).backward()
        assert x.grad == 12.0

    report = mutate([cube], checks=[test_cube])
    assert report.killed
    assert any("x + x" in m.change or "3.0 * x" in m.change for m in report.killed)


def test_weak_checks_are_told(cube: Any) -> None:
    report = mutate([cube], checks=[lambda: None])
    assert not report.killed
    assert not report.passed
    assert "Survivors" in str(report)
    assert "cube_x (rule)" in str(report)
    assert "- return g * (3.0 * x * x)" in str(report)


def test_a_check_that_fails_before_anything_is_changed(cube: Any) -> None:
    def fails() -> None:
        raise AssertionError("always")

    with pytest.raises(AssertionError, match="before it is changed"):
        mutate([cube], checks=[fails])


def test_a_row_without_source() -> None:
    names: dict[str, Any] = {}
    exec("def rule(g, z, x): return g", names)
    row = primitive("sourceless_of_mutation_test", lambda x: x, names["rule"])
    try:
        with pytest.raises(NoSourceError, match="def"):
            mutate([row], checks=[lambda: None])
    finally:
        del table[row.name]


def test_a_lambda_is_refused_with_advice() -> None:
    row = primitive("lambda_of_mutation_test", lambda x: x, lambda g, z, x: g)
    try:
        with pytest.raises(NoSourceError, match="def"):
            mutate([row], checks=[lambda: None])
    finally:
        del table[row.name]


def test_a_reviewed_list_of_ones_own(cube: Any) -> None:
    survivor = mutate([cube], checks=[lambda: None]).survivors[0]
    text = f"[{survivor.name}]\n{survivor.change}\nNobody minds.\n"
    report = mutate([cube], checks=[lambda: None], equivalent=text)
    assert [m.reason for m in report.equivalent] == ["Nobody minds."]
    assert survivor.key not in [m.key for m in report.survivors]


def test_stale_entries_are_told() -> None:
    text = "[sin_x]\n- return g * cos(x)\n+ return g * cos(x) * 1.0\nOnce upon a time.\n"
    report = mutate([sin], equivalent=text)
    assert report.stale == [("sin_x", "- return g * cos(x)\n+ return g * cos(x) * 1.0")]
    assert not report.passed
    assert "Stale" in str(report)


def test_a_session_sees_one_check_that_failed(cube: Any) -> None:
    with collecting() as outcomes:
        report = mutate([sin], checks=[lambda: None])
    assert report.survivors
    assert [(o.check, o.passed) for o in outcomes] == [("mutate", False)]


# ------------------------------------------------------------------------------------ its parts


def written(source: str) -> list[str]:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return [ast.unparse(changed) for changed in changes(function)]


def test_changes_are_all_different() -> None:
    source = "def f(g, z, x):\n    y = x if z > 0 else -x\n    return g * (y + 2.0) / z"
    found = written(source)
    assert len(found) == len(set(found))
    assert ast.unparse(ast.parse(source)) not in found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("g * x", "g / x"),
        ("g * x", "x * x"),
        ("g * x", "g"),
        ("g - x", "x - g"),
        ("g - x", "-x"),
        ("-g", "g"),
        ("f(x, axis=axis)", "f(x, axis=off_by_one(axis))"),
        ("f(x, keepdims=True)", "f(x, keepdims=False)"),
        ("f(g, x)", "f(x, g)"),
        ("f(g)", "g"),
        ("g * 2.0", "g * 2.000000000002"),
        ("g * 2.0", "g * 2.02"),
        ("x[1]", "x[2]"),
        ("g if x > 0 else x", "g if x >= 0 else x"),
        ("g if x > 0 else x", "g if True else x"),
        ("x == 0 and g == 0", "x == 0"),
        ("g @ x", "x @ g"),
    ],
)
def test_a_change(before: str, after: str) -> None:
    head = "def f(g, z, x, axis): return "
    assert ast.unparse(ast.parse(head + after)) in written(head + before)


def test_unread_arguments_are_not_used() -> None:
    assert not any("_x" in text.split("return")[1] for text in written("def f(g, z, _x): return g"))


def test_what_decides_of_a_type_only_is_left_alone() -> None:
    source = "def f(g, x):\n    if isinstance(x, float):\n        x = x.astype(g)\n    return x"
    found = written(source)
    conditions = [text.split("if ")[1].split(":")[0] for text in found]
    assert set(conditions) <= {"isinstance(x, float)", "True", "False"}
    assert all("astype(g)" in text for text in found)


@pytest.mark.parametrize(
    ("axis", "other"), [(0, 1), (-1, -2), (None, 0), ((0, 1), (0,)), ((2,), ())]
)
def test_off_by_one(axis: Any, other: Any) -> None:
    assert off_by_one(axis) == other


def plus_one(x: int) -> int:
    return x + 1


def test_edits_hold_inside_the_block_only() -> None:
    with Edit("", plus_one, "x + 1", "x + 2").made():
        assert plus_one(1) == 3
    assert plus_one(1) == 2


def test_an_edit_of_what_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="has changed"), Edit("", plus_one, "x + 7", "x").made():
        pass


def test_reviewed_list_needs_reasons() -> None:
    with pytest.raises(ValueError, match="no reason"):
        reviewed("[f]\n- a\n+ b\n")
    with pytest.raises(ValueError, match="twice"):
        reviewed("[f]\n- a\n+ b\nso\n\n[f]\n- a\n+ b\nso\n")


def test_our_reviewed_list_has_reasons() -> None:
    entries = reviewed()
    assert len(entries) > 50
    assert all(len(reason) > 15 for reason in entries.values())


def test_empty_report_passes() -> None:
    assert MutationReport().passed
