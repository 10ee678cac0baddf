#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks links on purpose, one way at a time, and sees that a test notices.

  link_mutants.py             all of link_list.py
  link_mutants.py NAME...     only these mutants, or those of these tests
  --sample N                  only every N-th
  --root DIRECTORY            of the tree, instead of that of this file

The tests are programs of tests/process. Prints what each mutant made of its test. Exits 1 if one
was not noticed, but for those that link_list.py says to make no difference, and why.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))
sys.dont_write_bytecode = True

from link_list import MUTANTS  # noqa: E402  pylint: disable=wrong-import-position
import mutants as models  # noqa: E402  pylint: disable=wrong-import-position

CC = os.environ.get("CC", "cc")
LIMIT = 60  # seconds of a test: a hang is noticed, too


def build(tree, test):
    library = sorted(str(path) for path in (tree / "src").glob("*.c"))
    models.build([CC, "-std=c11", "-O1", "-w", "-Iinclude", "-Itests",
                  f"tests/process/{test}.c", *library, "-o", str(tree / "test"), "-pthread"], tree)


def judge(root, mutant):
    """What the test said: its exit status, or that it hung; None: nothing."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        models.copy_tree(root, tree)
        models.apply(tree, mutant)
        build(tree, mutant.test)
        status = models.run([str(tree / "test")], tree, LIMIT)
    return "hangs" if status is None else None if status == 0 else f"exits with {status}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    arguments = parser.parse_args()
    chosen = [m for m in MUTANTS if not arguments.names or m.name in arguments.names
              or m.test in arguments.names][::arguments.sample]
    missed = []
    for mutant in chosen:
        said = judge(arguments.root.resolve(), mutant)
        print(f"{mutant.name:32} {mutant.test:16} {said or 'notices nothing'}", flush=True)
        if mutant.equivalent:
            print(f"{'':32} makes no difference: {mutant.equivalent}")
        if bool(said) == bool(mutant.equivalent):
            missed.append(mutant.name)
    print(f"{len(chosen)} mutants, {len(missed)} missed{': ' if missed else ''}"
          f"{', '.join(missed)}")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
