#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do all figures of a README come from results, and is it seen when they do not? And are those of
this project as its last published results give them? test_readme.py ROOT PROGRAM

PROGRAM is shmring-bench, which knows what cases there are. Exits 77 (skipped) without gnuplot."""
import copy
import json
import lzma
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

BEGIN, END = "<!-- bench/readme: begin -->", "<!-- bench/readme: end -->"
CHART = "bench/results/stream.svg"
PUBLISHED_MAX = 2 << 20
failures = []


def check(good, what):
    if not good:
        failures.append(what)


def result(case, samples, place="l3", **more):
    transport, workload, size, policy = case.split("/")[:4]
    unit = "ns" if workload == "pingpong" else "msg/s"
    row = {"id": case, "transport": transport, "workload": workload, "batch": 1, "class": place,
           "size": int(size[:-1]) if size.endswith("B") and size[:-1].isdigit() else 64,
           "policy": policy, "unit": unit, "samples": samples, "n": len(samples),
           "median": sorted(samples)[len(samples) // 2],
           "cost": {"cpu_ns": [s * 2 for s in samples], "switches": [0.5] * len(samples)}}
    if unit == "ns":
        row |= {"p50": 1, "p99": samples[0] * 30, "p99.9": samples[0] * 40}
    return row | more


def around(middle, count=11):
    return [middle * (1 + (i - count // 2) / 100) for i in range(count)]


def document(scale=1.0):
    rows = []
    for i, name in enumerate(("ring_spsc", "channel", "ck_ring", "pipe")):
        for size in 64, 1024, 65536:
            for policy in "spin", "block":
                rows.append(result(f"{name}/stream/{size}B/{policy}",
                                   around(scale * 8e9 / (size + 40 * i))))
        rows.append(result(f"{name}/pingpong/64B/spin", around(scale * (200 + 20 * i))))
        rows.append(result(f"{name}/pingpong/64B/block", around(scale * (20000 - 1000 * i), 6)))
    rows += [result("rwqueue/stream/64B/spin/threads", around(scale * 3e7), members="threads"),
             result("boost_spsc/stream/64B/spin", around(scale * 9e9, 4)),      # too few
             result("ring_spsc/stream/64B/spin", around(scale * 9e12), "smt"),  # another class
             result("iceoryx/stream/64B/spin", around(scale * 9e12), "mixed"),
             result("floor/line_stream/4MiB/b1", around(scale * 168e6), policy="spin"),
             result("floor/pingpong/2lines/spin", around(scale * 100), id="floor/pingpong/2lines")]
    rows += [result(f"{name}/mpmc-{n}p{n}c/64B/spin", around(scale * 1e7 / n / k))
             for n in (1, 4) for k, name in enumerate(("ring_mpmc", "ck_mpmc"), 1)]
    return {"schema": "shmring.bench/1", "started": "2026-01-02T03:04:05Z", "interrupted": False,
            "host": {"cpu": "A <B>", "kernel": "Linux 6", "hypervisor": True}, "warnings": ["load"],
            "tool": {"compiler": "gcc", "optimized": True, "sanitized": False}, "failures": [],
            "settings": {"seconds": 0.1, "repeat": 11, "quick": False, "only": []},
            "results": rows}


class Place:
    """A directory with a README and results, and the command."""

    def __init__(self, root, name):
        self.command = [sys.executable, str(root / "bench/readme")]
        self.readme = pathlib.Path(name) / "README.md"
        self.chart = pathlib.Path(name) / CHART
        self.source = pathlib.Path(name) / "bench/results/2026-01-02-here/results.json"
        self.source.parent.mkdir(parents=True)
        self.reset()

    def reset(self):
        self.readme.write_text(f"above\n{BEGIN}\n| 1 | 2 |\n{END}\nbelow\n", encoding="utf-8")
        self.source.write_text(json.dumps(document()), encoding="utf-8")
        self.chart.unlink(missing_ok=True)

    def run(self, *arguments, source=None, **more):
        return subprocess.run([*self.command, *arguments, str(source or self.source),
                               str(self.readme)], capture_output=True, text=True, check=False,
                              **more)

    def text(self):
        return self.readme.read_text(encoding="utf-8")

    def refuses(self, what, source=None):
        """Exits with 1, says why, and has written nothing."""
        before, done = self.text(), self.run(source=source)
        check(done.returncode == 1 and done.stderr and "Traceback" not in done.stderr,
              f"{what}: {done}")
        check(self.text() == before and not self.chart.exists(), f"{what}: writes all the same")


def check_tables(text):
    check(text.startswith(f"above\n{BEGIN}\n") and text.endswith(f"\n{END}\nbelow\n"),
          "changes what is not its own")
    check("| 1 | 2 |" not in text, "leaves what stood there")
    for line in (
            "| shmring ring | **125 [119-131] 11** | **7.81 [7.42-8.20] 11** "
            "| **0.122 [0.116-0.128] 11** | **200 [190-210] ns 11** | **7600 ns** |",
            "| ck_ring | 55.6 [52.8-58.3] 11 | 7.25 [6.88-7.61] 11 | 0.122 [0.116-0.128] 11 "
            "| 240 [228-252] ns 11 | 9120 ns |",
            "| boost spsc_queue | too few (4) |  |  |  |  |",
            "| ReaderWriterQueue (threads) | 30.0 [28.5-31.5] 11 |  |  |  |  |",
            "| floor: bare lines | 168 [160-176] 11 |  |  | 100 [95-105] ns 11 | 3800 ns |",
            "| shmring claim ring | **10.0 [9.5-10.5] 11** |  | **2.50 [2.38-2.62] 11** |  |"):
        check(line in text, f"lacks {line}")
    # Of six samples the middle is between two.
    check(re.search(r"^\| pipe \|.* \*\*16\.9 \[16\.5-17\.3\] us 6\*\* \| \*\*495 us\*\* \| "
                    r"\*\*33\.8 \[", text, re.M), "the sleeping of a pipe")
    for what in ("A &lt;B&gt; in a virtual machine, Linux 6, gcc; 2026-01-02", "11 interleaved",
                 f"({CHART})", "(bench/results/2026-01-02-here)"):
        check(what in text.replace("\n", " "), f"does not say {what}")
    check("iceoryx" not in text, "a class is among those of another")


def check_from_results(place):
    """All cells with a figure are others when all samples are."""
    texts = []
    for scale in 1.0, 1.37:
        place.reset()
        place.source.write_text(json.dumps(document(scale)), encoding="utf-8")
        place.run()
        texts.append([c for line in place.text().split("\n") if line.startswith("|")
                      for c in line.split("|")[2:-1] if re.search(r"\d \[|\d [nu]s", c)])
    check(len(texts[0]) == len(texts[1]) > 30, f"{len(texts[0])} figures")
    for one, other in zip(*texts):
        check(one != other, f"{one} does not come from the samples")


def check_check(place):
    place.reset()
    check(place.run("--check").returncode == 1, "--check: a README that has other tables is good")
    check(not place.chart.exists() and "| 1 | 2 |" in place.text(), "--check writes")
    check(place.run().returncode == 0 and place.run("--check").returncode == 0,
          "--check: what was just written is not good")
    good, drawn = place.text(), place.chart.read_text(encoding="utf-8")
    for path, text, what in (
            (place.readme, good.replace("55.6 [", "55.7 ["), "a figure"),
            (place.readme, good.replace(" 11 |", " 12 |", 1), "a number of samples"),
            (place.chart, drawn.replace("M", "m", 1), "the chart")):
        before = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        done = place.run("--check")
        check(text != before and done.returncode == 1 and done.stdout,
              f"--check does not see {what}")
        check(path.read_text(encoding="utf-8") == text, f"--check mends {what}")
        path.write_text(before, encoding="utf-8")
    place.chart.unlink()
    check(place.run("--check").returncode == 1, "--check does not miss the chart")
    place.chart.write_text(drawn, encoding="utf-8")
    place.readme.write_text(good.replace("above", "other text"), encoding="utf-8")
    check(place.run("--check").returncode == 0, "--check minds what is not its own")


def check_refusals(place):
    place.reset()
    for what, change in {
            "interrupted": lambda d: d.update(interrupted=True),
            "quick": lambda d: d["settings"].update(quick=True),
            "a choice of cases": lambda d: d["settings"].update(only=["ring_*"]),
            "nine launches": lambda d: d["settings"].update(repeat=9),
            "sanitized": lambda d: d["tool"].update(sanitized=True),
            "not optimised": lambda d: d["tool"].update(optimized=False),
            "a lie": lambda d: d["failures"].append({"id": "x", "reason": "y", "corrupt": True}),
            "another schema": lambda d: d.update(schema="shmring.bench/2"),
            "no schema": lambda d: d.pop("schema"),
            "no samples": lambda d: d.update(results=[]),
            "no samples of the class": lambda d: [r.update({"class": "smt"}) for r in d["results"]],
    }.items():
        changed = copy.deepcopy(document())
        change(changed)
        place.source.write_text(json.dumps(changed), encoding="utf-8")
        place.refuses(what)
    for wrong in "", "[]", "{}", "1", '{"results": [1]}':
        place.source.write_text(wrong, encoding="utf-8")
        place.refuses(f"{wrong!r} for results")
    place.reset()
    packed = place.source.with_suffix(".json.xz")
    whole = lzma.compress(json.dumps(document()).encode())
    for wrong in b"", whole[:-40], b"{}", whole[:7] + b"?" + whole[8:]:
        packed.write_bytes(wrong)
        place.refuses("a broken .xz", packed)
    for wrong in ("", BEGIN + "\n", END + "\n" + BEGIN + "\n",
                  (BEGIN + "\n" + END + "\n") * 2, f"{BEGIN}\n{BEGIN}\n{END}\n"):
        place.readme.write_text(wrong, encoding="utf-8")
        place.refuses(f"markers {wrong!r}")
    place.reset()
    done = place.run(env={"PATH": str(place.source.parent)})
    check(done.returncode == 1 and "gnuplot-nox" in done.stderr, f"no gnuplot: {done}")
    check(place.run("more").returncode == 2, "takes three files")


def check_packed(place):
    place.reset()
    place.run()
    packed = place.source.with_suffix(".json.xz")
    packed.write_bytes(lzma.compress(json.dumps(document()).encode()))
    check(place.run("--check", source=packed).returncode == 0, "what xz packed gives other tables")


def check_published(root):
    """The README is as the newest results give it; until there are some, it can be written."""
    runs = sorted(p for p in (root / "bench/results").glob("2*-*-*-*") if p.is_dir())
    for run in runs:
        packed, page = run / "results.json.xz", run / "page.html"
        if not (packed.exists() and page.exists()):
            check(False, f"{run.name} lacks {packed.name} or {page.name}")
            continue
        started = json.loads(lzma.decompress(packed.read_bytes()))["started"]
        check(run.name.startswith(started[:10] + "-"), f"{run.name} is of {started}")
        check(started in page.read_text(encoding="utf-8"), f"the page of {run.name} is of another")
        for file in packed, page:
            check(file.stat().st_size < PUBLISHED_MAX, f"{file} is too large")
    if runs:
        done = subprocess.run([sys.executable, root / "bench/readme", "--check",
                               runs[-1] / "results.json.xz", root / "README.md"],
                              capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"README.md is not what {runs[-1].name} gives: run "
              f"bench/readme\n{done.stdout}{done.stderr}")
    text = (root / "README.md").read_text(encoding="utf-8")
    check(text.count(BEGIN) == text.count(END) == 1, "README.md has no place for tables")
    rest = text[:text.index(BEGIN)] + text[text.index(END):]
    check(not re.search(r"\d \[\d[\d.]*-\d", rest), "README.md has typed figures")


def check_cases(root, program):
    """What the tables look for can be found: a row of a name that nothing has would be missed by
    nobody."""
    sys.path.insert(0, str(root / "bench/report"))
    sys.dont_write_bytecode = True
    import readme_tables
    done = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    rows = {case: case for case in done.stdout.split()}
    built = {case.split("/")[0] for case in rows}
    known = "".join(p.read_text(encoding="utf-8") for p in (root / "bench").rglob("*.c*"))
    for title, columns, transports in readme_tables.TABLES:
        for _, transport in transports:
            check(f'"{transport}"' in known, f"no transport {transport}")
            found = [p for _, p, _ in columns if readme_tables.find(rows, p, transport)]
            check(found or transport not in built, f"{title}: no case of {transport}")
        for _, pattern, _ in columns:
            check(readme_tables.find(rows, pattern, transports[0][1]), f"no case {pattern}")
    for case in readme_tables.FLOORS.values():
        check(case in rows, f"no case {case}")
    for transport in readme_tables.ON_CHART:
        check(f'"{transport}"' in known, f"no transport {transport} for the chart")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if shutil.which("gnuplot") is None:
        print("skipped: no gnuplot")
        return 77
    root = pathlib.Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as name:
        place = Place(root, name)
        done = place.run()
        check(done.returncode == 0 and "load" in done.stderr, f"writing: {done}")
        check_tables(place.text())
        chart = place.chart.read_text(encoding="utf-8")
        xml.fromstring(chart)
        check("ck_ring" in chart and "rwqueue" not in chart, "the lines of the chart")
        check("boost_spsc" not in chart, "too few samples have a line")
        check_from_results(place)
        check_check(place)
        check_refusals(place)
        check_packed(place)
    check_cases(root, arguments[1])
    check_published(root)
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
