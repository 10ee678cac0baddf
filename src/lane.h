/* SPDX-License-Identifier: MIT */
/*
 * A lane: the memfd that one side of a link writes, and what makes it safe to read for the other.
 * Private to the library.
 */
#ifndef SHMRING_LANE_H
#define SHMRING_LANE_H

#include "segment_parts.h"
#include "shmring/link.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * Makes one for the geometry, filled with its pages and its header, which can no longer grow or
 * shrink. Returns a descriptor, or -ENOSPC, -EFBIG, -EMFILE, -ENFILE, -ENOMEM, -EOPNOTSUPP.
 */
int lane_create(const shmring_geometry *geometry);

/* From here on nobody can map it to write, or write, punch holes into it, or undo this; mappings
 * that can write stay. 0, or -EOPNOTSUPP (before Linux 5.1), -EPERM (sealed by somebody else). */
int lane_seal(int fd);

/*
 * Is it a memfd of that size, with at least those seals, not of huge pages? Outputs, which file it
 * is. 0, or -EBADMSG. Blocks on nothing, whatever fd is.
 */
int lane_check(int fd, uint64_t size, int seals, struct stat *ret_status);
bool lane_is_same(const struct stat *a, const struct stat *b);

enum { LANE_SEALED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL };

/*
 * Maps it between two pages that cannot be touched, not for children of this process. 0, or
 * -ENOMEM, -EPERM (to write what is sealed), -EACCES.
 */
int lane_map(int fd, uint64_t size, bool writes, shmring_lane *ret_lane);
void lane_unmap(shmring_lane *lane);

/* Every page is there, now: who reads it gets no signal. 0, or -ENOSPC, -EOPNOTSUPP. */
int lane_populate(const shmring_lane *lane, bool writes);

/* Is its header that of a lane of this geometry? 0, or -EBADMSG, -EPROTONOSUPPORT. */
int lane_check_header(const shmring_lane *lane, const shmring_geometry *geometry);

#endif
