#!/usr/bin/env bash
# All tests, with a database of their own that is thrown away afterwards: `make test`.
#   scripts/test.sh [rust|browser|lint]     only that part
# A failed step does not keep the next from running. The last line of the output is
# `N passed, M failed`; the exit code is 0 only when nothing failed and something passed.
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/dev.sh"

ONLY=${1:-}
case $ONLY in
'') STEPS=10 ;;
lint) STEPS=6 ;;
rust) STEPS=1 ;;
browser) STEPS=3 ;;
*) die "there is no part '$ONLY' of the tests; use ONLY=lint, ONLY=rust or ONLY=browser" ;;
esac
selected() { [ -z "$ONLY" ] || [ "$ONLY" = "$1" ]; }

# The caller's settings are for some other run of the app.
for name in $(compgen -e); do
    case $name in
    LEPTOS_OUTPUT_NAME) ;;
    APIKEY_* | LEPTOS_* | OPERATOR_* | PG* | SQLX_* | PUBLIC_URL | DATABASE_URL | TRUSTED_PROXIES | LOG_FORMAT | RUST_LOG | \
        SERVER_FN_PREFIX | DISABLE_SERVER_FN_HASH) unset "$name" ;;
    esac
done

# --- Counting -----------------------------------------------------------------------------------

PASSED=0
FAILED=0
STEP=0
DONE=
summary() {
    # A run that ended before its last step has not passed, whatever it had counted.
    if [ -z "$DONE" ]; then
        say "the run ended before its last step"
        FAILED=$((FAILED + 1))
    fi
    echo "$PASSED passed, $FAILED failed"
    # shellcheck disable=SC2034 # for lib.sh
    if [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]; then FINISH_CODE=0; else FINISH_CODE=1; fi
}

count_cargo() {
    sed 's/\x1b\[[0-9;]*m//g' "$LOG" | awk '
        /^test result: / {
            for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) passed += $(i-1); if ($i ~ /^failed/) failed += $(i-1) }
        }
        END { print passed + 0, failed + 0 }'
}
# A flaky test passed only when repeated, and a skipped one proved nothing.
count_playwright() {
    node -e 'const { stats } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
        console.log(stats.expected, stats.unexpected + stats.flaky + stats.skipped)' "$WORK/playwright.json" 2>/dev/null || echo 0 0
}
count_nothing() { echo 0 0; }

# step TITLE COUNTER COMMAND...
step() {
    local title=$1 counter=$2 begun=$SECONDS code=0 passed failed
    shift 2
    STEP=$((STEP + 1))
    say "[$STEP/$STEPS] $title"
    : >"$LOG"
    "$@" || code=$?
    read -r passed failed < <("$counter")
    # A step without tests of its own is one check, and a failure never counts as none.
    if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
    if [ $((passed + failed)) -eq 0 ]; then passed=1; fi
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
    say "[$STEP/$STEPS] $passed passed, $failed failed in $((SECONDS - begun)) s"
}

# Like run_child, with the output kept in LOG as well.
run_logged() {
    local code=0 pipe="$WORK/output"
    rm -f -- "$pipe"
    mkfifo "$pipe"
    tee -- "$LOG" <"$pipe" 9>&- &
    local tee=$!
    start_child "$@" >"$pipe" 2>&1
    wait_child || code=$?
    wait "$tee" || true
    return "$code"
}

# --- Steps --------------------------------------------------------------------------------------

# What a single step needs is installed in a process of its own: should that fail, only the step does.
need() { run_child "$ROOT/scripts/setup.sh" "$@" && setup "$@"; }

clippy() { need lint && run_child cargo clippy "$@" -- -D warnings; }
clippy_wasm() { need lint wasm && run_child cargo clippy "$@" -- -D warnings; }
alerts() { need promtool && run_child promtool test rules tests/alerts.test.yml; }
formatting() { need lint && run_child cargo fmt --all --check; }

# Licences and sources of every crate, and known advisories of crates and packages where the lists can be had: they
# are kept by others, whom not every machine reaches.
supply_chain() {
    need cargo-deny && run_child cargo deny --log-level error check licenses bans sources || return 1
    if run_child timeout 60 cargo deny --log-level error fetch db >"$LOG" 2>&1; then
        run_child cargo deny --log-level error check --disable-fetch advisories || return 1
    else
        say "the list of advisories for crates could not be had: $(tail -n 1 "$LOG")"
    fi
    local folder code
    for folder in end2end end2end/bench; do
        code=0
        run_child timeout 60 npm --prefix "$folder" audit --audit-level high >"$LOG" 2>&1 || code=$?
        if grep -q '^# npm audit report' "$LOG"; then
            cat -- "$LOG"
            return 1
        elif [ "$code" -ne 0 ]; then
            say "the list of advisories for packages could not be had, for $folder"
        fi
    done
}

# Site and program are set aside for this run: another build must neither change nor
# be changed by what is tested, so only the build itself is done one run at a time.
build_for_browser() {
    need wasm leptos wasm-opt && with_lock "$TARGET/.test-build.lock" build_aside
}
# The front end is the one that is released, but for the page /styleguide.
build_aside() {
    join_style
    rm -rf -- "$TARGET/test-site"
    LEPTOS_SITE_ROOT="$TARGET/test-site" LEPTOS_HASH_FILE_NAME=test-hash.txt \
        run_child cargo leptos build --release --frontend-only --precompress "${FOR_DEVELOPMENT[@]}" &&
        run_child cargo leptos build --server-only "${FOR_DEVELOPMENT[@]}" || return 1
    cp -R -- "$TARGET/test-site" "$ASIDE/site" && cp -- "$PROGRAM" "$ASIDE/" || return 1
}

# Sizes of the first page's files, in bytes of brotli.
WASM_BUDGET=$((370 * 1024))
STYLE_BUDGET=$((20 * 1024))
sizes() {
    within_budget "$WASM_BUDGET" "$ASIDE/site/pkg/$APP".*.wasm.br &&
        within_budget "$STYLE_BUDGET" "$ASIDE/site/pkg/$APP".*.css.br
}
within_budget() {
    [ $# -eq 2 ] && [ -f "$2" ] || { say "there is no file ${2##*/} to weigh, or more than one" && return 1; }
    local size
    size=$(stat -c %s -- "$2")
    say "${2##*/}: $size of $1 bytes"
    [ "$size" -le "$1" ] || { say "${2##*/} is over its budget: find out what made it grow" && return 1; }
}

# The flags and names are those of cargo-leptos, so that the libraries are compiled only once.
cargo_tests() {
    need rust nginx python-tools && database && RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg erase_components" \
        run_logged cargo test --features ssr,sample --no-fail-fast
}

browser_tests() {
    [ -x "$ASIDE/$APP" ] || { say "there is no program to test, because the build failed" && return 1; }
    need chromium node-modules && database || return 1
    cd end2end || return 1
    local code=0
    MYPROOF_BIN="$ASIDE/$APP" LEPTOS_SITE_ROOT="$ASIDE/site" PLAYWRIGHT_JSON_OUTPUT_NAME="$WORK/playwright.json" \
        run_child node_modules/.bin/playwright test --reporter=list,json --output "$ASIDE/results" || code=$?
    cd "$ROOT" || return 1
    if [ "$code" -ne 0 ] && [ -d "$ASIDE/results" ]; then
        rm -rf -- "$TARGET/test-results"
        mv -- "$ASIDE/results" "$TARGET/test-results"
        say "what the failed browser tests left is in $TARGET/test-results"
    fi
    return "$code"
}

# Starts the throw-away cluster when the first step needs it.
database() {
    [ -z "${DATABASE_URL:-}" ] || return 0
    need postgres && "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway start || return 1
    DATABASE_URL=$("$ROOT/scripts/cluster.sh" --dir "$WORK" url) && export DATABASE_URL
}

# --- The run ------------------------------------------------------------------------------------

at_exit summary
# A run that was killed outright could not clean up; its lock is free, so the next one does it.
for old in "${TMPDIR:-/tmp}"/myproof-test.*; do
    if [ -O "$old" ] && [ -n "$(find "$old/alive" -mmin +1 2>/dev/null)" ] && flock -n "$old/alive" true; then
        say "removing what a killed test run left in $old"
        "$ROOT/scripts/cluster.sh" --dir "$old" --throwaway stop
        rm -rf -- "$old" "$TARGET/test-bin/${old##*.}"
    fi
done
WORK=$(mktemp -d "${TMPDIR:-/tmp}/myproof-test.XXXXXX")
exec 9>"$WORK/alive"
flock 9
ASIDE="$TARGET/test-bin/${WORK##*.}"
LOG="$WORK/log"
clean_up() {
    if [ -d "$WORK/postgres" ]; then setsid "$ROOT/scripts/cluster.sh" --dir "$WORK" --throwaway stop; fi
    rm -rf -- "$WORK" "$ASIDE"
}
at_exit clean_up
mkdir -p -- "$ASIDE"

setup rust
if selected lint; then
    step "formatting (cargo fmt)" count_nothing formatting
    step "lint of the server (cargo clippy)" count_nothing clippy --features ssr,styleguide,sample --all-targets
    step "lint of the slow tests (cargo clippy)" count_nothing clippy --features ssr,styleguide,sample --test slow
    step "lint of the front end (cargo clippy for wasm32)" count_nothing clippy_wasm --features hydrate,styleguide --target wasm32-unknown-unknown --lib
    step "alerts of docs/alerts.yml (promtool)" count_nothing alerts
    step "licences, sources and advisories of dependencies (cargo deny, npm audit)" count_nothing supply_chain
fi
if selected browser; then step "build of server and front end (cargo leptos build)" count_nothing build_for_browser; fi
if selected browser; then step "size of the first page's files" count_nothing sizes; fi
if selected rust; then step "tests of the server (cargo test)" count_cargo cargo_tests; fi
if selected browser; then step "browser tests (playwright)" count_playwright browser_tests; fi
DONE=yes
