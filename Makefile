# The two commands of a bare machine, `make demo` and `make test`, make .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-long games faults lint docs bench clean

demo: $(VENV)/.installed  ## train on handwritten digits for a few minutes and draw a grid
	$(BIN)/ganzoo train dcgan --steps 1200
	$(BIN)/ganzoo runs

test: $(VENV)/.installed-test  ## run the test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.installed-test  ## what `make test` leaves out, since it takes minutes
	$(BIN)/python -m pytest -m long

games: $(VENV)/.installed-test  ## nine games of the literature: checked, killed, resumed to the bit, judged
	$(BIN)/python tests/games/harness.py

faults: $(VENV)/.installed-test  ## kills, full disks, flipped bytes, hostile input: some hours; goes on where it was
	PYTHONPATH=tests $(BIN)/python -m faults --table

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: $(VENV)/.installed-docs  ## the documentation as a site in build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

bench: $(VENV)/.installed-test  ## speed, as ratios within one run
	$(BIN)/python benchmarks/speed.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info
