#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does shmring-bench compare judge as statistics do? test_compare.py PROGRAM

The reference: each of all permutations in turn where there are few values; where there are many,
SciPy if it is installed (python3-scipy), else the formula of the normal distribution."""
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
from itertools import combinations

try:
    from scipy import stats
except ImportError:
    stats = None

failures = []


def check(good, what):
    if not good:
        failures.append(what)


def close(left, right):
    return abs(left - right) <= 1e-9 * max(abs(left), abs(right), 1e-9)


def cell(samples, name="ring_spsc/stream/8B/spin", unit="msg/s", place="l3"):
    return {"id": name, "class": place, "unit": unit, "samples": samples}


def write(path, cells, schema="shmring.bench/1"):
    path.write_text(json.dumps({"schema": schema, "results": cells}), encoding="utf-8")
    return str(path)


class Compare:
    """Runs the command with files of these cells."""

    def __init__(self, program, directory):
        self.program, self.directory = program, pathlib.Path(directory)

    def run(self, *arguments):
        return subprocess.run([self.program, "compare", *arguments], capture_output=True,
                              text=True, check=False)

    def files(self, a, b, noise=None):
        paths = [write(self.directory / "a", a), write(self.directory / "b", b)]
        return paths + (["--noise", write(self.directory / "n", noise)] if noise else [])

    def cells(self, a, b, noise=None):
        run = self.run("--json", *self.files(a, b, noise))
        check(run.returncode == 0, f"exit status {run.returncode}: {run.stderr}")
        return {(c["id"], c["class"]): c for c in json.loads(run.stdout)["cells"]}

    def verdict(self, a, b, noise=None):
        return next(iter(self.cells(a, b, noise).values()))["verdict"]


def mid_ranks(values):
    return [sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values]


def by_enumeration(a, b):
    """Two-sided chance, among all ways to deal the ranks, of this sum of ranks or one as far."""
    ranks = mid_ranks(a + b)
    seen = sum(ranks[:len(a)])
    sums = [sum(chosen) for chosen in combinations(ranks, len(a))]
    tails = sum(s <= seen for s in sums), sum(s >= seen for s in sums)
    return min(1, 2 * min(tails) / len(sums))


def by_formula(a, b):
    values, n, m = a + b, len(a), len(b)
    ties = sum(values.count(v) ** 3 - values.count(v) for v in set(values))
    total, rank_sum = n + m, sum(mid_ranks(values)[:n])
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    distance = max(0, abs(rank_sum - n * (total + 1) / 2) - 0.5)
    return 2 * statistics.NormalDist().cdf(-distance / variance ** 0.5)


def pairs():
    """Samples of two runs, and the chance that is to come out."""
    chance = random.Random(1)
    for i in range(120):
        n, m = chance.randint(1, 7), chance.randint(1, 7)
        values = range(1, 6 if i % 2 else 1000)  # with many ties, and hardly any
        a, b = [[chance.choice(values) for _ in range(k)] for k in (n, m)]
        yield a, b, by_enumeration(a, b)
    yield [5] * 6, [5] * 6, 1
    yield [1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 2 / 252
    for shift in (0, 0.3, 3):
        a, b = [[chance.gauss(s, 1) + 100 for _ in range(20)] for s in (0, shift)]
        if stats is not None:
            yield a, b, stats.mannwhitneyu(a, b, method="exact").pvalue
        for digits in (9, 0):
            a, b = [[round(chance.gauss(s, 1) + 100, digits) for _ in range(70)]
                    for s in (0, shift)]
            yield a, b, stats.mannwhitneyu(a, b, method="asymptotic").pvalue \
                if stats is not None else by_formula(a, b)


def holm(chances):
    """Of the sorted ones each times how many are left; none below one before it."""
    order, corrected, before = sorted(range(len(chances)), key=chances.__getitem__), {}, 0
    for left, i in zip(range(len(chances), 0, -1), order):
        corrected[i] = before = max(before, min(1, left * chances[i]))
    return [corrected[i] for i in range(len(chances))]


def check_chances(compare):
    known = list(pairs())
    names = [f"case {i}" for i in range(len(known))]
    cells = compare.cells([cell(a, n) for n, (a, _, _) in zip(names, known)],
                          [cell(b, n) for n, (_, b, _) in zip(names, known)])
    check(len(cells) == len(known), f"{len(cells)} cells of {len(known)}")
    found = [cells[name, "l3"] for name in names]
    for one, (a, b, want) in zip(found, known):
        check(close(one["p"], want), f"{a} and {b}: p is {one['p']}, not {want}")
    corrected = [one["p_holm"] for one in found]
    check(all(map(close, corrected, holm([one["p"] for one in found]))), "not as Holm says")
    # Twice the smaller one, 8 / 252, is more than the larger one, 14 / 252.
    two = [[1, 2, 3, 4, 7], [5, 6, 8, 9, 10]], [[1, 2, 3, 4, 8], [5, 6, 7, 9, 10]]
    cells = compare.cells([cell(a, str(i)) for i, (a, _) in enumerate(two)],
                          [cell(b, str(i)) for i, (_, b) in enumerate(two)])
    check([round(c["p_holm"] * 252) for c in cells.values()] == [16, 16], "Holm falls")
    # His own example of three: 0.01, 0.02 and 0.04 are 0.03, 0.04 and 0.04.
    check(all(map(close, holm([0.04, 0.01, 0.02]), [0.04, 0.03, 0.04])), "the reference is wrong")


LOW, HIGH = [100 + i / 10 for i in range(10)], [110 + i / 10 for i in range(10)]  # 10 % apart
ALIKE = [v + 0.05 for v in LOW]


def check_verdicts(compare):
    for unit, verdicts in ("msg/s", ("better", "worse")), ("ns", ("worse", "better")):
        low, high = [cell(LOW, unit=unit)], [cell(HIGH, unit=unit)]
        check(compare.verdict(low, high) == verdicts[0], f"{unit}: more is {verdicts[0]}")
        check(compare.verdict(high, low) == verdicts[1], f"{unit}: less is {verdicts[1]}")
    check(compare.verdict([cell(LOW)], [cell(ALIKE)]) == "~", "chance is no difference")
    check(compare.verdict([cell(LOW[:3])], [cell(HIGH[:3])]) == "~", "3 and 3 say nothing")
    # What stands out alone does not among many.
    many = [cell(LOW, f"case {i}") for i in range(1000)]
    few = [cell(LOW[:5], "one")], [cell(HIGH[:5], "one")]
    check(compare.verdict(*few) == "better", "5 and 5 say something")
    one = compare.cells(few[0] + many, few[1] + many)["one", "l3"]
    check(one["verdict"] == "~", "one of 1001 such cells is chance")


def check_noise(compare):
    a, b = [cell(LOW)], [cell(HIGH)]
    twice = [v * 1.2 for v in LOW]
    check(compare.verdict(a, b, [cell(ALIKE)]) == "better", "more than the noise of 0.05 %")
    check(compare.verdict(a, b, [cell(twice)]) == "~", "less than the noise of 20 %")
    # Two runs agree here, and in most other cells not.
    others = [cell(LOW, f"case {i}") for i in range(5)]
    noisy = [cell(twice, f"case {i}") for i in range(5)]
    for noise in noisy + [cell(LOW)], noisy:
        found = compare.cells(a + others, b + others, noise)[a[0]["id"], "l3"]
        check(close(found["noise"], 0.2) and found["verdict"] == "~", f"noise {found['noise']}")
    found = compare.cells(a + others, b + others, noisy[:2] + others[2:] + [cell(LOW)])
    check(found[a[0]["id"], "l3"]["verdict"] == "better", "most cells agree, as this one does")


def check_classes(compare):
    a = [cell(LOW), cell(LOW, place="smt"), cell(LOW, place="mixed")]
    b = [cell(HIGH, place="smt"), cell(HIGH, place="mixed"), cell(LOW, place="cross-l3")]
    check(list(compare.cells(a, b)) == [(a[0]["id"], "smt")], "compares what is no pair")


def check_loads(compare):
    """Other rates are other cells, and so is one processor; the settings say so too."""
    one, other = [f"pipe/open-{rate}/64B/block" for rate in (1000, 2000)]
    a, b = [cell(LOW, one, "ns")], [cell(LOW, other, "ns"), cell(LOW, one, "ns", "same-core")]
    paths = compare.files(a + [cell(LOW)], b + [cell(LOW)])
    run = compare.run("--json", *paths)
    ids = [c["id"] for c in json.loads(run.stdout)["cells"]]
    check(ids == [cell(LOW)["id"]], f"compares {ids}")
    for path, same_core in zip(paths, (False, True)):
        document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        document["settings"] = {"same_core": same_core}
        pathlib.Path(path).write_text(json.dumps(document), encoding="utf-8")
    out = compare.run(*paths).stdout
    check("settings.same_core is not the same" in out, "no word of one processor")
    check("only in A, 2 only in B" in out, "no word of cells without a partner")


def check_status(compare):
    files = compare.files([cell(LOW)], [cell(HIGH)])
    back = files[1::-1]
    for arguments, status in ([], 0), (["--fail-over", "5%"], 1), (["--fail-over", "9"], 1), \
            (["--fail-over", "9.2%"], 0):
        got = compare.run(*arguments, *back).returncode
        check(got == status, f"slower by 9.1 %, {arguments}: exit status {got}, not {status}")
    check(compare.run("--fail-over", "0", *files).returncode == 0, "faster is no failure")
    check(compare.run("--help").returncode == 0, "--help")
    for wrong in ([], files[:1], files + files, ["--fail-over", "x", *files],
                  ["--fail-over=-1", *files], ["--fail-over", "nan", *files], ["--bad", *files]):
        check(compare.run(*wrong).returncode == 2, f"takes {wrong}")


def check_input(compare):
    good = write(compare.directory / "good", [cell(LOW)])
    bad = compare.directory / "bad"
    wrong = [[cell([])], [cell(["1"])], [cell([-1])], [cell(LOW, unit="s")], [1], [{}],
             [cell(LOW), cell(LOW)], [dict(cell(LOW), id=7)], [dict(cell(LOW), samples={})]]
    texts = ["", "{", "[]", "7", '{"schema": "shmring.bench/1", "results": [{"id": "\\u0000"}]}']
    for cells in wrong:
        write(bad, cells)
        texts.append(bad.read_text(encoding="utf-8"))
    texts.append(json.dumps({"schema": "shmring.bench/2", "results": []}))
    places = [str(bad), good], [good, str(bad)], [good, good, "--noise", str(bad)]
    for i, text in enumerate(texts):
        bad.write_text(text, encoding="utf-8")
        run = compare.run(*places[i % len(places)])
        check(run.returncode == 2 and run.stderr, f"takes {text}: {run.returncode}")
    check(compare.run(good, str(compare.directory / "none")).returncode == 2, "takes no file")


def check_table(compare):
    long = "transport_of_a_name/stream/65536B/adaptive"
    run = compare.run(*compare.files(
        [cell(LOW, long), cell(LOW, "alike"), cell([0] * 9, "none"), cell([5e11] * 9, "t", "ns")],
        [cell(HIGH, long), cell(ALIKE, "alike"), cell(LOW, "none"), cell([6e11] * 9, "t", "ns")]))
    lines = {line.split()[0]: line for line in run.stdout.replace(long + "\n", long).splitlines()
             if line.strip()}
    check(max(map(len, run.stdout.splitlines())) <= 100, "the table is too wide")
    check("better" in lines[long] and "+10.0%" in lines[long], f"no change in {lines[long]}")
    check("Warning: host" not in run.stdout, "both hosts are unknown, not different")
    check(" ~ " in lines["alike"] and "%" not in lines["alike"], f"a change in {lines['alike']}")
    check("WORSE" in lines["t"], f"no word of it in {lines['t']}")


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as directory:
        compare = Compare(arguments[0], directory)
        for part in (check_chances, check_verdicts, check_noise, check_classes, check_loads,
                     check_status, check_input, check_table):
            part(compare)
    for failure in failures:
        print(failure)
    print("reference: " + ("SciPy" if stats else "enumeration and formula, no python3-scipy"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
