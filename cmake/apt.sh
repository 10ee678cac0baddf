# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by tests/run and bench/run: what they need from Debian 12, and how it gets there.

# The compilers, the build, and what each part of the project links against.
# shellcheck disable=SC2034
build_packages=(
    gcc g++ clang libclang-rt-14-dev libc6-dev binutils
    cmake ninja-build pkgconf python3 util-linux
    libsmartcols-dev                      # the command
    libjansson-dev libck-dev libboost-dev # the benchmark and its peers
    libconcurrentqueue-dev liburcu-dev
    python3-jsonschema gnuplot-nox        # what the benchmark writes, and its page
    libcriterion-dev                      # the unit tests
    spin strace                           # a model; tests of failing calls
    clang-tidy cppcheck gcovr             # tests/analyse, tests/coverage
    gcc-12-multilib libc6-dev-i386        # tests/ports
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user musl-tools
)

# The peers of the benchmark that are large, or bring a daemon.
# shellcheck disable=SC2034
peer_packages=(
    libdpdk-dev libreaderwriterqueue-dev libqb-dev libzmq3-dev libnng-dev
    libiceoryx-posh-dev iceoryx
)

# need_packages PACKAGE...: installs those that are missing, as root or through sudo.
# Returns 1, and says what to do, where it cannot.
need_packages() {
    local package missing=() sudo=()

    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is no Debian system; assuming that these, or their like, are there: $*" >&2
        return 0
    fi
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Missing packages: ${missing[*]}" >&2
            echo "As root: apt-get install --no-install-recommends ${missing[*]}" >&2
            return 1
        fi
        sudo=(sudo)
    fi
    echo "Installing missing packages: ${missing[*]}"
    "${sudo[@]}" apt-get -qq update || return 1
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null || {
        echo "apt-get could not install: ${missing[*]}" >&2
        return 1
    }
}
