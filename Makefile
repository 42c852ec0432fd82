# Everything a person types here. `make test` and `make demo` need Python 3.11 and nothing else.
# A second run installs nothing and needs no network: .venv/.installed-* remember what is there.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet
ARGS ?=
# processes that share the tests: more than cores, for half of their time they wait for real processes and sockets
WORKERS ?= 4
# Real processes, sockets and clocks share those cores: what fails once and then passes is listed as RERUN, a defect to mend.
RERUNS ?= 1
# what is compiled once is compiled by no other worker and by none of the processes that tests start, whatever the environment says
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup test demo run check format lint types coverage bench lock clean
.SUFFIXES:

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1	\2/'

setup: $(VENV)/.installed-dev ## install everything that work on the code needs
	@echo "Готово: $(VENV)"

test: $(VENV)/.installed-dev ## every test; make test ARGS="-k phones -x"
	@$(PY) -m pytest -n $(WORKERS) --reruns $(RERUNS) $(ARGS)

demo: $(VENV)/.installed-demo ## the whole product with no key and no account, on one local page
	@$(VENV)/bin/svodka demo $(ARGS)

run: $(VENV)/.installed-run ## the real bot, from .env
	@$(VENV)/bin/svodka run $(ARGS)

check: lint types coverage ## all a change must pass

format: $(VENV)/.installed-dev ## put the code in the house's form
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

lint: $(VENV)/.installed-dev ## form, rules and the arrows between folders
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(VENV)/bin/lint-imports

types: $(VENV)/.installed-dev ## mypy
	@$(PY) -m mypy

coverage: $(VENV)/.installed-dev ## every test, and 95 % of the branches
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -n $(WORKERS) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report --fail-under=95

bench: $(VENV)/.installed-dev ## the measurements of docs/, on this machine
	@$(PY) -m benchmarks $(ARGS)

lock: ## renew uv.lock and requirements/*.txt; needs uv
	uv lock --upgrade
	sh requirements/export.sh

clean: ## forget what was installed and remembered; never touches data/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Нужен Python 3.11: команда python3.11 не найдена."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Нужен Python 3.11, 3.12 или 3.13, а $(PYTHON) другой: make PYTHON=/путь/к/python3.11"; exit 1; }
	@echo "Создаю $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.locked-%: requirements/%.txt | $(VENV)/bin/python
	@echo "Ставлю зависимости из $<: первый раз это минута-другая"
	@$(PIP) --require-hashes --requirement $<
	@touch $@

$(VENV)/.installed-%: $(VENV)/.locked-% pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.PRECIOUS: $(VENV)/.locked-% $(VENV)/.installed-%
