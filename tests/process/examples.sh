#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Claim: the two programs of the README work as they stand there, in either order of starting.
# usage: examples.sh README PRODUCER CONSUMER EXAMPLES_DIRECTORY
set -euo pipefail
readme=$1 producer=$2 consumer=$3 sources=$4
want=$'hello 1\nhello 2\nhello 3'

# They use a name of their own in /dev/shm; whoever has it is not ours to disturb.
[ ! -e /dev/shm/greetings ] || { echo "skipped: /dev/shm/greetings exists"; exit 77; }
trap 'rm -f /dev/shm/greetings' EXIT

"$producer"
got=$(timeout 20 "$consumer")
[ "$got" = "$want" ] || { echo "producer first: got '$got'"; exit 1; }
rm -f /dev/shm/greetings
timeout 20 "$consumer" >"${TMPDIR:-/tmp}/shmring-example-$$" &
sleep 0.2
"$producer"
wait $!
got=$(cat "${TMPDIR:-/tmp}/shmring-example-$$")
rm -f "${TMPDIR:-/tmp}/shmring-example-$$"
[ "$got" = "$want" ] || { echo "consumer first: got '$got'"; exit 1; }

# What the README shows is what was compiled.
for name in producer consumer; do
    body=$(tail -n +2 "$sources/$name.c")
    if [[ "$(cat "$readme")" != *"$body"* ]]; then
        echo "README.md does not show examples/$name.c"
        exit 1
    fi
done
