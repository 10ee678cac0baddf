#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks a file of shmring-bench --json against the schema shmring.bench/1: check_json.py FILE"""
import json
import sys

CLASSES = {"same-core", "smt", "l3", "cross-l3", "mixed"}
NUMBER = (int, float)
TEXT = (str, type(None))

DOCUMENT = {"schema": str, "started": str, "took_s": NUMBER, "interrupted": bool, "tool": dict,
            "host": dict, "environment": dict, "counters": dict, "settings": dict,
            "warnings": list, "classes": dict, "skipped": list, "failures": list,
            "results": list}
TOOL = {"version": str, "compiler": str, "optimized": bool, "sanitized": bool}
HOST = {"cpu": TEXT, "kernel": str, "governor": TEXT, "hypervisor": bool, "thp": TEXT,
        "clocksource": TEXT, "cpus": int, "used_cpus": list, "load": NUMBER}
SETTINGS = {"seconds": NUMBER, "repeat": int, "quick": bool, "same_core": bool, "only": list,
            "rates": list, "bursts": list, "class_limits_ns": dict, "transports": dict}
RESULT = {"id": str, "transport": str, "workload": str, "size": int, "policy": str, "batch": int,
          "class": str, "unit": str, "samples": list, "median": NUMBER, "min": NUMBER,
          "max": NUMBER, "n": int, "cost": dict, "counters": dict}
COSTS = {"cpu_ns", "switches", "lost"}  # arrays with one number per sample
TIMES = {"p50": int, "p90": int, "p99": int, "p99.9": int, "p99.99": int}
LATENCY = {**TIMES, "round_trips": int}
# Messages at set times.
TIMED = {"open": {**TIMES, "messages": int, "rate": int},
         "burst": {**TIMES, "messages": int, "burst": int, "every_us": int}}
STREAM = {"bytes_per_s": NUMBER}
FANS = ("fan-in", "fan-out")
# Workload mpmc and fans; in "crowd", arrays with one number per sample (README.md says of what).
MPMC = {"producers": int, "consumers": int, "members": str, "crowd": dict}
CROWD_TIMES = ("gap_ns", "own_gap_ns")
CROWD_SHARES = ("producer_fairness", "consumer_fairness", "producer_failed_tries",
                "consumer_failed_tries")

problems = []


def check(good, where, what):
    if not good:
        problems.append(f"{where}: {what}")
    return good


def check_fields(value, fields, where):
    """Are all fields there, with the right types? A bool is no number."""
    good = check(isinstance(value, dict), where, "is no object")
    for name, kind in fields.items() if good else ():
        if not check(name in value, where, f"lacks {name}"):
            good = False
            continue
        is_bool = isinstance(value[name], bool)
        right = isinstance(value[name], kind) and (kind is bool or not is_bool)
        good = check(right, where, f"{name} is {value[name]!r}") and good
    return good


def check_id(result, where):
    parts = result["id"].split("/")
    if parts[0] == "floor":
        check(result["transport"] == "floor" and len(parts) >= 3, where, "is no id of a floor")
        return
    workload = result["workload"]
    if workload == "open":
        workload += f"-{result.get('rate')}"
    if workload in FANS:
        workload += f"-{max(result.get('producers', 0), result.get('consumers', 0))}"
    if workload == "burst":
        workload += f"-{result.get('burst')}x{result.get('every_us')}us"
    want = [result["transport"], workload, f"{result['size']}B", result["policy"]]
    if result["batch"] != 1:
        want.append(f"b{result['batch']}")
    # Named where it is not what is usual: many are threads, two are processes.
    unusual = "processes" if result["workload"].startswith("mpmc") else "threads"
    if result.get("members") == unusual:
        want.append(unusual)
    check(parts == want, where, f"should be {'/'.join(want)}")


def check_arrays(arrays, n, where):
    """One number per sample, not below 0, under each name; returns the names that are right."""
    for name, values in arrays.items():
        good = isinstance(values, list) and all(isinstance(v, NUMBER) for v in values)
        if check(good and len(values) == n, where, f"{name} is not n numbers"):
            check(min(values) >= 0, where, f"{name} is below 0")
            yield name


def check_crowd(result, where):
    if not check_fields(result, MPMC, where):
        return
    crowd, many = result["crowd"], f"{result['producers']}p{result['consumers']}c"
    shares = CROWD_SHARES
    if result["workload"] in FANS:
        one = "consumers" if result["workload"] == "fan-in" else "producers"
        check(result[one] == 1, where, f"is of {many}")
        check(result["members"] == "processes", where, f"members {result['members']}")
        shares = CROWD_SHARES[:2]  # tries are not counted
    else:
        check(result["workload"] == f"mpmc-{many}", where, f"is not of {many}")
    check(result["members"] in ("threads", "processes"), where, f"members {result['members']}")
    check(set(crowd) == {*CROWD_TIMES, *shares}, where, f"crowd has {sorted(crowd)}")
    for name in check_arrays(crowd, result["n"], where):
        check(name in CROWD_TIMES or max(crowd[name]) <= 1, where, f"{name} is above 1")


def check_result(result, seen):
    where = result.get("id", "a result") if isinstance(result, dict) else "a result"
    if not check_fields(result, RESULT, where):
        return
    samples, key = result["samples"], (result["id"], result["class"])
    check_id(result, where)
    if result["transport"] != "floor":
        check_fields(result, {"settings": str}, where)
    if result["workload"] in ("stream", "pingpong", *TIMED) and result["transport"] != "floor":
        check(result.get("members") in ("threads", "processes"), where, "members are unknown")
    check(key not in seen, where, f"twice in class {result['class']}")
    seen.add(key)
    check(result["class"] in CLASSES, where, f"class {result['class']}")
    check(result["policy"] in ("spin", "adaptive", "block"), where, f"policy {result['policy']}")
    check(samples and len(samples) == result["n"], where, "n is not the number of samples")
    # A crowd can stand still for a whole sample, others fail then.
    is_crowd = result["workload"].startswith("mpmc") or result["workload"] in FANS
    least = 0 if is_crowd else 1e-9
    if not check(all(isinstance(s, NUMBER) and s >= least for s in samples), where, "bad samples"):
        return
    check(set(result["cost"]) == COSTS, where, f"cost has {sorted(result['cost'])}")
    for name in check_arrays(result["cost"], result["n"], where):
        # A crowd that stood still has none.
        check(name != "cpu_ns" or least == 0 or min(result["cost"][name]) > 0, where, "no cost")
        check(name != "lost" or max(result["cost"][name]) < 1, where, "all was lost")
    check(min(samples) == result["min"] <= result["median"], where, "min, median")
    if result["workload"] == "solo":
        check(result["unit"] == "ns", where, f"unit {result['unit']}")
        check(max(samples) == result["max"] >= result["median"], where, "max, median")
    elif result["workload"] not in ("pingpong", *TIMED):
        if is_crowd:
            check_crowd(result, where)
        check(result["unit"] == "msg/s", where, f"unit {result['unit']}")
        check(max(samples) == result["max"] >= result["median"], where, "max, median")
        check_fields(result, STREAM, where)
    elif check_fields(result, TIMED.get(result["workload"], LATENCY), where):
        check(result["unit"] == "ns", where, f"unit {result['unit']}")
        order = [result[k] for k in ("p50", "p90", "p99", "p99.9", "p99.99", "max")]
        check(order == sorted(order) and order[0] > 0, where, f"percentiles {order}")
        check(result.get("round_trips", result.get("messages")) > 0, where, "no times")


def check_document(document):
    if not check_fields(document, DOCUMENT, "document"):
        return
    check(document["schema"] == "shmring.bench/1", "document", f"schema {document['schema']}")
    check_fields(document["tool"], TOOL, "tool")
    check_fields(document["host"], HOST, "host")
    if check_fields(document["settings"], SETTINGS, "settings"):
        for name, text in document["settings"]["transports"].items():
            check(isinstance(text, str) and text, f"settings of {name}", "are empty")
    check(set(document["classes"]) == CLASSES, "classes", f"are {sorted(document['classes'])}")
    for failure in document["failures"]:
        check_fields(failure, {"id": str, "reason": str, "corrupt": bool}, "a failure")
    for skipped in document["skipped"]:
        check_fields(skipped, {"what": str, "reason": str}, "a skipped case")
    check(document["results"], "document", "has no results")
    seen = set()
    for result in document["results"]:
        check_result(result, seen)
    counted = sum(document["classes"].values())
    total = sum(r.get("n", 0) for r in document["results"] if isinstance(r, dict))
    check(counted == total, "classes", f"count {counted} samples, the results have {total}")


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with open(arguments[0], encoding="utf-8") as file:
            check_document(json.load(file))
    except (OSError, ValueError) as error:
        problems.append(f"{arguments[0]}: {error}")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
