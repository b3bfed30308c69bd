# shellcheck shell=bash
# Where the development data lives, and as whom. Sourced.
#
#   .data/postgres   the database cluster (see cluster.sh)
#   .data/url        the connection URL of the database
#   .data/pepper     the server's APIKEY_PEPPER in development
# The app reads the last two itself when APP_ENV=development and nothing else is set.

# The user a new cluster belongs to: PostgreSQL refuses to run as root.
unprivileged_user() {
    local name
    is_root || { id -un; return; }
    for name in postgres nobody; do
        id "$name" >/dev/null 2>&1 && { echo "$name"; return; }
    done
    die "PostgreSQL does not run as root, and neither the user postgres nor nobody exists; run make as an ordinary user"
}

# Sets AS to the command that runs another command as user $1.
choose_user() {
    AS=()
    [ "$1" = "$(id -un)" ] || AS=(setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups --)
}
# In a folder that every user may enter.
as_chosen_user() { (cd / && exec ${AS[@]+"${AS[@]}"} "$@"); }

# The first folder on the way to $2 that user $1 may not enter; nothing when there is none.
closed_folder() {
    local path=$2 closed=
    choose_user "$1"
    while [ "$path" != / ]; do
        as_chosen_user test -x "$path/." || closed=$path
        path=$(dirname -- "$path")
    done
    printf '%s' "$closed"
}

# Sets DATA to the real path of .data, which is created when missing.
locate_data() {
    local link="$ROOT/.data" user closed outside
    if [ ! -e "$link" ] && [ ! -L "$link" ]; then
        user=$(unprivileged_user) || exit 1
        closed=$(closed_folder "$user" "$ROOT")
        if [ -z "$closed" ]; then
            (umask 077 && mkdir -p -- "$link") 2>/dev/null || die "$(id -un) may not create $link; run make as the owner of the checkout"
        else
            outside=/var/lib/$APP/$(basename -- "$ROOT" | tr -c 'A-Za-z0-9._\n-' _)-$(printf %s "$ROOT" | sha256sum | cut -c1-8)
            say "the database's user $user may not enter $closed, so the data goes to $outside, and .data links to it"
            ln -sfn -- "$outside" "$link" || die "the link $link could not be made; make the checkout writable"
        fi
    fi
    DATA=$link
    [ ! -L "$link" ] || DATA=$(readlink -- "$link")
    { mkdir -p -- "$DATA" && DATA=$(CDPATH='' cd -- "$DATA" && pwd -P) && [ -w "$DATA" ]; } 2>/dev/null ||
        die "$(id -un) may not use the data folder $link; run make as its owner, $(stat -L -c %U -- "$link" 2>/dev/null || echo root)"
    # The cluster's user only passes through.
    if is_root; then chmod 711 -- "$DATA"; fi
}

# write_private FILE TEXT: for the owner of the data folder only, even when root writes it.
write_private() {
    local new
    new=$(mktemp -- "$1.XXXXXX") || die "$1 cannot be written, for the reason above"
    printf '%s\n' "$2" >"$new"
    if is_root; then chown --reference="$DATA" -- "$new"; fi
    mv -f -- "$new" "$1"
}

# Made once: with another pepper, no existing API key would verify.
make_pepper() {
    [ ! -s "$DATA/pepper" ] || return 0
    say "generating the development pepper in .data/pepper, which API keys are hashed with"
    write_private "$DATA/pepper" "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"
}
ensure_pepper() { [ -s "$DATA/pepper" ] || with_lock "$DATA/lock" make_pepper; }
