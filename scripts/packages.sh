# shellcheck shell=bash
# What comes from the system's package manager: PostgreSQL, Chromium, nginx, wrk and promtool. Sourced by setup.sh.

# need_apt WHY
need_apt() {
    have apt-get || die "$1, but it is missing and this system has no apt-get; install it with the system's own package manager"
}

# apt_install PACKAGE WHY [OPTION]...
apt_install() {
    local package=$1 why=$2 admin=()
    shift 2
    local by_hand="apt-get update && apt-get install -y $package"
    need_apt "$why"
    if ! is_root; then
        { have sudo && sudo -n true 2>/dev/null; } ||
            die "$why, but it is missing; an administrator must run: $by_hand"
        admin=(sudo -n)
    fi
    say "installing Debian's package $package: $why"
    local apt=(${admin[@]+"${admin[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    # The lists may be stale without harm, so only a failed installation counts.
    "${apt[@]}" update || say "the package lists could not be brought up to date; trying with the present ones"
    "${apt[@]}" install -y "$@" "$package" ||
        die "the package $package could not be installed, for apt's reason above; an administrator must run: $by_hand"
}

# Prints "MAJOR FOLDER" for each set of server programs, the newest first.
postgres_programs() {
    local folder version
    for folder in /usr/lib/postgresql/*/bin "$(dirname -- "$(command -v postgres || echo /none/postgres)")"; do
        if [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] && version=$("$folder/postgres" --version) &&
            [[ $version =~ \(PostgreSQL\)\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 14 ]; then
            printf '%s %s\n' "${BASH_REMATCH[1]}" "$folder"
        fi
    done | sort -rnu -k1,1
}

setup_postgres() {
    [ -z "$(postgres_programs)" ] || return 0
    # Debian's package would create and start a cluster of its own, which nobody asked for.
    local folder=/etc/postgresql-common/createcluster.d file
    file=$folder/$APP.conf
    if is_root; then
        mkdir -p "$folder"
        echo 'create_main_cluster = false' >"$file"
    elif have sudo && sudo -n true 2>/dev/null; then
        sudo -n mkdir -p "$folder"
        echo 'create_main_cluster = false' | sudo -n tee "$file" >/dev/null
    fi
    apt_install postgresql "the app keeps its data in PostgreSQL 14 or newer" --no-install-recommends
    # Only this installation was to be quiet, not the administrator's next one.
    if is_root; then rm -f "$file"; else sudo -n rm -f "$file"; fi
    [ -n "$(postgres_programs)" ] ||
        die "Debian's package brought no PostgreSQL 14 or newer; install a newer postgresql package by hand"
}

# The package would start a server of its own, which nobody asked for.
setup_nginx() {
    # Administrators' programs are not on everybody's PATH.
    PATH="$PATH:/usr/sbin"
    export PATH
    have nginx && return 0
    local policy=/usr/sbin/policy-rc.d
    if is_root && [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        apt_install nginx-light "the tests put a real nginx in front of the key check"
        rm -f "$policy"
    else
        apt_install nginx-light "the tests put a real nginx in front of the key check"
    fi
}

setup_wrk() { have wrk || apt_install wrk "the benchmarks send their load with it"; }

# The package would start a server of its own, and bring a hundred others: its one tool is unpacked.
setup_promtool() { have promtool || install_locked install_promtool; }
install_promtool() {
    have promtool && return 0
    need_apt "promtool (Debian's package prometheus) checks the alerts"
    say "unpacking promtool from Debian's package prometheus: it checks the alerts"
    local folder
    folder=$(mktemp -d "${TMPDIR:-/tmp}/myproof-promtool.XXXXXX")
    (
        cd "$folder" || exit 1
        # Root's folders are closed to the user whom apt would have do it.
        fetch() { apt-get -q -o APT::Sandbox::User=root download prometheus; }
        fetch || { is_root && apt-get -q update && fetch; } || exit 1
        dpkg-deb -x prometheus_*.deb unpacked && install -D unpacked/usr/bin/promtool "$TOOLS/bin/promtool"
    ) || die "the package prometheus could not be fetched, for the reason above; put promtool on the PATH by hand"
    rm -rf -- "$folder"
}

find_chromium() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        [ -n "$name" ] && command -v "$name" && return 0
    done
    return 1
}

setup_chromium() {
    if [ -n "${CHROMIUM:-}" ] && ! have "$CHROMIUM"; then
        die "CHROMIUM is set to $CHROMIUM, which is no program; correct or unset it"
    fi
    find_chromium >/dev/null || apt_install chromium "the browser tests drive Chromium"
    CHROMIUM=$(find_chromium) || die "the package chromium brought no chromium program; set CHROMIUM to a browser's path"
    export CHROMIUM
}
