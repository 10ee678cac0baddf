#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Inputs as text: one a line, in hexadecimal, as common/replay.c reads them.

  seeds.py expand LIST... DIRECTORY    writes each input of the lists to a file, for fuzzers
  seeds.py collect DIRECTORY           prints the files of a directory as a list, the short first
"""
import hashlib
import pathlib
import sys


def expand(lists, directory):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for path in lists:
        for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                data = bytes.fromhex(line)
                (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)


def collect(directory):
    inputs = {p.read_bytes() for p in pathlib.Path(directory).iterdir() if p.is_file()}
    for data in sorted(inputs, key=lambda d: (len(d), d)):
        if data:
            print(data.hex())


def main(arguments):
    if len(arguments) >= 3 and arguments[0] == "expand":
        expand(arguments[1:-1], arguments[-1])
    elif len(arguments) == 2 and arguments[0] == "collect":
        collect(arguments[1])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
