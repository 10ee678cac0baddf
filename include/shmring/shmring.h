/* SPDX-License-Identifier: MIT */
/*
 * shmring: lock-free rings in shared memory, for processes of one machine. See README.md; each
 * header is the manual of its unit. Most programs want channel.h.
 */
#ifndef SHMRING_SHMRING_H
#define SHMRING_SHMRING_H

#define SHMRING_VERSION_MAJOR 0
#define SHMRING_VERSION_MINOR 1
#define SHMRING_VERSION_PATCH 0
#define SHMRING_VERSION_STRING "0.1.0"

#include "shmring/atomic.h"
#include "shmring/bell.h"
#include "shmring/channel.h"
#include "shmring/clock.h"
#include "shmring/error.h"
#include "shmring/event.h"
#include "shmring/layout.h"
#include "shmring/link.h"
#include "shmring/member.h"
#include "shmring/mpmc.h"
#include "shmring/mpmc_side.h"
#include "shmring/mpmc_word.h"
#include "shmring/poll.h"
#include "shmring/queue.h"
#include "shmring/segment.h"
#include "shmring/spin.h"
#include "shmring/spsc.h"
#include "shmring/spsc_array.h"
#include "shmring/wait.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is running, for example "0.1.0". */
const char *shmring_version(void);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
