#!/usr/bin/env bash
# Builds and runs the app in the foreground, with its own database: `make run`. With --watch it
# is rebuilt on every change: `make watch`. Ctrl-C ends everything it started.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

# shellcheck disable=SC2034 # for lib.sh
STOPPED_CODE=0 # to be stopped is how a server normally ends
COMMAND=("$PROGRAM")
PATIENCE=60 # seconds until the server has to answer
if [ "${1:-}" = --watch ]; then
    COMMAND=(cargo leptos watch "${FOR_DEVELOPMENT[@]}")
    PATIENCE=600
fi

# check_address IP:PORT: fails early, before a long build, when the server could not listen.
check_address() {
    local port=${1##*:} host=${1%:*} reason
    reason=$(python3 - "$host" "$port" <<'PYTHON'
import errno, ipaddress, socket, sys
host, port = sys.argv[1].strip("[]"), sys.argv[2]
try:
    family = socket.AF_INET if ipaddress.ip_address(host).version == 4 else socket.AF_INET6
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, int(port)))
        probe.listen()
except (ValueError, OverflowError):
    print("invalid")
except OSError as error:
    print("in use" if error.errno == errno.EADDRINUSE else error.strerror)
PYTHON
    ) || die "python3 does not work; install Python 3"
    case $reason in
    '') ;;
    invalid) die "LEPTOS_SITE_ADDR is '$1', which is no address and port; write for instance LEPTOS_SITE_ADDR=127.0.0.1:3000" ;;
    'in use') die "port $port of $host is already in use, perhaps by another make run; choose another, for instance: LEPTOS_SITE_ADDR=$host:$((port + 10)) make run" ;;
    *) die "the server cannot listen on $1 ($reason); choose another address, for instance: LEPTOS_SITE_ADDR=127.0.0.1:3000 make run" ;;
    esac
}

# Without an operator nobody could log in, so the first start creates one. The app says itself,
# in one line, why it refuses something.
create_first_operator() {
    local operators
    operators=$("$PROGRAM" operator list) || exit 1
    [ -z "$operators" ] || return 0
    local password
    password=$(head -c 15 /dev/urandom | base64 | tr '+/' '-_')
    say "creating the first operator, $OPERATOR_EMAIL"
    printf %s "$password" | "$PROGRAM" operator create --email "$OPERATOR_EMAIL" --role admin --password-stdin || exit 1
    PASSWORD=$password
    # The password is nowhere else, so it is shown even when the start ends early.
    at_exit show_first_operator
}

PASSWORD=
show_first_operator() {
    [ -n "$PASSWORD" ] || return 0
    printf '\n%s\n\n' "The first operator was created. This password is shown only now:"
    printf '  %-9s %s\n' address "http://$REACHED_AT/" e-mail "$OPERATOR_EMAIL" password "$PASSWORD"
    echo
    PASSWORD=
}

# Whether the server answers /healthz.
answers() (
    { exec 3<>"/dev/tcp/$(tr -d '[]' <<<"${REACHED_AT%:*}")/${REACHED_AT##*:}"; } 2>/dev/null || exit 1
    printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$REACHED_AT" >&3
    answer=$(timeout 5 cat <&3 | head -n 1)
    [[ $answer == HTTP/1.?" 200"* ]]
)

from_env_file LEPTOS_SITE_ADDR OPERATOR_EMAIL
export LEPTOS_SITE_ADDR="${LEPTOS_SITE_ADDR:-127.0.0.1:3000}"
OPERATOR_EMAIL="${OPERATOR_EMAIL:-operator@example.com}"
# A server that listens everywhere is reached on this machine.
case $LEPTOS_SITE_ADDR in
*:0) REACHED_AT=$LEPTOS_SITE_ADDR PATIENCE=0 ;; # the server takes any free port, and names it itself
0.0.0.0:*) REACHED_AT=127.0.0.1:${LEPTOS_SITE_ADDR##*:} ;;
\[::\]:*) REACHED_AT="[::1]:${LEPTOS_SITE_ADDR##*:}" ;;
*) REACHED_AT=$LEPTOS_SITE_ADDR ;;
esac

check_address "$LEPTOS_SITE_ADDR"
setup wasm leptos
open_database
prepare_app
create_first_operator

if [ "${1:-}" = --watch ]; then
    # Joins the style's parts again on changes; cargo-leptos watches only the joined file.
    (while sleep 1; do join_style; done) 8>&- 9>&- &
    JOINER=$!
    stop_joiner() { kill "$JOINER" 2>/dev/null; }
    at_exit stop_joiner
fi

say "starting ${COMMAND[0]##*/}; Ctrl-C ends it"
deadline=$((SECONDS + PATIENCE))
start_child "${COMMAND[@]}"
while kill -0 "$CHILD" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
    if answers; then
        say "the app answers at http://$REACHED_AT/"
        break
    fi
    sleep 0.2
done
show_first_operator

code=0
wait_child || code=$?
# With 1 the server has said itself, in one line, why it refuses to run.
case $code in
0 | 1) say "the server ended by itself with exit code $code" ;;
*) die "the server ended by itself with exit code $code; its last words are above" ;;
esac
exit "$code"
