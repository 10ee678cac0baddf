/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "scribbler_parts.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    BURST = 256,
    BURSTS_PER_COPY = 256,
};

/* In a hurry, or one store at a time, or seldom, after all was put right: others come further then.
 */
static const struct mood {
    uint32_t bursts, stores, pauses; /* pauses: between bursts, at most */
} moods[] = {{1024, BURST, 1}, {512, 1, 128}, {64, 1, 8192}};

static void write_anything(struct scribbler_state *s, uint32_t count)
{
    while (count-- > 0)
        put_at(s, below(s, s->words), dice(s));
}

/* A few words of it, or a page, or all. */
static void write_what_was(struct scribbler_state *s, uint32_t count)
{
    const uint64_t *copy = s->copies[below(s, SCRIBBLER_COPIES)];
    uint64_t random = dice(s), from = below(s, s->words), to = from + 1 + random % 16;

    if (count == 1 || (random >> 8 & 7) == 0)
        from = 0, to = s->words, copy = s->copies[random >> 16 & 1 ? 0 : random >> 17 & 3];
    else if (random >> 8 & 1)
        from = from / 512 * 512, to = from + 512;
    for (; from < to && from < s->words; from++)
        put_at(s, from, copy[from]);
}

static void copy_what_is(struct scribbler_state *s, uint64_t *copy)
{
    for (uint64_t i = 0; i < s->words; i++)
        copy[i] = shmring_load64_relaxed(word_of(s, i)); /* relaxed: all here is */
}

/* Of the two or three pages that people sleep in; every other time a word of a bell. */
static shmring_word32 *word_to_wake(struct scribbler_state *s)
{
    const shmring_geometry *geometry = s->it->geometry;
    uint64_t random = dice(s);
    const uint8_t *base = s->it->others != NULL && random & 1 ? s->it->others : s->base;
    uint64_t offset = random & 2 ? geometry->producer_offset : geometry->consumer_offset;
    uint64_t bell = offsetof(struct shmring_role, bell);

    if (geometry->kind == SHMRING_KIND_MPMC) {
        offset = geometry->control_offset;
        bell = (random & 2 ? offsetof(struct shmring_mpmc_control, messages)
                           : offsetof(struct shmring_mpmc_control, room)) +
               offsetof(struct shmring_event, bell);
    }
    return (shmring_word32 *)(uintptr_t)(base + offset +
                                         (random & 4 ? bell : (random >> 8 & 0x3ff) * 4));
}

static void wake(struct scribbler_state *s, uint32_t count)
{
    for (uint32_t i = 0; i < count / 16 + 1; i++, s->futexes++) {
        shmring_word32 *word = word_to_wake(s);
        shmring_word32 *own = (void *)(s->base + below(s, 1024) * 4);
        /* relaxed: all here is. */
        uint32_t value = shmring_load32_relaxed(word);

        switch (dice(s) % 4) {
        case 0:
            syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
            break;
        case 1:
            syscall(SYS_futex, word, FUTEX_REQUEUE, 0, (void *)(uintptr_t)INT_MAX, own, 0);
            break;
        case 2:
            syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, (void *)(uintptr_t)INT_MAX, own, value);
            break;
        default: /* that one writes, too */
            s->stores++;
            syscall(SYS_futex, word, FUTEX_WAKE_OP, 1, (void *)(uintptr_t)1,
                    word_of(s, below(s, s->words)),
                    FUTEX_OP(dice(s) % 5, dice(s) & 0xfff, FUTEX_OP_CMP_NE, 0));
        }
    }
}

static void burst(struct scribbler_state *s, uint32_t count)
{
    uint64_t way = dice(s) % 1024;

    if (way == 0)
        write_anything(s, count);
    else if (way < 8)
        wake(s, count);
    else if (way < 24)
        write_what_was(s, count);
    else if (way < 64)
        scribble_to_and_fro(s, count);
    else
        scribble_what_could_be(s, count);
}

static void report(struct scribbler_state *s)
{
    struct scribbles *scribbles = s->it->scribbles;

    shmring_add64_relaxed(&scribbles->stores, s->stores);
    shmring_add64_relaxed(&scribbles->control, s->control);
    shmring_add64_relaxed(&scribbles->futexes, s->futexes);
    s->stores = s->control = s->futexes = 0;
}

void scribble(const struct scribbler *scribbler, uint64_t seed)
{
    struct scribbler_state s = {.it = scribbler, .base = scribbler->base, .random = seed};
    const struct mood *mood = &moods[0];
    uint64_t left = mood->bursts;

    s.words = scribbler->geometry->total_size / 8;
    for (int i = 0; i < SCRIBBLER_COPIES; i++) {
        s.copies[i] = malloc(s.words * 8);
        if (s.copies[i] == NULL)
            abort();
        copy_what_is(&s, s.copies[i]);
    }
    for (uint64_t i = 0; shmring_load32_acquire(&scribbler->scribbles->round) == scribbler->round;
         i++) {
        if (i % BURSTS_PER_COPY == 0)
            copy_what_is(&s, s.copies[1 + below(&s, SCRIBBLER_COPIES - 1)]);
        if (left-- == 0) {
            mood = &moods[below(&s, sizeof moods / sizeof *moods)];
            left = mood->bursts;
            if (mood == &moods[2])
                scribble_right(&s);
        }
        if (mood == &moods[2] && left % 2 == 0)
            scribble_to_and_fro(&s, BURST);
        else
            burst(&s, mood->stores);
        report(&s);
        for (uint64_t pauses = below(&s, mood->pauses); pauses != 0; pauses--)
            shmring_cpu_pause();
    }
    for (int i = 0; i < SCRIBBLER_COPIES; i++)
        free(s.copies[i]);
}
