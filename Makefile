# Two commands matter: `make demo` and `make test`. Each makes its own environment in .venv.

PYTHON ?= python3
BIN := .venv/bin
export XDG_CACHE_HOME := $(CURDIR)/.cache
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test quick lint check format clean

demo: .venv/installed  ## Train a small GAN on clothes for a few minutes and show what it draws
	$(BIN)/python -m genjax.train --config=configs/demo.py --workdir=runs/demo

test: .venv/tested  ## Run the tests: all but studies (marked slow); those marked optimized compile as a user's runs do
	$(BIN)/python -m pytest -n 3 --dist=worksteal -m 'not slow and not optimized'
	XLA_FLAGS= $(BIN)/python -m pytest -n 3 --dist=worksteal -m 'not slow and optimized'

quick: .venv/tested  ## Run the unit tests that take no longer than a moment, after each edit
	$(BIN)/python -m pytest -n 2 --dist=worksteal -m 'not slow and not heavy' \
		--ignore=tests/runs --ignore=tests/faults --ignore=tests/experiments

lint: .venv/tested  ## Look for mistakes and unformatted code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

check: lint test  ## What CI runs

format: .venv/tested  ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove what make made, but no run
	rm -rf .venv .cache .pytest_cache .ruff_cache

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit("genjax needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'
	touch $@
