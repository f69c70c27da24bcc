"""The stepper: a page that goes through both passes over a graph, one event at a time."""

from micrograd_nn.readers.stepper.embedded import Stepper
from micrograd_nn.readers.stepper.page import page
from micrograd_nn.readers.stepper.record import Record, record

__all__ = ["Record", "Stepper", "page", "record"]
