#!/usr/bin/env bash
# Builds Rust's standard library for wasm32-unknown-unknown, for machines that reach a Debian
# mirror but not rustup's server. Needs no root.
#   scripts/wasm-from-source.sh LIBRARY_FOLDER
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

lib=${1:?the folder of the sysroot to fill}
by_hand="with a network connection run: rustup target add wasm32-unknown-unknown"
version=$(rustc -V | cut -d' ' -f2)
have dpkg-deb || die "the wasm32-unknown-unknown target is missing and this is no Debian system; $by_hand"
targets=$(dirname -- "$(dirname -- "$lib")")
[ -w "$targets" ] || die "$(id -un) may not write $targets; its owner must run: rustup target add wasm32-unknown-unknown"

work=$(mktemp -d)
remove_work() { rm -rf -- "$work"; }
at_exit remove_work

# The machine's own mirror, but the suite that carries current compilers. apt checks signature and checksums.
say "downloading Debian's rust-src $version: the standard library's sources of this very compiler"
keyring=$(compgen -G '/usr/share/keyrings/debian-archive-keyring.[gp][gp][gp]' | head -n 1) || true
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1) || true
[ -n "$keyring" ] && [ -n "$mirror" ] || die "apt has no Debian mirror, or Debian's archive keys are missing; $by_hand"
echo "deb [signed-by=$keyring] $mirror trixie-backports main" >"$work/sources.list"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
apt=(apt-get -q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
(cd -- "$work" && "${apt[@]}" update && "${apt[@]}" download "rust-src=$version*") ||
    die "Debian's rust-src $version could not be downloaded, for apt's reason above; $by_hand"
dpkg-deb -x "$work"/rust-src_*.deb "$work/src" || die "Debian's rust-src could not be unpacked; see dpkg-deb's reason above"
library=("$work"/src/usr/src/rustc-"$version"/library)
[ -f "${library[0]}/sysroot/Cargo.toml" ] || die "Debian's rust-src $version holds no standard library; $by_hand"

say "compiling the standard library for wasm32-unknown-unknown (a few minutes, once)"
cd -- "${library[0]}" || exit 1
export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target"
# The flags rustup's own build of this target has: without them it is no usable sysroot.
RUSTFLAGS="-Cembed-bitcode=yes -Zforce-unstable-if-unmarked" run_child \
    cargo build --release --target wasm32-unknown-unknown -p sysroot --features "panic-unwind compiler-builtins-mem" ||
    die "the standard library did not compile, for the reason above; $by_hand"

# libstd last: its presence is what says that the target is complete.
built="$work/target/wasm32-unknown-unknown/release/deps"
compgen -G "$built/libstd-*.rlib" >/dev/null || die "the build left no libstd in its folder; $by_hand"
mkdir -p -- "$lib"
find "$built" -name '*.rlib' ! -name 'libstd-*' -exec cp -t "$lib" -- {} +
cp -t "$lib" -- "$built"/libstd-*.rlib
