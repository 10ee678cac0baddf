#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""counts.py DIRECTORY: what the runs that fuzz/run noted there add up to, as a Markdown table."""
import collections
import json
import pathlib
import sys


def command(run):
    """What a run was started with, but for its length and its seed."""
    return " ".join(["fuzz/run", run["target"],
                     *(["--engine", run["engine"]] if run["engine"] != "libfuzzer" else []),
                     *(["--sanitizer", run["sanitizer"]] if run["sanitizer"] != "address" else [])])


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    runs = collections.defaultdict(list)
    for path in sorted(pathlib.Path(arguments[0]).glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        runs[command(run)].append(run)
    print("| command | runs | seconds | executions | findings | last |")
    print("|---|---|---|---|---|---|")
    total = 0
    for name, of_it in sorted(runs.items()):
        executions = sum(run["executions"] for run in of_it)
        seconds = sum(run["seconds"] * run["jobs"] for run in of_it)
        findings = sum(run["findings"] for run in of_it)
        last = max(run["date"] for run in of_it)[:len("2000-01-01")]
        print(f"| `{name}` | {len(of_it)} | {seconds:,} | {executions:,} | {findings} | {last} |")
        total += executions
    print(f"\n{total:,} executions")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
