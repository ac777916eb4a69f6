# Everything a newcomer needs: `make demo` and `make test`. Each target makes its own environment.
PYTHON ?= python3
BIN := .venv/bin
OLDEST := .venv-oldest/bin
CLIENTS := .venv-clients/bin
# Two processes, each with whole files of tests.
SHARED := -n 2 --dist loadfile

.PHONY: demo test test-no-threads test-oldest test-clients test-long lint types docs benchmarks \
	release-check clean

demo: .venv/plot
	$(BIN)/python examples/quickstart.py

test: .venv/test
	$(BIN)/python -m pytest $(SHARED)

test-no-threads: .venv/test
	SKNN_NO_THREADS=1 $(BIN)/python -m pytest \
		tests/parallel tests/test_crew.py tests/solvers tests/model_selection

test-oldest: .venv-oldest/test
	$(OLDEST)/python -m pytest $(SHARED) tests sknn

# Tests of other tools, in an environment of their own.
test-clients: .venv-clients/test
	$(CLIENTS)/python -m pytest tests/test_clients.py docs/recipes tests/clients tests/export

# What is left out elsewhere, since it takes long.
test-long: .venv/test .venv-clients/long
	$(BIN)/python -m pytest -m long tests
	$(CLIENTS)/python -m pytest -m long tests/clients

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/lint .venv/test
	$(BIN)/mypy
	cd tests/typing && ../../$(BIN)/mypy && ../../$(BIN)/pyright --pythonpath ../../$(BIN)/python

docs: .venv/docs
	MPLBACKEND=agg $(BIN)/python -m sphinx -W -b html docs docs/_build/html
	$(BIN)/python -m tests.pages docs/_build/html
	@echo "Open docs/_build/html/index.html"

benchmarks: .venv/test
	$(BIN)/python -m tests.benchmarks.speed
	$(BIN)/python -m tests.benchmarks.search
	$(BIN)/python -m tests.benchmarks.load
	$(BIN)/python -m tests.benchmarks.tabular
	$(BIN)/python -m tests.benchmarks.explain
	$(BIN)/python -m tests.benchmarks.keeping
	$(BIN)/python -m tests.benchmarks.scale

# Builds what is released, and uses it as its users will. See the checklist in docs/development.rst.
release-check: .venv-release/created
	rm -rf dist
	.venv-release/bin/python -m build --outdir dist .
	.venv-release/bin/python -m twine check --strict dist/*
	.venv-release/bin/python -m tests.release dist

.venv-release/created: pyproject.toml
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet build twine
	@touch $@

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

.venv-clients/test: pyproject.toml
	$(PYTHON) -m venv .venv-clients
	$(CLIENTS)/python -m pip install --quiet --editable ".[clients]"
	@touch $@

.venv-clients/long: .venv-clients/test
	$(CLIENTS)/python -m pip install --quiet --editable ".[clients-long]"
	@touch $@

clean:
	rm -rf .venv .venv-oldest .venv-clients .venv-release docs/_build docs/generated docs/gallery dist
