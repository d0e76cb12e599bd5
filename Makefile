# Needs python3 (3.11 or newer), git and make; `interop` also needs go.  Everything else is installed into .venv and, for
# `interop`, into ~/.cache/promote-interop, from lock files with hashes and pinned versions.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz lint man docs docs-write docs-walk interop interop-full bench lock setup clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for git and sockets about as long as they work: two workers for each processor keep it busy.
WORKERS = $(shell $(BIN)/python -c 'import os; print(2 * len(os.sched_getaffinity(0)))')
# Stamps: done once, and again when what they were made from changes.
RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp
# The site has an environment of its own: what it needs, neither promote nor its tests need.
DOCSBIN := $(VENV)/docs/bin
DOCS := $(VENV)/docs.stamp
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN)  ## set up, then run a whole promotion on this machine: no server, no network
	@$(BIN)/promote demo

test: $(DEV)  ## set up, then run the tests: 127.0.0.1 only
	$(BIN)/python -m pytest --numprocesses $(WORKERS) -m "not exhaustive"

fuzz: $(DEV)  ## change every field and many bytes of all signed evidence; PROMOTE_FUZZ_SEED=N repeats a run
	@export PROMOTE_FUZZ_SEED="$${PROMOTE_FUZZ_SEED:-$$(date +%s)}" PROMOTE_FUZZ_EXAMPLES="$${PROMOTE_FUZZ_EXAMPLES:-1000}"; \
	echo "PROMOTE_FUZZ_SEED=$$PROMOTE_FUZZ_SEED PROMOTE_FUZZ_EXAMPLES=$$PROMOTE_FUZZ_EXAMPLES"; \
	$(BIN)/python -m pytest --numprocesses auto tests/fuzz

lint: $(DEV) docs  ## ruff, mypy, the doors between the rooms, and the links of the documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

man: $(DEV)  ## write docs/man/promote.1 from the command line
	$(BIN)/python docs/man/generate.py

docs: $(DOCS)  ## build the documentation as a site into build/site; a link that leads nowhere fails it
	NO_MKDOCS_2_WARNING=1 $(DOCSBIN)/mkdocs build --strict

docs-write: $(DEV)  ## write every page, transcript and table of docs/ that is made from the code or from runs of it
	$(BIN)/python docs/man/generate.py
	PYTHONPATH=docs:tests $(BIN)/python -m generate

docs-walk: $(DEV)  ## write docs/first-ten-minutes.md: follows the tutorial with the real cosign and crane
	cd tests/interop && $(PYTHON) -m harness.install
	PYTHONPATH=docs:tests:tests/interop $(BIN)/python -m generate walk

interop: $(DEV)  ## install the real tools (cosign, registries, Fulcio, ...) and run the tests against them
	cd tests/interop && $(PYTHON) -m harness.install
	$(BIN)/python -m pytest tests/interop -m "not full"
	$(BIN)/python -m pytest --numprocesses $(WORKERS) -m "exhaustive and not alone"
	$(BIN)/python -m pytest -m alone

interop-full: $(DEV)  ## interop, with a Rekor v1, Trillian and MariaDB besides: what cosign v2 writes of a log
	cd tests/interop && $(PYTHON) -m harness.install full
	$(BIN)/python -m pytest tests/interop
	$(BIN)/python -m pytest --numprocesses $(WORKERS) -m "exhaustive and not alone"
	$(BIN)/python -m pytest -m alone

bench: $(DEV)  ## install the real tools and measure promote beside them; BENCH="small --pairs 3" for a part
	cd tests/interop && $(PYTHON) -m harness.install
	PYTHONPATH=tests/interop:tests $(BIN)/python -m bench $(BENCH)

lock: $(DEV)  ## write requirements/*.txt from pyproject.toml; LOCK_FLAGS=--upgrade takes what is newest
	$(COMPILE) $(LOCK_FLAGS) -o requirements/run.txt pyproject.toml
	$(COMPILE) $(LOCK_FLAGS) -o requirements/build.txt -c requirements/run.txt --only-build-deps --all-build-deps pyproject.toml
	$(COMPILE) $(LOCK_FLAGS) -o requirements/docs.txt requirements/docs.in
	$(COMPILE) $(LOCK_FLAGS) -o requirements/dev.txt -c requirements/run.txt -c requirements/build.txt --extra dev pyproject.toml

setup: $(DEV)  ## everything that test and lint need, and nothing run

clean:  ## remove .venv and all caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache promote-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): pyproject.toml requirements/run.txt requirements/build.txt
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit("got Python " + v + ", expected 3.11 or newer; say PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q promote  # pip compiles what it copies, and an editable install copies nothing
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	@echo "setting up $(VENV) for development"
	@$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

$(DOCS): requirements/docs.txt
	@echo "setting up $(VENV)/docs"
	@$(PYTHON) -m venv $(VENV)/docs
	@$(DOCSBIN)/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r requirements/docs.txt
	@touch $@
