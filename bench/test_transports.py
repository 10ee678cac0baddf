#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_transports.py PROGRAM CHECKER: each transport of shmring-bench for a moment

Does each one carry and verify messages, say why where it cannot, survive losses, and leave nothing
behind: not after an interrupt, and not after the death of a child either?
CHECKER is check_json.py.
"""
import ctypes
import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

OURS = ("ring_spsc", "channel", "link", "queue")
CLASSICAL = ("pipe", "fifo", "posix_mq", "sysv_msg", "shm_sem", "shm_named_sem", "sysv_shm",
             "pshared_mutex", "eventfd", "unix_stream", "unix_dgram", "unix_seqpacket", "tcp",
             "udp", "raw")
LOSSY = ("udp", "raw")
PATIENCE_S = 60
CLONE_NEWIPC = 0x08000000

libc = ctypes.CDLL(None, use_errno=True)
failures = []


def check(good, what):
    if not good:
        print(what)
        failures.append(what)
    return good


def measure(program, checker, patterns, seconds=0.1, **environment):
    """One short sample of each case; returns the JSON."""
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(
            [*program, "--only", ",".join(patterns), "--seconds", str(seconds), "--repeat",
             "1", "--json", file.name], env={**os.environ, **environment}, timeout=10 * PATIENCE_S,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode == 0, f"{patterns}: exit status {done.returncode}: {done.stderr}")
        checked = subprocess.run([sys.executable, checker, file.name], capture_output=True,
                                 text=True, check=False)
        if not check(checked.returncode == 0, f"{patterns}: {checked.stdout}{checked.stderr}"):
            return {"results": [], "skipped": []}
        return json.load(file)


def list_cases(program, pattern):
    listed = subprocess.run([*program, "--list", "--only", pattern], capture_output=True,
                            text=True, check=False)
    return listed.stdout.split()


def test_messages_pass(program, checker):
    patterns = ("*/pingpong/64B/*", "*/stream/64B/*")
    wanted = {i for p in patterns for i in list_cases(program, p) if not i.startswith("floor/")}
    document = measure(program, checker, patterns)
    measured = {r["id"] for r in document["results"]}
    skipped = {s["what"] for s in document["skipped"]}
    check(wanted <= measured, f"not measured: {sorted(wanted - measured)}")
    for name in OURS + CLASSICAL:
        for workload in ("pingpong", "stream"):
            found = any(i.startswith(f"{name}/{workload}/64B/") for i in measured)
            check(found or name in skipped, f"{name}/{workload} is neither there nor skipped")
    for result in document["results"]:
        if result["transport"] not in (*LOSSY, "floor"):
            check(max(result["cost"]["lost"]) == 0, f"{result['id']} loses messages")


def test_reasons(program, checker):
    """A message that is too long, and a socket that is not allowed, are skipped and said to be."""
    document = measure(program, checker, ["pipe/pingpong/8B/block"])
    reasons = {(s["what"], s["reason"]) for s in document["skipped"]}
    check(any(w == "udp" and r.startswith("65536 B: ") for w, r in reasons), "udp carries 64 KiB")
    if os.geteuid() == 0:
        program = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", *program]
        document = measure(program, checker, ["pipe/pingpong/8B/block"])
        reasons = {(s["what"], s["reason"]) for s in document["skipped"]}
    check(("raw", "raw sockets need CAP_NET_RAW") in reasons, "raw is not skipped with its reason")


def test_losses(program, checker):
    """With every fifth message lost: a stream counts what is missing, a dialogue goes on."""
    names = [n for n in LOSSY if list_cases(program, f"{n}/*")]
    patterns = [f"{n}/{w}/64B/*" for n in names for w in ("stream", "pingpong")]
    document = measure(program, checker, patterns, 0.3, SHMRING_BENCH_LOSS="20")
    check(len(document["results"]) == 6 * len(names), "not all cases survive losses")
    for result in document["results"]:
        check(max(result["cost"]["lost"]) > 0, f"{result['id']} counts no losses")


def children_of(pid, program):
    """Those that run the program: a daemon is not one of them."""
    found = []
    try:
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if os.path.samefile(f"/proc/{child}/exe", program):
                found.append(int(child))
    except OSError:
        pass  # it has ended
    return found


def start(program, case, directory):
    """The program in the middle of a long sample of that case, and its children."""
    process = subprocess.Popen(
        [program, "--only", case, "--seconds", "9", "--repeat", "1"], stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": directory})
    deadline = time.monotonic() + PATIENCE_S
    children, before = [], None
    # Until they stay: a daemon is one of them before it runs its own program.
    while (not children or children != before) and process.poll() is None:
        if not check(time.monotonic() < deadline, f"{case} does not begin"):
            break
        time.sleep(0.1)
        children, before = children_of(process.pid, program), children
    return process, children


def system_v_objects():
    return [line for kind in ("shm", "sem", "msg")
            for line in pathlib.Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]]


def runs(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat[stat.rindex(")") + 2] not in "ZX"


def check_nothing_left(case, process, children, directory, alone):
    mark = f"shmring-bench.{process.pid}"
    left = [str(p) for place in ("/dev/shm", "/tmp") for p in pathlib.Path(place).glob(f"*{mark}*")]
    left += [str(p) for p in pathlib.Path(directory).rglob("*")]
    deadline = time.monotonic() + PATIENCE_S
    # Who is killed because its parent died may outlive that by a little.
    while any(map(runs, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left += [f"child {pid}" for pid in children if runs(pid)]
    if alone:
        left += system_v_objects()
    for number in range(8):
        if libc.mq_open(f"/{mark}.{number}".encode(), os.O_RDONLY) >= 0:
            left.append(f"message queue {mark}.{number}")
        else:
            check(ctypes.get_errno() in (errno.ENOENT, errno.ENOSYS), "mq_open does not answer")
    check(not left, f"{case} has left behind: {left}")


def test_nothing_is_left(program, alone):
    names = {i.split("/")[0] for i in list_cases([program], "*/pingpong/64B/*")} - {"floor"}
    with tempfile.TemporaryDirectory() as directory:
        for name in sorted(names):
            case = list_cases([program], f"{name}/pingpong/64B/*")[-1]
            process, children = start(program, case, directory)
            process.send_signal(signal.SIGINT)
            status, said = process.wait(timeout=PATIENCE_S), process.stderr.read()
            check(status == 130, f"{case} ends with {status} ({said.strip()}) after an interrupt")
            check_nothing_left(f"an interrupted {case}", process, children, directory, alone)

            case = list_cases([program], f"{name}/stream/64B/*")[-1]
            process, children = start(program, case, directory)
            if check(children, f"{case} has no child"):
                os.kill(children[-1], signal.SIGKILL)
            status, said = process.wait(timeout=PATIENCE_S), process.stderr.read()
            check(status == 1 and case in said, f"{case} ends with {status} ({said.strip()}) "
                  "after the death of a child")
            check_nothing_left(f"{case} whose child died", process, children, directory, alone)


def start_fan(program, case, directory, count):
    """As start(), until there are as many members; and they."""
    process, children = start(program, case, directory)
    deadline, members = time.monotonic() + PATIENCE_S, []
    while len(members) < count and process.poll() is None and time.monotonic() < deadline:
        members = [m for child in children for m in children_of(child, program)]
        time.sleep(0.05)
    check(len(members) == count, f"{case} has {len(members)} members")
    return process, children + members


def test_fans(program, alone):
    """As many processes as the name says; the death of one is told; and nothing is left."""
    with tempfile.TemporaryDirectory() as directory:
        for case, count in (("posix_mq/fan-out-4/64B/block", 5), ("pipe/fan-in-8/64B/spin", 9),
                            ("sysv_msg/fan-in-2/1024B/block", 3), ("queue/fan-in-4/64B/block", 5),
                            ("channel/fan-out-2/64B/block", 3)):
            process, children = start_fan(program, case, directory, count)
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=PATIENCE_S)
            check(status == 130, f"{case} ends with {status} after an interrupt")
            check_nothing_left(f"an interrupted {case}", process, children, directory, alone)
            for member in 1, -1:
                process, children = start_fan(program, case, directory, count)
                os.kill(children[member], signal.SIGKILL)
                status, said = process.wait(timeout=PATIENCE_S), process.stderr.read()
                check(status == 1 and "a member died" in said, f"{case}: {status} ({said.strip()})")
                check_nothing_left(f"{case} whose member died", process, children, directory, alone)


def test_interrupt_prints(program):
    """What there is by then."""
    process = subprocess.Popen(
        [program, "--only", "pipe/stream/64B/block", "--seconds", "0.02", "--repeat", "1000"],
        stdout=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE_S)[0]
    check(process.returncode == 130, f"it ends with {process.returncode} after an interrupt")
    check("\nStream, block: " in said and "\npipe " in said, f"an interrupt prints {said!r}")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    program, checker = os.path.realpath(arguments[0]), arguments[1]
    libc.mq_open.restype = ctypes.c_int
    # System V objects have no names: they are counted where there are no others.
    alone = libc.unshare(CLONE_NEWIPC) == 0
    if not alone:
        print("Not looked for: System V objects that are left (it takes root)")
    test_messages_pass([program], checker)
    test_reasons([program], checker)
    test_losses([program], checker)
    test_interrupt_prints(program)
    test_fans(program, alone)
    test_nothing_is_left(program, alone)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
