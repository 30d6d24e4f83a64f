.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
FUZZ ?= 50

CLIENT := client/dist/index.html
PLAYGROUND := playground/dist/index.html
sources = $(shell find $(1) -type f -not -path '$(1)/node_modules/*' -not -path '$(1)/dist/*')

.PHONY: help run dev test test-all test-client clients proxies faults fuzz audit bench bench-channels lint types \
	format schema client playground pictures browser lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: $(VENV)/.run $(CLIENT) $(PLAYGROUND) ## set everything up and serve on http://localhost:8000
	@exec $(BIN)/python -m application

dev: $(VENV)/.run client/node_modules/.stamp $(PLAYGROUND) ## serve, and the client with hot reload beside it
	@$(BIN)/python -m application & server=$$!; trap 'kill $$server' EXIT; \
	cd client && npm run --silent dev

test: lint types test-client clients browser proxies $(CLIENT) $(PLAYGROUND) ## set everything up and run every check and test (ARGS for pytest)
	cd client && npm run --silent e2e
	$(BIN)/pytest -n auto $(ARGS)

test-all: export LONG := 1
test-all: test ## the same with what takes long, on each store; then every fault, and much random input
	@$(MAKE) --no-print-directory faults fuzz

test-client: client/node_modules/.stamp ## the client's own checks and tests, without a server
	cd client && npm run --silent lint && npm run --silent types && \
		npm run --silent codegen:check && npm test --silent

clients: tests/clients/node_modules/.stamp examples/bots/typescript/node_modules/.stamp ## install what the tests of clients and bots use

proxies: build/proxies/.stamp ## fetch nginx and Caddy for the tests of deploy/

faults: $(VENV)/.test ## break servers, stores and networks under load, and print what came of it
	FAULTS=full $(BIN)/pytest tests/faults --quiet --no-header --timeout=300 $(ARGS)

fuzz: $(VENV)/.test ## send a server fifty times the random input that the tests send (FUZZ=50)
	FUZZ=$(FUZZ) $(BIN)/pytest tests/security/test_fuzz.py --quiet --no-header $(ARGS)

audit: $(VENV)/pyvenv.cfg ## ask whether the dependencies have known vulnerabilities
	@$(BIN)/python tests/security/audit.py

bench: $(VENV)/.run bench/peers/node_modules/.stamp build/bench-load ## measure Parley and its peers in one run (ARGS=--help)
	@$(BIN)/python -m bench $(ARGS)

bench-channels: $(VENV)/.run ## measure what hearing of messages costs, as rooms and servers grow
	@$(BIN)/python -m bench.channels $(ARGS)

lint: $(VENV)/.test ## style, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.test ## mypy --strict
	$(BIN)/mypy

format: $(VENV)/.test ## put the sources into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(VENV)/.run client/node_modules/.stamp ## write schema.graphql and docs/api.md anew, and the client's types
	$(BIN)/python -m resolvers.export
	cd client && npm run --silent codegen

client: $(CLIENT) ## build the web client

playground: $(PLAYGROUND) ## build the playground

pictures: $(VENV)/.run browser $(CLIENT) ## take the README's pictures of the client anew
	cd client && npm run --silent pictures

lock: ## pin the newest dependencies that pyproject.toml allows (needs uv)
	uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --upgrade -o requirements.txt
	uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --universal \
		--python-version 3.11 --upgrade -c requirements.txt -o requirements-dev.txt

clean: ## remove what the other targets made; .data, the chat itself, stays
	rm -rf $(VENV) build client/node_modules client/dist playground/node_modules playground/dist \
		tests/clients/node_modules examples/bots/typescript/node_modules bench/peers/node_modules \
		bench/results \
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

# What Vite builds. The client's queries are checked against the schema while it is built.

$(CLIENT): client/node_modules/.stamp $(call sources,client) schema.graphql
$(PLAYGROUND): playground/node_modules/.stamp $(call sources,playground)

%/dist/index.html:
	cd $* && npm run --silent build
	@touch $@

%/node_modules/.stamp: %/package-lock.json
	@node -e 'process.exit(/^(20\.(19|[2-9]\d)|2[1-9]|[3-9]\d)/.test(process.versions.node) ? 0 : 1)' 2>/dev/null || \
		{ echo "Parley needs Node 20.19 or newer to build its pages." >&2; exit 1; }
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The benchmark's load generator. LOAD_FLAGS takes a sanitizer: -g -fsanitize=address,undefined
build/bench-load: $(wildcard bench/load/*.c bench/load/*.h)
	@mkdir -p build
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror $(LOAD_FLAGS) $(filter %.c,$^) -o $@

find_sudo = if ! command -v apt-get >/dev/null; then sudo=none; \
	elif [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo=sudo; \
	else sudo=none; fi

# Some tests run the examples of deploy/ in real proxies, and are skipped without. They are unpacked
# and not installed: then they would be started, too.
build/proxies/.stamp:
	@mkdir -p $(@D) && cd $(@D) && $(find_sudo); \
	if [ "$$sudo" = none ]; then \
		echo "The examples for nginx and Caddy are tested only where these are installed."; \
	else \
		apt-get download -q nginx caddy 2>/dev/null || \
			{ $$sudo apt-get update -q && apt-get download -q nginx caddy; } || exit 1; \
		for package in *.deb; do dpkg -x "$$package" . || exit 1; done; \
	fi; touch .stamp

# Some tests drive a real browser; CHROMIUM may name one.
browser:
	@for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
		command -v "$$name" >/dev/null 2>&1 && exit 0; \
	done; \
	$(find_sudo); \
	if [ "$$sudo" = none ]; then \
		echo "The tests of the pages need Chromium: install it, or set CHROMIUM to one." >&2; \
		exit 1; \
	fi; \
	$$sudo apt-get update -q && $$sudo apt-get install -qy --no-install-recommends chromium
