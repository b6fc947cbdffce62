# Two commands do all the set-up they need: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench fuzz screenshots lock clean

demo: .venv/demo.done
	$(BIN)/lookout demo

test: .venv/test.done
	$(BIN)/python -m pytest

check: .venv/test.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/test.done
	failed=; for script in benchmarks/[!_]*.py; do echo "== $$script"; $(BIN)/python "$$script" || failed="$$failed $$script"; done; \
	test -z "$$failed" || { echo "do not hold:$$failed"; exit 1; }

# A million damaged inputs for each of what must never raise; the tests try 20,000.
fuzz: .venv/test.done
	$(BIN)/python -m tests.fuzzing 1000000

# Installed from the lock, whose hashes pip verifies; the project itself as it stands here.
.venv/demo.done: requirements/local.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lookout needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/test.done: .venv/demo.done requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	sh tests/e2e/install-chromium.sh
	touch $@

# The pictures of README and docs, of the demo as it runs here and now.
screenshots: .venv/test.done
	$(BIN)/lookout demo --no-open
	$(BIN)/python docs/screenshots.py

# After a change of dependencies in pyproject.toml; needs uv. The locks name no index.
lock:
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate --extra local --group build -o requirements/local.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-annotate --extra local --extra dev -c requirements/local.lock -o requirements/dev.lock

clean:
	rm -rf .venv site out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
