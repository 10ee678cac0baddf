#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Is a page of results whole, and does it need nothing from elsewhere? test_page.py PAGE

Exits 77 (skipped) without gnuplot."""
import json
import lzma
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from html.parser import HTMLParser

NASTY = "<script src='http://example.org/x.js'>alert(1)</script> & \"more\""
failures = []


def check(good, what):
    if not good:
        failures.append(what)


def result(transport, workload, size, policy, median, place="l3", **more):
    dialogue = workload in ("pingpong", "open", "burst")
    row = {"id": f"{transport}/{workload}/{size}B/{policy}", "transport": transport,
           "workload": workload, "size": size, "policy": policy, "batch": 1, "class": place,
           "unit": "ns" if dialogue else "msg/s", "samples": [median] * 3, "median": median,
           "n": 3, "cost": {"cpu_ns": [5.0] * 3, "switches": [0.5] * 3}}
    if dialogue:
        times = [median * k for k in (1, 2, 3, 4, 5)]
        row |= dict(zip(("p50", "p90", "p99", "p99.9", "p99.99"), times))
        row["spectrum"] = [[0.0, median], [0.5, median], [0.9, median * 2], [1.0, median * 9]]
    return row | more


def document():
    rows, names = [], ["ring_spsc", "pipe", "ck_ring"] + [f"peer{i}" for i in range(9)]
    for i, name in enumerate(names):
        for policy in "spin", "block":
            rows.append(result(name, "pingpong", 64, policy, 200 + 10 * i))
            rows += [result(name, "stream", size, policy, 1e8 / size - i) for size in (8, 64)]
    rows.append(result("rare", "stream", 8, "spin", 9e9, "smt"))  # another class
    rows.append(result("floor", "pingpong", 64, "spin", 70, id="floor/pingpong/1line"))
    for many in 1, 4:
        rows += [result(name, f"mpmc-{many}p{many}c", 64, "spin", 1e6 * many, producers=many,
                        consumers=many, members="threads") for name in ("ring_mpmc", "vyukov")]
    for name in "ring_spsc", "pipe":
        for load in 1000, 20000:
            rows.append(result(name, "open", 64, "block", load + len(name), rate=load))
        rows.append(result(name, "burst", 64, "block", 5000, "same-core", burst=16, every_us=500))
        for fan, sides in ("fan-in", (4, 1)), ("fan-out", (1, 4)):
            rows.append(result(name, fan, 64, "block", 2e6 + len(name), producers=sides[0],
                               consumers=sides[1], members="processes"))
    return {"schema": "shmring.bench/1", "started": "2026-01-02T03:04:05Z", "took_s": 12.5,
            "interrupted": True, "tool": {"version": "9.8.7", "compiler": "gcc"},
            "host": {"cpu": "A & B", "kernel": "Linux 6", "hypervisor": True},
            "environment": {"smt": {"state": "bad", "found": "1"}},
            "counters": {"scope": "user", "missing": {"cycles": "no such thing"}},
            "settings": {"seconds": 0.25, "repeat": 7, "quick": True, "only": ["a*", "b"],
                         "same_core": True, "rates": [1000, 20000],
                         "bursts": [{"burst": 16, "every_us": 500}, {"burst": 2, "every_us": 7}],
                         "transports": {"pipe": "settings of the pipe", "none": "unused"}},
            "warnings": [NASTY], "classes": {"l3": 96, "mixed": 4}, "skipped": [],
            "failures": [{"id": "x/y", "reason": "it broke", "corrupt": False}], "results": rows}


def run(page, *arguments, **more):
    return subprocess.run([sys.executable, page, *map(str, arguments)], capture_output=True,
                          text=True, check=False, **more)


class Attributes(HTMLParser):
    """All attributes of all elements, and the elements without any."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [(tag, name, value or "") for name, value in attrs] or [(tag, "", "")]


def check_offline(text):
    check(NASTY not in text and "<script" not in text, "what is in the file becomes part of it")
    parser = Attributes()
    parser.feed(text)
    for tag, name, value in parser.found:
        near = name not in ("src", "href", "xlink:href") or value.startswith("#")
        check(near, f"fetches {value}")
        check(tag not in ("script", "link", "iframe", "object"), f"has a {tag}")
        check("url(" not in value.replace("url(#", ""), f"fetches {value}")
    style = text[text.index("<style>"):text.index("</style>")]
    check("url(" not in style and "@import" not in style, "the style fetches something")


def check_charts(text, count):
    charts = re.findall(r"<svg.*?</svg>", text, re.S)
    check(len(charts) == count, f"{len(charts)} charts, not {count}")
    for chart in charts:
        try:
            xml.fromstring(chart)
        except xml.ParseError as error:
            check(False, f"a chart is no XML: {error}")
        check("rgb(" not in chart, "a colour that does not follow light and dark")
    ids = re.findall(r"\bid=[\"']([^\"']+)", text)
    check(ids and len(ids) == len(set(ids)), "an id is there twice")
    used = set(re.findall(r"var\(--(\w+)\)", text))
    for name in used:
        check(text.count(f"--{name}:") >= 2, f"{name} has no colour for light, or none for dark")
    check("4 more are in the tables" in text, "12 lines on one chart")


def cell_of(text, heading, transport):
    """The cells of a row of the first table after the heading."""
    table = text[text.index(f"<h2>{heading}</h2>"):]
    row = table[table.index(f"<td>{transport}</td>"):]
    return re.findall(r"<td.*?</td>", row[:row.index("</tr>")])[1:]


def check_text(text):
    for what in ("9.8.7", "A &amp; B", "2026-01-02T03:04:05Z", "x/y: it broke", "interrupted",
                 "settings of the pipe", "no such thing", "1 (bad)", "l3 96, mixed 4",
                 "--quick --same-core --rate 1000,20000 --burst 16,500,2,7 --only &#x27;a*,b&#x27; "
                 "--seconds 0.25 --repeat 7"):
        check(what in text, f"does not say {what}")
    check("unused" not in text, "has settings of what was not measured")
    best = cell_of(text, "Ping-pong, spin", "ring_spsc")
    other = cell_of(text, "Ping-pong, spin", "pipe")
    check(best == ['<td class="best" title="n = 3">200 / 800</td>'], f"the best cell is {best}")
    check(other == ['<td title="n = 3">210 / 840</td>'], f"another cell is {other}")
    check(cell_of(text, "Stream, spin", "pipe") == [
        '<td title="n = 3">12.5 M</td>', '<td title="n = 3">1.56 M</td>'], "the stream of a pipe")
    check(cell_of(text, "Open loop, 20000 messages per second, block", "pipe") == [
        '<td class="best" title="n = 3">20.0 us / 80.0 us</td>'], "the open loop of a pipe")
    burst = "Burst, 16 messages every 500 us, block"
    check(cell_of(text, burst, "pipe") == ['<td title="n = 3">5000 / 20.0 us</td>'], burst)
    check("class same-core, n = 3" in text, "one processor is not told")
    check(cell_of(text, "Fan-in, 64 B, block", "ring_spsc") == [
        '<td class="best" title="n = 3">2.00 M</td>'], "the fan-in of a ring")
    check("<th>4p1c</th>" in text and "<th>1p4c</th>" in text, "fans do not say of how many")
    check("rare" not in text, "a class is among those of another")
    check("70 / 280" in text and "floor pingpong/1line" in text, "no floors")
    check(len(cell_of(text, "Many to many, 64 B", "vyukov")) == 2, "no table of many to many")


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    if shutil.which("gnuplot") is None:
        print("skipped: no gnuplot")
        return 77
    page = arguments[0]
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        source, target = directory / "in.json", directory / "out.html"
        source.write_text(json.dumps(document()), encoding="utf-8")
        done = run(page, source, target, "--svg", directory)
        check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr}")
        text = target.read_text(encoding="utf-8")
        check_offline(text)
        check_charts(text, 5)
        check_text(text)
        packed = directory / "in.json.xz"
        packed.write_bytes(lzma.compress(source.read_bytes()))
        done = run(page, packed, target)
        check(done.returncode == 0 and target.read_text(encoding="utf-8") == text,
              f"what xz packed gives another page: {done}")
        files = list(directory.glob("*.svg"))
        check(len(files) == 5, f"{len(files)} files of charts")
        for file in files:
            xml.parse(file)
            check("prefers-color-scheme" in file.read_text(encoding="utf-8"), f"{file} is light")
        target.unlink()
        for wrong in "", "{}", "[]", '{"results": [1]}':
            source.write_text(wrong, encoding="utf-8")
            done = run(page, source, target)
            check(done.returncode == 1 and "Traceback" not in done.stderr, f"{wrong}: {done}")
        check(not target.exists(), "leaves a page of nothing")
        source.write_text(json.dumps(document()), encoding="utf-8")
        done = run(page, source, target, env={"PATH": name})
        check(done.returncode == 1 and "gnuplot-nox" in done.stderr, f"no gnuplot: {done}")
        check(run(page).returncode == 2, "takes no files")
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
