# shellcheck shell=bash
# The development environment of run, watch, psql and cli: settings, database, program. Sourced.
. "$ROOT/scripts/setup.sh"
. "$ROOT/scripts/data.sh"

export APP_ENV=development
PROGRAM="$TARGET/debug/$APP"

# The name of the browser's files. cargo-leptos says it to every build, and the library leptos
# takes it in when it is compiled, so the builds without cargo-leptos must say the same.
LEPTOS_OUTPUT_NAME=$(sed -n 's/^output-name *= *"\([^"]*\)".*/\1/p' "$ROOT/Cargo.toml")
export LEPTOS_OUTPUT_NAME="${LEPTOS_OUTPUT_NAME:-$APP}"

# from_env_file NAME...: takes each setting from .env unless the environment has it. The app
# reads that file as well; the scripts only need to know what it says about these.
from_env_file() {
    local name line value
    [ -f "$ROOT/.env" ] || return 0
    for name in "$@"; do
        [ -z "${!name:-}" ] || continue
        line=$(grep -E -m 1 "^[[:space:]]*(export[[:space:]]+)?${name}[[:space:]]*=" "$ROOT/.env" | tr -d '\r') || continue
        value=${line#*=}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in
        \"*\"*) value=${value#\"} value=${value%%\"*} ;;
        \'*\'*) value=${value#\'} value=${value%%\'*} ;;
        *) value=${value%%[[:space:]]#*} value=${value%"${value##*[![:space:]]}"} ;;
        esac
        [ -z "$value" ] || export "$name=$value"
    done
}

# Makes DATABASE_URL point to a running database: the one already named, or the private cluster,
# which is held (by a shared lock on .data/in-use) for as long as this script lives.
open_database() {
    from_env_file DATABASE_URL APIKEY_PEPPER
    locate_data
    if [ -z "${APIKEY_PEPPER:-}" ]; then ensure_pepper; fi
    if [ -n "${DATABASE_URL:-}" ]; then
        say "using the database of DATABASE_URL; the private one is not started"
        return
    fi
    setup postgres
    [ -e "$DATA/in-use" ] || : >"$DATA/in-use"
    exec 9<"$DATA/in-use"
    until flock -n -s 9; do sleep 0.2; done # another script is just stopping it
    at_exit close_database
    "$ROOT/scripts/cluster.sh" join
    # Settings for another server would take part in every connection.
    local name
    for name in $(compgen -e | grep '^PG' || true); do unset "$name"; done
    DATABASE_URL=$(cat -- "$DATA/url")
    export DATABASE_URL
}

close_database() {
    exec 9<&-
    # In a session of its own, a second Ctrl-C does not interrupt it.
    setsid "$ROOT/scripts/cluster.sh" leave
}

# Makes DATABASE_URL point to a new database that ends with this script, as its folder WORK does.
throwaway_database() {
    setup postgres
    WORK=$(mktemp -d "${TMPDIR:-/tmp}/$APP.XXXXXX")
    at_exit remove_database
    "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start
    DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url)
    export DATABASE_URL
}
remove_database() {
    # In a session of its own, a second Ctrl-C does not interrupt it.
    setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop
    rm -rf -- "$WORK"
}

# Puts pages and dialogs into WASM files of their own (src/console/chunks.rs).
SPLIT=(--split)
# Development builds have the page /styleguide and the command `sample`.
FOR_DEVELOPMENT=("${SPLIT[@]}" --features "styleguide,sample")

# cargo-leptos takes one style sheet and follows no @import: the parts are joined, in the order of
# the cascade, where Cargo.toml says. An unchanged one keeps its time, so nothing is done again.
STYLE_PARTS="tokens base controls surfaces table history pages docs"
join_style() {
    local part joined="$ROOT/target/style/main.css"
    mkdir -p -- "${joined%/*}"
    for part in $STYLE_PARTS; do cat -- "$ROOT/style/$part.css"; done >"$joined.new"
    if cmp -s -- "$joined.new" "$joined"; then rm -f -- "$joined.new"; else mv -f -- "$joined.new" "$joined"; fi
}

# --- The debug build ----------------------------------------------------------------------------

# Everything a build depends on. Tests and documents do not change the program's answer, but
# documents may be embedded in it, so only what certainly stays outside is left out.
build_inputs() {
    rustc -V
    env | grep -E '^(RUSTFLAGS|CARGO_PROFILE_.*|LEPTOS_OUTPUT_NAME|LEPTOS_SITE_ROOT)=' | sort || true
    find . \( -name .git -o -name node_modules -o -path ./.data -o -path ./target -o -path "./${TARGET#"$ROOT"/}" -o -path ./end2end \
        -o -path ./tests -o -path ./scripts -o -path ./.ci \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0r sha256sum 2>/dev/null || true
}
build_outputs() {
    find "$PROGRAM" "$TARGET/debug/hash.txt" "$LEPTOS_SITE_ROOT" -type f -exec stat -c '%n %s %Y' {} + 2>/dev/null |
        LC_ALL=C sort || true
}

# cargo-leptos repeats its slow last steps every time, so it only runs when something changed.
build_debug() {
    local stamp="$TARGET/.debug-build" inputs
    inputs=$(build_inputs | sha256sum)
    if [ -x "$PROGRAM" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$inputs $(build_outputs | sha256sum)" ]; then
        say "nothing changed since the last build"
        return
    fi
    say "building the server and the front end"
    rm -f -- "$stamp"
    join_style
    run_child cargo leptos build "${FOR_DEVELOPMENT[@]}" || die "the build failed, for the reason above"
    [ -x "$PROGRAM" ] || die "the build left no $PROGRAM; check bin-target in Cargo.toml"
    printf '%s %s\n' "$inputs" "$(build_outputs | sha256sum)" >"$stamp"
}

# Brings program and database up to date with the sources.
prepare_app() {
    export LEPTOS_SITE_ROOT=target/site
    with_lock "$ROOT/target/.site.lock" build_debug
    say "bringing the database up to date"
    run_child "$PROGRAM" migrate || exit 1 # the app has said why
}
