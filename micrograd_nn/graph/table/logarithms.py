"""Rows of the table: x log y with 0 log 0 = 0, as in entropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn.graph import ieee
from micrograd_nn.graph.primitive import primitive
from micrograd_nn.graph.table.elementary import log, log1p


def _over_float(x: float, y: float) -> float:
    return 0.0 if x == 0.0 and y == 0.0 else ieee.divide(x, y)


def _over(x: Any, y: Any) -> Any:
    return np.divide(x, np.where((x == 0) & (y == 0), 1, y).astype(np.asarray(y).dtype))


def x_over_x(g, z, _x, y):
    return g / y


def x_over_y(g, z, x, y):
    return -(g * x_over(x_over(x, y), y))


x_over = primitive(
    "x_over",
    _over,
    (x_over_x, x_over_y),
    on_floats=_over_float,
    notation="{} / {}",
    textbook=("1 / {1}", "-{0} / {1}**2"),
    kinks={"x == 0 and y == 0": "inf by x; the value is 0"},
)


def _xlogy_float(x: float, y: float) -> float:
    return 0.0 if x == 0.0 and y == y else x * ieee.log(y)


def _xlogy(x: Any, y: Any) -> Any:
    return x * np.log(_one_where_unread(x, y, 1))


def _one_where_unread(x: Any, y: Any, one: int) -> Any:
    """Return y, but something harmless where x is 0 and y no NaN."""
    unread = (x == 0) & (y == y)
    return np.where(unread, one, y).astype(np.asarray(y).dtype) if np.any(unread) else y


def xlogy_x(g, z, _x, y):
    return g * log(y)


def xlogy_y(g, z, x, y):
    return g * x_over(x, y)


xlogy = primitive(
    "xlogy",
    _xlogy,
    (xlogy_x, xlogy_y),
    on_floats=_xlogy_float,
    notation="{} log({})",
    textbook=("log({1})", "{0} / {1}"),
    domain="y > 0",
)


def _xlog1py_float(x: float, y: float) -> float:
    return 0.0 if x == 0.0 and y == y else x * ieee.log1p(y)


def _xlog1py(x: Any, y: Any) -> Any:
    return x * np.log1p(_one_where_unread(x, y, 0))


def xlog1py_x(g, z, _x, y):
    return g * log1p(y)


def xlog1py_y(g, z, x, y):
    return g * x_over(x, 1.0 + y)


xlog1py = primitive(
    "xlog1py",
    _xlog1py,
    (xlog1py_x, xlog1py_y),
    on_floats=_xlog1py_float,
    notation="{} log(1 + {})",
    textbook=("log(1 + {1})", "{0} / (1 + {1})"),
    domain="y > -1",
)
