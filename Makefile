# Two commands matter: `make demo` and `make test`. Both make their own environment in .venv.

PYTHON ?= python3
BIN := .venv/bin
export XDG_CACHE_HOME := $(CURDIR)/.cache
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check format clean

demo: .venv/installed  ## Train a small GAN on clothes for a few minutes and show what it draws
	$(BIN)/python -m genjax.train --config=configs/demo.py --workdir=runs/demo

test: .venv/tested  ## Run the default test suite
	$(BIN)/python -m pytest -n 3 --dist=worksteal

check: .venv/tested  ## What CI runs: lint, format, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 3 --dist=worksteal

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
