/* SPDX-License-Identifier: MIT */
/*
 * Where do the two processors lie? In a virtual machine that changes within seconds, so it is
 * measured, right before and after each sample: the median of some thousand round trips of one
 * cache line between the two processes that are then measured.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include "shmring/atomic.h"

#include <stdint.h>

enum place {
    PLACE_SAME_CORE, /* one processor: nothing to probe */
    PLACE_SMT,       /* hyper-threads of one core: they share L1 and L2 */
    PLACE_L3,        /* cores that share an L3 */
    PLACE_CROSS_L3,  /* cores that do not */
    PLACE_MIXED,     /* the two probes disagree */
    PLACE_COUNT,
};

/* Median round trip, in ns: below the first SMT, below the second L3. From an AMD EPYC of family
 * 25 (Zen 4), where the three are about 80, 100 to 110, and 250; other processors differ. */
struct place_limits {
    uint32_t smt_below;
    uint32_t l3_below;
};
static const struct place_limits PLACE_LIMITS = {90, 180};

struct probe {
    _Alignas(128) shmring_word64 line;
};

/* Both sides at the same time, the line zero before. Returns the median in ns, resp. nothing. */
uint32_t probe_ask(struct probe *probe);
void probe_answer(struct probe *probe);

enum place place_of(uint32_t before_ns, uint32_t after_ns, const struct place_limits *limits);
const char *place_name(enum place place);

#endif
