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
    Mutant("carry_removed", W, "if (carried > side->mask && is_all_in_use(side))", "if (true)",
           by="both_held"),
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
    Mutant("owner_not_checked", M, "if (slot->word == 0 || slot->session != "
           "(uint16_t)side->member.session ||\n            ((renewed.word ^ slot->word) & "
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
def relaxed(name, file, text, before="", after="", **rest):
    """A load or store that orders nothing; before and after tell it from others of that text."""
    weak = text.replace("load64_acquire", "load64_relaxed").replace("load32_acquire",
                                                                    "load32_relaxed")
    weak = weak.replace("store64_release", "store64_relaxed")
    return Mutant(name, file, before + text + after, before + weak + after, **rest)


def swap(name, file, text, without="release", **rest):
    """A swap that lacks one half of its order."""
    left = "acquire" if without == "release" else "release"
    weak = text.replace("cas64_acq_rel", f"cas64_{left}").replace("cas64_release", f"cas64_{left}")
    return Mutant(name, file, text, weak, **rest)


LOOK = "look.%s = shmring_load64_acquire(shmring_mpmc_%s(side, pos));"
BET_WORD = "shmring_load64_acquire(&entry->word);\n"
BET_LABEL = " */\n        uint64_t label = shmring_load64_acquire(&entry->label);"
CLAIM = "shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &look.word"
TAKE = "shmring_cas64_acq_rel(shmring_mpmc_word(side, search->pos)"
PASS = "shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, passed)"
UNSAY = "shmring_cas64_acq_rel(shmring_mpmc_word(side, pos), &word, own)"
CHANGED = "shmring_load64_acquire(shmring_mpmc_word(side, pos)) != word"
EPOCH = "shmring_load32_acquire(&%sside%scontrol->orphan_epoch)"
HEAD_HINT = "head_pos = shmring_load64_acquire(&%scontrol%shead_hint);"

ORDERS = [
    relaxed("order_A_C_look", S, LOOK % ("label", "label"), models="reuse"),
    relaxed("order_E_look", S, LOOK % ("word", "word"), models="reading"),
    relaxed("order_A_bet", H, BET_LABEL, "[mpmc.A] pairs with [mpmc.D]", models="reuse_bet"),
    relaxed("order_C_bet", H, BET_LABEL, "[mpmc.C] pairs with [mpmc.B]", models="take_bet"),
    relaxed("order_E_claim_bet", H, BET_WORD, "", "        /* [mpmc.A]", models="reading_bet"),
    relaxed("order_E_take_bet", H, BET_WORD, "", "        /* [mpmc.C]", models="old_label_bet"),
    relaxed("order_E_renew", M, "renewed.word = shmring_load64_acquire(shared);",
            models="session"),
    Mutant("order_E_recover", R, "word = shmring_load64_acquire(shared);",
           "word = shmring_load64_relaxed(shared);",
           more=[(W, CHANGED, CHANGED.replace("acquire", "relaxed"))], models="leave"),
    relaxed("order_E_changed", W, CHANGED, models="reading recover_late leave",
            equivalent="what showed that the word may be old was loaded with acquire before it"),
    relaxed("order_C_recover", R, "shmring_load64_acquire(shmring_mpmc_label(side, idx));",
            models="recover_late"),
    relaxed("order_C_second_look", T,
            "uint64_t label = shmring_load64_acquire(shmring_mpmc_label(side, pos));",
            models="many"),
    relaxed("order_E_second_look", T,
            "*word = shmring_load64_acquire(shmring_mpmc_word(side, pos));",
            models="fifo open many",
            equivalent="the same word as at the first look tells nothing new, another starts over"),
    relaxed("order_B_D", H, "shmring_store64_release(shmring_mpmc_label(side, slot->idx), label);",
            models="reuse"),
    relaxed("order_D_unsay", R, "shmring_store64_release(shmring_mpmc_label(side, pos), 0);",
            models="undead", equivalent="its owner has touched nothing since the swap before it"),
    swap("order_D_recover", R, "shmring_cas64_release(shmring_mpmc_label(side, idx), &label, 0)",
         models="recover"),
    swap("order_F_claim", W, CLAIM, models="walk"),
    swap("order_F_claim_bet", H, "shmring_cas64_acq_rel(&entry->word, &word, claimed)",
         models="walk_bet"),
    swap("order_F_take", T, TAKE, models="reading"),
    swap("order_F_take_bet", H, "shmring_cas64_acq_rel(&entry->word, &word, taken)",
         models="reading_bet"),
    swap("order_F_pass", R, PASS, models="carried"),
    swap("order_F_unsay", R, UNSAY, models="undead"),
    swap("order_F_abort", M, "shmring_cas64_acq_rel(shmring_mpmc_word(side, slot->idx), &word",
         models="abort"),
    swap("order_F_recover", R, "shmring_cas64_acq_rel(shared, &word, lap | SHMRING_WORD_FREE)",
         models="recover_claim"),
    swap("order_F_orphan", R, "shmring_cas64_acq_rel(shared, &word, orphan)",
         models="recover_orphan"),
    swap("order_F_acquire", T, TAKE, "acquire", models="reading recover_orphan carried walk",
         more=[(W, CLAIM, CLAIM.replace("acq_rel", "release")),
               (R, PASS, PASS.replace("acq_rel", "release"))],
         equivalent="who swaps a word has loaded it with acquire, and all that change it release"),
    swap("order_G", W, "shmring_cas64_release(hint, &seen, pos);", models="hint"),
    relaxed("order_H", W, "seen = shmring_load64_acquire(hint);", models="hint_walk"),
    Mutant("order_H_attach", M, HEAD_HINT % ("side.", "->"),
           (HEAD_HINT % ("side.", "->")).replace("acquire", "relaxed"),
           # models cannot call attach, and have its load in their own text
           more=[("tests/model/genmc_hint.c", HEAD_HINT % ("", "."),
                  (HEAD_HINT % ("", ".")).replace("acquire", "relaxed"))], models="hint"),
    Mutant("order_I", R, "shmring_add32_release(&side->control->orphan_epoch, 1);",
           "atomic_fetch_add_explicit(&side->control->orphan_epoch.raw, 1, memory_order_relaxed);",
           models="orphan"),
    relaxed("order_J", T, "uint32_t epoch = " + EPOCH % ("", "->"), models="orphan"),
    relaxed("order_J_has_orphans", T, EPOCH % ("consumer->", "."), models="orphan",
            equivalent="the epoch that is kept is loaded again, before orphans are looked for"),
    relaxed("order_J_attach", M, EPOCH % ("", "."),
            equivalent="any value that it had, less one, is none that it will have"),
]

MUTANTS = PROTOCOL + DEATH + ORDERS
