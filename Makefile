# Everything a person runs here. Needs Python 3.11 or newer and make; each target brings its own environment.

PYTHON ?= python3
VENV ?= .venv
TEST_VENV ?= .venv-test
BENCH_VENV ?= .venv-bench
LOCK_VENV ?= .venv-lock
AUDIT_VENV ?= .venv-audit
NODE_MODULES = requirements/npm/node_modules
VAR ?= var
PORT ?= 8000
WORKERS ?= 2
LEAST ?= 95
SOCKETS ?= 500
SECONDS ?= 600
MINUTES ?= 5
HOURS ?= 0
SEED ?=
FAULTS ?=
KEYS ?= 100000
ROUNDS ?= 5
SLICE ?= 1
PAGE ?= docs/performance.md

RUN = $(VENV)/bin/python
PROVE = $(TEST_VENV)/bin/python
CHECK_VAR = $(TEST_VENV)/var

# How the portal is served, here and in docs/operating.md: headers of 16 kB at most, and HTTP/1.1 as proxies speak it.
SERVE = --interface asginl --http 1 --http1-buffer-size 16384 --respawn-failed-workers --workers-kill-timeout 5
# Only here: in public, sockets have a server of their own, which bounds what each of them keeps.
AT_ONE_ADDRESS = --ws

UV = uv==0.13.9
COMPILE = "$(abspath $(LOCK_VENV))"/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links $(LOCK_FLAGS)

# Nothing that a package brings along to be run at its installation is run.
NPM = npm --prefix requirements/npm --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error

# What a test or a check starts from, whatever the caller's environment holds.
LOCAL = env -u DATABASE_URL -u REDIS_URL -u EMAIL_URL PORTAL_DEBUG=1 PORTAL_VAR="$(CHECK_VAR)"
# An installation as it would stand in public. Nothing connects to the database it names.
PUBLIC = env -u PORTAL_DEBUG \
	PORTAL_VAR="$(CHECK_VAR)" \
	PORTAL_SECRET_KEY="$$($(PROVE) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	PORTAL_SEALING_KEYS="$$($(PROVE) -c 'import secrets; print("k1:" + secrets.token_urlsafe(32))')" \
	PORTAL_BASE_URL=https://portal.example.test \
	PORTAL_ALLOWED_HOSTS=portal.example.test \
	PORTAL_MAIL_FROM=portal@portal.example.test \
	DATABASE_URL=postgres://portal:portal@database.example.test/portal \
	REDIS_URL=redis://redis.example.test/0 \
	EMAIL_URL=smtp+tls://portal:portal@mail.example.test:587

.PHONY: help run test test-whole test-quick coverage bench drills failovers rehearsal soak-stream wheel container fix check check-quick check-style check-types check-layers \
	check-templates check-django hooks lock audit clean
.DEFAULT_GOAL := help

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: $(VENV)/.runtime ## serve the portal with demo data on http://localhost:8000 (PORT=, VAR=)
	@$(RUN) -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' 2>/dev/null || \
		{ echo "Port $(PORT) is in use. Stop what listens there, or choose another: make run PORT=8001" >&2; exit 1; }
	@mkdir -p -m 700 "$(VAR)" "$(VAR)/exchange"
	@export PORTAL_DEBUG=1 PORTAL_VAR="$(abspath $(VAR))" PORTAL_BASE_URL="http://localhost:$(PORT)"; \
	exchange=$$($(EXCHANGE_PORT)); \
	{ ($(SERVE_EXCHANGE)) > "$(VAR)/exchange/log.txt" 2>&1 & }; \
	export PORTAL_EXCHANGES="$${PORTAL_EXCHANGES:-Kraken=https://api.kraken.com},Simulated=http://127.0.0.1:$$exchange"; \
	echo "Preparing the database and the demo in $(VAR)/ ..."; \
	(umask 077 && $(RUN) manage.py demo --migrate > "$(VAR)/welcome.txt") && \
	echo "Starting the server ..." && \
	{ $(RUN) manage.py work --with-parent & } && \
	{ $(SAY_WELCOME) & } && \
	exec $(RUN) -m granian $(SERVE) $(AT_ONE_ADDRESS) --host 127.0.0.1 --port $(PORT) --workers 1 \
		--log-level warning --no-access-log portal.asgi:application

# Of the exchange beside it: the next port, or any that is free.
EXCHANGE_PORT = $(RUN) -c 'import socket; next = $(PORT) + 1; \
	free = next < 65536 and socket.socket().connect_ex(("127.0.0.1", next)); \
	print(next if free else socket.create_server(("127.0.0.1", 0)).getsockname()[1])'

# A second portal with data of its own plays the exchange, for this machine alone, and ends with the first. Once it has
# been made it lets that go before, so that nobody waits longer for a page.
define SERVE_EXCHANGE
unset DATABASE_URL REDIS_URL EMAIL_URL PORTAL_EXCHANGES PORTAL_PUBLIC_EXCHANGE; \
	export PORTAL_VAR="$(abspath $(VAR))/exchange" PORTAL_BASE_URL="http://127.0.0.1:$$exchange"; \
	{ ! test -f "$$PORTAL_VAR/credentials.json" || $(WAIT_FOR_PORTAL); } && \
	$(RUN) manage.py demoexchange --migrate && \
	{ $(RUN) -m granian $(SERVE) --no-ws --host 127.0.0.1 --port $$exchange --workers 1 \
		--log-level warning --no-access-log portal.asgi:application & } && \
	served=$$!; while kill -0 $$$$ && kill -0 $$served; do sleep 1; done 2>/dev/null; kill $$served
endef

WAIT_FOR_PORTAL = $(RUN) -c 'import socket, sys, time; here = ("127.0.0.1", $(PORT)); \
	sys.exit(all(time.sleep(0.1) or socket.socket().connect_ex(here) for _ in range(300)))'

# The address and the people are the last words on the screen: what the server says at its start comes before them.
define SAY_WELCOME
$(WAIT_FOR_PORTAL) && { sleep 0.3; echo; cat "$(VAR)/welcome.txt"; }
endef

test: $(TEST_VENV)/.dev ## every test but long ones and whole machines, in ten minutes; says what it left out or could not run
	@PYTHON="$(PROVE)" WORKERS="$(WORKERS)" tests/everything.sh

test-whole: $(TEST_VENV)/.dev ## the same with these, and what databases pass alike on both; CI runs it
	@PYTHON="$(PROVE)" WORKERS="$(WORKERS)" tests/everything.sh --whole

test-quick: $(TEST_VENV)/.dev ## what needs no database, and one test of each other file, on SQLite; a minute
	@PYTHON="$(PROVE)" WORKERS="$(WORKERS)" tests/everything.sh --quick

coverage: $(TEST_VENV)/.dev ## lines and branches that the tests go through; lists files below 95 % (TESTS=, LEAST=)
	@PYTHON="$(PROVE)" WORKERS="$(WORKERS)" LEAST="$(LEAST)" tests/coverage.sh $(TESTS)

bench: $(BENCH_VENV)/.bench ## speed beside others, on a PostgreSQL of its own, into docs/performance.md (KEYS=, ROUNDS=, SLICE=, PAGE=)
	@$(BENCH_VENV)/bin/python -m benchmarks --keys "$(KEYS)" --rounds "$(ROUNDS)" --seconds "$(SLICE)" --page "$(PAGE)"

soak: $(TEST_VENV)/.dev ## two nodes and all around them on machines of their own, broken in every way, each answer checked (MINUTES=, HOURS=, SEED=, FAULTS=)
	@$(PROVE) -m tests.chaos --minutes "$(MINUTES)" --hours "$(HOURS)" $(if $(SEED),--seed "$(SEED)") \
		--faults "$(FAULTS)" --kept "$(CHECK_VAR)/soak"

drills: $(TEST_VENV)/.dev ## carry out on whole Debian machines what runbooks say and make test leaves out; needs root
	@$(LOCAL) $(PROVE) -m pytest -p no:cacheprovider --durations=0 -m drill tests/machines

failovers: $(TEST_VENV)/.dev ## lose the primary of a database with a replica, by pulled plug and by cut wire, and time it; needs root (ROUNDS=)
	@$(PROVE) -m tests.machines.failovers --rounds "$(ROUNDS)"

rehearsal: $(TEST_VENV)/.dev ## an upgrade, a copy from SQLite, the story, a restore, a failover, a lost node on one installation; needs root
	@$(PROVE) -m tests.machines.rehearsal --pictures "$(CHECK_VAR)/rehearsal"

soak-stream: $(TEST_VENV)/.dev ## sockets under load while things break, each frame checked; needs PostgreSQL (SOCKETS=, SECONDS=)
	@$(PROVE) -m tests.soak --sockets $(SOCKETS) --seconds $(SECONDS)

wheel: $(TEST_VENV)/.dev ## what an installation needs of this checkout, into dist/: a wheel, and what installs it
	@$(PROVE) -m hatchling build --target wheel --directory dist
	@cp -R deploy/. dist/

container: $(TEST_VENV)/.dev ## build the image of deploy/containers and run it; needs root, buildah and mmdebstrap, a few minutes
	@$(PROVE) -m tests.operating.containers.trial

fix: $(TEST_VENV)/.dev ## put right what can be put right by itself: imports, layout of code and templates
	$(PROVE) -m ruff check --fix .
	$(PROVE) -m ruff format .
	@$(PROVE) -m djlint --quiet --reformat templates || $(PROVE) -m djlint --quiet --check templates

check: check-style check-types check-layers check-templates check-django ## lint, types, layers, templates, migrations

check-quick: check-style check-layers check-templates ## the part of it that takes seconds

check-style: $(TEST_VENV)/.dev
	$(PROVE) -m ruff check .
	$(PROVE) -m ruff format --check .

check-types: $(TEST_VENV)/.dev
	@mkdir -p "$(CHECK_VAR)"
	$(LOCAL) $(PROVE) -m mypy

check-layers: $(TEST_VENV)/.dev
	$(TEST_VENV)/bin/lint-imports --no-cache

check-templates: $(TEST_VENV)/.dev
	$(PROVE) -m djlint --quiet --lint templates
	$(PROVE) -m djlint --quiet --check templates

check-django: $(TEST_VENV)/.dev
	@mkdir -p "$(CHECK_VAR)"
	$(LOCAL) $(PROVE) manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy, as an installation in public"
	@$(PUBLIC) $(PROVE) manage.py check --deploy --fail-level WARNING

hooks: ## run check-quick before each commit in this clone
	@case "$$(git config --get core.hooksPath)" in ""|.githooks) ;; \
		*) echo "core.hooksPath is set to $$(git config --get core.hooksPath) already; nothing was changed." >&2; exit 1 ;; esac
	@git config --local core.hooksPath .githooks
	@echo "Each commit now runs make check-quick. Once without: git commit --no-verify"
	@echo "To undo: git config --local --unset core.hooksPath"

lock: $(LOCK_VENV)/.uv ## resolve requirements/*.in again (LOCK_FLAGS=--upgrade for newer releases)
	cd requirements && $(COMPILE) runtime.in --output-file runtime.txt
	cd requirements && $(COMPILE) dev.in --constraint runtime.txt --output-file dev.txt
	cd requirements && $(COMPILE) build.in --constraint dev.txt --output-file build.txt
	cd requirements && $(COMPILE) bench.in --constraint dev.txt --output-file bench.txt
	cd requirements && $(COMPILE) audit.in --constraint dev.txt --output-file audit.txt
	$(if $(shell command -v npm),$(NPM) install --package-lock-only --omit-lockfile-registry-resolved,@echo "npm is not installed: its lock stays as it is.")

audit: $(AUDIT_VENV)/.audit ## known weaknesses of what the portal runs with, where they can be asked for (AUDIT_FLAGS=)
	@$(PYTHON) requirements/audit.py "$(AUDIT_VENV)/bin/pip-audit" --disable-pip --no-deps --progress-spinner off $(AUDIT_FLAGS)

clean: ## remove environments and caches; local data in var/ stays
	rm -rf "$(VENV)" "$(TEST_VENV)" "$(BENCH_VENV)" "$(LOCK_VENV)" "$(AUDIT_VENV)" "$(NODE_MODULES)" .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find accounts benchmarks policies portal tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# Each environment carries a stamp as new as the lock it was made from.
$(VENV)/.runtime: requirements/runtime.txt
	$(call environment,$(VENV),$<)

$(TEST_VENV)/.dev: requirements/dev.txt
	$(call environment,$(TEST_VENV),$<)

$(BENCH_VENV)/.bench: requirements/bench.txt
	$(call environment,$(BENCH_VENV),$<)

$(AUDIT_VENV)/.audit: requirements/audit.txt
	$(call environment,$(AUDIT_VENV),$<)

# The client libraries of another language, where node and npm are installed.
$(NODE_MODULES)/.clients: requirements/npm/package-lock.json
	@$(NPM) ci
	@touch $@

$(LOCK_VENV)/.uv: Makefile
	@$(PYTHON) -m venv "$(LOCK_VENV)"
	@"$(LOCK_VENV)/bin/python" -m pip install --quiet --disable-pip-version-check "$(UV)"
	@touch $@

define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Countersign needs Python 3.11 or newer.")'
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 10) or (3, 12) <= sys.version_info < (3, 12, 6))' || \
	echo "This Python reads cookies slowly (CVE-2024-7592). The portal guards itself; 3.11.10, 3.12.6 or newer is better."
@echo "Installing $(2) into $(1): one to three minutes, once."
@$(PYTHON) -m venv "$(1)"
@"$(1)/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$(2)" \
	>"$(1)/install.log" 2>&1 & installer=$$!; \
	while kill -0 $$installer 2>/dev/null; do printf .; sleep 2; done; echo; \
	wait $$installer || { tail -n 20 "$(1)/install.log" >&2; echo "Nothing was installed: see above." >&2; exit 1; }
@touch $@
endef
