# Every target that needs the virtual environment brings it up to date first; nothing to do takes a moment.
# Needs Python 3.11 or later and GNU make; what else is missing is named by app/bootstrap.py.

SEED ?=
SEEDS ?=
WHAT ?=
PROFILE ?=
PEOPLE ?=
MINUTES ?=
MEASURE ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help venv setup run test cover check fmt lint bench sim fire docs lock clean audit

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

# The environment's own interpreter when there is one, else the first on the path that is new enough.
venv:
	@for python in $(PYTHON) $(BIN)/python python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exec "$$python" -m app.bootstrap; \
	done; \
	echo "onetrail: Python 3.11 or later is missing; install it: sudo apt install python3.11 python3.11-venv" >&2; exit 1

setup: venv ## virtual environment, broker jars and Java; starts nothing
	@$(BIN)/python -m app.broker

run: venv ## everything on this machine, with the demo data
	@$(BIN)/onetrail up --demo

test: venv ## all tests: first those without a broker, on all cores, then those on the real one
	$(BIN)/pytest --ignore tests/real --numprocesses auto --dist loadfile
	$(BIN)/pytest tests/real

cover: venv ## what the tests without a broker do not reach
	$(BIN)/pytest --ignore tests/real --numprocesses auto --dist loadfile --cov --cov-report=term-missing

check: venv ## all that CI runs: formatting, lint, types, imports, tests
	$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test

fmt: venv ## format the source
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

lint: venv ## style, types, who imports whom
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: venv ## how fast it is, beside baselines in the same run; WHAT=part (see tests/benchmarks); PROFILE=1: where the CPU goes
	@$(BIN)/python -m tests.benchmarks$(if $(WHAT),.$(WHAT)) $(if $(PROFILE),--profile) $(if $(PEOPLE),--people $(PEOPLE))

sim: venv ## the simulation; SEED=n replays one history, SEEDS=n tries so many
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS))

fire: venv ## every fault there is, under load; MINUTES=n, SEED=n; BREAK=rule takes one away; MEASURE=takeover times take-overs
	@$(BIN)/python -m tests.fire$(if $(MEASURE),.measure,$(if $(SEED), --seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(BREAK),--break "$(BREAK)"))

docs: venv ## generate the tables of the documentation
	@$(BIN)/python -m app.reference

audit: venv ## known faults of the packages in the lock; asks a service on the network, so it is no part of check
	@$(BIN)/python -m venv .venv/audit
	@.venv/audit/bin/python -m pip --disable-pip-version-check install --quiet pip-audit==2.10.1
	@.venv/audit/bin/pip-audit --no-deps --disable-pip --requirement docker/requirements.lock

lock: venv ## write docker/requirements.lock anew from pyproject.toml
	@$(BIN)/python -m app.lock

clean: ## remove the environment and all caches in the tree; the data in .onetrail stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build onetrail.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
