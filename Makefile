.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

PLAYGROUND := playground/dist/index.html
PLAYGROUND_SOURCES := $(shell find playground -type f \
	-not -path 'playground/node_modules/*' -not -path 'playground/dist/*')

.PHONY: help run test faults bench lint types format schema playground browser lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run $(PLAYGROUND) ## set everything up and serve on http://localhost:8000
	@exec $(BIN)/python -m application

test: lint types browser $(PLAYGROUND) ## set everything up and run every check and test (ARGS for pytest)
	$(BIN)/pytest -n auto $(ARGS)

faults: $(VENV)/.test ## break servers, stores and networks under load, and print what came of it
	FAULTS=full $(BIN)/pytest tests/faults --quiet --no-header --timeout=300 $(ARGS)

bench: $(VENV)/.run bench/peers/node_modules/.stamp build/bench-load ## measure Parley and its peers in one run (ARGS=--help)
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.test ## style, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.test ## mypy --strict
	$(BIN)/mypy

format: $(VENV)/.test ## put the sources into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/.run ## write schema.graphql anew
	$(BIN)/python -m resolvers.export

playground: $(PLAYGROUND) ## build the playground

lock: ## pin the newest dependencies that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --upgrade -o requirements.txt
	uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --upgrade -c requirements.txt -o requirements-dev.txt

clean: ## remove what the other targets made; .data, the chat itself, stays
	rm -rf $(VENV) build playground/node_modules playground/dist \
		bench/peers/node_modules bench/results \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the file that lists what was installed, so a second run has nothing to do.

$(VENV)/.run: requirements.txt $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/pyvenv.cfg:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "$$python -m venv $(VENV)"; \
			$$python -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); \
			echo "$$python cannot make a virtual environment." \
				"On Debian and Ubuntu install python3-venv." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Parley needs Python 3.11 or newer; there is none on the PATH." >&2; exit 1

$(PLAYGROUND): playground/node_modules/.stamp $(PLAYGROUND_SOURCES)
	cd playground && npm run --silent build
	@touch $@

%/node_modules/.stamp: %/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || \
		{ echo "Parley needs Node 20 or newer for this." >&2; exit 1; }
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The benchmark's load generator. LOAD_FLAGS takes a sanitizer: -g -fsanitize=address,undefined
build/bench-load: $(wildcard bench/load/*.c bench/load/*.h)
	@mkdir -p build
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror $(LOAD_FLAGS) $(filter %.c,$^) -o $@

# The test of the playground drives a real browser; CHROMIUM may name one.
browser:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
		command -v "$$name" >/dev/null 2>&1 && exit 0; \
	done; \
	if ! command -v apt-get >/dev/null; then sudo=none; \
	elif [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo=sudo; \
	else sudo=none; fi; \
	if [ "$$sudo" = none ]; then \
		echo "The test of the playground needs Chromium: install it, or set CHROMIUM to one." >&2; \
		exit 1; \
	fi; \
	$$sudo apt-get update -q && $$sudo apt-get install -qy --no-install-recommends chromium
