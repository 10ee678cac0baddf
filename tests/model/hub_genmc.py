#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models hub/*.c of hubs as genmc.py does its own: hub_genmc.py [NAME]...

The same options, answers and exit statuses. No lost wake: each sleep comes to its end.
"""
import re
import shutil
import sys

import genmc

# For each file, what models do not call: what opens, copies structures, or shakes hands.
UNUSED = {
    "ready.c": ["hub_ready_open"],
    "channel.c": "hub_sleep hub_read_limits hub_read_counts hub_add_counts".split(),
    "turn.c": [],
    "dispatch.c": [],
    "control.c": ("make_channel watch take_slot return_slot join accept_clients "
                  "hub_control_step sleep_for_clients shmring_hub_control").split(),
    "hub.c": ("read_options make_memory make_descriptors shmring_hub_open "
              "shmring_hub_limit shmring_hub_counts_of shmring_hub_get_stats "
              "shmring_hub_ids").split(),
}
SYSTEM = re.compile(r"^#include <(?:sys/|unistd|urcu).*\n|^#define _GNU_SOURCE.*\n", re.M)
CONTAINER_OF = ("#define caa_container_of(place, type, member) "
                "((type *)(void *)((char *)(place) - offsetof(type, member)))")

# GenMC cannot copy structures whole.
COPIES = [
    ("dispatch.c", "    hub_turn turn = loop->turn;\n",
     "    hub_turn turn = {loop->turn.hub, loop->turn.handler, loop->turn.argument,\n"
     "                     loop->turn.settles};\n"),
    ("hub.c", "*frame = (hub_frame){.hub = hub, .outer = frames};",
     "frame->hub = hub, frame->outer = frames;"),
]


def digestible(text, name):
    for file, old, new in COPIES:
        if file == name:
            if text.count(old) != 1:
                sys.exit(f"hub_genmc.py: not once in {name}: {old}")
            text = text.replace(old, new)
    return text


def write_model(root, model, folder):
    """One file of all, as GenMC wants it, beside the headers."""
    shutil.copytree(root / "include", folder / "include")
    lines = [f'#include "{root}/tests/model/genmc_begin.h"',
             f'#include "{root}/tests/model/hub/begin.h"', CONTAINER_OF]
    for path in (root / "src/hub").glob("*.h"):
        text = digestible(SYSTEM.sub("", path.read_text(encoding="utf-8")), path.name)
        (folder / path.name).write_text(text, encoding="utf-8")
    for name, unused in UNUSED.items():
        text = SYSTEM.sub("", (root / "src/hub" / name).read_text(encoding="utf-8"))
        for function in unused:
            text = genmc.without(text, function, name)
        (folder / name).write_text(digestible(text, name), encoding="utf-8")
        lines.append(f'#include "{folder / name}"')
    lines.append(f'#include "{model}"')
    path = folder / "model.c"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# Of all that a hub is made of, the names of the members take GenMC seconds.
HUBS = genmc.Kind("hub/*.c", write_model, ["--check-liveness"], ["-g0"])

if __name__ == "__main__":
    sys.exit(genmc.main(HUBS))
