#!/usr/bin/env bash
# The private PostgreSQL cluster of this checkout: no TCP port, one Unix socket that only its
# owner (and root) can reach, no other cluster touched.
#   scripts/cluster.sh start     start it, and keep it running until `stop`
#   scripts/cluster.sh stop      stop it even if it is in use
#   scripts/cluster.sh url       print the connection URL
#   scripts/cluster.sh status    say whether it runs (exit code 3 when not)
# For the other scripts, which hold a shared lock on .data/in-use while they need the cluster:
#   scripts/cluster.sh join      start it unless it runs
#   scripts/cluster.sh leave     stop it if nobody needs it and nobody said `start`
# For tests:
#   scripts/cluster.sh --dir DIR --throwaway start|stop
#                                a fast cluster in DIR that would not survive a power failure
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/packages.sh"
. "$ROOT/scripts/data.sh"

# A caller's settings for some other server must not leak in.
for name in $(compgen -e | grep '^PG' || true); do unset "$name"; done

DATABASE=registry
SETTINGS=()
STOP_MODE=fast # writes everything, waits for nobody
THROWAWAY=
DATA=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --dir)
        DATA=$(cd -- "$CALLED_FROM" && CDPATH='' cd -- "${2:-/none}" 2>/dev/null && pwd -P) ||
            die "--dir needs an existing folder, not '${2:-}'"
        shift 2
        ;;
    --throwaway)
        THROWAWAY=yes DATABASE=postgres STOP_MODE=immediate
        SETTINGS=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200
            -c "shared_buffers=${SHARED_BUFFERS:-128MB}")
        shift
        ;;
    *) die "cluster.sh does not know the option $1; its usage is at the top of the file" ;;
    esac
done
if [ -z "$DATA" ]; then
    locate_data
elif is_root; then
    chmod 711 -- "$DATA"
    closed=$(closed_folder "$(unprivileged_user)" "$DATA")
    [ -z "$closed" ] ||
        die "the database's user $(unprivileged_user) may not enter $closed; set TMPDIR to a folder that every user may enter, such as /tmp"
fi
PGDATA_DIR="$DATA/postgres"
SERVER_LOG="$DATA/postgres.log"

if is_root && [ -d "$PGDATA_DIR" ]; then OWNER=$(stat -c %U -- "$PGDATA_DIR"); else OWNER=$(unprivileged_user); fi
choose_user "$OWNER"
. "$ROOT/scripts/postgres.sh"

start_cluster() {
    choose_programs
    if ! running_pid >/dev/null; then
        [ -d "$PGDATA_DIR" ] || init_cluster
        say "starting the database in $DATA"
        launch
    fi
    [ -n "$THROWAWAY" ] || ensure_database
}

stop_cluster() {
    if running_pid >/dev/null; then
        choose_programs
        say "stopping the database in $DATA"
        pg_ctl stop -m "$STOP_MODE" -t 30 >/dev/null 2>&1 || pg_ctl stop -m immediate -t 30 >/dev/null ||
            die "PostgreSQL does not end; its log $SERVER_LOG ends with: $(log_end)"
    fi
    remove_socket_folder
}

leave_cluster() {
    [ ! -e "$DATA/keep" ] || return 0
    # Held while stopping, it makes the next one who needs the cluster wait until it is down.
    exec 9<"$DATA/in-use"
    if flock -n 9; then stop_cluster; fi
}

case ${1:-} in
start)
    with_lock "$DATA/lock" start_cluster
    [ -n "$THROWAWAY" ] || : >"$DATA/keep"
    ;;
join) with_lock "$DATA/lock" start_cluster ;;
leave) with_lock "$DATA/lock" leave_cluster ;;
stop)
    rm -f -- "$DATA/keep"
    with_lock "$DATA/lock" stop_cluster
    ;;
url)
    [ -s "$DATA/url" ] || die "there is no database yet; run: scripts/cluster.sh start"
    cat -- "$DATA/url"
    ;;
status)
    if pid=$(running_pid); then
        echo "running as process $pid, PostgreSQL $(cat -- "$PGDATA_DIR/PG_VERSION") in $DATA"
    else
        echo "stopped, data in $DATA"
        exit 3
    fi
    ;;
*) die "cluster.sh needs one of start, stop, url, status; its usage is at the top of the file" ;;
esac
