# shellcheck shell=bash
# What every script here shares. Sourced, never run. It moves to the root of the checkout, so
# that the scripts mean the same files wherever they are called from.
set -euo pipefail
umask 022

APP=myproof-registry
ROOT=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034 # for cluster.sh
CALLED_FROM=$PWD
cd -- "$ROOT"

say() { printf '==> %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$EUID" -eq 0 ]; }

for tool in setsid flock setpriv; do
    have "$tool" || die "the command $tool is missing; install your system's util-linux package"
done

# Some CI runners start jobs without HOME, and without rustup's folder on PATH.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
case ":$PATH:" in
*":${CARGO_HOME:-$HOME/.cargo}/bin:"*) ;;
*) PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH" ;;
esac
TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/$APP/tools"
export PATH="$TOOLS/bin:$TOOLS/binaryen/node_modules/.bin:$PATH"

# Exported, so that a target folder configured anywhere else cannot put the program where the
# scripts do not look for it.
TARGET="${CARGO_TARGET_DIR:-target}"
[[ $TARGET == /* ]] || TARGET="$ROOT/$TARGET"
export CARGO_TARGET_DIR="$TARGET"

# cargo would take the job server of the make that called us for its own.
unset MAKEFLAGS MFLAGS MAKELEVEL

# A background job of a non-interactive shell starts with SIGINT ignored, and bash cannot trap a
# signal that was ignored from the start: begin again with the default.
if [[ $(trap -p INT) == *"''"* ]]; then
    exec env --default-signal=INT bash "$ROOT/scripts/${0##*/}" "$@"
fi

# Whatever ends a script, what it started is stopped and what it left is removed, once.
CHILD=
CLEANUPS=()
STOPPED_CODE=130
at_exit() { CLEANUPS=("$1" ${CLEANUPS[@]+"${CLEANUPS[@]}"}); }
finish() {
    FINISH_CODE=$?
    trap - EXIT
    trap : INT TERM HUP
    set +e
    stop_child
    for cleanup in ${CLEANUPS[@]+"${CLEANUPS[@]}"}; do "$cleanup"; done
    exit "$FINISH_CODE"
}
trap finish EXIT
trap 'exit "$STOPPED_CODE"' INT TERM HUP

# Starts a command in a process group of its own, so that one signal reaches all it starts.
# Descriptors 8 and 9 are the scripts' own locks and 3 a saved standard output: nothing that
# might outlive them may hold these. Should this script be killed outright, the kernel still ends
# the command.
start_child() {
    setsid setpriv --pdeathsig TERM "$@" </dev/null 3>&- 8>&- 9>&- &
    CHILD=$!
}
# Unlike a command in the foreground, `wait` lets this shell react to a signal at once.
wait_child() {
    local code=0
    wait "$CHILD" || code=$?
    # Nothing it forgot to end is left behind.
    kill -KILL -- "-$CHILD" 2>/dev/null || true
    CHILD=
    return "$code"
}
run_child() {
    start_child "$@"
    wait_child
}
stop_child() {
    [ -n "$CHILD" ] || return 0
    local pid=$CHILD tries=300
    CHILD=
    kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do
        if [ $((tries -= 1)) -le 0 ]; then
            say "process $pid does not end, so it is killed"
            break
        fi
        sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

# with_lock FILE COMMAND...: only one run at a time does COMMAND.
with_lock() {
    local file=$1 code=0
    shift
    { mkdir -p -- "${file%/*}" && { [ -e "$file" ] || : >"$file"; } && exec 8<"$file"; } 2>/dev/null ||
        die "the lock file $file cannot be used; make it and its folder accessible to $(id -un)"
    if ! flock -n 8; then
        say "waiting for another run, which holds $file"
        until flock -n 8; do sleep 0.5; done
    fi
    "$@" || code=$?
    exec 8>&-
    return "$code"
}
