# SPDX-License-Identifier: MIT
"""Charts of a document shmring.bench/1, drawn by gnuplot as SVG that takes its colours from CSS."""
import re
import subprocess

# Colours of lines: ours first. Each pair is for light and for dark.
LINES = [("#1668dc", "#6ea8ff"), ("#c2410c", "#ff9d5c"), ("#0f8a6d", "#4fd1ad"),
         ("#9333a8", "#d291f0"), ("#946200", "#e2bb4a"), ("#be185d", "#ff85b5"),
         ("#4d7c0f", "#a9d46a"), ("#5b6779", "#9aa8bb")]
LINES_MAX = len(LINES)
INK, AXIS, GRID = 1, 2, 3  # placeholders rgb(n,0,0) that become var(--...)
NAMES = {INK: "ink", AXIS: "axis", GRID: "grid"}
# Ours are drawn first, thick, and have these colours on every chart; no chart has both of a pair.
OURS = {"ring_spsc": 0, "ring_mpmc": 0, "channel": 1, "queue": 2, "ring_array": 3, "link": 4}
CLASSES = ("same-core", "smt", "l3", "cross-l3")

HEAD = f"""set term svg size 640,440 font 'sans-serif,13' noenhanced
set border 3 lc rgb '#0{AXIS}0000'
set tics nomirror out textcolor rgb '#0{INK}0000'
set grid xtics ytics lt 1 lw 0.5 lc rgb '#0{GRID}0000'
set key below center maxcols 3 Left reverse samplen 2 textcolor rgb '#0{INK}0000'
set logscale xy
set mxtics 1
set mytics 1
"""


def label(row):
    """What a line or a row of a table is called."""
    name = row["transport"] if row["transport"] != "floor" else \
        "floor " + "/".join(row["id"].split("/")[1:])
    if row["batch"] != 1 and row["transport"] != "floor":
        name += f"/b{row['batch']}"
    usual = "threads" if row["workload"].startswith("mpmc") else "processes"
    if row.get("members", usual) != usual:
        name += " (" + row["members"] + ")"
    return name


def main_class(rows):
    """The class that has most samples: all else is not compared with these."""
    count = {c: sum(r["n"] for r in rows if r["class"] == c) for c in CLASSES}
    return max(CLASSES, key=count.get) if any(count.values()) else None


def size_text(size):
    for step, unit in (1 << 20, "MiB"), (1 << 10, "KiB"):
        if size >= step:
            return f"{size // step} {unit}"
    return f"{size} B"


def choose(lines, best_last):
    """At most so many as there are colours: ours, then the best of the others, variants of ours
    last. And how many are left out."""
    def order(name):
        variant = any(name.startswith(ours + "_") for ours in OURS)
        return name not in OURS, variant, lines[name][-1][1] * (-1 if best_last else 1)

    ordered = sorted(lines, key=order)
    return {name: lines[name] for name in ordered[:LINES_MAX]}, len(ordered) - LINES_MAX


class Palette:
    """The same colour for a name on every chart, as far as there are enough."""

    def __init__(self):
        self.known = dict(OURS)

    def of(self, names):
        taken = {}
        for name in sorted(names, key=lambda n: n not in self.known):
            free = [i for i in range(LINES_MAX) if i not in taken.values()]
            want = self.known.get(name)
            if want not in free:
                want = next((i for i in free if i not in self.known.values()), free[-1])
            taken[name] = want
            self.known.setdefault(name, want)
        return taken


def paint(svg, prefix):
    """Ids of its own, colours of the page, and nothing that says where it comes from."""
    def colour(match):
        red, green = int(match[2]), int(match[3])
        return f"{match[1]}:var(--{NAMES[red] if green == 0 else f'line{green - 1}'})"

    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", svg, flags=re.S)
    svg = re.sub(r"(\bid=['\"]|href=['\"]#|url\(#)", rf"\g<1>{prefix}", svg)
    svg = re.sub(r"(stroke|fill|color)\s*=\s*['\"]rgb\(\s*(\d+),\s*(\d+),\s*0\)['\"]",
                 lambda m: f'style="{colour(m)}"', svg)
    return svg


def draw(lines, commands, prefix, palette):
    """lines: {name: [(x, y)]}. Returns SVG."""
    data, plots, colour = [], [], palette.of(lines)
    for i, (name, points) in enumerate(lines.items()):
        title = name.replace("'", "")
        width = 2.6 if name in OURS else 1.4
        plots.append(f"$line{i} with linespoints lw {width} pt 7 ps 0.35 "
                     f"lc rgb '#00{colour[name] + 1:02x}00' title '{title}'")
        data.append(f"$line{i} << EOD\n" + "".join(f"{x:.9g} {y:.9g}\n" for x, y in points)
                    + "EOD\n")
    script = HEAD + "\n".join(commands) + "\n" + "".join(data) + "plot " + ", ".join(plots) + "\n"
    run = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    if run.returncode != 0 or not run.stdout:
        raise RuntimeError("gnuplot: " + run.stderr.strip())
    return paint(run.stdout, prefix)


def spectrum_points(row):
    """1 / (1 - share) and seconds: what is rare lies to the right."""
    pairs = row.get("spectrum") or [[float(k[1:]) / 100, row[k]] for k in row
                                    if re.fullmatch(r"p\d+(\.\d+)?", k)]
    return [(1 / (1 - share), ns / 1e9) for share, ns in pairs if share < 1 and ns > 0]


def spectra(results, palette):
    """One chart for each policy: round trips of 64 bytes."""
    ticks = ", ".join(f"'{name}' {x}" for name, x in
                      [("p0", 1), ("p50", 2), ("p90", 10), ("p99", 100), ("p99.9", 1000),
                       ("p99.99", 10000), ("p99.999", 100000)])
    for policy in "spin", "adaptive", "block":
        rows = [r for r in results if r["workload"] == "pingpong" and r["size"] == 64
                and r["policy"] == policy]
        place = main_class(rows)
        lines = {label(r): spectrum_points(r) for r in rows if r["class"] == place}
        lines, left = choose({n: p for n, p in lines.items() if p}, False)
        if lines:
            yield {"title": f"Round trips of 64 B, {policy}", "class": place, "left": left,
                   "text": "How long the slowest take: half of all round trips are left of p50, "
                           "one of 1000 is right of p99.9. Lower is better.",
                   "svg": draw(lines, [f"set xtics ({ticks})", "set format y '%.0s %cs'"],
                               f"spectrum-{policy}-", palette)}


def streams(results, palette):
    """One chart for each policy: messages per second by size."""
    for policy in "spin", "adaptive", "block":
        rows = [r for r in results if r["workload"] == "stream" and r["policy"] == policy
                and r["batch"] == 1]
        place, lines = main_class(rows), {}
        for row in sorted(rows, key=lambda r: r["size"]):
            if row["class"] == place and row["median"] > 0:
                lines.setdefault(label(row), []).append((row["size"], row["median"]))
        sizes = sorted({x for points in lines.values() for x, _ in points})
        ticks = ", ".join(f"'{size_text(size)}' {size}" for size in sizes)
        lines, left = choose(lines, True)
        if len(sizes) > 1:
            yield {"title": f"Stream by size, {policy}", "class": place, "left": left,
                   "text": "Messages per second, one publication for each. Higher is better.",
                   "svg": draw(lines, [f"set xtics ({ticks})", "set format y '%.0s%c'",
                                       f"set ylabel 'messages/s' tc rgb '#0{INK}0000'"],
                               f"stream-{policy}-", palette)}


def crowds(results, palette):
    """One chart for each size: many to many, by how many."""
    rows = [r for r in results if r["workload"].startswith("mpmc") and r["batch"] == 1]
    for size in sorted({r["size"] for r in rows}):
        place, lines = main_class([r for r in rows if r["size"] == size]), {}
        for row in sorted(rows, key=lambda r: r["producers"]):
            if row["size"] == size and row["class"] == place and row["median"] > 0 \
                    and row["producers"] == row["consumers"]:
                lines.setdefault(label(row), []).append((row["producers"], row["median"]))
        sides = sorted({x for points in lines.values() for x, _ in points})
        ticks = ", ".join(f"'{n}p{n}c' {n}" for n in sides)
        lines, left = choose(lines, True)
        if len(sides) > 1:
            yield {"title": f"Many to many, {size_text(size)}", "class": place, "left": left,
                   "text": "Messages per second by producers and consumers. Higher is better.",
                   "svg": draw(lines, [f"set xtics ({ticks})", "set format y '%.0s%c'",
                                       f"set ylabel 'messages/s' tc rgb '#0{INK}0000'"],
                               f"mpmc-{size}-", palette)}


def draw_all(results):
    palette = Palette()
    return [*spectra(results, palette), *streams(results, palette), *crowds(results, palette)]


def colours(dark):
    base = {"ink": "#e6e9ef", "axis": "#8b94a3", "grid": "#343b47"} if dark else \
        {"ink": "#1c2330", "axis": "#6b7482", "grid": "#dde1e7"}
    base |= {f"line{i}": pair[dark] for i, pair in enumerate(LINES)}
    return ";".join(f"--{name}:{value}" for name, value in base.items())


def alone(svg):
    """The same as a file of its own, light or dark as the reader has it."""
    style = f"<style>svg{{{colours(False)}}}@media(prefers-color-scheme:dark){{svg{{" \
        f"{colours(True)}}}}}</style>"
    return svg.replace("<g", style + "<g", 1)
