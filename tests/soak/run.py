#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a soak, and keeps what it counted, for the table of docs/verification.md.

  run.py SOAK [--rounds N] [--amount N] [--seed N] [--build DIRECTORY]
  run.py --add SOAK FILE...   what such a run has printed before
  run.py --add-fuzz FILE...   what fuzz/run has noted in build/fuzz/results
  run.py --list
  run.py --table              writes the table into docs/verification.md
  run.py --check              is that the table that stands there? Else exits 1

A run is kept in tests/soak/results.json if it ended with exit status 0; else it is a finding: its
seed and what it said are printed, and nothing is kept.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys

from soaks import FUZZ, SOAKS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = HERE / "results.json"
TABLE = ROOT / "docs" / "verification.md"
BEGIN, END = "<!-- counts: tests/soak/run.py --table -->\n", "<!-- /counts -->\n"


def read_results():
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []


def write_results(results):
    """A run of a line each, so that a change of the file is a line, too."""
    lines = ",\n".join(json.dumps(run) for run in results)
    RESULTS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read_output(soak, text):
    """What was counted; an error, if something that should have been was not."""
    counts = {}
    for what, expression in soak.counts.items():
        found = re.findall(expression, text)
        if not found:
            raise ValueError(f"no line with {what}")
        counts[what] = int(found[-1])
    return counts


def run_once(name, soak, build, seed, amount):
    arguments = soak.arguments.format(seed=seed, amount=amount).split()
    began = datetime.datetime.now(datetime.timezone.utc)
    result = subprocess.run([str(build / soak.program), *arguments], capture_output=True,
                            text=True, errors="replace", check=False)
    if result.returncode != 0:
        print(f"{name} {' '.join(arguments)}: exit status {result.returncode}\n"
              f"{result.stdout}{result.stderr}", file=sys.stderr)
        return None
    seconds = (datetime.datetime.now(datetime.timezone.utc) - began).total_seconds()
    return {"soak": name, "arguments": " ".join(arguments), "date": f"{began:%Y-%m-%d}",
            "seconds": round(seconds), "counts": read_output(soak, result.stdout)}


def run(options):
    soak = SOAKS[options.soak]
    amount = options.amount or soak.amount
    for number in range(options.rounds):
        seed = f"{(options.seed or secrets.randbits(48)) + number:#x}"
        kept = run_once(options.soak, soak, options.build, seed, amount)
        if kept is None:
            return 1
        write_results([*read_results(), kept])
        print(kept["arguments"], kept["counts"], flush=True)
    return 0


def add(options):
    """The seed is the first thing that each of them prints."""
    soak, kept = SOAKS[options.soak], read_results()
    for file in options.files:
        text = pathlib.Path(file).read_text(encoding="utf-8")
        seed = re.search(r"seed (0x[0-9a-f]+)", text)
        date = datetime.date.fromtimestamp(os.stat(file).st_mtime)
        try:
            counts = read_output(soak, text)
        except ValueError as error:
            print(f"{file}: {error}: did not end, and is left out", file=sys.stderr)
            continue
        kept.append({"soak": options.soak, "arguments": seed.group(1) if seed else "",
                     "date": f"{date}", "counts": counts})
    write_results(kept)
    return 0


def add_fuzz(files):
    """Only runs that found nothing count. One that is there already is not added again."""
    kept = read_results()
    for file in files:
        run_of = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
        longest = f" --max-len {run_of['max_len']}" if "max_len" in run_of else ""
        new = {"soak": run_of["target"], "arguments": f"--seed {run_of['seed']}{longest}",
               "engine": run_of["engine"], "sanitizer": run_of["sanitizer"],
               "date": run_of["date"][:len("2000-01-01")], "seconds": run_of["seconds"],
               "counts": {"executions": run_of["executions"]}}
        if run_of["findings"] != 0:
            print(f"{file}: has findings, and is left out", file=sys.stderr)
        elif new not in kept:
            kept.append(new)
    write_results(kept)
    return 0


def row(claim, run_with, what, aims, runs):
    sums = {name: sum(one["counts"][name] for one in runs) for name in what}
    counted = ", ".join(f"{number:,} {name}" for name, number in sums.items())
    aim = ", ".join(f"{number:,}" for number in aims if number != 0)
    last = max((one["date"] for one in runs), default="")
    return (f"| {claim} | {run_with} | {counted if runs else 'not run'} | {aim} | {len(runs)} | "
            f"{last} |")


def table(results):
    """Claims, how to run them, the sums, and the aims."""
    runs = collections.defaultdict(list)
    for one in results:
        runs[one["soak"]].append(one)
    lines = ["| claim | run | counted | aim | runs | last |", "|---|---|---|---|---|---|"]
    for name, soak in SOAKS.items():
        lines.append(row(soak.claim, f"`{name}`", soak.counts, soak.aims.values(), runs[name]))
    for claim, (names, aim) in FUZZ.items():
        targets = names.split()
        lines.append(row(f"fuzzed: {claim}", ", ".join(f"`fuzz/run {name}`" for name in targets),
                         ["executions"], [aim], sum((runs[name] for name in targets), [])))
    return "\n".join(lines) + "\n"


def put_table(check):
    text = TABLE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    if END not in rest:
        sys.exit(f"run.py: no place for the table in {TABLE}")
    new = head + BEGIN + table(read_results()) + END + tail
    if check:
        if new != text:
            print("docs/verification.md: its counts are not those of tests/soak/results.json; "
                  "run tests/soak/run.py --table", file=sys.stderr)
        return int(new != text)
    TABLE.write_text(new, encoding="utf-8")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("soak", nargs="?", choices=SOAKS, metavar="SOAK")
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--amount", type=int, default=0, help="of one round, as the soak counts it")
    parser.add_argument("--seed", type=lambda text: int(text, 0), default=0, help="of the first")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--add-fuzz", nargs="+", metavar="FILE")
    for name in ("add", "list", "table", "check"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name, soak in SOAKS.items():
            print(f"{name:15} {soak.claim}")
        return 0
    if options.table or options.check:
        return put_table(options.check)
    if options.add_fuzz:
        return add_fuzz(options.add_fuzz)
    if options.soak is None or bool(options.files) != options.add:
        parser.error("a soak; and files, with --add")
    return add(options) if options.add else run(options)


if __name__ == "__main__":
    sys.exit(main())
