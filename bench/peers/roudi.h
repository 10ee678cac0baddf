/* SPDX-License-Identifier: MIT */
/* The daemon of iceoryx. */
#ifndef BENCH_PEERS_ROUDI_H
#define BENCH_PEERS_ROUDI_H

#ifdef __cplusplus
extern "C" {
#endif

/* Starts it, unless it was started or another one runs, and waits until it is ready. It is ended
 * with this process, and removes what it has made. Returns 0 or -errno. */
int roudi_start(void);

#ifdef __cplusplus
}
#endif

#endif
