# shellcheck shell=bash
# One PostgreSQL server: creation, start and stop. Sourced by cluster.sh, which sets:
#   DATA, PGDATA_DIR, SERVER_LOG   where everything is
#   OWNER, AS                      the user it runs as, and how to become that user
#   DATABASE, SETTINGS, THROWAWAY  what the URL names, and how durable the server is
#   STOP_MODE                      how pg_ctl stops it

# pg_ctl ARGUMENTS...: refuses to run as root.
pg_ctl() { as_chosen_user "$BIN/pg_ctl" -D "$PGDATA_DIR" -s "$@"; }

# Prints the process that serves this very data folder. After a crash, another program may have its number.
running_pid() {
    local pid name
    { read -r pid <"$PGDATA_DIR/postmaster.pid" && read -r name <"/proc/$pid/comm"; } 2>/dev/null || return 1
    [ "$name" = postgres ] && as_chosen_user test "/proc/$pid/cwd" -ef "$PGDATA_DIR" && echo "$pid"
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
    # It gets its name only when complete, so that an interrupted run leaves nothing half made.
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
choose_socket_folder() {
    local LC_ALL=C
    SOCKETS="$DATA/socket"
    if [ "${#SOCKETS}" -gt 90 ] || [[ $SOCKETS == *[!A-Za-z0-9/._+\ -]* ]]; then
        SOCKETS=$(mktemp -d "/tmp/$APP.XXXXXX")
        echo "$SOCKETS" >"$DATA/socket-folder"
    fi
    mkdir -p -- "$SOCKETS" && chmod 700 -- "$SOCKETS"
    if is_root; then chown "$OWNER:$(id -g "$OWNER")" -- "$SOCKETS"; fi
    rm -f -- "$SOCKETS"/.s.PGSQL.5432*
}

# A folder outside the data folder lasts as long as its server.
remove_socket_folder() {
    local folder
    [ -s "$DATA/socket-folder" ] || return 0
    read -r folder <"$DATA/socket-folder"
    if [[ $folder == "/tmp/$APP."* ]]; then rm -rf -- "$folder"; fi
    rm -f -- "$DATA/socket-folder"
}

launch() {
    remove_socket_folder
    choose_socket_folder
    # PostgreSQL would take whichever program has the crashed server's number by now for that server.
    local pid
    if { read -r pid <"$PGDATA_DIR/postmaster.pid"; } 2>/dev/null && [ -d "/proc/$pid" ]; then rm -f -- "$PGDATA_DIR/postmaster.pid"; fi
    [ ! -f "$SERVER_LOG" ] || mv -f -- "$SERVER_LOG" "$SERVER_LOG.1"
    # A space and a plus sign are the only accepted characters that mean something in a URL.
    write_private "$DATA/url" \
        "postgres://registry@localhost/$DATABASE?host=$(sed 's/ /%20/g; s/+/%2B/g' <<<"$SOCKETS")"
    (
        umask 077
        # No lock or pipe of ours may live on in the server.
        for fd in /proc/"$BASHPID"/fd/*; do
            if [ "${fd##*/}" -gt 2 ]; then eval "exec ${fd##*/}>&-"; fi
        done
        pg_ctl start -w -t 120 -o "-c listen_addresses= -c port=5432 -c unix_socket_permissions=0700 \
            -c unix_socket_directories='$SOCKETS' -c logging_collector=off -c log_destination=stderr ${SETTINGS[*]-}" \
            </dev/null >"$SERVER_LOG" 2>&1
    ) || die "PostgreSQL did not start; its log $SERVER_LOG ends with: $(log_end)"
}

ensure_database() {
    local psql=(psql -XqAt -v ON_ERROR_STOP=1 "$(sed 's|/registry?|/postgres?|' "$DATA/url")")
    have psql || psql[0]="$BIN/psql"
    have "${psql[0]}" || die "psql is missing; an administrator must run: apt-get install -y postgresql-client"
    [ "$("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'registry'")" = 1 ] ||
        "${psql[@]}" -c "CREATE DATABASE registry" ||
        die "the database registry could not be created, for the reason above"
}
