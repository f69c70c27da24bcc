"""How the documentation is built: ``make docs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import micrograd_nn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

# Cells run in a profile of their own: whatever stands in the reader's can't change them.
PROFILE = HERE / "_build" / "ipython" / "profile_default"
PROFILE.mkdir(parents=True, exist_ok=True)
(PROFILE / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.log_level = 40\n")
os.environ["IPYTHONDIR"] = str(PROFILE.parent)

project = "micrograd_nn"
author = "micrograd_nn contributors"
copyright = author
version = release = micrograd_nn.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    # Ours: what has to be there before pages are read, and formulas that need no network.
    "example_outputs",
    "operation_table",
    "mathml",
]
exclude_patterns = ["_build", "_made"]

# Pages are notebooks: each is run from its top, and a cell that raises an error ends the build.
nb_execution_mode = "force"
nb_execution_in_temp = True  # what a cell writes isn't left among the pages
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more than the annotations
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_param = False  # types are words here, not names to link
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = "micrograd_nn"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7db4f0", "color-brand-content": "#7db4f0"},
}
pygments_style, pygments_dark_style = "friendly", "monokai"

# `make links` asks the network; the links between pages are checked by every build.
linkcheck_anchors = False
