# SPDX-License-Identifier: MIT
"""What a README has of a document shmring.bench/1: which cells, and how each is written."""
import html
import math
import statistics
import textwrap

import charts

CLASS, FEWEST, LAUNCHES = "l3", 5, 10

OURS = [("shmring ring", "ring_spsc"), ("shmring channel", "channel"), ("shmring link", "link")]
# A column: its head, its cases, what of them.
SPIN = ("one publication per message, spinning",
        [("64 B", "{}/stream/64B/spin", "rate"), ("1 KiB", "{}/stream/1024B/spin", "rate"),
         ("64 KiB", "{}/stream/65536B/spin", "rate"),
         ("round trip, 64 B", "{}/pingpong/64B/spin", "time"),
         ("its p99.9", "{}/pingpong/64B/spin", "p99.9")],
        OURS + [("ck_ring", "ck_ring"), ("DPDK rte_ring", "rte_spsc"),
                ("boost spsc_queue", "boost_spsc"), ("ReaderWriterQueue (threads)", "rwqueue"),
                ("iceoryx", "iceoryx"), ("floor: bare lines", "floor")])
BLOCK = ("sleeping in the kernel",
         [("64 B", "{}/stream/64B/block", "rate"), ("64 KiB", "{}/stream/65536B/block", "rate"),
          ("round trip, 64 B", "{}/pingpong/64B/block", "time"),
          ("its p99", "{}/pingpong/64B/block", "p99"),
          ("its processor time", "{}/pingpong/64B/block", "cost")],
         OURS[1:] + [("pipe", "pipe"), ("POSIX message queue", "posix_mq"),
                     ("System V message queue", "sysv_msg"),
                     ("shared memory, POSIX semaphores", "shm_sem"),
                     ("shared memory, mutex and conditions", "pshared_mutex"),
                     ("shared memory, eventfds", "eventfd"), ("AF_UNIX stream", "unix_stream"),
                     ("TCP, loopback", "tcp"), ("ZeroMQ ipc", "zmq_ipc"), ("nng ipc", "nng_ipc"),
                     ("iceoryx", "iceoryx"), ("floor: bare futexes", "floor")])
MANY = ("many to many, threads, 64 B",
        [(f"{n} to {n}", f"{{}}/mpmc-{n}p{n}c/64B/spin", "rate") for n in (1, 2, 4, 8)],
        [("shmring claim ring", "ring_mpmc"), ("ck_ring", "ck_mpmc"),
         ("DPDK rte_ring", "rte_ring"), ("boost queue", "boost_queue"),
         ("ConcurrentQueue", "moodycamel")])
TABLES = (SPIN, BLOCK, MANY)
# No other floor does what one message, published alone, has to.
FLOORS = {"{}/stream/64B/spin": "floor/line_stream/4MiB/b1",
          "{}/pingpong/64B/spin": "floor/pingpong/2lines",
          "{}/pingpong/64B/block": "floor/pingpong/futex"}
ON_CHART = ("ring_spsc", "channel", "ck_ring", "rte_spsc", "boost_spsc", "pipe", "unix_stream",
            "posix_mq")


def refuse(document):
    """Why these results are not to be published, or None."""
    settings, tool = document["settings"], document["tool"]
    if document["schema"] != "shmring.bench/1":
        return f"schema {document['schema']}"
    if document["interrupted"]:
        return "the run was interrupted"
    if settings["quick"] or settings["only"]:
        return "not of all cases: whoever chooses can leave out those that win"
    if settings["repeat"] < LAUNCHES:
        return f"{settings['repeat']} launches, fewer than {LAUNCHES}"
    if tool["sanitized"] or not tool["optimized"]:
        return "the build was sanitized or not optimised"
    for failure in document["failures"]:
        if failure["corrupt"]:
            return f"{failure['id']}: {failure['reason']}"
    return None


def digits(values):
    """Three digits of the first, and as many decimals of all."""
    decimals = 2 - math.floor(math.log10(values[0])) if values[0] > 0 else 0
    return [f"{value:.{max(decimals, 0)}f}" for value in values]


def write(values, unit, count=None):
    """A median with its range and the number of samples, or one figure alone."""
    text = digits(values)
    more = f" [{text[1]}-{text[2]}]" if len(text) == 3 else ""
    return text[0] + more + (" " + unit if unit else "") + (f" {count}" if count else "")


def in_time(values, count=None):
    if values[0] < 1e4:
        return write(values, "ns", count)
    return write([value / 1e3 for value in values], "us", count)


def cell(row, what):
    """A figure by which columns are ordered, less is better; and its text."""
    if what in ("p99", "p99.9"):
        return row[what], in_time([row[what]])
    samples = row["cost"]["cpu_ns"] if what == "cost" else row["samples"]
    values = [statistics.median(samples), min(samples), max(samples)]
    if what == "rate":
        return -values[0], write([value / 1e6 for value in values], "", len(samples))
    return values[0], in_time(values, len(samples))


def find(rows, pattern, transport):
    if transport == "floor":
        return rows.get(FLOORS.get(pattern))
    name = pattern.format(transport)
    return rows.get(name) or rows.get(name + "/threads")


def table(rows, title, columns, transports):
    """Lines of Markdown. What was not measured at all has no row; too few samples are no figure."""
    lines, best = [], [None] * len(columns)
    for name, transport in transports:
        found = [find(rows, pattern, transport) for _, pattern, _ in columns]
        if not any(found):
            continue
        cells = [None if row is None else (None, f"too few ({row['n']})") if row["n"] < FEWEST
                 else cell(row, what) for row, (_, _, what) in zip(found, columns)]
        lines.append((name, cells))
        for i, at in enumerate(cells if transport != "floor" else ()):
            if at and at[0] is not None and (best[i] is None or at[0] < best[i]):
                best[i] = at[0]
    text = ["| " + " | ".join([title] + [head for head, _, _ in columns]) + " |",
            "|---" * (len(columns) + 1) + "|"]
    for name, cells in lines:
        is_floor = name.startswith("floor")
        text.append("| " + " | ".join([name] + [
            "" if at is None else f"**{at[1]}**" if not is_floor and at[0] is not None
            and at[0] == best[i] else at[1] for i, at in enumerate(cells)]) + " |")
    return text if lines else []


def caption(document, link):
    host, settings = document["host"], document["settings"]
    machine = f"{host['cpu'] or 'unknown processor'}{' in a virtual machine' * host['hypervisor']}"
    text = f"Two cores that share an L3 ({machine}, {host['kernel']}, " \
        f"{document['tool']['compiler']}; {document['started'][:10]}). Median [min-max] and " \
        f"number of samples, of {settings['repeat']} interleaved launches of " \
        f"{settings['seconds']:g} s; no figure where fewer than {FEWEST} of them met such cores. " \
        "Streams in million messages per second, the best of each column in bold. All results, " \
        f"also of other placements: [{link}]({link})."
    return textwrap.wrap(html.escape(text), 100, break_long_words=False, break_on_hyphens=False)


def chart(rows):
    """The SVG of messages per second by size."""
    chosen = [r for r in rows.values() if r["workload"] == "stream" and r["policy"] == "spin"
              and r["transport"] in ON_CHART and r["n"] >= FEWEST]
    for drawn in charts.streams(chosen, charts.Palette()):
        return charts.alone(drawn["svg"])
    raise ValueError(f"no streams of two sizes in class {CLASS}")


def make(document, link, chart_path):
    """What stands in the README, and the SVG of its chart."""
    rows = {r["id"]: r for r in document["results"] if r["class"] == CLASS}
    parts = [caption(document, link)] + [table(rows, *each) for each in TABLES]
    parts.append([f"![Messages per second by size, spinning]({chart_path})"])
    return "\n\n".join("\n".join(lines) for lines in parts if lines), chart(rows)
