# Every target is a script in scripts/, which says more about itself at its top.

.DEFAULT_GOAL := help
.PHONY: help run watch test bench fuzz soak chaos build dist screenshots psql cli

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## build and run the app with its own database; Ctrl-C ends both
	@scripts/run.sh

watch: ## like run, and rebuild on every change of the sources
	@scripts/run.sh --watch

test: ## run all tests; ONLY=lint, ONLY=rust or ONLY=browser runs a part
	@scripts/test.sh $(ONLY)

bench: ## measure the key check, in process and over HTTP, the lists and the pages
	@scripts/bench.sh

fuzz: ## feed what is parsed with what nobody would send, ten minutes a target at most; ONLY=token runs one
	@scripts/fuzz.sh $(ONLY)

soak: ## load that lasts: twenty minutes at full speed, 5,000 unknown keys at once, 10,000 idle connections
	@scripts/soak.sh

chaos: ## break what it stands on: kills under load, a slow and a cut network, a full disk
	@scripts/chaos.sh

build: ## build the release: target/release/myproof-registry
	@scripts/build.sh

dist: ## make what is handed on, in dist/: one program with everything in it, checksums, what it is made of
	@scripts/dist.sh

screenshots: ## take pictures of every page and dialog, for people to look at
	@scripts/screenshots.sh

psql: ## open psql on the development database; ARGS are its arguments
	@scripts/psql.sh $(ARGS)

cli: ## run the app's command line in development: ARGS="operator list"
	@scripts/cli.sh $(ARGS)
