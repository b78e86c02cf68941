# demo · test · lint · types · bench · docs · lock · jars-lock
# Everything is installed into .venv, from lists that pin each file by its hash.

PYTHON ?= python3
NEO4J ?= 2026.08.1
NEO4J_LONG_TERM ?= 5.26.30
# Every worker starts a Neo4j of its own, which one named server cannot be.
WORKERS ?= $(if $(NEO4J_URI),0,auto)

BIN := .venv/bin
PIP := env PIP_USER=0 $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
  --python-version 3.11

.PHONY: demo test lint types bench docs lock jars-lock
.DELETE_ON_ERROR:

demo: .venv/run
	@$(BIN)/theme-register demo $(ARGS)

test: lint types
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

types: .venv/dev
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m bench $(ARGS)

docs: .venv/dev
	$(BIN)/python -m docs.generate

lock: .venv/dev
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock
	$(COMPILE) --group build --constraints requirements-dev.lock --output-file requirements-build.lock

jars-lock: .venv/dev
	$(BIN)/python -m graph.embedded.resolve $(NEO4J)
	$(BIN)/python -m graph.embedded.resolve $(NEO4J_LONG_TERM) --output tests/graph/neo4j-$(NEO4J_LONG_TERM).lock

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON to one")'
	@echo "making the virtual environment .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/made requirements.lock requirements-build.lock pyproject.toml
	@echo "installing what requirements.lock names"
	@$(PIP) install --no-compile --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@echo "installing what requirements-dev.lock names"
	@$(PIP) install --no-compile --require-hashes -r requirements-dev.lock
	@touch $@
