"""``python -m micrograd_nn.testing.mutation``: print the report; exit code 1 for a survivor."""

import sys

from micrograd_nn.testing.mutation.run import mutate

if __name__ == "__main__":
    report = mutate(quick="--quick" in sys.argv[1:])
    print(report)
    sys.exit(0 if report.passed else 1)
