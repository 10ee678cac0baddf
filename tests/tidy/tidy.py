#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The style as a test: tidy.py ROOT [--list]

Prints one line per finding, with what to write instead, and exits 1 if there is one.
--list prints the pairs of ordering comments with their places.
"""
import pathlib
import re
import sys

COLUMNS, FILE_LINES, FUNCTION_LINES, COMMENT_DISTANCE = 100, 400, 60, 4

AREAS = ("include", "src", "bench", "tests", "examples", "fuzz", "cmake", ".ci", ".github")
SKIPPED = {"build", "results", "corpus", "regress", "__pycache__"}
C_SUFFIXES = {".c", ".h", ".cpp", ".hpp"}
HASH_SUFFIXES = {".py", ".sh", ".cmake", ".yml"}

# A header of include/shmring and the ones it may include; src/X.c may include X.h and the same.
BASE = {"atomic", "layout", "member"}
MPMC = BASE | {"mpmc_word", "mpmc_side"}
WAIT = BASE | {"bell", "clock", "spin"}
CHANNEL = WAIT | {"spsc", "spsc_array", "segment", "wait"}
QUEUE = CHANNEL | MPMC | {"mpmc", "event", "channel"}
LAYERS = {
    "atomic": set(),
    "clock": set(),
    "cpu": {"spin"},
    "error": set(),
    "layout": {"atomic"},
    "member": {"atomic", "layout"},
    "spsc": BASE,
    "mpmc_word": BASE,
    "mpmc_side": BASE | {"mpmc_word"},
    "mpmc": MPMC,
    "mpmc_walk": MPMC | {"mpmc"},
    "mpmc_take": MPMC | {"mpmc"},
    "mpmc_recover": MPMC | {"mpmc"},
    "segment": BASE,
    "bell": {"atomic", "layout", "clock"},
    "spin": {"atomic"},
    "wait": WAIT,
    "event": WAIT | {"wait"},
    "spsc_array": BASE | {"spsc"},
    "channel": CHANNEL,
    "link": CHANNEL | {"channel"},
    "queue": QUEUE,
    "poll": QUEUE | {"queue"},
    "stats": QUEUE | {"queue"},
}
# Libraries of their own: their headers are not in shmring.h, and src/X may include no more.
APART = {"hub": CHANNEL | {"channel", "link"}}
LAYERS |= APART
# Headers of src, which are not installed, and what they may include; and the parts of a unit.
PRIVATE = {
    "segment_parts": {"segment"},
    "bell_backends": {"bell"},
    "blocking": WAIT | {"wait"},
    "channel_open": CHANNEL | {"channel"},
    "options": set(),
    "lane": CHANNEL | {"channel", "link", "segment_parts"},
    "link_parts": CHANNEL | {"channel", "link"},
    "link_wire": CHANNEL | {"channel", "link"},
    "queue_ends": QUEUE | {"queue"},
}
LAYERS |= PRIVATE
LAYERS["segment"] |= {"segment_parts", "options"}
LAYERS["segment_open"] = {"segment_parts"}
LAYERS["bell"] |= {"bell_backends"}
LAYERS["bell_eventfd"] = LAYERS["bell_socket"] = LAYERS["bell_sysv"] = {"bell_backends"}
LAYERS["bell_sem"] = {"bell_backends", "segment"}
LAYERS["channel_open"] |= {"bell_backends", "options", "queue"}
LAYERS["link"] |= {"lane", "link_parts", "link_wire", "options"}
LAYERS["link_client"] = LAYERS["link_server"] = {"lane", "link_parts", "link_wire"}
LAYERS["link_accept"] = {"link_parts"}
LAYERS["link_listen"] = {"lane", "link_parts"}
LAYERS["link_path"] = {"link_parts"}
LAYERS["channel_sender"] = {"channel_open", "blocking"}
LAYERS["channel_receiver"] = {"bell_backends", "channel_open", "blocking"}
LAYERS["queue_sender"] = {"channel_open", "blocking", "queue_ends"}
LAYERS["poll"] |= {"blocking", "queue_ends", "bell_backends"}
LAYERS["queue_receiver"] = LAYERS["queue_sender"] | {"bell_backends"}
LAYERS["shmring"] = LAYERS["inline"] = {*LAYERS, "shmring"} - set(PRIVATE) - set(APART)

ORDER = re.compile(r"\bmemory_order_\w+|\b__ATOMIC_\w+|\b__(?:atomic|sync)_\w+"
                   r"|\batomic_\w+\s*\(|\b_Atomic\b|\bstdatomic\b")
RAW = re.compile(r"(?:\.|->)raw\b")
ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*\)\)")
VOLATILE = re.compile(r"\bvolatile\b(?! sig_atomic_t\b)")
VERB = re.compile(r"\bshmring_(?:\w+_(?:acquire|release|acq_rel|seq_cst|relaxed)|fence_\w+)"
                  r"(?=\s*\()")
TAG = r"\[(\w+\.\w+)\]"
PAIR = re.compile(TAG + r" pairs with ((?:(?:, | and |, and )?" + TAG + r")+)")
MACRO = re.compile(r"\s*#\s*define\s+(\w+)\(")
INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')
ERROR = re.compile(r"(?<![\w-])-E[A-Z][A-Z0-9]+\b")
MARKER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def split(text):
    """C text as two lists of lines: code (comments and literals blanked) and comments."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    blank = re.compile(r"[^\n]")
    code, comments, end = [], [], 0
    for match in token.finditer(text):
        before, found = text[end:match.start()], match.group()
        is_comment = found[0] == "/"
        code += [before, blank.sub(" ", found)]
        comments += [blank.sub(" ", before), found if is_comment else blank.sub(" ", found)]
        end = match.end()
    code.append(text[end:])
    comments.append(blank.sub(" ", text[end:]))
    return "".join(code).split("\n"), "".join(comments).split("\n")


class Source:
    """A file: its lines from 1, and for C the code and the comments in them apart."""

    def __init__(self, root, path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.area = self.name.split("/")[0]
        text = path.read_text(encoding="utf-8")
        self.lines = text.split("\n")
        self.is_c = path.suffix in C_SUFFIXES
        self.is_core = self.is_c and self.area in ("include", "src")
        self.is_script = self.lines[0].startswith("#!")
        if self.is_c:
            self.code, self.comments = split(text)

    def comment_above(self, line, after):
        """The comment within COMMENT_DISTANCE lines above line, whole, but not above after."""
        first = max(line - COMMENT_DISTANCE, after + 1, 1)
        while (first > after + 1 and self.comments[first - 1].strip()
               and not self.code[first - 1].strip() and self.comments[first - 2].strip()
               and not self.code[first - 2].strip()):
            first -= 1
        text = " ".join(c.strip().lstrip("*") for c in self.comments[first - 1:line])
        return re.sub(r"\s+", " ", text)


class Tidy:
    def __init__(self, root):
        self.root = root
        self.findings = []
        self.pairs = {}   # tag -> {partner: [place, ...]}
        self.table = {}   # tag -> place, from the opening comments of headers
        self.sources = [Source(root, p) for p in sorted(self.files())]
        self.verbs = self.atomic_verbs()

    def files(self):
        places = [p for a in AREAS for p in (self.root / a).rglob("*")]
        for path in places + list(self.root.glob("CMakeLists.txt")):
            inside = path.relative_to(self.root).parts
            if not path.is_file() or path.is_symlink() or SKIPPED & set(inside):
                continue
            if path.suffix in C_SUFFIXES | HASH_SUFFIXES or path.name == "CMakeLists.txt":
                yield path
            elif not path.suffix and path.read_bytes()[:2] == b"#!":
                yield path

    def atomic_verbs(self):
        """The functions of atomic.h whose name says an order: what the ordering rules look for."""
        for source in self.sources:
            if source.name == "include/shmring/atomic.h":
                return {m.group() for line in source.code for m in VERB.finditer(line)}
        return set()

    def report(self, source, line, message):
        self.findings.append((source.name, line, message))

    def run(self):
        for source in self.sources:
            self.check_text(source)
            if source.is_c:
                self.check_lengths(source)
                self.check_macros(source)
                self.check_includes(source)
            if source.is_core and source.name != "include/shmring/atomic.h":
                self.check_orders(source)
            if source.is_core and source.name not in ("include/shmring/atomic.h", "src/inline.c"):
                self.check_sites(source)
            if source.area == "include":
                self.collect_table(source)
        self.check_pairs()
        self.check_errors()

    def check_text(self, source):
        want = "/* SPDX-License-Identifier: MIT */" if source.is_c else \
            "# SPDX-License-Identifier: MIT"
        first = 2 if source.is_script else 1
        if (source.lines + ["", ""])[first - 1] != want:
            self.report(source, first, f"line {first} must be: {want}")
        for n, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS:
                self.report(source, n, f"longer than {COLUMNS} columns: break the line")
            if "\t" in line or line != line.rstrip():
                self.report(source, n, "tab or trailing blank: use spaces, and none at the end")
            marker = MARKER.search(line)
            if marker:
                self.report(source, n, f"{marker[1]}: do it now, or write an issue")

    def check_lengths(self, source):
        count = len(source.lines) - 1
        if count > FILE_LINES:
            self.report(source, FILE_LINES, f"{count} lines, more than {FILE_LINES}: "
                        "give the second idea in it a file of its own")
        start = None
        for n, line in enumerate(source.code, 1):
            if re.match(r"[A-Za-z_].*\)\s*\{$", ATTRIBUTE.sub("", line).rstrip()):
                self.report(source, n, "the opening brace of a function stands alone in column 0")
            if line.rstrip() == "{":
                start = n
            elif line.rstrip() == "}" and start:
                if n - start - 1 > FUNCTION_LINES:
                    self.report(source, start, f"function of {n - start - 1} lines, more than "
                                f"{FUNCTION_LINES}: split it where a name helps")
                start = None

    def check_macros(self, source):
        for n, line in enumerate(source.code, 1):
            macro = MACRO.match(line)
            if not macro or source.name == "include/shmring/atomic.h":
                continue
            if source.name == "tests/check.h" and re.match(r"(CHECK|SKIP)", macro[1]):
                continue
            self.report(source, n, f"function-like macro {macro[1]}: write an inline function")

    def check_includes(self, source):
        for n, line in enumerate(source.lines, 1):
            include = INCLUDE.match(line)
            if not include or not source.code[n - 1].strip():
                continue
            file = include[2]
            if file.startswith("shmring/"):
                self.check_layer(source, n, file)
            elif include[1] == '"':
                self.check_local(source, n, file)

    def check_layer(self, source, n, file):
        if not (self.root / "include" / file).is_file():
            self.report(source, n, f"{file} is no public header of include/shmring")
        unit, layer = source.path.stem, None
        if source.area == "include":
            layer = LAYERS.get(unit)
        elif source.path.parent == self.root / "src":
            layer = LAYERS.get(unit, set()) | {unit}
        elif source.area == "src" and source.path.parent.name in APART:
            layer = APART[source.path.parent.name] | {source.path.parent.name}
        else:
            return
        if layer is None:
            self.report(source, n, f"{unit}.h has no layer: add it to LAYERS in tests/tidy/tidy.py")
        elif file[len("shmring/"):-len(".h")] not in layer:
            allowed = ", ".join(sorted(layer)) or "none of ours"
            self.report(source, n, f"{source.name} may not include {file}, only: {allowed}")

    def check_local(self, source, n, file):
        if source.area == "include" or source.path.parent == self.root / "src":
            stem = file.removesuffix(".h")
            if source.area == "include" or stem not in PRIVATE:
                self.report(source, n, f'"{file}": include "shmring/<unit>.h", or add it to '
                            "PRIVATE in tests/tidy/tidy.py")
            elif stem not in LAYERS.get(source.path.stem, set()) | {source.path.stem}:
                self.report(source, n, f"{source.name} may not include {file}")
            return
        area = source.path.parent if source.area == "src" else self.root / source.area
        near = [(d / file).resolve() for d in (source.path.parent, area)]
        if source.name.startswith("fuzz/cli_"):  # the command has no public headers
            area = self.root
            near = [near[0], (self.root / "src/cli" / file).resolve()]
        if not any(p.is_file() and p.is_relative_to(area.resolve()) for p in near):
            self.report(source, n, f'"{file}" is not under {area.relative_to(self.root)}: '
                        "use the public headers and what lies beside")

    def check_orders(self, source):
        for n, line in enumerate(source.code, 1):
            order = ORDER.search(line)
            if not order and not source.name.startswith("src/cli/"):
                order = RAW.search(line)
            if order:
                self.report(source, n, f"{order.group()}: use a verb of include/shmring/atomic.h, "
                            "or add one there")
            if VOLATILE.search(line):
                self.report(source, n, "volatile: use a shmring_word and the verbs of "
                            "include/shmring/atomic.h")

    def check_sites(self, source):
        last = 0
        for n, line in enumerate(source.code, 1):
            verbs = {m.group() for m in VERB.finditer(line)} & self.verbs
            ordered = sorted(v for v in verbs if not v.endswith("_relaxed"))
            if len(ordered) < len(verbs) and "relaxed:" not in source.comment_above(n, 0):
                self.report(source, n, "relaxed access: say above it why that is enough, "
                            "/* relaxed: ... */")
            if not ordered:
                continue
            tags = PAIR.findall(source.comment_above(n, last))
            if not tags:
                self.report(source, n, f"{ordered[0]}: name the partner in a comment above it, "
                            "/* [unit.X] pairs with [unit.Y] */")
            for tag, partners, _ in tags:
                for partner in re.findall(TAG, partners):
                    places = self.pairs.setdefault(tag, {}).setdefault(partner, [])
                    places.append((source, n))
            last = n

    def collect_table(self, source):
        for n, line in enumerate(source.code, 1):
            if line.strip():
                break
            for tag in re.findall(TAG, source.comments[n - 1]):
                self.table.setdefault(tag, (source, n))

    def check_pairs(self):
        for tag, partners in sorted(self.pairs.items()):
            for partner, places in sorted(partners.items()):
                if partner not in self.pairs:
                    self.report(*places[0], f"[{tag}] pairs with [{partner}], which stands at no "
                                "site: tag the other end")
                elif tag not in self.pairs[partner]:
                    self.report(*places[0], f"[{tag}] pairs with [{partner}], which does not name "
                                f"[{tag}] back: make both ends agree")
            if tag not in self.table:
                place = next(iter(partners.values()))[0]
                self.report(*place, f"[{tag}] is in no table: add it to the ordering table that "
                            "opens the unit's header")
        for tag, place in sorted(self.table.items()):
            if tag not in self.pairs:
                self.report(*place, f"the table names [{tag}], but no site carries it: tag the "
                            "site or drop the row")

    def check_errors(self):
        """What the headers document and what src/error.c has a text for are the same."""
        documented, texts = {}, {}
        for source in self.sources:
            found = documented if source.area == "include" else texts
            if source.area != "include" and source.name != "src/error.c":
                continue
            for n, line in enumerate(source.lines, 1):
                for error in ERROR.findall(line):
                    found.setdefault(error, (source, n))
        for error in sorted(documented.keys() - texts.keys()):
            self.report(*documented[error], f"{error} has no text: add it to src/error.c")
        for error in sorted(texts.keys() - documented.keys()):
            self.report(*texts[error], f"{error} is documented in no header: drop its text")

    def list_pairs(self):
        for tag, partners in sorted(self.pairs.items()):
            for partner, places in sorted(partners.items()):
                where = " ".join(f"{s.name}:{n}" for s, n in places)
                print(f"{tag} pairs with {partner}: {where}")


def main(arguments):
    roots = [a for a in arguments if not a.startswith("-")]
    if len(roots) != 1 or set(arguments) - set(roots) - {"--list"}:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    tidy = Tidy(pathlib.Path(roots[0]).resolve())
    tidy.run()
    if "--list" in arguments:
        tidy.list_pairs()
    for name, line, message in sorted(set(tidy.findings)):
        print(f"{name}:{line}: {message}")
    if not tidy.sources:
        print(f"no sources under {tidy.root}", file=sys.stderr)
    return 1 if tidy.findings or not tidy.sources else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
