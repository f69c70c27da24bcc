# `make demo` and `make test` do all the set-up: they need make and Python 3.10 or newer.

PYTHON ?= $(shell for p in python3 python python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin

# An environment knows the folder it was made in: one that was moved or copied along, or whose
# Python has gone, is made anew.
MADE := $(VENV)/.made-$(shell pwd | cksum | cut -d ' ' -f 1)
$(shell $(BIN)/python -c '' 2>/dev/null || rm -f $(MADE))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test mutants lint docs links format bench clean
.PRECIOUS: $(VENV)/.installed-%

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.installed-plot ## train the circle classifier and draw its graph
	@$(BIN)/micrograd-nn demo $(ARGS)

test: $(VENV)/.installed-test,plot ## run the tests; ARGS="-k tanh" goes to pytest
	@$(BIN)/pytest -n 2 $(ARGS)

mutants: $(VENV)/.installed-test,plot ## put mistakes into every rule, and see that all are found
	@$(BIN)/python -m micrograd_nn.testing.mutation

lint: $(VENV)/.installed-dev ## check style, types and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-docs ## build the documentation: docs/_build/html/index.html
	@$(BIN)/sphinx-build -q -W --keep-going -E -b html docs docs/_build/html $(ARGS)
	@echo "Open docs/_build/html/index.html"

links: $(VENV)/.installed-docs ## ask the network whether the links to other sites still lead there
	@$(BIN)/sphinx-build -q -b linkcheck docs docs/_build/links

format: $(VENV)/.installed-dev ## format the code and mend what ruff can
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

bench: $(VENV)/.installed-bench ## measure against what is installed of micrograd, torch and jax
	@$(BIN)/micrograd-nn bench $(ARGS)

clean: ## remove all that make has made, .venv included
	@rm -rf $(VENV) build dist *.egg-info .*_cache .hypothesis micrograd-nn-demo pictures docs/_build docs/_made
	@find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.installed-%: $(MADE) setup.cfg pyproject.toml
	@echo "Installing micrograd_nn[$*] into $(VENV); the first time takes about a minute ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e ".[$*]"
	@touch $@

$(MADE):
	@test -n "$(PYTHON)" || { echo >&2 "Python 3.10 or newer was not found. Install it, or name it:" \
		"make PYTHON=/path/to/python3.12"; exit 1; }
	@command -v "$(PYTHON)" >/dev/null || { echo >&2 "$(PYTHON) was not found."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo >&2 \
		"Python 3.10 or newer is needed; $(PYTHON) is $$("$(PYTHON)" --version 2>&1)." \
		"Name another: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo >&2 \
		"$(PYTHON) lacks the modules venv and ensurepip." \
		"On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version) ..."
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@
