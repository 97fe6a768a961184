# Two commands matter: `make demo` and `make test`. Each makes the environment it needs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test format train clean

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

clean:  ## Remove the environment and what was built
	rm -rf $(VENV) build dist deixis-demo

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.starter: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[starter]"
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[starter,test]"
	@touch $@
