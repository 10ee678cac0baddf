#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two programs that share nothing but a socket, as in two containers: each in user, pid, mount, ipc
# and network namespaces of its own, with an empty /dev/shm. What the one reads the other writes.
# usage: namespaces.sh [SHMRING]     the command; by default the one in PATH
set -euo pipefail
shmring=${1:-shmring}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

apart() {
    unshare --user --map-root-user --fork --kill-child --pid --mount --ipc --net \
        sh -c 'mount -t tmpfs none /dev/shm && exec "$@"' sh "$@"
}

# Seen from one user namespace, the users of another have no name: all of them are 65534. So the
# socket decides who may come, by where it lies: mktemp has made that directory for us only.
apart "$shmring" serve --once --allow-uid 65534 "$directory/socket" &
echo "hello from elsewhere" | apart "$shmring" send --link --allow-uid 65534 "$directory/socket"
wait $!
