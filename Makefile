# Thin targets over the project's own commands; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
DEMO_WECS ?= 4
# pip's own progress is noise in a log; what is being done is said by us.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Our own Go programs, by module. Only these packages of a dense process have tests: all others compile the whole of
# Kubernetes, which the race detector makes minutes of.
GO_TESTS := patch:./... many:./... controlplane:./dense/lifecycle,./dense/admin,./dense/settings,./dense/quiet,./dense/store,./dense/share,./dense/inprocess,./dense/socket hollow:./settings,./identity,./partition,./admin,./registry,./backend kind:./cmd/... link:./cmd/... load:./...
# Two fleets alongside each other: most of a live test is waiting.
LIVE := $(BIN)/python -m pytest -m live -n 2 --dist loadgroup -v --durations 12

# Newer rules find more: raised on purpose, not by the day.
AXE := 4.14.1

.DEFAULT_GOAL := help
.PHONY: help env env-dev toolchain demo test test-unit test-go test-browser test-live test-kind test-lab test-talk test-action test-ab test-managers test-faults test-platforms lint docs wheel collection sanity format bench bench-sizing soak clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

env: .venv/.stamp ## the Python environment in .venv
env-dev: .venv/.stamp-dev ## the same with what tests and lint need

.venv/.stamp: pyproject.toml constraints.txt
	@echo "environment: installing Python packages into .venv (about a minute the first time)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python 3.11 or newer is needed, this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

.venv/.stamp-dev: .venv/.stamp
	@echo "environment: installing what tests and lint need into .venv (about a minute the first time)" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@

toolchain: env ## build or check the upstream programs of a fleet; with ARCHIVE=FILE|URL SHA256=... take them from there
	@$(if $(ARCHIVE),$(BIN)/fleet toolchain use '$(ARCHIVE)' --sha256 '$(SHA256)' >/dev/null)
	@$(BIN)/fleet toolchain build

demo: toolchain ## a fleet of 4 WECs on this machine, wec-scaling on it (one policy for 1 and 4 WECs), the report's path
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-playbook site.yml -e wec_count=$(DEMO_WECS) -e fleet_name=demo
	@$(BIN)/fleet status --fleet demo
	@$(BIN)/fleet experiment run wec-scaling --fleet demo --layout one-to-many --objects 3 --repeats 1 --set warmup=0
	@echo "the fleet is still up: look with '.venv/bin/fleet status', end it with '.venv/bin/fleet down'" >&2

test: env-dev lint test-go ## lint, Go, unit and golden tests, then a live fleet with each driver
	@$(MAKE) --no-print-directory test-unit
	@$(MAKE) --no-print-directory test-browser
	@$(BIN)/fleet toolchain build
	@$(LIVE)

test-unit: env-dev ## unit and golden tests
	@$(BIN)/python -m pytest -m 'not live and not browser' -n 2 -q

test-go: ## tests of our Go programs with the race detector (Go and a C compiler; skipped without)
	@if ! command -v go >/dev/null || ! command -v gcc >/dev/null; then \
	  echo "test-go: skipped: the race detector needs go and gcc in PATH" >&2; \
	else for group in $(GO_TESTS); do \
	  (cd "toolchain/$${group%%:*}" && GOFLAGS=-mod=readonly GOWORK=off GOTOOLCHAIN=local \
	    go test -race $$(tr , ' ' <<<"$${group#*:}")) || exit; done; fi

test-browser: env-dev ## the pages in Chromium, with axe-core by npm (skipped without one of them)
	@if ! command -v npm >/dev/null || ! command -v chromium >/dev/null; then \
	  echo "test-browser: skipped: it needs chromium and npm in PATH (apt-get install chromium npm)" >&2; \
	else test -f .venv/browser/node_modules/axe-core/axe.min.js || \
	  npm install --silent --no-audit --no-fund --no-package-lock --prefix .venv/browser axe-core@$(AXE) >/dev/null; \
	  $(BIN)/python -m pytest -q tests/browser; fi

test-live: env-dev toolchain ## only the live tests
	@$(LIVE)

test-kind: env-dev toolchain ## a live fleet of 3 kind clusters (root; installs Docker where it is missing)
	@FLEET_TEST_KIND=1 $(BIN)/python -m pytest -m kind -v

test-lab: env-dev toolchain ## fleets over SSH on machines of `fleet lab`, and over slow links (root)
	@FLEET_TEST_LAB=1 $(BIN)/python -m pytest tests/live/test_lab.py tests/live/test_link.py tests/live/test_cloud.py -v

test-faults: env-dev toolchain ## every fault on a live fleet of plain OCM (root, for the disks)
	@FLEET_TEST_FAULTS=1 $(BIN)/python -m pytest tests/live/test_faults.py -v -rP

test-action: env-dev toolchain ## the steps of the GitHub action in a clean folder, with two fleets of 3 WECs
	@FLEET_TEST_ACTION=1 $(BIN)/python -m pytest tests/live/test_action.py -v

test-ab: env-dev toolchain ## a slow link that `fleet ab` must find (needs the machine for itself)
	@FLEET_TEST_AB=1 $(BIN)/python -m pytest tests/live/test_ab.py -v

test-talk: env-dev toolchain ## the talk's experiments on a live fleet of 3 WECs
	@FLEET_TEST_TALK=1 $(BIN)/python -m pytest tests/live/test_talk.py -v

test-managers: env-dev toolchain ## one live fleet under OCM, Karmada, KubeFleet and MultiKueue in turn (builds their programs first)
	@FLEET_TEST_MANAGERS=1 $(BIN)/python -m pytest tests/live/test_managers.py tests/live/test_league.py -v

test-platforms: env-dev ## each platform, and ui-load, live in the short form; compiles their programs, minutes each
	@$(BIN)/fleet toolchain build $$($(BIN)/python -c 'from fleet.platforms.platform import known; print(*(f"--for platform:{n}" for n in known()))') --for experiment:ui-load --for experiment:admission-latency
	@FLEET_TEST_PLATFORMS=1 $(BIN)/python -m pytest tests/live/test_platforms.py -v --durations 12

lint: env-dev docs ## ruff, mypy --strict, yamllint, ansible-lint, docs, and gofmt where there is a Go
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline --strict -q
	@if command -v gofmt >/dev/null; then \
	  unformatted="$$(gofmt -l toolchain node_image tests fleettest)"; test -z "$$unformatted" || { echo "$$unformatted" >&2; exit 1; }; fi

docs: env-dev ## the docs site in site/, from a strict build; links and words are checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@$(BIN)/python -m tools.links
	@$(BIN)/python -m tools.prose

wheel: env-dev ## the Python package, in dist/
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

collection: env-dev ## the Ansible collection, in dist/
	@$(BIN)/python -m tools.collection dist

sanity: env-dev ## ansible-test sanity of the collection (it installs its own tools from PyPI)
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; $(BIN)/python -c "import sys; from pathlib import Path; from tools.collection import stage; stage(Path(sys.argv[1]))" "$$folder"; \
	  cd "$$folder/ansible_collections/kubestellar/fleet" && PATH="$(CURDIR)/$(BIN):$$PATH" ansible-test sanity --venv --color no $(SANITY)

format: env-dev ## ruff format and the fixes it is sure of
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: env-dev toolchain ## side-by-side benchmarks: ratios with their spread
	@$(BIN)/python -m tests.bench

bench-sizing: env-dev toolchain ## fleets of 10, 20 and 50 WECs predict one of 100: an hour, and 16 GiB
	@$(BIN)/python -m tests.bench --only sizing

soak: env-dev toolchain ## half an hour of control planes that come and go, with the race detector (Go and a C compiler)
	@$(BIN)/python -m tests.bench.soak

clean: ## remove the environment and caches of the checkout (fleets and the toolchain cache stay)
	rm -rf .venv site .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
