#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What users get: installs BUILD_DIR into a directory of its own and builds consumers against it.
# Usage: run.sh SOURCE_DIR BUILD_DIR; $CC and $CMAKE_GENERATOR are used for the consumers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$1
build_dir=$2
cc=${CC:-cc}
export CC=$cc
warnings=(-Wall -Wextra -Wpedantic -Werror)
work=$(mktemp -d "${TMPDIR:-/tmp}/shmring-install.XXXXXX")
trap 'rm -rf "$work"' EXIT

step() { printf '%s\n' "-- $*"; }
die() {
    printf 'install test: %s\n' "$*" >&2
    exit 1
}
quietly() {
    "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "failed: $*"
    }
}
compilers() { # of the names given, those that are here
    local name
    for name in "$@"; do
        if command -v "$name" >/dev/null; then echo "$name"; fi
    done
}

step "install, then move the tree: it must not know where it was"
quietly cmake --install "$build_dir" --prefix "$work/first"
mv "$work/first" "$work/usr"
usr=$work/usr
pc=$(find "$usr" -name shmring.pc)
[ -n "$pc" ] || die "no shmring.pc was installed"
export PKG_CONFIG_PATH=${pc%/*}
libdir=$(pkg-config --variable=libdir shmring)
export LD_LIBRARY_PATH=$libdir
[ -e "$libdir/libshmring.so.0" ] || die "no libshmring.so.0 in $libdir"
if grep -rIl -e "$source_dir" -e "$build_dir" "$usr"; then
    die "installed text files name the source or build directory"
fi

step "the shared library exports shmring_* and nothing else"
symbols=$(nm -D --defined-only "$libdir/libshmring.so" | awk '{ sub(/@.*/, "", $3); print $3 }')
grep -qx shmring_version <<<"$symbols" || die "shmring_version is not exported"
foreign=$(grep -vxE 'shmring_[a-z0-9_]+|SHMRING_[0-9.]+' <<<"$symbols" || true)
[ -z "$foreign" ] || die "foreign symbols: $foreign"

hub_pc=$(find "$usr" -name shmring-hub.pc)
if [ -e "$build_dir/libshmring-hub.so" ]; then
    step "the shared library of the hub exports shmring_hub_* and nothing else"
    [ -n "$hub_pc" ] || die "the hub was built, but its .pc file not installed"
    symbols=$(nm -D --defined-only "$libdir/libshmring-hub.so" |
        awk '{ sub(/@.*/, "", $3); print $3 }')
    grep -qx shmring_hub_open <<<"$symbols" || die "shmring_hub_open is not exported"
    foreign=$(grep -vxE 'shmring_hub_[a-z0-9_]+|SHMRING_HUB_[0-9.]+' <<<"$symbols" || true)
    [ -z "$foreign" ] || die "foreign symbols: $foreign"
fi

step "the command runs"
if [ -e "$build_dir/shmring" ]; then
    [ -x "$usr/bin/shmring" ] || die "the command was built, but not installed"
    quietly "$usr/bin/shmring" --version
fi

step "each public header alone, as C11 and as C++17"
read -ra cflags <<<"$(pkg-config --cflags shmring)"
for path in "$usr"/include/shmring/*.h; do
    header=shmring/${path##*/}
    for compiler in $(compilers gcc clang); do
        quietly "$compiler" -std=c11 "${warnings[@]}" "${cflags[@]}" -fsyntax-only -x c - \
            <<<"#include <$header>"$'\n'"extern int no_empty_unit;"
    done
    for compiler in $(compilers g++ clang++); do
        quietly "$compiler" -std=c++17 "${warnings[@]}" "${cflags[@]}" -fsyntax-only -x c++ - \
            <<<"#include <$header>"$'\n'"extern int no_empty_unit;"
    done
done
for path in "$source_dir"/include/shmring/*.h; do
    [ "${path##*/}" != hub.h ] || [ -n "$hub_pc" ] || continue
    [ -e "$usr/include/shmring/${path##*/}" ] || die "${path##*/} was not installed"
done

step "pkg-config, C and C++"
read -ra libs <<<"$(pkg-config --libs shmring)"
quietly "$cc" -std=c11 "${warnings[@]}" "${cflags[@]}" "$here/consumer.c" -o "$work/c" "${libs[@]}"
quietly "$work/c"
for compiler in $(compilers g++ clang++); do
    for level in -O0 -O2; do
        quietly "$compiler" -std=c++17 "$level" "${warnings[@]}" "${cflags[@]}" \
            "$here/consumer.cpp" -o "$work/cpp" "${libs[@]}"
        quietly "$work/cpp"
    done
done

kinds=(shmring shared static)
if [ -n "$hub_pc" ]; then
    step "pkg-config, the hub"
    read -ra libs <<<"$(pkg-config --libs shmring-hub)"
    quietly "$cc" -std=gnu11 "${warnings[@]}" "${cflags[@]}" "$here/hub.c" -o "$work/h" \
        "${libs[@]}"
    quietly "$work/h"
    kinds+=(hub hub_shared hub_static)
fi

step "find_package"
quietly cmake -S "$here/find_package" -B "$work/found" -DCMAKE_PREFIX_PATH="$usr"
quietly cmake --build "$work/found"
for kind in "${kinds[@]}"; do
    quietly "$work/found/consumer_$kind"
done

step "add_subdirectory"
quietly cmake -S "$here/add_subdirectory" -B "$work/sub" -DSHMRING_SOURCE_DIR="$source_dir" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_INSTALL_PREFIX="$work/sub-installed"
quietly cmake --build "$work/sub"
quietly "$work/sub/consumer"
[ -z "$hub_pc" ] || quietly "$work/sub/consumer_hub"
if grep 'install/consumer\.c' "$work/sub/compile_commands.json" | grep -e ' -W' -e ' -O'; then
    die "flags of shmring reached its parent"
fi
[ -z "$(find "$work/sub" -name 'libshmring.so*')" ] || die "built a library that nobody asked for"
quietly cmake --install "$work/sub"
[ ! -e "$work/sub-installed" ] || die "shmring brought install rules into its parent"

echo "install: ok"
