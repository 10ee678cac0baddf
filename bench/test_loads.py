#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_loads.py PROGRAM CHECKER: do latencies of shmring-bench count from the intended times?

CHECKER is check_json.py."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 120
SECONDS, RATE, STOPPED_S = 3, 10000, 0.6
failures = []


def check(good, what):
    if not good:
        print(what)
        failures.append(what)
    return good


def has_child(pid):
    return bool(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def measure(program, checker, *options, meanwhile=None):
    """The only result of one sample; meanwhile is called with its process."""
    with tempfile.NamedTemporaryFile() as file:
        with subprocess.Popen([program, *options, "--repeat", "1", "--json", file.name],
                              stdout=subprocess.PIPE, text=True) as process:
            if meanwhile is not None:
                meanwhile(process)
            table = process.communicate(timeout=PATIENCE_S)[0]
        check(process.returncode == 0, f"{options}: exit status {process.returncode}")
        checked = subprocess.run([sys.executable, checker, file.name], capture_output=True,
                                 text=True, check=False)
        check(checked.returncode == 0, f"{options}: {checked.stdout}{checked.stderr}")
        return json.load(file)["results"][0], table


def share_above(result, ns):
    """At least this share took longer, by the spectrum."""
    return max((1 - share for share, at in result["spectrum"] if at > ns), default=0)


def stop_sender(process):
    """For a while in the middle of the sample: the benchmark itself is who sends."""
    deadline = time.monotonic() + PATIENCE_S
    while not has_child(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(SECONDS / 2)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    os.kill(process.pid, signal.SIGCONT)


def test_late_sender_counts(program, checker):
    """A sender that stands still delays all that was due meanwhile, not one message."""
    result, table = measure(program, checker, "--only", f"pipe/open-{RATE}/64B/block", "--rate",
                            str(RATE), "--seconds", str(SECONDS), meanwhile=stop_sender)
    check(result["messages"] == RATE * SECONDS, f"{result['messages']} messages were due")
    # Those of the first half of that time wait for the second half at least.
    want = STOPPED_S / 2 / SECONDS
    found = share_above(result, STOPPED_S / 2 * 1e9)
    check(found >= 0.8 * want, f"{found:.4f} of all were late, not {want:.4f}")
    check(result["max"] >= 0.9 * STOPPED_S * 1e9, f"the latest was late by {result['max']} ns")
    check(f"Open loop, {RATE} messages/s, 64 B, block: " in table, "no table")
    check("p99.99" in table and "max" in table, "not all percentiles are in the table")
    check(max(map(len, table.split("\n"))) <= 100, "the table is too wide")


def test_bursts_are_measured(program, checker):
    """Whole ones; tests/timed_due.c says when they are due."""
    result, table = measure(program, checker, "--only", "pipe/burst-10000x100000us/64B/block",
                            "--burst", "16,1000,10000,100000", "--seconds", "1")
    check(result["messages"] == 100000, f"{result['messages']} messages were due in bursts")
    check("Burst, 10000 messages every 100000 us, 64 B, block: " in table, "no table of bursts")


def test_all_kinds(program, checker):
    """Each way of waiting, and where messages may be lost."""
    for case in ("ring_spsc/open-5000/64B/spin", "ring_spsc/open-5000/1024B/adaptive",
                 "channel/open-5000/64B/block", "udp/open-5000/64B/block"):
        result, _ = measure(program, checker, "--only", case, "--rate", "5000", "--seconds", "0.1")
        low = 1 if case.startswith("udp") else 500
        check(low <= result["messages"] <= 500, f"{case}: {result['messages']} messages")


def test_rates_are_refused(program):
    for value in ("", "0", "-1", "x", "1x", "1,", ",1", "1.5", "100000001", "1,2,3,4,5,6,7,8,9"):
        refused = subprocess.run([program, "--list", "--rate", value], capture_output=True,
                                 check=False)
        check(refused.returncode == 2, f"--rate '{value}': {refused.returncode}")
    for value in ("", "16", "0,1", "1,0", "16,", "16,1000x", "16,1000,1", "65537,1", "1,1000001",
                  "16,1000,", "1,1," * 8 + "1,1"):
        refused = subprocess.run([program, "--list", "--burst", value], capture_output=True,
                                 check=False)
        check(refused.returncode == 2, f"--burst '{value}': {refused.returncode}")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    test_late_sender_counts(*arguments)
    test_bursts_are_measured(*arguments)
    test_all_kinds(*arguments)
    test_rates_are_refused(arguments[0])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
