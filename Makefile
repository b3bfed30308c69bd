# Every target is a script in scripts/, which explains itself at its top.

.DEFAULT_GOAL := help
.PHONY: help run watch test compat bench fuzz soak chaos build dist screenshots psql cli

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## build and run the app with its own database; Ctrl-C ends both
	@scripts/run.sh

watch: ## like run, and rebuild on every change of the sources
	@scripts/run.sh --watch

test: ## run all tests; ONLY=lint, ONLY=rust or ONLY=browser runs a part
	@scripts/test.sh $(ONLY)

compat: ## second test tier: browser tests against the release build, short fuzzing
	@scripts/compat.sh

bench: ## benchmarks: key verification, lists, console pages
	@scripts/bench.sh

fuzz: ## fuzz the parsers, ten minutes a target; ONLY=token runs one
	@scripts/fuzz.sh $(ONLY)

soak: ## long-running load test
	@scripts/soak.sh

chaos: ## fault injection: kills under load, a slow and a broken network, a full disk
	@scripts/chaos.sh

build: ## build the release: target/release/myproof-registry
	@scripts/build.sh

dist: ## make the release artefacts in dist/: binary, checksums, list of components
	@scripts/dist.sh

screenshots: ## take screenshots of every page and dialog
	@scripts/screenshots.sh

psql: ## open psql on the development database; ARGS are its arguments
	@scripts/psql.sh $(ARGS)

cli: ## run the app's command line in development: ARGS="operator list"
	@scripts/cli.sh $(ARGS)
