# The course's commands. `make help` lists them; the README says how to do without make.
VENV := .venv
PY := $(VENV)/bin/python
RUN := $(PY) -m course_utils
PYTHON ?=
NB ?=
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

.DEFAULT_GOAL := help
.PHONY: help lab test test-full test-browser new run execute seeds stale release pages claims data slides bench doctor clean

help: ## this list
	@echo "usage: make TARGET [NB=02]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' Makefile

lab: $(VENV)/.installed ## install what is missing and start JupyterLab (PORT=8888 to choose the port)
	@$(RUN) lab $(if $(PORT),--port $(PORT)) $(if $(FOLDER),--folder "$(FOLDER)")

test: $(VENV)/.installed-tests ## unit tests, ruff, mypy, and every notebook executed in the quick profile
	@$(RUN) test

test-full: $(VENV)/.installed-tests ## the same in the full profile, every claim judged (minutes per notebook)
	@$(RUN) test --full

test-browser: $(VENV)/.installed-tests ## the student's path through JupyterLab, in a real browser
	@$(PY) -m pytest -m browser tests/course/test_browser.py

new: $(VENV)/.installed ## begin a notebook: lecture, solution, spec, checks and their test (NB=12_flows)
	@$(RUN) new "$(NB)"

run: $(VENV)/.installed ## execute one notebook and write an HTML page into build/ (NB=02, or a path)
	@$(RUN) run "$(NB)"

execute: $(VENV)/.installed ## execute in place, full and strict, and store the outputs (NB=02, or all)
	@$(RUN) execute $(if $(NB),"$(NB)")

seeds: $(VENV)/.installed ## measure a lecture's claims on three more seeds (NB=02)
	@$(RUN) seeds "$(NB)"

stale: $(VENV)/.installed ## list what was made with something that has changed since
	@$(RUN) stale

release: $(VENV)/.installed-tests ## make the exercises from the solutions
	@$(RUN) release

pages: $(VENV)/.installed ## the tables of README and START_HERE, the gallery and CLAIMS.md, out of the stored notebooks
	@$(RUN) pages

claims: $(VENV)/.installed ## list all claims, out of the stored notebooks
	@$(RUN) claims

data: $(VENV)/.installed ## fetch and verify every data set beforehand, and train the judges of images
	@$(RUN) data

slides: $(VENV)/.installed ## reveal.js pages of lectures and solutions into build/slides/ (NB=02, or all)
	@$(RUN) slides $(if $(NB),"$(NB)")

bench: $(VENV)/.installed ## speed, side by side with plain PyTorch
	@for script in benchmarks/*.py; do echo "== $$script" && $(PY) "$$script" || exit 1; done

doctor: $(VENV)/.installed ## what works here, and what to do about what does not
	@$(RUN) doctor

clean: ## remove what can be made again (not the environment, not the data, no grades)
	@$(or $(wildcard $(PY)),python3) -m course_utils clean

# The environment: made once, installed into again only when the pins changed.

$(VENV)/.created:
	@if [ -x $(PY) ] && $(PY) -c 'import pip; $(SUPPORTED)' 2>/dev/null; then touch $@; exit 0; fi; \
	if [ -n "$$(ls -A $(VENV) 2>/dev/null)" ]; then \
	    echo "The folder $(VENV) is there, and in it no Python from 3.11 to 3.13 with pip. It is left as it is:" >&2; \
	    echo "move it away (or finish it: its Python needs pip), then try again." >&2; exit 1; \
	fi; \
	for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if "$$candidate" -c '$(SUPPORTED)' 2>/dev/null; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "No Python from 3.11 to 3.13 was found (tried: $(strip $(PYTHON) python3 python3.13 python3.12 python3.11))." >&2; \
	    echo "Install one, or name yours: make lab PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found has no venv module. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Making the environment $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV) && touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing the course's packages into $(VENV): once, some minutes (torch is large)"
	@$(PY) -m pip install --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-tests: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing the course's packages and what tests and instructors need into $(VENV): once, some minutes"
	@$(PY) -m pip install --disable-pip-version-check -c constraints.txt -e '.[test,instructors]'
	@touch $(VENV)/.installed $@
