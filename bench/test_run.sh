#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Claims: bench/run is quick unless told --full; --full asks for all cases and ten launches or more,
# and keeps the results; --peers installs the peers; arguments come last, so that they win.
# usage: test_run.sh SOURCE_DIRECTORY
# Runs a copy among programs that do nothing but note how they were called.
# shellcheck disable=SC2016 # what stubs do is expanded when they run
set -uo pipefail
source=$1
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
failures=0
mkdir -p "$directory"/{bin,root/bench,root/cmake,root/build/release}
cp "$source/bench/run" "$directory/root/bench/"
cp "$source/cmake/apt.sh" "$directory/root/cmake/"
export NOTES=$directory

stub() {
    printf '#!/bin/sh\n%s\n' "$2" >"$directory/$1" && chmod +x "$directory/$1"
}
stub bin/cmake 'exit 0'
stub bin/dpkg-query 'echo "$4" >>"$NOTES/packages"; echo installed'
stub bin/apt-get 'exit 1'
stub bin/tar 'echo a file'
stub root/build/release/shmring '
case $1 in
send) cp "$5" "$NOTES/part" && mv "$NOTES/part" "$NOTES/sent" ;;
recv) until [ -e "$NOTES/sent" ]; do sleep 0.05; done; cat "$NOTES/sent" ;;
rm) rm -f "$NOTES/sent" ;;
esac'
stub root/build/release/shmring-bench 'pwd >"$NOTES/where"; echo "$@" >"$NOTES/how"; exit 7'

# run STATUS ARGUMENT...: from another directory.
run() {
    local want=$1 got
    shift
    : >"$directory/packages" && rm -f "$directory/how"
    (cd "$directory/bin" && PATH=$directory/bin:$PATH "$directory/root/bench/run" "$@") \
        >"$directory/out" 2>&1
    got=$?
    how=$(cat "$directory/how" 2>/dev/null)
    [ "$got" -eq "$want" ] || fail "$*: exit status $got, not $want: $(cat "$directory/out")"
}
fail() {
    echo "$*"
    failures=$((failures + 1))
}

run 7 --repeat 3
[ "$how" = "--quick --repeat 3" ] || fail "by default: $how"
[ "$(cat "$directory/where")" = "$directory/bin" ] || fail "not where the caller is"
grep -qx libck-dev "$directory/packages" || fail "does not look for libck-dev"
! grep -qx libdpdk-dev "$directory/packages" || fail "installs peers unasked"

run 7 --full --peers --only 'a*' --json mine.json
kept=$directory/root/bench/results/local
grep -qx libdpdk-dev "$directory/packages" || fail "--peers does not install DPDK"
[[ $how != *--quick* ]] || fail "--full is quick: $how"
repeat=${how#*--repeat } && repeat=${repeat%% *}
[[ $repeat =~ ^[0-9]+$ && $repeat -ge 10 ]] || fail "few launches: $how"
[[ $how == *"--json $kept/"*.json\ * ]] || fail "--full keeps no results: $how"
[ -d "$kept" ] || fail "--full has no place for results"
[[ $how == *" --only a* --json mine.json" ]] || fail "arguments do not come last: $how"

run 0 --help
grep -q -- '--full .*all cases' "$directory/out" || fail "--help lacks --full"
[ -z "$how" ] || fail "--help measures"
[ "$failures" -eq 0 ]
