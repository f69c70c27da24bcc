import math

import pytest

from micrograd_nn.training import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LinearWarmup,
    ReduceOnPlateau,
    StepDecay,
)


@pytest.mark.parametrize("t", [0, 1, 2, 3, 9, 10, 11, 29, 30, 99, 100, 150])
def test_schedules_are_their_formulas(t):
    assert Constant(0.3)(t) == 0.3
    assert StepDecay(0.3, 0.5, every=10)(t) == 0.3 * 0.5 ** math.floor(t / 10)
    assert ExponentialDecay(0.3, 0.9)(t) == 0.3 * 0.9**t
    warm = 0.3 * (t + 1) / 10
    assert LinearWarmup(0.3, 10)(t) == (warm if t < 10 else 0.3)
    cosine = 0.01 + 0.5 * (0.3 - 0.01) * (1 + math.cos(math.pi * min(t, 100) / 100))
    assert CosineDecay(0.3, 100, lr_min=0.01)(t) == pytest.approx(cosine, rel=1e-15)
    turn = math.pi * (min(t, 100) - 10) / 90
    after = 0.01 + 0.5 * (0.3 - 0.01) * (1 + math.cos(turn))
    expected = warm if t < 10 else after
    assert CosineDecay(0.3, 100, 0.01, warmup=10)(t) == pytest.approx(expected, rel=1e-15)


def test_a_warmup_goes_over_into_the_next_schedule():
    schedule = LinearWarmup(1.0, 2, then=StepDecay(1.0, 0.1, every=1))
    assert [schedule(t) for t in range(4)] == [0.5, 1.0, 1.0, 0.1]


def test_reduce_on_plateau_waits_for_its_patience():
    schedule = ReduceOnPlateau(1.0, factor=0.5, patience=2, min_delta=0.1, lr_min=0.3)
    rates = []
    for t, loss in enumerate([5.0, 4.0, 3.95, 3.9, 3.5, 3.5, 3.45, 3.45, 3.45]):
        schedule.observe(loss)
        rates.append(schedule(t))
    # 3.95 and 3.9 aren't below 4 by more than 0.1; then neither are two pairs after 3.5
    assert rates == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3]


def test_reduce_on_plateau_of_a_rising_value():
    schedule = ReduceOnPlateau(1.0, factor=0.5, patience=1, mode="max", monitor="accuracy")
    for value in (0.5, 0.6, 0.6):
        schedule.observe(value)
    assert schedule(0) == 0.5


def test_reduce_on_plateau_goes_on_from_its_state():
    first, second = (ReduceOnPlateau(1.0, factor=0.5, patience=3) for _ in range(2))
    for loss in (1.0, 1.0, 1.0):
        first.observe(loss)
    second.load_state_dict(first.state_dict())
    for schedule in (first, second):
        schedule.observe(1.0)
        assert schedule(0) == 0.5


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Constant(0.0), ValueError, "lr must be finite and above 0"),
        (lambda: StepDecay(0.1, every=0), ValueError, "every must be at least 1"),
        (lambda: StepDecay(0.1, every=2.5), TypeError, "every must be a whole number"),
        (lambda: ExponentialDecay(0.1, rate=-1), ValueError, "rate must be"),
        (lambda: CosineDecay(0.1, 10, lr_min=0.2), ValueError, "lr_min must not be above lr"),
        (lambda: CosineDecay(0.1, 10, warmup=10), ValueError, "warmup must be less than steps"),
        (lambda: LinearWarmup(0.1, 5, then=0.1), TypeError, "then must be a schedule"),
        (lambda: ReduceOnPlateau(0.1, factor=1.0), ValueError, "factor must be in"),
        (lambda: ReduceOnPlateau(0.1, mode="up"), ValueError, "mode must be 'min' or 'max'"),
    ],
)
def test_wrong_settings_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_schedules_show_themselves():
    assert repr(CosineDecay(0.1, 10)) == "CosineDecay(0.1, steps=10, lr_min=0, warmup=0)"
    assert (
        repr(LinearWarmup(0.1, 3, Constant(0.1)))
        == "LinearWarmup(0.1, steps=3, then=Constant(0.1))"
    )
