# Every target works from a fresh clone; what is missing is installed or built first.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
export CONTEXT FORCE FROM LIVE PURGE TOKEN URL

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(MAKEFILE_LIST))

help: ## this list
	@awk 'BEGIN {FS = ":.*## "; print "make TARGET [STACK=dev] [CONTEXT=...] [ARGS=\"flags for pulumi\"]\n"} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/ready ## create or change the stack
	@$(RUN) commands up $(STACK) $(ARGS)

preview: $(VENV)/ready ## show what `up` would do; needs no cluster
	@$(RUN) commands preview $(STACK) $(ARGS)

precheck: $(VENV)/ready ## whether the stack can be installed on its cluster; changes nothing
	@$(RUN) commands precheck $(STACK)

refresh: $(VENV)/ready ## take what changed on the cluster into the state
	@$(RUN) commands refresh $(STACK) $(ARGS)

down: $(VENV)/ready ## remove everything that the stack made; FORCE=1: also if others still use it, PURGE=1: also Istio's own traces
	@$(RUN) commands down $(STACK) $(ARGS)

status: $(VENV)/ready ## versions, gateways and addresses, pods without a current sidecar
	@$(RUN) commands status $(STACK)

smoke: $(VENV)/ready ## ask the product page, and compare which versions answer with the routes; URL=... where it is not the recorded one, TOKEN=... where it asks for one
	@$(RUN) commands smoke $(STACK)

analyze: $(VENV)/ready ## say what is wrong with the stack's objects; needs no cluster
	@$(RUN) commands analyze $(STACK)

report: $(VENV)/ready ## what a change does to risks, requests and objects, of all stacks or STACK, to OUT=reports; BASE=branch, ARGS="--fail-on high"
	@$(RUN) commands report "$(if $(filter file,$(origin STACK)),,$(STACK))" --out "$(OUT)" --base "$(BASE)" $(ARGS)

summary: ## show the reports in OUT=reports on the page of a GitHub job
	@cat "$(or $(OUT),reports)"/*.md >> "$${GITHUB_STEP_SUMMARY:?is set in a job of GitHub alone}"

policy: $(VENV)/ready ## say which policies the stack does not keep, and fail for mandatory ones; needs no cluster
	@$(RUN) commands policy $(STACK)

map: $(VENV)/ready ## draw hosts, gateways, routes, services and versions to OUT=folder, as SVG and Mermaid; needs no cluster
	@$(RUN) commands map $(STACK) --out "$(OUT)"

graph: $(VENV)/ready ## draw the components and what waits for what to OUT=folder; needs no cluster
	@$(RUN) commands graph $(STACK) --out "$(OUT)"

render: $(VENV)/ready ## write the stack's objects as YAML files to OUT=folder; needs no cluster
	@$(RUN) commands render $(STACK) --out "$(OUT)"

parity: $(VENV)/ready ## compare the stack with somebody's Istio: FROM=a file or folder of YAML, or a context; its own cluster if left out
	@$(RUN) commands parity $(STACK)

adopt: $(VENV)/ready ## make an Istio that was installed otherwise the stack's; FORCE=1: also where it differs
	@$(RUN) commands adopt $(STACK)

dashboard: $(VENV)/ready ## show an addon in the browser, through a free port: NAME=grafana, kiali, jaeger, prometheus
	@$(RUN) commands dashboard $(STACK) --name "$(NAME)"

sandbox: $(VENV)/ready ## start the embedded Kubernetes
	@$(RUN) sandbox start

sandbox-stop: $(VENV)/ready ## stop it; what is on it stays
	@$(RUN) sandbox stop

sandbox-reset: $(VENV)/ready ## delete it, and the state of the stacks that were on it
	@$(RUN) commands reset

toolchain: $(VENV)/ready ## build the engine and the embedded Kubernetes, where they are not installed
	@$(RUN) toolchain

kubeconfig: ## write what KUBECONFIG_DATA holds to the new file KUBECONFIG, for its owner alone
	@umask 077; set -C; printf '%s\n' "$${KUBECONFIG_DATA:?holds no kubeconfig}" > "$${KUBECONFIG:?names no file}"

env: $(VENV)/ready ## print the variables for using `pulumi` by hand: eval "$(make -s env)"
	@$(RUN) commands env $(STACK)

docs: $(VENV)/ready ## write the tables of the README and of docs/ from the types
	@$(RUN) commands docs

test: $(VENV)/ready-dev ## all tests, the end-to-end tests on the real engine among them
	$(RUN) pytest tests --numprocesses 2 --dist loadfile $(ARGS)

torture: $(VENV)/ready-dev ## kill the engine at COUNT=30 points of up and down; SEED=... for other points
	MESH_TORTURE_COUNT=$(or $(COUNT),30) MESH_TORTURE_SEED=$(or $(SEED),1) $(RUN) pytest tests/e2e/test_faults.py $(ARGS)

unit: $(VENV)/ready-dev ## the fast tests alone
	$(RUN) pytest tests --ignore tests/e2e --numprocesses 2 $(ARGS)

lint: $(VENV)/ready-dev ## formatting, lint, types, walls between the rooms, and GitHub's workflows
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) mypy
	$(RUN) toolchain.workflows

bench: $(VENV)/ready ## measure against kubectl and ConfigFile, in ROUNDS=5; GROWTH=1 or SETUP=1 instead; writes to OUT
	@OUT="$(OUT)" ROUNDS="$(ROUNDS)" GROWTH="$(GROWTH)" SETUP="$(SETUP)" $(RUN) bench

clean: ## remove the virtual environment and caches in the tree
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; name another with make PYTHON=...")'
	@echo "installing Python packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "installing the tools for tests and lint"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
