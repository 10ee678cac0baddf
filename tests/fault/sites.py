#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every place of the library that calls what can fail was made to fail: sites.py PROGRAM LIBRARY

PROGRAM is fault_calls, LIBRARY libshmring.a, both built without optimization: so each call in the
text is one in the program. Prints the counts, and the places that are left.
"""
import re
import subprocess
import sys

# Function, what it calls, and why no scenario comes there.
CANNOT_FAIL, CHILD = "cannot fail there", "only in a forked child, to close its copies"
KNOWN = {
    ("link_judge", "getsockopt"): CANNOT_FAIL,
    ("prepare", "fcntl"): CANNOT_FAIL,
    ("shmring_member_join", "fcntl"): CANNOT_FAIL,
    ("eventfd_open", "fcntl"): CANNOT_FAIL,
    ("eventfd_ring", "fcntl"): CANNOT_FAIL,
    ("named_create", "sem_close"): CANNOT_FAIL,
    ("named_open", "sem_close"): CANNOT_FAIL,
    ("named_close", "sem_close"): CANNOT_FAIL,
    ("shmring_link_close", "close"): CHILD,
    ("shmring_member_resign", "close"): CHILD,
    ("make_directory", "mkdir"): "it would make /run/shmring",
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def places(program, own):
    """Return address -> (function, call), of the calls of wrappers by the library."""
    found, function, pending = {}, "", None
    for line in output("objdump", "-d", "--no-show-raw-insn", program).splitlines():
        head = re.match(r"[0-9a-f]+ <(\w+)>:", line)
        if head:
            function = head[1]
        address = re.match(r" +([0-9a-f]+):", line)
        if address and pending:
            found[int(address[1], 16)] = pending
            pending = None
        call = re.search(r"\b(?:callq?|bl) +(?:0x)?[0-9a-f]+ <__wrap_(\w+)>", line)
        if call and function in own:
            pending = (function, call[1])
    return found


def main():
    program, library = sys.argv[1:]
    own = set(re.findall(r" [Tt] (\w+)$", output("nm", library), re.M))
    known, hit, pairs = places(program, own), set(), set()
    groups = subprocess.run([program], capture_output=True, text=True, check=False).stdout.split()
    for group in groups:
        text = output(program, group, "--sites")
        print(text.splitlines()[0])
        for site, name, error in re.findall(r"^site (\w+) (\w+) (-?\d+)$", text, re.M):
            hit.add(int(site, 16))
            pairs.add((site, name, error))
    left = [known[address] for address in sorted(set(known) - hit)]
    for function, call in left:
        print(f"not made to fail: {call} in {function}:", KNOWN.get((function, call), "why?"))
    print(f"{len(hit & set(known))} of {len(known)} places, places x errno = {len(pairs)}")
    return any(place not in KNOWN for place in left)


if __name__ == "__main__":
    sys.exit(main())
