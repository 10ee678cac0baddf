#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does a browser show a page of results, and fetch nothing for it? test_picture.py PAGE [PNG]

PNG: where to leave the picture. Exits 77 (skipped) without gnuplot or Chromium."""
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True
import test_page  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT, PATIENCE_S = 700, 1100, 200
NO_PAGE = "not an origin"
ELSEWHERE = "http://elsewhere.example/x.png"
COLOURS_MIN = 100  # letters and lines have soft edges
# In light: paper, card, and the lines of ring_spsc and of one of the others.
SEEN = {"#ffffff": 50000, "#f6f7f9": 10000, "#1668dc": 100, "#c2410c": 20}
failures = []


def check(good, what):
    if not good:
        print(what)
        failures.append(what)


def take_picture(browser, page, picture):
    """What the page asks the network for. The browser itself asks for things too, and says in its
    log that no page did; it gets to nobody, by a proxy that is not there."""
    with tempfile.TemporaryDirectory() as profile:
        log = pathlib.Path(profile, "net.json")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
                   "--disable-component-update", "--disable-sync", "--disable-extensions",
                   "--force-device-scale-factor=1", f"--window-size={WIDTH},{HEIGHT}",
                   f"--user-data-dir={profile}", f"--screenshot={picture}",
                   f"--log-net-log={log}", "--proxy-server=127.0.0.1:1", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        check(picture.exists(), f"no picture: {done.returncode} {done.stderr[-600:]}")
        asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
        return [params["url"] for params in asked if params.get("url", "").startswith("http")
                and params.get("initiator", NO_PAGE) != NO_PAGE]


def predict(kind, left, up, corner):
    """What a filter of PNG adds to a byte."""
    if kind == 4:
        to = left + up - corner
        return min((abs(to - v), i, v) for i, v in enumerate((left, up, corner)))[2]
    return (0, left, up, (left + up) // 2)[kind]


def unfilter(kind, line, above, depth):
    for i, byte in enumerate(line) if kind != 0 else ():
        left, corner = (line[i - depth], above[i - depth]) if i >= depth else (0, 0)
        line[i] = (byte + predict(kind, left, above[i], corner)) & 255
    return line


def colours_of(picture):
    """How many pixels there are of each colour, "#rrggbb"."""
    data, at, body, counts = picture.read_bytes(), 8, b"", {}
    check(data.startswith(b"\x89PNG\r\n\x1a\n"), "the picture is no PNG")
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        part = data[at + 8:at + 8 + length]
        if name == b"IHDR":
            width, height, bits, kind = struct.unpack(">IIBB", part[:10])
        body += part if name == b"IDAT" else b""
        at += 12 + length
    check((width, height, bits) == (WIDTH, HEIGHT, 8), f"{width} x {height}, {bits} bits")
    depth = {2: 3, 6: 4}[kind]
    body, above, step = zlib.decompress(body), bytes(width * depth), width * depth + 1
    for row in range(height):
        line = bytearray(body[row * step + 1:(row + 1) * step])
        above = unfilter(body[row * step], line, above, depth)
        for x in range(0, len(above), depth):
            colour = bytes(above[x:x + 3])
            counts[colour] = counts.get(colour, 0) + 1
    return {"#" + colour.hex(): count for colour, count in counts.items()}


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or shutil.which("gnuplot") is None:
        print(f"skipped: no {'browser' if browser is None else 'gnuplot'}")
        return 77
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        source, page = directory / "in.json", directory / "out.html"
        picture = pathlib.Path(arguments[1]).resolve() if len(arguments) == 2 else \
            directory / "out.png"
        source.write_text(json.dumps(test_page.document()), encoding="utf-8")
        done = test_page.run(arguments[0], source, page)
        check(done.returncode == 0, f"page: {done}")
        asked = take_picture(browser, page, picture)
        check(not asked, f"the page asks for {asked}")
        found = colours_of(picture)
        check(len(found) >= COLOURS_MIN, f"{len(found)} colours: an empty page")
        for colour, least in SEEN.items():
            check(found.get(colour, 0) >= least, f"{colour}: {found.get(colour, 0)} pixels")
        # And would it be seen?
        page.write_text(page.read_text(encoding="utf-8").replace(
            "</body>", f'<img src="{ELSEWHERE}"></body>'), encoding="utf-8")
        asked = take_picture(browser, page, directory / "other.png")
        check(ELSEWHERE in asked, f"a page that does asks for {asked}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
