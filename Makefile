# Two commands are the whole set-up: `make demo` runs the main job, `make test` all tests.
# Each creates .venv once, from pyproject.toml and constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint types mypy pyright unit golden campaign bench-client bench-ingest bench-livequery bench-writes constraints clean

demo: $(READY)
	@$(BIN)/python generated_examples/agent_session/demo.py

test: lint types unit

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

# Each works on one core.
types: $(READY)
	@$(MAKE) --no-print-directory --jobs 2 mypy pyright

mypy: $(READY)
	$(BIN)/mypy codegen/streamdb_gen runtime/streamdb server/streamdb_server templates/streamdb_templates \
		generated_examples/agent_session

pyright: $(READY)
	$(BIN)/pyright --project pyproject.toml

# Bytecode is kept, even where the environment says otherwise: tests start some hundred processes
# which import the library, and each would compile it, as each of pytest's would compile the tests.
unit: export PYTHONDONTWRITEBYTECODE =
unit: $(READY)
	$(BIN)/pytest --quiet --doctest-modules runtime codegen server
	$(BIN)/pytest --numprocesses auto --dist worksteal --maxfail 50

# Regenerates every golden package and error listing; review the diff as code.
golden: $(READY)
	$(BIN)/pytest tests/codegen --update-golden

# Long forms of tests, some minutes each and more, so no part of `make test`: 1,000 examples of each
# property instead of 50, 10,000 random hostile specs and
# schemas through the compiler, 20,000 edits of which none may rename anything, the table of what every
# side says of the JSON-Schema-Test-Suite, public schemas and random ones, 1,000 random histories
# each of readers, producers and both behind proxies that damage what goes through them, 10,000 of
# databases and of databases that are written to, ten clients that write for a minute, 200 kills of processes with a cache,
# 100 with an outbox, and 100,000 steps of random live queries.
campaign: $(READY)
	$(BIN)/pytest --hypothesis-profile thorough --numprocesses auto --dist worksteal tests/runtime tests/codegen
	$(BIN)/python -m tests.codegen.hostile_campaign
	$(BIN)/python -m tests.codegen.name_campaign
	$(BIN)/python -m tests.agreement.table
	$(BIN)/python -m tests.runtime.streams.fault_campaign
	$(BIN)/python -m tests.runtime.db.database_campaign
	$(BIN)/python -m tests.runtime.db.write_campaign
	$(BIN)/python -m tests.runtime.db.ten_clients
	$(BIN)/python -m tests.runtime.db.cache_campaign
	$(BIN)/python -m tests.runtime.db.outbox_campaign
	$(BIN)/python -m tests.runtime.engine.oracle_campaign

# Our stream client beside the TypeScript one and the one on PyPI; wants the machine for itself.
bench-client: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev,bench]'
	$(BIN)/python -m benchmarks.client

# Loading a stream into collections, beside orjson and the TypeScript StreamDB, and what importing a
# generated package costs; wants the machine for itself.
bench-ingest: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev,bench]'
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.imports

# Live queries beside TanStack DB: first loads and changes; wants the machine for itself.
bench-livequery: $(READY)
	$(BIN)/python -m benchmarks.livequery

# Local writes beside TanStack DB: until they show, until they are confirmed; and a writer's chunks;
# wants the machine for itself.
bench-writes: $(READY)
	$(BIN)/python -m benchmarks.writes

# Run with uv installed. Registry addresses are left out on purpose.
constraints:
	uv pip compile --universal --all-extras --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 pyproject.toml -o constraints.txt

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

clean:
	rm -rf $(VENV)
