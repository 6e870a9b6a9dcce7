# `make help` lists everything; CI, pre-commit and people call the same targets.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STUBS := .venv-proto
PACKAGES := trisect nodes coordinator
SETUP := $(VENV)/.setup
PROTOS := $(shell find proto -name '*.proto')

# What one process has compiled serves all others: test processes and daemons would each compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test fmt lint type arch proto proto-check bench check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SETUP) ## make .venv with trisect, trisect-node and trisect-coordinator

$(SETUP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: --editable . --group dev
	@touch $@

demo: setup ## run the main job on this machine, from nothing to verified hits
	$(BIN)/trisect demo

test: setup ## run every test
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder

fmt: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

lint: setup ## style and likely mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: setup ## types, strictly
	$(BIN)/mypy

arch: setup ## the floors of the house
	$(BIN)/lint-imports

$(STUBS)/.setup: Makefile
	$(PYTHON) -m venv $(STUBS)
	$(STUBS)/bin/python -m pip install --quiet --disable-pip-version-check grpcio-tools==1.72.2 mypy-protobuf==5.1.0 protobuf==6.33.6
	@touch $@

proto: setup $(STUBS)/.setup ## generate trisect/wire/v1 from proto/
	PROTOC_BIN=$(STUBS)/bin $(BIN)/python tools/generate_stubs.py trisect/wire/v1

proto-check: setup $(STUBS)/.setup ## the committed stubs are what proto/ generates
	PROTOC_BIN=$(STUBS)/bin $(BIN)/python tools/generate_stubs.py --check trisect/wire/v1

bench: setup ## figures as ratios against peers in the same run
	$(BIN)/python -m bench

check: lint type arch proto-check ## everything that runs no test

clean: ## remove what setup and tests made
	rm -rf $(VENV) $(STUBS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
