#!/usr/bin/env bash
# Opens psql on the development database, starting it for that time if need be: `make psql`.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
exec 3>&1 1>&2 # standard output is psql's own
. "$ROOT/scripts/dev.sh"

open_database
have psql || die "psql is missing; an administrator must run: apt-get install -y postgresql-client"
# In psql, Ctrl-C cancels a query and ends nothing.
trap : INT
code=0
psql "$DATABASE_URL" "$@" >&3 3>&- 9>&- || code=$?
exit "$code"
