"""The same random examples on every run, unless HYPOTHESIS_PROFILE asks for many new ones."""

from micrograd_nn.testing import profiles

profiles.load()
