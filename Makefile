# Causeway. Everything works from a fresh clone; each target sets up what it needs first.
PYTHON ?= python3
PORT ?= 8000
DATA ?= .demo
export PORT DATA RESET

.PHONY: demo test test-pg15 test-long check docs bench setup lock clean

demo: PURPOSE = demo
demo: setup      ## the portal on http://127.0.0.1:$(PORT), seeded and passing packets; RESET=1 starts from nothing
	@exec .venv/bin/python -m portal.local.demo

test: PURPOSE = test
test: setup      ## all tests, on every core; ARGS='-k name' chooses some
	@exec .venv/bin/python -m pytest $(ARGS)

test-pg15: PURPOSE = test
test-pg15: setup ## the tests that use the database, on Debian's PostgreSQL 15
	@CAUSEWAY_PG_BIN=/usr/lib/postgresql/15/bin .venv/bin/python -m pytest -m 'django_db and not long' $(ARGS)

test-long: PURPOSE = test
test-long: setup ## thousands of generated cases
	@exec .venv/bin/python -m pytest -m long --timeout 3600 $(ARGS)

check: PURPOSE = check
check: setup     ## formatting, lint, types, import rules, migrations, templates, JavaScript
	@exec .venv/bin/python -m portal.local.check

docs: PURPOSE = check
docs: setup      ## the documentation, into .cache/site
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet && echo "  .cache/site/index.html"

bench: PURPOSE = test
bench: setup     ## one JSON object per line
	@exec .venv/bin/python -m tests.bench $(ARGS)

setup:
	@exec $(PYTHON) -I portal/local/setup.py $(or $(PURPOSE),demo)

lock: PURPOSE = lock
lock: setup      ## resolve the Python dependencies again
	@exec .venv/bin/python -I portal/local/lock.py

clean:           ## everything a clone does not come with, .demo too; a demo's own DATA= stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf static/node_modules static/build .demo
