# Two commands matter: `make demo` and `make test`. Each makes the environment it needs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

# Tests run on every core; whoever is done takes over what others have left.
CORES := -n auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick check docs canary lock format train train-minilm train-entailer bench clean snapshots

help:  ## Show the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.starter  ## Show a real result on three photographs
	$(BIN)/deixis demo

test: check  ## Format, lint, types, import rules, tests
	$(BIN)/python -m pytest $(CORES)

test-quick: $(VENV)/.test  ## The tests that take no time: no whole programs, no language model
	$(BIN)/python -m pytest $(CORES) -m "not slow"

check: $(VENV)/.test  ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy -n auto
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## Build the documentation into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Of its own accord the newest torch is held back, for it brings gigabytes of CUDA on Linux;
# HOLD= lets it come too (give pip an index with CPU builds).
HOLD ?= -c tests/constraints.txt
canary:  ## The tests with the newest versions that the bounds admit
	rm -rf $(VENV)-canary
	$(PYTHON) -m venv $(VENV)-canary
	$(VENV)-canary/bin/python -m pip install --quiet --upgrade pip
	$(VENV)-canary/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager \
		$(HOLD) -e ".[starter,test]"
	$(VENV)-canary/bin/python -m pytest $(CORES)

# uv, for it writes one file that pip reads and that holds for all three Pythons; pip-tools and
# `pip lock` write one for the Python that runs them. Without hashes: a CPU build of torch has others.
lock: $(VENV)/.pip  ## Write requirements.lock anew, with the newest versions
	$(INSTALL) -c requirements.lock uv
	$(BIN)/uv pip compile pyproject.toml --upgrade --universal --python-version 3.11 \
		--extra starter --extra test --extra train --extra docs --group lock -c tests/constraints.txt \
		--custom-compile-command "make lock" --annotation-style line --quiet -o requirements.lock

snapshots: $(VENV)/.test  ## Write anew the prompts that tests hold the graphs to; look at the difference
	DEIXIS_SNAPSHOTS=1 $(BIN)/python -m pytest $(CORES) -q -k snapshot tests/graphs

format: $(VENV)/.test  ## Format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(VENV)/.test  ## Train the recognizer: make train DATA=../shared/data/gmner
	$(BIN)/python -m deixis.training.train_recognizer $(DATA)

FINE ?= fmnerg
train-minilm: $(VENV)/.test  ## Train the neural one: make train-minilm DATA=GMNER FINE=FMNERG
	$(BIN)/python -m deixis.training.train_minilm $(DATA) $(FINE)

train-entailer: $(VENV)/.test  ## Train the one that reads descriptions: make train-entailer DATA=GMNER FINE=FMNERG
	$(BIN)/python -m deixis.training.train_entailer $(DATA) $(FINE)

FMNERG ?= $(DATA)/../fmnerg
bench: $(VENV)/.test  ## Measure the language-model layer: make bench DATA=../shared/data/gmner
	$(BIN)/python tests/benchmarks/llm_cache.py
	$(BIN)/python tests/benchmarks/llm_cost.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_gate.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_committee.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_estimate.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_price.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_prefix.py $(DATA) $(FMNERG)
	$(BIN)/python tests/benchmarks/llm_concurrency.py
	$(BIN)/python tests/benchmarks/llm_in_flight.py
	$(BIN)/python tests/benchmarks/llm_in_flight.py minute
	$(BIN)/python tests/benchmarks/llm_overhead.py
	$(BIN)/python tests/benchmarks/batch.py cached
	$(BIN)/python tests/benchmarks/llm_faults.py

clean:  ## Remove the environments and what was built
	rm -rf $(VENV) $(VENV)-canary build dist site deixis-demo

# Exact versions, of what builds too; `pip install deixis` itself has lower bounds only.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) -c requirements.lock --build-constraint requirements.lock

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.pip: $(BIN)/python requirements.lock
	$(INSTALL) -c requirements.lock pip
	@touch $@

$(VENV)/.starter: $(VENV)/.pip pyproject.toml
	$(LOCKED) -e ".[starter]"
	@touch $@

$(VENV)/.docs: $(VENV)/.pip pyproject.toml
	$(LOCKED) -e ".[docs]"
	@touch $@

$(VENV)/.test: $(VENV)/.pip pyproject.toml
	$(LOCKED) -e ".[starter,test]"
	@touch $@
