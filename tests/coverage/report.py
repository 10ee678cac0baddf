#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which lines and branches of src/ and include/ the tests have run: report.py BUILD

BUILD is a build directory of the preset coverage, after its tests. Prints a row for each file, with
the lines that were not run; exits 1 if all files together are below the goals.
"""
import json
import pathlib
import subprocess
import sys

LINES, BRANCHES = 95, 85  # percent
# Where gcc has put counters of the library, the hub and the command, not of tests.
OBJECTS = ("src", "fuzz", "tests/CMakeFiles/shmring_uncapped.dir")


def gcovr(build):
    root = pathlib.Path(__file__).resolve().parents[2]
    command = ["gcovr", "--json", "--root", root, "--filter", f"{root}/src/",
               "--filter", f"{root}/include/", "--object-directory", build]
    command += [build / part for part in OBJECTS]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout)["files"]


def ranges(numbers):
    """1-3,7 for 1 2 3 7."""
    found = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def row(name, lines, branches, left=""):
    figures = [f"{100 * sum(c) / len(c):6.1f}% of {len(c):4}" if c else " " * 15
               for c in (lines, branches)]
    print(f"{name:30} {figures[0]} lines {figures[1]} branches  {left}".rstrip())


def main():
    files = gcovr(pathlib.Path(sys.argv[1]).resolve())
    lines, branches = [], []
    for file in sorted(files, key=lambda f: f["file"]):
        ours = [line for line in file["lines"] if not line["gcovr/noncode"]]
        run = [line["count"] > 0 for line in ours]
        taken = [branch["count"] > 0 for line in ours for branch in line["branches"]]
        row(file["file"], run, taken,
            ranges([line["line_number"] for line in ours if line["count"] == 0]))
        lines += run
        branches += taken
    row("all", lines, branches)
    good = lines and 100 * sum(lines) >= LINES * len(lines) and \
        100 * sum(branches) >= BRANCHES * len(branches)
    if not good:
        print(f"The goal is {LINES}% of lines and {BRANCHES}% of branches.")
    return not good


if __name__ == "__main__":
    sys.exit(main())
