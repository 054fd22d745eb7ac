# `make demo` and `make test` do all their own set-up, in .venv.
VENV ?= .venv
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-unit test-all test-thorough check install format screenshots bench-room clean
.SILENT:

# The tests start hundreds of processes; each would compile everything again where this variable has a value.
export PYTHONDONTWRITEBYTECODE =

demo: $(INSTALLED)  ## the miniature study, then the review room (text without a terminal)
	$(VENV)/bin/xlit-core demo

# A file of tests to a worker; four workers on two cores, since many tests wait.
PYTEST = $(VENV)/bin/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

test: check  ## lint, types, import contracts, and the tests that start no process (lanes: tests/lanes.py)
	$(PYTEST) -m "not whole and not thorough"

test-unit: $(INSTALLED)  ## the quickest lane: functions and files only
	$(PYTEST) -m "not parts and not whole and not thorough"

test-all: test  ## `make test`, then the lane of processes, pseudo-terminals, training and GGUF
	$(PYTEST) -m "whole and not thorough"

test-thorough: $(INSTALLED)  ## the tests that the other lanes leave out for their length
	$(VENV)/bin/pytest -m thorough

check: $(INSTALLED)
	echo "ruff, mypy, import contracts ..."
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt scripts/install.sh scripts/get_dictionaries.sh
	scripts/install.sh $(VENV)
	touch $@

format: $(INSTALLED)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

screenshots: $(INSTALLED)  ## the pictures in docs/, made by the program from the demo's store
	$(VENV)/bin/python scripts/screenshots.py

bench-room: $(INSTALLED)  ## start-up and keys of the review room, as ratios
	$(VENV)/bin/python benchmarks/room_start.py
	$(VENV)/bin/python benchmarks/room_keys.py

clean:
	rm -rf $(VENV) demo
