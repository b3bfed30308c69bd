#!/usr/bin/env bash
# Takes screenshots of every page and dialog, at three widths, light and dark: `make screenshots`. They
# go to target/screenshots, and those that README and docs show to docs/screenshots.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup wasm leptos chromium node-modules
export LEPTOS_SITE_ROOT="$ROOT/target/site" SCREENSHOTS="$ROOT/target/screenshots"
with_lock "$ROOT/target/.site.lock" build_debug
throwaway_database
export MYPROOF_BIN="$PROGRAM"
cd end2end
run_child node_modules/.bin/playwright test --config screenshots.config.ts || die "the screenshots could not be taken, for the reason above"
cp -- "$SCREENSHOTS/keys-1440-light.png" "$ROOT/docs/screenshots/api-keys.png"
for picture in keys-1440-dark reveal-1440-light keys-375-light partners-1440-light keys-due-1440-light \
    partner-filter-1440-light key-1440-light key-375-dark audit-log-1440-light settings-1440-light notifications-1440-light; do
    cp -- "$SCREENSHOTS/$picture.png" "$ROOT/docs/screenshots/"
done
say "the screenshots are in $SCREENSHOTS, and those of README and docs in docs/screenshots"
