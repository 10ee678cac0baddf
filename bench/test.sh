#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh PROGRAM CHECKER: does shmring-bench measure, list, and refuse? The figures do not matter.
set -uo pipefail
program=$1 checker=$2
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
failures=0

# expect STATUS WHAT COMMAND...: output goes to files in the directory.
expect() {
    local want=$1 what=$2 got
    shift 2
    "$@" >"$directory/out" 2>"$directory/err"
    got=$?
    [ "$got" -eq "$want" ] && return
    echo "$what: exit status $got, not $want"
    cat "$directory/out" "$directory/err"
    failures=$((failures + 1))
}

# A little of each kind: rings, batches, kernel transports, all policies, all floors.
cases='ring_spsc/[ps]*/64B/*,ring_array/stream/8B/spin/b32,pipe/pingpong/64B/block'
cases+=',posix_mq/stream/64B/block,fifo/stream/65536B/spin,floor/*'
cases+=',ring_spsc_w*/[ps]*/64B/*,ring_array/pingpong/8B/adaptive,channel*/pingpong/64B/*'
cases+=',link/[ps]*/64B/*,channel/stream/64B/*,queue*/[ps]*/64B/*,pipe/stream/64B/adaptive'
cases+=',unix_*/[ps]*/64B/*'
cases+=',unix_stream/stream/65536B/block,posix_mq/pingpong/64B/adaptive,sysv_msg/[ps]*/64B/*'
cases+=',ring_mpmc/[mps]*/64B/*,vyukov/mpmc-4p4c/8B/*,*/solo/8B/*,*/mpmc-1p1c/64B/spin'
cases+=',pipe/open-10000/64B/*,ring_spsc/burst-16x*/64B/*,*/fan-*-2/64B/block'
cases+=',ring_*/fan-*-2/64B/spin,pipe/fan-*-8/1024B/adaptive'
expect 0 "measuring" "$program" --only "$cases" --seconds 0.02 --repeat 1 \
    --json "$directory/results.json"
grep -q '^Stream, spin: ' "$directory/out" || { echo "no table" && failures=1; }
grep -q '^Ping-pong, adaptive, cost: ' "$directory/out" || { echo "no costs" && failures=1; }
grep -q '^Many to many (mpmc): ' "$directory/out" || { echo "no table of mpmc" && failures=1; }
grep -q '^Fan-in, block: .* fairness to producers' "$directory/out" ||
    { echo "no table of fan-in" && failures=1; }
grep -q '^Fan-out, spin: .* fairness to consumers' "$directory/out" ||
    { echo "no table of fan-out" && failures=1; }
grep -q '^One thread sends' "$directory/out" || { echo "no table of solo" && failures=1; }
awk 'length > 100 { exit 1 }' "$directory/out" || { echo "table too wide" && failures=1; }
expect 0 "JSON" python3 "$checker" "$directory/results.json"
expect 0 "JSON on stdout" bash -c \
    "'$program' --only 'ring_spsc/stream/8B/*' --seconds 0.01 --repeat 2 --json - >'$directory/2'"
expect 0 "JSON on stdout" python3 "$checker" "$directory/2"

expect 0 "--list" "$program" --list
for id in ring_spsc/stream/64B/spin ring_spsc/stream/64B/spin/b16 ring_array/stream/8B/spin/b32 \
    pipe/pingpong/65536B/block channel/stream/65536B/adaptive channel_sysv/pingpong/64B/block \
    link/stream/64B/adaptive link/pingpong/64B/block \
    queue/stream/8B/spin ring_spsc_wsym/stream/64B/spin sysv_msg/pingpong/64B/block \
    ring_mpmc/mpmc-8p8c/8B/spin ring_mpmc/solo/64B/spin \
    ring_mpmc/mpmc-2p2c/64B/spin/processes vyukov/mpmc-1p1c/64B/spin/processes \
    ring_mpmc/stream/65536B/spin ring_spsc/fan-in-8/64B/spin pipe/fan-in-4/1024B/adaptive \
    channel/fan-out-2/64B/block unix_dgram/open-10000/64B/block tcp/burst-256x1000us/64B/spin \
    floor/line_stream/4MiB floor/pingpong/2lines floor/pingpong/futex \
    floor/pingpong/eventfd floor/memcpy/64KiB; do
    expect 0 "--list has $id" "$program" --list --only "$id"
    [ "$(cat "$directory/out")" = "$id" ] || { echo "--list $id" && failures=$((failures + 1)); }
done

for id in ring_spsc/fan-in-2/64B/block channel/fan-in-2/64B/spin pipe/fan-in-1/64B/block; do
    expect 2 "nobody can $id" "$program" --list --only "$id"
done
expect 0 "as many loads as can be" "$program" --list --rate 1,2,3,4,5,6,7,8 \
    --burst 1,1,2,1,3,1,4,1,5,1,6,1,7,1,8,1

expect 0 "one processor" "$program" --same-core --seconds 0.02 --repeat 2 \
    --only 'pipe/[ps]*/64B/*,channel/pingpong/64B/*,*/fan-*-2/64B/*,ring_spsc/open-10000/64B/*' \
    --json "$directory/5"
grep -q '^class same-core' "$directory/out" || { echo "no table of same-core" && failures=1; }
expect 0 "JSON of one processor" python3 "$checker" "$directory/5"
grep -q '"class": "same-core"' "$directory/5" || { echo "JSON lacks same-core" && failures=1; }
if grep -Eq '"class": "(smt|l3|cross-l3|mixed)"|"policy": "(spin|adaptive)"' "$directory/5"; then
    echo "one processor has other classes, or spins" && failures=1
fi
expect 2 "nothing but spinning on one processor" "$program" --same-core --only 'pipe/*/64B/spin'

expect 0 "--help" "$program" --help
expect 2 "an unknown option" "$program" --nonsense
expect 2 "an argument" "$program" nonsense
expect 2 "a pattern without a case" "$program" --only 'ring_spsc/*,nonsense*'
expect 2 "an empty pattern" "$program" --only 'ring_spsc/*,'
for value in '' 0 -1 x 1x nan inf 61 1e99; do
    expect 2 "--seconds '$value'" "$program" --seconds "$value" --list
done
for value in '' 0 -1 +1 ' 1' x 1x 1.5 1001 99999999999999999999; do
    expect 2 "--repeat '$value'" "$program" --repeat "$value" --list
done
for value in '' 90 '90,' ',180' 180,90 90,90 0,180 90,180x; do
    expect 2 "--class-limits '$value'" "$program" --class-limits "$value" --list
done
expect 1 "JSON to nowhere" "$program" --only floor/memcpy/64B --seconds 0.01 --repeat 1 \
    --json "$directory/none/results.json"
expect 130 "an interrupt" timeout --preserve-status -s INT 0.5 \
    "$program" --only 'pipe/stream/64B/*' --seconds 5 --json "$directory/3"
expect 130 "an interrupt after some samples" timeout --preserve-status -s INT 3 \
    "$program" --only floor/memcpy/64B --seconds 0.01 --repeat 1000 --json "$directory/4"
grep -q '^floor/memcpy/64B .*(n=' "$directory/out" ||
    { echo "an interrupt loses what was measured" && failures=$((failures + 1)); }
grep -q 'interrupted: ' "$directory/out" || { echo "no word of the interrupt" && failures=1; }
grep -q '"interrupted": true' "$directory/4" || { echo "JSON lacks interrupted" && failures=1; }
expect 0 "JSON of an interrupted run" python3 "$checker" "$directory/4"
expect 0 "on a terminal" script -qec \
    "'$program' --only floor/memcpy/64B --seconds 0.01 --repeat 7" /dev/null
grep -q '7 of 7  floor/memcpy/64B  [0-9]* s left' "$directory/out" ||
    { echo "no progress" && failures=$((failures + 1)); }
[ "$failures" -eq 0 ]
