"""The benchmark of imports reads what Python's -X importtime prints."""

import importlib


def test_a_log_of_imports_is_read_by_modules_own_times():
    imports = importlib.import_module("imports")
    log = """import time: self [us] | cumulative | imported package
import time:      1500 |       1500 |   numpy.version
import time:       250 |       1750 | numpy
"""
    assert imports.parts(log) == {"numpy.version": 1.5, "numpy": 0.25}


def test_a_module_is_imported_in_a_new_process_that_keeps_bytecode(tmp_path):
    imports = importlib.import_module("imports")
    log = imports.importing("micrograd_nn.graph.ieee", str(tmp_path), "-X", "importtime")()
    assert "micrograd_nn.graph.ieee" in imports.parts(log)
    assert list(tmp_path.rglob("ieee*.pyc"))
