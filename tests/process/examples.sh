#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Claim: the two programs of the README work as they stand there, in either order of starting.
# The others, which wait for several things at once, get them all.
# usage: examples.sh README EXAMPLES_DIRECTORY DIRECTORY_OF_PROGRAMS [SHMRING]
set -euo pipefail
readme=$1 sources=$2 programs=$3 command=${4:-}
producer=$programs/example_producer consumer=$programs/example_consumer
want=$'hello 1\nhello 2\nhello 3'

# They use a name of their own in /dev/shm; whoever has it is not ours to disturb.
for name in greetings jobs; do
    [ ! -e "/dev/shm/$name" ] || { echo "skipped: /dev/shm/$name exists"; exit 77; }
done
trap 'rm -f /dev/shm/greetings /dev/shm/jobs' EXIT

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

got=$(timeout 20 "$programs/example_epoll" | sort)
want=$'number 1\nnumber 2\nnumber 3\npipe: the child has sent 3 numbers'
[ "$got" = "$want" ] || { echo "epoll: got '$got'"; exit 1; }
got=$(timeout 20 "$programs/example_poll" | sort -n | tr '\n' ' ')
[ "$got" = "11 12 13 21 22 23 " ] || { echo "poll: got '$got'"; exit 1; }

got=$(timeout 20 "$programs/example_parent_child")
[ "$got" = "5 bytes" ] || { echo "parent_child: got '$got'"; exit 1; }

# Each job goes to one of the workers, which SIGTERM ends in good order. (In the foreground timeout
# passes it on once. LeakSanitizer, which looks after main(), can hang if a second one comes then.)
directory=$(mktemp -d)
touch "$directory/ready"
trap 'rm -rf "$directory"; rm -f /dev/shm/greetings /dev/shm/jobs' EXIT
workers=()
for _ in 1 2 3; do
    timeout --foreground -k 5 20 "$programs/example_worker" \
        >>"$directory/jobs" 2>>"$directory/ready" &
    workers+=($!)
done
for _ in $(seq 100); do [ "$(wc -l <"$directory/ready")" -eq 3 ] && break || sleep 0.1; done
"$programs/example_jobs"
for _ in $(seq 100); do [ "$(wc -l <"$directory/jobs")" -eq 10 ] && break || sleep 0.1; done
kill "${workers[@]}"
for worker in "${workers[@]}"; do
    wait "$worker" || { echo "a worker: exit $?"; cat "$directory/ready"; exit 1; }
done
got=$(sort -k 2n "$directory/jobs" | tr '\n' ' ')
want=$(printf 'job %s ' $(seq 10))
[ "$got" = "$want" ] || { echo "jobs: got '$got'"; exit 1; }

# Two that share nothing but a socket: in namespaces of their own, where that is permitted.
apart=()
if unshare --fork --pid --ipc true 2>/dev/null; then apart=(unshare --fork --pid --ipc); fi
timeout 20 "${apart[@]}" "$programs/example_link_server" "$directory/socket" >"$directory/out" &
for _ in $(seq 100); do [ -S "$directory/socket" ] && break || sleep 0.1; done
timeout 20 "${apart[@]}" "$programs/example_link_client" "$directory/socket"
wait $!
got=$(cat "$directory/out")
[ "$got" = "hello, says uid $(id -u)" ] || { echo "link: got '$got'"; exit 1; }

if [ -z "$command" ]; then
    echo "not tried: namespaces.sh: the command is not built"
elif ! unshare --user --map-root-user --fork --pid --mount --ipc --net \
    mount -t tmpfs none /dev/shm 2>/dev/null; then
    echo "not tried: namespaces.sh: no permission for namespaces"
else
    got=$(timeout 20 "$sources/namespaces.sh" "$command")
    [ "$got" = "hello from elsewhere" ] || { echo "namespaces: got '$got'"; exit 1; }
fi

# The hub, where liburcu is: it ends when its only client has left.
[ -x "$programs/example_hub" ] || exit 0
timeout 20 "$programs/example_hub" "$directory/hub" >"$directory/out" &
for _ in $(seq 100); do [ -S "$directory/hub" ] && break || sleep 0.1; done
timeout 20 "$programs/example_link_client" "$directory/hub"
wait $!
got=$(cat "$directory/out")
[ "$got" = "clients: 1" ] || { echo "hub: got '$got'"; exit 1; }
