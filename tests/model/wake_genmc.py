#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models wake/*.c of sleep and wake as genmc.py does its own: wake_genmc.py [NAME]...

The same options, answers and exit statuses. No lost wake: each sleep comes to its end.
"""
import re
import shutil
import sys

import genmc

# For each file, what opens and closes, and what calls the kernel: wake.h has stand-ins.
UNUSED = {
    "wait.c": ("shmring_fence_register shmring_fence_heavy shmring_waiter_open "
               "shmring_waiter_close").split(),
    "event.c": "shmring_event_open shmring_event_close".split(),
}
# A fence of the compiler, which GenMC takes for a full one. That is what membarrier() makes of it
# in the light form, and so in light.c; in the others it is none.
COMPILER_FENCE = "    atomic_signal_fence(memory_order_seq_cst);\n"
SYSTEM = re.compile(r"^#include <(?:linux/|sys/|unistd).*\n|^#define _GNU_SOURCE.*\n", re.M)


def write_model(root, model, folder):
    """One file of all, as GenMC wants it, beside the headers."""
    shutil.copytree(root / "include", folder / "include")
    if model.stem != "light":
        atomic = folder / "include/shmring/atomic.h"
        text = atomic.read_text(encoding="utf-8")
        if text.count(COMPILER_FENCE) != 1:
            sys.exit("wake_genmc.py: which is the fence of the compiler?")
        atomic.write_text(text.replace(COMPILER_FENCE, ""), encoding="utf-8")
    lines = [f'#include "{root}/tests/model/genmc_begin.h"']
    for name, unused in UNUSED.items():
        text = SYSTEM.sub("", (root / "src" / name).read_text(encoding="utf-8"))
        for function in unused:
            text = genmc.without(text, function, name)
        (folder / name).write_text(text, encoding="utf-8")
        lines.append(f'#include "{folder / name}"')
    lines.append(f'#include "{model}"')
    path = folder / "model.c"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


WAKING = genmc.Kind("wake/*.c", write_model, ["--check-liveness"])

if __name__ == "__main__":
    sys.exit(genmc.main(WAKING))
