# `make demo` and `make test` do all their own set-up, in .venv.
VENV ?= .venv
INSTALLED := $(VENV)/.installed

.PHONY: demo test check install format screenshots clean
.SILENT:

demo: $(INSTALLED)  ## the miniature study, then the review room (text without a terminal)
	$(VENV)/bin/xlit-core demo

test: check  ## lint, types, import contracts and all tests
	$(VENV)/bin/pytest

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

clean:
	rm -rf $(VENV) demo
