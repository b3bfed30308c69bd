#!/usr/bin/env bash
# Builds the release: `make build`. target/release gets the binary, with the browser's files of target/site
# embedded in it, even if cargo builds elsewhere (CARGO_TARGET_DIR). `scripts/build.sh site` builds target/site alone.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

ONLY=${1:-}
setup wasm leptos wasm-opt
export LEPTOS_SITE_ROOT=target/site
say "building the release"
build_release() {
    join_style
    # Files of an older build would be embedded as well.
    rm -rf -- "$ROOT/target/site"
    run_child cargo leptos build --release --frontend-only --precompress "${SPLIT[@]}" || return 1
    [ "$ONLY" = site ] || run_child cargo leptos build --release --server-only --features embed-site "${SPLIT[@]}"
}
with_lock "$ROOT/target/.site.lock" build_release || die "the build failed, for the reason above"
[ "$ONLY" != site ] || exit 0
[ -x "$TARGET/release/$APP" ] || die "the build left no $TARGET/release/$APP; check bin-target in Cargo.toml"

if [ "$TARGET" != "$ROOT/target" ]; then
    mkdir -p target/release
    cp -f -- "$TARGET/release/$APP" target/release/
fi
say "the release is complete: target/release/$APP"
