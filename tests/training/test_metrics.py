import numpy as np
import pytest

from micrograd_nn.graph.tensor import Tensor
from micrograd_nn.training import accuracy, confusion_matrix, mae, metrics, mse, r2


def test_accuracy_of_probabilities():
    assert accuracy([0.9, 0.4, 0.6, 0.5], [1, 0, 0, 0]) == 0.75  # 0.5 isn't above ½
    assert accuracy(np.array([[0.9], [0.4]]), np.array([1, 0])) == 1.0
    assert accuracy(Tensor([[0.9], [0.4]]), np.array([[1.0], [1.0]])) == 0.5


def test_the_threshold_is_never_guessed_from_the_predictions():
    assert accuracy([0.9, 0.2, 0.4], [1, 1, 1]) == pytest.approx(1 / 3)
    assert accuracy([3.0, 0.2, -1.0], [1, 1, 0], threshold=0.0) == 1.0
    for metric in (accuracy, confusion_matrix):
        with pytest.raises(ValueError, match=r"3 is no probability: pass threshold=0\.0"):
            metric([0.2, 3.0, -1.0], [1, 1, 0])


@pytest.mark.parametrize(
    ("prediction", "target"),
    [
        ([0.9, np.nan], [1, 0]),
        ([0.9, np.nan], [1, -1]),
        ([[0.9], [np.nan]], [1, 0]),
        ([[0.9, 0.1], [np.nan, 1.0]], [0, 0]),
    ],
)
def test_a_prediction_of_nan_is_in_no_class(prediction, target):
    assert np.isnan(accuracy(prediction, target))
    with pytest.raises(ValueError, match="confusion_matrix: the prediction of example 1 is NaN"):
        confusion_matrix(prediction, target)


def test_accuracy_of_scores():
    assert accuracy([0.3, -0.2, 0.0], [1, -1, -1]) == 1.0


def test_accuracy_of_several_classes():
    logits = [[3.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 5.0, 1.0]]
    assert accuracy(logits, [0, 2, 0]) == pytest.approx(2 / 3)
    assert accuracy(logits, np.eye(3)[[0, 2, 0]]) == pytest.approx(2 / 3)
    assert accuracy(logits, np.array([[0], [2], [1]])) == 1.0
    assert accuracy(logits, [0.0, 2.0, 1.0]) == 1.0


def test_confusion_matrix():
    table = confusion_matrix([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 1, 2])
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert confusion_matrix([1.0, -1.0], [1, -1]).tolist() == [[1, 0], [0, 1]]
    assert confusion_matrix([0.9, 0.1], [1, 0], classes=3).shape == (3, 3)


def test_regression_metrics_pair_columns_with_vectors():
    p, y = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 3.0, 2.0])
    assert mae(p, y) == 1.0
    assert mse(p, y) == pytest.approx(5 / 3)
    assert r2(p, y) == pytest.approx(1 - 5 / 2)


def test_r2_of_several_outputs_is_their_mean():
    y = np.array([[0.0, 1.0], [2.0, 1.0]])
    p = np.array([[0.0, 1.0], [2.0, 1.0]])
    assert r2(p, y) == 1.0
    p[0, 1] = 0.0  # the constant column is missed: 0
    assert r2(p, y) == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accuracy([], []), "no pairs"),
        (lambda: accuracy([0.5], [1, 0]), "no pairs"),
        (lambda: accuracy([0.5, 0.2], [[1, 0], [0, 1]]), "can't have targets of shape"),
        (lambda: accuracy([0.5, 0.2], [2, 0]), "needs targets 0 and 1, or −1 and 1"),
        (lambda: accuracy([[1.0, 2.0]], [2]), "labels must be 0 ... 1, got 2 ... 2"),
        (lambda: accuracy([[1.0, 2.0]], [[0.5, 0.5]]), "one-hot"),
        (lambda: accuracy(np.zeros((2, 2, 2)), [0, 1]), r"needs predictions"),
        (lambda: confusion_matrix([0.1], [0], classes=1), "more than classes=1"),
        (lambda: mse([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]), "mse: the prediction has shape"),
        (lambda: mae([], []), "no examples"),
        (lambda: metrics.by_name("auc"), "no metric 'auc': there are accuracy, mae, mse, r2"),
        (lambda: metrics.named(["mae", "mae"]), "two metrics are named 'mae'"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_metrics_are_chosen_by_name_function_or_dict():
    def worst(prediction, target):
        return float(np.max(np.abs(prediction - target)))

    assert list(metrics.named(["mae", worst])) == ["mae", "worst"]
    assert list(metrics.named({"w": worst})) == ["w"]
    assert list(metrics.named("r2")) == ["r2"]


@pytest.mark.parametrize(
    ("loss", "target", "threshold"),
    [
        ("binary_cross_entropy_with_logits", [0, 1], 0.0),
        ("binary_cross_entropy", [0, 1], 0.5),
        ("soft_iou", [0, 1], 0.5),
        ("hinge", [1, 1], 0.0),
        ("mse", [0, 1], 0.5),
        ("mae", [-1, 1], 0.0),
        ("the function svm", [-1, 1], 0.0),
        ("the function svm", [0, 1], None),
    ],
)
def test_the_loss_and_the_targets_tell_where_the_class_begins(loss, target, threshold):
    assert metrics.threshold_by(loss, target) == threshold
