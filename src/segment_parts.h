/* SPDX-License-Identifier: MIT */
/* What making and opening a segment have in common. Private to the library. */
#ifndef SHMRING_SEGMENT_PARTS_H
#define SHMRING_SEGMENT_PARTS_H

#include "shmring/segment.h"

#include <limits.h>

/* The caller's options in our own struct, whatever header it was compiled with. */
int segment_read_options(const shmring_segment_options *options, shmring_segment_options *ret_own);

void segment_path(const char *name, char ret_path[PATH_MAX]);

/* A memfd that can be sealed and not be executed; or -EOPNOTSUPP, or another -errno. */
int segment_memfd(void);

/* Makes an empty object that long, with all its pages. -ENOSPC, -EFBIG, -ENOMEM. */
int segment_reserve(int fd, uint64_t size);

/* Maps size bytes of fd, with the alignment that huge pages need if they are wished for. */
int segment_map(int fd, size_t size, bool huge, shmring_segment *segment);

/* Every page, now: a lack of memory is an error here and no signal later. */
int segment_populate(shmring_segment *segment);

/* What is wished for beyond that, as far as it is granted. */
void segment_improve(shmring_segment *segment, uint32_t wishes);

/* Undoes what create or open did so far. */
void segment_discard(shmring_segment *segment);

#endif
