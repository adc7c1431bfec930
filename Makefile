# Every target works from a fresh clone: it first installs or builds the tools that are missing.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
export APPLY CONTEXT FILES FORCE FROM JSON LIMITS LIVE NAMESPACE PURGE RELEASE REVISION TO TOKEN URL
# The stack, if the user names one
NAMED := $(if $(filter file,$(origin STACK)),,$(STACK))

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(MAKEFILE_LIST))

help: ## list all targets
	@awk 'BEGIN {FS = ":.*## "; print "make TARGET [STACK=dev] [CONTEXT=...] [ARGS=\"flags for pulumi\"]\n"} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/ready ## create or update the stack; FORCE=1: even if running sidecars lose their control plane
	@$(RUN) commands up $(STACK) $(ARGS)

preview: $(VENV)/ready ## show what `up` would do; needs no cluster
	@$(RUN) commands preview $(STACK) $(ARGS)

precheck: $(VENV)/ready ## check whether the stack can be installed on its cluster; changes nothing
	@$(RUN) commands precheck $(STACK)

refresh: $(VENV)/ready ## update the state with what changed on the cluster
	@$(RUN) commands refresh $(STACK) $(ARGS)

down: $(VENV)/ready ## delete everything that the stack created; FORCE=1: even if that breaks workloads or deletes objects that the stack does not manage, PURGE=1: also delete what istiod created
	@$(RUN) commands down $(STACK) $(ARGS)

status: $(VENV)/ready ## show control planes, tags, gateways, addresses, and pods without a current sidecar; JSON=1: as JSON
	@$(RUN) commands status $(STACK)

smoke: $(VENV)/ready ## send requests to the product page, or to the host of URL=http://..., and compare the answers with the routes; TOKEN=... if the host needs one, LIMITS=1: also use up its rate limits
	@$(RUN) commands smoke $(STACK)

analyze: $(VENV)/ready ## analyze the stack's objects and print the findings; FILES="folder file -": analyze the objects of these files, alone or on top of STACK; needs no cluster
	@$(RUN) commands analyze "$(if $(FILES),$(NAMED),$(STACK))"

report: $(VENV)/ready ## write reports to OUT=reports on what a change does to risks, requests and objects, of all stacks, or of STACK or FILES; BASE=branch (with FILES also a folder or REF:PATH), ARGS="--fail-on high"
	@$(RUN) commands report "$(NAMED)" --out "$(OUT)" --base "$(BASE)" $(ARGS)

summary: ## add the reports in OUT=reports to the summary of a GitHub job
	@cat "$(or $(OUT),reports)"/*.md >> "$${GITHUB_STEP_SUMMARY:?is set only in a GitHub Actions job}"

policy: $(VENV)/ready ## print the policies that the stack violates, and fail if one is mandatory; needs no cluster
	@$(RUN) commands policy $(STACK)

map: $(VENV)/ready ## draw the hosts, gateways, routes, services and versions of STACK or FILES to OUT=folder, as SVG and Mermaid; needs no cluster
	@$(RUN) commands map "$(if $(FILES),$(NAMED),$(STACK))" --out "$(OUT)"

graph: $(VENV)/ready ## draw the components and their dependencies to OUT=folder; needs no cluster
	@$(RUN) commands graph $(STACK) --out "$(OUT)"

render: $(VENV)/ready ## write the stack's objects as YAML files to OUT=folder; needs no cluster
	@$(RUN) commands render $(STACK) --out "$(OUT)"

parity: $(VENV)/ready ## compare the stack with another Istio: FROM=file or folder of YAML, or context; default: its own cluster
	@$(RUN) commands parity $(STACK)

upgrade: $(VENV)/ready ## show how far the stack is on the way to release TO=1.30, and its next step; APPLY=1: write the step into the stack file; REVISION=..., NAMESPACE=...
	@$(RUN) commands upgrade $(STACK) $(ARGS)

import: $(VENV)/ready ## write a stack file from FROM=IstioOperator or Helm values (files, folders, CHART=file); RELEASE=1.30 if no tag names the release, FORCE=1: overwrite the stack file
	@$(RUN) commands import "$(NAMED)"

adopt: $(VENV)/ready ## take over an Istio that was installed in another way; FORCE=1: even if it differs from the stack
	@$(RUN) commands adopt $(STACK)

dashboard: $(VENV)/ready ## open an addon in the browser, through a free port: NAME=grafana, kiali, jaeger, prometheus
	@$(RUN) commands dashboard $(STACK) --name "$(NAME)"

sandbox: $(VENV)/ready ## start the stack's embedded Kubernetes
	@$(RUN) commands sandbox $(STACK)

sandbox-stop: $(VENV)/ready ## stop the stack's embedded Kubernetes; its objects are kept
	@$(RUN) commands sandbox-stop $(STACK)

sandbox-reset: $(VENV)/ready ## delete the stack's embedded Kubernetes, and the state of all stacks on it
	@$(RUN) commands sandbox-reset $(STACK)

toolchain: $(VENV)/ready ## build Pulumi, unless a suitable one is installed, and the embedded Kubernetes
	@$(RUN) toolchain

kubeconfig: ## write the content of KUBECONFIG_DATA to the new file KUBECONFIG, readable by its owner only
	@umask 077; set -C; printf '%s\n' "$${KUBECONFIG_DATA:?holds no kubeconfig}" > "$${KUBECONFIG:?names no file}"

env: $(VENV)/ready ## print the variables for using `pulumi` by hand: eval "$(make -s env)"
	@$(RUN) commands env $(STACK)

docs: $(VENV)/ready ## generate the tables of the README and of docs/ from the code
	@$(RUN) commands docs

docs-pictures: $(VENV)/ready-dev ## make the pictures of the docs from real runs on clusters of their own, or some: NAME="maps report dev today"
	@$(RUN) commands docs-pictures --name "$(NAME)"

test: $(VENV)/ready-dev ## run all tests, including the end-to-end tests with the real engine, but not the long ones of make torture
	$(RUN) pytest tests -m "not long" --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

torture: $(VENV)/ready-dev ## run the long tests: kills at COUNT=30 points of up and down and ROAD=20 points of an upgrade, PAIRS=2000 pairs of configs for Envoys, DRAWS=220 objects of each kind and release; SEED=... for other random choices
	MESH_TORTURE_COUNT=$(or $(COUNT),30) MESH_TORTURE_ROAD=$(or $(ROAD),20) MESH_TORTURE_PAIRS=$(or $(PAIRS),2000) MESH_TORTURE_DRAWS=$(or $(DRAWS),220) MESH_TORTURE_SEED=$(or $(SEED),1) $(RUN) pytest tests/e2e -m "long or drawn" $(ARGS)

unit: $(VENV)/ready-dev ## run the fast tests only, in a minute; SLOW=1: all tests except the end-to-end tests
	$(RUN) pytest tests --ignore tests/e2e -m "$(if $(SLOW),,not slow)" --numprocesses 2 $(ARGS)

lock: $(VENV)/ready-dev ## write the digests of Istio's own objects in the folder MESH_REFERENCE, for the tests
	@$(RUN) tests.parity

lint: $(VENV)/ready-dev ## check formatting, lint, spelling, imports between packages, types, and GitHub's workflows
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) codespell_lib $$(git ls-files)
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) mypy
	$(RUN) toolchain.workflows

bench: $(VENV)/ready ## compare dev with kubectl and ConfigFile in ROUNDS=5 rounds; RELEASES=1: compare today with dev, GROWTH=1: measure growth, SETUP=1: measure the setup; writes to OUT
	@OUT="$(OUT)" ROUNDS="$(ROUNDS)" RELEASES="$(RELEASES)" GROWTH="$(GROWTH)" SETUP="$(SETUP)" $(RUN) bench

clean: ## delete the virtual environment and the caches in the tree
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0] + "; choose another one with make PYTHON=...")'
	@echo "installing Python packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "installing the tools for tests and lint"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
