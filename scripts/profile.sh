#!/usr/bin/env bash
# Finds out what the browser's first WASM file need not hold: `make profile`. It opens the first
# pages with a program that tells which functions are called, and writes down all others
# (scripts/wasm/late-functions.txt), which releases put into a file that comes later. To be done when that
# file has grown past its budget, or when the browser tests say that a page waits for what should come later.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup wasm leptos wasm-opt postgres chromium node-modules
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-profile.XXXXXX")
clean_up() {
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}
at_exit clean_up
export LEPTOS_SITE_ROOT="$WORK/site" LEPTOS_HASH_FILE_NAME=profile-hash.txt MARKS_FILE="$WORK/marks"
say "building a program that tells which functions are called"
join_style
leptos_release --frontend-only "${SPLIT[@]}" || die "the browser's half could not be built, for the reason above"
run_child cargo leptos build --server-only "${FOR_DEVELOPMENT[@]}" || die "the server could not be built, for the reason above"
"$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
export DATABASE_URL MYPROOF_BIN="$PROGRAM" LATE_FUNCTIONS="$WORK/late-functions.txt"
cd end2end
run_child node_modules/.bin/playwright test --config profile.config.ts || die "the pages could not be opened, for the reason above"
mv -- "$LATE_FUNCTIONS" "$ROOT/scripts/wasm/late-functions.txt"
LATE_FUNCTIONS="$ROOT/scripts/wasm/late-functions.txt"
say "scripts/wasm/late-functions.txt names $(wc -l <"$LATE_FUNCTIONS") functions that come later"
