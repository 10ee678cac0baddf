#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs wake_light.pml and its mutants through Spin: wake_light.py

Prints a line per run. Exits 1 if the model fails, or a mutant does not; 77 if there is no Spin.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().with_suffix(".pml")
CC = os.environ.get("CC", "cc")
LIMIT = 120  # seconds of a run

TWO = "MANY SLEEPERS=2"
ALL = "MANY PUBLISHERS=2 SLEEPERS=2"

# No lost wake.
RIGHT = ["", "MESSAGES=3", "SYMMETRIC", "EVENTFD", "KILL_PUBLISHER", TWO, f"{TWO} SYMMETRIC",
         f"{TWO} EVENTFD", "MANY PUBLISHERS=2", ALL, f"{TWO} KILL_SLEEPER",
         f"{ALL} KILL_PUBLISHER"]

# A lost wake in each. (One to one, a ticket that is read or a bell that is cleared after arming,
# but before the look, does no harm: a ring is for a position, which the look finds. And of many,
# who arms swaps, which is a fence on these processors.)
MUTANTS = ["NO_FENCE", "WAKER_FENCE_ONLY", "SLEEPER_FENCE_ONLY", "LOOK_BEFORE_ARMING",
           "TICKET_AFTER_LOOK", "EVENTFD CLEAR_AFTER_LOOK", "KILL_PUBLISHER NO_CAP",
           f"{TWO} NO_FENCE", f"{TWO} SLEEPER_FENCE_ONLY", f"{TWO} LOOK_BEFORE_ARMING",
           f"{TWO} TICKET_AFTER_ARMING", f"{TWO} TICKET_AFTER_LOOK",
           "MANY EVENTFD CLEAR_AFTER_ARMING", f"{TWO} NO_BATON", f"{TWO} LOOK_UNARMED",
           f"{TWO} KILL_SLEEPER NO_CAP", f"{ALL} KILL_PUBLISHER NO_CAP"]


def run(command, folder):
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT,
                            errors="replace", check=False)
    return result.returncode, result.stdout + result.stderr


def verify(flags):
    """How many states, and what is wrong with one of them, or None."""
    with tempfile.TemporaryDirectory() as folder:
        defines = [f"-D{flag}" for flag in flags.split()]
        status, output = run(["spin", "-a", *defines, str(MODEL)], folder)
        if status == 0:
            status, output = run([CC, "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], folder)
        if status != 0:
            sys.exit(f"wake_light.py: {flags}: {output[-500:]}")
        _, output = run(["./pan", "-m1000000"], folder)
    states = re.search(r"(\d+) states, stored", output)
    errors = re.search(r"errors: (\d+)", output)
    if not states or not errors or "max search depth too small" in output:
        sys.exit(f"wake_light.py: {flags}: {output[-500:]}")
    wrong = re.search(r"pan:1: (.*?) \(at depth", output)
    if (errors[1] == "0") != (wrong is None):
        sys.exit(f"wake_light.py: {flags}: {output[-500:]}")
    return int(states[1]), wrong[1] if wrong else None


def main():
    failed = 0
    if not shutil.which("spin"):
        print("skipped: spin not found")
        return 77
    for flags in RIGHT + MUTANTS:
        states, wrong = verify(flags)
        is_good = (wrong is None) == (flags in RIGHT)
        failed += not is_good
        print(f"{flags or 'one to one':40} {states:8} states: {wrong or 'no lost wake'}"
              f"{'' if is_good else ': FAILED'}", flush=True)
    print(f"{len(RIGHT)} models, {len(MUTANTS)} mutants, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
