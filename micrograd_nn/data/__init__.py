"""Data to learn from: generated points in the plane, tables read from CSV, and their preparation.

Examples are rows: X has shape (m, n), y has shape (m,). This room imports NumPy and nothing else of
the library, so every function of it works with any other library as well.
"""

from micrograd_nn.data.batching import Batches, batches
from micrograd_nn.data.csv_table import Table, read_csv
from micrograd_nn.data.csv_text import DataError
from micrograd_nn.data.generators import blobs, circles, moons, spirals, xor
from micrograd_nn.data.iris import load_iris
from micrograd_nn.data.preprocessing import Standardizer, one_hot
from micrograd_nn.data.splitting import train_test_split

__all__ = [
    "circles",
    "moons",
    "xor",
    "blobs",
    "spirals",
    "train_test_split",
    "Batches",
    "batches",
    "Standardizer",
    "one_hot",
    "Table",
    "DataError",
    "read_csv",
    "load_iris",
]
