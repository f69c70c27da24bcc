"""``python -m micrograd_nn`` is the command ``micrograd-nn``."""

import sys

from micrograd_nn.cli import main

if __name__ == "__main__":
    sys.exit(main())
