"""Where everything stands in a picture: cards in layers, boxes in boxes, smooth edges between."""

from micrograd_nn.readers.layout.bundles import Edge, Group
from micrograd_nn.readers.layout.nested import Box, Layout, layout

__all__ = ["Box", "Edge", "Group", "Layout", "layout"]
