#!/usr/bin/env bash
# What is handed on: `make dist` leaves in dist/ one program that holds the browser's files, its checksum, and the list
# of what it is made of (CycloneDX).
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

setup rust cargo-cyclonedx
"$ROOT/scripts/build.sh"
rm -rf -- dist
mkdir -p dist
"target/release/$APP" pack --site target/site --output "dist/$APP"
say "listing what it is made of"
# Beside Cargo.toml, since nothing else can be named; the crates of the server, as they were locked.
run_child cargo cyclonedx --quiet --format json --spec-version 1.5 --features ssr --override-filename dist-sbom ||
    die "the list of what the program is made of could not be written, for the reason above"
mv -- dist-sbom.json "dist/$APP.cdx.json"
(cd dist && sha256sum -- "$APP" "$APP.cdx.json" >SHA256SUMS)
say "dist/$APP is complete: $(stat -c %s "dist/$APP") bytes, and needs nothing beside it but a database"
