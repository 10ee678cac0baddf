/* SPDX-License-Identifier: MIT */
/* Those who take part in a sample: the processes, or threads, of its two sides. */
#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

#include "sample.h"

/* Takes over SIGINT, SIGTERM, SIGCHLD and SIGALRM. Returns 0 or -errno. */
int sides_init(void);

/* Makes them, lets them work, and waits for their end. ret_run: of the first side. */
enum sample_end sides_run(struct sampler *sampler, const struct bench_case *bench_case,
                          void *const *channels, struct run *run, struct sample *sample);

/* The channels of a case, BENCH_CHANNELS_MAX at most. Returns 0 or -errno, with those that were
 * opened. */
int sides_open(const struct bench_case *bench_case, void **channels);

#endif
