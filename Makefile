# Everything a newcomer needs is Python 3.11 to 3.13, make and git: the first target that is asked for builds the rest.

PYTHON ?= python3
VENV := .venv
# Stages are started as `python -m stages...`: this environment's Python comes first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# Every package is installed from a wheel: nothing is built, so nothing is run while it is installed. The one that has none
# is built with the setuptools and wheel of requirements.lock, which are there first.
PIP := pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation
NO_WHEEL := antlr4-python3-runtime
WHEELS := --require-hashes --only-binary :all: --no-binary $(NO_WHEEL)
AUDIT := pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict --progress-spinner off

.PHONY: run test check docs audit lock clean help

run: $(VENV)/ready ## the whole pipeline, as params.yaml has it; ends with report/run.html
	smallset run

test: $(VENV)/ready ## the fast tests
	python -m pytest

check: $(VENV)/ready ## what pre-commit and CI check: format, lint, types
	pre-commit run --all-files

docs: $(VENV)/ready ## the documents and the reference of the code as a site: .smallset/site/index.html
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

audit: $(VENV)/ready ## known advisories on the pinned packages, and sbom.json, a list of them all; needs pypi.org
	$(AUDIT) --format cyclonedx-json --output sbom.json || true
	$(AUDIT)

lock: $(VENV)/ready ## pin the newest versions that pyproject.toml allows
	uv pip compile pyproject.toml --extra pipeline --extra dev --extra docs --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --output-file requirements.lock

clean: ## remove the environment and what interrupted runs left; data, models and DVC's cache stay
	rm -rf $(VENV) .smallset .mypy_cache .ruff_cache .pytest_cache *.egg-info

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 14) else \
	  "error: expected Python 3.11 to 3.13, found %d.%d: try make PYTHON=python3.12" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	awk '/^[a-z]/ { wanted = /^(setuptools|wheel)==/ } wanted' requirements.lock > $(VENV)/build.lock
	$(PIP) $(WHEELS) --requirement $(VENV)/build.lock
	$(PIP) $(WHEELS) --requirement requirements.lock
	$(PIP) --editable .
	touch $@
