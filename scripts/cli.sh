#!/usr/bin/env bash
# Runs the app's command line on the development database: `make cli ARGS="operator list"`.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
exec 3>&1 1>&2 # standard output is the command's own
. "$ROOT/scripts/dev.sh"

[ $# -gt 0 ] || die 'say what to run, for instance: make cli ARGS="--help"'
setup wasm leptos
open_database
prepare_app
code=0
"$PROGRAM" "$@" >&3 3>&- 9>&- || code=$?
exit "$code"
