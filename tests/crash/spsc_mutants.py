#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the SPSC ring on purpose, one way at a time, and sees that a crash image shows it.

  spsc_mutants.py [NAME]...   all, or only these
  --root DIRECTORY            of the tree, instead of that of this file

Exits 1 if one is not noticed, but for those that are said here to make no difference, and why.
"""
import argparse
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))
sys.dont_write_bytecode = True

import mutants as models  # noqa: E402  pylint: disable=wrong-import-position
from mutant_list import Mutant  # noqa: E402  pylint: disable=wrong-import-position

H, C = "include/shmring/spsc.h", "src/spsc.c"
HEAD = "shmring_store64_release(&consumer->side.own->pos, consumer->head_pos);"
RELEASE = "    shmring_spsc_hold(consumer);\n    consumer->head_pos = consumer->next_pos;\n"
TAIL = "shmring_store64_release(&producer->side.own->pos, producer->tail_pos"
MUTANTS = [
    Mutant("room_too_much", H, "producer->limit = head + producer->side.capacity;",
           "producer->limit = head + producer->side.capacity + 8;"),
    Mutant("limit_at_attach", C, ".limit = head + side->capacity,",
           ".limit = tail + side->capacity,"),
    Mutant("producer_begins_at_head", C, ".tail_pos = tail,", ".tail_pos = head,"),
    Mutant("consumer_begins_at_tail", C, ".read_pos = head,", ".read_pos = tail,"),
    Mutant("consumer_gives_back_to_tail", C, ".head_pos = head,", ".head_pos = tail,"),
    Mutant("detach_does_not_publish", C, "    shmring_spsc_publish(producer);\n    end_session",
           "    end_session"),
    Mutant("detach_does_not_flush", C, "    shmring_spsc_flush(consumer);\n    end_session",
           "    end_session"),
    Mutant("stage_publishes_before_the_header", H, "    /* relaxed: published by B. */\n",
           f"    {TAIL} + size);\n"),
    Mutant("stage_publishes", H, "    producer->tail_pos += size;\n",
           f"    producer->tail_pos += size;\n    {TAIL});\n"),
    Mutant("skip_is_published", H, "        producer->tail_pos += skip;\n",
           f"        producer->tail_pos += skip;\n        {TAIL});\n"),
    Mutant("what_is_held_is_given_back", H, HEAD, HEAD.replace("head_pos", "read_pos")),
    Mutant("hold_releases", H, "    consumer->read_pos = consumer->next_pos;\n}\n\n/* Goes past the"
           " peeked message, if any", "    consumer->read_pos = consumer->next_pos;\n    consumer->"
           "head_pos = consumer->next_pos;\n}\n\n/* Goes past the peeked message, if any"),
    Mutant("given_back_at_once", H, RELEASE, RELEASE + "    " + HEAD + "\n",
           equivalent="release may give back at once; it puts that off for speed"),
    Mutant("skip_is_not_given_back", H, "    if (consumer->head_pos == consumer->read_pos)\n"
           "        consumer->head_pos = consumer->next_pos;\n", "",
           equivalent="the next release gives it back"),
    Mutant("nothing_is_given_back_when_empty", H,
           "    if (consumer->flush_at != consumer->head_pos + consumer->lazy)\n"
           "        shmring_spsc_flush(consumer);\n", "",
           equivalent="here, where nobody waits for room; tests/unit/test_spsc finds it"),
]


def crash(tree):
    program = tree / "crash"
    models.build([models.CC, "-std=c11", "-O2", "-w", "-D_GNU_SOURCE=", "-Dinline=static inline",
                  "-Itests/model/sc", "-Iinclude", "src/spsc.c", "tests/crash/crash_spsc.c",
                  "tests/crash/image.c", "tests/model/atomic.c", "-o", str(program)], tree)
    return models.run([str(program)], tree) != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--root", type=pathlib.Path, default=HERE.parent.parent)
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if m.name in options.names or not options.names]
    missed = []
    for mutant in chosen:
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            models.copy_tree(options.root.resolve(), tree)
            models.apply(tree, mutant)
            noticed = crash(tree)
        print(f"{mutant.name:34} {'noticed' if noticed else 'no'}", flush=True)
        if mutant.equivalent:
            print(f"{'':34} makes no difference: {mutant.equivalent}")
        if noticed == bool(mutant.equivalent):
            missed.append(mutant.name)
    print(f"{len(chosen)} mutants, {len(missed)} missed{': ' if missed else ''}"
          f"{', '.join(missed)}")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
