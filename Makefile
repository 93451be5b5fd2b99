# make run and make test set up what is missing: a virtual environment in .venv with pinned, hashed
# dependencies. Another Python: make test PYTHON=python3.12 VENV=.venv-3.12

.DEFAULT_GOAL := help
.PHONY: help setup run dashboard test test-fast test-api interleave coverage check check-code bench bench-peers format lock screenshots package clean

VENV ?= .venv
BIN = $(VENV)/bin/python
PORT ?= 7071
COSMOS_PORT ?= 8081
DASHBOARD_PORT ?= 7072
# The server of this API that `make dashboard` opens, and what prints a token for it.
export API ?= http://127.0.0.1:$(PORT)
export TOKEN_COMMAND ?=
DATA ?= .local/cosmos.sqlite3
# Where `make bench-peers` installs the server that it measures ours against.
PEERS ?= .venv-peers
# Arguments for pytest or the benchmark: make test ARGS='tests/api -k metadata'
ARGS ?=
# The floor of `make coverage`: percent of the branches in conversations/ that the tests take.
BRANCHES = 95

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

setup: $(VENV)/development ## Install everything that running, testing and checking need

run: $(VENV)/runtime ## Serve the app on http://127.0.0.1:7071 with a local Cosmos DB stand-in
	@exec $(BIN) -m local --port $(PORT) --cosmos-port $(COSMOS_PORT) \
		--dashboard-port $(DASHBOARD_PORT) --data $(DATA)

dashboard: $(VENV)/runtime ## See the conversations of any server: API=https://... TOKEN_COMMAND='az ...'
	@exec $(BIN) -m dashboard --port $(DASHBOARD_PORT) --api "$$API" --token-command "$$TOKEN_COMMAND"

test: $(VENV)/development ## Run the whole test suite
	$(BIN) -m pytest --numprocesses auto $(ARGS)

test-fast: $(VENV)/development ## Run tests/unit, which starts no server, in seconds
	$(BIN) -m pytest tests/unit $(ARGS)

test-api: $(VENV)/development ## Run tests/api against the server at BASE_URL
	@test -n "$(BASE_URL)" || { echo "Say which server: make test-api BASE_URL=http://127.0.0.1:7071"; exit 2; }
	BASE_URL=$(BASE_URL) $(BIN) -m pytest tests/api $(ARGS)

interleave: $(VENV)/development ## Try to break every write: make interleave ARGS='--seconds 600'
	@$(BIN) -m tests.proof $(ARGS)

coverage: $(VENV)/development ## Run the whole test suite and measure what of conversations/ it covers
	$(BIN) -m coverage erase
	$(BIN) -m coverage run -m pytest --numprocesses auto $(ARGS)
	$(BIN) -m coverage combine --quiet
	$(BIN) -m coverage report
	@$(BIN) -m coverage json --quiet -o - | $(BIN) -c 'import json, sys; \
		covered = json.load(sys.stdin)["totals"]["percent_branches_covered"]; \
		print(f"{covered:.1f} % of the branches are covered; $(BRANCHES) % must be."); \
		sys.exit(covered < $(BRANCHES))'

check: check-code ## Lint, format, types, imports between modules, known vulnerabilities
	$(BIN) -m tools.audit

check-code: $(VENV)/development ## The same, but nothing that needs the network
	$(BIN) -m ruff check .
	$(BIN) -m ruff format --check .
	$(BIN) -m mypy
	$(VENV)/bin/lint-imports --no-logo --no-cache

bench: $(VENV)/development ## Measure what requests cost, over their floors (five minutes)
	@$(BIN) -m benchmarks $(ARGS)

bench-peers: $(VENV)/development ## Measure ours against llama-stack (under five minutes)
	@if $(BIN) -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then \
		$(MAKE) --no-print-directory $(PEERS)/installed && \
		$(BIN) -m benchmarks --peer $(PEERS)/bin/ogx $(ARGS); \
	else \
		echo "Skipped: llama-stack needs Python 3.12 or newer. Where there is one:"; \
		echo "  make bench-peers PYTHON=python3.13 VENV=.venv-3.13"; \
	fi

format: $(VENV)/development ## Rewrite the code in the project's format
	$(BIN) -m ruff check --fix .
	$(BIN) -m ruff format .

lock: $(VENV)/development ## Pin the closure of requirements*.in, with hashes, for Python 3.11 to 3.13
	$(BIN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate requirements.in --output-file requirements.txt
	$(BIN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --constraints requirements.txt \
		requirements-dev.in --output-file requirements-dev.txt
	$(BIN) -m uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
		--no-header --no-annotate requirements-peers.in --output-file requirements-peers.txt

screenshots: $(VENV)/development ## Draw docs/images/ anew, in Chromium
	$(BIN) -m tools.screenshots

package: $(VENV)/development ## Fill dist/ with what azd deploys (Python 3.13)
	$(BIN) infra/build_package.py

clean: ## Remove the virtual environment and every cache; .local, your data, stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find . -name __pycache__ -prune -exec rm -rf {} +

# By pip, although uv would take 10 s instead of 36: pip is there, uv would have to be installed by it
# first, and whoever needs a mirror or a proxy has told pip, not uv.
# What an interrupted set-up left is mended by the next one: the stamp comes last.
$(VENV)/runtime: requirements.txt | $(BIN)
	@echo "Installing what the app needs (once) ..."
	@$(BIN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development: requirements-dev.txt | $(BIN)
	@echo "Installing what the app, its tests and its checks need (once) ..."
	@$(BIN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(VENV)/runtime $@

# The same Python as ours, so that only the servers differ.
$(PEERS)/installed: requirements-peers.txt | $(BIN)
	@echo "Installing the peer (once) ..."
	@local/setup-venv $(PEERS) $(BIN)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-peers.txt
	@touch $@

$(BIN):
	@local/setup-venv $(VENV) $(PYTHON)
