#!/usr/bin/env bash
# Measures the key check, in process and over HTTP, with a database of its own: `make bench`. Ratios
# of one run; docs/performance.md says what they mean.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust postgres nginx wrk
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-bench.XXXXXX")
clean_up() {
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}
at_exit clean_up
# The tables of a million keys are half a gigabyte; a database that holds them is given as much.
export SHARED_BUFFERS=1GB
"$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
export DATABASE_URL
run_child cargo bench --features ssr --bench check -- --warm-up-time 1 --measurement-time 3 || exit 1
run_child cargo bench --features ssr --bench http || exit 1
run_child cargo bench --features ssr --bench lists || exit 1
