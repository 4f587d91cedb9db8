# `make demo` and `make test` work on a machine that has Python 3.11+ and the package registries.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
TRAINERS := $(VENV)/.trainers
CHROMIUM ?= /usr/bin/chromium

.PHONY: demo test test-js test-browser test-training test-thorough lint bench notebooks pictures clean

demo: $(INSTALLED)
	$(BIN)/rft-widgets demo

test: lint test-js
	$(BIN)/python -m pytest
	if [ -x $(CHROMIUM) ]; then $(MAKE) test-browser; fi
	@echo "Left out: tests that train a language model; 'make test-training' runs them."

test-js: $(READY)
	$(BIN)/python hatch_build.py --check

test-browser: $(READY)
	RFT_CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest tests/browser -m "slow and not thorough"

# Trains models made on the spot, and drives the SDKs of training services; installs about 2 GB.
test-training: $(TRAINERS)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "training and not slow"

# Every screen in both hosts and in every look.
test-thorough: $(READY)
	RFT_CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest tests/browser -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m benchmarks

notebooks: $(READY)
	$(BIN)/python notebooks/execute.py

# What the README shows, taken from the running product.
pictures: $(READY)
	RFT_CHROMIUM=$(CHROMIUM) $(BIN)/python -m tests.browser.pictures

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf js/node_modules rft_widgets/static

$(INSTALLED): pyproject.toml hatch_build.py js/package-lock.json
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[voila]'
	touch $@

$(TRAINERS): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[trl,ray,tinker,fireworks]'
	touch $@

$(READY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[parquet,plots,postgres,voila]' \
		--group test --group lint --group browser
	touch $@
