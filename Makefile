# Everything the project does by hand or in CI. `make help` lists it.
#
# Each goal may be run again at any time: the stamps in .venv/ remember what is installed, and only a changed lock file
# or pyproject.toml installs anything again.

PYTHON ?= python3
# Not taken from the environment, where some shells keep the machine's name: opening to a network is asked for by name.
HOST = 127.0.0.1
PORT ?= 8080
# Passed on to pytest, for example: make test PYTEST_ARGS='-k schedule'
PYTEST_ARGS ?=
# Passed on to uv, for example: make lock LOCK_ARGS=--upgrade
LOCK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# Wheels alone are installed: nothing is compiled, and no package runs a script of its own while it is installed.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv
PIP_LOCKED := $(PIP_INSTALL) --require-hashes --only-binary :all:
# The project itself is built from the locked setuptools, so this step needs no network.
PIP_PROJECT := $(PIP_INSTALL) --no-index --no-deps --no-build-isolation --editable .
# One version of each package for every Python: two versions of pint would be two arithmetics.
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--only-binary :all: --generate-hashes --no-header --no-annotate --no-emit-index-url $(LOCK_ARGS)

.DEFAULT_GOAL := help
# The recipes share one environment, and the order of the gate is part of its message.
.NOTPARALLEL:
.PHONY: help run test lint format bench openapi lock clean
# A recipe that fails must not leave half a file that looks finished.
.DELETE_ON_ERROR:

help: ## list these goals
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/installed-runtime ## serve on http://127.0.0.1:8080 (change with HOST and PORT)
	HOST=$(HOST) PORT=$(PORT) exec $(BIN)/gunicorn --config gunicorn.conf.py 'dosing_service.wsgi:application()'

test: lint ## the whole gate: lint, types, import rules, knowledge, tests with coverage
	$(BIN)/dosing-service knowledge validate
	$(BIN)/python -m pytest --cov --numprocesses auto --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/installed-dev ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/installed-dev ## rewrite the code in the project's style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/installed-dev ## measure, and print the ratios
	$(BIN)/python -m bench

openapi: $(VENV)/installed-runtime ## write openapi.yaml from the code
	$(BIN)/dosing-service openapi > openapi.yaml.new
	mv openapi.yaml.new openapi.yaml

lock: $(VENV)/installed-dev ## write both lock files anew (newest versions: LOCK_ARGS=--upgrade)
	$(UV_COMPILE) --group build --output-file requirements.lock pyproject.toml
	$(UV_COMPILE) --group build --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove what these goals made
	rm -rf $(VENV) build dist *.egg-info .coverage htmlcov openapi.yaml.new
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find dosing_service schemas tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Follows the link of .venv/bin/python, so an environment whose interpreter was removed is made anew.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo >&2; \
		echo "dosing-service needs Python 3.11 or newer; '$(PYTHON)' is not: it says \"$$($(PYTHON) --version 2>&1)\"." >&2; \
		echo "Install one and name it, for example: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/installed-runtime: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP_LOCKED) --requirement requirements.lock
	$(PIP_PROJECT)
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed-runtime | $(BIN)/python
	$(PIP_LOCKED) --requirement requirements-dev.lock
	@touch $@
