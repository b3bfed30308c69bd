#!/usr/bin/env bash
# Takes pictures of every page and dialog, at three widths, light and dark: `make screenshots`. They
# are left in target/screenshots; the README's own is renewed from them.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup wasm leptos postgres chromium node-modules
export LEPTOS_SITE_ROOT="$ROOT/target/site" SCREENSHOTS="$ROOT/target/screenshots"
with_lock "$ROOT/target/.site.lock" build_debug
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-screenshots.XXXXXX")
clean_up() {
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}
at_exit clean_up
"$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
export DATABASE_URL MYPROOF_BIN="$PROGRAM"
cd end2end
run_child node_modules/.bin/playwright test --config screenshots.config.ts || die "the pictures could not be taken, for the reason above"
cp -- "$SCREENSHOTS/keys-1440-light.png" "$ROOT/docs/screenshots/api-keys.png"
for picture in keys-1440-dark reveal-1440-light keys-375-light partners-1440-light keys-due-1440-light \
    partner-filter-1440-light key-1440-light key-375-dark history-1440-light settings-1440-light notices-1440-light; do
    cp -- "$SCREENSHOTS/$picture.png" "$ROOT/docs/screenshots/"
done
say "the pictures are in $SCREENSHOTS; those of the README in docs/screenshots"
