#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks sleep and wake on purpose, one way at a time, and sees that a model notices.

  wake_mutants.py [NAME]...   those of wake_list.py, or only these, by the models of wake_genmc.py
  --root DIRECTORY            of the tree, instead of that of this file

Prints a table of mutants, and which model caught each under which memory model. Exits 1 if one is
caught by none, but for those that wake_list.py says to make no difference, and why; 77 without
GenMC.
"""
import argparse
import pathlib
import sys
import tempfile

import genmc
import mutants
from wake_genmc import WAKING
from wake_list import MUTANTS

LIMIT = 120  # seconds of a model


def judge(program, root, mutant, memory_model, kind):
    """The model that caught it, or None."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        mutants.copy_tree(root, tree)
        mutants.apply(tree, mutant)
        for name in mutant.models:
            model = tree / "tests/model" / kind.places.replace("*", name)
            verdict, line = genmc.check(program, tree, model, memory_model, LIMIT, kind)
            if verdict == genmc.WRONG:
                return name
            if verdict == genmc.UNKNOWN:
                print(f"{mutant.name}: {name} {memory_model}: {verdict}{line}")
    return None


def main(kind=WAKING, mutants_of=tuple(MUTANTS)):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--root", type=pathlib.Path, default=genmc.HERE.parent.parent)
    arguments = parser.parse_args()
    program, missed, count = genmc.find(), [], 0
    if program is None:
        print("skipped: genmc not found")
        return 77
    for mutant in mutants_of:
        if arguments.names and mutant.name not in arguments.names:
            continue
        count += 1
        found = {memory_model: judge(program, arguments.root.resolve(), mutant, memory_model, kind)
                 for memory_model in ("rc11", "imm")}
        line = "  ".join(f"{net}: {by or 'no'}" for net, by in found.items())
        print(f"{mutant.name:34} {line}", flush=True)
        if mutant.equivalent:
            print(f"{'':34} makes no difference: {mutant.equivalent}")
        elif not any(found.values()):
            missed.append(mutant.name)
    print(f"{count} mutants, {len(missed)} missed{': ' if missed else ''}{', '.join(missed)}")
    return 1 if missed or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
