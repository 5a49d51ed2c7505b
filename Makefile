# Everything happens in scripts/gdpr_dev; `make help` lists the commands.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo $$p && break; done)
ARGS ?=
# no shell in between, so that a signal to make reaches the command itself
export PYTHONPATH = scripts
DEV = $(or $(PYTHON),$(error Odoo 19 needs Python 3.10 to 3.13)) -m gdpr_dev

.DEFAULT_GOAL := help
.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: ## Odoo with gdpr_crm and demo data; Ctrl-C stops it
	@$(DEV) demo $(ARGS)

.PHONY: shell
shell: ## an Odoo shell on the demo database
	@$(DEV) shell $(ARGS)

.PHONY: test
test: ## the whole suite; a part of it: make test ARGS="-k consent"
	@$(DEV) test $(ARGS)

.PHONY: compliance
compliance: ## the suite, and docs/compliance.md from its results
	@$(DEV) test --junitxml=$(CURDIR)/.run/junit.xml $(ARGS); \
	$(or $(PYTHON),python3) scripts/compliance.py .run/junit.xml

.PHONY: lint
lint: ## ruff, pylint-odoo, OCA's checks, XML and PO files
	@$(DEV) lint $(ARGS)

.PHONY: pot
pot: ## export the terms to translate and merge them into the .po files
	@$(DEV) pot $(ARGS)

.PHONY: wheel
wheel: ## build each addon's wheel into dist/ and check what is in it
	@$(DEV) wheel $(ARGS)

.PHONY: odoo-tests
odoo-tests: ## Odoo's own tests without and with gdpr_crm; ARGS="crm mail" picks
	@$(DEV) python scripts/compare_odoo_tests.py $(ARGS)

.PHONY: bench
bench: ## every benchmarks/bench_*.py
	@$(DEV) bench $(ARGS)

.PHONY: score
score: ## the detector's score: make score CORPUS=file
	@$(or $(PYTHON),python3) scripts/score.py $(CORPUS) $(ARGS)

.PHONY: lexicon
lexicon: ## compile the detector's knowledge files
	@$(or $(PYTHON),python3) scripts/build_lexicon.py $(ARGS)

.PHONY: env
env: ## prepare Odoo and Python only, and say where they are
	@$(DEV) env

.PHONY: clean
clean: ## remove this checkout's databases, mails and state
	@$(DEV) clean

.PHONY: distclean
distclean: ## clean, and remove the cache that checkouts share
	@$(DEV) clean --cache
