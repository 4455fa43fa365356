# `make demo` and `make test` do their own set-up. PYTHON is any CPython 3.11 (the version that Blender's wheel is for).
PYTHON ?= python3.11
VENV ?= .venv
TOOLS ?= .venv-tools
ANNOTATION ?= .venv-annotation
CLUSTER ?= .venv-cluster
DOCS ?= .venv-docs
SITE ?= out/site
BIN := $(VENV)/bin
OUT ?= out/demo
COUNT ?= 24
PROCESSES ?= 200
BOUNDS_CACHE ?= out/bounds-checked
BOUNDS_TESTS ?= tests/renderer tests/pipelines/dataset tests/pipelines/synthesis
GUI_OUT ?= out/gui
# A test that hangs, or the death of its process, ends the run with its name instead of standing still; one that hangs where
# Python cannot interrupt it takes its process along.
SIDE_BY_SIDE := -n 2 --dist loadfile --max-worker-restart 0 --timeout 900 -o faulthandler_timeout=1200 -o faulthandler_exit_on_timeout=true
FUZZ_COUNT ?= 250
FUZZ_FIRST ?= 0
CONSTRAINTS := pipelines/setup/constraints.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS)

.PHONY: demo test test-all test-bounds test-bytes test-cluster test-gui test-tools tools docs fuzz lint types check bench assets constraints clean

demo: $(VENV)/.demo
	$(BIN)/gis doctor --quiet
	$(BIN)/gis synthesize --scene city.blend --count $(COUNT) --out $(OUT)
	$(BIN)/gis validate $(OUT)
	@echo "Look at $(OUT)/preview.png; $(OUT)/README.md says what is in the folder."

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not gui and not tools and not cluster"

test-all: $(VENV)/.dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not gui and not tools and not cluster"

# Compiled loops with every index checked, which they else are not: one past an array's end damages memory without a word.
test-bounds: $(VENV)/.dev
	rm -rf $(BOUNDS_CACHE)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(abspath $(BOUNDS_CACHE)) $(BIN)/python -m pytest $(SIDE_BY_SIDE) \
		-m "not slow and not gui and not tools and not cluster" --ignore tests/renderer/test_kernel_cache.py $(BOUNDS_TESTS)

# Equal commands in PROCESSES fresh processes each write equal bytes (200: half an hour on 2 cores).
test-bytes: $(VENV)/.dev
	GIS_BYTE_PROCESSES=$(PROCESSES) $(BIN)/python -m pytest -m slow tests/test_equal_bytes.py

# Blender's own window on a screen in memory. Screenshots are left in GUI_OUT.
test-gui: $(VENV)/.dev
	GIS_GUI_OUT=$(GUI_OUT) $(BIN)/python -m pytest --timeout 1200 -m gui tests/gui

# Data sets and exports opened by the tools that they are for, and the examples, in environments of their own (1 GB; Datumaro
# and Label Studio 0.7 GB).
test-tools: tools
	GIS_ANNOTATION_PYTHON=$(abspath $(ANNOTATION))/bin/python $(TOOLS)/bin/python -m pytest -m tools tests/tools

tools: $(TOOLS)/.done $(ANNOTATION)/.done

# A real Ray cluster of three nodes and an S3 server on this machine, in an environment of their own.
test-cluster: $(CLUSTER)/.done
	$(CLUSTER)/bin/python -m pytest -m cluster tests/cluster

# The pages below docs/ as a site, strictly: a link that leads nowhere ends it. Needs neither torch nor Blender.
docs: $(DOCS)/.done
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/python -m mkdocs build --strict --quiet --site-dir $(SITE)
	@echo "Open $(SITE)/index.html"

# Some FUZZ_COUNT attacks with damaged inputs in each of some thirty areas; FUZZ_FIRST=N goes on at that number.
fuzz: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m fuzz --count $(FUZZ_COUNT) --first $(FUZZ_FIRST)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types test

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.render
	$(BIN)/python -m benchmarks.synthesize
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.serving

assets: $(VENV)/.dev
	$(BIN)/python -m assets.build.cars
	$(BIN)/python -m assets.build.arrays
	$(BIN)/python -m assets.build.city
	$(BIN)/python -m assets.build.people  # needs anny: pip install gis-thermal[build]

constraints: $(VENV)/.dev
	$(BIN)/python -m pip freeze --exclude-editable > $(CONSTRAINTS)

clean:
	rm -rf $(VENV) $(TOOLS) $(ANNOTATION) $(CLUSTER) $(DOCS) out

# The stamps say what the environment holds: what a demo needs, or everything.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install CPython 3.11 (with venv), or run 'make PYTHON=/path/to/python3.11 ...'"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml $(CONSTRAINTS)
	$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml $(CONSTRAINTS)
	$(PIP) -e '.[all,dev]'
	@touch $@ $(VENV)/.demo

# What the project's environment has (torch, numpy, OpenCV) is seen from here and not installed a second time.
$(TOOLS)/.done: tests/tools/locked.txt $(VENV)/.dev
	$(PYTHON) -m venv $(TOOLS)
	echo "import site; site.addsitedir('$(abspath $(VENV))/lib/python3.11/site-packages')" > $(TOOLS)/lib/python3.11/site-packages/project.pth
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/tools/locked.txt
	@touch $@

$(ANNOTATION)/.done: tests/tools/annotation.txt
	$(PYTHON) -m venv $(ANNOTATION)
	$(ANNOTATION)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/tools/annotation.txt
	@touch $@

$(CLUSTER)/.done: tests/cluster/requirements.txt tests/cluster/locked.txt pyproject.toml
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -c tests/cluster/locked.txt -e '.[all,dev,cluster]' -r tests/cluster/requirements.txt
	@touch $@

$(DOCS)/.done: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e '.[docs]'
	@touch $@
