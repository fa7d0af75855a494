# `make run` is the product, `make test` and `make check` are what CI calls.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-servers test-faults check bench format pins venv
.DEFAULT_GOAL := run

$(VENV)/.run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "kfweb needs Python 3.11 or later."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "Python's venv module is missing (Debian: apt install python3-venv)."; exit 1; }
	@echo "Installing the pinned libraries into $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/clients.txt $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/clients.txt
	@touch $@

venv: $(VENV)/.dev

run: $(VENV)/.run
	@$(BIN)/python manage.py up

test: $(VENV)/.dev
	$(BIN)/python -m tests.suite $(ARGS)

test-servers: $(VENV)/.dev
	$(BIN)/python -m tests.with_servers $(BIN)/python -m tests.suite $(ARGS)

# Two minutes by default; KFWEB_TEST_FAULT_MINUTES=30 KFWEB_TEST_FAULT_BLOWS=60 is the full run.
test-faults: $(VENV)/.dev
	$(BIN)/python -m tests.suite --faults tests/faults $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive kfweb accounts trading krakenfutures demovenue --configfile pyproject.toml --severity-level high
	$(BIN)/python -m tests.deploy_check
	$(BIN)/python -m tests.audit_dependencies

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks $(ARGS)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv on the PATH; the pins name no index and no address.
pins:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/run.in -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/dev.in -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/observe.in -o requirements/observe.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/clients.in -o requirements/clients.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header requirements/client_kraken_sdk.in -o requirements/client_kraken_sdk.txt
