import pytest

from micrograd_nn.nn import MLP
from micrograd_nn.training import (
    SGD,
    EarlyStopping,
    History,
    LearningRate,
    ReduceOnPlateau,
    StepDecay,
    StopOnConvergence,
)


def run(callback, values, name="loss"):
    """Show a callback some values; return the epoch after which it asks to stop, if any."""
    callback.model = MLP(1, [1], seed=0)
    callback.history = History()
    callback.on_train_begin()
    for epoch, value in enumerate(values, start=1):
        callback.on_epoch_end(epoch, {name: value})
        if callback.stop:
            return epoch
    return None


def test_early_stopping_counts_epochs_that_are_no_better():
    assert run(EarlyStopping("loss", patience=2), [3, 2, 2, 1, 1, 1, 0]) == 6
    assert run(EarlyStopping("loss", patience=3), [3, 2, 2, 1, 1, 1, 0]) is None


def test_better_is_by_more_than_min_delta():
    assert run(EarlyStopping("loss", patience=2, min_delta=0.5), [3, 2.6, 2.4, 2.3, 2.2]) == 5


def test_accuracy_is_to_rise():
    stopping = EarlyStopping("val_accuracy", patience=2)
    assert run(stopping, [0.1, 0.5, 0.4, 0.5, 0.6], "val_accuracy") == 4
    assert stopping.best == 0.5
    assert run(EarlyStopping("r2", patience=1, mode="min"), [0.1, 0.2], "r2") == 2


def test_early_stopping_forgets_an_earlier_training():
    stopping = EarlyStopping("loss", patience=2)
    assert run(stopping, [1, 2, 3]) == 3
    assert run(stopping, [9, 8, 7, 6]) is None
    assert stopping.best == 6


def test_convergence_is_a_loss_that_stands_still():
    assert run(StopOnConvergence(tolerance=0.1, patience=2), [5, 4, 4.05, 4, 3]) == 4
    assert run(StopOnConvergence(tolerance=0.1, patience=2), [5, 4, 4.05, 3, 3, 2]) is None
    assert run(StopOnConvergence(tolerance=0.0, patience=1), [1, 0.5, 0.5]) == 3


def test_convergence_goes_on_from_its_state():
    first, second = (StopOnConvergence(tolerance=0.1, patience=3) for _ in range(2))
    run(first, [1, 1, 1])
    second.load_state_dict(first.state_dict())
    second.on_epoch_end(4, {"loss": 1})
    assert second.stop.startswith("converged at epoch 4: loss has moved by at most 0.1 for 3")


def test_a_learning_rate_follows_its_schedule():
    model = MLP(1, [1], seed=0)
    callback = LearningRate(StepDecay(0.8, 0.5, every=1))
    callback.optimizer = SGD(model.parameters(), lr=9.0)
    callback.on_epoch_begin(3)
    assert callback.optimizer.lr == 0.2
    assert callback.state_dict() == {}


def test_a_plateau_is_told_the_value_it_monitors():
    callback = LearningRate(ReduceOnPlateau(0.8, 0.5, patience=1, monitor="val_loss"))
    for epoch in (1, 2):
        callback.on_epoch_end(epoch, {"loss": 1.0 / epoch, "val_loss": 1.0})
    assert callback.schedule(2) == 0.4
    with pytest.raises(ValueError, match="ReduceOnPlateau monitors 'val_loss', which"):
        callback.on_epoch_end(3, {"loss": 1.0})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping(patience=0), "patience must be at least 1"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta must be"),
        (lambda: EarlyStopping(mode="up"), "mode must be 'auto', 'min' or 'max'"),
        (lambda: StopOnConvergence(tolerance=-1), "tolerance must be"),
    ],
)
def test_wrong_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
