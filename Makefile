# Two commands matter: `make demo` and `make test`. Each makes the environment it needs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test format train bench clean

help:  ## Show the commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/.starter  ## Show a real result on two photographs
	$(BIN)/deixis demo

test: $(VENV)/.test  ## Format, lint, types, import rules, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

format: $(VENV)/.test  ## Format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(VENV)/.test  ## Train the recognizer: make train DATA=../shared/data/gmner
	$(BIN)/python -m pip install --quiet -e ".[train]"
	$(BIN)/python -m deixis.evaluation.train_recognizer $(DATA)

bench: $(VENV)/.test  ## Measure the language-model layer: make bench DATA=../shared/data/gmner
	$(BIN)/python tests/benchmarks/llm_cache.py
	$(BIN)/python tests/benchmarks/llm_cost.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_gate.py $(DATA)
	$(BIN)/python tests/benchmarks/llm_concurrency.py
	$(BIN)/python tests/benchmarks/llm_overhead.py
	$(BIN)/python tests/benchmarks/llm_faults.py

clean:  ## Remove the environment and what was built
	rm -rf $(VENV) build dist deixis-demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.starter: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[starter]"
	@touch $@

# The constraint keeps gigabytes of CUDA away where an index has a CPU build of that version.
$(VENV)/.test: $(BIN)/python pyproject.toml tests/constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c tests/constraints.txt -e ".[starter,test]"
	@touch $@
