#!/usr/bin/env bash
# Makes the release artefacts: `make dist`. dist/ gets the binary, the list of its components (CycloneDX) and the
# checksums of both.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust cargo-cyclonedx
"$ROOT/scripts/build.sh"
rm -rf -- dist
mkdir -p dist
cp -- "target/release/$APP" dist/

# The binary alone, in an empty folder and without a database, serves the browser's files.
EMPTY=$(mktemp -d)
remove_empty() { rm -rf -- "$EMPTY"; }
at_exit remove_empty
say "checking that the binary serves the browser's files by itself"
start_child env -i -C "$EMPTY" DATABASE_URL=postgres://nobody@127.0.0.1:1/none APIKEY_PEPPER="$(head -c 32 /dev/urandom | base64)" \
    PUBLIC_URL=https://registry.example.org LEPTOS_SITE_ADDR=127.0.0.1:0 METRICS_ADDR=off LOG_FORMAT=json \
    "$ROOT/dist/$APP" serve --no-migrate 2>"$EMPTY/log"
address=
for ((tries = 0; tries < 100; tries++)); do
    address=$(sed -n '/"listening"/s/.*"address":"\([^"]*\)".*/\1/p' "$EMPTY/log")
    [ -z "$address" ] || break
    sleep 0.2
done
[ -n "$address" ] || die "the binary did not start: $(tail -n 1 "$EMPTY/log")"
for file in target/site/robots.txt target/site/fonts/OFL.txt "target/site/pkg/$APP".*.css; do
    python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
        "http://$address/${file#target/site/}" | cmp - "$file" || die "the binary serves another ${file#target/site/} than target/site has"
done
stop_child || true # a server that was stopped by a signal

say "listing its components"
# cargo-cyclonedx writes beside Cargo.toml only; the crates are those of the server, as they were locked.
run_child cargo cyclonedx --quiet --format json --spec-version 1.5 --features ssr,embed-site --override-filename dist-sbom ||
    die "the list of components could not be written, for the reason above"
mv -- dist-sbom.json "dist/$APP.cdx.json"
(cd dist && sha256sum -- "$APP" "$APP.cdx.json" >SHA256SUMS)
say "dist/$APP is complete: $(stat -c %s "dist/$APP") bytes; it needs only a database"
