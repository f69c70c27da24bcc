import io
import os

import pytest

from micrograd_nn.training import ProgressLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    set_width(monkeypatch, 80)


def set_width(monkeypatch, columns):
    size = os.terminal_size((columns, 24))
    monkeypatch.setattr("shutil.get_terminal_size", lambda *args, **kwargs: size)


def shown_by(stream):
    """What stands on the terminal: each carriage return begins the line anew."""
    lines = []
    for line in stream.getvalue().split("\n"):
        cells = ""
        for text in line.split("\r"):
            cells = text + cells[len(text) :]
        lines.append(cells.rstrip())
    return lines


def test_it_is_silent_without_a_terminal(clock):
    stream = io.StringIO()
    line = ProgressLine(stream, clock=clock)
    line.epochs = 2
    line.on_epoch_end(1, {"loss": 1.0})
    line.on_train_end()
    assert stream.getvalue() == ""


def test_it_writes_one_line_over_and_over(clock):
    stream = Terminal()
    line = ProgressLine(stream, clock=clock)
    line.epochs = 3
    for epoch, loss in ((1, 0.123456), (2, 0.5), (3, 0.25)):
        clock.time += 1
        line.on_epoch_end(epoch, {"loss": loss, "lr": 0.1, "time": 1.0})
    line.on_train_end()
    assert shown_by(stream) == ["epoch 3/3 [====================]  loss 0.25", ""]
    assert stream.getvalue().count("\n") == 1


def test_it_is_drawn_a_few_times_a_second(clock):
    stream = Terminal()
    line = ProgressLine(stream, every=0.1, clock=clock)
    line.epochs = 1000
    for epoch in range(1, 1001):
        clock.time += 0.001
        line.on_epoch_end(epoch, {"loss": 1.0})
    assert 9 <= stream.getvalue().count("\r") <= 11
    line.on_train_end()
    assert shown_by(stream)[0].startswith("epoch 1000/1000")


def test_batches_of_a_long_epoch_are_shown(clock):
    stream = Terminal()
    line = ProgressLine(stream, clock=clock)
    line.epochs = 2
    line.on_batch_end(1, 25, 100, 0.75)
    assert shown_by(stream) == ["epoch 1/2 [==                  ]  batch  25/100  loss 0.75"]


@pytest.mark.parametrize("columns", [1, 10, 40, 80])
def test_it_never_wraps(monkeypatch, clock, columns):
    set_width(monkeypatch, columns)
    stream = Terminal()
    line = ProgressLine(stream, clock=clock)
    line.epochs = 10
    line.on_epoch_end(1, {"loss": 0.5, "a_metric_of_a_very_long_name": 0.25, "another_one": 1.0})
    clock.time += 1
    line.on_epoch_end(2, {"loss": 0.5})
    line.on_train_end()
    for text in stream.getvalue().replace("\n", "\r").split("\r"):
        assert len(text) <= max(columns - 1, 1)


def test_a_shorter_line_leaves_no_rest_of_the_longer(clock):
    stream = Terminal()
    line = ProgressLine(stream, clock=clock)
    line.epochs = 2
    line.on_epoch_end(1, {"loss": 0.123456789})
    clock.time += 1
    line.on_epoch_end(2, {"loss": 1.0})
    assert shown_by(stream) == ["epoch 2/2 [====================]  loss 1"]


def test_a_closed_stream_does_no_harm(clock):
    stream = Terminal()
    stream.close()
    ProgressLine(io.StringIO(), clock=clock).show(1, {})
    closed = io.StringIO()
    closed.close()
    ProgressLine(closed, clock=clock).show(1, {"loss": 1.0})
