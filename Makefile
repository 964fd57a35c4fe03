# Everything a newcomer needs: make demo, make test. See README.md.
PYTHON ?= python3
PORT ?= 8000
BIN = .venv/bin

.PHONY: setup readers demo test lint test-sqlite test-services test-browser test-chaos bench lock

setup: .venv/.installed

.venv/.installed: requirements.lock
	@echo "Setting up the virtual environment .venv (once, about two minutes)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

# ClickHouse and Spark, for the tests of the examples in docs/lake.md: 1.4 GB that nothing else needs.
readers: setup
	@echo "Installing the readers of the lake (once, some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-readers.lock

demo: setup
	@$(BIN)/python manage.py demo --port $(PORT) $(if $(RESET),--reset)

test: setup
	@tests/run

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

test-sqlite: setup
	$(BIN)/pytest -m "not browser and not chaos and not service"

test-browser: setup
	$(BIN)/pytest -m browser

test-chaos: setup
	$(BIN)/pytest -m chaos

bench: setup
	$(BIN)/python -m tests.benchmarks

lock: setup
	$(BIN)/uv pip compile pyproject.toml --extra dev -o requirements.lock \
		--python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra readers -c requirements.lock \
		-o requirements-readers.lock --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header
