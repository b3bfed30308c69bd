# shellcheck shell=bash
# How one PostgreSQL server is made, started and watched. Sourced by cluster.sh, which sets:
#   DATA, PGDATA_DIR, SERVER_LOG   where everything is
#   OWNER, AS                      the user it runs as, and how to become that user
#   DATABASE, SETTINGS, THROWAWAY  what the URL names, and how careful the server is

# Prints the process that serves this very data folder. A process number alone proves nothing:
# after a crash it may long belong to something else.
running_pid() {
    local pid
    { read -r pid <"$PGDATA_DIR/postmaster.pid"; } 2>/dev/null || return 1
    is_ours "$pid" && echo "$pid"
}
is_ours() {
    local name
    { read -r name <"/proc/$1/comm"; } 2>/dev/null && [ "$name" = postgres ] &&
        as_chosen_user test "/proc/$1/cwd" -ef "$PGDATA_DIR"
}
server_state() { sed -n '8s/ *$//p' "$PGDATA_DIR/postmaster.pid" 2>/dev/null || true; }

wait_gone() {
    local tries=300
    while is_ours "$1"; do
        [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}

log_end() { tail -n 3 -- "${1:-$SERVER_LOG}" 2>/dev/null | paste -sd '|' | sed 's/|/ | /g'; }

# Sets BIN to the programs that fit the data: those it was made with, or else the newest.
choose_programs() {
    local made_with major folder
    made_with=$(cat "$PGDATA_DIR/PG_VERSION" 2>/dev/null || true)
    while read -r major folder; do
        [ -z "$made_with" ] || [ "$made_with" = "$major" ] || continue
        BIN=$folder
        return
    done < <(postgres_programs)
    local installed
    installed=$(postgres_programs | cut -d' ' -f1 | paste -sd' ')
    [ -n "$installed" ] || die "PostgreSQL 14 or newer is not installed; run scripts/setup.sh postgres"
    die "$PGDATA_DIR was made by PostgreSQL $made_with, but installed is $installed;" \
        "install postgresql-$made_with, or move the folder away to begin empty"
}

init_cluster() {
    local new="$DATA/postgres.new" locale=C extra=()
    [ -z "$THROWAWAY" ] || extra=(--no-sync)
    if locale -a 2>/dev/null | grep -qix 'c\.utf-\?8'; then locale=C.UTF-8; fi
    say "creating the database cluster in $PGDATA_DIR ($("$BIN/postgres" --version | cut -d' ' -f1-3), as user $OWNER)"
    # Under its name only when complete, so that an interrupted run leaves nothing half made.
    rm -rf -- "$new"
    mkdir -m 700 -- "$new"
    if is_root; then chown "$OWNER:$(id -g "$OWNER")" -- "$new"; fi
    as_chosen_user "$BIN/initdb" -D "$new" --username=registry --encoding=UTF8 --locale="$locale" \
        --auth-local=trust --auth-host=reject --no-instructions ${extra[@]+"${extra[@]}"} >"$DATA/initdb.log" 2>&1 ||
        die "initdb failed: $(log_end "$DATA/initdb.log")"
    mv -T -- "$new" "$PGDATA_DIR"
    rm -f -- "$DATA/initdb.log"
}

# Sets SOCKETS to the socket's folder. The kernel allows a socket's path 107 bytes, and a URL's
# host is split at commas, so a long or unusual path is replaced by a short one.
SOCKET_FILE=.s.PGSQL.5432
choose_socket_folder() {
    local LC_ALL=C
    SOCKETS="$DATA/socket"
    if [ "${#SOCKETS}" -gt $((107 - ${#SOCKET_FILE} - 1)) ] || [[ $SOCKETS == *[!A-Za-z0-9/._+\ -]* ]]; then
        SOCKETS=$(mktemp -d "/tmp/$APP.XXXXXX")
        echo "$SOCKETS" >"$DATA/socket-folder"
    fi
    mkdir -p -- "$SOCKETS" && chmod 700 -- "$SOCKETS"
    if is_root; then chown "$OWNER:$(id -g "$OWNER")" -- "$SOCKETS"; fi
    rm -f -- "$SOCKETS/$SOCKET_FILE" "$SOCKETS/$SOCKET_FILE.lock"
}

# A folder outside the data folder lasts as long as its server.
remove_socket_folder() {
    local folder
    [ -s "$DATA/socket-folder" ] || return 0
    read -r folder <"$DATA/socket-folder"
    if [[ $folder == "/tmp/$APP."* ]]; then rm -rf -- "$folder"; fi
    rm -f -- "$DATA/socket-folder"
}

# A server that died without a word leaves files that name a process. PostgreSQL trusts them when
# that number is in use again, so they go, but only once none of its processes is left.
clear_traces() {
    local tries=100 left process
    while [ -e "$PGDATA_DIR/postmaster.pid" ]; do
        left=
        for process in /proc/[0-9]*; do
            if is_ours "${process#/proc/}"; then left+=" ${process#/proc/}"; fi
        done
        if [ -z "$left" ]; then
            say "the last server of $PGDATA_DIR ended without cleaning up; its leftovers are removed"
            rm -f -- "$PGDATA_DIR/postmaster.pid"
        elif [ $((tries -= 1)) -eq 0 ]; then
            die "processes of a crashed server still use $PGDATA_DIR; end them (kill$left) and repeat"
        else
            sleep 0.1
        fi
    done
}

LAUNCHED=
launch() {
    clear_traces
    remove_socket_folder
    choose_socket_folder
    [ ! -f "$SERVER_LOG" ] || mv -f -- "$SERVER_LOG" "$SERVER_LOG.1"
    (
        umask 077
        cd /
        # No lock, pipe or terminal of ours may live on in the server.
        for fd in /proc/"$BASHPID"/fd/*; do
            if [ "${fd##*/}" -gt 2 ]; then eval "exec ${fd##*/}>&-"; fi
        done
        exec setsid ${AS[@]+"${AS[@]}"} "$BIN/postgres" -D "$PGDATA_DIR" -c listen_addresses= -c port=5432 \
            -c "unix_socket_directories=$SOCKETS" -c unix_socket_permissions=0700 \
            -c logging_collector=off -c log_destination=stderr ${SETTINGS[@]+"${SETTINGS[@]}"} \
            </dev/null >"$SERVER_LOG" 2>&1
    ) &
    LAUNCHED=$!
    # A space and a plus sign are the only accepted characters that mean something in a URL.
    write_private "$DATA/url" \
        "postgres://registry@localhost/$DATABASE?host=$(sed 's/ /%20/g; s/+/%2B/g' <<<"$SOCKETS")"
}

wait_ready() {
    local tries=1200
    until [ "$(server_state)" = ready ] && running_pid >/dev/null; do
        if [ -n "$LAUNCHED" ] && ! kill -0 "$LAUNCHED" 2>/dev/null; then
            die "PostgreSQL did not start; its log $SERVER_LOG ends with: $(log_end)"
        elif [ $((tries -= 1)) -eq 0 ]; then
            die "PostgreSQL is not ready after two minutes; its log $SERVER_LOG ends with: $(log_end)"
        fi
        sleep 0.1
    done
}

ensure_database() {
    local psql=(psql -XqAt -v ON_ERROR_STOP=1 "$(sed 's|/registry?|/postgres?|' "$DATA/url")")
    have psql || psql[0]="$BIN/psql"
    have "${psql[0]}" || die "psql is missing; an administrator must run: apt-get install -y postgresql-client"
    [ "$("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'registry'")" = 1 ] ||
        "${psql[@]}" -c "CREATE DATABASE registry" ||
        die "the database registry could not be created, for the reason above"
}
