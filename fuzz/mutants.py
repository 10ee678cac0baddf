#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the library on purpose, one way at a time, and sees that a fuzz target notices.

  mutants.py             all of mutant_list.py
  mutants.py NAME...     only these mutants, or those of these targets
  --seconds N            how long a target may look (120)
  --empty                without the seeds: how long from nothing
  --root DIRECTORY       of the tree, instead of that of this file

Prints how many executions each took, and exits 1 if one was not found.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from mutant_list import MUTANTS

HERE = pathlib.Path(__file__).resolve().parent
COPIED = ("CMakeLists.txt", "cmake", "include", "src", "fuzz", "bench", "tests", "LICENSE")


def copy_tree(root, to):
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, to / name)
        elif (root / name).is_file():
            shutil.copy2(root / name, to / name)


def change(tree, mutant):
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise SystemExit(f"{mutant.name}: its text is {text.count(mutant.old)} times in "
                         f"{mutant.file}: bring mutant_list.py up to date")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return lambda: path.write_text(text, encoding="utf-8")


def hunt(tree, mutant, seconds, empty):
    """What was broken, and after how many executions; or None."""
    environment = {**os.environ, "OUT": str(tree / "out")}
    built = subprocess.run([str(tree / "fuzz/build.sh"), mutant.target], env=environment,
                           capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SystemExit(f"{mutant.name} does not build:\n{built.stdout[-2000:]}{built.stderr}")
    with tempfile.TemporaryDirectory() as corpus:
        seeds = tree / "out" / f"{mutant.target}_seeds"
        dictionary = tree / "fuzz/dict" / f"{mutant.target}.dict"
        command = [str(tree / "out" / mutant.target), f"-max_total_time={seconds}", "-seed=1",
                   "-max_len=1024", "-timeout=60", "-entropic_scale_per_exec_time=1",
                   "-print_final_stats=1", f"-artifact_prefix={corpus}/", corpus]
        command += [f"-dict={dictionary}"] if dictionary.is_file() else []
        command += [str(seeds)] if seeds.is_dir() and not empty else []
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace",
                             check=False)
    if ran.returncode == 0:
        return None
    found = re.search(r"^broken: .*|AddressSanitizer: \S+|runtime error: .*|libFuzzer: timeout",
                      ran.stderr, re.M)
    count = re.search(r"number_of_executed_units:\s*(\d+)", ran.stderr)
    return (found[0] if found else "ended", int(count[1]) if count else 0)


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent)
    options = parser.parse_args(arguments)
    chosen = [m for m in MUTANTS
              if not options.names or m.name in options.names or m.target in options.names]
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        tree = pathlib.Path(directory)
        copy_tree(options.root.resolve(), tree)
        for mutant in chosen:
            undo = change(tree, mutant)
            found = hunt(tree, mutant, options.seconds, options.empty)
            undo()
            missed += found is None
            what, count = found or ("NOT FOUND", 0)
            print(f"{mutant.target:13} {mutant.name:28} {count:>10,}  {what}", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} found")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
