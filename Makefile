# Two commands matter: `make demo` and `make test`. Each makes its own environment in .venv.
# `make test PYTHON=python3.13 CONSTRAINTS=` makes it anew, with that Python and the newest packages.

PYTHON ?= python3
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
export XDG_CACHE_HOME := $(CURDIR)/.cache
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-most test-optimized quick lint docs check format clean

demo: .venv/installed  ## Train a small GAN on clothes for a few minutes and show what it draws
	$(BIN)/python -m genjax.train --config=configs/demo.py --workdir=runs/demo

test: .venv/tested  ## Run the tests: all but studies (marked slow); those marked optimized compile as a user's runs do
	$(MAKE) --jobs=2 test-most test-optimized

test-most: .venv/tested
	$(BIN)/python -m pytest -n 3 --dist=worksteal -m 'not slow and not optimized'

test-optimized: .venv/tested
	XLA_FLAGS= $(BIN)/python -m pytest -m 'not slow and optimized' $$(grep -rl mark.optimized tests)

quick: .venv/tested  ## Run the unit tests that take no longer than a moment, after each edit
	$(BIN)/python -m pytest -n 2 --dist=worksteal -m 'not slow and not heavy' \
		--ignore=tests/runs --ignore=tests/faults --ignore=tests/experiments

lint: .venv/tested  ## Look for mistakes and unformatted code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: .venv/documented  ## Build the site into .cache/site/html, without a warning; CHECK=linkcheck follows links
	$(BIN)/python -m docs.site.build $(if $(CHECK),-b $(CHECK))

check: lint test  ## What CI runs

format: .venv/tested  ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove what make made, but no run
	rm -rf .venv .cache .pytest_cache .ruff_cache

# The stamps hold the choices that they were made with; one on the command line that differs is carried out.
FORCE:
given = $(filter-out file,$(origin $(1)))
ifneq ($(call given,PYTHON),)
ifneq ($(PYTHON),$(shell cat .venv/python 2>/dev/null))
.venv/python: FORCE
endif
endif
ifneq ($(call given,CONSTRAINTS),)
ifneq ($(CONSTRAINTS),$(shell cat .venv/installed 2>/dev/null))
.venv/installed: FORCE
endif
endif

PIP_INSTALL := $(BIN)/python -m pip install -q $(if $(CONSTRAINTS),-c $(CONSTRAINTS),--upgrade)

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit("genjax needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear .venv
	echo '$(PYTHON)' > $@

.venv/installed: .venv/python pyproject.toml $(CONSTRAINTS)
	$(PIP_INSTALL) -e .
	echo '$(CONSTRAINTS)' > $@

.venv/tested: .venv/installed
	$(PIP_INSTALL) -e '.[test]'
	touch $@

.venv/documented: .venv/installed
	$(PIP_INSTALL) -e '.[docs]'
	touch $@
