# SPDX-License-Identifier: MIT
"""The mutants of wake_mutants.py, in the form of mutant_list.py. by: models of wake_genmc.py."""
from mutant_list import Mutant

WH, W, EH, E, MODEL = ("include/shmring/wait.h", "src/wait.c", "include/shmring/event.h",
                       "src/event.c", "tests/model/wake/wake.h")

WAIT_TICKET = "    uint32_t ticket = shmring_load32_acquire(&waiter->bell.words->wakes);\n"
WAIT_ARM = "    shmring_store64_relaxed(&waiter->own->wake_at, wake_at);\n"
WAIT_BUMP = "    shmring_store32_release(&words->wakes, wakes + 1);\n"
WAIT_RING = "    shmring_bell_ring(&waiter->ours, false);\n"
WAIT_B = "    else /* [wait.B] pairs with [wait.C] */\n        shmring_fence_seq_cst();\n"
EVENT_TICKET = "    uint32_t ticket = shmring_load32_acquire(&event->bell.wakes);\n"
EVENT_BUMP = "    shmring_add32_release(&events->event->bell.wakes, 1);\n"
EVENT_RING = "    shmring_bell_ring(&events->bell, all);\n"
EVENT_B = "    else /* [event.B] pairs with [event.C] */\n        shmring_fence_seq_cst();\n"
RETURN = "    return ticket;\n}\n\nuint32_t shmring_%s_arm("
CLEAR = "if (shmring_cas64_relaxed(&events->event->wake_at, &wake_at, 0))\n            break;"

# A wake is for a position that has come, and the look behind the fence finds it, whichever wakes
# the ticket has counted.
POSITION = "the look behind the fence finds what any counted wake was for"

WAIT = [
    Mutant("wait_A_relaxed", W, WAIT_TICKET, WAIT_TICKET.replace("acquire", "relaxed"),
           models="one twice always", equivalent=POSITION),
    Mutant("wait_B_removed", W, WAIT_B, "", models="one"),
    Mutant("wait_C_removed", W, "    if (!waiter->light) /* [wait.C] pairs with [wait.B] */\n"
           "        shmring_fence_seq_cst();\n", "", models="one"),
    Mutant("wait_C_removed_always", W, "    /* [wait.C] pairs with [wait.B] */\n"
           "    shmring_fence_seq_cst();\n", "", models="always"),
    Mutant("wait_D_relaxed", W, WAIT_BUMP, WAIT_BUMP.replace("release", "relaxed"),
           models="one twice always", equivalent=POSITION),
    Mutant("wait_ticket_after_arming", W, WAIT_TICKET, "    uint32_t ticket;\n",
           more=[(W, WAIT_ARM, WAIT_ARM + WAIT_TICKET.replace("uint32_t ", ""))],
           models="one twice always", equivalent=POSITION),
    Mutant("wait_ring_before_bump", W, WAIT_BUMP, "",
           more=[(W, WAIT_RING, WAIT_RING + WAIT_BUMP)], models="one"),
    Mutant("wait_no_bump", W, WAIT_BUMP, "    (void)wakes;\n", models="one"),
    Mutant("wait_no_ring", W, WAIT_RING, "", models="one"),
    Mutant("wait_due_too_late", W, "(int64_t)(pos - wake_at) < 0", "(int64_t)(pos - wake_at) <= 0",
           models="one"),
    Mutant("wait_due_at_once", W, " || (int64_t)(pos - wake_at) < 0)", ")",
           models="gather twice"),
    Mutant("wait_wakes_once", W, "wake_at == waiter->woken", "waiter->woken != 0",
           models="twice"),
    Mutant("wait_C_light_removed", WH, "    shmring_fence_light();\n", "", models="light"),
    Mutant("wait_sleeper_not_looked_at", WH,
           "(shmring_load64_relaxed(waiter->sleeper) != 0, false)", "(false, false)",
           models="one light"),
    Mutant("wait_always_if_due", W, "!= 0)\n        wake(", "== 1)\n        wake(",
           models="always"),
    Mutant("wait_caller_looks_first", MODEL, "    uint32_t ticket = shmring_wait_arm(&sleeper, pos)"
           ";\n\n    if (!has_come_to(pos))\n", "    bool is_there = has_come_to(pos);\n"
           "    uint32_t ticket = shmring_wait_arm(&sleeper, pos);\n\n    if (!is_there)\n",
           models="one"),
    Mutant("wait_caller_does_not_disarm", MODEL, "    shmring_wait_disarm(&sleeper);\n", "",
           models="one twice gather", equivalent="one wake for nothing"),
]

EVENT = [
    Mutant("event_A_relaxed", E, EVENT_TICKET, EVENT_TICKET.replace("acquire", "relaxed"),
           models="merge publishers late"),
    Mutant("event_B_removed", E, EVENT_B, "", models="merge publishers"),
    Mutant("event_C_removed", EH, "    else /* [event.C] pairs with [event.B] */\n"
           "        shmring_fence_seq_cst();\n", "", models="merge publishers"),
    Mutant("event_D_relaxed", E, EVENT_BUMP,
           EVENT_BUMP.replace("add32_release", "add32_relaxed"), models="merge publishers late"),
    Mutant("event_ticket_after_arming", E, EVENT_TICKET, "",
           more=[(E, RETURN % "event", EVENT_TICKET + RETURN % "event")],
           models="publishers late"),
    Mutant("event_ring_before_bump", E, EVENT_BUMP, "",
           more=[(E, EVENT_RING, EVENT_RING + EVENT_BUMP)], models="merge"),
    Mutant("event_no_bump", E, EVENT_BUMP, "", models="merge"),
    Mutant("event_no_ring", E, EVENT_RING, "", models="merge"),
    Mutant("event_due_too_late", EH, "end >= (wake_at &", "end > (wake_at &", models="merge"),
    Mutant("event_due_too_late_in_ring", E, "|| end < (wake_at &", "|| end <= (wake_at &",
           models="merge"),
    Mutant("event_merges_to_later", E, "others < mine ? others", "others > mine ? others",
           models="merge"),
    Mutant("event_arms_only_if_nobody", E, "uint64_t merged = merge(wake_at, seen);",
           "uint64_t merged = seen != 0 ? seen : merge(wake_at, seen);", models="merge"),
    Mutant("event_picky_like_any", E, "ring(events, (wake_at & SHMRING_EVENT_PICKY) != 0);",
           "ring(events, false);", models="picky"),
    Mutant("event_picky_not_said", E, ": mine) | picky;", ": mine);", models="picky"),
    Mutant("event_blind_clear", E, CLEAR,
           "shmring_store64_relaxed(&events->event->wake_at, 0);\n        break;",
           models="publishers late picky baton",
           equivalent="who clears also rings, and who is rung arms again"),
    Mutant("event_not_cleared", E, CLEAR, "break;", models="publishers late baton",
           equivalent="each publication rings, for nothing"),
    Mutant("event_caller_looks_first", MODEL, "    if (!take_any()) {\n        "
           "shmring_event_sleep(", "    if (true) {\n        shmring_event_sleep(",
           more=[(MODEL, "static inline bool receive_once(int who)\n{\n",
                  "static inline bool receive_once(int who)\n{\n"
                  "    if (take_any())\n        return true;\n")], models="merge"),
    Mutant("event_baton_dropped", MODEL, "    if (is_any_there())\n        "
           "shmring_event_pass(&events[who]);\n", "", models="baton"),
    Mutant("event_looks_before_it_arms_again", "tests/model/wake/baton.c", "    doze(0);\n",
           "    doze(0);\n    if (take_any())\n        return NULL;\n", models="baton"),
]

MUTANTS = WAIT + EVENT
