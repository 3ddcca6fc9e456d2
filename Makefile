# make demo   a film of a conductor, from nothing        make test   all tests
# make lint   style and types                            make bench  what README claims about speed
# make cluster   Ray, for corpora made by many machines
# make coverage   all tests, and how much of the package they run
# make docs   the site, in out/site
# make fuzz   damaged files for every reader: CASES of them in all, a table, and what failed

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
BIN = $(VENV)/bin
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: setup cluster demo test coverage lint format docs fuzz bench clean

setup: $(VENV)/ready

# Torch comes first and alone, so that a CPU build that is at hand is taken; uv, which resolves the rest in seconds where
# pip takes minutes, keeps it.
$(VENV)/ready: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c "import torch" 2>/dev/null || $(BIN)/pip install --quiet "$(TORCH)"
	test -x $(BIN)/uv || $(BIN)/pip install --quiet uv
	$(INSTALL) --editable '.[dev,train]'
	touch $@

cluster: setup
	$(BIN)/python -c "import ray" 2>/dev/null || $(INSTALL) --editable '.[cluster]'

demo: setup
	$(BIN)/python examples/01_conduct.py

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile

# Renews the badge in the README where it is more than two points off.
coverage: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov
	$(BIN)/python tests/coverage_badge.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Warnings are errors: a link that leads nowhere, a docstring that cannot be read.
docs: setup
	$(BIN)/python -c "import sphinx, furo, myst_parser" 2>/dev/null || $(INSTALL) --editable '.[docs]'
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs out/site

CASES ?= 100000
SEED ?= 0

fuzz: setup
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/harness.py --cases $(CASES) --seed $(SEED)

bench: setup
	for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis
