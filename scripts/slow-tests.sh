# shellcheck shell=bash
# Slow tests in a release build, one after the other, with a database of their own. Sourced by soak.sh and chaos.sh.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust
throwaway_database
mkdir -- "$WORK/tmp"
# A test that was cut off has left its cluster running on its file system.
unmount() {
    local folder
    for folder in "$WORK"/tmp/*/; do
        mountpoint -q -- "$folder" || continue
        setsid "$ROOT/scripts/cluster.sh" --dir "$folder" --throwaway stop
        umount -- "$folder"
    done
}
at_exit unmount
# Where the tests' own folders go.
export TMPDIR="$WORK/tmp"
# The flags are cargo-leptos's, so that the libraries are compiled only once.
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components"
# Ten thousand connections are as many files, on either side.
ulimit -n "$(ulimit -Hn)"

FAILED=
# slow_test NAME WHAT: runs one test; a failure does not keep the next from running.
slow_test() {
    say "$1: $2"
    run_child cargo test --release --features ssr --test slow -- --nocapture --test-threads=1 "$1" || FAILED+=" $1"
}
all_passed() {
    [ -z "$FAILED" ] || die "these failed, for the reasons above:$FAILED"
    say "all passed"
}
