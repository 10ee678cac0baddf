#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models genmc_*.c with GenMC, each under RC11 and IMM: genmc.py [NAME]...

Finds GenMC in $GENMC or PATH; without it, exits 77. Prints a line per model. Exits 1 if one fails
or takes longer than --limit SECONDS (120). What takes minutes runs only if it is named.
--root DIRECTORY: the tree to check, instead of that of this file.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = ("mpmc.c", "mpmc_walk.c", "mpmc_take.c", "mpmc_recover.c")

# What models do not call, and GenMC does not digest: copies of structures and of unknown lengths.
UNUSED = ("look_at_ring attach shmring_mpmc_attach_producer shmring_mpmc_attach_consumer detach "
          "shmring_mpmc_detach_producer shmring_mpmc_detach_consumer shmring_mpmc_send "
          "shmring_mpmc_recv").split()

# That take more than a minute.
LONG = {("basic", "imm"), ("carried_fifo", "imm")}

# The cache of instructions replays a load with the value of another (GenMC 0.10.3); the inliner
# frees what is still used.
OPTIONS = ["--disable-estimation", "--disable-instruction-caching", "--disable-function-inliner"]

RIGHT, WRONG, UNKNOWN = "", "FAILED: ", "NOT KNOWN: "
FOUND = 42  # the exit status of GenMC, when an execution broke a rule

COPY = """static void model_copy(shmring_mpmc_slot *to, const shmring_mpmc_slot *from)
{
    to->data = from->data;
    to->length = from->length;
    to->type = from->type;
    to->redelivered = from->redelivered;
    to->idx = from->idx;
    to->word = from->word;
    to->session = from->session;
}
"""

MOVE = """consumer->open[kept].pos = consumer->open[i].pos;
        consumer->open[kept].word = consumer->open[i].word;
        consumer->open[kept].was_writing = consumer->open[i].was_writing;
        kept++;"""


def find():
    given = os.environ.get("GENMC")
    return given if given else shutil.which("genmc")


def without(text, name, file):
    function = re.compile(r"^[a-z][^;{}]*\b" + name + r"\([^;{}]*\)\n\{\n.*?^\}\n", re.M | re.S)
    text, count = function.subn("", text)
    if count != 1:
        sys.exit(f"genmc.py: {count} functions {name} in {file}")
    return text


def digestible(text):
    """The same with structures copied member by member: GenMC cannot copy them whole."""
    text = text.replace("} shmring_mpmc_slot;\n", "} shmring_mpmc_slot;\n" + COPY)
    text = re.sub(r"\*ret_slot = slot;", "model_copy(ret_slot, &slot);", text)
    text = re.sub(r"\*ret_slot = (?:\(shmring_mpmc_slot\))?((?:\{|shmring_mpmc_own\()[^;]*);",
                  r"{ shmring_mpmc_slot model_slot = \1; model_copy(ret_slot, &model_slot); }",
                  text)
    text = text.replace("SHMRING_MPMC_OPEN_MAX = 32", "SHMRING_MPMC_OPEN_MAX = OPEN_MAX")
    return text.replace("consumer->open[kept++] = consumer->open[i];", MOVE)


def write_model(root, model, folder):
    """One file of all, as GenMC wants it, beside the headers; first what the model says of them."""
    shutil.copytree(root / "include", folder / "include")
    for header in (folder / "include/shmring").glob("mpmc*.h"):
        header.write_text(digestible(header.read_text(encoding="utf-8")), encoding="utf-8")
    lines = re.findall(r"^#define .*", model.read_text(encoding="utf-8"), re.M)
    lines.append('#include "genmc_begin.h"')
    for name in SOURCES:
        text = (root / "src" / name).read_text(encoding="utf-8")
        if name == "mpmc.c":
            for function in UNUSED:
                text = without(text, function, name)
        (folder / name).write_text(digestible(text), encoding="utf-8")
        # Two files may have private constants of the same name.
        constants = re.findall(r"^    ([A-Z][A-Z_]*) = ", text, re.M)
        stem = name.removesuffix(".c")
        lines += [f"#define {constant} {constant}_of_{stem}" for constant in constants]
        lines.append(f'#include "{folder / name}"')
        lines += [f"#undef {constant}" for constant in constants]
    lines.append(f'#include "{model}"')
    path = folder / "model.c"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Kind:
    """A kind of models: where they are, how one becomes one file, options for GenMC, and flags for
    its compiler."""

    def __init__(self, places, write, more=(), flags=()):
        self.places, self.write, self.options, self.flags = places, write, [*OPTIONS, *more], flags


THE_RING = Kind("genmc_*.c", write_model)


def clean(folder):
    """GenMC leaves what it compiled behind; its first lines name the source."""
    for path in pathlib.Path("/tmp").glob("__genmc.ll.*"):
        with contextlib.suppress(OSError):
            with path.open(encoding="utf-8", errors="replace") as file:
                ours = f"'{folder}/" in file.readline()
            if ours:
                path.unlink()


def check(genmc, root, model, memory_model, limit, kind=THE_RING):
    """RIGHT, WRONG or UNKNOWN (too long, or GenMC does not digest it), and a line."""
    with tempfile.TemporaryDirectory() as folder:
        path = kind.write(root, model, pathlib.Path(folder))
        command = [genmc, f"--{memory_model}", *kind.options, "--", *kind.flags,
                   f"-I{folder}/include", f"-I{model.parent}", "-D_GNU_SOURCE=", str(path)]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=limit,
                                    errors="replace", check=False)
        except subprocess.TimeoutExpired:
            return UNKNOWN, f"not done in {limit:g} s"
        finally:
            clean(folder)
    output = result.stdout + result.stderr
    count = re.search(r"complete executions explored: (\d+)", output)
    seconds = re.search(r"wall-clock time: (\S+)", output)
    if result.returncode == 0 and count and "No errors were detected" in output:
        return RIGHT, f"{count[1]} executions, {seconds[1]}"
    said = re.findall(r"^(?:Error|Assertion violation):.*|.*\berror: .*", output, re.M)
    if result.returncode == FOUND and said:
        return WRONG, "; ".join(said)
    return UNKNOWN, "; ".join(said) or output[-200:]


def main(kind=THE_RING):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    parser.add_argument("--model", action="append", choices=("rc11", "imm", "sc", "tso"))
    arguments = parser.parse_args()
    genmc, failed = find(), 0
    if genmc is None:
        print("skipped: genmc not found")
        return 77
    models = sorted((arguments.root.resolve() / "tests/model").glob(kind.places))
    names = {m.stem.removeprefix("genmc_"): m for m in models}
    for name in arguments.names or names:
        for memory_model in arguments.model or ("rc11", "imm"):
            if (name, memory_model) in LONG and not arguments.names:
                continue
            verdict, line = check(genmc, arguments.root.resolve(), names[name], memory_model,
                                  arguments.limit, kind)
            failed += verdict != RIGHT
            print(f"{name} {memory_model}: {verdict}{line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
