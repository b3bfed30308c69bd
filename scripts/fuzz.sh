#!/usr/bin/env bash
# Feeds what the program parses with what nobody would send: `make fuzz`. Each target runs ten million
# times or ten minutes, whichever ends first, and begins with the inputs that earlier runs found worth
# keeping (fuzz/corpus). `RUNS` and `SECONDS_EACH` say otherwise.
#   scripts/fuzz.sh [TARGET...]
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust cargo-fuzz
cd -- "$ROOT/fuzz" || exit 1
ALL=(token credential cursor query webhook_url)
[ $# -gt 0 ] || set -- "${ALL[@]}"
# The code has no unsafe parts, so what sanitizers look for is not there to be found.
HOW=(--sanitizer none --target-dir "$TARGET/fuzz")
run_child cargo fuzz build "${HOW[@]}" || die "the targets did not compile, for the reason above"
for target in "$@"; do
    say "fuzzing $target"
    run_child cargo fuzz run "${HOW[@]}" "$target" -- \
        -runs="${RUNS:-10000000}" -max_total_time="${SECONDS_EACH:-600}" -max_len=4096 -print_final_stats=1 ||
        die "$target broke; the input is in fuzz/artifacts/$target: make a test of it"
done
say "nothing broke: ${*}"
