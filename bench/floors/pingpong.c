/* SPDX-License-Identifier: MIT */
#include "floors.h"
#include "workloads/loops.h"

enum {
    PAYLOAD = sizeof((struct floor_line *)0)->payload,
};
static const uint64_t OVER = UINT64_MAX;

static void send_line(struct floor_line *line, uint64_t seq)
{
    payload_fill(line->payload, seq, PAYLOAD);
    shmring_store64_release(&line->seq, seq);
}

/* Waits for that number, or OVER, and returns it. */
static inline uint64_t await_line(const struct floor_line *line, uint64_t seq, shmring_spin *spin)
{
    uint64_t seen = shmring_load64_acquire(&line->seq);

    if (seen == seq || seen == OVER)
        return seen;
    do {
        shmring_spin_miss(spin, seq / 2);
        seen = shmring_load64_acquire(&line->seq);
    } while (seen != seq && seen != OVER);
    shmring_spin_hit(spin);
    return seen;
}

void floor_ping(struct floor_line *lines, bool apart, struct run *run)
{
    const struct floor_line *answer = apart ? &lines[1] : &lines[0];
    struct lap lap = lap_begin(run);
    shmring_spin spin = {0};
    uint64_t seq = 0;

    do {
        send_line(lines, ++seq);
        await_line(answer, ++seq, &spin);
        if (!payload_check(answer->payload, seq, PAYLOAD))
            sample_corrupt(seq);
    } while (lap_next(&lap, run));
    run->handled = seq / 2;
    shmring_store64_release(&lines->seq, OVER);
}

void floor_pong(struct floor_line *lines, bool apart)
{
    struct floor_line *answer = apart ? &lines[1] : &lines[0];
    shmring_spin spin = {0};
    uint64_t seq = 0;

    while (await_line(lines, ++seq, &spin) != OVER) {
        if (!payload_check(lines->payload, seq, PAYLOAD))
            sample_corrupt(seq);
        send_line(answer, ++seq);
    }
}
