#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Independent of fault_calls: strace makes each system call fail. traced.py PROGRAM

PROGRAM (traced.c) marks with getppid() from where to where. Exit status 77: no strace, no ptrace.
"""
import collections
import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What each call may fail with. The others are not the library's, or cannot fail.
ERRORS = {
    "openat": ["EMFILE", "ENOMEM"], "memfd_create": ["EMFILE"], "fchmod": ["EPERM"],
    "ftruncate": ["EFBIG"], "mmap": ["ENOMEM"], "fallocate": ["ENOSPC", "EINTR"],
    "madvise": ["EFAULT", "EINTR"], "linkat": ["ENOSPC"], "fcntl": ["EINVAL"],
    "newfstatat": ["ENOMEM"], "fstat": ["ENOMEM"], "pread64": ["EIO"], "membarrier": ["EPERM"],
    "futex": ["ENOSYS"], "semget": ["ENOSPC"], "semctl": ["EACCES"], "semtimedop": ["EPERM"],
    "chmod": ["EPERM"], "chown": ["EPERM"], "fchmodat": ["EPERM"], "faccessat2": ["EACCES"],
    "link": ["ENOSPC"],
}
# Backend, queue, and what does not fail there: named semaphores stay if sem_open() cannot look at
# what it has made, and if unlink cannot read the ring that they belong to.
RINGS = ((0, 0, ()), (3, 1, ("newfstatat", "fstat", "pread64", "madvise")), (4, 0, ()))


@functools.cache
def own_namespace():
    """A System V set whose removal was made to fail outlives its program, but not this."""
    command = ["unshare", "--ipc"]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def strace(arguments, program, log=None):
    command = [*own_namespace(), "strace", "-f", "-o", log or "/dev/null", *arguments, *program]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def calls_of(program, folder):
    """(call, n): the n-th of that name, between the marks."""
    log = pathlib.Path(folder, "log")
    result = strace([], program, str(log))
    if result.returncode != 0:
        return None, result.stderr or result.stdout
    seen, between, found = collections.Counter(), False, []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        name = re.match(r"\d+ +(\w+)\(", line)
        if not name:
            continue
        seen[name[1]] += 1
        if name[1] == "getppid":
            between = not between
        elif between and name[1] in ERRORS:
            found.append((name[1], seen[name[1]]))
    return found, ""


def main():
    if shutil.which("strace") is None:
        print("skipped: no strace")
        return 77
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for *ring, left_out in RINGS:
            program = [sys.argv[1], *map(str, ring)]
            calls, why = calls_of(program, folder)
            if calls is None:
                print("skipped: strace cannot trace here:", why.strip()[-200:])
                return 77
            for name, n in calls:
                for error in ERRORS[name] if name not in left_out else []:
                    result = strace(["-e", f"inject={name}:error={error}:when={n}"], program)
                    count += 1
                    if result.returncode != 0:
                        print(ring, name, n, error, result.returncode, result.stdout, result.stderr)
                        failed = 1
    print(f"{count} runs, each with a system call that failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
