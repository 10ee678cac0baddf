# SPDX-License-Identifier: MIT
"""The mutants of hub_mutants.py, in the form of mutant_list.py. by: models of hub_genmc.py."""
from mutant_list import Mutant

READY, CHANNEL, TURN, DISPATCH, CONTROL, HUB = (
    f"src/hub/{name}.c" for name in ("ready", "channel", "turn", "dispatch", "control", "hub"))

A = "shmring_cas64_release(word, &seen, seen | bit)"
B = "shmring_cas64_acquire(word, &seen, seen & ~bit)"
C = "shmring_cas32_acq_rel(&channel->state, &running, HUB_IDLE)"
D = "shmring_cas32_acq_rel(&channel->state, &seen, next)"
E = ("    /* [hub.E] pairs with [hub.F], [hub.G] */\n    shmring_fence_seq_cst();\n")
F_BEFORE = ("    shmring_add32_relaxed(&hub->sleepers, 1);\n"
            "    /* [hub.F] pairs with [hub.E] */\n    shmring_fence_seq_cst();\n")
CLEAR = "    shmring_store32_relaxed(&hub->waking, 0);\n"
F_AFTER = "    /* [hub.F] pairs with [hub.E] */\n    shmring_fence_seq_cst();\n    loop->now ="
F_END = "others counted on. */\n    shmring_fence_seq_cst();\n"
G = "    /* [hub.G] pairs with [hub.E] */\n    shmring_fence_seq_cst();\n"
H = "shmring_cas32_acq_rel(&channel->users, &users, users - 1)"
RETIRED = "shmring_load32_acquire(&hub->retired) != 0"
INSIDE = "shmring_load32_acquire(&hub->inside) != 0"
FLAG = "    /* relaxed: rouse orders it. */\n    shmring_store32_relaxed(&channel->over, kind);\n"
WAKE = "    shmring_store32_relaxed(&hub->waking, 1);\n"
PIN = ("    if (channel != NULL)\n        shmring_add32_relaxed(&channel->users, 1);\n"
       "    hub_readers_end();\n")
FIRST_LOOK = "    hub_set_slot(hub, slot, channel);\n"
SLEPT = ("each look that follows has a fence of its own before it, or another after it: "
         "a turn, the next sleep, the end of the call")


def cas(text, order):
    """The swap with another order, which has no verb."""
    word, rest = text.removeprefix("shmring_cas32_acq_rel(").split(",", 1)
    return (f"atomic_compare_exchange_strong_explicit({word}.raw,{rest.removesuffix(')')}, "
            f"memory_order_{order}, memory_order_relaxed)")


ORDERS = [
    Mutant("A_relaxed", READY, A, A.replace("release", "relaxed"), models="joined"),
    Mutant("B_relaxed", READY, B, B.replace("acquire", "relaxed"), models="joined"),
    Mutant("C_acquire", TURN, C, cas(C, "acquire"), models="idle"),
    Mutant("C_release", TURN, C, cas(C, "release"), models="idle evicted turns",
           equivalent="what it reads, the thread itself has written"),
    Mutant("D_release", CHANNEL, D, cas(D, "release"), models="roused"),
    Mutant("D_acquire", CHANNEL, D, cas(D, "acquire"), models="idle evicted",
           equivalent="to idle nothing is handed back, and A hands on what is queued"),
    Mutant("E_removed", DISPATCH, E, "", models="sleep"),
    Mutant("E_removed_for_waking", DISPATCH, E, "", models="polls"),
    Mutant("E_removed_for_flags", DISPATCH, E, "", models="evicted"),
    Mutant("F_removed_before_sleep", DISPATCH, F_BEFORE, F_BEFORE.split("    /*", maxsplit=1)[0],
           models="sleep"),
    Mutant("F_removed_after_sleep", DISPATCH, F_AFTER, "    loop->now =",
           models="sleep woken passes", equivalent=SLEPT),
    Mutant("F_removed_at_end", DISPATCH, F_END, "others counted on. */\n", models="polls"),
    Mutant("G_removed", CHANNEL, G, "", models="evicted"),
    Mutant("H_users_acquire", CHANNEL, H, cas(H, "acquire"), models="unmapped"),
    Mutant("H_users_release", CHANNEL, H, cas(H, "release"), models="unmapped"),
    Mutant("H_retired_relaxed", CHANNEL, "shmring_add32_release(&hub->retired",
           "shmring_add32_relaxed(&hub->retired", models="closed"),
    Mutant("H_inside_relaxed", HUB, "shmring_add32_release(&frame->hub->inside",
           "shmring_add32_relaxed(&frame->hub->inside", models="closed"),
    Mutant("I_inside_relaxed", HUB, INSIDE, INSIDE.replace("acquire", "relaxed"),
           models="closed"),
    Mutant("I_retired_relaxed", HUB, RETIRED, RETIRED.replace("acquire", "relaxed"),
           models="closed"),
    Mutant("I_users_relaxed", HUB, "shmring_load32_acquire(&channel->users)",
           "shmring_load32_relaxed(&channel->users)", models="closed_send"),
    Mutant("J_relaxed", CHANNEL, "shmring_store64_release(&hub->table",
           "shmring_store64_relaxed(&hub->table", models="joined"),
    Mutant("K_relaxed", CHANNEL, "shmring_load64_acquire(&hub->table",
           "shmring_load64_relaxed(&hub->table", models="joined"),
]

PROTOCOL = [
    Mutant("sleeps_without_a_look", DISPATCH, "if (!hub_ready_any(&hub->ready) && !hub_is",
           "if (!hub_is", models="sleep"),
    Mutant("sleeps_though_cancelled", DISPATCH, " && !hub_is_cancelled(hub))\n        count", ")\n"
           "        count", models="cancelled", equivalent="the ring of cancel waits for it"),
    Mutant("sleeps_uncounted", DISPATCH, "    shmring_add32_relaxed(&hub->sleepers, 1);\n", "",
           models="sleep"),
    Mutant("looks_for_sleepers_first", DISPATCH, E,
           "    uint32_t sleepers = shmring_load32_relaxed(&hub->sleepers);\n" + E,
           more=[(DISPATCH, "    if (shmring_load32_relaxed(&hub->sleepers) == 0)",
                  "    if (sleepers == 0)")], models="sleep"),
    Mutant("no_wake_beside_a_handler", DISPATCH, "        hub_wake_one(hub);\n",
           "        (void)hub;\n", models="sleep"),
    Mutant("waking_not_cleared", DISPATCH, "        " + CLEAR, "            (void)hub;\n",
           models="passes"),
    Mutant("waking_not_cleared_after_sleep", DISPATCH, CLEAR + "    /*", "    /*",
           models="sleep woken", equivalent="who hears the ring clears it"),
    Mutant("waking_after_the_ring", CHANNEL, WAKE + "    hub_ring(hub->bell);\n",
           "    hub_ring(hub->bell);\n" + WAKE, models="heard"),
    Mutant("no_ring_at_end", DISPATCH, "    if (hub_ready_any(&hub->ready) || hub_is_cancelled("
           "hub))\n        hub_ring", "    if (hub_is_cancelled(hub))\n        hub_ring",
           models="polls"),
    Mutant("no_ring_at_end_if_cancelled", DISPATCH, "    if (hub_ready_any(&hub->ready) || "
           "hub_is_cancelled(hub))\n        hub_ring", "    if (hub_ready_any(&hub->ready))\n"
           "        hub_ring", models="cancelled"),
    Mutant("flag_after_rouse", CHANNEL, FLAG + "    if (hub_rouse(hub, channel))\n",
           "    bool queued = hub_rouse(hub, channel);\n\n" + FLAG + "    if (queued)\n",
           models="evicted"),
    Mutant("eviction_does_not_ring", CHANNEL, "    if (hub_rouse(hub, channel))\n"
           "        hub_ring(hub->bell);\n", "    hub_rouse(hub, channel);\n", models="evicted"),
    Mutant("news_during_a_turn_forgotten", CHANNEL, "seen == HUB_IDLE || seen == HUB_RUNNING",
           "seen == HUB_IDLE", models="evicted idle"),
    Mutant("idle_without_a_swap", TURN, C, "(shmring_store32_relaxed(&channel->state, HUB_IDLE), "
           "(void)running, true)", models="evicted idle"),
    Mutant("two_take_one_bit", READY, f"if ({B})", f"if ({B} || true)", models="turns"),
    Mutant("bit_set_blindly", READY, f"while (!{A})\n        continue;",
           "shmring_store64_release(word, seen | bit);", models="sleep turns passes"),
    Mutant("bit_before_the_table", CONTROL, FIRST_LOOK,
           "    hub_ready_set(&hub->ready, slot);\n" + FIRST_LOOK, models="joined"),
    Mutant("join_does_not_ring", CONTROL, "    hub_ready_set(&hub->ready, slot);\n"
           "    hub_ring(hub->bell);\n", "    hub_ready_set(&hub->ready, slot);\n",
           models="joined"),
    Mutant("pinned_after_the_lookup", CHANNEL, PIN,
           "    hub_readers_end();\n" + PIN.removesuffix("    hub_readers_end();\n"),
           models="unmapped"),
    Mutant("freed_without_a_grace_period", TURN, "hub_readers_defer(hub->options."
           "readers_registered, &channel->ended, give_up)", "give_up(&channel->ended)",
           models="unmapped"),
    Mutant("left_in_the_table", TURN, "    hub_set_slot(hub, slot, NULL);\n", "",
           models="unmapped"),
    Mutant("users_looked_at_first", CHANNEL, f"    while (!{H})\n        continue;\n",
           "    shmring_add32_release(&channel->users, UINT32_MAX);\n", models="unmapped"),
    Mutant("not_counted_as_retired", TURN, "    shmring_add32_relaxed(&hub->retired, 1);\n",
           "    (void)hub;\n", models="closed"),
    Mutant("retired_looked_at_first", HUB, f"{INSIDE} || {RETIRED}", f"{RETIRED} || {INSIDE}",
           models="closed"),
    Mutant("users_not_looked_at", HUB, "channel != NULL && shmring_load32_acquire(&channel->users)"
           " != 1", "channel == (void *)1", models="closed_send"),
    Mutant("gone_is_idle", TURN, "&channel->state, HUB_GONE)", "&channel->state, HUB_IDLE)",
           models="replaced"),
    Mutant("id_not_looked_at", CHANNEL, "channel->id != id)", "channel->id == 0)",
           models="replaced"),
]

MUTANTS = ORDERS + PROTOCOL
