#!/usr/bin/env bash
# Has a release build at full load for twenty minutes, then met by five thousand keys that it does not
# know, then by ten thousand idle connections, with a database of its own: `make soak`. `SOAK_SECONDS` says how long
# the first takes. docs/reliability.md says what came of it.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust postgres
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-soak.XXXXXX")
clean_up() {
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}
at_exit clean_up
"$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
export DATABASE_URL
# The flags are those of the tests, so that the libraries are compiled only once.
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components"
# Ten thousand connections are as many files, on either side.
ulimit -n "$(ulimit -Hn)"

FAILED=
# trial NAME WHAT: one that fails does not keep the next from running.
trial() {
    say "$1: $2"
    run_child cargo test --release --features ssr --test trials -- --nocapture --test-threads=1 "$1" || FAILED+=" $1"
}
trial soak "full load for ${SOAK_SECONDS:-1200} s"
trial herd "5,000 keys that the server does not know, at once"
trial idle "10,000 idle connections"
[ -z "$FAILED" ] || die "these failed, for the reasons above:$FAILED"
say "all held"
