#!/usr/bin/env bash
# The release build: `make build`. It leaves the server in target/release and what the browser
# loads in target/site, even when cargo builds elsewhere (CARGO_TARGET_DIR).
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup wasm leptos wasm-opt
export LEPTOS_SITE_ROOT=target/site
say "building the release"
with_lock "$ROOT/target/.site.lock" join_style
run_child cargo leptos build --release --precompress ||
    die "the build failed, for the reason above"
[ -x "$TARGET/release/$APP" ] || die "the build left no $TARGET/release/$APP; check bin-target in Cargo.toml"

if [ "$TARGET" != "$ROOT/target" ]; then
    mkdir -p target/release
    # The server finds the names of the browser's files in hash.txt beside it.
    rm -f target/release/hash.txt
    for file in "$APP" hash.txt; do
        if [ -e "$TARGET/release/$file" ]; then cp -f -- "$TARGET/release/$file" target/release/; fi
    done
fi
say "the release is complete: target/release/$APP and target/site"
