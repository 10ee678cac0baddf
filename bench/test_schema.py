#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is what shmring-bench writes as its schema says? test_schema.py PROGRAM SCHEMA

Exits 77 (skipped) without python3-jsonschema."""
import copy
import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from math import comb

try:
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(77)

# A result of each kind.
CASES = "ring_spsc/pingpong/64B/*,pipe/stream/64B/block,ring_mpmc/mpmc-1p1c/8B/spin," \
    "ring_mpmc/solo/8B/spin,pipe/open-100000/64B/block," \
    "pipe/burst-16x1000us/64B/block,pipe/fan-in-2/64B/block,channel/fan-out-2/64B/block,"\
    "floor/memcpy/1MiB,floor/line_stream/4MiB,floor/pingpong/*"
# 30 samples are 6 at least in one of the five classes, which is enough for an interval.
MANY = "floor/memcpy/64B"
failures = []


def check(good, what):
    if not good:
        failures.append(what)


def measure(program, cases, repeat):
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        command = [program, "--only", cases, "--seconds", "0.002", "--repeat", str(repeat),
                   "--json", file.name]
        run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             check=False)
        # 1: a sample has failed, on a busy machine.
        check(run.returncode in (0, 1), f"exit status {run.returncode}: {run.stderr.decode()}")
        return json.load(file)


def ways_to_spoil(document):
    """Documents that are wrong in one place each, and what is wrong."""
    def timed(spoilt, workload):
        return next(r for r in spoilt["results"] if r["workload"] == workload)

    def spoil(what, change):
        spoilt = copy.deepcopy(document)
        dialogue = next(r for r in spoilt["results"] if r["workload"] == "pingpong")
        change(spoilt, dialogue)
        return what, spoilt

    for name in document:
        yield spoil(f"no {name}", lambda d, r, name=name: d.pop(name))
    for name in ("id", "samples", "median_ci95", "cost", "counters", "p99.99", "spectrum"):
        yield spoil(f"a result without {name}", lambda d, r, name=name: r.pop(name))
    yield spoil("another schema", lambda d, r: d.update(schema="shmring.bench/2"))
    yield spoil("a field that nobody knows", lambda d, r: r.update(p98=1))
    yield spoil("a class that is none", lambda d, r: r.update({"class": "near"}))
    yield spoil("a time below 0", lambda d, r: r["samples"].append(-1))
    yield spoil("a text for a number", lambda d, r: r.update(median="12"))
    yield spoil("dialogues in msg/s", lambda d, r: r.update(unit="msg/s"))
    yield spoil("an open loop without a rate", lambda d, r: timed(d, "open").pop("rate"))
    yield spoil("a fan of threads", lambda d, r: timed(d, "fan-in").update(members="threads"))
    yield spoil("a fan of nobody", lambda d, r: timed(d, "fan-out").pop("consumers"))
    yield spoil("a crowd that counts no tries",
                lambda d, r: timed(d, "mpmc-1p1c")["crowd"].pop("producer_failed_tries"))
    yield spoil("a rate of nothing", lambda d, r: d["settings"].update(rates=[0]))
    yield spoil("a burst without an interval",
                lambda d, r: d["settings"]["bursts"][0].pop("every_us"))
    yield spoil("a burst of unknown size", lambda d, r: timed(d, "burst").pop("burst"))
    yield spoil("half an interval", lambda d, r: r.update(median_ci95=[1]))
    yield spoil("a share above 1", lambda d, r: r["spectrum"].append([1.1, 1]))
    yield spoil("a counter that is none", lambda d, r: r["counters"].update(luck=None))


def check_schema(document, schema):
    validator = jsonschema.Draft202012Validator(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    for error in validator.iter_errors(document):
        path = "/".join(str(part) for part in error.absolute_path)
        check(False, f"{path}: {error.message[:200]}")
    for what, spoilt in ways_to_spoil(document):
        check(not validator.is_valid(spoilt), f"the schema allows {what}")


def interval(samples):
    """The narrowest symmetric pair by order with 95 %, by exact arithmetic."""
    ordered, count, outside = sorted(samples), len(samples), Fraction(0)
    found = None
    for below in range(count // 2):
        outside += Fraction(2 * comb(count, below), 2 ** count)
        if outside > Fraction(1, 20):
            break
        found = [ordered[below], ordered[count - 1 - below]]
    return found


def check_result(result, missing):
    where = f"{result['id']} {result['class']}"
    want = interval(result["samples"])
    check(result["median_ci95"] == want, f"{where}: interval {result['median_ci95']}, not {want}")
    for name, counts in result["counters"].items():
        check((counts is None) == (name in missing), f"{where}: {name} without a reason")
        check(counts is None or len(counts) == result["n"], f"{where}: {name} not one per sample")
    if result["workload"] not in ("pingpong", "open", "burst"):
        return
    names = ("p50", "p90", "p99", "p99.9", "p99.99", "max")
    order = [result[name] for name in names]
    check(order == sorted(order), f"{where}: percentiles {order}")
    spectrum = result["spectrum"]
    check(spectrum == sorted(spectrum), f"{where}: the spectrum does not rise")
    check([0.5, result["p50"]] in spectrum, f"{where}: the spectrum has another median")
    check(spectrum[-1] == [1, result["max"]], f"{where}: the spectrum has another end")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    document = measure(arguments[0], CASES, 1)
    many = measure(arguments[0], MANY, 30)["results"]
    with open(arguments[1], encoding="utf-8") as file:
        check_schema(document, json.load(file))
    missing = document["counters"]["missing"]
    for result in document["results"] + many:
        check_result(result, missing)
    check(any(result["median_ci95"] for result in many), "no interval at all")
    # Each sample runs in a new process, which cannot do without.
    faults = [sum(r["counters"]["page_faults"] or [1]) for r in document["results"]]
    check(sum(faults) > 0, "no page faults are counted")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
