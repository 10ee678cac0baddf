#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does shmring-bench doctor find what is bad, and only that? test_doctor.py PROGRAM"""
import pathlib
import subprocess
import sys
import tempfile

CPU = "sys/devices/system/cpu/"
# By check: its file, a good text and a bad one.
MACHINE = {
    "load": ("proc/loadavg", "0.50 0.8 0.9 1/200 4711", "0.51 0.1 0.1 1/200 4711"),
    "virtual machine": ("proc/cpuinfo", "model name : x\nflags : fpu tsc",
                        "model name : x\nflags : fpu hypervisor tsc"),
    "stolen time": ("proc/stat", "cpu  1000 0 0 9000 0 0 0 10 0 0", "cpu  1000 0 0 9000 0 0 0 11"),
    "cpu quota": ("sys/fs/cgroup/cpu.max", "max 100000", "50000 100000"),
    "governor": (CPU + "cpu1/cpufreq/scaling_governor", "performance", "powersave"),
    "turbo": (CPU + "cpufreq/boost", "0", "1"),
    "smt": (CPU + "smt/active", "0", "1"),
    "isolated cpus": (CPU + "isolated", "2-3", ""),
    "clocksource": ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc",
                    "hpet"),
    "idle states": (CPU + "cpu0/cpuidle/state0/latency", "10", "11"),
    "autogroup": ("proc/sys/kernel/sched_autogroup_enabled", "0", "1"),
    "thp": ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never",
            "[always] madvise never"),
    "numa balancing": ("proc/sys/kernel/numa_balancing", "0", "1"),
    "nmi watchdog": ("proc/sys/kernel/nmi_watchdog", "0", "1"),
    "perf_event": ("proc/sys/kernel/perf_event_paranoid", "-1", "2"),
    "mqueue depth": ("proc/sys/fs/mqueue/msg_max", "4096", "10"),
    "mqueue message": ("proc/sys/fs/mqueue/msgsize_max", "65536", "8192"),
    "sysv queue": ("proc/sys/kernel/msgmnb", "1048576", "16384"),
    "pipe size": ("proc/sys/fs/pipe-max-size", "1048576", "65536"),
}
NOT_IN_FILES = {"build", "counters", "membarrier"}
failures = []


def check(good, what):
    if not good:
        failures.append(what)


def doctor(program, root):
    """Exit status, and the state of each check."""
    run = subprocess.run([program, "doctor"] + (["--root", str(root)] if root else []),
                         capture_output=True, text=True, check=False)
    states, lines = {}, run.stdout.splitlines()
    for i, line in enumerate(lines[:-2]):
        if line.startswith(" "):
            continue
        state, name = line.split()[0], line[9:26].strip()
        states[name] = state
        # Two more lines: why, and what mends it.
        more = [after.strip() for after in lines[i + 1:i + 3] if after.startswith("  ")]
        check((len(more) == 2 and all(more)) == (state == "bad"), f"{name} is {state}: {more}")
        check(max(map(len, [line] + lines[i + 1:i + 3])) <= 100, f"{name} is too wide")
    check(run.returncode in (0, 1) and not run.stderr, f"{run.returncode}: {run.stderr}")
    check((run.returncode == 1) == ("bad" in states.values()), "exit status")
    return states


def put(root, name, which):
    path = root / MACHINE[name][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MACHINE[name][which] + "\n", encoding="utf-8")


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    program = arguments[0]
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        nowhere = doctor(program, root)
        check(set(nowhere) == {*MACHINE, *NOT_IN_FILES}, f"looks at {sorted(nowhere)}")
        check(set(nowhere.values()) == {"unknown"}, "has an opinion of nothing")
        for name in MACHINE:
            put(root, name, 1)
        for name, state in doctor(program, root).items():
            want = "unknown" if name in NOT_IN_FILES else "ok"
            check(state == want, f"a good {name} is {state}")
        for name in MACHINE:
            put(root, name, 2)
            bad = {n for n, state in doctor(program, root).items() if state == "bad"}
            check(bad == {name}, f"a bad {name} makes {bad or 'nothing'} bad")
            put(root, name, 1)
        # Those of several places: one governor of two, and a state that is not in use.
        (root / CPU / "cpu2/cpufreq").mkdir(parents=True)
        (root / CPU / "cpu2/cpufreq/scaling_governor").write_text("powersave\n", encoding="utf-8")
        check(doctor(program, root)["governor"] == "bad", "one of two governors is bad")
        put(root, "idle states", 2)
        (root / CPU / "cpu0/cpuidle/state0/disable").write_text("1\n", encoding="utf-8")
        check(doctor(program, root)["idle states"] == "ok", "a state that is off is bad")
    here = doctor(program, None)
    check(set(here) == set(nowhere), "on this machine it looks at something else")
    check(here["build"] != "unknown" and here["counters"] != "unknown", "it does not look here")
    for wrong in (["x"], ["--bad"], ["--root"]):
        run = subprocess.run([program, "doctor", *wrong], capture_output=True, check=False)
        check(run.returncode == 2, f"takes {wrong}")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
