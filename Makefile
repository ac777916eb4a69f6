# Everything a newcomer needs: `make demo` and `make test`. Each target makes its own environment.
PYTHON ?= python3
BIN := .venv/bin
OLDEST := .venv-oldest/bin

.PHONY: demo test test-no-threads test-oldest lint types docs benchmarks clean

demo: .venv/plot
	$(BIN)/python examples/quickstart.py

test: .venv/test
	$(BIN)/python -m pytest

test-no-threads: .venv/test
	SKNN_NO_THREADS=1 $(BIN)/python -m pytest \
		tests/parallel tests/test_crew.py tests/solvers tests/model_selection

test-oldest: .venv-oldest/test
	$(OLDEST)/python -m pytest tests sknn

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/lint .venv/test
	$(BIN)/mypy

docs: .venv/docs
	$(BIN)/python -m sphinx -W -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

benchmarks: .venv/test
	$(BIN)/python -m tests.benchmarks.speed
	$(BIN)/python -m tests.benchmarks.search
	$(BIN)/python -m tests.benchmarks.load
	$(BIN)/python -m tests.benchmarks.tabular
	$(BIN)/python -m tests.benchmarks.explain

.venv/created:
	$(PYTHON) -m venv .venv
	@touch $@

.venv/plot .venv/test .venv/lint .venv/docs .venv/compare: .venv/%: pyproject.toml | .venv/created
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@

.venv-oldest/test: tests/oldest.txt pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	$(OLDEST)/python -m pip install --quiet --requirement tests/oldest.txt
	$(OLDEST)/python -m pip install --quiet --no-deps --editable .
	@touch $@

clean:
	rm -rf .venv .venv-oldest docs/_build docs/generated docs/figures
