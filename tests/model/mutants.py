#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the claim ring on purpose, one way at a time, and sees that a test notices.

  mutants.py             those that show at sequential consistency, by the explorer alone
  mutants.py --all       all, by all nets that are there: explorer, crash images, unit tests,
                         GenMC, stress
  mutants.py NAME...     only these
  --root DIRECTORY       of the tree, instead of that of this file
  --first                stop at the first net that catches a mutant

Prints a table of mutants and nets, and exits 1 if one is caught by none, but for those that
mutant_list.py says to make no difference, and why.
"""
import argparse
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import genmc as genmc_of
from mutant_list import MUTANTS, ORDERS

HERE = pathlib.Path(__file__).resolve().parent
CC = os.environ.get("CC", "cc")
LIBRARY = ["src/mpmc.c", "src/mpmc_walk.c", "src/mpmc_take.c", "src/mpmc_recover.c"]
RING = ["atomic", "spec", "member", "ring", "ring_calls"]
EXPLORER = RING + ["explore", "visited", "scenarios_order", "scenarios_held", "scenarios_death",
                   "scenarios_hostile", "explore_mpmc"]
NETS = ("explorer", "crash", "unit", "genmc", "stress")
LIMIT = 300  # seconds of a net


class Unusable(Exception):
    """A net that is not there, or does not build."""


def run(command, where, limit=LIMIT):
    try:
        return subprocess.run(command, cwd=where, capture_output=True, text=True, errors="replace",
                              timeout=limit, check=False).returncode
    except subprocess.TimeoutExpired:
        return None


def build(command, where):
    result = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Unusable(f"does not build: {result.stderr[-300:]}")


def scenarios(tree):
    names = []
    for path in sorted((tree / "tests/model").glob("scenarios_*.c")):
        names += re.findall(r'^\s*\{"(\w+)"', path.read_text(encoding="utf-8"), re.M)
    return names


def explorer(tree, mutant, known_bad):
    """What the scenarios say; only those which are known to catch this mutant, if there are."""
    if mutant in ORDERS:
        raise Unusable("all is sequentially consistent there")
    program = tree / "explorer"
    build([CC, "-std=c11", "-O2", "-w", "-D_GNU_SOURCE=", "-Itests/model/sc", "-Itests/model",
           "-Iinclude", *LIBRARY, *(f"tests/model/{name}.c" for name in EXPLORER),
           "-o", str(program)], tree)
    for name in mutant.by or [n for n in scenarios(tree) if n not in known_bad()]:
        if run([str(program), name], tree) not in (0, None):
            return name
    return None


def crash(tree, mutant, _known_bad):
    """Also a crash image that does not come to an end counts."""
    if mutant in ORDERS:
        raise Unusable("all is sequentially consistent there")
    program = tree / "crash"
    build([CC, "-std=c11", "-O2", "-w", "-D_GNU_SOURCE=", "-DSPEC_MAX=2048", "-Itests/model/sc",
           "-Itests/model", "-Iinclude", *LIBRARY, "tests/crash/image.c",
           "tests/crash/crash_mpmc.c", *(f"tests/model/{name}.c" for name in RING),
           "-o", str(program)], tree)
    return "crash_mpmc" if run([str(program), "1", "1500000"], tree) != 0 else None


def unit(tree, mutant, _known_bad):
    if mutant in ORDERS:
        raise Unusable("one thread")
    tests = sorted((tree / "tests/unit").glob("test_mpmc*.c"))
    if not tests or subprocess.run(["pkg-config", "--exists", "criterion"], check=False).returncode:
        raise Unusable("no tests, or no Criterion")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "criterion"], capture_output=True,
                           text=True, check=True).stdout.split()
    library = sorted(str(p) for p in (tree / "src").glob("*.c"))
    for test in tests:
        build([CC, "-std=c11", "-O1", "-w", "-Iinclude", "-Itests", str(test), *library,
               "-o", str(tree / "unit"), *flags, "-pthread"], tree)
        if run([str(tree / "unit"), "--timeout", "60"], tree) != 0:
            return test.stem
    return None


def genmc(tree, mutant, _known_bad):
    """Only an error that GenMC found in an execution counts, not that it did not come to an end."""
    program = genmc_of.find()
    if program is None:
        raise Unusable("genmc not found")
    for name in mutant.models:
        model = tree / f"tests/model/genmc_{name}.c"
        verdict, said = genmc_of.check(program, tree, model, "rc11", LIMIT)
        if verdict == genmc_of.WRONG:
            return name
        if verdict == genmc_of.UNKNOWN:
            print(f"{mutant.name}: {name}: {said}", flush=True)
    return None


def stress(tree, _mutant, _known_bad):
    test = tree / "tests/stress/mpmc_threads.c"
    if not test.is_file() or not shutil.which("clang"):
        raise Unusable("no stress test, or no clang")
    library = sorted(str(p) for p in (tree / "src").glob("*.c"))
    build(["clang", "-std=c11", "-O1", "-g", "-w", "-fsanitize=thread", "-Iinclude", "-Itests",
           str(test), *library, "-o", str(tree / "stress"), "-pthread"], tree)
    if run(["setarch", "-R", str(tree / "stress")], tree) != 0:
        return "mpmc_threads"
    return None


def copy_tree(root, to):
    for name in ("include", "src", "tests"):
        shutil.copytree(root / name, to / name, symlinks=True)


def apply(tree, mutant):
    for file, old, new in mutant.edits:
        path = tree / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            sys.exit(f"mutants.py: {mutant.name}: its text stands {text.count(old)} times in "
                     f"{file}; bring mutant_list.py up to date")
        path.write_text(text.replace(old, new), encoding="utf-8")


def known_failures(root):
    """Scenarios that fail unchanged tell nothing."""
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        copy_tree(root, tree)
        bad, nothing = set(), argparse.Namespace(by=[])
        explorer(tree, nothing, lambda: set(scenarios(tree)))
        for name in scenarios(tree):
            if run([str(tree / "explorer"), name], tree) != 0:
                bad.add(name)
                print(f"{name}: fails unchanged, and is left out")
        return bad


def judge(root, mutant, nets, first, known_bad):
    """Net by net: what caught it, None, or '-' where the net could not."""
    found = {}
    for net in nets:
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            copy_tree(root, tree)
            apply(tree, mutant)
            try:
                found[net] = globals()[net](tree, mutant, known_bad)
            except Unusable as error:
                found[net] = "-"
                if "build" in str(error):
                    print(f"{mutant.name}: {net}: {error}")
        if first and found[net] not in (None, "-"):
            break
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("--nets", default=",".join(NETS), help="with --all: " + ", ".join(NETS))
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    everything = arguments.all or arguments.names
    nets = arguments.nets.split(",") if everything else ["explorer"]
    mutants = [m for m in MUTANTS if m.name in arguments.names or not arguments.names
               and (arguments.all or m.by)]
    known_bad = functools.cache(lambda: known_failures(root))
    missed = []
    for mutant in mutants:
        found = judge(root, mutant, nets, arguments.first, known_bad)
        caught = [net for net, by in found.items() if by not in (None, "-")]
        line = "  ".join(f"{net}: {by or 'no'}" for net, by in found.items())
        print(f"{mutant.name:30} {line}", flush=True)
        if mutant.equivalent:
            print(f"{'':30} makes no difference: {mutant.equivalent}")
        if bool(caught) == bool(mutant.equivalent):
            missed.append(mutant.name)
    print(f"{len(mutants)} mutants, {len(missed)} missed{': ' if missed else ''}"
          f"{', '.join(missed)}")
    return 1 if missed or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
