#!/usr/bin/env bash
# Fuzzes the parsers: `make fuzz`. Each target runs ten million times or ten minutes, whichever ends first;
# `RUNS` and `SECONDS_EACH` set other limits. It starts from fuzz/corpus, and keeps what it finds under target.
#   scripts/fuzz.sh [TARGET...]
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust cargo-fuzz
cd -- "$ROOT/fuzz" || exit 1
ALL=(token credential cursor query webhook_url)
[ $# -gt 0 ] || set -- "${ALL[@]}"
# The crate forbids unsafe code, so sanitizers would find nothing in it.
HOW=(--sanitizer none --target-dir "$TARGET/fuzz")
run_child cargo fuzz build "${HOW[@]}" || die "the targets did not compile, for the reason above"
for target in "$@"; do
    say "fuzzing $target"
    mkdir -p -- "$TARGET/fuzz-corpus/$target"
    run_child cargo fuzz run "${HOW[@]}" "$target" "$TARGET/fuzz-corpus/$target" "corpus/$target" -- \
        -runs="${RUNS:-10000000}" -max_total_time="${SECONDS_EACH:-600}" -max_len=4096 -print_final_stats=1 ||
        die "$target failed; the input is in fuzz/artifacts/$target: make a test of it"
done
say "all passed: ${*}"
