# What a newcomer needs. Assumes python3.11 and make, nothing else.
PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv
STATE := $(or $(OTKLIK_HOME),$(CURDIR))
export UV_NO_PROGRESS = 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-load bench-pages bench-warehouse bench-quality bench-screens stop clean environments chromium

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install both environments from their locks; does nothing when they are in place
	@$(MAKE) --no-print-directory --jobs=2 environments

demo: setup ## Set up, load the made-up region, run its last night, print addresses and logins
	$(BIN)/python -m otklik.demo

test: setup .venv/.dev chromium ## Run all tests
	@# Files run two at a time, in their order: pytest-xdist would begin with those of most tests, and end with the one
	@# that takes longest. The services of the end-to-end tests want the machine for themselves; the first of these tests
	@# waits until a whole night was run.
	@failed=0; \
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=10 tests/integration tests/unit \
		|| failed=1; \
	$(BIN)/python -m pytest --timeout=1200 --durations=10 tests/e2e || failed=1; \
	[ $$failed = 0 ] || $(BIN)/python -m pytest --cache-show=cache/lastfailed; \
	exit $$failed

lint: setup .venv/.dev ## Check style, SQL and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project
	$(BIN)/mypy

bench: bench-load bench-pages bench-warehouse bench-quality bench-screens ## Measure every speed figure, a line each; two hours

bench-load: setup benchmarks/.venv/.installed ## Measure the load of files beside bare COPY and dlt; 30 GB in TMPDIR
	@$(BIN)/python -m benchmarks.load

bench-pages: setup ## Measure the pull of pages
	@$(BIN)/python -m benchmarks.pages

bench-warehouse: setup ## Measure a night and a full refresh of the models; 80 GB in TMPDIR
	@$(BIN)/python -m benchmarks.models

bench-quality: setup ## Measure what checks and publishing add to a night; 10 GB in TMPDIR
	@$(BIN)/python -m benchmarks.quality

bench-screens: setup .venv/.dev chromium ## Measure what readers of dashboards wait for; 10 GB in TMPDIR
	@$(BIN)/python -m benchmarks.screens

stop: ## Stop everything that runs; data stay
	@if [ -x $(BIN)/otklik ] && [ -f "$(STATE)/.env" ]; then $(BIN)/otklik down; else echo "Nothing is set up here."; fi

clean: ## Delete environments, data and secrets, after asking (YES=1 does not ask)
	@echo "This deletes for good:"
	@echo "  .venv, superset/.venv   both environments (make setup brings them back)"
	@echo "  $(STATE)/var    the embedded database, landed files, logs, reports"
	@echo "  $(STATE)/.env   all passwords, and the key that ties authors together"
	@if [ "$(YES)" != 1 ]; then \
		printf "Type yes to go on: "; read answer; \
		[ "$$answer" = yes ] || { echo "Nothing was deleted."; exit 1; }; \
	fi
	@$(MAKE) --no-print-directory stop
	@if [ -x $(BIN)/otklik ] && [ -f "$(STATE)/.env" ]; then $(BIN)/python -m otklik.runtime.postgres; fi
	rm -rf "$(STATE)/var" "$(STATE)/.env" .venv superset/.venv benchmarks/.venv .pytest_cache .ruff_cache .mypy_cache

# Compiled once, here: each of a night's programs would otherwise begin with it where nothing may be written later.
environments: .venv/.installed superset/.venv/.installed

# uv's own lines of the lock bring uv, hashes included.
$(UV):
	$(PYTHON) -m venv .venv
	@awk '/^uv==/ { on = 1 } on; on && !/\\$$/ { exit }' requirements.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt

# What the tests brought on top stays when the lock below it changes.
.venv/.installed: requirements.txt pyproject.toml | $(UV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
		requirements.txt $(if $(wildcard .venv/.dev),requirements-dev.txt)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

superset/.venv/.installed: superset/requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python $(BIN)/python superset/.venv
	$(UV) pip sync --quiet --compile-bytecode --python superset/.venv/bin/python --require-hashes superset/requirements.txt
	@touch $@

benchmarks/.venv/.installed: benchmarks/requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python $(BIN)/python benchmarks/.venv
	$(UV) pip sync --quiet --compile-bytecode --python benchmarks/.venv/bin/python --require-hashes benchmarks/requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt | .venv/.installed
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

chromium: .venv/.dev
	@# Playwright's own driver needs libatomic, which a bare Debian does not have.
	@for name in chromium chromium-browser google-chrome; do \
		if command -v $$name > /dev/null && command -v chromedriver > /dev/null && $(BIN)/playwright --version > /dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null && apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends chromium chromium-driver fonts-dejavu-core libatomic1 > /dev/null; then exit 0; fi; \
	$(BIN)/playwright install chromium || { \
		echo "There is no Chromium here and none could be fetched: the browser tests will be skipped."; \
		echo "Install it (as root: apt-get install chromium chromium-driver libatomic1) and run this again."; [ -z "$$CI" ]; }
