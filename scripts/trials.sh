# shellcheck shell=bash
# What soak.sh and chaos.sh share: a database of their own, and one trial after the other. Sourced by them.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust postgres
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-trials.XXXXXX")
mkdir -- "$WORK/tmp"
clean_up() {
    local folder
    # A trial that was cut off has left its cluster running on its file system.
    for folder in "$WORK"/tmp/*/; do
        mountpoint -q -- "$folder" || continue
        setsid "$ROOT/scripts/cluster.sh" --dir "$folder" --throwaway stop
        umount -- "$folder"
    done
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}
at_exit clean_up
"$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
export DATABASE_URL
# Where the trials' own folders go.
export TMPDIR="$WORK/tmp"
# The flags are cargo-leptos's, so that the libraries are compiled only once.
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components"
# Ten thousand connections are as many files, on either side.
ulimit -n "$(ulimit -Hn)"

FAILED=
# trial NAME WHAT: one that fails does not keep the next from running.
trial() {
    say "$1: $2"
    run_child cargo test --release --features ssr --test trials -- --nocapture --test-threads=1 "$1" || FAILED+=" $1"
}
all_held() {
    [ -z "$FAILED" ] || die "these failed, for the reasons above:$FAILED"
    say "all held"
}
