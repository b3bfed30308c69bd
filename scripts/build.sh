#!/usr/bin/env bash
# The release build: `make build`. It leaves the server in target/release and what the browser
# loads in target/site, even when cargo builds elsewhere (CARGO_TARGET_DIR).
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup wasm leptos wasm-opt
export LEPTOS_SITE_ROOT=target/site
say "building the release"
build_release() {
    join_style
    # What an older build left would be served as well.
    rm -rf -- "$ROOT/target/site"
    run_child cargo leptos build --release --precompress "${SPLIT[@]}"
}
with_lock "$ROOT/target/.site.lock" build_release || die "the build failed, for the reason above"
[ -x "$TARGET/release/$APP" ] || die "the build left no $TARGET/release/$APP; check bin-target in Cargo.toml"

if [ "$TARGET" != "$ROOT/target" ]; then
    mkdir -p target/release
    cp -f -- "$TARGET/release/$APP" target/release/
fi
say "the release is complete: target/release/$APP and target/site"
