# SPDX-License-Identifier: MIT
"""The mutants of mutants.py: name, file, text that stands there once, text in its place."""

H, S = "include/shmring/mpmc.h", "include/shmring/mpmc_side.h"
W, T, R, M = "src/mpmc_walk.c", "src/mpmc_take.c", "src/mpmc_recover.c", "src/mpmc.c"


class Mutant:
    """edits: (file, old, new). by: scenarios of the explorer that catch it, for the quick run.
    models: of GenMC, to try. equivalent: why it makes no difference."""

    def __init__(self, name, *edit, more=(), by="", models="", equivalent=""):
        self.name = name
        self.edits = [edit, *more]
        self.by = by.split()
        self.models = models.split()
        self.equivalent = equivalent


# What shows at sequential consistency.
PROTOCOL = [
    Mutant("second_look_removed", T, " || !still_writing(consumer, &search))", ")",
           by="producer_holds"),
    Mutant("second_look_not_at_more", T, "return more == search->more;", "return true;",
           by="many_held"),
    Mutant("second_look_word_first", T, "shmring_slot_state(*word, label) == SHMRING_SLOT_WRITING",
           "true", by="producer_holds"),
    Mutant("carry_removed", W, "if (carried > side->mask)", "if (true)", by="both_held"),
    Mutant("take_though_swap_failed", T, "&search->word, taken))\n        return false;",
           "&search->word, taken))\n        search->word = 0;", by="two_laps two_and_two"),
    Mutant("claim_jumps_too_far", W, "pos += ((uint64_t)look.ahead << side->shift) + 1;",
           "pos += ((uint64_t)look.ahead << side->shift) + 2;", by="two_and_two"),
    Mutant("take_jumps_too_far", T, "(uint64_t)(look.ahead - 1) << side->shift) + 1;",
           "(uint64_t)look.ahead << side->shift) + 1;", by="late_consumer two_laps"),
    Mutant("hint_over_open", T, "noted ? consumer->open[0].pos : consumer->head_pos",
           "consumer->head_pos", by="held_at_hint"),
    Mutant("bets_over_open", T, "shmring_mpmc_guessed(side, !noted && pos == start);",
           "shmring_mpmc_guessed(side, true);", by="producer_holds_bet"),
    Mutant("claim_bets_on_held", H, "!shmring_slot_is_filled(label) &&\n"
           "                                 shmring_cas64_acq_rel(&entry->word, &word, claimed)",
           "shmring_cas64_acq_rel(&entry->word, &word, claimed)", by="two_laps_bet"),
    Mutant("take_bets_on_unfilled", H, "shmring_slot_is_filled(label) &&\n"
           "                                 shmring_cas64_acq_rel(&entry->word, &word, taken)",
           "shmring_cas64_acq_rel(&entry->word, &word, taken)", by="two_and_one_bet"),
    Mutant("owner_not_checked", M, "if (slot->word == 0 || ((renewed.word ^ slot->word) & "
           "SHMRING_WORD_WHO_MASK) != 0)\n            return -ESTALE;\n", ""),  # by the unit tests
    Mutant("session_not_checked", M, "        if (error != 0)\n            return error;\n"
           "        if (slot->word == 0", "        if (slot->word == 0", by="taken_for_dead"),
    Mutant("length_not_checked", H, "ret_slot->length <= side->slot_size, true) ||\n"
           "           shmring_mpmc_poison(side);", "true, true);", by="impossible_length"),
    Mutant("claim_without_limit", W, "steps < shmring_mpmc_step_limit(side) && shm", "shm",
           by="laps_in_a_circle"),
]

DEATH = [
    Mutant("recovery_forgets_claims", R, "(state != SHMRING_SLOT_WRITING && state != "
           "SHMRING_SLOT_READING))", "state != SHMRING_SLOT_READING)", by="producer_dies"),
    Mutant("recovery_forgets_takes", R, "(state != SHMRING_SLOT_WRITING && state != "
           "SHMRING_SLOT_READING))", "state != SHMRING_SLOT_WRITING)", by="consumer_dies"),
    Mutant("recovery_believes_a_newer_label", R,
           "    if (shmring_mpmc_has_changed(side, idx, word))\n        return false;\n", "",
           by="consumer_leaves"),
    Mutant("recovery_drops", R, "if (side->redeliver) /*", "if (false) /*",
           by="consumer_dies_redeliver"),
    Mutant("orphans_not_looked_for", T, "if (!has_orphans(consumer))", "if (true)",
           by="consumer_is_dead"),
    Mutant("orphans_not_told", R, "    if (side->redeliver)\n"
           "        shmring_add32_release(&side->control->orphan_epoch, 1);\n", "",
           by="consumer_is_dead"),
    Mutant("orphans_not_marked", R, "lap | SHMRING_WORD_TAKEN | SHMRING_WORD_REDELIVERED;",
           "lap | SHMRING_WORD_TAKEN;", by="consumer_dies_redeliver"),
    Mutant("orphans_carried", R, "if (state == SHMRING_SLOT_ORPHAN)\n        passed ^=",
           "if (false)\n        passed ^=", equivalent="it comes later: it is taken where it lies, "
           "once nothing else is wanted"),
]

# Orders. Where a verb of that order is missing, another that lacks what matters.
LOAD = "look.%s = shmring_load64_acquire(shmring_mpmc_%s(side, pos));"
ORDERS = [
    Mutant("order_A_C_look", S, LOAD % ("label", "label"),
           (LOAD % ("label", "label")).replace("acquire", "relaxed"), models="basic reuse"),
    Mutant("order_E_look", S, LOAD % ("word", "word"),
           (LOAD % ("word", "word")).replace("acquire", "relaxed"), models="reuse fifo basic"),
    Mutant("order_B_D", H, "shmring_store64_release(shmring_mpmc_label(side, slot->idx), label);",
           "shmring_store64_relaxed(shmring_mpmc_label(side, slot->idx), label);",
           models="basic reuse"),
    Mutant("order_F_claim", W, "!shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &look.word",
           "!shmring_cas64_acquire(shmring_mpmc_word(side, pos), &look.word",
           models="reuse fifo walk session basic"),
    Mutant("order_F_take", T, "!shmring_cas64_acq_rel(shmring_mpmc_word(side, search->pos)",
           "!shmring_cas64_acquire(shmring_mpmc_word(side, search->pos)",
           models="reuse taken consumers basic"),
    Mutant("order_F_recover", R, "return shmring_cas64_acq_rel(shared, &word, lap | "
           "SHMRING_WORD_FREE);", "return shmring_cas64_acquire(shared, &word, lap | "
           "SHMRING_WORD_FREE);", models="recover"),
    Mutant("order_G", W, "shmring_cas64_release(hint, &seen, pos);",
           "shmring_cas64_acquire(hint, &seen, pos);", models="hint"),
]

MUTANTS = PROTOCOL + DEATH + ORDERS
