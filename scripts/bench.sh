#!/usr/bin/env bash
# Measures key verification, in process and over HTTP, the lists and the console's pages, with a database of
# its own: `make bench`. `scripts/bench.sh console` measures the pages alone. docs/performance.md explains
# the figures.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

ONLY=${1:-}
case $ONLY in '' | console) ;; *) die "there is no part '$ONLY' of the benchmarks; use console, or name none" ;; esac
setup rust chromium node-modules bench-modules
[ -n "$ONLY" ] || setup nginx wrk
"$ROOT/scripts/build.sh" site
# The tables of a million keys are half a gigabyte; a database that holds them is given as much.
export SHARED_BUFFERS=1GB
throwaway_database
# The flags are cargo-leptos's, so that the libraries are compiled only once.
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components"
if [ -z "$ONLY" ]; then
    run_child cargo bench --features ssr,sample --bench check -- --warm-up-time 1 --measurement-time 3 || exit 1
    run_child cargo bench --features ssr,sample --bench http || exit 1
    run_child cargo bench --features ssr,sample --bench lists || exit 1
fi
# The pages' server has the command `sample`, and reads target/site.
run_child cargo build --release --features ssr,sample || exit 1
cd end2end
MYPROOF_BIN="$TARGET/release/$APP" LEPTOS_SITE_ROOT="$ROOT/target/site" \
    run_child node_modules/.bin/playwright test --config bench.config.ts --reporter=list || exit 1
