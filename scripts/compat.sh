#!/usr/bin/env bash
# Runs the second tier of tests, too slow or too varied for `make test`: `make compat`. These are all browser tests
# against the release build, and a minute of fuzzing for each target.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust chromium node-modules
"$ROOT/scripts/build.sh"
throwaway_database

FAILED=
say "browser tests against the release build"
cd end2end
MYPROOF_BIN="$ROOT/target/release/$APP" LEPTOS_SITE_ROOT="$ROOT/target/site" \
    run_child node_modules/.bin/playwright test --reporter=list || FAILED+=" browser"
cd "$ROOT"
say "fuzzing each target for a minute"
SECONDS_EACH=${SECONDS_EACH:-60} run_child "$ROOT/scripts/fuzz.sh" || FAILED+=" fuzz"
[ -z "$FAILED" ] || die "these failed, for the reasons above:$FAILED"
say "all passed"
