#!/usr/bin/env bash
# Installs what is missing on this machine, and only that.
#   scripts/setup.sh NEED...      or, sourced:  setup NEED...
# NEED: rust lint wasm leptos wasm-opt cargo-deny cargo-fuzz cargo-cyclonedx postgres chromium nginx wrk node-modules
#       bench-modules python-tools promtool
# Sourced, it also leaves PATH, RUSTUP_TOOLCHAIN and CHROMIUM set for what follows.
declare -F die >/dev/null || . "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/scripts/packages.sh"

CARGO_LEPTOS=0.3.10
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
CARGO_CYCLONEDX=0.5.9
BINARYEN=132

setup() {
    local need
    for need in "$@"; do
        case $need in
        rust) setup_rust ;;
        lint) setup_rust; setup_lint ;;
        wasm) setup_rust; setup_wasm ;;
        leptos) setup_rust; setup_leptos ;;
        wasm-opt) setup_wasm_opt ;;
        cargo-deny) setup_rust; setup_cargo_deny ;;
        cargo-fuzz) setup_rust; setup_cargo_fuzz ;;
        cargo-cyclonedx) setup_rust; setup_cargo_cyclonedx ;;
        postgres) setup_postgres ;;
        chromium) setup_chromium ;;
        nginx) setup_nginx ;;
        wrk) setup_wrk ;;
        promtool) setup_promtool ;;
        node-modules) setup_node_modules end2end ;;
        bench-modules) setup_node_modules end2end/bench ;;
        python-tools) setup_python_tools ;;
        *) die "setup does not know '$need'; the needs are listed at the top of scripts/setup.sh" ;;
        esac
    done
}

install_locked() { with_lock "$TOOLS/.lock" "$@"; }

# --- Rust ---------------------------------------------------------------------------------------

RUST_READY=
setup_rust() {
    [ -z "$RUST_READY" ] || return 0
    local channel
    channel=$(sed -n 's/^channel *= *"\([^"]*\)".*/\1/p' "$ROOT/rust-toolchain.toml")
    [ -n "$channel" ] || die "rust-toolchain.toml names no channel; restore the file from git"
    have cc || die "no C compiler (cc) was found; an administrator must run: apt-get install -y build-essential"
    have cargo || die "Rust is missing; install it as https://rustup.rs describes, then repeat"
    if have rustup; then
        unset RUSTUP_TOOLCHAIN
        toolchain_works "$channel" || install_locked install_toolchain "$channel"
        # Said here, the toolchain file's list of targets is not looked at: rustup would go to the
        # network for a wasm target that it did not install itself.
        export RUSTUP_TOOLCHAIN="${FALLBACK_TOOLCHAIN:-$channel}"
    else
        [[ $(rustc -V) == "rustc ${channel%.*}."* ]] ||
            die "Rust $channel is needed, and this is $(rustc -V); install rustup as https://rustup.rs describes"
    fi
    RUST_READY=yes
}

toolchain_works() { rustup run "$1" rustc -V >/dev/null 2>&1; }

install_toolchain() {
    toolchain_works "$1" && return 0
    say "installing Rust $1, which rust-toolchain.toml asks for"
    run_child rustup toolchain install "$1" --profile minimal -c rustfmt -c clippy && return 0
    local default
    default=$(rustup default 2>/dev/null | cut -d' ' -f1)
    [[ -n $default && $(rustup run "$default" rustc -V 2>/dev/null) == "rustc ${1%.*}."* ]] ||
        die "Rust $1 could not be installed; with a network connection run: rustup toolchain install $1"
    say "using the default toolchain $default instead: it is Rust ${1%.*} as well"
    FALLBACK_TOOLCHAIN=$default
}

setup_lint() {
    cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return 0
    have rustup || die "cargo fmt and cargo clippy are missing; install your system's rustfmt and clippy packages"
    say "installing rustfmt and clippy, which check the sources"
    install_locked run_child rustup component add rustfmt clippy --toolchain "$RUSTUP_TOOLCHAIN" ||
        die "rustfmt and clippy could not be installed; run: rustup component add rustfmt clippy --toolchain $RUSTUP_TOOLCHAIN"
}

setup_wasm() {
    local lib
    lib=$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib
    wasm_works "$lib" || install_locked install_wasm "$lib"
}

wasm_works() { compgen -G "$1/libstd-*.rlib" >/dev/null; }

install_wasm() {
    wasm_works "$1" && return 0
    say "installing Rust's wasm32-unknown-unknown target, which the front end is compiled for"
    if have rustup && run_child rustup target add wasm32-unknown-unknown --toolchain "$RUSTUP_TOOLCHAIN"; then
        return 0
    fi
    say "rustup could not install it: building it from the sources that Debian distributes"
    run_child "$ROOT/scripts/wasm-from-source.sh" "$1" || exit 1
}

# --- The build's tools --------------------------------------------------------------------------

setup_leptos() {
    [ -f "$ROOT/Cargo.lock" ] || die "Cargo.lock is missing; restore it from git"
    local bindgen
    bindgen=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' "$ROOT/Cargo.lock")
    [ -n "$bindgen" ] || die "Cargo.lock names no wasm-bindgen; restore it from git"
    is_version "cargo-leptos $CARGO_LEPTOS" ||
        install_locked install_crate cargo-leptos "$CARGO_LEPTOS" \
            "it builds the server and the front end together" --locked
    # Its output is only understood by the library of the very same version. Its own lock file is
    # older than this version of Rust, so the newest fitting dependencies are taken.
    is_version "wasm-bindgen $bindgen" ||
        install_locked install_crate wasm-bindgen-cli "$bindgen" \
            "it makes the compiled browser's half loadable, and must match Cargo.lock"
}

setup_cargo_deny() {
    is_version "cargo-deny $CARGO_DENY" ||
        install_locked install_crate cargo-deny "$CARGO_DENY" "it looks at licences, sources and advisories of dependencies" --locked
}

setup_cargo_fuzz() {
    have c++ || die "no C++ compiler (c++) was found, which the fuzzer needs; an administrator must run: apt-get install -y build-essential"
    is_version "cargo-fuzz $CARGO_FUZZ" ||
        install_locked install_crate cargo-fuzz "$CARGO_FUZZ" "it builds and runs the fuzz targets" --locked
}

setup_cargo_cyclonedx() {
    [[ $(cargo cyclonedx --version 2>/dev/null) == *" $CARGO_CYCLONEDX"* ]] ||
        install_locked install_crate cargo-cyclonedx "$CARGO_CYCLONEDX" "it lists what a program is made of" --locked
}

# is_version "NAME VERSION": whether the command NAME says that it is exactly that.
is_version() { [[ "$("${1% *}" --version 2>/dev/null) " == "$1 "* ]]; }

install_crate() {
    local crate=$1 version=$2 why=$3
    shift 3
    is_version "${crate%-cli} $version" && return 0
    say "installing $crate $version into $TOOLS (some minutes, once): $why"
    # A build folder of its own lets an interrupted installation go on where it stopped.
    CARGO_TARGET_DIR="$TOOLS/build" run_child cargo install "$crate" --version "$version" --debug --root "$TOOLS" "$@" ||
        die "$crate $version could not be installed, for the reason above; repeat when it is solved"
    rm -rf -- "$TOOLS/build"
}

setup_wasm_opt() { wasm_opt_works || install_locked install_wasm_opt; }

wasm_opt_works() { [[ "$(wasm-opt --version 2>/dev/null) " == "wasm-opt version $BINARYEN "* ]]; }

install_wasm_opt() {
    wasm_opt_works && return 0
    have npm || die "npm is missing; install Node.js 20 or newer"
    say "installing wasm-opt (binaryen $BINARYEN), which shrinks the front end of a release"
    run_child npm install --prefix "$TOOLS/binaryen" --no-audit --no-fund --loglevel=error "binaryen@$BINARYEN" ||
        die "binaryen $BINARYEN could not be installed, for npm's reason above; repeat when it is solved"
}

# setup_node_modules FOLDER: the packages that its package-lock.json lists.
setup_node_modules() {
    have npm || die "npm is missing; install Node.js 20 or newer"
    [ -f "$ROOT/$1/package-lock.json" ] || die "$1/package-lock.json is missing; restore it from git"
    node_modules_fresh "$1" || with_lock "$TARGET/.node-modules.lock" install_node_modules "$1"
}

node_modules_fresh() { (cd "$ROOT/$1" && sha256sum --check --status node_modules/.package-lock.sha256 2>/dev/null); }

install_node_modules() {
    node_modules_fresh "$1" && return 0
    say "installing the packages that $1/package-lock.json lists"
    # The browser is the system's own, so none is downloaded.
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 run_child npm --prefix "$ROOT/$1" ci --no-audit --no-fund --loglevel=error ||
        die "npm ci failed in $1, for the reason above; repeat when it is solved"
    (cd "$ROOT/$1" && sha256sum package-lock.json >node_modules/.package-lock.sha256)
}

# schemathesis, which fuzzes the REST routes, and aiosmtpd, the mail server of the tests: in an
# environment of their own, named after what is in it, whose programs come first on PATH.
setup_python_tools() {
    local wanted="$ROOT/scripts/python-tools.txt"
    PYTHON_TOOLS="$TOOLS/python-$(sha256sum -- "$wanted" | cut -c1-12)"
    [ -e "$PYTHON_TOOLS/complete" ] || install_locked install_python_tools "$wanted"
    export PATH="$PYTHON_TOOLS/bin:$PATH"
}

install_python_tools() {
    [ ! -e "$PYTHON_TOOLS/complete" ] || return 0
    have python3 || apt_install python3 "schemathesis and aiosmtpd, which the tests run, are Python programs"
    python3 -c 'import ensurepip' 2>/dev/null ||
        apt_install python3-venv "schemathesis and aiosmtpd are installed in an environment of their own"
    say "installing schemathesis and aiosmtpd, which the tests run, as scripts/python-tools.txt lists them"
    rm -rf -- "$TOOLS"/python-* "$TOOLS"/schemathesis-*
    { run_child python3 -m venv "$PYTHON_TOOLS" &&
        run_child "$PYTHON_TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$1"; } ||
        die "they could not be installed, for the reason above; repeat when it is solved"
    : >"$PYTHON_TOOLS/complete"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ $# -gt 0 ] || die "name what is needed, for instance: scripts/setup.sh wasm leptos postgres"
    setup "$@"
fi
