# `make demo` and `make test` do all their own set-up, in .venv.
VENV ?= .venv
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-thorough check install format screenshots bench-room clean
.SILENT:

# The tests start hundreds of processes; each would compile everything again where this variable has a value.
export PYTHONDONTWRITEBYTECODE =

demo: $(INSTALLED)  ## the miniature study, then the review room (text without a terminal)
	$(VENV)/bin/xlit-core demo

test: check  ## lint, types, import contracts and all tests, a file of them to a worker
	$(VENV)/bin/pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder -m "not thorough"

test-thorough: $(INSTALLED)  ## the tests that `make test` leaves out for their length
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
