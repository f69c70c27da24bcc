import numpy as np
from programs import array, backward, check, given, lines

import micrograd_nn.functional as F
from micrograd_nn import Tensor
from micrograd_nn.graph.order import toposort
from micrograd_nn.readers.explain.guards import guards
from micrograd_nn.readers.explain.naming import users_of


def found(root):
    order = toposort(root)
    return guards(order, users_of(order))


def test_the_guards_of_cross_entropy_are_not_shown():
    P = Tensor([[0.2, 0.8], [0.5, 0.5]], name="P")
    for loss in (F.categorical_cross_entropy, F.binary_cross_entropy):
        explanation = check(loss(P, np.eye(2)).named("L"))
        assert "where" not in str(explanation)
        assert "where" not in explanation.numpy().split("def forward_backward")[1]


def test_a_mask_is_shown():
    x = Tensor([0.5, 0.0, -2.0], name="x")
    mask = x.data > 0
    written = str(check(np.sum(np.where(mask, x, 0.0)).named("L")))
    assert "where(" in written
    assert not found(np.sum(np.where(mask, x, 0.0)))


def test_a_mask_times_a_factor_that_is_not_0_there_is_shown():
    x = Tensor([0.5, 1.0, 2.0], name="x")
    weights = np.array([1.0, 2.0, 3.0])
    root = np.sum(weights * np.where(np.array([True, False, True]), x, 0.0))
    assert not found(root)
    check(root.named("L"))


def test_a_choice_between_two_values_by_a_comparison_is_no_guard():
    x = Tensor([0.5, 1.0], name="x")
    assert not found(np.sum(np.where(x > 0, x * x, x)))  # of other numbers it may choose the other
    assert found(np.sum(np.where(x > 0, np.log(x), 0.0)))


def test_a_guard_whose_value_is_used_elsewhere_is_shown():
    x = Tensor([0.5, 1.0], name="x")
    guarded = np.where(np.array([True, False]), 1.0, x)
    root = np.sum(np.array([0.0, 3.0]) * np.log(guarded)) + np.sum(guarded)
    assert not found(root)
    check(root.named("L"))


def test_a_condition_that_holds_throughout():
    x = Tensor([0.5, 1.0], name="x")
    assert backward(check(np.sum(np.where(np.ones(2), x * x, 7.0)).named("L"))) == ["dx = 2 x"]
    assert backward(check(np.sum(np.where(np.zeros(2), 7.0, x * x)).named("L"))) == ["dx = 2 x"]


def test_a_branch_that_is_repeated_is_kept():
    x = Tensor([0.5, 1.0], name="x")
    check(np.sum(np.where(np.ones((3, 2)), x, 0.0) * given(array(3, 2), "c")).named("L"))


def test_soft_iou_has_no_guards():
    P = Tensor(np.full((3, 4), 0.3) + 0.1 * np.eye(3, 4), name="P")
    explanation = check(F.soft_iou(P, np.eye(3, 4)).named("L"))
    assert "where" not in str(explanation)
    assert lines(explanation)[0].endswith(" = P ∘ Y")
